package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// observe puts a fact into the State, with no opinion about it, and marks what it touches.
func (b *book) observe(f gateway.Fact) {
	switch f := f.(type) {
	case gateway.Tick:
		b.observeTick(f)
		b.watchAlarms()
	case gateway.Reading:
		b.observeReading(f)
	case gateway.Found:
		b.observeFound(f)
	case gateway.Gone:
		b.observeGone(f)
	case gateway.Reach:
		b.observeReach(f)
	case gateway.Plan:
		b.observePlan(f)
	case gateway.CloudView:
		b.observeView(f)
	case gateway.Probe:
		b.observeProbe(f)
	case gateway.Call:
		b.observeCall(f)
	case gateway.Budget:
		b.Budget, b.changed = f, true
	case gateway.Outcome:
		b.noteDelivery(f)
		if !b.relayOutcome(f) {
			b.observeOutcome(f)
		}
	case gateway.Clock:
		b.observeClock(f)
	case gateway.Health:
		b.observeHealth(f)
	case gateway.Notice:
		b.decide(gateway.Decision{Kind: "notice", What: f.What, Why: f.Why})
	case gateway.Wish:
		b.grant(f)
	}
}

// Temperatures that no room and no garden has are a sensor's way of saying that it is broken; 85.0
// and -127 are what a well-known sensor chip says at power-up and when its wire is cut.
const (
	coldest, hottest = -60.0, 70.0
	chipPowerUp      = 85.0
	chipCut          = -127.0
)

func absurd(f gateway.Reading) bool {
	n, ok := f.Value.Number()
	return !f.Value.Known() || ok && f.Quantity == gateway.Temperature &&
		(n < coldest || n > hottest || n == chipPowerUp || n == chipCut)
}

func (b *book) observeReading(f gateway.Reading) {
	if absurd(f) {
		return // its age keeps growing, and that is what tells
	}
	d, ok := b.State.Device(f.Device)
	if !ok {
		d = gateway.Device{ID: f.Device, Name: string(f.Device)}
	}
	at := f.Measured
	if at.IsZero() || at.After(b.now) {
		at = b.now
	}
	before, had := d.ReadingFrom(f.Quantity, b.from)
	if had && before.At.After(at) && !f.Measured.IsZero() {
		return // an older word than the one we have; what is said now is never that
	}
	m := gateway.Measure{Quantity: f.Quantity, Value: f.Value, At: at, From: b.from}
	b.setDevice(d.WithReading(m))
	if d.Silent {
		b.speaks(d.ID)
	}
	if d.Room != "" {
		b.touch(d.Room)
	}
	switch f.Quantity {
	case gateway.Smoke, gateway.CO:
		b.hear(d, m)
	case gateway.Relay:
		b.observeRelay(d.ID, f.Value.Yes())
	case gateway.Contact, gateway.OpenWindow:
		b.observeWindow(d)
		b.guardHears(d.WithReading(m), m, before)
	case gateway.Motion, gateway.Tampered:
		b.guardHears(d.WithReading(m), m, before)
	case gateway.SelfTest:
		if m.Value.Yes() {
			b.saysTest(d, m)
		}
	case gateway.COLevel:
		b.smellGas(d, m)
	case gateway.Siren, gateway.Floodlight, gateway.On:
		b.alarmed = b.alarmed || len(b.Alarms) > 0 || b.Sounded || b.Lit.Len() > 0
	case gateway.Target:
		if had && before.Value != m.Value && b.from != gateway.CloudAdapter && !before.At.Before(b.Started) {
			b.noticeHand(d, before, m)
		}
	}
}

