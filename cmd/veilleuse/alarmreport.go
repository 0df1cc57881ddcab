package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// shownAlarms is how many alarms that are over a status shows.
const shownAlarms = 3

// testReport is one detector in the calendar of tests.
type testReport struct {
	Device gateway.DeviceID  `json:"device"`
	Name   string            `json:"name"`
	At     time.Time         `json:"at,omitzero"` // of the last test; absent: never
	By     string            `json:"by,omitempty"`
	Heard  []gateway.Hearing `json:"heard,omitempty"`
	Says   string            `json:"says"` // all of it in one sentence
}

// reportTests is the calendar: every smoke and CO detector, tested or never.
func reportTests(s gateway.State) []testReport {
	var all []testReport
	for id, d := range s.Devices.All() {
		test, tested := s.Tests.Get(id)
		has := d.Quantities()
		if !tested && silentAfter[d.Model] == 0 && !slices.Contains(has, gateway.Smoke) && !slices.Contains(has, gateway.CO) {
			continue
		}
		r := testReport{Device: id, Name: d.Name, At: test.At, By: test.By, Heard: test.Heard}
		if r.Name == "" {
			r.Name = string(id)
		}
		r.Says = r.Name + ": never tested"
		if tested {
			r.Says = fmt.Sprintf("%s: last test %s ago, heard by %s", r.Name, ageOf(int(s.At.Sub(test.At).Seconds())), heardBy(test))
		}
		all = append(all, r)
	}
	return all
}

// heardBy lists the paths of a test with their delays: "ear 2 s, HomeKit 3 s".
func heardBy(t gateway.DetectorTest) string {
	var paths []string
	for _, h := range t.Heard {
		name, ok := pathNames[h.Path]
		if !ok {
			name = h.Path
		}
		paths = append(paths, fmt.Sprintf("%s %d s", name, int(max(h.At.Sub(t.At), 0).Seconds())))
	}
	return strings.Join(paths, ", ")
}

// pathNames are adapters as people call them.
var pathNames = map[string]string{gateway.AccessoryAdapter: "HomeKit", gateway.CloudAdapter: "Netatmo", gateway.MQTTAdapter: "MQTT"}

// printAlarms writes who was told of the gravest or last alarm, and the calendar of tests.
func printAlarms(out io.Writer, r statusReport) {
	if n := len(r.Alarms); n > 0 {
		a := r.Alarms[n-1]
		if r.Alarm.Phase != gateway.Quiet {
			a = r.Alarm
		}
		fmt.Fprintf(out, "\nlast alarm: %s, %s", clockOf(a.Since), a.Why)
		if !a.Answered.IsZero() {
			fmt.Fprintf(out, "; answered %s in %s", clockOf(a.Answered), a.By)
		}
		if !a.Ended.IsZero() {
			fmt.Fprintf(out, "; over %s", clockOf(a.Ended))
		}
		for _, d := range a.Told {
			fmt.Fprintf(out, "\n  %s", toldWords(d))
		}
	}
	for _, t := range r.Tests {
		fmt.Fprintf(out, "\n%s", t.Says)
	}
}

// toldWords is one step of the alarm plan with its proof.
func toldWords(d gateway.Delivery) string {
	words := fmt.Sprintf("%d. %s, asked %s", d.Step, d.Path, clockOf(d.At))
	if d.Times > 1 {
		words += fmt.Sprintf(" for the %d. time", d.Times)
	}
	switch {
	case d.Err != "":
		return words + ": failed: " + d.Err
	case d.Delivered.IsZero():
		return words + ": not confirmed"
	}
	return strings.TrimSpace(words + ": confirmed " + clockOf(d.Delivered) + " " + d.By)
}
