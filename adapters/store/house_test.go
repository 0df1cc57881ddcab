package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// began is a moment that tests count from: the evening of 29 October 2025.
var began = time.Date(2025, 10, 29, 15, 41, 0, 0, time.UTC)

// houseOf makes a State as a house with that many devices has it.
func houseOf(devices int) gateway.State {
	zone, err := gateway.LoadTimeZone("Europe/Paris")
	if err != nil {
		panic(err)
	}
	s := gateway.State{Home: gateway.Home{
		ID: "91763b24c43d3e344f424e8b", Name: "Maison", Zone: zone, DefaultDuration: 3 * time.Hour,
		Schedules: []gateway.Schedule{scheduleOf(0, devices/4), scheduleOf(1, devices/4)},
		Regime:    gateway.Regime{Mode: gateway.HomeSchedule, Schedule: "schedule-0"},
	}}
	for i := range devices / 4 {
		id := gateway.RoomID(fmt.Sprint("room-", i))
		s.Rooms = s.Rooms.With(id, gateway.Room{ID: id, Name: fmt.Sprint("Pièce ", i), Last: 19 + float64(i%4)/2})
	}
	for i := range devices {
		d := gateway.Device{
			ID: deviceID(i), Name: fmt.Sprint("Vanne ", i), Model: "NRV", Room: gateway.RoomID(fmt.Sprint("room-", i/4)),
			Also:  []gateway.DeviceID{gateway.DeviceID(fmt.Sprint("serial-", i))},
			Faces: []gateway.Face{{Adapter: "netatmo"}, {Adapter: "accessory", Controls: []gateway.Control{{Quantity: gateway.Target, Min: 7, Max: 28, Step: 0.5}}}},
		}
		s.Devices = s.Devices.With(d.ID, d)
		s.Also = s.Also.With(gateway.DeviceID(fmt.Sprint("serial-", i)), d.ID)
		s = measure(s, i, 19+float64(i%40)/10, began)
	}
	s.Authority = gateway.Authority{Phase: gateway.Watching, Since: began, Why: "the cloud answers"}
	s.Version = 1
	return s
}

func deviceID(i int) gateway.DeviceID {
	return gateway.DeviceID(fmt.Sprintf("70:ee:50:00:%02x:%02x", i/256, i%256))
}

func scheduleOf(n, rooms int) gateway.Schedule {
	s := gateway.Schedule{ID: fmt.Sprint("schedule-", n), Name: "Semaine", Type: "therm", Selected: n == 0}
	for zone := range 4 {
		z := gateway.Zone{ID: zone, Name: fmt.Sprint("Zone ", zone)}
		for room := range rooms {
			z.Rooms = append(z.Rooms, gateway.ZoneRoom{Room: gateway.RoomID(fmt.Sprint("room-", room)), Target: 16 + float64(zone)})
		}
		s.Zones = append(s.Zones, z)
	}
	for day := range 7 {
		for slot := range 6 {
			s.Slots = append(s.Slots, gateway.Slot{Minute: day*1440 + slot*240, Zone: slot % 4})
		}
	}
	return s
}

// measure gives device i six readings of that moment.
func measure(s gateway.State, i int, value float64, at time.Time) gateway.State {
	d, _ := s.Devices.Get(deviceID(i))
	for q, v := range map[gateway.Quantity]gateway.Value{
		gateway.Temperature: gateway.Number(value), gateway.Target: gateway.Number(20), gateway.Battery: gateway.Number(70),
		gateway.HeatingRequest: gateway.Number(value * 2), gateway.OpenWindow: gateway.Flag(false), gateway.Signal: gateway.Number(60),
	} {
		d = d.WithReading(gateway.Measure{Quantity: q, Value: v, At: at, From: "accessory"})
	}
	s.Devices = s.Devices.With(d.ID, d)
	s.Version++
	return s
}

// override is a person's wish, which must be on the disk within a second.
func override(s gateway.State, room int, target float64, at time.Time) gateway.State {
	id := gateway.RoomID(fmt.Sprint("room-", room))
	r, _ := s.Rooms.Get(id)
	r.Override = gateway.Override{Mode: gateway.RoomManual, Target: target, At: at, Until: at.Add(3 * time.Hour), By: "Home app"}
	s.Rooms = s.Rooms.With(id, r)
	s.Version++
	return s
}

func asJSON(t testing.TB, l gateway.Lasting) string {
	t.Helper()
	data, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// open opens the store in dir and closes it when the test ends. What it logs is in the buffer.
func open(t testing.TB, dir string) (*Store, *bytes.Buffer) {
	t.Helper()
	said := &bytes.Buffer{}
	s, err := Open(dir, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, said
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
