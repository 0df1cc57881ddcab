package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// nameRoom is the room that a person named in the configuration, made if nobody knows it: a house without
// a cloud has rooms, too.
func (b *book) nameRoom(name string) gateway.RoomID {
	if room, ok := b.RoomNamed(name); ok {
		return room.ID
	}
	id := namedRoom(name)
	if _, taken := b.Rooms.Get(id); !taken {
		b.setRoom(gateway.Room{ID: id, Name: name})
	}
	return id
}

// namedRoom is the id of a room that only the configuration names.
func namedRoom(name string) gateway.RoomID {
	return gateway.OwnRoom + gateway.RoomID(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name)))
}

// joinRooms gives up rooms that the configuration named first and whose name the vendor's plan has, too. What a person wished
// there holds in the vendor's.
func (b *book) joinRooms() {
	for id, own := range b.Rooms.All() {
		if id != namedRoom(own.Name) {
			continue
		}
		room, ok := b.RoomNamed(own.Name)
		if !ok || room.ID == id {
			continue
		}
		if room.Override.Mode == "" {
			room.Override = own.Override
			b.setRoom(room)
		}
		for _, device := range own.Devices {
			if d, ok := b.Devices.Get(device); ok {
				old := d
				d.Room = room.ID
				b.setDevice(d)
				b.settle(old, d)
			}
		}
		b.Rooms, b.Memories, b.Kept = b.Rooms.Without(id), b.Memories.Without(id), b.Kept.Without(id)
	}
}

// ours reports whether a relay is for us to switch: because we are in charge, or because the vendor has
// nothing in any of its rooms.
func (b *book) ours(d gateway.Device) bool {
	if b.inCharge() || !b.signedIn() {
		return true
	}
	for _, room := range b.RoomsOf(*d.Circuit) {
		for _, id := range room.Devices {
			other, _ := b.Devices.Get(id)
			if _, vendors := other.Face(gateway.CloudAdapter); vendors {
				return false
			}
		}
	}
	return true
}

// firedFor is whether a relay that stands elsewhere heats a room; unknown: there is none, or it was never
// read.
func (b *book) firedFor(room gateway.Room) gateway.Value {
	for id, f := range b.Firings.All() {
		d, _ := b.Devices.Get(id)
		if b.Heats(d, room.ID) && !f.Changed.IsZero() {
			return gateway.Flag(f.On)
		}
	}
	return gateway.Value{}
}

// open is how far a valve must be open to count, in %.
const open = 5.0

// shut reports whether every way for the water is known to be shut: all valves of all rooms, and the
// bypass. A room without a valve, or with one that nobody can read, is a way.
func (b *book) shut(c gateway.Circuit, rooms []gateway.Room) bool {
	if len(rooms) == 0 || c.Heats == gateway.HeatsElectric {
		return false
	}
	if bypass, ok := b.State.Device(c.Bypass); ok && c.Bypass != "" && !b.valveShut(bypass) {
		return false
	}
	return !slices.ContainsFunc(rooms, func(room gateway.Room) bool { return !b.roomShut(room) })
}

func (b *book) roomShut(room gateway.Room) bool {
	valves := 0
	for _, id := range room.Devices {
		d, _ := b.Devices.Get(id)
		if _, _, steers := d.Control(gateway.Target); !steers && !has(d, gateway.Position) && !has(d, gateway.HeatingRequest) {
			continue
		}
		if !b.valveShut(d) {
			return false
		}
		valves++
	}
	return valves > 0
}

func has(d gateway.Device, q gateway.Quantity) bool {
	_, ok := d.Reading(q)
	return ok
}

