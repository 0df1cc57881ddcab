package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
)

const thermometers = 200 // behind two bridges of others, as one can have no more than 149

// thermometerAID is the id of the one of that number behind its bridge.
func thermometerAID(number int) uint64 { return uint64(number%(thermometers/2)) + hap.BridgeAID + 1 }

// startThermometers serves half of them, each with a hardware address of its own.
func startThermometers(t *testing.T, half int) *haptest.Accessory {
	t.Helper()
	list := []hap.Accessory{haptest.Bridge(fmt.Sprintf("Half %d", half))}
	for i := range thermometers / 2 {
		number := half*thermometers/2 + i
		a := haptest.Bridge(fmt.Sprintf("Thermometer %03d", number))
		a.AID = thermometerAID(number)
		for c := range a.Services[0].Characteristics {
			if at := &a.Services[0].Characteristics[c]; at.Type == hap.CharacteristicSerialNumber {
				at.Value = hap.TextValue(fmt.Sprintf("70:ee:50:11:22:%02x", number))
			}
		}
		low, high := -40.0, 60.0
		a.Services = append(a.Services, hap.Service{IID: 8, Type: hap.ServiceTemperatureSensor, Primary: true, Characteristics: []hap.Characteristic{
			{IID: currentIID, Type: hap.CharacteristicCurrentTemperature, Perms: []hap.Perm{hap.PermRead, hap.PermEvents}, Format: hap.FormatFloat,
				Unit: "celsius", MinValue: &low, MaxValue: &high, Value: hap.NumberValue(15)},
		}})
		list = append(list, a)
	}
	served, err := haptest.StartAccessory(haptest.Options{Accessories: list})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { served.Close() })
	return served
}

// bridgeCode is one bridge in what veilleuse code --json prints.
type bridgeCode struct {
	Code, Listen, Name string
	Controllers        int
	More               []bridgeCode
}

func (h *house) codes(verb ...string) ([]bridgeCode, error) {
	out, err := h.verb(append(verb, "--json")...)
	var first bridgeCode
	if err == nil {
		err = json.Unmarshal([]byte(out), &first)
	}
	return append([]bridgeCode{first}, first.More...), err
}

// TestCrowd lets a stranger use both bridges of a house that is too big for one.
func TestCrowd(t *testing.T) {
	with := needTools(t)
	halves := []*haptest.Accessory{startThermometers(t, 0), startThermometers(t, 1)}
	h := newHouse(t, with, settings{})
	h.start()
	for i, half := range halves {
		need(t, fmt.Sprintf("veilleuse pair pairs with half %d of %d thermometers", i+1, thermometers), func() (string, error) {
			_, err := h.verb("pair", "--address", half.Address(), half.ID(), half.Code())
			return "", err
		})
	}
	var all []bridgeCode
	need(t, "veilleuse code --json has a second bridge by itself", func() (string, error) {
		took, err := until(patience, func() (err error) {
			if all, err = h.codes("code"); err == nil && (len(all) != 2 || all[1].Listen == "" || all[1].Code == all[0].Code) {
				err = fmt.Errorf("%w: the bridges are %+v", errNotYet, all)
			}
			return err
		})
		return seconds(took), err
	})
	c := crowd{t: t, house: h, halves: halves, bridges: all}
	c.pair()
	c.read()
	c.event()
	c.restart()
	c.reset()
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", h.endsSoon)
}

// crowd is what TestCrowd works with.
type crowd struct {
	t       *testing.T
	house   *house
	halves  []*haptest.Accessory
	bridges []bridgeCode
	apps    []*stranger
	data    []database
}

func (c *crowd) pair() {
	c.t.Helper()
	for _, b := range c.bridges {
		app := startHomeApp(c.t, c.house.with)
		need(c.t, "hap-controller pairs with "+b.Name, func() (string, error) {
			began := time.Now()
			err := app.ask("pair", map[string]any{"address": b.Listen, "device": "", "code": b.Code}, nil)
			return seconds(time.Since(began)), err
		})
		c.apps = append(c.apps, app)
	}
	promise(c.t, "each bridge counts one controller", func() (string, error) {
		_, err := until(patience, func() error {
			all, err := c.house.codes("code")
			if err == nil && (len(all) != 2 || all[0].Controllers != 1 || all[1].Controllers != 1) {
				err = fmt.Errorf("%w: %+v", errNotYet, all)
			}
			return err
		})
		return "", err
	})
}

