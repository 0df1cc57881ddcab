package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/adapters/web"
	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// here writes a text whose times are in UTC with those of the clock on this computer's wall.
func here(text string) string {
	for _, layout := range []string{"2 Jan 15:04:05", "2006-01-02 15:04"} {
		shape := regexp.MustCompile(map[string]string{"2 Jan 15:04:05": `29 Oct \d\d:\d\d:\d\d`, "2006-01-02 15:04": `2025-10-29 \d\d:\d\d`}[layout])
		text = shape.ReplaceAllStringFunc(text, func(clock string) string {
			at, err := time.Parse(layout, clock)
			if err != nil {
				return clock
			}
			return time.Date(2025, 10, 29, at.Hour(), at.Minute(), at.Second(), 0, time.UTC).Local().Format(layout)
		})
	}
	return text
}

// afterTheOutage is a house that had a drill and an outage, and is in a second outage.
func afterTheOutage() gateway.State {
	at := func(hour, minute int) time.Time { return time.Date(2025, 10, 29, hour, minute, 10, 0, time.UTC) }
	drill := gateway.Outage{Number: 1, Drill: true, Verdict: gateway.VerdictCloudDown, Why: "a drill", Lost: at(9, 0), Began: at(9, 0), Back: at(9, 10), Ended: at(9, 12)}
	o := gateway.Outage{Number: 2, Verdict: gateway.VerdictCloudDown, Scope: []gateway.Plane{gateway.PlaneRead},
		Why:      "The connection to Netatmo was not answered; your internet works: 3 of 3 witnesses answered",
		Evidence: []string{"api.netatmo.com: 503 with HTML", "3 of 3 witnesses answer"},
		Later:    []gateway.Cause{{Verdict: gateway.VerdictInternetDown, At: at(18, 0), Why: "nobody answers"}},
		Lost:     at(15, 41), Began: at(15, 43), Back: at(21, 53), Ended: at(21, 56),
		Relapses: 1, Writes: 7, SlotsDue: 3, SlotsKept: 2, Spared: 1, Wishes: 2, Alarms: 1,
		HandedBack: []string{"Bathroom is set back to follow the home (our writes over the LAN left it in manual)"}, LeftOut: 12}
	for i, d := range []gateway.Decision{
		{Kind: "authority", What: "Netatmo is gone: the house is run from here", Why: "503, for 1m30s"},
		{Kind: "alarm", What: "smoke ALARM: Hall", Why: "reported over accessory"},
		{Kind: "alarm", What: "told: MQTT", Why: "confirmed by 1 subscriber"},
		{Kind: "authority", What: "the house is handed back to Netatmo", Why: "it has answered since 22:53"},
	} {
		d.Number, d.At = uint64(i+1), at(16+i, 0)
		if i == 3 {
			d.Number += uint64(o.LeftOut)
		}
		o.Decisions = append(o.Decisions, d)
	}
	o.Rooms = o.Rooms.
		With("1", gateway.Comfort{Name: "Bathroom", Below: 1.258, Measured: 6 * time.Hour, Unknown: 12 * time.Minute}).
		With("2", gateway.Comfort{Name: "A room with a very long name indeed", Unknown: 6*time.Hour + 12*time.Minute}).
		With("3", gateway.Comfort{Name: "Salle à manger", Measured: 6*time.Hour + 12*time.Minute})
	now := gateway.Outage{Number: 3, Verdict: gateway.VerdictLANDown, Why: "no router", Lost: at(22, 30), Began: at(22, 34)}
	smoke := gateway.Alarm{Number: 2, Phase: gateway.Cleared, Kind: gateway.Smoke, Name: "Hall", Since: at(17, 0), Raised: at(17, 0), Ended: at(17, 4),
		Told: []gateway.Delivery{{Step: 1, Path: "MQTT", At: at(17, 0).Add(time.Second), Delivered: at(17, 0).Add(2 * time.Second), By: "by 1 subscriber"}}}
	earlier := gateway.Alarm{Number: 1, Phase: gateway.Quiet, Kind: gateway.CO, Name: "Cellar", Since: at(12, 0), Raised: at(12, 0), Ended: at(12, 1)}
	return gateway.State{At: at(23, 0), Outage: &now, Outages: []gateway.Outage{drill, o}, AlarmMemory: gateway.AlarmMemory{PastAlarms: []gateway.Alarm{earlier, smoke}},
		Budget: gateway.Budget{Spent: 16, Limit: 120, Total: 115},
		Days:   []gateway.Day{{Date: "2025-01-29", Watched: 3 * 86400}, {Date: "2025-10-29", Watched: 86400, Broken: 6 * 3600}}}
}

