package netatmo

import (
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// known is what this run has learnt from the vendor and told the house. Nothing is ever taken out of
// it because an answer came back short.
type known struct {
	home     home                               // as homesdata had it last
	homeAt   time.Time                          // when that was read, or written by us
	read     time.Time                          // when homestatus was last read
	misses   int                                // failures to read the first one
	listed   map[gateway.DeviceID]gateway.Found // the home's devices by id
	heads    map[gateway.RoomID]gateway.DeviceID
	founds   map[gateway.DeviceID]gateway.Found
	reaches  map[gateway.DeviceID]gateway.Reach
	heard    map[gateway.DeviceID]time.Time // when an answer last mentioned it
	readings map[readingKey]gateway.Reading
	clock    time.Time               // the vendor's, as of its last answer
	hint     gateway.HomeMode        // what the rooms' modes say of the home's
	byState  map[gateway.RoomID]bool // rooms that setroomthermpoint refuses
	effects  []effect
	cameras  map[gateway.DeviceID]*camera
	rings    map[gateway.DeviceID]time.Time // the newest press that was counted
	refused  [errandCount]bool              // errands whose refusal was told
}

func newKnown() known {
	return known{
		heads:    make(map[gateway.RoomID]gateway.DeviceID),
		founds:   make(map[gateway.DeviceID]gateway.Found),
		reaches:  make(map[gateway.DeviceID]gateway.Reach),
		heard:    make(map[gateway.DeviceID]time.Time),
		readings: make(map[readingKey]gateway.Reading),
		byState:  make(map[gateway.RoomID]bool),
		cameras:  make(map[gateway.DeviceID]*camera),
		rings:    make(map[gateway.DeviceID]time.Time),
	}
}

// tellFound posts what is known of a device if it has changed. Each call of the vendor's knows only
// part of it, so what one does not say is kept.
func (s *session) tellFound(f gateway.Found) {
	old, again := s.known.founds[f.Device]
	if again {
		f = mergeFound(old, f)
	}
	if again && sameFound(old, f) {
		return
	}
	s.known.founds[f.Device] = f
	s.post(f)
}

func mergeFound(old, f gateway.Found) gateway.Found {
	if f.Name == "" {
		f.Name = old.Name
	}
	if f.Model == "" {
		f.Model = old.Model
	}
	if f.Room == "" {
		f.Room = old.Room
	}
	if f.Bridge == "" {
		f.Bridge = old.Bridge
	}
	if len(f.Also) == 0 {
		f.Also = old.Also
	}
	if len(f.Controls) == 0 {
		f.Controls = old.Controls
	}
	return f
}

func sameFound(a, b gateway.Found) bool {
	return a.Name == b.Name && a.Model == b.Model && a.Room == b.Room && a.Bridge == b.Bridge &&
		slices.Equal(a.Also, b.Also) && slices.Equal(a.Controls, b.Controls)
}

// tellReach posts whether the vendor reaches a device if that has changed.
func (s *session) tellReach(device gateway.DeviceID, answer gateway.Answer, why string) {
	r := gateway.Reach{Device: device, OK: answer == gateway.Yes, Why: why}
	if old, again := s.known.reaches[device]; again && old == r {
		return
	}
	s.known.reaches[device] = r
	s.post(r)
}

// tellReading posts a reading unless it, or a newer one, was posted before. One of the future, from an
// answer with a wrong time, is newer than nothing.
func (s *session) tellReading(r gateway.Reading) {
	key := readingKey{r.Device, r.Quantity}
	old, again := s.known.readings[key]
	if again && !old.Measured.After(s.known.clock.Add(futureSlack)) && !r.Measured.After(old.Measured) &&
		(r.Value == old.Value || r.Measured.Before(old.Measured)) {
		return
	}
	s.known.readings[key] = r
	s.post(r)
}

// tellDevice posts all that one answer says of a device.
func (s *session) tellDevice(d deviceStatus, at time.Time) {
	s.known.heard[d.Device] = s.now()
	f := d.Found
	if listed, ok := s.known.listed[d.Device]; ok { // homesdata knows better: homestatus was seen with a foreign bridge (pyatmo)
		f = mergeFound(f, listed)
		f.Controls = d.Controls
	}
	s.tellFound(f)
	s.tellReach(d.Device, d.reaches, d.why)
	measured := d.measured
	if measured.IsZero() {
		measured = at
	}
	for _, v := range d.readings {
		s.tellReading(gateway.Reading{Device: d.Device, Quantity: v.quantity, Value: v.value, Measured: measured})
	}
}

// forgottenAfter is for how long no answer has to mention a device before it counts as not reached:
// several rounds of all errands.
const forgottenAfter = 2 * time.Hour

// tellForgotten posts of each device that the vendor no longer mentions that it is not reached. Only
// a long time in which all errands were run can tell.
func (s *session) tellForgotten() {
	now := s.now()
	if now.Sub(s.entered) <= forgottenAfter || s.state.Authority.Phase == gateway.Local {
		return
	}
	for id, last := range s.known.heard {
		if now.Sub(last) > forgottenAfter {
			s.tellReach(id, gateway.No, "the vendor has not mentioned it since "+last.Format("2 January 15:04"))
		}
	}
}