// valveShut reports whether a valve is known to be shut: by its position, by what it asks for, or by a
// target well below what it measures.
func (b *book) valveShut(d gateway.Device) bool {
	for _, q := range []gateway.Quantity{gateway.Position, gateway.HeatingRequest} {
		if m, ok := d.Reading(q); ok && b.now.Sub(m.At) <= believed {
			n, _ := m.Value.Number()
			return n < open
		}
	}
	target, known := d.Reading(gateway.Target)
	warmth, also := d.Reading(gateway.Temperature)
	if !known || !also {
		return false
	}
	t, _ := target.Value.Number()
	w, _ := warmth.Value.Number()
	return t < w-surelyShut
}

// surelyShut is how far above its target a valve must measure to be shut for sure, in K.
const surelyShut = 1.0

// demand is what a relay ought to do for its rooms, by what was learnt of them.
func (b *book) demand(rooms []gateway.Room) (bool, string) {
	reason := "no room asks for heat"
	for _, room := range rooms {
		d, why := b.wished(room)
		switch {
		case b.airing(room):
			reason = room.Name + ": a window is open; it is not heated for half an hour at most"
		case d.On && why != "":
			return true, why
		}
	}
	return false, reason
}

// frozen reports whether the frost floor asks for heat: a room is below it, or was and is not half a
// kelvin above it yet. Unknown: nobody knows how warm it is while it is cold elsewhere, and the part of the
// time in which it is heated all the same is over.
func (b *book) frozen(c gateway.Circuit, rooms []gateway.Room, already bool) (asks gateway.Value, why string) {
	floor := b.Home.FrostGuard
	asks = gateway.Flag(false)
	for _, room := range rooms {
		t, known := b.warmth(room.ID)
		switch {
		case known && (t < floor || already && t < floor+frostHysteresis):
			return gateway.Flag(true), fmt.Sprintf("%s: %s is below the frost floor of %s", room.Name, degrees(t), degrees(floor))
		case !known && b.coldElsewhere():
			asks, why = gateway.Value{}, fmt.Sprintf("%s: nobody knows how warm it is, and it is below %s elsewhere: it is heated a part of the time", room.Name, degrees(coldHouse))
		}
	}
	if !asks.Known() && b.partly(c) {
		asks = gateway.Flag(true)
	}
	return asks, why
}

const (
	frostHysteresis = 0.5 // K
	coldHouse       = 5.0 // °C somewhere, outdoors or in another room
	blindShare      = 5   // of a cycle: one part in so many is heated blindly
)

// coldElsewhere reports whether any thermometer of the house, outdoors too, shows cold.
func (b *book) coldElsewhere() bool {
	if b.cold == gateway.NotKnown {
		b.cold = gateway.No
		if b.anyCold() {
			b.cold = gateway.Yes
		}
	}
	return b.cold == gateway.Yes
}

func (b *book) anyCold() bool {
	for _, d := range b.Devices.All() {
		m, ok := d.Reading(gateway.Temperature)
		if t, _ := m.Value.Number(); ok && b.now.Sub(m.At) <= believed && t < coldHouse {
			return true
		}
	}
	return false
}

// partly is on for a fifth of each cycle, by the clock.
func (b *book) partly(c gateway.Circuit) bool {
	cycle := habits(c).cycle
	return b.now.Sub(b.now.Truncate(cycle)) < cycle/blindShare
}

// habit is how a relay may switch.
type habit struct{ cycle, on, off time.Duration }

// habits are those of the emitter, unless the configuration says otherwise. Figures: the heating study,
// 1.7 and 3.
func habits(c gateway.Circuit) habit {
	h := habit{20 * time.Minute, 4 * time.Minute, 3 * time.Minute}
	switch c.Heats {
	case gateway.HeatsFloor:
		h = habit{40 * time.Minute, 10 * time.Minute, 10 * time.Minute}
	case gateway.HeatsElectric:
		h = habit{10 * time.Minute, 30 * time.Second, 30 * time.Second}
	}
	if c.MinimumOn > 0 {
		h.on = c.MinimumOn
	}
	if c.MinimumOff > 0 {
		h.off = c.MinimumOff
	}
	return h
}
