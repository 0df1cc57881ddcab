package accessory_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

const (
	relaySerial   = "70:ee:50:aa:00:01"
	bedroomSerial = "04:00:00:aa:00:01"
	bathSerial    = "04:00:00:aa:00:02"
	hallSerial    = "04:00:00:aa:00:03"
)

// flat is the house of most tests: a relay with three thermostats, and four devices of their own.
func flat() []accessorytest.Server {
	return []accessorytest.Server{
		accessorytest.Relay("Relay", relaySerial,
			accessorytest.Device{Kind: accessorytest.Thermostat, Name: "Bedroom", Serial: bedroomSerial, Temperature: 18.5, Target: 17},
			accessorytest.Device{Kind: accessorytest.Thermostat, Name: "Bath", Serial: bathSerial, Step: 0.1, Target: 21},
			accessorytest.Device{Kind: accessorytest.Thermostat, Name: "Hall", Serial: hallSerial, Min: 10, Target: 16},
		),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.COAlarm, Name: "CO", Serial: "g8d8a6c"}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.SmokeAlarm, Name: "Smoke", Serial: "Default-SerialNumber"}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.Siren, Name: "Sirène du hall", Serial: "12"}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.HomeCoach, Name: "Coach", Serial: "70:ee:50:aa:00:07"}),
	}
}

