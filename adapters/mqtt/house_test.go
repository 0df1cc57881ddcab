package mqtt

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

var update = flag.Bool("update", false, "rewrite the files under testdata")

// golden compares with a file under testdata, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; look at it with -update and git diff. Got:\n%s", file, got)
	}
}

var evening = time.Date(2025, 10, 29, 18, 0, 0, 0, time.FixedZone("CET", 3600))

func reading(q gateway.Quantity, v gateway.Value, from string) gateway.Measure {
	return gateway.Measure{Quantity: q, Value: v, At: evening.Add(-time.Minute), From: from}
}

func withReadings(d gateway.Device, all ...gateway.Measure) gateway.Device {
	for _, m := range all {
		d = d.WithReading(m)
	}
	return d
}

// smallHouse has one thing of each kind.
func smallHouse() gateway.State {
	s := gateway.State{
		Version: 1, At: evening, Started: evening.Add(-time.Hour),
		Home: gateway.Home{
			ID: "91763b24c43d3e344f424e8b", Name: "MYHOME", FrostGuard: 7, Maximum: 28,
			Schedules: []gateway.Schedule{{ID: "591b54a2764ff4d50d8b5795", Name: "Winter"}, {ID: "b1b54a2f45795764f59d50d8", Name: "Summer"}},
		},
		Authority: gateway.Authority{Phase: gateway.Local, Since: evening.Add(-time.Hour), Why: "the cloud has been gone for 10 minutes"},
		Cloud: gateway.Cloud{
			Verdict: gateway.VerdictCloudDown, Scope: []gateway.Plane{gateway.PlaneRead, gateway.PlaneWrite},
			Since: evening.Add(-70 * time.Minute), Why: "the internet is there, Netatmo is not",
			Evidence: []string{"api.netatmo.com: 503 with HTML", "3 of 3 witnesses answer"},
		},
		Alarms: []gateway.Alarm{{
			Phase: gateway.Sounding, Kind: gateway.Smoke, Device: "12:34:56:00:8b:a2", Name: "Hall détecteur",
			Since: evening.Add(-2 * time.Minute), Why: `smoke in "Hall"`,
		}},
		Decided: 41,
		Budget:  gateway.Budget{Spent: 16, Limit: 120, Total: 115},
	}
	s.Home.Regime = gateway.Regime{Mode: gateway.HomeAway, Schedule: "591b54a2764ff4d50d8b5795", Until: evening.Add(time.Hour), By: "Home app"}
	s.Clock = gateway.Clock{Trust: gateway.TrustHoldover, Why: "the time server was heard an hour ago"}
	s.Outage = &gateway.Outage{
		Number: 2, Verdict: s.Cloud.Verdict, Scope: s.Cloud.Scope, Why: s.Cloud.Why, Lost: s.Cloud.Since, Began: s.Authority.Since,
		Writes: 7, SlotsDue: 3, SlotsKept: 2, Wishes: 2, Alarms: 1,
		Rooms: gateway.Table[gateway.RoomID, gateway.Comfort]{}.
			With("2746182631", gateway.Comfort{Name: "Livingroom", Below: 0.6049, Measured: time.Hour}).
			With("ab_Cellar", gateway.Comfort{Name: "Cellar", Unknown: time.Hour}),
	}
	s.Rooms = s.Rooms.
		With("2746182631", gateway.Room{
			ID: "2746182631", Name: "Livingroom", Temperature: reading(gateway.Temperature, gateway.Number(19.4), gateway.AccessoryAdapter),
			Heating: gateway.Flag(true), Last: 20,
			Target: gateway.Aim{Value: gateway.Number(20), Mode: gateway.RoomSchedule, Until: evening.Add(4 * time.Hour), Why: "schedule Winter, zone Comfort"},
		}).
		With("ab_Cellar", gateway.Room{ID: "ab_Cellar", Name: "Cellar"})
	for _, d := range devices() {
		s.Devices = s.Devices.With(d.ID, d)
	}
	return s
}

