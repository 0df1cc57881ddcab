package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/veilleuse/veilleuse/gateway"
)

// Bounds of the guard's delays.
const (
	longestDelay = 5 * time.Minute
	mostGuarding = 100 // sensors
)

// defaultGuard has no sensors, and so there is no guard. Sirens that sound in the street for longer than 3 minutes are
// forbidden in many places.
func defaultGuard() gateway.GuardPlan {
	return gateway.GuardPlan{Exit: 45 * time.Second, Entry: 30 * time.Second, Sirens: 3 * time.Minute}
}

// guardSensors reads the list of sensors that count.
func guardSensors(c *Config, n ast.Node) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok || len(list.Values) > mostGuarding {
		return fmt.Errorf("expected a list of at most %d sensors, as in: - {device: Front door, modes: [away, night], entrance: true}", mostGuarding)
	}
	c.Guard.Sensors = nil
	var faults []error
	for i, item := range list.Values {
		s, err := guardSensor(item)
		if err == nil && slices.ContainsFunc(c.Guard.Sensors, func(other gateway.GuardSensor) bool { return other.Of == s.Of }) {
			err = placed{item, fmt.Errorf("%s is there twice", s.Of)}
		}
		if err != nil {
			var p placed
			if !errors.As(err, &p) {
				p = placed{item, err}
			}
			faults = append(faults, placed{p.at, fmt.Errorf("item %d: %w", i+1, p.err)})
			continue
		}
		c.Guard.Sensors = append(c.Guard.Sensors, s)
	}
	return errors.Join(faults...)
}

func guardSensor(item ast.Node) (gateway.GuardSensor, error) {
	s := gateway.GuardSensor{Modes: []gateway.GuardMode{gateway.GuardAway}}
	for _, pair := range pairs(item) {
		var err error
		switch name := pair.Key.GetToken().Value; name {
		case "device":
			s.Of, err = stringOf(pair.Value)
		case "modes":
			s.Modes, err = guardModes(pair.Value)
		case "entrance":
			s.Entrance, err = flagOf(pair.Value)
		case "always":
			s.Always, err = flagOf(pair.Value)
		default:
			return s, placed{pair.Key, fmt.Errorf("%s is no key of a sensor of the guard; it has device, modes, entrance and always", name)}
		}
		if err != nil {
			return s, placed{pair.Value, fmt.Errorf("%s: %w", pair.Key.GetToken().Value, err)}
		}
	}
	switch {
	case s.Of == "":
		return s, errors.New("device is missing: the id or name of a contact or motion sensor (veilleuse status --json lists them)")
	case s.Always && s.Entrance:
		return s, errors.New("always and entrance exclude each other: what always counts gives nobody time")
	}
	return s, nil
}

func flagOf(n ast.Node) (bool, error) {
	word, err := stringOf(n)
	if err != nil {
		return false, err
	}
	on, err := strconv.ParseBool(word)
	if err != nil {
		return false, fmt.Errorf("expected true or false, not %q", word)
	}
	return on, nil
}

func guardModes(n ast.Node) ([]gateway.GuardMode, error) {
	list, ok := n.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		return nil, errors.New("expected a list of stay, away and night")
	}
	var modes []gateway.GuardMode
	for _, v := range list.Values {
		word, err := stringOf(v)
		if err != nil {
			return nil, err
		}
		if mode := gateway.GuardMode(word); !slices.Contains(gateway.GuardModes, mode) || slices.Contains(modes, mode) {
			return nil, fmt.Errorf("%q: expected each of stay, away and night at most once", word)
		}
		modes = append(modes, gateway.GuardMode(word))
	}
	return modes, nil
}