// scene is a house of accessories with an adapter that is paired with all of them and runs.
type scene struct {
	t       *testing.T
	fake    *accessorytest.House
	adapter *accessory.Adapter
	vault   *gatewaytest.Vault
	house   *gatewaytest.House
	browses *counter
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// prepare starts a house of accessories and an adapter that is not running.
func prepare(t *testing.T, servers []accessorytest.Server, change ...func(*accessory.Options)) *scene {
	t.Helper()
	fake, err := accessorytest.Start(accessorytest.Options{Servers: servers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fake.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &scene{t: t, fake: fake, vault: gatewaytest.NewVault(), browses: &counter{}}
	options := accessory.Options{Vault: s.vault, Browse: s.browse, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&options)
	}
	s.adapter = accessory.New(options)
	return s
}

func (s *scene) browse(context.Context) ([]accessory.Announced, error) {
	s.browses.add()
	var all []accessory.Announced
	for _, a := range s.fake.Announced() {
		all = append(all, accessory.Announced(a))
	}
	return all, nil
}

// play prepares, pairs with everything, and runs the adapter in a house whose time goes so many times faster.
func play(t *testing.T, faster int, servers []accessorytest.Server, change ...func(*accessory.Options)) *scene {
	t.Helper()
	s := prepare(t, servers, change...)
	for _, server := range servers {
		s.pair(server.Name)
	}
	s.run(faster)
	return s
}

func (s *scene) run(faster int) {
	s.t.Helper()
	s.house = gatewaytest.Start(s.t, gateway.AccessoryAdapter, s.adapter, faster2(faster))
}

// faster2 lets the time of the house go so many times faster than ours.
func faster2(n int) gatewaytest.Option {
	began := time.Now()
	return func(l *gateway.Loop) {
		l.Now = func() time.Time { return began.Add(time.Since(began) * time.Duration(n)) }
		l.After = func(d time.Duration) <-chan time.Time { return time.After(d / time.Duration(n)) }
	}
}

func (s *scene) server(name string) *haptest.Accessory {
	s.t.Helper()
	a, err := s.fake.Accessory(name)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

func (s *scene) pair(name string) accessory.Paired {
	s.t.Helper()
	a := s.server(name)
	p, err := s.adapter.Pair(s.t.Context(), a.ID(), a.Code(), "")
	if err != nil {
		s.t.Fatalf("pair %s: %v", name, err)
	}
	return p
}

func (s *scene) unpair(id string) {
	s.t.Helper()
	if _, err := s.adapter.Unpair(s.t.Context(), id); err != nil {
		s.t.Fatal(err)
	}
}

// up waits until these devices have answered.
func (s *scene) up(ids ...gateway.DeviceID) {
	s.t.Helper()
	missing := map[gateway.DeviceID]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	gatewaytest.Wait(s.house, func(r gateway.Reach) bool {
		if r.OK {
			delete(missing, r.Device)
		}
		return len(missing) == 0
	})
}

func (s *scene) reads(id gateway.DeviceID, q gateway.Quantity, want gateway.Value) {
	s.t.Helper()
	gatewaytest.Wait(s.house, func(r gateway.Reading) bool { return r.Device == id && r.Quantity == q && r.Value == want })
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// hkID is the device id of a server's own device where no serial number says better.
func (s *scene) hkID(name string) gateway.DeviceID {
	return gateway.DeviceID(strings.ToLower(s.server(name).ID()))
}

func TestTheHouseLearnsWhatIsThere(t *testing.T) {
	s := prepare(t, flat(), func(o *accessory.Options) {
		o.Known = []accessory.Known{{ID: bathSerial, Room: "Salle de bain"}}
	})
	for _, server := range flat() {
		s.pair(server.Name)
	}
	s.run(1)
	found := map[gateway.DeviceID]gateway.Found{}
	for len(found) < 8 {
		f := gatewaytest.Wait[gateway.Found](s.house, nil)
		found[f.Device] = f
	}
	bath := found[bathSerial]
	if bath.Name != "Bath" || bath.RoomName != "Salle de bain" || bath.Bridge != relaySerial {
		t.Errorf("the bath's thermostat is %+v", bath)
	}
	want := gateway.Control{Quantity: gateway.Target, Min: 7, Max: 30, Step: 0.1}
	if len(bath.Controls) != 2 || bath.Controls[1] != want {
		t.Errorf("controls of the bath's thermostat are %+v, want mode and %+v", bath.Controls, want)
	}
	relay := found[relaySerial]
	bare := gateway.DeviceID(strings.ReplaceAll(string(s.hkID("Relay")), ":", ""))
	if relay.Model != "NAPlug" || !contains(relay.Also, s.hkID("Relay")) || !contains(relay.Also, bare) {
		t.Errorf("the relay is %+v, want NAPlug with its HomeKit id in both forms", relay)
	}
	co := found[s.hkID("CO")]
	if co.Model != "NCO" || !contains(co.Also, "netatmo:g8d8a6c") || !contains(co.Also, "70:ee:50:8d:8a:6c") {
		t.Errorf("the CO alarm is %+v", co)
	}
	siren := found[s.hkID("Sirène du hall")]
	if len(siren.Controls) != 1 || siren.Controls[0].Quantity != gateway.Siren {
		t.Errorf("the siren's controls are %+v", siren.Controls)
	}
}

func contains(all []gateway.DeviceID, id gateway.DeviceID) bool {
	for _, a := range all {
		if a == id {
			return true
		}
	}
	return false
}

func TestWhatTheHardwareDoesIsReadAtOnce(t *testing.T) {
	s := play(t, 1, flat())
	s.up(bedroomSerial, bathSerial, s.hkID("CO"), s.hkID("Smoke"), "70:ee:50:aa:00:07")

	s.must(s.fake.SetTemperature("Bedroom", 18.9))
	s.reads(bedroomSerial, gateway.Temperature, gateway.Number(18.9))
	s.must(s.fake.TurnKnob("Bedroom", 22.5))
	s.reads(bedroomSerial, gateway.Target, gateway.Number(22.5))
	s.must(s.fake.SetHeating("Bedroom", true))
	s.reads(bedroomSerial, gateway.Boiler, gateway.Flag(true))
	s.must(s.fake.SetSmoke("Smoke", true))
	s.reads(s.hkID("Smoke"), gateway.Smoke, gateway.Flag(true))
	s.must(s.fake.SetCO("CO", 120, true))
	s.reads(s.hkID("CO"), gateway.CO, gateway.Flag(true))
	s.must(s.fake.SetLowBattery("CO", true))
	s.reads(s.hkID("CO"), gateway.LowBattery, gateway.Flag(true))
	s.must(s.fake.SetAir("Coach", accessorytest.Air{Quality: 4, CO2: 1800, Humidity: 61, Noise: 52}))
	s.reads("70:ee:50:aa:00:07", gateway.CO2, gateway.Number(1800))
}

func TestContract(t *testing.T) {
	t.Run("nothing paired", func(t *testing.T) {
		gatewaytest.Contract(t, gateway.AccessoryAdapter, func(t testing.TB) gateway.Adapter {
			return accessory.New(accessory.Options{Vault: gatewaytest.NewVault(), Log: slog.New(slog.DiscardHandler),
				Browse: func(context.Context) ([]accessory.Announced, error) {
					t.Error("the LAN is swept though nothing is paired")
					return nil, nil
				}})
		})
	})
	t.Run("with accessories", func(t *testing.T) {
		s := prepare(t, flat()[:2])
		s.pair("Relay")
		s.pair("CO")
		v := s.vault
		// The connections of the accessories' end would count as leaks of the adapter, so they are cut.
		gatewaytest.Contract(t, gateway.AccessoryAdapter, func(testing.TB) gateway.Adapter {
			return accessory.New(accessory.Options{Vault: v, Browse: s.browse, Log: slog.New(slog.DiscardHandler)})
		})
	})
}

// normal is a HomeKit id as the house writes it.
func normal(id string) string { return strings.ToLower(id) }
