package peers

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAccessories has our controller keep accessories that hap-nodejs serves, over a line that can be cut.
func TestAccessories(t *testing.T) {
	with := needTools(t)
	relay := startRelay(t, with)
	line := layCable(t, relay.address)
	h := newHouse(t, with, settings{accessories: inRooms})
	h.start()
	o := others{t: t, house: h, relay: relay, line: line, sub: listen(t, h.mqtt, "veilleuse/#")}
	need(t, "veilleuse pair pairs by --address", func() (string, error) { return h.pair(relay, line.address) })
	need(t, "all its devices are read", func() (string, error) { return h.knows(everyDevice...) })
	o.readings()
	o.targets()
	o.alarm()
	o.restart()
	o.cuts()
	o.removed()
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", h.endsSoon)
}

// others is what TestAccessories works with.
type others struct {
	t     *testing.T
	house *house
	relay *relay
	line  *cable
	sub   *listener
}

// topic is the topic of a device.
func (h *house) topic(device string) (string, error) {
	s, err := h.status()
	if err != nil {
		return "", err
	}
	d, err := s.device(device)
	return "veilleuse/device/" + form(d.ID), err
}

// shown waits until the topic of a device shows a reading.
func (o *others) shown(limit time.Duration, since time.Time, device, quantity, want string) (string, error) {
	topic, err := o.house.topic(device)
	if err != nil {
		return "", err
	}
	m, err := o.sub.await(limit, since, topic, func(payload string) bool {
		p := readPage(payload)
		return p.Reachable && p.reading(quantity) == want
	})
	return seconds(m.at.Sub(since)), err
}

// readings checks that what the devices say is on MQTT.
func (o *others) readings() {
	for _, want := range []struct{ device, quantity, value string }{
		{"Living room", "temperature", "19.5"}, {"Living room", "target", "19"},
		{"Bedroom", "temperature", "17.5"}, {"Study", "target", "18"},
		{"Cellar CO", "co", "false"}, {"Landing smoke", "smoke", "false"},
		{"Boiler", "on", "false"}, {"Siren", "siren", "false"},
	} {
		promise(o.t, fmt.Sprintf("MQTT shows %s of %s", want.quantity, want.device), func() (string, error) {
			_, err := o.shown(patience, time.Time{}, want.device, want.quantity, want.value)
			return want.value, err
		})
	}
	promise(o.t, "a change is on MQTT", func() (string, error) { return o.change("Bedroom", "CurrentTemperature", "temperature", 16.5) })
}

// change changes a value at a device and waits for it on MQTT.
func (o *others) change(device, characteristic, quantity string, value any) (string, error) {
	began := time.Now()
	if err := o.relay.set(device, characteristic, value); err != nil {
		return "", err
	}
	return o.shown(patience, began, device, quantity, fmt.Sprint(value))
}

// targets sends wishes by MQTT.
func (o *others) targets() {
	wish := func(room, payload string, device string, want float64) (string, error) {
		s, err := o.house.status()
		if err != nil {
			return "", err
		}
		r, err := s.room(room)
		if err != nil {
			return "", err
		}
		o.relay.forget()
		began := time.Now()
		if err := publish(o.house.mqtt, "veilleuse/room/"+form(r.ID)+"/set", payload); err != nil {
			return "", err
		}
		n, err := o.relay.written(patience, device, "Target Temperature", want)
		return seconds(n.At.Sub(began)), err
	}
	promise(o.t, "a wish over MQTT is written to the thermostat", func() (string, error) {
		return wish("Study", `{"target":21.5,"for":"2h"}`, "Study", 21.5)
	})
	promise(o.t, "a thermostat that goes no lower than 10 °C gets 10 °C for a wish of 8", func() (string, error) {
		return wish("Bedroom", `{"target":8}`, "Bedroom", 10)
	})
}

