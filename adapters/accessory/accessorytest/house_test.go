package accessorytest_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/hap"
)

const patience = 20 * time.Second

func start(t *testing.T, options accessorytest.Options) *accessorytest.House {
	t.Helper()
	h, err := accessorytest.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// connect pairs with a server and opens a session.
func connect(t *testing.T, h *accessorytest.House, name string) *hap.Session {
	t.Helper()
	a, err := h.Accessory(name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pairing, err := a.Pair(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, err := hap.Connect(ctx, a.Address(), pairing, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func relay() accessorytest.Server {
	return accessorytest.Relay("Relay", "70:ee:50:00:00:01",
		accessorytest.Device{Kind: accessorytest.Thermostat, Name: "Bedroom", Serial: "04:00:00:00:00:01", Target: 17, Temperature: 18},
		accessorytest.Device{Kind: accessorytest.Thermostat, Name: "Hall", Serial: "04:00:00:00:00:02", Min: 10, Step: 0.1})
}

func TestTheHouseIsWhatItsHardwareWouldBe(t *testing.T) {
	h := start(t, accessorytest.Options{Servers: []accessorytest.Server{relay(),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.COAlarm, Name: "CO"}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.SmokeAlarm, Name: "Smoke"}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.Siren, Name: "Siren"}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.HomeCoach, Name: "Coach"})}})
	want := map[string]int{"Relay": 3, "CO": 1, "Smoke": 1, "Siren": 1, "Coach": 1}
	for _, a := range h.Announced() {
		list, err := connect(t, h, a.Name).Accessories(t.Context())
		if err != nil || len(list) != want[a.Name] {
			t.Errorf("%s has %d accessories, want %d (%v)", a.Name, len(list), want[a.Name], err)
		}
		if list[0].AID != hap.BridgeAID || a.ID != strings.ToLower(a.ID) || a.Paired || a.Configuration < 1 || a.Model == "" {
			t.Errorf("%s is announced as %+v, its first aid is %d", a.Name, a, list[0].AID)
		}
	}
	for _, a := range h.Announced() {
		if !a.Paired {
			t.Errorf("%s is paired, but announced as free", a.Name)
		}
	}
}

func TestKnobsAndWrites(t *testing.T) {
	now := time.Date(2025, 10, 29, 18, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	var told []accessorytest.Written
	h := start(t, accessorytest.Options{Servers: []accessorytest.Server{relay()}, Now: func() time.Time { return now },
		OnWrite: func(w accessorytest.Written) { mu.Lock(); told = append(told, w); mu.Unlock() }})
	s := connect(t, h, "Bedroom")
	check := func(what string, read func(string) (float64, error), name string, want float64) {
		t.Helper()
		if got, err := read(name); err != nil || got != want {
			t.Errorf("%s of %s is %v (%v), want %v", what, name, got, err, want)
		}
	}
	for _, err := range []error{h.SetTemperature("Bedroom", 17.6), h.TurnKnob("Bedroom", 21.5), h.SetHeating("Bedroom", true)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	check("temperature", h.Temperature, "Bedroom", 17.6)
	check("target", h.Target, "Bedroom", 21.5)
	if len(h.Writes()) != 0 {
		t.Error("what a hand does is no write")
	}
	a, err := h.Accessory("Bedroom")
	if err != nil {
		t.Fatal(err)
	}
	id, err := a.Find(2, hap.CharacteristicTargetTemperature)
	if err != nil {
		t.Fatal(err)
	}
	if answers, err := s.Write(t.Context(), hap.Write{ID: id, Value: hap.NumberValue(16)}); err != nil || answers[0].Status != hap.StatusOK {
		t.Fatalf("write: %v, %v", answers, err)
	}
	check("target", h.Target, "Bedroom", 16)
	want := accessorytest.Written{At: now, Device: "Bedroom", Quantity: "target", Value: 16}
	mu.Lock()
	defer mu.Unlock()
	if all := h.Writes(); len(all) != 1 || all[0] != want || len(told) != 1 || told[0] != want {
		t.Errorf("written is %+v, told was %+v, want %+v", all, told, want)
	}
	if err := h.TurnKnob("Hall", 7); err == nil {
		t.Error("the hall's knob goes down to 10 only")
	}
	if err := h.SetSmoke("nobody", true); err == nil {
		t.Error("there is nobody of that name")
	}
}

func TestWhatWasTurnedSurvives(t *testing.T) {
	h := start(t, accessorytest.Options{Servers: []accessorytest.Server{relay()}})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	target := func() {
		t.Helper()
		if got, err := h.Target("Bedroom"); err != nil || got != 23 {
			t.Errorf("the target is %v (%v), want 23", got, err)
		}
	}
	must(h.TurnKnob("Bedroom", 23))
	before := h.Announced()[0]
	must(h.Add("Relay", accessorytest.Device{Kind: accessorytest.Thermostat, Name: "Study"}))
	target()
	if after := h.Announced()[0]; after.Configuration <= before.Configuration {
		t.Errorf("the configuration number goes from %d to %d", before.Configuration, after.Configuration)
	}
	must(h.Remove("Hall"))
	if err := h.TurnKnob("Hall", 20); err == nil {
		t.Error("the hall's thermostat is gone, but turns")
	}
	must(h.Restart("Relay", nil))
	target()
	if after := h.Announced()[0]; after.Address != before.Address || after.ID != before.ID {
		t.Errorf("after a restart it is %+v, before it was %+v", after, before)
	}
	must(h.Move("Relay"))
	target()
	if after := h.Announced()[0]; after.Address == before.Address {
		t.Errorf("it did not move from %s", before.Address)
	}
}

func TestAHouseThatCannotBe(t *testing.T) {
	for name, options := range map[string]accessorytest.Options{
		"a single device that is two": {Servers: []accessorytest.Server{{Name: "x", Single: true, Devices: make([]accessorytest.Device, 2)}}},
		"an address that is none":     {Servers: []accessorytest.Server{relay(), {Name: "y", Listen: "127.0.0.1:99999"}}},
	} {
		if h, err := accessorytest.Start(options); err == nil {
			t.Errorf("%s: it starts", name)
			_ = h.Close()
		}
	}
}
