package peers

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// messages is a house with a cloud and accessories, as MQTT sees it.
type messages struct {
	t     *testing.T
	house *house
	relay *relay
	cloud *netatmotest.Cloud
	sub   *listener
}

// startMessages starts a house with all that there is; mosquitto is "" for the embedded broker. It signs in
// before the daemon runs with the one, and while it runs with the other.
func startMessages(t *testing.T, mosquitto string) *messages {
	t.Helper()
	with := needTools(t)
	m := &messages{t: t, relay: startRelay(t, with)}
	cloud, url, witness := startCloud(t, netatmotest.Home{})
	m.cloud = cloud
	m.house = newHouse(t, with, settings{broker: mosquitto, cloud: url, witness: witness})
	early := mosquitto == ""
	if early {
		need(t, "veilleuse login --token signs in before the daemon runs", func() (string, error) { return "", m.house.signIn(cloud) })
	}
	m.house.start()
	m.sub = listen(t, m.house.mqtt, "veilleuse/#")
	need(t, "veilleuse login --token signs in, and the plan is copied", func() (string, error) {
		began := time.Now()
		if !early {
			if err := m.house.signIn(cloud); err != nil {
				return "", err
			}
		}
		err := m.house.hasPlan()
		return seconds(time.Since(began)), err
	})
	need(t, "veilleuse pair pairs", func() (string, error) { return m.house.pair(m.relay, m.relay.address) })
	need(t, "all devices are read", func() (string, error) { return m.house.knows("Boiler", "Study", "Cellar CO", "Landing smoke", "Siren") })
	return m
}

// TestMosquitto uses Mosquitto as the broker, and takes it away for a while.
func TestMosquitto(t *testing.T) {
	needTools(t)
	address := freeAddress(t)
	mosquitto := startMosquitto(t, address)
	m := startMessages(t, address)
	m.reads()
	m.steers()
	m.keptWish()
	m.stalled()
	m.outage(mosquitto)
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
}

// TestEmbedded uses the broker inside.
func TestEmbedded(t *testing.T) {
	needTools(t)
	m := startMessages(t, "")
	m.reads()
	m.steers()
	promise(t, "a retained wish is refused and kept by nobody", func() (string, error) {
		if err := publish(m.house.mqtt, m.livingRoom()+"/set", `{"target":25}`, "-r"); err != nil {
			return "", err
		}
		time.Sleep(time.Second)
		if kept := retained(t, m.house.mqtt, "veilleuse/+/+/set"); len(kept) > 0 {
			return "", fmt.Errorf("kept: %v", kept)
		}
		return "", m.targetIs(21.5)
	})
	m.stalled()
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
}

