package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// room finds the path that would serve a room; false for one that is not heated. A room is no better off
// than the worst of the devices that heat it.
func (d doctor) room(room gateway.Room, seen map[gateway.DeviceID]doctorDevice) (doctorRoom, bool) {
	r := doctorRoom{ID: room.ID, Name: room.Name}
	if r.Name == "" {
		r.Name = string(room.ID)
	}
	var heating []doctorDevice
	var relay gateway.Device
	for _, dev := range d.heatersOf(room) {
		heating = append(heating, seen[dev.ID])
		if dev.Circuit != nil {
			relay = dev
		}
	}
	if len(heating) == 0 {
		r.Path = noWay
		r.finding = finding{gap, "the plan heats it, but no device that does so is known", "veilleuse discover, then veilleuse pair --room " + quoted(r.Name) + " ID CODE"}
		return r, room.Cloud.Target.Known()
	}
	worst := slices.MaxFunc(heating, func(a, b doctorDevice) int { return badness(a) - badness(b) })
	r.Path, r.Served, r.finding = worst.Path, worst.Served, worst.finding
	if len(heating) > 1 || worst.Result != well {
		r.What = worst.Name + ": " + r.What
	}
	if r.Path == overLAN && r.Served {
		d.planOf(&r, room)
	}
	if relay.Circuit != nil && r.Served {
		d.warmthOf(&r, room, relay)
	}
	return r, true
}

// believed is for how long a temperature says how warm a room is, to the rules.
const believed = time.Hour

// warmthOf looks whether a room that a relay heats has a temperature to go by that needs no cloud.
func (d doctor) warmthOf(r *doctorRoom, room gateway.Room, relay gateway.Device) {
	measuring := room.Devices
	if relay.Circuit.Sensor != "" && len(relay.Circuit.Rooms) == 1 {
		measuring = []gateway.DeviceID{relay.Circuit.Sensor}
	}
	cloud := false
	for _, id := range measuring {
		dev, _ := d.state.Device(id)
		for _, m := range dev.Readings {
			if m.Quantity != gateway.Temperature || d.state.At.Sub(m.At) > believed {
				continue
			}
			if m.From != gateway.CloudAdapter {
				return
			}
			cloud = true
		}
	}
	what := "nobody has measured its temperature lately"
	if cloud {
		what = "its temperature comes from the cloud alone"
	}
	r.Result = warn
	r.What += "; " + what + ": the relay would heat as was usual"
	r.Do = "give the room a thermometer on HomeKit or MQTT (sensors in the configuration), and look after its battery"
}

// badness orders devices by how little they would do.
func badness(d doctorDevice) int {
	switch {
	case !d.Served:
		return 2
	case d.Path == byItself:
		return 1
	}
	return 0
}

// planOf looks whether the plan says what a room ought to be: a device that can be steered needs somebody
// who knows where to.
func (d doctor) planOf(r *doctorRoom, room gateway.Room) {
	plan, ok := d.plan()
	switch {
	case !ok:
		r.Served = false
		r.finding = finding{gap, r.What + "; but no plan is copied, so it would stay at what it was set to last", d.signIn()}
	default:
		slot, ok := schedule.Target(plan, room.ID, d.state.At, d.state.Home.Zone.Location())
		if !ok || slot.Order != "" {
			r.finding = finding{warn, r.What + "; the plan names no temperature for it, so it would stay at what people set",
				fmt.Sprintf("give %s a temperature in the schedule %s in Netatmo's app", r.Name, plan.Name)}
		}
	}
}

// plan is the heating schedule in force: the one chosen here, else the vendor's choice.
func (d doctor) plan() (gateway.Schedule, bool) {
	kind := "therm"
	if d.state.Home.Control == "cooling" {
		kind = "cooling"
	}
	var best gateway.Schedule
	found := false
	for _, s := range d.state.Home.Schedules {
		if s.Type != kind && s.Type != "" {
			continue
		}
		if s.ID != "" && s.ID == d.state.Home.Regime.Schedule {
			return s, true
		}
		if s.Selected {
			best, found = s, true
		}
	}
	return best, found
}

// signIn is what to do to get a plan copied.
func (d doctor) signIn() string {
	switch {
	case !d.facts.Client:
		return "create an application at https://dev.netatmo.com/apps, put its id and secret into the configuration (netatmo.client_id, netatmo.client_secret_file), restart, then veilleuse login"
	case !d.facts.SignedIn:
		return "veilleuse login"
	}
	return "wait until the cloud answers and the plan is copied: veilleuse status shows when"
}

// quoted writes a name as a shell takes it.
func quoted(name string) string {
	if strings.ContainsAny(name, " '\"$\\") {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}