const wantReport = `Outage 2: Netatmo was gone (cloud-down), 6 h 15 min from 29 Oct 15:41:10 on.

Why
  The connection to Netatmo was not answered; your internet works: 3 of 3
  witnesses answered
  - api.netatmo.com: 503 with HTML
  - 3 of 3 witnesses answer
  then internet-down at 29 Oct 18:00:10: nobody answers

When
  29 Oct 15:41:10  the first failure
  29 Oct 15:43:10  the house was taken over
  29 Oct 21:53:10  Netatmo answered again
  29 Oct 21:56:10  the house was handed back

What Veilleuse did
  - 2 of 3 changes of the schedule kept, within 5 min
  - 7 commands sent to devices in the house, repeated ones included
  - 1 command avoided: the devices followed the schedule by themselves
  - 2 wishes of people granted
  - 1 alarm passed on:
      29 Oct 17:00:10 smoke ALARM: Hall
        Hall: 1. MQTT, asked 29 Oct 17:00:11: confirmed 29 Oct 17:00:12 by 1
        subscriber
  - 1 return broken off, because Netatmo failed again
  - handed back:
      Bathroom is set back to follow the home (our writes over the LAN left it
      in manual)

Comfort kept (1 K·h: one degree too cold for an hour)
  Bathroom                  1.26 K·h below target in 6.0 h, and 0.2 h not known
  A room with a very long…  not known
  Salle à manger            0.00 K·h below target in 6.2 h

What was decided
  29 Oct 16:00:10  Netatmo is gone: the house is run from here (503, for 1m30s)
  29 Oct 17:00:10  smoke ALARM: Hall (reported over accessory)
  29 Oct 18:00:10  told: MQTT (confirmed by 1 subscriber)
  (12 more are not kept)
  29 Oct 19:00:10  the house is handed back to Netatmo (it has answered since
                   22:53)
`

// served is a configuration whose daemon is a control socket that shows the State.
func served(t *testing.T, s gateway.State) string {
	folder := t.TempDir()
	file := filepath.Join(folder, "v.yaml")
	if err := os.WriteFile(file, []byte("state: "+folder+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Start(t, "control", &control{path: filepath.Join(folder, "control.sock"), house: nobody{}}, gatewaytest.From(s))
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		code, _, err := said(t, "report", "-c", file)
		if code == exitWell {
			return file
		}
		if time.Now().After(deadline) {
			t.Fatalf("no report: %s", err)
		}
	}
}

func TestReportTellsAnOutage(t *testing.T) {
	file := served(t, afterTheOutage())
	code, out, err := said(t, "report", "-c", file, "2")
	if code != exitWell || out != here(wantReport) {
		t.Errorf("exit %d %s, report\n%s\nwant\n%s", code, err, out, here(wantReport))
	}
	for _, args := range [][]string{{"1"}, {"2"}, {"3"}, {}, {"--list"}} {
		_, out, _ := said(t, append([]string{"report", "-c", file}, args...)...)
		for _, line := range strings.Split(out, "\n") {
			if utf8.RuneCountInString(line) > pageWidth || strings.TrimRight(line, " ") != line {
				t.Errorf("report %v: %q has %d columns", args, line, utf8.RuneCountInString(line))
			}
		}
	}
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"the one that goes on", nil, exitWell, "Outage 3: Netatmo was out of reach (lan-down), since 29 Oct 22:30:10. It goes\non, 30 min by now.\n"},
		{"a drill", []string{"1"}, exitWell, "Outage 1, a drill, 12 min from 29 Oct 09:00:10 on.\n"},
		{"all", []string{"--list"}, exitWell, "   1  2025-10-29 09:00  drill          12 min\n   2  2025-10-29 15:41  cloud-down     6 h 15 min\n   3  2025-10-29 22:30  lan-down       30 min, goes on\n"},
		{"one that is not remembered", []string{"7"}, exitNo, "outage 7 is not remembered"},
		{"no number", []string{"last"}, exitUsage, `not "last"`},
		{"number zero", []string{"0"}, exitUsage, "a number from 1 on"},
		{"two numbers", []string{"1", "2"}, exitUsage, "expected at most 1, got 2"},
		{"list of one", []string{"--list", "1"}, exitUsage, "--list goes without a number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, out, err := said(t, append([]string{"report", "-c", file}, test.args...)...)
			if code != test.code || !strings.Contains(out+err, here(test.want)) {
				t.Errorf("exit %d: %s%s, want %d and %q", code, out, err, test.code, test.want)
			}
		})
	}
}

