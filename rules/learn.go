package rules

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
	"github.com/veilleuse/veilleuse/rules/thermal"
)

// controller decides a room's heat from what was learnt of it. A test may put a mad one in its place:
// what keeps the house safe does not ask it.
type controller func(thermal.Room, thermal.Settings, thermal.Input) (thermal.Room, thermal.Decision)

// memory is what is remembered of one room. Only the learnt part outlives a restart.
type memory struct {
	learnt   thermal.Room
	decision thermal.Decision // zero while the vendor is in charge
	warmth   float64          // °C, the last reading that was believed
	at       time.Time        // when that was measured; zero: never
}

// MarshalJSON writes the learnt part.
func (m memory) MarshalJSON() ([]byte, error) { return m.learnt.MarshalJSON() }

// How rooms are looked at.
const (
	learnEvery  = time.Minute
	roomsAtOnce = 4                // in one step: once a night a room takes long, and an alarm must not wait
	keepEvery   = 2 * time.Hour    // what was learnt is saved as it was at the last of these: 23 kB a room
	quiet       = 20 * time.Minute // a thermometer that says nothing for so long is worth a word
	believed    = time.Hour        // an older temperature says nothing any more
	coldestRoom = -10.0            // °C; what is outside is a broken sensor, not a room
	hottestRoom = 45.0
	fastest     = 3.0 // K a minute; no room changes faster
)

// remembered is the memory of a room. One from disk is read once; one that cannot be is begun anew.
func (b *book) remembered(id gateway.RoomID) memory {
	kept, _ := b.Memories.Get(id)
	switch m := kept.Value().(type) {
	case memory:
		return m
	case gateway.MemoryText:
		var learnt thermal.Room
		if err := json.Unmarshal([]byte(m), &learnt); err == nil {
			return memory{learnt: learnt}
		}
	}
	return memory{}
}

// learn looks at every room that a relay heats once a minute, some in each step. It changes nothing that a reader could see:
// what was learnt is shown by what is done with it, and saved with whatever else there is to save.
func (b *book) learn() {
	if since := b.now.Sub(b.Learnt); !b.Learning && since >= 0 && since < learnEvery {
		return
	}
	if !b.Learning {
		b.Learning, b.Learnt, b.LearntTo = true, b.now, ""
	}
	circuits := b.circuits()
	looked := 0
	for id, room := range b.Rooms.All() {
		if id <= b.LearntTo {
			continue
		}
		if looked == roomsAtOnce {
			return
		}
		b.LearntTo = id
		if h, ok := circuits[id]; ok {
			b.learnRoom(room, h)
			looked++
		}
	}
	b.Learning = false
	if since := b.now.Sub(b.KeptAt); since < 0 || since >= keepEvery {
		b.Kept, b.KeptAt = b.Memories, b.now
	}
}

// heated is by which relay a room is heated, and whether that is ours to switch.
type heated struct {
	of      gateway.DeviceID
	circuit gateway.Circuit
	ours    bool
	on      bool
}

// circuits are the rooms that a relay heats. A room with two is listed with the one that is ours, the
// first of them otherwise.
func (b *book) circuits() map[gateway.RoomID]heated {
	if b.Firings.Len() == 0 {
		return nil
	}
	all := make(map[gateway.RoomID]heated)
	for id, f := range b.Firings.All() {
		d, _ := b.Devices.Get(id)
		if d.Circuit == nil {
			continue
		}
		h := heated{of: id, circuit: *d.Circuit, ours: b.ours(d), on: f.On}
		for _, room := range b.RoomsOf(*d.Circuit) {
			if other, taken := all[room.ID]; !taken || h.ours && !other.ours {
				all[room.ID] = h
			}
		}
	}
	return all
}

