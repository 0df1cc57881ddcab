package rules_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

var noon = time.Date(2025, 10, 29, 12, 0, 0, 0, time.UTC)

// tell lets facts happen one second apart and holds the invariants.
func tell(t *testing.T, s gateway.State, facts ...any) gateway.State {
	t.Helper()
	at := noon
	if !s.At.IsZero() {
		at = s.At
	}
	for i := 0; i < len(facts); i += 2 {
		at = at.Add(time.Second)
		e := gateway.Event{At: at, From: facts[i].(string), Fact: facts[i+1].(gateway.Fact)}
		next, commands := rules.Step(s, e)
		if err := invariants(s, e, next, commands); err != nil {
			t.Fatal(err)
		}
		s = next
	}
	return s
}

func plan(rooms ...gateway.PlanRoom) gateway.Plan {
	return gateway.Plan{Home: "h", Name: "Maison", Rooms: rooms, DefaultDuration: 2 * time.Hour}
}

func TestOneDeviceManyFaces(t *testing.T) {
	s := tell(t, gateway.State{},
		"netatmo", plan(gateway.PlanRoom{ID: "r1", Name: "Salon"}),
		"netatmo", gateway.Found{Device: "04:00:00:12:34:56", Model: "NATherm1", Name: "Thermostat", Room: "r1"},
		"accessory", gateway.Found{Device: "04:00:00:12:34:56", Model: "Netatmo Thermostat", Name: "Salon", Controls: []gateway.Control{{Quantity: gateway.Target, Min: 7, Max: 30}}},
		"netatmo", gateway.Found{Device: "70:ee:50:00:00:01", Also: []gateway.DeviceID{"123456007df1"}, Model: "NDB"},
		"accessory", gateway.Found{Device: "12:34:56:00:7d:f1", Also: []gateway.DeviceID{"123456007df1"}, Model: "Doorbell"})
	if s.Devices.Len() != 2 {
		t.Fatalf("%d devices, want 2 with two faces each", s.Devices.Len())
	}
	for _, id := range []gateway.DeviceID{"04:00:00:12:34:56", "70:ee:50:00:00:01", "12:34:56:00:7d:f1", "123456007df1"} {
		d, ok := s.Device(id)
		if !ok || len(d.Faces) != 2 {
			t.Errorf("%s is %+v", id, d)
		}
	}
	if d, _ := s.Device("04:00:00:12:34:56"); d.Model != "NATherm1" || d.Name != "Thermostat" || d.Room != "r1" {
		t.Errorf("the cloud's words are %s %s %s", d.Model, d.Name, d.Room)
	}
}

func TestDeviceIsPlacedByItsName(t *testing.T) {
	rooms := []gateway.PlanRoom{{ID: "r1", Name: "Salon"}, {ID: "r2", Name: "Chambre"}, {ID: "r3", Name: "Chambre"}}
	tests := []struct {
		name string
		fact gateway.Found
		want gateway.RoomID
	}{
		{"by its own name", gateway.Found{Device: "d", Name: "salon "}, "r1"},
		{"by the room's name", gateway.Found{Device: "d", Name: "Valve", RoomName: "SALON"}, "r1"},
		{"the source knows better", gateway.Found{Device: "d", Name: "Salon", Room: "r2"}, "r2"},
		{"two rooms of that name settle nothing", gateway.Found{Device: "d", Name: "Chambre"}, ""},
		{"no such room", gateway.Found{Device: "d", Name: "Cave"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := tell(t, gateway.State{}, "netatmo", plan(rooms...), "accessory", test.fact)
			d, _ := s.Device("d")
			if d.Room != test.want {
				t.Errorf("it stands in %q, want %q", d.Room, test.want)
			}
			if r, _ := s.Rooms.Get(test.want); test.want != "" && (len(r.Devices) != 1 || r.Devices[0] != "d") {
				t.Errorf("the room holds %v", r.Devices)
			}
		})
	}
}

func TestShortListsWipeNothing(t *testing.T) {
	full := plan(gateway.PlanRoom{ID: "r1", Name: "Salon"})
	full.Schedules = []gateway.Schedule{{ID: "s", Type: "therm", Selected: true}}
	s := tell(t, gateway.State{}, "netatmo", full, "netatmo", gateway.Found{Device: "d", Room: "r1"},
		"netatmo", gateway.Plan{Home: "h"}, "netatmo", gateway.CloudView{Home: "h", At: noon},
		"netatmo", gateway.Plan{Home: "another", Rooms: []gateway.PlanRoom{{ID: "x", Name: "Strange"}}})
	if s.Rooms.Len() != 1 || s.Devices.Len() != 1 || len(s.Home.Schedules) != 1 || s.Home.ID != "h" {
		t.Errorf("%d rooms, %d devices, %d schedules, home %s", s.Rooms.Len(), s.Devices.Len(), len(s.Home.Schedules), s.Home.ID)
	}
	if last := s.Decisions[len(s.Decisions)-1]; last.What != "a plan of another home was not taken over" {
		t.Errorf("the last decision is %q", last.What)
	}
}

