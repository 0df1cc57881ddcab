package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Short forms of the types in HomeKit's database that the tests look for.
const (
	accessoryInformation = "3E"
	nameType             = "23"
	currentTemperature   = "11"
	targetTemperature    = "35"
	guardCurrent         = "66"
	guardTarget          = "67"
	coDetected           = "69"
	contactState         = "6A"
)

// database is what a controller reads of a bridge.
type database struct{ Accessories []accessory }

type accessory struct {
	AID      uint64
	Services []struct {
		Type            string
		Characteristics []characteristic
	}
}

type characteristic struct {
	IID   uint64
	Type  string
	Perms []string
	Value any
}

// shortType undoes what controllers do to types: 0000003E-0000-1000-8000-0026BB765291 is 3E.
func shortType(long string) string {
	short, _, _ := strings.Cut(strings.ToUpper(long), "-")
	return strings.TrimLeft(short, "0")
}

// find returns the id, as aid.iid, of a characteristic of the accessory of that name.
func (d database) find(name, kind string) (id string, c characteristic, err error) {
	var names []string
	for _, a := range d.Accessories {
		called := a.name()
		names = append(names, called)
		if called != name {
			continue
		}
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				if shortType(c.Type) == kind {
					return fmt.Sprintf("%d.%d", a.AID, c.IID), c, nil
				}
			}
		}
	}
	return "", characteristic{}, fmt.Errorf("no %s of %q among the accessories %q", kind, name, names)
}

// has reports whether there are so many accessories at least, and among them those named.
func (d database) has(least int, names []string) error {
	called := map[string]bool{}
	for _, a := range d.Accessories {
		called[a.name()] = true
	}
	for _, name := range names {
		if !called[name] {
			return fmt.Errorf("%w: there is no %q among %d accessories", errNotYet, name, len(d.Accessories))
		}
	}
	if len(d.Accessories) < least {
		return fmt.Errorf("%w: there are %d accessories only", errNotYet, len(d.Accessories))
	}
	return nil
}

func (a accessory) name() string {
	for _, s := range a.Services {
		if shortType(s.Type) != accessoryInformation {
			continue
		}
		for _, c := range s.Characteristics {
			if shortType(c.Type) == nameType {
				return fmt.Sprint(c.Value)
			}
		}
	}
	return ""
}

// with lists the ids of all characteristics that have a permission: pr (read), ev (events).
func (d database) with(permission string) []string {
	var ids []string
	for _, a := range d.Accessories {
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				for _, p := range c.Perms {
					if p == permission {
						ids = append(ids, fmt.Sprintf("%d.%d", a.AID, c.IID))
					}
				}
			}
		}
	}
	return ids
}

// values reads the characteristics of an answer or an event of either controller: hap-controller gives
// a list, aiohomekit an object by id.
func values(raw json.RawMessage) map[string]any {
	all := map[string]any{}
	var list []struct {
		AID, IID uint64
		Value    any
	}
	if json.Unmarshal(raw, &list) == nil {
		for _, c := range list {
			all[fmt.Sprintf("%d.%d", c.AID, c.IID)] = c.Value
		}
		return all
	}
	var byID map[string]struct{ Value any }
	_ = json.Unmarshal(raw, &byID)
	for id, c := range byID {
		all[id] = c.Value
	}
	return all
}

// event waits until a controller is told of a value.
func (s *stranger) event(limit time.Duration, id string, want any) (news, error) {
	var told []string
	n, err := s.await(limit, func(n news) bool {
		got, ok := values(n.Characteristics)[id]
		if ok {
			told = append(told, fmt.Sprint(got))
		}
		return ok && fmt.Sprint(got) == fmt.Sprint(want)
	})
	if err != nil {
		err = fmt.Errorf("no event %s = %v: %w; it was told %q", id, want, err, told)
	}
	return n, err
}

// readsAll reads every value, as many in one request as iOS does, and says how many there are.
func (s *stranger) readsAll(d database) (int, error) {
	ids, read := d.with("pr"), 0
	for len(ids) > 0 {
		n := min(len(ids), 40)
		var answer json.RawMessage
		if err := s.ask("read", map[string]any{"ids": ids[:n]}, &answer); err != nil {
			return read, err
		}
		got := values(answer)
		for _, id := range ids[:n] {
			if _, ok := got[id]; !ok {
				return read, fmt.Errorf("%s was asked for and is not in the answer", id)
			}
		}
		read, ids = read+len(got), ids[n:]
	}
	if read == 0 {
		return 0, errors.New("there is nothing to read")
	}
	return read, nil
}
