package gateway

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// DeviceID is a hardware id as its maker spells it (70:ee:50:12:34:56), opaque to everybody.
type DeviceID string

// RoomID is the vendor's id of a room, or one of our own making for a house without cloud.
type RoomID string

// OwnRoom begins the ids of rooms of our own making; the vendor's are numbers.
const OwnRoom RoomID = "own-"

// Own reports whether the room is of our own making.
func (id RoomID) Own() bool { return strings.HasPrefix(string(id), string(OwnRoom)) }

// Device is one piece of hardware with all its faces: the cloud's, HomeKit's, the camera's own.
type Device struct {
	ID     DeviceID   `json:"id"`
	Name   string     `json:"name"`
	Model  string     `json:"model"`          // the vendor's type code (NRV) where known, else the maker's text
	Room   RoomID     `json:"room,omitempty"` // "" if it stands in no room
	Bridge DeviceID   `json:"bridge,omitempty"`
	Also   []DeviceID `json:"also,omitempty"`  // other names of the same hardware: serial number, HomeKit id
	Faces  []Face     `json:"faces,omitempty"` // one an adapter, in the order they were found
	// Circuit is what it heats, if it is a heating relay. It is never changed in place.
	Circuit *Circuit `json:"circuit,omitempty"`
	// Silent says that nothing was heard of a smoke or CO detector for longer than it may be silent. What it
	// last said of smoke or CO then says nothing: unknown is never "all is well".
	Silent bool `json:"silent,omitempty"`
	// Readings has one entry for each quantity and source, sorted by quantity, then source.
	Readings []Measure `json:"readings,omitempty"`
}

// Face is how one adapter sees a device.
type Face struct {
	Adapter  string    `json:"adapter"`
	Reaches  bool      `json:"-"` // does it answer now; never kept over a restart
	Since    time.Time `json:"-"` // since when Reaches holds
	Why      string    `json:"-"` // why it does not answer
	Controls []Control `json:"controls,omitempty"`
}

// Control is a quantity that can be set on a device through one face.
type Control struct {
	Quantity Quantity `json:"quantity"`
	Min      float64  `json:"min,omitempty"`  // in the quantity's unit; Min == Max: not limited
	Max      float64  `json:"max,omitempty"`  // same
	Step     float64  `json:"step,omitempty"` // 0: any
}

// Measure is one reading with its source and its age.
type Measure struct {
	Quantity Quantity  `json:"quantity"`
	Value    Value     `json:"value"`
	At       time.Time `json:"at"` // when it was measured, as far as the source tells
	From     string    `json:"from"`
}

// Face returns the face of that adapter.
func (d Device) Face(adapter string) (Face, bool) {
	for _, f := range d.Faces {
		if f.Adapter == adapter {
			return f, true
		}
	}
	return Face{}, false
}

// Reachable reports whether any face answers.
func (d Device) Reachable() bool {
	return slices.ContainsFunc(d.Faces, func(f Face) bool { return f.Reaches })
}

// Via names the adapter that serves the device: the first local face that answers, else the
// cloud's, else "".
func (d Device) Via() string {
	via := ""
	for _, f := range d.Faces {
		if f.Reaches && (via == "" || via == CloudAdapter) {
			via = f.Adapter
		}
	}
	return via
}

// Reading returns the freshest reading of that quantity. Among sources of the same instant the one
// on the LAN wins. A silent detector has none of smoke or CO.
func (d Device) Reading(q Quantity) (Measure, bool) {
	var best Measure
	if d.Silent && (q == Smoke || q == CO) {
		return best, false
	}
	for _, m := range d.Readings {
		if m.Quantity != q || !m.Value.Known() {
			continue
		}
		if !best.Value.Known() || m.At.After(best.At) || m.At.Equal(best.At) && best.From == CloudAdapter {
			best = m
		}
	}
	return best, best.Value.Known()
}

// ReadingFrom returns the reading of that quantity by that source.
func (d Device) ReadingFrom(q Quantity, from string) (Measure, bool) {
	i, ok := slices.BinarySearchFunc(d.Readings, Measure{Quantity: q, From: from}, byQuantityAndSource)
	if !ok || !d.Readings[i].Value.Known() {
		return Measure{}, false
	}
	return d.Readings[i], true
}

// Quantities yields each quantity that was ever read, once, in order.
func (d Device) Quantities() []Quantity {
	var all []Quantity
	for _, m := range d.Readings {
		if len(all) == 0 || all[len(all)-1] != m.Quantity {
			all = append(all, m.Quantity)
		}
	}
	return all
}

// Control returns how the quantity can be set, through a local face if there is one that answers,
// else any local one, else the cloud's; the string is the adapter's name.
func (d Device) Control(q Quantity) (Control, string, bool) {
	var best Control
	var via string
	rank := 0
	for _, f := range d.Faces {
		r := 1
		if f.Adapter != CloudAdapter {
			r = 2
			if f.Reaches {
				r = 3
			}
		}
		for _, c := range f.Controls {
			if c.Quantity == q && r > rank {
				best, via, rank = c, f.Adapter, r
			}
		}
	}
	return best, via, rank > 0
}

// WithReading returns d with the measure in place of the older one of the same quantity and source.
// d itself is not changed.
func (d Device) WithReading(m Measure) Device {
	i, ok := slices.BinarySearchFunc(d.Readings, m, byQuantityAndSource)
	readings := make([]Measure, 0, len(d.Readings)+1)
	readings = append(append(readings, d.Readings[:i]...), m)
	if ok {
		i++
	}
	d.Readings = append(readings, d.Readings[i:]...)
	return d
}

// WithFace returns d with that face in place of the older one of the same adapter.
func (d Device) WithFace(f Face) Device {
	d.Faces = slices.Clone(d.Faces)
	for i := range d.Faces {
		if d.Faces[i].Adapter == f.Adapter {
			d.Faces[i] = f
			return d
		}
	}
	d.Faces = append(d.Faces, f)
	return d
}

func byQuantityAndSource(a, b Measure) int {
	return cmp.Or(cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.From, b.From))
}
