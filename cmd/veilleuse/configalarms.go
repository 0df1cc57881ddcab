package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/veilleuse/veilleuse/gateway"
)

// AlarmsConfig is what is done about an alarm.
type AlarmsConfig struct {
	Plan   []gateway.AlarmStep // in the order of the file
	Repeat time.Duration       // between two rounds of telling; 0: once
}

// defaultAlarms tells and sounds everything at once.
func defaultAlarms() AlarmsConfig {
	return AlarmsConfig{Repeat: 2 * time.Minute, Plan: []gateway.AlarmStep{
		{Way: gateway.WayTell, Of: "homekit"}, {Way: gateway.WayTell, Of: "mqtt"}, {Way: gateway.WayTell, Of: "page"}, {Way: gateway.WaySound, Of: gateway.All}}}
}

// programs are those that a step of the plan runs.
func (a AlarmsConfig) programs() []string {
	var all []string
	for _, s := range a.Plan {
		if s.Way == gateway.WayRun && !slices.Contains(all, s.Of) {
			all = append(all, s.Of)
		}
	}
	return all
}

// Bounds of an alarm plan.
const (
	mostSteps   = 20
	longestStep = 24 * time.Hour
)

// alarmPlan reads the list of steps.
func alarmPlan(c *Config, n ast.Node) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 || len(list.Values) > mostSteps {
		return fmt.Errorf("expected a list of 1 to %d steps, as in: - {sound: all, after: 30s}", mostSteps)
	}
	c.Alarms.Plan = nil
	for i, item := range list.Values {
		step, err := alarmStep(item)
		if err == nil && slices.Contains(c.Alarms.Plan, step) {
			err = errors.New("it is there twice")
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		c.Alarms.Plan = append(c.Alarms.Plan, step)
	}
	return nil
}

// alarmStep reads one way and its time.
func alarmStep(item ast.Node) (gateway.AlarmStep, error) {
	var s gateway.AlarmStep
	for _, pair := range pairs(item) {
		value, err := stringOf(pair.Value)
		if err != nil {
			return s, err
		}
		switch name := pair.Key.GetToken().Value; name {
		case "tell", "sound", "light", "run":
			if s.Way != "" {
				return s, fmt.Errorf("it has %s and %s; make two steps of it", s.Way, name)
			}
			s.Way, s.Of = gateway.AlarmWay(name), value
		case "after":
			if s.After, err = lasting(value, 0, longestStep); err != nil {
				return s, fmt.Errorf("after: %w", err)
			}
		default:
			return s, fmt.Errorf("%s is no key of a step; it has one of tell, sound, light and run, and after", name)
		}
	}
	return s, checkStep(s)
}

func checkStep(s gateway.AlarmStep) error {
	switch {
	case s.Way == "":
		return errors.New("it says nothing that can be done: tell, sound, light or run")
	case s.Way == gateway.WayTell && s.Of != "homekit" && s.Of != "mqtt" && s.Of != "page":
		return fmt.Errorf("tell is homekit, mqtt or page, not %q", s.Of)
	case s.Way == gateway.WayRun && (!filepath.IsAbs(s.Of) || filepath.Clean(s.Of) != s.Of):
		return fmt.Errorf("run is the full path of a program, without arguments, not %q", s.Of)
	case s.Of == "":
		return fmt.Errorf("%s is all, or the id of a device (veilleuse status --json lists them)", s.Way)
	}
	return nil
}

// lasting reads a duration between two bounds.
func lasting(text string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time as in 30s or 2m", text)
	}
	if d < least || d > most {
		return 0, fmt.Errorf("%v is out of range: %v to %v", d, least, most)
	}
	return d, nil
}

func span(at func(*Config) *time.Duration, least, most time.Duration) func(*Config, ast.Node) error {
	return func(c *Config, n ast.Node) error {
		text, err := stringOf(n)
		if err != nil {
			return err
		}
		d, err := lasting(text, least, most)
		if err == nil {
			*at(c) = d
		}
		return err
	}
}

// silentAfter is after what silence the vendor's detectors are at fault. A test holds it against the firmware notes,
// which are too long to be read at every start.
var silentAfter = map[string]time.Duration{"NSD": 8 * 24 * time.Hour, "NCO": 8 * 24 * time.Hour}