func (b *book) observeFound(f gateway.Found) {
	d, known := b.known(f)
	if !known {
		d = gateway.Device{ID: f.Device, Name: string(f.Device)}
	}
	old := d
	if f.Name != "" && (b.from == gateway.CloudAdapter || d.Name == "" || d.Name == string(d.ID)) {
		d.Name = f.Name // the cloud's name is the one the person gave
	}
	if f.Model != "" && (b.from == gateway.CloudAdapter || d.Model == "") {
		d.Model = f.Model
	}
	if f.Bridge != "" {
		d.Bridge = f.Bridge
	}
	face, had := d.Face(b.from)
	face.Adapter, face.Controls = b.from, f.Controls
	if !had {
		face.Since = b.now
	}
	d = d.WithFace(face)
	for _, other := range append([]gateway.DeviceID{f.Device}, f.Also...) {
		if other != d.ID && other != "" && !slices.Contains(d.Also, other) {
			d.Also = append(slices.Clip(d.Also), other)
			b.Also = b.Also.With(other, d.ID)
		}
	}
	if room := b.placeOf(f, d); room != "" {
		d.Room = room
	}
	if _, _, steers := d.Control(gateway.Target); steers && d.Room == "" && b.from != gateway.CloudAdapter && !b.namesRoom(f) {
		b.ownRoom(&d, f)
	}
	b.place(&d, f)
	b.setDevice(d)
	b.settle(old, d)
	if !known {
		b.decide(gateway.Decision{Kind: "device", Device: d.ID, Room: d.Room, What: fmt.Sprintf("%s is known", label(d)), Why: "found by " + b.from})
	}
}

// namesRoom reports whether the configuration says where an attached device stands.
func (b *book) namesRoom(f gateway.Found) bool {
	return b.from == gateway.MQTTAdapter && f.RoomName != ""
}

// place gives a device that the user attached the room that the configuration names, and a relay its rooms.
func (b *book) place(d *gateway.Device, f gateway.Found) {
	if b.from != gateway.MQTTAdapter {
		return
	}
	if f.RoomName != "" && (d.Room == "" || d.Room.Own()) {
		d.Room = b.nameRoom(f.RoomName)
	}
	d.Circuit = f.Circuit
	if f.Circuit == nil {
		b.Firings = b.Firings.Without(d.ID)
		return
	}
	for _, name := range f.Circuit.Rooms {
		b.nameRoom(name)
	}
	if _, known := b.Firings.Get(d.ID); !known {
		b.Firings = b.Firings.With(d.ID, gateway.Firing{})
	}
	b.everything = true
}

// known finds the device that the fact speaks of, under any of its names.
func (b *book) known(f gateway.Found) (gateway.Device, bool) {
	if d, ok := b.State.Device(f.Device); ok {
		return d, true
	}
	for _, other := range f.Also {
		if d, ok := b.State.Device(other); ok {
			return d, true
		}
	}
	return gateway.Device{}, false
}

// placeOf finds the room of a device: by what the source says, else by the room's name. A device
// that the person named as one room is taken to stand in it; two rooms of that name settle nothing.
func (b *book) placeOf(f gateway.Found, d gateway.Device) gateway.RoomID {
	if f.Room != "" {
		return f.Room
	}
	if d.Room != "" && !d.Room.Own() {
		return d.Room
	}
	name := f.RoomName
	if name == "" {
		name = f.Name
	}
	var found gateway.RoomID
	for id, r := range b.Rooms.All() {
		if r.Name != "" && !id.Own() && strings.EqualFold(r.Name, strings.TrimSpace(name)) {
			if found != "" {
				return ""
			}
			found = id
		}
	}
	return found
}

// ownRoom gives a thermostat that stands in no known room one of its own: a house without a cloud has
// rooms, too.
func (b *book) ownRoom(d *gateway.Device, f gateway.Found) {
	name := f.RoomName
	if name == "" {
		name = label(*d)
	}
	d.Room = gateway.OwnRoom + gateway.RoomID(d.ID)
	b.setRoom(gateway.Room{ID: d.Room, Name: name})
}

// settle moves a device from the room it stood in to the one it stands in.
func (b *book) settle(old, d gateway.Device) {
	if old.Room != "" && old.Room != d.Room {
		r, _ := b.Rooms.Get(old.Room)
		r.Devices = slices.DeleteFunc(slices.Clone(r.Devices), func(id gateway.DeviceID) bool { return id == d.ID })
		b.setRoom(r)
		if len(r.Devices) == 0 && r.ID.Own() {
			b.Rooms = b.Rooms.Without(r.ID)
		}
		b.everything = true
	}
	if d.Room == "" {
		return
	}
	r, ok := b.Rooms.Get(d.Room)
	if !ok {
		r = gateway.Room{ID: d.Room, Name: string(d.Room)}
	}
	if !slices.Contains(r.Devices, d.ID) {
		r.Devices = append(slices.Clip(r.Devices), d.ID)
		b.setRoom(r)
	}
	b.touch(d.Room)
}

