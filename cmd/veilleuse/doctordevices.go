package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

// role is what an outage would take if the device could not be reached.
type role int

const (
	comforts role = iota // a sensor, a light, a camera
	heats
	warns // of smoke or carbon monoxide
)

// heaters are the kinds of device, by firmware note, that heat a room.
var heaters = []string{"thermostat", "valve", "bus thermostat", "pilot wire heating"}

// roleOf is by what the device can do, and where that is not known, by its note.
func roleOf(d gateway.Device, note notes.Note) role {
	if _, _, ok := d.Control(gateway.Target); ok || d.Circuit != nil || slices.Contains(heaters, note.Kind) {
		return heats
	}
	has := d.Quantities()
	if slices.Contains(has, gateway.Smoke) || slices.Contains(has, gateway.CO) || note.Kind == "smoke alarm" || note.Kind == "carbon monoxide alarm" {
		return warns
	}
	return comforts
}

// usualSilence is how long a device of an unknown model may be silent; the note of a valve says the same.
const usualSilence = 2 * time.Hour

// device finds the path that would serve one device.
func (d doctor) device(dev gateway.Device) doctorDevice {
	note, known := d.notes.For(dev.Model)
	does := roleOf(dev, note)
	r := doctorDevice{ID: dev.ID, Name: dev.Name, Model: dev.Model, Kind: note.Kind, Alarm: does == warns}
	if room, ok := d.state.Rooms.Get(dev.Room); ok {
		r.Room = room.Name
	}
	if r.Name == "" {
		r.Name = string(dev.ID)
	}
	switch {
	case dev.Circuit != nil: // one that is off has nothing to say; the broker tells whether it is there
		note = notes.Note{}
	case !known:
		note = notes.Note{SilentAfter: usualSilence}
	}
	face, local := localFace(dev, does)
	switch {
	case !local:
		d.withoutLAN(&r, dev, note, does)
	case !face.Reaches:
		r.Path, r.Via = noWay, face.Adapter
		r.finding = missing(does, "it is known on the LAN, but does not answer"+because(face.Why), d.wake(face.Adapter))
		d.alone(&r, note, does)
	default:
		d.onLAN(&r, dev, note, does, face.Adapter)
	}
	r.ails(dev, does)
	return r
}

// emptyBelow is the charge in percent below which a battery may not last the night, where the device has
// no word of its own; Home Assistant's default for "low".
const emptyBelow = 20

// ails adds what the device itself complains of.
func (r *doctorDevice) ails(dev gateway.Device, does role) {
	fault, _ := dev.Reading(gateway.Fault)
	low, said := dev.Reading(gateway.LowBattery)
	charge, measured := dev.Reading(gateway.Battery)
	percent, _ := charge.Value.Number()
	switch {
	case does == warns && fault.Value.Yes():
		r.Served = false
		r.finding = finding{gap, r.What + "; it reports a fault of its own", "press its test button; if the fault stays, replace it"}
	case said && low.Value.Yes() || !said && measured && percent < emptyBelow:
		do := "change its battery"
		if r.Do != "" {
			do += "; " + r.Do
		}
		if r.Result == well {
			r.Result = warn
		}
		r.What, r.Do = r.What+"; its battery is low", do
	}
}

// localFace is the face on the LAN that would serve: of those that can what the device is there for, one
// that answers.
func localFace(d gateway.Device, does role) (gateway.Face, bool) {
	var best gateway.Face
	found := false
	for _, f := range d.Faces {
		if f.Adapter == gateway.CloudAdapter || does == heats && !takes(f, steeredBy(d)) || does == warns && !warned(d, f) {
			continue
		}
		if !found || f.Reaches && !best.Reaches {
			best, found = f, true
		}
	}
	return best, found
}

// steeredBy is what is set to have a device heat.
func steeredBy(d gateway.Device) gateway.Quantity {
	if d.Circuit != nil {
		return gateway.Relay
	}
	return gateway.Target
}

// heatersOf are the devices that heat a room: those that stand there, and the relays that do it from elsewhere.
func (d doctor) heatersOf(room gateway.Room) []gateway.Device {
	var all []gateway.Device
	for _, id := range room.Devices {
		dev, ok := d.state.Devices.Get(id)
		note, _ := d.notes.For(dev.Model)
		if ok && dev.Circuit == nil && roleOf(dev, note) == heats {
			all = append(all, dev)
		}
	}
	for _, dev := range d.state.Devices.All() {
		if d.state.Heats(dev, room.ID) {
			all = append(all, dev)
		}
	}
	return all
}

