package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// availabilityReport is how well the vendor served this house, as shares from 0 to 1.
type availabilityReport struct {
	Days30      *float64 `json:"days_30,omitempty"`
	Days365     *float64 `json:"days_365,omitempty"`
	WatchedDays float64  `json:"watched_days"` // of the last 365, in days of 24 h
}

// addOutages adds to a status the outage that goes on, the last one and the vendor's availability.
func (r *statusReport) addOutages(s gateway.State) {
	r.Availability = reportAvailability(s)
	if s.Outage != nil {
		now := web.OutageOf(s, *s.Outage)
		now.Decisions, now.LeftOut = nil, 0 // the status shows the last ones, veilleuse report all
		r.Outage = &now
	}
	if n := len(s.Outages); n > 0 {
		last := web.ShortOutageOf(s, s.Outages[n-1])
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
	var all []web.OutageReport
	if err := askDaemon(ctx, config.State, "GET", "/outages", nil, &all); err != nil {
		return err
	}
	if *list {
		return listOutages(c, all, o.json)
	}
	return showOutage(c, all, number, o.json)
}

// showOutage writes the outage of that number, 0 for the one that goes on or was last.
func showOutage(c console, all []web.OutageReport, number uint64, asJSON bool) error {
	at := len(all) - 1
	if number > 0 {
		at = slices.IndexFunc(all, func(r web.OutageReport) bool { return r.Number == number })
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

func listOutages(c console, all []web.OutageReport, asJSON bool) error {
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
