package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// outageReport is one outage as veilleuse report --json writes it, and, without its decisions,
// veilleuse status --json the one that goes on.
type outageReport struct {
	shortOutage
	Scope      []gateway.Plane    `json:"scope,omitempty"` // absent: everything
	Evidence   []string           `json:"evidence,omitempty"`
	Later      []gateway.Cause    `json:"later,omitempty"` // causes that followed the first
	Began      time.Time          `json:"began"`           // when the house was taken over
	Back       time.Time          `json:"back,omitzero"`   // when Netatmo answered again
	Relapses   int                `json:"relapses"`
	Writes     int                `json:"writes"` // commands to devices in the house
	SlotsDue   int                `json:"slots_due"`
	SlotsKept  int                `json:"slots_kept"`
	Wishes     int                `json:"wishes"`
	Alarms     int                `json:"alarms"`
	Rooms      []comfortReport    `json:"rooms"`
	HandedBack []string           `json:"handed_back,omitempty"`
	Decisions  []gateway.Decision `json:"decisions,omitempty"`
	LeftOut    int                `json:"left_out,omitempty"` // decisions that are not kept
}

// shortOutage is what identifies an outage, and says how long it took and why.
type shortOutage struct {
	Number  uint64          `json:"number"`
	Drill   bool            `json:"drill"`
	Verdict gateway.Verdict `json:"verdict"`
	Why     string          `json:"why"`
	Lost    time.Time       `json:"lost"`           // the first failure
	Ended   time.Time       `json:"ended,omitzero"` // when the house was handed back; absent while it goes on
	LengthS int             `json:"length_s"`       // from lost to ended, or to now
}

// comfortReport is how warm one room was kept.
type comfortReport struct {
	ID        gateway.RoomID `json:"id"`
	Name      string         `json:"name"`
	BelowKH   *float64       `json:"below_kh,omitempty"` // K·h below target; absent if nothing was measured
	MeasuredH float64        `json:"measured_h"`
	UnknownH  float64        `json:"unknown_h"`
}

// availabilityReport is how well the vendor served this house, as shares from 0 to 1.
type availabilityReport struct {
	Days30      *float64 `json:"days_30,omitempty"`
	Days365     *float64 `json:"days_365,omitempty"`
	WatchedDays float64  `json:"watched_days"` // of the last 365, in days of 24 h
}

func reportShort(o gateway.Outage, now time.Time) shortOutage {
	return shortOutage{Number: o.Number, Drill: o.Drill, Verdict: o.Verdict, Why: o.Why, Lost: o.Lost, Ended: o.Ended, LengthS: int(o.Length(now).Seconds())}
}

func reportOutage(o gateway.Outage, now time.Time) outageReport {
	r := outageReport{shortOutage: reportShort(o, now), Scope: o.Scope, Evidence: o.Evidence, Later: o.Later, Began: o.Began, Back: o.Back,
		Relapses: o.Relapses, Writes: o.Writes, SlotsDue: o.SlotsDue, SlotsKept: o.SlotsKept, Wishes: o.Wishes, Alarms: o.Alarms,
		Rooms: []comfortReport{}, HandedBack: o.HandedBack, Decisions: o.Decisions, LeftOut: o.LeftOut}
	for id, c := range o.Rooms.All() {
		room := comfortReport{ID: id, Name: c.Name, MeasuredH: rounded(c.Measured.Hours(), 100), UnknownH: rounded(c.Unknown.Hours(), 100)}
		if c.Measured > 0 {
			below := rounded(c.Below, 100)
			room.BelowKH = &below
		}
		r.Rooms = append(r.Rooms, room)
	}
	return r
}

// reportOutages lists every outage that is remembered, oldest first, the one that goes on last.
func reportOutages(s gateway.State) []outageReport {
	all := []outageReport{}
	for _, o := range s.Outages {
		all = append(all, reportOutage(o, s.At))
	}
	if s.Outage != nil {
		all = append(all, reportOutage(*s.Outage, s.At))
	}
	return all
}

// addOutages adds to a status the outage that goes on, the last one and the vendor's availability.
func (r *statusReport) addOutages(s gateway.State) {
	r.Availability = reportAvailability(s)
	if s.Outage != nil {
		now := reportOutage(*s.Outage, s.At)
		now.Decisions, now.LeftOut = nil, 0 // the status shows the last ones, veilleuse report all
		r.Outage = &now
	}
	if n := len(s.Outages); n > 0 {
		last := reportShort(s.Outages[n-1], s.At)
		r.LastOutage = &last
	}
}

func reportAvailability(s gateway.State) availabilityReport {
	share := func(days int) *float64 {
		part, ok := s.Availability(days).Share()
		if !ok {
			return nil
		}
		part = rounded(part, 1e6)
		return &part
	}
	return availabilityReport{share(30), share(365), rounded(s.Availability(365).Watched.Hours()/24, 100)}
}

func rounded(x, steps float64) float64 { return math.Round(x*steps) / steps }

// reportVerb asks the running daemon for the journal of an outage.
func reportVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("report").withJSON()
	list := o.set.Bool("list", false, "all outages, a line each")
	rest, err := o.parseUpTo(args, 1)
	if err != nil {
		return err
	}
	if *list && len(rest) > 0 {
		return usageError{errors.New("--list goes without a number")}
	}
	number := uint64(0)
	if len(rest) > 0 {
		if number, err = strconv.ParseUint(rest[0], 10, 64); err != nil || number == 0 {
			return usageError{fmt.Errorf("an outage is a number from 1 on, not %q; --list lists them", rest[0])}
		}
	}
	config, _, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	var all []outageReport
	if err := askDaemon(ctx, config.State, "GET", "/outages", nil, &all); err != nil {
		return err
	}
	if *list {
		return listOutages(c, all, o.json)
	}
	return showOutage(c, all, number, o.json)
}

// showOutage writes the outage of that number, 0 for the one that goes on or was last.
func showOutage(c console, all []outageReport, number uint64, asJSON bool) error {
	at := len(all) - 1
	if number > 0 {
		at = slices.IndexFunc(all, func(r outageReport) bool { return r.Number == number })
	}
	switch {
	case at < 0 && number > 0:
		return fmt.Errorf("outage %d is not remembered: veilleuse report --list says which are", number)
	case at < 0 && asJSON:
		return writeJSON(c.out, nil)
	case at < 0:
		fmt.Fprintln(c.out, noOutage)
	case asJSON:
		return writeJSON(c.out, all[at])
	default:
		printOutage(c.out, all[at])
	}
	return nil
}

// noOutage is said of a house that was never run from here.
const noOutage = "No outage yet: Netatmo has been in charge of this house ever since Veilleuse has watched it."

func listOutages(c console, all []outageReport, asJSON bool) error {
	if asJSON {
		return writeJSON(c.out, all)
	}
	if len(all) == 0 {
		fmt.Fprintln(c.out, noOutage)
	}
	for _, r := range all {
		what := string(r.Verdict)
		if r.Drill {
			what = "drill"
		}
		length := lengthOf(r.LengthS)
		if r.Ended.IsZero() {
			length += ", goes on"
		}
		fmt.Fprintf(c.out, "%4d  %s  %-14s %s\n", r.Number, r.Lost.Local().Format("2006-01-02 15:04"), what, length)
	}
	return nil
}
