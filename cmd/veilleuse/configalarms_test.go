package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

func TestAlarmPlanIsRead(t *testing.T) {
	c, faults := readConfig("x.yaml", []byte(`alarms:
  plan:
    - {tell: homekit}
    - {sound: all, after: 0s}
    - {light: "70:ee:50:00:00:01", after: 30s}
    - {run: /usr/local/bin/call-grandma, after: 60s}
    - run: /usr/local/bin/call-grandma
      after: 5m
  repeat: 3m
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []gateway.AlarmStep{{Way: gateway.WayTell, Of: "homekit"}, {Way: gateway.WaySound, Of: "all"},
		{Way: gateway.WayLight, Of: "70:ee:50:00:00:01", After: 30 * time.Second},
		{Way: gateway.WayRun, Of: "/usr/local/bin/call-grandma", After: time.Minute},
		{Way: gateway.WayRun, Of: "/usr/local/bin/call-grandma", After: 5 * time.Minute}}
	if !reflect.DeepEqual(c.Alarms.Plan, want) || c.Alarms.Repeat != 3*time.Minute {
		t.Errorf("read as %+v", c.Alarms)
	}
	if got := c.Alarms.programs(); len(got) != 1 {
		t.Errorf("programs: %q", got)
	}
}

func TestFaultsOfAlarmPlans(t *testing.T) {
	for text, want := range map[string]string{
		"plan: []":                           "a list of 1 to 20 steps",
		"plan: all":                          "a list of 1 to 20 steps",
		"plan: [{tell: sms}]":                "homekit, mqtt or page",
		"plan: [{run: call}]":                "full path",
		"plan: [{run: /bin/../bin/sh}]":      "full path",
		"plan: [{sound: all, light: all}]":   "make two steps",
		"plan: [{after: 3s}]":                "nothing that can be done",
		"plan: [{sound: }]":                  "the id of a device",
		"plan: [{sound: all, after: soon}]":  "not a time",
		"plan: [{sound: all, after: -1s}]":   "out of range",
		"plan: [{sound: all, when: now}]":    "no key of a step",
		"plan: [{sound: all}, {sound: all}]": "step 2: it is there twice",
		"repeat: 1s":                         "out of range",
		"repeats: 1m":                        "did you mean alarms.repeat",
		"plan: [{sound: [a, b]}]":            "one value",
	} {
		_, faults := readConfig("x.yaml", []byte("alarms:\n  "+text+"\n"))
		if len(faults) != 1 || !strings.Contains(faults[0], want) || !strings.HasPrefix(faults[0], "x.yaml:2:") {
			t.Errorf("%s: %q, want one with %q and its place", text, faults, want)
		}
	}
}

// The table of silences is a copy for the sake of a quick start.
func TestSilencesAreThoseOfTheNotes(t *testing.T) {
	known, err := notes.Read()
	if err != nil {
		t.Fatal(err)
	}
	for model, after := range silentAfter {
		if note, ok := known.For(model); !ok || note.SilentAfter != after {
			t.Errorf("%s is at fault after %v, its note says %v", model, after, note.SilentAfter)
		}
	}
	for _, model := range []string{"NSD", "NCO"} {
		if silentAfter[model] == 0 {
			t.Errorf("%s is not in the table", model)
		}
	}
}
