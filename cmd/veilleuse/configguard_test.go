package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestGuardIsRead(t *testing.T) {
	c, faults := readConfig("x.yaml", []byte(`guard:
  sensors:
    - {device: Front door, modes: [stay, away, night], entrance: true}
    - {device: "12:34", always: yes}
    - {device: Hall}
  exit: 0s
  sirens: 10m
`))
	want := []string{`expected true or false, not "yes"`}
	if len(faults) != 1 || !strings.Contains(faults[0], want[0]) || !strings.HasPrefix(faults[0], "x.yaml:4:") {
		t.Errorf("the faults are %q, want %q", faults, want)
	}
	c, faults = readConfig("x.yaml", []byte(`guard:
  sensors:
    - {device: Front door, modes: [stay, away, night], entrance: true}
    - {device: "12:34", always: true}
  exit: 0s
  sirens: 10m
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	plan := gateway.GuardPlan{Entry: 30 * time.Second, Sirens: 10 * time.Minute, Sensors: []gateway.GuardSensor{
		{Of: "Front door", Modes: []gateway.GuardMode{"stay", "away", "night"}, Entrance: true},
		{Of: "12:34", Modes: []gateway.GuardMode{"away"}, Always: true}}}
	if !reflect.DeepEqual(c.Guard, plan) {
		t.Errorf("the guard is %+v, want %+v", c.Guard, plan)
	}
}

func TestFaultsOfTheGuard(t *testing.T) {
	for text, want := range map[string]string{
		"sensors: all":                                   "expected a list",
		"sensors: [{modes: [away]}]":                     "device is missing",
		"sensors: [{device: a, modes: away}]":            "expected a list of stay, away and night",
		"sensors: [{device: a, modes: []}]":              "expected a list of stay, away and night",
		"sensors: [{device: a, modes: [home]}]":          `"home": expected each of stay, away and night`,
		"sensors: [{device: a, modes: [away, away]}]":    "at most once",
		"sensors: [{device: a}, {device: a}]":            "item 2: a is there twice",
		"sensors: [{device: a, always: 1, entrance: 1}]": "exclude each other",
		"sensors: [{device: a, delay: 3s}]":              "no key of a sensor of the guard",
		"sensors: [{device: a, entrance: perhaps}]":      "entrance: expected true or false",
		"exit: 6m":    "out of range",
		"entry: soon": "not a time",
		"entries: 3s": "did you mean guard.entry",
	} {
		_, faults := readConfig("x.yaml", []byte("guard:\n  "+text+"\n"))
		if len(faults) != 1 || !strings.Contains(faults[0], want) || !strings.HasPrefix(faults[0], "x.yaml:2:") {
			t.Errorf("%s: %q, want one with %q and its place", text, faults, want)
		}
	}
}