func TestGoneTakesAwayOneFaceOnly(t *testing.T) {
	s := tell(t, gateway.State{}, "netatmo", gateway.Found{Device: "d", Room: "r1"}, "accessory", gateway.Found{Device: "d", Also: []gateway.DeviceID{"alias"}},
		"accessory", gateway.Gone{Device: "alias"})
	if d, ok := s.Device("d"); !ok || len(d.Faces) != 1 || d.Faces[0].Adapter != "netatmo" {
		t.Fatalf("after one face left: %+v, %v", d, ok)
	}
	s = tell(t, s, "netatmo", gateway.Gone{Device: "d"})
	if _, ok := s.Device("alias"); ok || s.Devices.Len() != 0 {
		t.Error("a device without a face is still known")
	}
	if r, _ := s.Rooms.Get("r1"); len(r.Devices) != 0 {
		t.Errorf("its room still holds %v", r.Devices)
	}
}

func TestReadingsThatCannotBe(t *testing.T) {
	for _, n := range []float64{85, -127, -60.5, 70.5, 1e9} {
		s := tell(t, gateway.State{}, "accessory", gateway.Found{Device: "d"},
			"accessory", gateway.Reading{Device: "d", Quantity: gateway.Temperature, Value: gateway.Number(19)},
			"accessory", gateway.Reading{Device: "d", Quantity: gateway.Temperature, Value: gateway.Number(n)})
		d, _ := s.Device("d")
		if m, _ := d.Reading(gateway.Temperature); m.Value != gateway.Number(19) || !m.At.Equal(noon.Add(2*time.Second)) {
			t.Errorf("%g °C gives %v at %v", n, m.Value, m.At)
		}
	}
}

func TestFreshestReadingIsShown(t *testing.T) {
	old, new := noon.Add(-time.Hour), noon.Add(-time.Minute)
	s := tell(t, gateway.State{}, "netatmo", gateway.Found{Device: "d"},
		"netatmo", gateway.Reading{Device: "d", Quantity: gateway.Temperature, Value: gateway.Number(18), Measured: new},
		"accessory", gateway.Reading{Device: "d", Quantity: gateway.Temperature, Value: gateway.Number(19), Measured: old},
		"netatmo", gateway.Reading{Device: "d", Quantity: gateway.Temperature, Value: gateway.Number(17), Measured: old})
	d, _ := s.Device("d")
	if m, _ := d.Reading(gateway.Temperature); m.Value != gateway.Number(18) || m.From != "netatmo" {
		t.Errorf("shown is %v by %s, want the newest, 18 by netatmo", m.Value, m.From)
	}
	s = tell(t, s, "accessory", gateway.Reading{Device: "d", Quantity: gateway.Temperature, Value: gateway.Number(20)})
	d, _ = s.Device("d")
	if m, _ := d.Reading(gateway.Temperature); m.Value != gateway.Number(20) || m.From != "accessory" {
		t.Errorf("shown is %v by %s, want 20 by accessory", m.Value, m.From)
	}
}

func TestDecisionsAreBounded(t *testing.T) {
	var s gateway.State
	for i := range 3 * gateway.MaxDecisions {
		s = tell(t, s, "accessory", gateway.Found{Device: gateway.DeviceID(fmt.Sprint("d", i))})
	}
	if len(s.Decisions) != gateway.MaxDecisions || s.Decisions[0].Number != s.Decided-gateway.MaxDecisions+1 {
		t.Errorf("%d decisions, the first is number %d of %d", len(s.Decisions), s.Decisions[0].Number, s.Decided)
	}
}

func TestAdapterHealthIsTold(t *testing.T) {
	s := tell(t, gateway.State{}, "camera", gateway.Health{Adapter: "camera", Up: true}, "camera", gateway.Health{Adapter: "camera", Why: "no route"},
		"camera", gateway.Health{Adapter: "camera", Up: true})
	if h, _ := s.Health.Get("camera"); !h.Up || len(s.Decisions) != 2 {
		t.Errorf("health %+v, %d decisions", h, len(s.Decisions))
	}
}

// What people ought to know is shown where decisions are, and changes nothing.
func TestNoticeIsShownOnce(t *testing.T) {
	before := tell(t, gateway.State{}, "homekit", gateway.Health{Adapter: "homekit", Up: true})
	s := tell(t, before, "homekit", gateway.Notice{What: "there is a second code", Why: "the bridge is full"})
	d := s.Decisions[len(s.Decisions)-1]
	if d.Kind != "notice" || d.What != "there is a second code" || d.Why != "the bridge is full" || s.Decided != before.Decided+1 {
		t.Errorf("after %d decisions the last is %+v", s.Decided-before.Decided, d)
	}
}