// keptWish lets a wish lie in Mosquitto while the daemon is away: it must not come true when that starts.
// (To those who are there a broker of MQTT 3.1.1 hands on a retained wish as an ordinary one.)
func (m *messages) keptWish() {
	promise(m.t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
	m.refuses("a retained wish is refused with the reason, and nothing is forgotten in a restart", func() error {
		if err := publish(m.house.mqtt, m.livingRoom()+"/set", `{"target":25}`, "-r"); err != nil {
			return err
		}
		m.house.start()
		return nil
	}, "retain")
	promise(m.t, "it is deleted by an empty message", func() (string, error) {
		return "", publish(m.house.mqtt, m.livingRoom()+"/set", "", "-r")
	})
}

func (m *messages) livingRoom() string { return "veilleuse/room/" + netatmotest.LivingRoom }

// targetIs checks what the living room's topic says.
func (m *messages) targetIs(want float64) error {
	got, _ := m.sub.newest(m.livingRoom())
	if p := readPage(got.payload); p.Target != want {
		return fmt.Errorf("the target is %v, want %v", p.Target, want)
	}
	return nil
}

// reads checks that mosquitto_sub finds a topic for each thing that the house knows.
func (m *messages) reads() {
	promise(m.t, "mosquitto_sub reads a topic for everything in the house", func() (string, error) {
		_, err := until(patience, func() error { return m.complete(retained(m.t, m.house.mqtt, "veilleuse/#")) })
		all := retained(m.t, m.house.mqtt, "#")
		return fmt.Sprintf("%d topics", len(all)), err
	})
}

// complete compares topics with what veilleuse status says: none may be missing or old.
func (m *messages) complete(topics map[string]string) error {
	s, err := m.house.status()
	if err != nil {
		return err
	}
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if topics["veilleuse/status"] != "online" {
		fault("status is %q", topics["veilleuse/status"])
	}
	for topic, want := range map[string]string{"authority": s.Authority.Phase, "alarm": s.Alarm.Phase} {
		if p := readPage(topics["veilleuse/"+topic]); p.Phase != want {
			fault("%s is %q, want %q", topic, p.Phase, want)
		}
	}
	pages := 0
	for topic := range topics {
		if strings.HasPrefix(topic, "veilleuse/device/") || strings.HasPrefix(topic, "veilleuse/room/") {
			pages++
		}
	}
	if pages != len(s.Devices)+len(s.Rooms) {
		fault("%d topics for %d devices and %d rooms", pages, len(s.Devices), len(s.Rooms))
	}
	for _, d := range s.Devices {
		p := readPage(topics["veilleuse/device/"+form(d.ID)])
		if p.Name != d.Name || p.Reachable != d.Reachable || len(p.Readings) != len(d.Readings) {
			fault("%s: name %q, reachable %t, %d readings; want %q, %t, %d", d.ID, p.Name, p.Reachable, len(p.Readings), d.Name, d.Reachable, len(d.Readings))
		}
		for _, r := range d.Readings {
			if got := p.reading(r.Quantity); got != fmt.Sprint(r.Value) {
				fault("%s of %s is %s, want %v", r.Quantity, d.Name, got, r.Value)
			}
		}
	}
	for _, r := range s.Rooms {
		p := readPage(topics["veilleuse/room/"+form(r.ID)])
		if p.Name != r.Name || p.Mode != r.Mode || r.Target != nil && fmt.Sprint(p.Target) != fmt.Sprint(r.Target) {
			fault("room %s: %+v, want %+v", r.Name, p, r)
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults: %s", len(faults), strings.Join(faults[:min(8, len(faults))], "; "))
	}
	return nil
}

// steers sends a wish with mosquitto_pub. While the cloud is there, it is asked.
func (m *messages) steers() {
	promise(m.t, "mosquitto_pub steers a room, and the cloud is told", func() (string, error) {
		began := time.Now()
		if err := publish(m.house.mqtt, m.livingRoom()+"/set", `{"target":21.5,"for":"2h"}`); err != nil {
			return "", err
		}
		got, err := m.sub.await(patience, began, m.livingRoom(), func(payload string) bool {
			p := readPage(payload)
			return p.Target == 21.5 && p.Mode == "manual" && math.Abs(time.Until(p.Until).Minutes()-120) < 2
		})
		if err != nil {
			return "", err
		}
		_, err = until(patience, func() error {
			r := m.cloud.Room(netatmotest.LivingRoom)
			if r.Target != 21.5 || r.Mode != "manual" || math.Abs(time.Until(r.Until).Minutes()-120) > 2 {
				return fmt.Errorf("%w: the cloud has %+v", errNotYet, r)
			}
			return nil
		})
		return seconds(got.at.Sub(began)), err
	})
	m.refuses("300 °C is refused with the reason", func() error {
		return publish(m.house.mqtt, m.livingRoom()+"/set", `{"target":300}`)
	}, "28")
	m.refuses("a wish that is no JSON is refused with the reason", func() error {
		return publish(m.house.mqtt, m.livingRoom()+"/set", `{"target":`)
	}, "JSON")
}

// refuses sends a bad wish and waits for the reason on the topic event; nothing may change.
func (m *messages) refuses(what string, send func() error, reason string) {
	promise(m.t, what, func() (string, error) {
		began := time.Now()
		if err := send(); err != nil {
			return "", err
		}
		got, err := m.sub.await(patience, began, "veilleuse/event", func(payload string) bool {
			p := readPage(payload)
			return p.Kind == "refused" && strings.Contains(p.Why, reason)
		})
		if err != nil {
			return "", err
		}
		return readPage(got.payload).Why, m.targetIs(21.5)
	})
}

const away = 20 * time.Second

// outage kills the broker, changes the house meanwhile, and starts the broker again, empty.
func (m *messages) outage(mosquitto *process) {
	before := retained(m.t, m.house.mqtt, "#")
	mosquitto.stop(syscall.SIGKILL)
	gone := time.Now()
	for i := 0; time.Since(gone) < away; i++ {
		for _, device := range []string{"Living room", "Bedroom", "Study"} {
			if err := m.relay.set(device, "CurrentTemperature", 10+float64(i%20)/2); err != nil {
				m.t.Fatal(err)
			}
		}
		if err := m.relay.set("Boiler", "On", i%2 == 0); err != nil {
			m.t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	startMosquitto(m.t, m.house.mqtt)
	back := time.Now()
	sub := listen(m.t, m.house.mqtt, "veilleuse/status")
	promise(m.t, fmt.Sprintf("a broker that was away for %s is used again within 5 s", away), func() (string, error) {
		got, err := sub.await(5*time.Second, back, "veilleuse/status", func(payload string) bool { return payload == "online" })
		return seconds(got.at.Sub(back)), err
	})
	promise(m.t, "no topic is missing and none is stale", func() (string, error) {
		var after map[string]string
		_, err := until(patience, func() error {
			after = retained(m.t, m.house.mqtt, "#")
			for topic, text := range before {
				now, ok := after[topic]
				if !ok {
					return fmt.Errorf("%s is missing", topic)
				}
				if strings.HasPrefix(topic, "homeassistant/") && now != text {
					return fmt.Errorf("%s was %s and is %s", topic, text, now)
				}
			}
			return m.complete(after)
		})
		return fmt.Sprintf("%d topics", len(after)), err
	})
}
