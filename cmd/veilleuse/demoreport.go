package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// demoReport is what the demonstration found. Times of the house are simulated; the alarm's delays
// and RealSeconds are real.
type demoReport struct {
	RealSeconds    float64    `json:"real_seconds"`
	VerdictSeconds float64    `json:"verdict_seconds"` // from the first failure of the world to the house being run from here
	Verdict        string     `json:"verdict"`
	SlotsDue       int        `json:"slots_due"` // rooms times slots
	SlotsKept      int        `json:"slots_kept"`
	Missed         []string   `json:"missed,omitempty"`
	WritesMade     int        `json:"writes_made"`
	WritesAvoided  int        `json:"writes_avoided"` // a device did it by itself
	Alarm          demoDelays `json:"alarm_ms"`
	Wishes         int        `json:"wishes"`
	WishesCarried  int        `json:"wishes_carried_back"`
	CallsBefore    int        `json:"-"`
	CallsOutage    int        `json:"api_calls_outage"` // sent by the daemon from the takeover to the return
	CallsTotal     int        `json:"api_calls_total"`
	Takeovers      int        `json:"takeovers"`
	HandedBack     bool       `json:"handed_back"`
	Promises       []promise  `json:"promises"`
}

// demoDelays are from the detector's word to each who must hear of it, in milliseconds; -1 = never.
type demoDelays struct {
	SirenMS   float64 `json:"siren"`
	MQTTMS    float64 `json:"mqtt"`
	HomeKitMS float64 `json:"homekit"`
}

// promise is one thing the house owes its people, and what was seen of it.
type promise struct {
	Promise string `json:"promise"`
	Saw     string `json:"saw"`
	Kept    bool   `json:"kept"`
}

// Limits of the promises. The verdict's is the outage study's p95; an alarm's is what a person would
// call at once.
const (
	longestVerdict = 210 * time.Second
	longestAlarmMS = 250
	mostCalls      = 110
)

// outageBegan is when the simulated edge first failed.
var outageBegan = time.Date(2025, 10, 29, 15, 41, 0, 0, time.UTC)

// report sums up the evening.
func (d *demo) report(ctx context.Context, began time.Time) {
	r := &d.result
	r.RealSeconds = math.Round(time.Since(began).Seconds()*10) / 10
	if d.faces == nil {
		return
	}
	lost := d.faces.since(gateway.Local)
	back, _ := d.faces.find(func(x gateway.Decision) bool { return strings.HasPrefix(x.What, "the house is handed back") })
	if taken, ok := d.faces.find(func(x gateway.Decision) bool { return strings.HasPrefix(x.What, "Netatmo is gone") }); ok {
		r.VerdictSeconds = math.Round(taken.At.Sub(outageBegan).Seconds())
		r.Verdict = taken.Why
	}
	r.HandedBack = !back.At.IsZero() && d.faces.phase() == gateway.Watching
	end := back.At
	if end.IsZero() {
		end = d.world.clock.Now()
	}
	d.countWrites(lost, end)
	r.CallsTotal = d.spent(ctx)
	d.countWishes()
	d.faces.mutex.Lock()
	for _, x := range d.faces.decisions {
		if strings.HasPrefix(x.What, "Netatmo is gone") {
			r.Takeovers++
		}
	}
	d.faces.mutex.Unlock()
	r.Promises = r.promises()
}

// countWrites counts what was written in the outage, and the slots that needed no write.
func (d *demo) countWrites(lost, end time.Time) {
	if lost.IsZero() {
		return
	}
	written := d.world.writes(lost, end)
	d.result.WritesMade = len(written)
	for _, r := range demoRooms {
		if r.obeys {
			d.result.WritesAvoided += d.result.SlotsDue / len(demoRooms)
			for _, w := range written {
				if w.device == r.device {
					d.result.WritesAvoided--
				}
			}
		}
	}
}

// countWishes looks into the vendor's cloud for what people set while it was gone.
func (d *demo) countWishes() {
	for room, target := range d.wished {
		shown := d.world.cloud.Room(room)
		if shown.Mode == "manual" && shown.Target == target && shown.Until.After(d.world.clock.Now()) {
			d.result.WishesCarried++
		}
	}
}

func (r demoReport) promises() []promise {
	heard := func(ms float64) bool { return ms >= 0 && ms <= longestAlarmMS }
	return []promise{
		{"the verdict falls within 210 s", fmt.Sprintf("%.0f s (%s)", r.VerdictSeconds, r.Verdict), r.VerdictSeconds > 0 && r.VerdictSeconds <= longestVerdict.Seconds()},
		{"one outage is one takeover", fmt.Sprintf("%d", r.Takeovers), r.Takeovers == 1},
		{"every slot of the vendor's schedule is kept", strings.TrimSpace(fmt.Sprintf("%d of %d %s", r.SlotsKept, r.SlotsDue, strings.Join(r.Missed, "; "))), r.SlotsDue > 0 && r.SlotsKept == r.SlotsDue},
		{"a device that does it by itself gets no write", fmt.Sprintf("%d writes made, %d avoided", r.WritesMade, r.WritesAvoided), r.WritesAvoided == r.SlotsDue/len(demoRooms) && r.SlotsDue > 0},
		{fmt.Sprintf("an alarm reaches siren, MQTT and Home app within %d ms", longestAlarmMS),
			fmt.Sprintf("siren %.1f ms, MQTT %.1f ms, Home app %.1f ms", r.Alarm.SirenMS, r.Alarm.MQTTMS, r.Alarm.HomeKitMS),
			heard(r.Alarm.SirenMS) && heard(r.Alarm.MQTTMS) && heard(r.Alarm.HomeKitMS)},
		{"the house is handed back", map[bool]string{true: "yes", false: "no"}[r.HandedBack], r.HandedBack},
		{"nobody's wish is lost", fmt.Sprintf("%d of %d carried back", r.WishesCarried, r.Wishes), r.Wishes > 0 && r.WishesCarried == r.Wishes},
		{fmt.Sprintf("an outage costs at most %d requests", mostCalls), fmt.Sprintf("%d (%d in all)", r.CallsOutage, r.CallsTotal), r.CallsOutage <= mostCalls},
	}
}

// Broken returns the promises that were not kept.
func (r demoReport) Broken() []promise {
	var broken []promise
	for _, p := range r.Promises {
		if !p.Kept {
			broken = append(broken, p)
		}
	}
	if len(r.Promises) == 0 {
		broken = append(broken, promise{Promise: "the evening is played to its end"})
	}
	return broken
}

// print writes the report for people.
func (r demoReport) print(out io.Writer) {
	fmt.Fprintf(out, "\nThe evening in %.1f s of real time.\n\n", r.RealSeconds)
	for _, p := range r.Promises {
		mark := "kept  "
		if !p.Kept {
			mark = "BROKEN"
		}
		fmt.Fprintf(out, "  %s  %s: %s\n", mark, p.Promise, p.Saw)
	}
	if broken := r.Broken(); len(broken) > 0 {
		fmt.Fprintf(out, "\n%d promises were broken.\n", len(broken))
		return
	}
	fmt.Fprintln(out, "\nEvery promise was kept.")
}
