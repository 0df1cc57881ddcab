package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
)

// placed is a fault with the place where it stands, which may be deep inside a list.
type placed struct {
	at  ast.Node
	err error
}

// Error is what is wrong, without its place.
func (p placed) Error() string { return p.err.Error() }

// within says of each fault in what it is, and where, if it does not say that itself. All that it returns is placed.
func within(what string, at ast.Node, errs []error) []error {
	var faults []error
	for _, err := range errs {
		var p placed
		if !errors.As(err, &p) {
			p = placed{at, err}
		}
		faults = append(faults, placed{p.at, fmt.Errorf("%s: %w", what, p.err)})
	}
	return faults
}

// attachedField reads one key of an attached device.
type attachedField struct {
	name  string
	roles string // of relays, sensors and valves: r, s, v
	read  func(*mqtt.Attached, ast.Node) error
}

var attachedFields = []attachedField{
	{"name", "rsv", attachedText(func(a *mqtt.Attached) *string { return &a.Name })},
	{"kind", "rsv", attachedText(func(a *mqtt.Attached) *string { return (*string)(&a.Kind) })},
	{"topic", "rsv", attachedText(func(a *mqtt.Attached) *string { return &a.Topic })},
	{"base", "rsv", attachedText(func(a *mqtt.Attached) *string { return &a.Base })},
	{"channel", "r", attachedText(func(a *mqtt.Attached) *string { return &a.Channel })},
	{"command", "r", attachedText(func(a *mqtt.Attached) *string { return &a.Command })},
	{"key", "rs", attachedText(func(a *mqtt.Attached) *string { return &a.Key })},
	{"rooms", "r", attachedRooms},
	{"heats", "r", attachedEmitter},
	{"sensor", "r", attachedText(func(a *mqtt.Attached) *string { return (*string)(&a.Circuit.Sensor) })},
	{"minimum_on", "r", attachedTime(func(a *mqtt.Attached) *time.Duration { return &a.Circuit.MinimumOn }, 10*time.Second, time.Hour)},
	{"minimum_off", "r", attachedTime(func(a *mqtt.Attached) *time.Duration { return &a.Circuit.MinimumOff }, 10*time.Second, time.Hour)},
	{"lease", "r", attachedTime(func(a *mqtt.Attached) *time.Duration { return &a.Circuit.Lease }, time.Minute, time.Hour)},
	{"without_lease", "r", attachedAcceptance},
	{"bypass", "r", attachedText(func(a *mqtt.Attached) *string { return (*string)(&a.Circuit.Bypass) })},
	{"room", "sv", attachedText(func(a *mqtt.Attached) *string { return &a.Room })},
}

// attached reads the list of the devices of one role.
func attached(role mqtt.Role) func(*Config, ast.Node) error {
	return func(c *Config, n ast.Node) error {
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			return fmt.Errorf("expected a list, each item with name, kind and topic")
		}
		var faults []error
		for i, item := range list.Values {
			a, errs := c.attachedItem(role, item)
			for _, other := range c.Attached {
				if len(errs) == 0 && (other.Name == a.Name || other.ID() == a.ID()) {
					errs = append(errs, placed{item, fmt.Errorf("%s is attached twice: name and topic must differ", other.Name)})
				}
			}
			faults = append(faults, within(fmt.Sprintf("item %d", i+1), item, errs)...)
			c.Attached = append(c.Attached, a)
		}
		return errors.Join(faults...)
	}
}

