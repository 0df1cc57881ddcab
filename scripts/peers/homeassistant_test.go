package peers

import (
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// TestHomeAssistant shows a house in Home Assistant and steers it from there.
func TestHomeAssistant(t *testing.T) {
	with := needTools(t)
	address := freeAddress(t)
	startMosquitto(t, address)
	relay := startRelay(t, with)
	cloud, url, witness := startCloud(t, netatmotest.Home{})
	guard := "guard:\n  exit: 0s\n  sensors:\n    - {device: Front door, modes: [stay]}\n"
	m := &messages{t: t, relay: relay, cloud: cloud}
	m.house = newHouse(t, with, settings{broker: address, cloud: url, witness: witness, more: guard})
	m.house.amend("mqtt:\n", "mqtt:\n  pictures: true\n")
	need(t, "login and pair work before the daemon runs", func() (string, error) {
		return m.house.pair(relay, relay.address)
	})
	if err := m.house.signIn(cloud); err != nil {
		t.Fatal(err)
	}
	m.house.start()
	m.sub = listen(t, address, "veilleuse/#")
	need(t, "the plan is copied and all devices are read", func() (string, error) {
		if err := m.house.hasPlan(); err != nil {
			return "", err
		}
		return m.house.knows("Boiler", "Study", "Cellar CO", "Landing smoke", "Front door")
	})
	h := newHomeAssistant(t, with, address)
	need(t, "Home Assistant starts", h.start)
	need(t, "Home Assistant uses the broker", func() (string, error) { return "", h.connect() })
	a := &assisted{homeAssistant: h, messages: m, t: t}
	a.everythingIsThere()
	a.steers()
	a.alarms()
	a.guards()
	a.pictures()
	a.dies()
	a.restarts()
	a.forgets(guard)
	promise(t, "Home Assistant found no fault with anything it was told", func() (string, error) { return "", h.faults() })
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
}

// assisted is what TestHomeAssistant works with.
type assisted struct {
	*homeAssistant
	*messages
	t *testing.T
}

func (a *assisted) everythingIsThere() {
	promise(a.t, "every device is there with class, unit and state", func() (figure string, err error) {
		took, err := until(patience, func() error {
			figure, err = a.compare()
			return err
		})
		return figure + ", " + seconds(took), err
	})
	promise(a.t, "every room that is heated has a thermostat with its range, step and presets", func() (string, error) {
		rooms := 0
		_, err := until(patience, func() (err error) {
			rooms, err = a.thermostats()
			return err
		})
		return fmt.Sprintf("%d rooms", rooms), err
	})
}

// thermostats counts them, and looks at what each offers.
func (a *assisted) thermostats() (n int, err error) {
	all, err := a.entities()
	for id, e := range all {
		if e.Platform != "climate" {
			continue
		}
		n++
		got := fmt.Sprint(e.Attributes["min_temp"], e.Attributes["max_temp"], e.Attributes["target_temp_step"], e.Attributes["hvac_modes"], e.Attributes["preset_modes"])
		if want := "7 28 0.5 [auto heat off] [none schedule away frost boost]"; got != want {
			return n, fmt.Errorf("%s has %s, want %s", id, got, want)
		}
	}
	if err == nil && n < 2 {
		err = fmt.Errorf("%w: there are %d", errNotYet, n)
	}
	return n, err
}

// compare looks for each reading of the house among the entities.
func (a *assisted) compare() (string, error) {
	s, err := a.house.status()
	if err != nil {
		return "", err
	}
	all, err := a.entities()
	if err != nil {
		return "", err
	}
	var faults []string
	compared := 0
	for _, d := range s.Devices {
		base := "veilleuse-device-" + form(d.ID)
		if e := all[base+"-reachable"]; e.text("device_class") != "connectivity" || e.State != onOff(d.Reachable) {
			faults = append(faults, fmt.Sprintf("%s is reachable: %t, shown as %+v", d.Name, d.Reachable, e))
		}
		for _, r := range d.Readings {
			kind, known := kinds[r.Quantity]
			if !known || !d.Reachable {
				continue
			}
			compared++
			e := all[base+"-"+r.Quantity]
			got := [4]string{e.Platform, e.text("device_class"), e.text("unit_of_measurement"), e.text("state_class")}
			if got != kind || !sameState(e.State, r.Value) || e.Device != d.Name {
				faults = append(faults, fmt.Sprintf("%s of %s (%v) is shown as %q %v of %q", r.Quantity, d.Name, r.Value, e.State, got, e.Device))
			}
		}
	}
	if len(faults) > 0 {
		return "", fmt.Errorf("%d faults: %s", len(faults), strings.Join(faults[:min(6, len(faults))], "; "))
	}
	if compared < 20 {
		return "", fmt.Errorf("%w: only %d readings", errNotYet, compared)
	}
	return fmt.Sprintf("%d readings of %d devices, %d entities", compared, len(s.Devices), len(all)), nil
}

func (a *assisted) livingRoom() string { return "veilleuse-room-" + netatmotest.LivingRoom }

// steers moves a room and the home from Home Assistant.
func (a *assisted) steers() {
	promise(a.t, "a target set in Home Assistant moves the room, the cloud is told, and it is shown back", func() (string, error) {
		if err := a.act(a.livingRoom(), "set_temperature", map[string]any{"temperature": 21.5}); err != nil {
			return "", err
		}
		took, err := a.shows(patience, a.livingRoom(), func(e entity) bool {
			return e.State == "heat" && e.text("temperature") == "21.5" && e.text("preset_mode") == "none"
		})
		if err != nil {
			return "", err
		}
		_, err = until(patience, func() error {
			if r := a.cloud.Room(netatmotest.LivingRoom); r.Target != 21.5 {
				return fmt.Errorf("%w: the cloud has %+v", errNotYet, r)
			}
			return nil
		})
		return took, err
	})
	promise(a.t, "the preset boost holds the room at the maximum, schedule gives it back", func() (string, error) {
		return a.presets("boost", func(e entity) bool { return e.text("temperature") == "28" && e.text("preset_mode") == "boost" })
	})
	promise(a.t, "the preset away is one of the home and its switch shows it, schedule gives it back", func() (string, error) {
		return a.presets("away", func(e entity) bool {
			all, err := a.entities()
			return err == nil && e.text("preset_mode") == "away" && all["veilleuse-away"].State == "on" && all["veilleuse-frost-guard"].State == "off"
		})
	})
	a.refuses("a target that the house does not allow is refused with the reason", func() error {
		return publish(a.messages.house.mqtt, "veilleuse/room/"+netatmotest.LivingRoom+"/set", `{"target":35}`)
	})
}

// presets chooses a preset, waits until it fits, and goes back to the schedule.
func (a *assisted) presets(preset string, fits func(entity) bool) (string, error) {
	if err := a.act(a.livingRoom(), "set_preset_mode", map[string]any{"preset_mode": preset}); err != nil {
		return "", err
	}
	took, err := a.shows(patience, a.livingRoom(), fits)
	if err != nil {
		return "", err
	}
	if err := a.act(a.livingRoom(), "set_preset_mode", map[string]any{"preset_mode": "schedule"}); err != nil {
		return "", err
	}
	_, err = a.shows(patience, a.livingRoom(), func(e entity) bool { return e.State == "auto" && e.text("preset_mode") == "schedule" })
	return took, err
}

func (a *assisted) refuses(what string, send func() error) {
	promise(a.t, what, func() (string, error) {
		began := time.Now()
		if err := send(); err != nil {
			return "", err
		}
		got, err := a.sub.await(patience, began, "veilleuse/event", func(payload string) bool { return readPage(payload).Kind == "refused" })
		return readPage(got.payload).Why, err
	})
}

// alarms lets smoke be found, and hushes it in Home Assistant.
func (a *assisted) alarms() {
	promise(a.t, "smoke is shown, as the alarm and as danger", func() (string, error) {
		if err := a.relay.set("Landing smoke", "SmokeDetected", 1); err != nil {
			return "", err
		}
		took, err := a.state("veilleuse-alarm", "sounding")
		if err == nil {
			_, err = a.state("veilleuse-danger", "on")
		}
		return took, err
	})
	promise(a.t, "the button hushes it", func() (string, error) {
		if err := a.act("veilleuse-hush", "press", nil); err != nil {
			return "", err
		}
		return a.state("veilleuse-alarm", "hushed")
	})
	promise(a.t, "it is over when the smoke has gone", func() (string, error) {
		if err := a.relay.set("Landing smoke", "SmokeDetected", 0); err != nil {
			return "", err
		}
		return a.state("veilleuse-danger", "off")
	})
}

// guards arms the house on Home Assistant's alarm panel.
func (a *assisted) guards() {
	promise(a.t, "the alarm panel arms and disarms", func() (string, error) {
		if err := a.act("veilleuse-guard", "alarm_arm_home", nil); err != nil {
			return "", err
		}
		took, err := a.state("veilleuse-guard", "armed_home")
		if err != nil {
			return "", err
		}
		if err := a.act("veilleuse-guard", "alarm_disarm", nil); err != nil {
			return "", err
		}
		_, err = a.state("veilleuse-guard", "disarmed")
		return took, err
	})
}

// pictures sends one of a camera. The program refuses cameras on this machine, so the test stands in for it.
func (a *assisted) pictures() {
	promise(a.t, "a camera's picture is shown where it is announced", func() (string, error) {
		const jpeg = "\xff\xd8\xff\xe0 not much of a picture"
		file := a.house.file("picture.jpg", jpeg)
		all, err := a.entities()
		if err != nil {
			return "", err
		}
		camera := "70-ee-50-00-00-03"
		e := all["veilleuse-device-"+camera+"-picture"]
		if e.Platform != "image" {
			return "", fmt.Errorf("the entity is %+v", e)
		}
		host, port, _ := net.SplitHostPort(a.broker)
		out, err := exec.Command("mosquitto_pub", "-h", host, "-p", port, "-t", "veilleuse/device/"+camera+"/picture", "-f", file).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("mosquitto_pub: %w: %s", err, out)
		}
		took, err := until(patience, func() error {
			var shown struct {
				Bytes  int
				Begins string
			}
			if err := a.ask("picture", map[string]any{"entity": e.ID}, &shown); err != nil {
				return err
			}
			if shown.Bytes != len(jpeg) || shown.Begins != "ffd8ff" {
				return fmt.Errorf("%w: it shows %+v", errNotYet, shown)
			}
			return nil
		})
		return seconds(took), err
	})
}

