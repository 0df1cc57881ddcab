package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
)

// fieldReaders are the keys of one part of a profile.
type fieldReaders map[string]func(ast.Node) error

// profileList reads how kinds of devices speak over MQTT that the program does not know.
func profileList(c *Config, n ast.Node) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return errors.New("expected a list, each item with name and what devices of the kind say and take")
	}
	var faults []error
	for i, item := range list.Values {
		p, errs := profileItem(item)
		if slices.ContainsFunc(c.Profiles, func(other *mqtt.Profile) bool { return other.Name == p.Name }) {
			errs = append(errs, placed{item, fmt.Errorf("name: %s is there twice", p.Name)})
		}
		faults = append(faults, within(fmt.Sprintf("item %d", i+1), item, errs)...)
		c.Profiles = append(c.Profiles, p)
	}
	return errors.Join(faults...)
}

// profileItem reads one profile and says every fault.
func profileItem(item ast.Node) (*mqtt.Profile, []error) {
	p := &mqtt.Profile{}
	relay := func() *mqtt.Switch {
		if p.Switch == nil {
			p.Switch = &mqtt.Switch{PerSecond: 1, Timer: "its lease"}
		}
		return p.Switch
	}
	faults := readFields(item, "a profile", fieldReaders{
		"name": textField((*string)(&p.Name)),
		"seen": textField(&p.Seen),
		"availability": func(n ast.Node) error {
			s := mqtt.Sign{Why: "its availability topic says that it is not there"}
			err := readPart(n, "availability", fieldReaders{"topic": textField(&s.Topic), "key": textField(&s.Key), "yes": textField(&s.Yes), "no": textField(&s.No)})
			p.Signs = append(p.Signs, s)
			return err
		},
		"ask": func(n ast.Node) error {
			s := mqtt.Say{}
			err := readPart(n, "ask", sayFields(&s))
			p.Ask = append(p.Ask, s)
			return err
		},
		"readings": func(n ast.Node) error { return readingList(p, n) },
		"state": func(n ast.Node) error {
			s := &relay().State
			return readPart(n, "state", fieldReaders{"topic": textField(&s.Topic), "key": textField(&s.Key), "on": textField(&s.Yes), "off": textField(&s.No)})
		},
		"command": func(n ast.Node) error {
			s := relay()
			return readPart(n, "command", fieldReaders{"topic": textField(&s.Topic), "on": textField(&s.On), "off": textField(&s.Off), "leased": textField(&s.OnLeased)})
		},
		"left": func(n ast.Node) error { return leaseField(relay(), n) },
		"target": func(n ast.Node) error {
			s, key := &mqtt.Setpoint{}, ""
			p.Setpoint = s
			err := readPart(n, "target", fieldReaders{"topic": textField(&s.State), "key": textField(&key), "command": textField(&s.Topic), "payload": textField(&s.Payload)})
			if key != "" {
				s.Keys = []string{key}
			}
			return err
		},
	})
	if len(faults) == 0 {
		if err := p.Check(); err != nil {
			faults = splitErrors(err)
		}
	}
	return p, faults
}

// leaseField reads where a device shows what is left of its lease.
func leaseField(s *mqtt.Switch, n ast.Node) error {
	return readPart(n, "left", fieldReaders{
		"topic": textField(&s.Left.Topic), "key": textField(&s.Left.Key),
		"per_second": func(n ast.Node) error {
			f, err := strconv.ParseFloat(n.GetToken().Value, 64)
			if err != nil || !isNumber(n) || !(f >= 0.001 && f <= 1000) {
				return fmt.Errorf("%s is not how many it counts in a second: 0.001 to 1000", shown(n))
			}
			s.PerSecond = f
			return nil
		},
		"ask": func(n ast.Node) error {
			s.AskLeft = &mqtt.Say{}
			return readPart(n, "ask", sayFields(s.AskLeft))
		},
	})
}

func readingList(p *mqtt.Profile, n ast.Node) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return errors.New("expected a list, each item with quantity and key")
	}
	var faults []error
	for _, item := range list.Values {
		var e mqtt.Extract
		quantity := ""
		faults = append(faults, readFields(item, "a reading", fieldReaders{"topic": textField(&e.Topic), "key": textField(&e.Key),
			"quantity": textField(&quantity), "yes": textField(&e.Yes), "no": textField(&e.No)})...)
		e.Quantity = gateway.Quantity(quantity)
		p.Readings = append(p.Readings, e)
	}
	return errors.Join(faults...)
}

func sayFields(s *mqtt.Say) fieldReaders {
	return fieldReaders{"topic": textField(&s.Topic), "payload": textField(&s.Payload)}
}

func textField(at *string) func(ast.Node) error {
	return func(n ast.Node) (err error) {
		*at, err = stringOf(n)
		return err
	}
}

// readPart reads one part of a profile.
func readPart(n ast.Node, what string, fields fieldReaders) error {
	return errors.Join(readFields(n, what, fields)...)
}

// readFields reads keys, each fault with its place.
func readFields(n ast.Node, what string, fields fieldReaders) (faults []error) {
	all := pairs(n)
	if len(all) == 0 {
		return []error{placed{n, fmt.Errorf("expected keys: %s", fieldNames(fields))}}
	}
	for _, pair := range all {
		name := pair.Key.GetToken().Value
		read, ok := fields[name]
		if !ok {
			faults = append(faults, placed{pair.Key, fmt.Errorf("%s is no key of %s; it has %s", name, what, fieldNames(fields))})
			continue
		}
		if err := read(pair.Value); err != nil {
			faults = append(faults, within(name, pair.Value, splitErrors(err))...)
		}
	}
	return faults
}

func fieldNames(fields fieldReaders) string {
	return strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

// profile finds a profile of the user's by the kind that a device names.
func (c Config) profile(kind mqtt.Kind) *mqtt.Profile {
	for _, p := range c.Profiles {
		if p.Name == kind {
			return p
		}
	}
	return nil
}