// places reads both bridges: where each accessory stands, by its name.
func (c *crowd) places() (map[string]string, error) {
	where := map[string]string{}
	c.data = nil
	for i, app := range c.apps {
		var d database
		if err := app.ask("accessories", nil, &d); err != nil {
			return nil, err
		}
		if len(d.Accessories) > hap.AccessoriesMax {
			return nil, fmt.Errorf("%s has %d accessories", c.bridges[i].Name, len(d.Accessories))
		}
		for _, a := range d.Accessories {
			name := a.name()
			if a.AID == hap.BridgeAID {
				name = fmt.Sprintf("bridge %d", i+1)
			}
			if other := where[name]; other != "" {
				return nil, fmt.Errorf("%q stands at %s and at %d.%d", name, other, i+1, a.AID)
			}
			where[name] = fmt.Sprintf("%d.%d", i+1, a.AID)
		}
		c.data = append(c.data, d)
	}
	return where, nil
}

func (c *crowd) read() {
	c.t.Helper()
	need(c.t, "hap-controller sees every thermometer once, on one bridge or the other, and reads every value", func() (figure string, err error) {
		_, err = until(patience, func() error {
			where, err := c.places()
			for number := range thermometers {
				if name := fmt.Sprintf("Thermometer %03d", number); err == nil && where[name] == "" {
					err = fmt.Errorf("%w: %s is missing among %d", errNotYet, name, len(where))
				}
			}
			return err
		})
		for i := range c.data {
			if err == nil {
				var n int
				n, err = c.apps[i].readsAll(c.data[i])
				figure += fmt.Sprintf("%s: %d accessories, %d values; ", c.bridges[i].Name, len(c.data[i].Accessories), n)
			}
		}
		return figure, err
	})
}

// event changes a thermometer of the second bridge.
func (c *crowd) event() {
	c.t.Helper()
	promise(c.t, "a change at a device is an event of the second bridge", func() (string, error) {
		for number := range thermometers {
			id, _, err := c.data[1].find(fmt.Sprintf("Thermometer %03d", number), currentTemperature)
			if err != nil {
				continue // it is on the first
			}
			if err := c.apps[1].ask("subscribe", map[string]any{"ids": []string{id}}, nil); err != nil {
				return "", err
			}
			began := time.Now()
			value := hap.Value{ID: hap.CharacteristicID{AID: thermometerAID(number), IID: currentIID}, Value: hap.NumberValue(26.5)}
			if err := c.halves[number/(thermometers/2)].Set(value); err != nil {
				return "", err
			}
			n, err := c.apps[1].event(patience, id, 26.5)
			return seconds(n.At.Sub(began)), err
		}
		return "", errors.New("there is no thermometer on the second bridge")
	})
}

// restart looks whether everybody finds everything where it was.
func (c *crowd) restart() {
	c.t.Helper()
	promise(c.t, "after a restart everything stands where it stood, for the controllers that were paired", func() (string, error) {
		before, err := c.places()
		if err != nil {
			return "", err
		}
		c.house.end()
		c.house.start()
		now, err := c.awaitBridges()
		if err != nil {
			return "", err
		}
		if now[1].Listen != c.bridges[1].Listen {
			return "", fmt.Errorf("the second bridge was at %s and is at %s", c.bridges[1].Listen, now[1].Listen)
		}
		for i, app := range c.apps {
			if err := app.ask("move", map[string]any{"address": now[i].Listen}, nil); err != nil {
				return "", err
			}
		}
		after, err := c.places()
		if err == nil && !maps.Equal(before, after) {
			err = fmt.Errorf("%d accessories were there, %d are", len(before), len(after))
		}
		return fmt.Sprintf("%d accessories", len(after)), err
	})
}

// awaitBridges waits until both are served.
func (c *crowd) awaitBridges() (all []bridgeCode, err error) {
	_, err = until(patience, func() error {
		if all, err = c.house.codes("code"); err == nil && (len(all) != 2 || all[0].Listen == "127.0.0.1:0") {
			err = fmt.Errorf("%w: the bridges are %+v", errNotYet, all)
		}
		return err
	})
	return all, err
}

// reset forgets everybody on both bridges.
func (c *crowd) reset() {
	c.t.Helper()
	promise(c.t, "veilleuse pair-home --reset forgets both controllers, and a new one pairs by the new code", func() (string, error) {
		if _, err := c.house.verb("pair-home", "--reset", "--yes"); err != nil {
			return "", err
		}
		now, err := c.awaitBridges()
		if err != nil {
			return "", err
		}
		for i, b := range now {
			if b.Controllers != 0 || b.Code == c.bridges[i].Code {
				return "", fmt.Errorf("%s has %d controllers and the code %s", b.Name, b.Controllers, b.Code)
			}
			if err := c.apps[i].ask("move", map[string]any{"address": b.Listen}, nil); err != nil {
				return "", err
			}
			if err := c.apps[i].ask("accessories", nil, nil); err == nil {
				return "", fmt.Errorf("%s is still read by a controller that was forgotten", b.Name)
			}
		}
		fresh := startHomeApp(c.t, c.house.with)
		return "", fresh.ask("pair", map[string]any{"address": now[1].Listen, "device": "", "code": now[1].Code}, nil)
	})
}