// available reports whether all entities are there, or none.
func (a *assisted) available(want bool) error {
	all, err := a.entities()
	if err != nil {
		return err
	}
	var wrong []string
	for id, e := range all {
		if (e.State != "unavailable") != want {
			wrong = append(wrong, id)
		}
	}
	if len(wrong) > 0 || len(all) == 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%w: %d of %d entities are not available: %t, as %v", errNotYet, len(wrong), len(all), want, wrong[:min(4, len(wrong))])
	}
	return nil
}

// dies kills the daemon: its last will must reach Home Assistant.
func (a *assisted) dies() {
	promise(a.t, "a daemon that is killed makes all entities unavailable", func() (string, error) {
		a.house.stop(syscall.SIGKILL)
		took, err := until(patience, func() error { return a.available(false) })
		return seconds(took), err
	})
	promise(a.t, "and all come back with it", func() (string, error) {
		a.house.start()
		took, err := until(patience, func() error { return a.available(true) })
		return seconds(took), err
	})
}

// restarts ends Home Assistant and starts it again: its birth message brings what is not retained.
func (a *assisted) restarts() {
	promise(a.t, "Home Assistant started again shows everything", func() (string, error) {
		if err := a.faults(); err != nil {
			return "", err
		}
		a.homeAssistant.in.Close()
		<-a.homeAssistant.done
		if _, err := a.homeAssistant.start(); err != nil {
			return "", err
		}
		took, err := until(patience, func() error { _, err := a.compare(); return err })
		return seconds(took), err
	})
}

// forgets takes away a section of the configuration, and an accessory.
func (a *assisted) forgets(section string) {
	promise(a.t, "without its section in the configuration the alarm panel goes", func() (string, error) {
		a.house.end()
		a.house.amend(section, "")
		a.house.start()
		return a.gone("veilleuse-guard")
	})
	promise(a.t, "a device that is not paired any more goes", func() (string, error) {
		s, err := a.house.status()
		if err != nil {
			return "", err
		}
		d, err := s.device("Cellar CO")
		if err != nil {
			return "", err
		}
		if _, err := a.house.verb("unpair", a.relay.id); err != nil {
			return "", err
		}
		return a.gone("veilleuse-device-" + form(d.ID) + "-co")
	})
}

// gone waits until an entity is there no more, while others are.
func (a *assisted) gone(unique string) (string, error) {
	took, err := until(patience, func() error {
		all, err := a.entities()
		if err != nil {
			return err
		}
		if _, still := all[unique]; still || len(all) < 5 {
			return fmt.Errorf("%w: %s is there: %t, of %d entities", errNotYet, unique, still, len(all))
		}
		return nil
	})
	return seconds(took), err
}
