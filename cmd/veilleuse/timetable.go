package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// timetableVerb prints every change of zone of a vendor schedule between two days of UTC, as
// "<unix seconds> <zone id>", the zone at the start first, so that others can check it.
func timetableVerb(_ context.Context, c console, args []string) error {
	o := newOptions("timetable")
	zone := o.set.String("zone", "Europe/Paris", "")
	first := o.set.String("from", "", "")
	last := o.set.String("to", "", "")
	rest, err := o.parse(args, 1)
	if err != nil {
		return err
	}
	loc, err := gateway.LoadTimeZone(*zone)
	if err != nil {
		return usageError{err}
	}
	from, err := time.Parse(time.DateOnly, *first)
	to, wrong := time.Parse(time.DateOnly, *last)
	if err != nil || wrong != nil || !from.Before(to) {
		return usageError{fmt.Errorf("--from and --to are days as in 2021-01-01, the first before the second")}
	}
	plan, err := readVendorSchedule(rest[0])
	if err != nil {
		return err
	}
	for _, fault := range schedule.Faults(plan) {
		fmt.Fprintf(c.err, "%s: %s\n", rest[0], fault)
	}
	out := bufio.NewWriter(c.out)
	for at, id := range schedule.Changes(plan, from, to, loc.Location()) {
		fmt.Fprintln(out, at.Unix(), id)
	}
	return out.Flush()
}

// readVendorSchedule reads the schedule of a file in any of the vendor's shapes. Of several it takes
// the heating schedule that is selected, else the first heating schedule, else the first.
func readVendorSchedule(file string) (gateway.Schedule, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return gateway.Schedule{}, fmt.Errorf("the schedule cannot be read: %w", err)
	}
	all, err := netatmo.ReadSchedules(content)
	if err != nil {
		return gateway.Schedule{}, fmt.Errorf("%s: %w", file, err)
	}
	heating := func(s gateway.Schedule) bool { return s.Type == "therm" }
	for _, accept := range []func(gateway.Schedule) bool{func(s gateway.Schedule) bool { return heating(s) && s.Selected }, heating} {
		if at := slices.IndexFunc(all, accept); at >= 0 {
			return all[at], nil
		}
	}
	return all[0], nil
}