func takes(f gateway.Face, q gateway.Quantity) bool {
	return slices.ContainsFunc(f.Controls, func(c gateway.Control) bool { return c.Quantity == q })
}

// warned reports whether a detector was ever heard through a face.
func warned(d gateway.Device, f gateway.Face) bool {
	_, smoke := d.ReadingFrom(gateway.Smoke, f.Adapter)
	_, gas := d.ReadingFrom(gateway.CO, f.Adapter)
	return smoke || gas
}

// onLAN is a device that answers there. What it said last must not be too old: an answer of its relay is
// no word of the valve.
func (d doctor) onLAN(r *doctorDevice, dev gateway.Device, note notes.Note, does role, via string) {
	r.Path, r.Via, r.Served = overLAN, via, true
	over := d.over(via)
	last, read := lastFrom(dev, via)
	age := d.state.At.Sub(last)
	switch {
	case !read && does != comforts:
		r.Served = false
		r.finding = missing(does, "it answers "+over+", but has said nothing yet", "wait a minute and ask again; then look at its battery")
	case read && note.SilentAfter > 0 && age > note.SilentAfter:
		r.Served = does == comforts
		r.finding = missing(does, fmt.Sprintf("%s it answers, but its last word is %s old", over, long(age)),
			"look at its battery and its distance to the relay: veilleuse status shows what it says")
	case read:
		r.finding = finding{Result: well, What: fmt.Sprintf("%s, heard %s ago", over, long(age))}
	default:
		r.finding = finding{Result: well, What: over}
	}
	if dev.Circuit != nil && r.Served {
		if what, serves := d.fires(dev, gateway.Face{Adapter: via}); !serves {
			r.Served = false
			r.finding = missing(does, over+" it "+what, "look after it: veilleuse status shows what it was told and what it says")
		}
	}
	if does == heats && !r.Served {
		d.alone(r, note, does)
	}
}

// lastFrom is when a device last said through an adapter how things are; its firmware is no such word.
func lastFrom(d gateway.Device, via string) (time.Time, bool) {
	var last time.Time
	for _, m := range d.Readings {
		if m.From == via && m.Quantity != gateway.Firmware && m.At.After(last) {
			last = m.At
		}
	}
	return last, !last.IsZero()
}

// missing is a gap for what keeps people warm and safe, and worth a look for the rest.
func missing(does role, what, do string) finding {
	if does == comforts {
		return finding{warn, what, do}
	}
	return finding{gap, what, do}
}

// withoutLAN is a device that only the cloud reaches, or nobody.
func (d doctor) withoutLAN(r *doctorDevice, dev gateway.Device, note notes.Note, does role) {
	if voice, ok := d.voiceOf(dev, note); does == warns && ok {
		r.Path, r.Via, r.Served = overLAN, earAdapter, true
		r.finding = finding{Result: well, What: "the ear knows its siren, as " + voice}
		return
	}
	who := "nobody reaches it"
	if f, ok := dev.Face(gateway.CloudAdapter); ok && f.Reaches {
		who = "only the cloud reaches it"
	}
	r.Path = noWay
	r.finding = missing(does, who, d.mend(note, does))
	d.alone(r, note, does)
}

// voiceOf is the siren that the ear has learnt of an alarm: one of its kind, in its room.
func (d doctor) voiceOf(dev gateway.Device, note notes.Note) (name string, ok bool) {
	kind := gateway.Smoke
	if note.Kind == "carbon monoxide alarm" {
		kind = gateway.CO
	}
	for id, other := range d.state.Devices.All() {
		face, hears := other.Face(earAdapter)
		if _, says := other.Reading(kind); hears && face.Reaches && says && dev.Room != "" && other.Room == dev.Room && !slices.Contains(unlearntVoices, id) {
			return other.Name, true
		}
	}
	return "", false
}

// earAdapter hears; the devices by which it passes on what it was not taught name no alarm in particular.
const earAdapter = "ear"

var unlearntVoices = []gateway.DeviceID{"ear/smoke", "ear/co", "ear/microphone"}

// alone adds what the device does by itself, in the words and with the grade of its note. What nobody has
// verified serves no room; an alarm that sounds by itself is heard in the house, but not by us.
func (d doctor) alone(r *doctorDevice, note notes.Note, does role) {
	if note.Name == "" {
		r.What += "; what it does by itself is unknown"
		return
	}
	r.Grade = note.WithoutCloud.Grade
	r.What += fmt.Sprintf("; by itself (%s): %s", gradeWords[r.Grade], strings.TrimSuffix(note.WithoutCloud.Does, "."))
	if note.WithoutCloud.State != notes.GoesOn {
		return
	}
	r.Path = byItself
	if does != warns && r.Grade != notes.Unverified {
		r.Served, r.Result = true, warn
	}
}

