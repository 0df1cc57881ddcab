package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inRooms is the configuration that tells where the thermostats of accessories.js stand.
var inRooms = []string{
	"  - id: 04:00:00:00:00:01\n    room: Living room\n",
	"  - id: 09:00:00:00:00:01\n    room: Bedroom\n",
	"  - id: AE:5A:01:00:00:04\n    room: Study\n",
}

// pair pairs the house with the relay at an address, by the verb.
func (h *house) pair(r *relay, address string) (string, error) {
	began := time.Now()
	_, err := h.verb("pair", "--address", address, r.id, r.code)
	return seconds(time.Since(began)), err
}

// knows waits until the house has read all devices of a relay.
func (h *house) knows(names ...string) (string, error) {
	took, err := until(patience, func() error {
		s, err := h.status()
		if err != nil {
			return err
		}
		for _, name := range names {
			d, err := s.device(name)
			if err == nil && (!d.Reachable || len(d.Readings) == 0) {
				err = fmt.Errorf("%w: %s has %d readings, reachable: %t, %s", errNotYet, name, len(d.Readings), d.Reachable, d.Why)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return seconds(took), err
}

var everyDevice = []string{"Boiler", "Living room", "Bedroom", "Study", "Cellar CO", "Landing smoke", "Siren", "Front door"}

// TestBridge lets two controllers that others wrote use our bridge, in a house without cloud whose
// thermostats are served by hap-nodejs.
func TestBridge(t *testing.T) {
	with := needTools(t)
	relay := startRelay(t, with)
	h := newHouse(t, with, settings{accessories: append(slices.Clip(inRooms), "  - id: AE:5A:01:00:00:07\n    siren: true\n"),
		more: "guard:\n  sensors:\n    - {device: Front door, modes: [stay]}\n"})
	h.start()
	need(t, "veilleuse pair pairs with accessories of hap-nodejs", func() (string, error) { return h.pair(relay, relay.address) })
	need(t, "all its devices are read", func() (string, error) { return h.knows(everyDevice...) })
	var code, address string
	need(t, "veilleuse code --json gives code and address", func() (_ string, err error) {
		code, address, err = h.code()
		return "", err
	})
	home := startHomeApp(t, with)
	b := bridge{t: t, house: h, relay: relay, code: code, address: address, home: home, shows: inTheHomeApp}
	b.firstController()
	b.steer()
	b.guard()
	b.secondController()
	b.pairAnew()
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", h.endsSoon)
}

// bridge is what TestBridge works with.
type bridge struct {
	t             *testing.T
	house         *house
	relay         *relay
	code, address string
	home          *stranger
	pairing       struct{ Controller, Accessory, AccessoryKey string }
	database      database
	shows         []string // accessories by their names, which it ought to have
}

// inTheHomeApp is what the devices of accessories.js are with the rooms of inRooms.
var inTheHomeApp = []string{"Boiler", "Living room", "Bedroom", "Study", "Cellar CO", "Landing smoke", "Siren", "Front door"}

// firstController pairs hap-controller, reads and subscribes.
func (b *bridge) firstController() {
	b.t.Helper()
	ask := map[string]any{"address": b.address, "device": "", "code": b.code}
	need(b.t, "hap-controller pairs by the setup code", func() (string, error) {
		began := time.Now()
		err := b.home.ask("pair", ask, &b.pairing)
		return seconds(time.Since(began)), err
	})
	promise(b.t, "hap-controller reads every accessory and every value", func() (string, error) { return b.readAll(b.home, 6) })
	need(b.t, "hap-controller subscribes to everything", func() (string, error) {
		ids := b.database.with("ev")
		return fmt.Sprintf("%d characteristics", len(ids)), b.home.ask("subscribe", map[string]any{"ids": ids}, nil)
	})
}

// readAll reads the database, which has so many accessories at least, and each value again.
func (b *bridge) readAll(s *stranger, least int) (string, error) {
	_, err := until(patience, func() error { // the house may know of a device a moment before the bridge shows it
		b.database = database{}
		if err := s.ask("accessories", nil, &b.database); err != nil {
			return err
		}
		return b.database.has(least, b.shows)
	})
	if err != nil {
		return "", err
	}
	n, err := s.readsAll(b.database)
	return fmt.Sprintf("%d accessories, %d values", len(b.database.Accessories), n), err
}

// steer checks the ways of a value: from a device and from MQTT to the Home app, and back to the device.
func (b *bridge) steer() {
	b.t.Helper()
	var current, target, bedroom string
	need(b.t, "each room with a thermostat is a thermostat", func() (_ string, err error) {
		for _, room := range []string{"Living room", "Bedroom", "Study"} {
			if target, _, err = b.database.find(room, targetTemperature); err != nil {
				return "", err
			}
		}
		current, _, err = b.database.find("Study", currentTemperature)
		if err != nil {
			return "", err
		}
		bedroom, err = b.room("Bedroom")
		return "", err
	})
	promise(b.t, "a change at a device is an event in the Home app", func() (string, error) {
		began := time.Now()
		if err := b.relay.set("Study", "CurrentTemperature", 16.5); err != nil {
			return "", err
		}
		n, err := b.home.event(patience, current, 16.5)
		return seconds(n.At.Sub(began)), err
	})
	promise(b.t, "a target written in the Home app reaches the device", func() (string, error) {
		began := time.Now()
		if err := b.write(b.home, target, 22); err != nil {
			return "", err
		}
		n, err := b.relay.written(patience, "Study", "Target Temperature", 22)
		return seconds(n.At.Sub(began)), err
	})
	promise(b.t, "a wish over MQTT is an event in the Home app and reaches the device", func() (string, error) {
		id, _, err := b.database.find("Bedroom", targetTemperature)
		if err != nil {
			return "", err
		}
		began := time.Now()
		if err := publish(b.house.mqtt, "veilleuse/room/"+bedroom+"/set", `{"target":20.5,"for":"2h"}`); err != nil {
			return "", err
		}
		n, err := b.home.event(patience, id, 20.5)
		if err != nil {
			return "", err
		}
		_, err = b.relay.written(patience, "Bedroom", "Target Temperature", 20.5)
		return seconds(n.At.Sub(began)), err
	})
	promise(b.t, "300 °C is refused, and nothing changes", func() (string, error) {
		if err := b.write(b.home, target, 300); err == nil {
			return "", errors.New("it was taken")
		}
		return "", b.relay.shows("Study", "TargetTemperature", 22)
	})
}

// guard has the house watched from the Home app, and lets somebody come in.
func (b *bridge) guard() {
	b.t.Helper()
	const stay, off, triggered = 0, 3, 4
	var current, target string
	need(b.t, "the guard is a security system, which is off", func() (_ string, err error) {
		var shown characteristic
		if target, _, err = b.database.find("Veilleuse", guardTarget); err != nil {
			return "", err
		}
		current, shown, err = b.database.find("Veilleuse", guardCurrent)
		if err == nil && fmt.Sprint(shown.Value) != fmt.Sprint(off) {
			err = fmt.Errorf("it shows %v", shown.Value)
		}
		return "", err
	})
	sees := func(after func() error, state int, siren bool) (string, error) {
		began := time.Now()
		if err := after(); err != nil {
			return "", err
		}
		n, err := b.home.event(patience, current, state)
		if err == nil && state != stay {
			_, err = b.relay.written(patience, "Siren", "On", siren)
		}
		return seconds(n.At.Sub(began)), err
	}
	promise(b.t, "it is set in the Home app", func() (string, error) {
		return sees(func() error { return b.write(b.home, target, stay) }, stay, false)
	})
	promise(b.t, "a door that is opened then is an alarm in the Home app, and the siren sounds", func() (string, error) {
		return sees(func() error { return b.relay.set("Front door", "ContactSensorState", 1) }, triggered, true)
	})
	promise(b.t, "switched off in the Home app, the alarm is over and the siren silent", func() (string, error) {
		return sees(func() error { return b.write(b.home, target, off) }, off, false)
	})
	promise(b.t, "with the door open it is refused, and stays off", func() (string, error) {
		if err := publish(b.house.mqtt, "veilleuse/home/set", `{"guard":"stay"}`); err != nil {
			return "", err
		}
		_, err := until(patience, func() error {
			s, err := b.house.status()
			if err == nil && !strings.Contains(s.lately(), "the guard for stay") {
				err = fmt.Errorf("%w: lately: %s", errNotYet, s.lately())
			}
			return err
		})
		return "", err
	})
}

// room is the id of a room as it stands in topics.
func (b *bridge) room(name string) (string, error) {
	s, err := b.house.status()
	if err != nil {
		return "", err
	}
	r, err := s.room(name)
	return form(r.ID), err
}

// write writes one value; a refusal is an error.
func (b *bridge) write(s *stranger, id string, value any) error {
	var answer json.RawMessage
	if err := s.ask("write", map[string]any{"values": map[string]any{id: value}}, &answer); err != nil {
		return err
	}
	var refused struct{ Characteristics []struct{ Status int } }
	_ = json.Unmarshal(answer, &refused) // aiohomekit's answer has another form
	var byID map[string]struct{ Status int }
	_ = json.Unmarshal(answer, &byID)
	for _, c := range refused.Characteristics {
		if c.Status != 0 {
			return fmt.Errorf("status %d", c.Status)
		}
	}
	if c := byID[id]; c.Status != 0 {
		return fmt.Errorf("status %d", c.Status)
	}
	return nil
}

// secondController has hap-controller add aiohomekit, which in the end removes it.
func (b *bridge) secondController() {
	b.t.Helper()
	second := startAioHome(b.t, b.house.with)
	var identity struct{ Controller, Key string }
	need(b.t, "hap-controller adds aiohomekit as a second controller", func() (string, error) {
		if err := second.ask("identity", nil, &identity); err != nil {
			return "", err
		}
		if err := b.home.ask("add", map[string]any{"controller": identity.Controller, "key": identity.Key}, nil); err != nil {
			return "", err
		}
		return "", second.ask("join", map[string]any{"address": b.address, "accessory": b.pairing.Accessory, "accessoryKey": b.pairing.AccessoryKey}, nil)
	})
	promise(b.t, "aiohomekit reads every accessory and every value", func() (string, error) { return b.readAll(second, 6) })
	promise(b.t, "aiohomekit lists both controllers as administrators", func() (string, error) {
		var list []struct{ PairingID, ControllerType string }
		if err := second.ask("pairings", nil, &list); err != nil {
			return "", err
		}
		if len(list) != 2 || list[0].ControllerType != "admin" || list[1].ControllerType != "admin" {
			return "", fmt.Errorf("the list is %+v", list)
		}
		return "", nil
	})
	target, _, err := b.database.find("Study", targetTemperature)
	if err != nil {
		b.t.Fatal(err)
	}
	promise(b.t, "what one controller writes is an event for the other, not for itself", func() (string, error) {
		if err := second.ask("subscribe", map[string]any{"ids": b.database.with("ev")}, nil); err != nil {
			return "", err
		}
		b.home.forget()
		began := time.Now()
		if err := b.write(b.home, target, 19.5); err != nil {
			return "", err
		}
		n, err := second.event(patience, target, 19.5)
		if err != nil {
			return "", err
		}
		if _, err := b.home.event(time.Second, target, 19.5); err == nil {
			return "", errors.New("the writer was told as well")
		}
		return seconds(n.At.Sub(began)), nil
	})
	promise(b.t, "a target written by aiohomekit reaches the device and the Home app", func() (string, error) {
		if err := b.write(second, target, 18.5); err != nil {
			return "", err
		}
		if _, err := b.home.event(patience, target, 18.5); err != nil {
			return "", err
		}
		_, err := b.relay.written(patience, "Study", "Target Temperature", 18.5)
		return "", err
	})
	promise(b.t, "a controller that was removed is refused", func() (string, error) {
		if err := second.ask("unpair", map[string]any{"controller": b.pairing.Controller}, nil); err != nil {
			return "", err
		}
		if err := b.home.ask("again", nil, nil); err != nil {
			return "", err
		}
		if err := b.home.ask("accessories", nil, nil); err == nil {
			return "", errors.New("it still reads")
		}
		return "", nil
	})
	promise(b.t, "the last administrator unpairs itself", func() (string, error) {
		return "", second.ask("unpair", map[string]any{"controller": identity.Controller}, nil)
	})
	second.stop(syscall.SIGTERM)
}

// pairAnew lets each controller pair with the bridge that nobody is paired with.
func (b *bridge) pairAnew() {
	b.t.Helper()
	second := startAioHome(b.t, b.house.with)
	promise(b.t, "aiohomekit pairs by the setup code, reads, writes and unpairs", func() (string, error) {
		return b.wholeLife(second)
	})
	home := startHomeApp(b.t, b.house.with)
	promise(b.t, "hap-controller pairs again after it, reads, writes and unpairs", func() (string, error) {
		return b.wholeLife(home)
	})
}

// wholeLife is a controller that comes and goes.
func (b *bridge) wholeLife(s *stranger) (string, error) {
	var paired struct{ Controller string }
	began := time.Now()
	ask := map[string]any{"address": b.address, "device": b.pairing.Accessory, "code": b.code}
	if err := s.ask("pair", ask, &paired); err != nil {
		return "", err
	}
	took := time.Since(began)
	figure, err := b.readAll(s, 6)
	if err != nil {
		return "", err
	}
	target, c, err := b.database.find("Study", targetTemperature)
	if err != nil {
		return "", err
	}
	want := 17.0
	if fmt.Sprint(c.Value) == "17" {
		want = 21
	}
	if err := b.write(s, target, want); err != nil {
		return "", err
	}
	if _, err := b.relay.written(patience, "Study", "Target Temperature", want); err != nil {
		return "", err
	}
	return "paired in " + seconds(took) + ", " + figure, s.ask("unpair", map[string]any{"controller": paired.Controller}, nil)
}
