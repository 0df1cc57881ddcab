package gateway

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Emitter is how heat gets into a room. It decides how often and for how long a relay may switch.
type Emitter string

// The emitters.
const (
	HeatsBoiler   Emitter = "boiler"   // a boiler that serves several rooms
	HeatsRadiator Emitter = "radiator" // the water radiator of one room, behind a valve with a relay
	HeatsFloor    Emitter = "floor"    // a heated slab
	HeatsElectric Emitter = "electric" // an electric convector
)

// Circuit is what a heating relay heats and how it may be switched, as the configuration says.
type Circuit struct {
	Rooms      []string      `json:"rooms"` // names or ids
	Heats      Emitter       `json:"heats"`
	MinimumOn  time.Duration `json:"minimum_on,omitempty"`  // 0: by Heats
	MinimumOff time.Duration `json:"minimum_off,omitempty"` // 0: by Heats
	// Lease is how long after the last order to switch on the device switches off by itself, whatever
	// has become of us; 0: it never does, which the user accepted in words.
	Lease  time.Duration `json:"lease,omitempty"`
	Sensor DeviceID      `json:"sensor,omitempty"` // whose temperature counts; "": the room's own
	Bypass DeviceID      `json:"bypass,omitempty"` // a valve that lets the water pass when all others are shut
}

// RoomsOf are the rooms that a circuit heats, as far as they are known.
func (s State) RoomsOf(c Circuit) []Room {
	var all []Room
	for _, word := range c.Rooms {
		if room, ok := s.RoomNamed(word); ok {
			all = append(all, room)
		}
	}
	return all
}

// Heats reports whether a device is a relay that heats the room.
func (s State) Heats(d Device, id RoomID) bool {
	return d.Circuit != nil && slices.ContainsFunc(d.Circuit.Rooms, func(word string) bool {
		room, ok := s.RoomNamed(word)
		return ok && room.ID == id
	})
}

// RoomNamed finds a room by its id or name. The vendor's room of a name comes before one of our own making.
func (s State) RoomNamed(word string) (Room, bool) {
	if room, ok := s.Rooms.Get(RoomID(word)); ok {
		return room, true
	}
	var own Room
	found := false
	for id, room := range s.Rooms.All() {
		if !strings.EqualFold(room.Name, word) {
			continue
		}
		if !id.Own() {
			return room, true
		}
		own, found = room, true
	}
	return own, found
}

// Firing is how a heating relay stands.
type Firing struct {
	On      bool         `json:"on,omitempty"`      // what it showed last
	Changed time.Time    `json:"changed,omitzero"`  // when that was first seen; zero: never
	Starts  [4]time.Time `json:"starts,omitzero"`   // when it went on the last times, the oldest first
	Ordered Value        `json:"ordered,omitzero"`  // what it was told last
	At      time.Time    `json:"at,omitzero"`       // when it was told so last
	Since   time.Time    `json:"since,omitzero"`    // when it was told so first
	Tries   int          `json:"tries,omitempty"`   // orders since it last showed what it was told
	Again   time.Time    `json:"again,omitzero"`    // when a silent relay is told again
	Silent  bool         `json:"silent,omitempty"`  // it does not show what it was told
	Stuck   bool         `json:"stuck,omitempty"`   // it heats although it is off
	Frost   bool         `json:"frost,omitempty"`   // it is on for the frost floor
	Hot     RoomID       `json:"hot,omitempty"`     // the room that is too warm; "": none
	Warm    time.Time    `json:"warm,omitzero"`     // since when a room has been above its cap with the relay on
	Idle    Idle         `json:"idle,omitzero"`     // what a room did while the relay was off
	Blocked string       `json:"blocked,omitempty"` // why it does not start although it ought to
	Refused time.Time    `json:"refused,omitzero"`  // until when it is not asked to switch on: its adapter said that this is useless
	Order   uint64       `json:"order,omitempty"`   // id of the last command
	Faulty  string       `json:"faulty,omitempty"`  // the last answer of its adapter that was a refusal
}

// Idle is a room's temperature at an instant from which on its relay has been off.
type Idle struct {
	At          time.Time `json:"at,omitzero"`
	Temperature float64   `json:"temperature,omitempty"` // °C
	Power       time.Time `json:"power,omitzero"`        // since when the relay's meter has shown power
}

// Memory is what the rules have learnt of one room. Only they know its type; here it is something
// that can be written as JSON, and after a restart that JSON. It is never changed in place. The zero
// Memory is of nothing.
type Memory struct{ value json.Marshaler }

// MemoryOf returns the memory that holds v, a value that is never changed in place.
func MemoryOf(v json.Marshaler) Memory { return Memory{v} }

// Value returns what MemoryOf was given, or a MemoryText if the memory comes from disk; nil: nothing.
func (m Memory) Value() json.Marshaler { return m.value }

// MemoryText is a memory as it was saved.
type MemoryText string

// MarshalJSON writes the text as it was read.
func (t MemoryText) MarshalJSON() ([]byte, error) { return []byte(t), nil }

// MarshalJSON writes what the memory holds, null for nothing.
func (m Memory) MarshalJSON() ([]byte, error) {
	if m.value == nil {
		return []byte("null"), nil
	}
	return m.value.MarshalJSON()
}

// UnmarshalJSON keeps the text for whoever knows its type.
func (m *Memory) UnmarshalJSON(data []byte) error {
	m.value = MemoryText(bytes.Clone(data))
	return nil
}