func TestReportAsJSON(t *testing.T) {
	file := served(t, afterTheOutage())
	_, out, _ := said(t, "report", "-c", file, "--json", "2")
	var r web.OutageReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Number != 2 || r.LengthS != 6*3600+15*60 || len(r.Rooms) != 3 || *r.Rooms[0].BelowKH != 1.26 || r.Rooms[1].BelowKH != nil || r.Rooms[2].MeasuredH != 6.2 || len(r.Decisions) != 4 {
		t.Errorf("got %+v", r)
	}
	_, out, _ = said(t, "report", "-c", file, "--json", "--list")
	var all []web.OutageReport
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 3 || !all[0].Drill || !all[2].Ended.IsZero() {
		t.Errorf("%v: %+v", err, all)
	}
}

func TestReportOfAHouseWithoutOutage(t *testing.T) {
	file := served(t, gateway.State{Version: 1})
	for args, want := range map[string]string{"": noOutage + "\n", "--list": noOutage + "\n", "--json": "null\n", "--json --list": "[]\n"} {
		code, out, err := said(t, append([]string{"report", "-c", file}, strings.Fields(args)...)...)
		if code != exitWell || out != want {
			t.Errorf("report %s: exit %d, %q %s", args, code, out, err)
		}
	}
}

func TestStatusShowsOutagesAndAvailability(t *testing.T) {
	r := report(afterTheOutage(), notes.Notes{})
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Outage       struct{ Number, LengthS int }
		LastOutage   map[string]any `json:"last_outage"`
		Availability map[string]float64
		Budget       map[string]int
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Outage.Number != 3 || got.LastOutage["number"] != 2.0 || got.LastOutage["length_s"] != 22500.0 || got.LastOutage["ended"] == nil {
		t.Errorf("outages: %s", data)
	}
	if a := got.Availability; len(a) != 3 || a["days_30"] != 0.75 || a["days_365"] != 0.9375 || a["watched_days"] != 4 {
		t.Errorf("availability: %v", a)
	}
	if fmt.Sprint(got.Budget) != "map[per_hour:120 spent_last_hour:16 total:115]" {
		t.Errorf("budget: %v", got.Budget)
	}
	var out bytes.Buffer
	printStatus(&out, r)
	for _, want := range []string{
		"requests to Netatmo: 16 in the last hour of 120 allowed\n",
		"outage 3 since 29 Oct 22:30:10: 30 min so far, 0 of 0 slots kept, 0 commands, 0 wishes, 0 alarms; veilleuse report tells more\n",
		"last outage: 2, 6 h 15 min until 29 Oct 21:56:10: The connection",
		"Netatmo served 75.00 % of the time watched in 30 days, 93.75 % in 365 (4.0 days watched)\n",
	} {
		if !strings.Contains(out.String(), here(want)) {
			t.Errorf("the status does not say %q:\n%s", want, &out)
		}
	}
	data, err = json.Marshal(report(gateway.State{}, notes.Notes{}))
	if err != nil || bytes.Contains(data, []byte(`"outage"`)) || bytes.Contains(data, []byte(`"last_outage"`)) || !bytes.Contains(data, []byte(`"availability":{"watched_days":0}`)) {
		t.Errorf("a new house says %s, %v", data, err)
	}
}

func TestLengthOf(t *testing.T) {
	for seconds, want := range map[int]string{-1: "0 s", 0: "0 s", 119: "119 s", 120: "2 min", 3569: "59 min", 3599: "1 h", 31259: "8 h 41 min", 8*3600 + 24*60: "8 h 24 min", 48 * 3600: "2 days", 75*3600 + 1: "3 days 3 h"} {
		if got := lengthOf(seconds); got != want {
			t.Errorf("%d s is %q, want %q", seconds, got, want)
		}
	}
}
