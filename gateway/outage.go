package gateway

import (
	"slices"
	"time"
)

// Outage is the journal of one time that the house was run from here: why, when, what was done, and
// how warm it stayed. It is plain data and lasts over a restart; the one that goes on is never
// changed in place.
type Outage struct {
	Number   uint64   `json:"number"`          // 1 is the first that this house ever had
	Drill    bool     `json:"drill,omitempty"` // played, not real
	Verdict  Verdict  `json:"verdict"`         // the cause when the house was taken over
	Scope    []Plane  `json:"scope,omitempty"` // what was affected then; empty: everything
	Why      string   `json:"why"`             // the cause in one sentence
	Evidence []string `json:"evidence,omitempty"`
	Later    []Cause  `json:"later,omitempty"` // causes that followed the first, each once, oldest first

	Lost  time.Time `json:"lost"`           // the first failure
	Began time.Time `json:"began"`          // the house was taken over
	Back  time.Time `json:"back,omitzero"`  // the vendor answered again and has not failed since; in a drill: it was over
	Ended time.Time `json:"ended,omitzero"` // the house was handed back; zero: it goes on

	Relapses  int `json:"relapses"`   // returns that were broken off
	Writes    int `json:"writes"`     // commands sent to devices in the house, repeated ones included
	SlotsDue  int `json:"slots_due"`  // changes of the schedule that were judged, one for each room; see SlotGrace
	SlotsKept int `json:"slots_kept"` // those of them that were kept
	Spared    int `json:"spared"`     // those of them that the devices made by themselves: no command had to be sent
	Wishes    int `json:"wishes"`     // what people asked for here and was granted, at devices too
	Alarms    int `json:"alarms"`     // smoke and CO alarms that were raised

	HandedBack []string               `json:"handed_back,omitempty"` // what was settled with the cloud at the end, at most MaxHandedBack
	Decisions  []Decision             `json:"decisions,omitempty"`   // the first and the last of them, oldest first
	LeftOut    int                    `json:"left_out,omitempty"`    // decisions that are no longer in the middle of them
	Rooms      Table[RoomID, Comfort] `json:"rooms"`                 // of the rooms that are heated
	Measured   time.Time              `json:"measured"`              // up to when Rooms and slots have been looked at
}

// Cause is a verdict that came to an outage later than its first.
type Cause struct {
	Verdict Verdict   `json:"verdict"`
	At      time.Time `json:"at"`
	Why     string    `json:"why"`
}

// Comfort is how warm one room was kept in an outage. Measured and Unknown together are the time that
// Veilleuse looked after the room.
type Comfort struct {
	Name     string        `json:"name"`
	Below    float64       `json:"below"`         // K·h: how far below its target the room was, times how long; never negative
	Measured time.Duration `json:"measured"`      // with a target, and a temperature not older than an hour
	Unknown  time.Duration `json:"unknown"`       // without, or while Veilleuse did not run
	Next     time.Time     `json:"next,omitzero"` // when the schedule asks for the next change; zero: not known, or something else than the schedule rules
	Due      time.Time     `json:"due,omitzero"`  // when the change fell due that is not judged yet; zero: none
}

// SlotGrace is how long devices get for a change of the schedule. It is kept if each device that
// can be set in the house shows the new target at the latest then, whoever set it. A change is
// not judged, and not counted, if a person's wish or a mode of the home overrides it within that time,
// if the outage ends or Veilleuse does not run then, or if the room has no such device.
const SlotGrace = 5 * time.Minute

// How much of outages is remembered.
const (
	MaxOutages     = 20 // finished ones
	FirstDecisions = 20 // of each outage
	LastDecisions  = 40 // of the one that goes on
	KeptDecisions  = 30 // of a finished one: the first and the last half
	MaxHandedBack  = 60 // lines of each outage
)

// Open reports whether the outage goes on.
func (o Outage) Open() bool { return o.Ended.IsZero() }

// Length is how long the vendor was lost: from the first failure until the house was handed back, or
// until now while it goes on.
func (o Outage) Length(now time.Time) time.Duration {
	if !o.Open() {
		now = o.Ended
	}
	return max(now.Sub(o.Lost), 0)
}

// WithDecision returns o with a decision more. Once there are too many, those after the first
// FirstDecisions give way, and are counted.
func (o Outage) WithDecision(d Decision) Outage {
	kept := slices.Clone(o.Decisions)
	if len(kept) >= FirstDecisions+LastDecisions {
		kept = slices.Delete(kept, FirstDecisions, FirstDecisions+1)
		o.LeftOut++
	}
	o.Decisions = append(kept, d)
	return o
}

// LastOutage returns the outage that goes on, else the one that ended last.
func (s State) LastOutage() (Outage, bool) {
	if s.Outage != nil {
		return *s.Outage, true
	}
	if len(s.Outages) > 0 {
		return s.Outages[len(s.Outages)-1], true
	}
	return Outage{}, false
}