// observeGone takes away one face; a device without any face is forgotten.
func (b *book) observeGone(f gateway.Gone) {
	d, ok := b.State.Device(f.Device)
	if !ok {
		return
	}
	d.Faces = slices.DeleteFunc(slices.Clone(d.Faces), func(face gateway.Face) bool { return face.Adapter == b.from })
	b.decide(gateway.Decision{Kind: "device", Device: d.ID, What: fmt.Sprintf("%s left %s", label(d), b.from), Why: "it was removed there"})
	if b.from == gateway.MQTTAdapter {
		d.Circuit, b.Firings = nil, b.Firings.Without(d.ID)
	}
	if len(d.Faces) > 0 {
		b.setDevice(d)
		return
	}
	b.endAlarmsOf(d.ID)
	moved := d
	moved.Room = ""
	b.settle(d, moved)
	b.Devices = b.Devices.Without(d.ID)
	for _, other := range d.Also {
		b.Also = b.Also.Without(other)
	}
}

func (b *book) observeReach(f gateway.Reach) {
	d, ok := b.State.Device(f.Device)
	if !ok {
		return
	}
	face, had := d.Face(b.from)
	if had && face.Reaches == f.OK && face.Why == f.Why {
		return
	}
	turned := face.Reaches != f.OK
	face.Adapter, face.Reaches, face.Why = b.from, f.OK, f.Why
	if turned || face.Since.IsZero() {
		face.Since = b.now
	}
	b.setDevice(d.WithFace(face))
	if d.Silent {
		b.speaks(d.ID)
	}
	if d.Room != "" {
		b.touch(d.Room)
	}
	// The cloud's face goes with the cloud: one line for that is enough, not one a device.
	if turned && b.from != gateway.CloudAdapter && (had || f.OK) {
		what := fmt.Sprintf("%s answers over %s", label(d), b.from)
		if !f.OK {
			what = fmt.Sprintf("%s does not answer over %s", label(d), b.from)
		}
		b.decide(gateway.Decision{Kind: "device", Device: d.ID, Room: d.Room, What: what, Why: f.Why})
	}
}

func (b *book) observeClock(f gateway.Clock) {
	if f == b.Clock {
		return
	}
	before := b.Clock
	switch {
	case f.Trust != before.Trust, f.Trust == gateway.TrustGuess && f.Why != before.Why:
		b.decide(gateway.Decision{Kind: "clock", What: "the clock is " + clockWords[f.Trust], Why: f.Why})
	case f.Bound > goodBound && before.Bound <= goodBound:
		b.decide(gateway.Decision{Kind: "clock", What: fmt.Sprintf("the clock may be off by up to %.0f min", f.Bound.Minutes()), Why: f.Why})
	}
	if f.Trust != gateway.TrustGuess {
		b.forgetFuture()
	}
	b.Clock, b.changed, b.everything = f, true, true
}

// goodBound is how far off a clock may be without anybody being told.
const goodBound = 5 * time.Minute

var clockWords = map[gateway.Trust]string{
	gateway.TrustSynced:   "kept in step by a time server",
	gateway.TrustHoldover: "carried on from when it was last right",
	gateway.TrustGuess:    "only a guess: no slot changes by schedule until it is confirmed",
}

func (b *book) observeHealth(f gateway.Health) {
	before, had := b.Health.Get(gateway.PointKey(f.Adapter))
	if had && before == f {
		return
	}
	b.Health, b.changed = b.Health.With(gateway.PointKey(f.Adapter), f), true
	switch {
	case !f.Up && (!had || before.Why != f.Why):
		b.decide(gateway.Decision{Kind: "adapter", What: f.Adapter + " failed and will be run again", Why: f.Why})
	case f.Up && had:
		b.decide(gateway.Decision{Kind: "adapter", What: f.Adapter + " runs again", Why: "it was restarted"})
	}
}

// label is how a device is called towards people.
func label(d gateway.Device) string {
	if d.Name != "" && d.Name != string(d.ID) {
		return d.Name
	}
	if d.Model != "" {
		return d.Model + " " + string(d.ID)
	}
	return string(d.ID)
}

func (b *book) roomName(id gateway.RoomID) string {
	if r, ok := b.Rooms.Get(id); ok && r.Name != "" {
		return r.Name
	}
	return string(id)
}