// alarm lets the smoke sensor see smoke.
func (o *others) alarm() {
	promise(o.t, "smoke turns the siren on", func() (string, error) {
		began := time.Now()
		if err := o.relay.set("Landing smoke", "SmokeDetected", 1); err != nil {
			return "", err
		}
		n, err := o.relay.written(patience, "Siren", "On", true)
		if err != nil {
			return "", err
		}
		_, err = o.sub.await(patience, began, "veilleuse/alarm", func(payload string) bool {
			p := readPage(payload)
			return p.Phase == "sounding" && p.Kind == "smoke"
		})
		return seconds(n.At.Sub(began)), err
	})
	promise(o.t, "hushing it over MQTT turns the siren off", func() (string, error) {
		began := time.Now()
		if err := publish(o.house.mqtt, "veilleuse/alarm/set", `{"hush":true}`); err != nil {
			return "", err
		}
		n, err := o.relay.written(patience, "Siren", "On", false)
		return seconds(n.At.Sub(began)), err
	})
	promise(o.t, "the alarm is over when the sensor says so", func() (string, error) {
		began := time.Now()
		if err := o.relay.set("Landing smoke", "SmokeDetected", 0); err != nil {
			return "", err
		}
		m, err := o.sub.await(patience, began, "veilleuse/alarm", func(payload string) bool { return readPage(payload).Phase == "cleared" })
		return seconds(m.at.Sub(began)), err
	})
}

// restart kills the accessories and serves them again.
func (o *others) restart() {
	promise(o.t, "accessories that vanish are shown as not reachable", func() (string, error) {
		began := time.Now()
		o.relay.stop(syscall.SIGKILL)
		return o.unreachable(patience, began)
	})
	promise(o.t, "they are read again after their restart", func() (string, error) {
		began := time.Now()
		o.relay.start()
		return o.shown(patience, began, "Bedroom", "temperature", "17.5")
	})
	promise(o.t, "and heard again", func() (string, error) { return o.change("Bedroom", "CurrentTemperature", "temperature", 15.5) })
}

// unreachable waits until MQTT shows that a device does not answer.
func (o *others) unreachable(limit time.Duration, since time.Time) (string, error) {
	topic, err := o.house.topic("Bedroom")
	if err != nil {
		return "", err
	}
	m, err := o.sub.await(limit, since, topic, func(payload string) bool {
		p := readPage(payload)
		return p.Name != "" && !p.Reachable
	})
	return seconds(m.at.Sub(since)), err
}

// cuts breaks the connection right after pair-verify, more than once.
func (o *others) cuts() {
	promise(o.t, "two connections cut right after pair-verify are survived", func() (string, error) {
		began := time.Now()
		o.line.cutNext(2)
		if err := o.relay.set("Bedroom", "CurrentTemperature", 14.5); err != nil {
			return "", err
		}
		took, err := o.shown(3*patience, began, "Bedroom", "temperature", "14.5")
		dials, left := o.line.dialled(began)
		if err == nil && (left > 0 || dials > 6) {
			err = fmt.Errorf("%d connections, %d cuts left", dials, left)
		}
		return fmt.Sprintf("%s, %d connections", took, dials), err
	})
}

// removed has the accessories forget us.
func (o *others) removed() {
	began := time.Now()
	promise(o.t, "a pairing removed at the accessory is said, with what to do", func() (string, error) {
		if err := o.relay.ask("forget", nil, nil); err != nil {
			return "", err
		}
		took, err := until(patience, func() error {
			s, err := o.house.status()
			if err != nil {
				return err
			}
			d, err := s.device("Bedroom")
			if err == nil && (d.Reachable || !strings.Contains(d.Why, "pairing was removed")) {
				err = fmt.Errorf("%w: status says %q", errNotYet, d.Why)
			}
			return err
		})
		return seconds(took), err
	})
	promise(o.t, "and followed by no storm of attempts", func() (string, error) {
		time.Sleep(15 * time.Second)
		dials, _ := o.line.dialled(began)
		if dials > 3 {
			return "", fmt.Errorf("%d connections in %s", dials, seconds(time.Since(began)))
		}
		return fmt.Sprintf("%d connections in %s", dials, seconds(time.Since(began))), nil
	})
	promise(o.t, "unpair and pair bring the devices back, with their ids and rooms", func() (string, error) {
		before, err := o.house.topic("Bedroom")
		if err != nil {
			return "", err
		}
		if _, err := o.house.verb("unpair", o.relay.id); err != nil {
			return "", err
		}
		again := time.Now()
		if _, err := o.house.pair(o.relay, o.line.address); err != nil {
			return "", err
		}
		took, err := o.shown(patience, again, "Bedroom", "temperature", "14.5")
		if err != nil {
			return "", err
		}
		after, err := o.house.topic("Bedroom")
		if err == nil && after != before {
			err = fmt.Errorf("the topic is %s, was %s", after, before)
		}
		return took, err
	})
}
