package web

import (
	"math"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// OutageReport is one outage as its page, GET /api/outages, veilleuse report --json and, without its decisions, veilleuse status
// --json tell it. Names are a contract.
type OutageReport struct {
	ShortOutage
	Scope      []gateway.Plane    `json:"scope,omitempty"` // absent: everything
	Evidence   []string           `json:"evidence,omitempty"`
	Later      []gateway.Cause    `json:"later,omitempty"` // causes that followed the first
	Began      time.Time          `json:"began"`           // when the house was taken over
	Back       time.Time          `json:"back,omitzero"`   // when Netatmo answered again
	Relapses   int                `json:"relapses"`
	Writes     int                `json:"writes"` // commands to devices in the house
	SlotsDue   int                `json:"slots_due"`
	SlotsKept  int                `json:"slots_kept"`
	Spared     int                `json:"spared"` // changes of the schedule that the devices made by themselves: writes avoided
	Wishes     int                `json:"wishes"`
	Alarms     int                `json:"alarms"`
	Served     []gateway.Alarm    `json:"served,omitempty"` // those of the alarms that are still remembered, with who was told of them and when
	Rooms      []ComfortReport    `json:"rooms"`
	HandedBack []string           `json:"handed_back,omitempty"`
	Decisions  []gateway.Decision `json:"decisions,omitempty"`
	LeftOut    int                `json:"left_out,omitempty"` // decisions that are not kept
}

// ShortOutage is what identifies an outage, and says how long it took and why.
type ShortOutage struct {
	Number  uint64          `json:"number"`
	Drill   bool            `json:"drill"`
	Verdict gateway.Verdict `json:"verdict"`
	Why     string          `json:"why"`
	Lost    time.Time       `json:"lost"`           // the first failure
	Ended   time.Time       `json:"ended,omitzero"` // when the house was handed back; absent while it goes on
	LengthS int             `json:"length_s"`       // from lost to ended, or to now
}

// ComfortReport is how warm one room was kept.
type ComfortReport struct {
	ID        gateway.RoomID `json:"id"`
	Name      string         `json:"name"`
	BelowKH   *float64       `json:"below_kh,omitempty"` // K·h below target; absent if nothing was measured
	MeasuredH float64        `json:"measured_h"`
	UnknownH  float64        `json:"unknown_h"`
}

// Outages lists every outage that is remembered, oldest first, the one that goes on last.
func Outages(s gateway.State) []OutageReport {
	all := []OutageReport{}
	for _, o := range s.Outages {
		all = append(all, OutageOf(s, o))
	}
	if s.Outage != nil {
		all = append(all, OutageOf(s, *s.Outage))
	}
	return all
}

// ShortOutageOf identifies an outage of the house.
func ShortOutageOf(s gateway.State, o gateway.Outage) ShortOutage {
	return ShortOutage{Number: o.Number, Drill: o.Drill, Verdict: o.Verdict, Why: o.Why, Lost: o.Lost, Ended: o.Ended, LengthS: int(o.Length(s.At).Seconds())}
}

// OutageOf tells an outage of the house.
func OutageOf(s gateway.State, o gateway.Outage) OutageReport {
	r := OutageReport{ShortOutage: ShortOutageOf(s, o), Scope: o.Scope, Evidence: o.Evidence, Later: o.Later, Began: o.Began, Back: o.Back,
		Relapses: o.Relapses, Writes: o.Writes, SlotsDue: o.SlotsDue, SlotsKept: o.SlotsKept, Spared: o.Spared, Wishes: o.Wishes, Alarms: o.Alarms,
		Served: servedIn(s, o), Rooms: []ComfortReport{}, HandedBack: o.HandedBack, Decisions: o.Decisions, LeftOut: o.LeftOut}
	for id, c := range o.Rooms.All() {
		room := ComfortReport{ID: id, Name: c.Name, MeasuredH: rounded(c.Measured.Hours()), UnknownH: rounded(c.Unknown.Hours())}
		if c.Measured > 0 {
			below := rounded(c.Below)
			room.BelowKH = &below
		}
		r.Rooms = append(r.Rooms, room)
	}
	return r
}

func rounded(x float64) float64 { return math.Round(x*100) / 100 }

// servedIn are the alarms that went on in an outage and are still remembered, oldest first.
func servedIn(s gateway.State, o gateway.Outage) []gateway.Alarm {
	var all []gateway.Alarm
	for _, a := range append(s.PastAlarms[:len(s.PastAlarms):len(s.PastAlarms)], s.Alarms...) {
		raised := a.Raised
		if raised.IsZero() {
			raised = a.Since
		}
		began := o.Open() || !raised.After(o.Ended)
		over := !a.Ended.IsZero() && a.Ended.Before(o.Began)
		if told := len(a.Told) > 0 || a.On(); began && !over && told { // a test or a pre-alarm is told nobody
			all = append(all, a)
		}
	}
	return all
}

// Hole is the place in the decisions before which some were left out: there the widest gap in their numbers is.
func (r OutageReport) Hole() int {
	place, gap := 0, uint64(0)
	for i := 1; i < len(r.Decisions); i++ {
		if g := r.Decisions[i].Number - r.Decisions[i-1].Number; g > gap {
			place, gap = i, g
		}
	}
	return place
}