// gradeWords are the grades of evidence, as firmware-notes/README.md explains them.
var gradeWords = map[notes.Grade]string{
	notes.Payload: "seen in a real payload", notes.Vendor: "the vendor says so", notes.Code: "other programs rely on it",
	notes.Report: "a user reported it", notes.Unverified: "unverified", "": "unverified",
}

// mend is the exact thing to do to get a path on the LAN.
func (d doctor) mend(note notes.Note, does role) string {
	best := note.BestPath()
	switch {
	case note.Name == "":
		return d.pair(note)
	case best.Via == notes.Accessory:
		return d.pair(note)
	case best.Via == notes.Camera:
		return "keep the sign-in (veilleuse login): the camera's key comes from the cloud while it works"
	case does == warns:
		return d.secondDetector(best.Via, note)
	case best.Via == notes.MQTT:
		return best.Note
	case best.Via == notes.BLE:
		return pairNear
	}
	return "nothing: no way to it without the cloud is known"
}

// secondDetector is for an alarm that cannot be reached, or not yet.
func (d doctor) secondDetector(via notes.Via, note notes.Note) string {
	kind := note.Kind
	if kind == "" {
		kind = "detector"
	}
	beside := fmt.Sprintf("put a %s that speaks HomeKit over IP beside it (veilleuse discover, then veilleuse pair ID CODE), and keep this one", kind)
	switch {
	case via == notes.BLE:
		return pairNear
	case via == notes.Ear && d.has(earAdapter):
		return "let the ear learn its siren: veilleuse listen --learn NAME --room ROOM, and hold its test button"
	case via == notes.Ear:
		return "its way is a microphone within earshot: name it as ear.microphone in the configuration, then veilleuse listen --learn NAME --room ROOM; or " + beside
	}
	return beside
}

// pairNear is what to do about a device on Bluetooth.
const pairNear = "have the Pi within some metres of it, then veilleuse discover and veilleuse pair ID CODE with its HomeKit code"

// has reports whether an adapter of that name is part of this house.
func (d doctor) has(adapter string) bool {
	_, ok := d.state.Health.Get(gateway.PointKey(adapter))
	return ok
}

// pair is the command that pairs what such a note speaks of; heating devices come with their relay.
func (d doctor) pair(note notes.Note) string {
	what := "it"
	if slices.Contains([]string{"thermostat", "valve"}, note.Kind) {
		what = "its relay"
	}
	var free, taken []string
	for _, a := range d.facts.Found {
		switch {
		case a.Paired == "no":
			free = append(free, fmt.Sprintf("veilleuse pair %s CODE (%s)", a.ID, a.Name))
		case a.Paired == "elsewhere":
			taken = append(taken, fmt.Sprintf("%s (%s)", a.ID, a.Name))
		}
	}
	switch {
	case len(free) > 0:
		return fmt.Sprintf("pair %s with the code that came with it: %s", what, strings.Join(free, " or "))
	case len(taken) > 0:
		return fmt.Sprintf("if %s is %s, which is paired elsewhere: remove it from Apple Home, then veilleuse pair ID CODE", what, strings.Join(taken, " or "))
	}
	return fmt.Sprintf("pair %s with the code that came with it: veilleuse discover lists what is on the LAN, then veilleuse pair ID CODE", what)
}

// wake is what to do about a device that does not answer.
func (d doctor) wake(adapter string) string {
	if h, ok := d.state.Health.Get(gateway.PointKey(adapter)); ok && !h.Up {
		return fmt.Sprintf("%s does not run: journalctl -u veilleuse says why", adapter)
	}
	if adapter == gateway.AccessoryAdapter {
		return "see that it (or its relay) has power and is in the same network; if multicast does not pass, name its address under accessories in the configuration"
	}
	return "see that it has power and is in the same network"
}

// over names a path for people.
func (d doctor) over(adapter string) string {
	switch adapter {
	case gateway.AccessoryAdapter:
		return "over HomeKit"
	case gateway.CameraAdapter:
		return "over its own HTTP on the LAN"
	}
	return "over " + strings.ToUpper(adapter) // MQTT
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

// long writes a duration as people say it.
func long(d time.Duration) string { return ageOf(int(d.Seconds())) }
