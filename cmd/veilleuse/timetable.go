package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

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

// readVendorSchedule reads one schedule as homesdata has it: its timetable and its zones' ids.
func readVendorSchedule(file string) (gateway.Schedule, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return gateway.Schedule{}, fmt.Errorf("the schedule cannot be read: %w", err)
	}
	var vendor struct {
		Timetable []struct {
			Zone   int `json:"zone_id"`
			Minute int `json:"m_offset"`
		} `json:"timetable"`
		Zones []struct {
			ID   int    `json:"id"`
			Name string `json:"name"`
		} `json:"zones"`
	}
	if err := json.Unmarshal(content, &vendor); err != nil {
		return gateway.Schedule{}, fmt.Errorf("%s is not a schedule as in homesdata: %w", file, err)
	}
	var plan gateway.Schedule
	for _, slot := range vendor.Timetable {
		plan.Slots = append(plan.Slots, gateway.Slot{Minute: slot.Minute, Zone: slot.Zone})
	}
	for _, z := range vendor.Zones {
		plan.Zones = append(plan.Zones, gateway.Zone{ID: z.ID, Name: z.Name})
	}
	return plan, nil
}