// learnRoom lets the controller have its look at one room.
func (b *book) learnRoom(room gateway.Room, h heated) {
	m := b.remembered(room.ID)
	b.believe(&m, b.thermometer(room, h.circuit))
	in := thermal.Input{At: b.now, Temperature: math.NaN(), Measured: m.at, Target: math.NaN(), Heating: math.NaN(),
		Watching: !h.ours}
	if m.at.IsZero() && m.learnt == (thermal.Room{}) {
		return // nothing is known yet: a cycle that begins now would begin without heat
	}
	if !m.at.IsZero() {
		in.Temperature = m.warmth
	}
	if target, ok := room.Target.Value.Number(); ok {
		in.Target, in.Until = target, room.Target.Until
		in.Next, in.NextTarget = b.rise(room, target)
	}
	switch share, known := heatingShare(room.Heating); {
	case known && !h.ours:
		in.Heating = share
	case h.on:
		in.Heating = 1
	default:
		in.Heating = 0
	}
	settings := thermal.Settings{Kind: kindOf(h.circuit.Heats), MinOn: h.circuit.MinimumOn, MinOff: h.circuit.MinimumOff,
		Frost: b.Home.FrostGuard, Cap: b.Home.Maximum}
	fault := m.decision.Fault
	m.learnt, m.decision = b.control(m.learnt, settings, in)
	switch {
	case in.Watching:
		m.decision = thermal.Decision{}
	case m.decision.Fault != "" && fault == "" && (len(h.circuit.Rooms) == 1 || b.now.Sub(m.at) > quiet):
		// Of a relay that is shared, a room alone cannot judge: its heat may be another's.
		b.decide(gateway.Decision{Kind: "heating", Room: room.ID, What: room.Name + ": " + m.decision.Fault, Why: m.decision.Why})
	}
	b.Memories = b.Memories.With(room.ID, gateway.MemoryOf(m))
}

func kindOf(e gateway.Emitter) thermal.Kind {
	switch e {
	case gateway.HeatsFloor:
		return thermal.Floor
	case gateway.HeatsElectric:
		return thermal.Electric
	}
	return thermal.Radiator
}

// heatingShare is how much heat flows, 0 to 1, of what a room shows as heating: a flag, or %.
func heatingShare(v gateway.Value) (float64, bool) {
	n, ok := v.Number()
	if v == gateway.Flag(v.Yes()) {
		return n, ok
	}
	return min(max(n/100, 0), 1), ok
}

// rise is when the room's schedule next asks for more than it does now.
func (b *book) rise(room gateway.Room, target float64) (time.Time, float64) {
	if room.Target.Mode != gateway.RoomSchedule || !room.Target.Until.After(b.now) {
		return time.Time{}, 0
	}
	plan, ok := b.schedule()
	if !ok {
		return time.Time{}, 0
	}
	slot, ok := schedule.Target(plan, room.ID, room.Target.Until, b.Home.Zone.Location())
	if next, _ := b.bounded(slot.Target).Number(); ok && slot.Order == "" && next > target {
		return room.Target.Until, next
	}
	return time.Time{}, 0
}

// thermometer is the reading that counts for a room.
func (b *book) thermometer(room gateway.Room, c gateway.Circuit) gateway.Measure {
	if c.Sensor == "" || len(c.Rooms) != 1 {
		return room.Temperature
	}
	d, _ := b.State.Device(c.Sensor)
	m, _ := d.Reading(gateway.Temperature)
	return m
}

// believe takes a reading over, unless no room can have such a temperature or change so fast. The age of
// the one before goes on growing then, and that is what tells.
func (b *book) believe(m *memory, r gateway.Measure) {
	if m.at.After(b.now) { // the clock was set back
		m.at = time.Time{}
	}
	t, ok := r.Value.Number()
	if !ok || t < coldestRoom || t > hottestRoom || !r.At.After(m.at) || r.At.After(b.now) {
		return
	}
	if minutes := r.At.Sub(m.at).Minutes(); !m.at.IsZero() && math.Abs(t-m.warmth) > fastest*max(minutes, 1) {
		return
	}
	m.warmth, m.at = t, r.At
}

// warmth is a room's temperature as far as it is believed; false: nobody knows.
func (b *book) warmth(id gateway.RoomID) (float64, bool) {
	m := b.remembered(id)
	return m.warmth, !m.at.IsZero() && !m.at.After(b.now) && b.now.Sub(m.at) <= believed
}

// wished is the controller's decision for a room, and the reason in words.
func (b *book) wished(room gateway.Room) (thermal.Decision, string) {
	d := b.remembered(room.ID).decision
	if !room.Target.Value.Known() {
		return thermal.Decision{}, ""
	}
	return d, fmt.Sprintf("%s: %s", room.Name, d.Why)
}
