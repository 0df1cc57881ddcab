package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

// drillView is one look at a house in a drill.
type drillView struct {
	At        time.Time          `json:"at"`
	Authority gateway.Authority  `json:"authority"`
	Alarm     gateway.Alarm      `json:"alarm"`
	Rooms     []drillRoom        `json:"rooms"`
	Alarms    []drillAlarm       `json:"alarms"`
	Faces     []drillFace        `json:"faces"`
	Decisions []gateway.Decision `json:"decisions"` // since the last look
	Decided   uint64             `json:"decided"`   // number of the last decision
}

// drillRoom is one heated room: what it ought to be, and whether its devices are so.
type drillRoom struct {
	ID     gateway.RoomID `json:"id"`
	Name   string         `json:"name"`
	Target *gateway.Value `json:"target,omitempty"` // °C
	Served bool           `json:"served"`
	What   string         `json:"what"`
}

// drillAlarm is one detector.
type drillAlarm struct {
	ID    gateway.DeviceID `json:"id"`
	Name  string           `json:"name"`
	Heard bool             `json:"heard"` // over the LAN
	What  string           `json:"what"`
}

// drillFace is one way in which people see and steer the house.
type drillFace struct {
	Name string `json:"name"` // homekit, mqtt, broker
	Up   bool   `json:"up"`
	Why  string `json:"why,omitempty"`
}

// peoplesWays are the adapters through which people see the house, and what people call them.
var peoplesWays = []struct{ name, words string }{{"homekit", "the Home app's bridge"}, {"mqtt", "MQTT"}, {"broker", "the MQTT broker"}}

// drill looks at the house, and knocks at its doors if asked to.
func (h *house) drill(ctx context.Context, s gateway.State, after uint64, knocking bool) drillView {
	v := viewDrill(s, h.notes(), after)
	if knocking {
		var f doctorFacts
		h.lookAtDoors(ctx, &f)
		for i := range v.Faces {
			switch face := &v.Faces[i]; {
			case face.Name == "homekit" && f.BridgeErr != "":
				face.Up, face.Why = false, f.BridgeErr
			case face.Name == "broker" && f.BrokerErr != "":
				face.Up, face.Why = false, f.BrokerErr
			}
		}
	}
	return v
}

// viewDrill makes a look of a State; after is the number of the last decision that was seen.
func viewDrill(s gateway.State, known notes.Notes, after uint64) drillView {
	d := doctor{state: s, notes: known}
	v := drillView{At: s.At, Authority: s.Authority, Alarm: s.Alarm(), Decided: s.Decided,
		Rooms: []drillRoom{}, Alarms: []drillAlarm{}, Faces: []drillFace{}, Decisions: []gateway.Decision{}}
	for _, room := range s.Rooms.All() {
		if r, heated := d.drillRoom(room); heated {
			v.Rooms = append(v.Rooms, r)
		}
	}
	for _, dev := range s.Devices.All() {
		if found := d.device(dev); found.Alarm {
			v.Alarms = append(v.Alarms, drillAlarm{dev.ID, found.Name, found.Served, found.What})
		}
	}
	for _, w := range peoplesWays {
		if h, ok := s.Health.Get(gateway.PointKey(w.name)); ok {
			v.Faces = append(v.Faces, drillFace{w.name, h.Up, h.Why})
		}
	}
	for _, decision := range s.Decisions {
		if decision.Number > after {
			v.Decisions = append(v.Decisions, decision)
		}
	}
	return v
}

// drillRoom looks whether each device that heats a room shows over the LAN what the room ought to be.
func (d doctor) drillRoom(room gateway.Room) (drillRoom, bool) {
	r := drillRoom{ID: room.ID, Name: room.Name, Served: true}
	if r.Name == "" {
		r.Name = string(room.ID)
	}
	if room.Target.Value.Known() {
		target := room.Target.Value
		r.Target = &target
	}
	var words []string
	for _, dev := range d.heatersOf(room) {
		what, served := d.obeys(dev, room)
		r.Served = r.Served && served
		words = append(words, fmt.Sprintf("%s %s", dev.Name, what))
	}
	if len(words) == 0 {
		r.Served, r.What = false, "no device that heats it is known"
		return r, room.Cloud.Target.Known()
	}
	r.What = strings.Join(words, "; ")
	if r.Served && room.Target.Why != "" {
		r.What += " (" + room.Target.Why + ")"
	}
	return r, true
}

// obeys says what a device shows over the LAN, and whether that is what its room ought to be. It is all
// the same whether it does so by itself or was told to.
func (d doctor) obeys(dev gateway.Device, room gateway.Room) (string, bool) {
	face, local := localFace(dev, heats)
	switch {
	case !local:
		return "is not on the LAN: nobody can see or steer it without the cloud", false
	case !face.Reaches:
		return "does not answer" + because(face.Why), false
	}
	if dev.Circuit != nil {
		return d.fires(dev, face)
	}
	m, ok := dev.ReadingFrom(gateway.Target, face.Adapter)
	shown, number := m.Value.Number()
	wanted, due := room.Target.Value.Number()
	switch {
	case !ok || !number:
		return "answers, but does not show its target", false
	case !due:
		return fmt.Sprintf("shows %g °C, and the plan asks for nothing", shown), true
	case !fits(shown, wanted, face):
		return fmt.Sprintf("shows %g °C instead of %g °C", shown, wanted), false
	case room.Written.Value.Known():
		return fmt.Sprintf("was set to %g °C and shows it", shown), true
	}
	return fmt.Sprintf("shows %g °C by itself", shown), true
}

// fires says what a relay shows, and whether it does what it is told.
func (d doctor) fires(dev gateway.Device, face gateway.Face) (string, bool) {
	stands, _ := d.state.Firings.Get(dev.ID)
	m, ok := dev.ReadingFrom(gateway.Relay, face.Adapter)
	switch {
	case !ok:
		return "answers, but does not show whether it is on", false
	case stands.Silent:
		return "does not show what it was told", false
	case stands.Faulty != "" && (stands.Tries > 0 || d.state.At.Before(stands.Refused)):
		return "refuses what it is told" + because(stands.Faulty), false
	case m.Value.Yes():
		return "is on", true
	}
	return "is off", true
}

// fits reports whether a device shows a target, as far as its range and steps allow.
func fits(shown, wanted float64, face gateway.Face) bool {
	step := 0.0
	for _, c := range face.Controls {
		if c.Quantity != gateway.Target {
			continue
		}
		if step = c.Step; c.Max > c.Min {
			wanted = min(max(wanted, c.Min), c.Max)
		}
	}
	return math.Abs(shown-wanted) <= max(step/2, 0.05)+1e-6
}