// attachedItem reads one device and says every fault.
func (c *Config) attachedItem(role mqtt.Role, item ast.Node) (mqtt.Attached, []error) {
	a := mqtt.Attached{Role: role}
	switch role {
	case mqtt.RoleRelay:
		a.Circuit = gateway.Circuit{Lease: mqtt.DefaultLease}
	case mqtt.RoleValve:
		a.Kind = mqtt.Zigbee2MQTT
	}
	var faults []error
	seen := map[string]bool{}
	for _, pair := range pairs(item) {
		name := pair.Key.GetToken().Value
		seen[name] = true
		at := slices.IndexFunc(attachedFields, func(f attachedField) bool {
			return f.name == name && strings.Contains(f.roles, string(role)[:1])
		})
		if at < 0 {
			faults = append(faults, placed{pair.Key, fmt.Errorf("%s is no key of a %s; it has %s", name, role, attachedKeys(role))})
			continue
		}
		if err := attachedFields[at].read(&a, pair.Value); err != nil {
			faults = append(faults, placed{pair.Value, fmt.Errorf("%s: %w", name, err)})
		}
	}
	if role == mqtt.RoleRelay && !seen["heats"] {
		a.Circuit.Heats = gateway.HeatsBoiler
		if len(a.Circuit.Rooms) == 1 {
			a.Circuit.Heats = gateway.HeatsRadiator
		}
	}
	if seen["lease"] && seen["without_lease"] {
		faults = append(faults, errors.New("lease and without_lease exclude each other; leave one out"))
	}
	a.Profile = c.profile(a.Kind)
	if len(faults) == 0 {
		if err := a.Check(); err != nil {
			faults = append(faults, splitErrors(err)...)
		}
	}
	return a, faults
}

// splitErrors takes apart what errors.Join has joined.
func splitErrors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// attachedKeys lists the keys of a role for people.
func attachedKeys(role mqtt.Role) string {
	var names []string
	for _, f := range attachedFields {
		if strings.Contains(f.roles, string(role)[:1]) {
			names = append(names, f.name)
		}
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func attachedText(at func(*mqtt.Attached) *string) func(*mqtt.Attached, ast.Node) error {
	return func(a *mqtt.Attached, n ast.Node) error {
		s, err := stringOf(n)
		*at(a) = s
		return err
	}
}

func attachedTime(at func(*mqtt.Attached) *time.Duration, least, most time.Duration) func(*mqtt.Attached, ast.Node) error {
	return func(a *mqtt.Attached, n ast.Node) error {
		s, err := stringOf(n)
		if err != nil {
			return err
		}
		d, err := time.ParseDuration(s)
		if err != nil || d < least || d > most {
			return fmt.Errorf("%q is not a time from %v to %v, as in 4m or 90s", s, least, most)
		}
		*at(a) = d
		return nil
	}
}

func attachedRooms(a *mqtt.Attached, n ast.Node) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return fmt.Errorf("expected a list of names or ids, as in [Living, Bath]")
	}
	for _, v := range list.Values {
		s, err := stringOf(v)
		if err != nil {
			return placed{v, err}
		}
		if s == "" || slices.Contains(a.Circuit.Rooms, s) {
			return fmt.Errorf("%q is empty or named twice", s)
		}
		a.Circuit.Rooms = append(a.Circuit.Rooms, s)
	}
	return nil
}

func attachedEmitter(a *mqtt.Attached, n ast.Node) error {
	s, err := stringOf(n)
	if err != nil {
		return err
	}
	switch e := gateway.Emitter(s); e {
	case gateway.HeatsBoiler, gateway.HeatsRadiator, gateway.HeatsFloor, gateway.HeatsElectric:
		a.Circuit.Heats = e
		return nil
	}
	return fmt.Errorf("%q is none of boiler, radiator, floor, electric", s)
}

// attachedAcceptance takes nothing but the words themselves: nobody accepts by accident.
func attachedAcceptance(a *mqtt.Attached, n ast.Node) error {
	s, err := stringOf(n)
	if err != nil {
		return err
	}
	if s != mqtt.AcceptsNoLease {
		return fmt.Errorf("these words are needed, exactly: %q", mqtt.AcceptsNoLease)
	}
	a.Circuit.Lease = 0
	return nil
}

// attachedDevices is what is attached, with the names of sensors and valves replaced by their ids.
func (c Config) attachedDevices() []mqtt.Attached {
	ids := map[string]gateway.DeviceID{}
	for _, a := range c.Attached {
		ids[a.Name] = a.ID()
	}
	all := slices.Clone(c.Attached)
	for i := range all {
		for _, id := range []*gateway.DeviceID{&all[i].Circuit.Sensor, &all[i].Circuit.Bypass} {
			if known, ok := ids[string(*id)]; ok {
				*id = known
			}
		}
	}
	return all
}