func devices() []gateway.Device {
	lan := gateway.Face{Adapter: gateway.AccessoryAdapter, Reaches: true}
	cloud := gateway.Face{Adapter: gateway.CloudAdapter, Why: "the cloud is gone"}
	controls := func(f gateway.Face, all ...gateway.Control) gateway.Face { f.Controls = all; return f }
	valve := withReadings(
		gateway.Device{ID: "12:34:56:03:a5:54", Name: "Valve", Model: "NRV", Room: "2746182631",
			Faces: []gateway.Face{cloud, controls(lan, gateway.Control{Quantity: gateway.Target, Min: 7, Max: 30, Step: 0.5})}},
		reading(gateway.Temperature, gateway.Number(19.4), gateway.AccessoryAdapter),
		gateway.Measure{Quantity: gateway.Temperature, Value: gateway.Number(18.9), At: evening.Add(-2 * time.Hour), From: gateway.CloudAdapter},
		reading(gateway.HeatingRequest, gateway.Number(66.666666666), gateway.CloudAdapter),
		reading(gateway.LowBattery, gateway.Flag(false), gateway.AccessoryAdapter),
		reading(gateway.Firmware, gateway.Word("79"), gateway.CloudAdapter))
	camera := withReadings(
		gateway.Device{ID: "70:EE:50:12:34:56", Name: "Garden \"south\"", Model: "NOC",
			Faces: []gateway.Face{controls(gateway.Face{Adapter: gateway.CameraAdapter, Reaches: true},
				gateway.Control{Quantity: gateway.Floodlight}, gateway.Control{Quantity: gateway.Monitoring}, gateway.Control{Quantity: gateway.Siren})}},
		reading(gateway.Motion, gateway.Flag(false), gateway.CameraAdapter),
		reading(gateway.Floodlight, gateway.Word("auto"), gateway.CameraAdapter),
		reading(gateway.Monitoring, gateway.Flag(true), gateway.CameraAdapter),
		reading(gateway.Siren, gateway.Flag(false), gateway.CameraAdapter))
	detector := withReadings(
		gateway.Device{ID: "12:34:56:00:8b:a2", Name: "Hall détecteur", Model: "NSD", Faces: []gateway.Face{lan}},
		reading(gateway.Smoke, gateway.Flag(true), gateway.AccessoryAdapter),
		reading(gateway.Battery, gateway.Number(80), gateway.AccessoryAdapter),
		reading(gateway.Fault, gateway.Value{}, gateway.AccessoryAdapter))
	legrand := withReadings(
		gateway.Device{ID: "12:34:56:80:00:c3", Name: "Shutter", Model: "NLV", Faces: []gateway.Face{controls(lan,
			gateway.Control{Quantity: gateway.Position, Min: 0, Max: 100}, gateway.Control{Quantity: gateway.On},
			gateway.Control{Quantity: gateway.Brightness, Min: 10, Max: 90})}},
		reading(gateway.Position, gateway.Number(100), gateway.AccessoryAdapter))
	return []gateway.Device{valve, camera, detector, legrand}
}

// bigHouse has n devices, each in a room of its own.
func bigHouse(n int) gateway.State {
	s := gateway.State{Home: gateway.Home{FrostGuard: 7, Maximum: 28}}
	for i := range n {
		room := gateway.RoomID(fmt.Sprintf("room-%d", i))
		s.Rooms = s.Rooms.With(room, gateway.Room{ID: room, Name: fmt.Sprintf("Room %d", i)})
		s.Devices = s.Devices.With(deviceID(i), withReadings(
			gateway.Device{ID: deviceID(i), Name: fmt.Sprintf("Sensor %d", i), Model: "NAModule1", Room: room,
				Faces: []gateway.Face{{Adapter: gateway.AccessoryAdapter, Reaches: true}}},
			reading(gateway.Temperature, gateway.Number(18), gateway.AccessoryAdapter),
			reading(gateway.Humidity, gateway.Number(50), gateway.AccessoryAdapter),
			reading(gateway.Battery, gateway.Number(90), gateway.AccessoryAdapter)))
	}
	return s
}

func deviceID(i int) gateway.DeviceID {
	return gateway.DeviceID(fmt.Sprintf("70:ee:50:00:%02x:%02x", i/256, i%256))
}

// measured changes one temperature.
func measured(s gateway.State, id gateway.DeviceID, celsius float64) gateway.State {
	d, _ := s.Devices.Get(id)
	m := reading(gateway.Temperature, gateway.Number(celsius), gateway.AccessoryAdapter)
	m.At = m.At.Add(time.Duration(celsius * float64(time.Minute)))
	s.Devices = s.Devices.With(id, d.WithReading(m))
	return s
}

// decided adds a decision.
func decided(s gateway.State, d gateway.Decision) gateway.State {
	s.Decided++
	d.Number, d.At = s.Decided, evening
	s.Decisions = append(s.Decisions[:len(s.Decisions):len(s.Decisions)], d)
	return s
}
