package rules_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// house makes a house in an outage: each room has a valve on the LAN, a second sensor, and a plan.
func house(devices int) gateway.State {
	zone, err := gateway.LoadTimeZone("Europe/Paris")
	if err != nil {
		panic(err)
	}
	at := time.Date(2025, 10, 29, 16, 0, 0, 0, time.UTC)
	s := gateway.State{Home: gateway.Home{ID: "h", Zone: zone, FrostGuard: 7, Maximum: 28}}
	plan := gateway.Schedule{ID: "s", Name: "Winter", Type: "therm", Selected: true, Zones: []gateway.Zone{{ID: 0, Name: "Day"}, {ID: 1, Name: "Night"}}}
	for day := range 7 {
		plan.Slots = append(plan.Slots, gateway.Slot{Minute: day*1440 + 390, Zone: 0}, gateway.Slot{Minute: day*1440 + 1350, Zone: 1})
	}
	events := []gateway.Event{{From: "clock", Fact: gateway.Clock{Trust: gateway.TrustSynced}}}
	for i := range devices / 2 {
		room := gateway.RoomID(fmt.Sprint("room", i))
		plan.Zones[0].Rooms = append(plan.Zones[0].Rooms, gateway.ZoneRoom{Room: room, Target: 20})
		plan.Zones[1].Rooms = append(plan.Zones[1].Rooms, gateway.ZoneRoom{Room: room, Target: 17})
		valve, sensor := gateway.DeviceID(fmt.Sprint("valve", i)), gateway.DeviceID(fmt.Sprint("sensor", i))
		events = append(events,
			gateway.Event{From: "accessory", Fact: gateway.Found{Device: valve, Model: "NRV", Room: room, Controls: []gateway.Control{{Quantity: gateway.Target, Min: 7, Max: 30, Step: 0.5}}}},
			gateway.Event{From: "accessory", Fact: gateway.Found{Device: sensor, Model: "NAModule4", Room: room}},
			gateway.Event{From: "accessory", Fact: gateway.Reading{Device: valve, Quantity: gateway.Target, Value: gateway.Number(20)}},
			gateway.Event{From: "accessory", Fact: gateway.Reading{Device: valve, Quantity: gateway.Temperature, Value: gateway.Number(19)}},
			gateway.Event{From: "accessory", Fact: gateway.Reading{Device: sensor, Quantity: gateway.Humidity, Value: gateway.Number(50)}})
	}
	s.Home.Schedules = []gateway.Schedule{plan}
	for i := range 8 {
		events = append(events, gateway.Event{At: at.Add(time.Duration(i*15) * time.Second), From: "uplink", Fact: gateway.Probe{Verdict: gateway.VerdictCloudDown, Why: "503"}})
	}
	for _, e := range events {
		if e.At.IsZero() {
			e.At = at
		}
		s, _ = rules.Step(s, e)
	}
	return s
}

// One event must be cheap, and its cost must not grow with the devices that it does not touch.
func BenchmarkStepReading(b *testing.B) {
	for _, devices := range []int{20, 200, 2000} {
		b.Run(fmt.Sprint(devices), func(b *testing.B) {
			s := house(devices)
			at := s.At
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at = at.Add(time.Millisecond)
				s, _ = rules.Step(s, gateway.Event{At: at, From: "accessory", Fact: gateway.Reading{Device: "valve3", Quantity: gateway.Temperature, Value: gateway.Number(19 + float64(i%10)/10)}})
			}
		})
	}
}

func BenchmarkStepTick(b *testing.B) {
	for _, devices := range []int{20, 200} {
		b.Run(fmt.Sprint(devices), func(b *testing.B) {
			s := house(devices)
			at := s.At
			b.ReportAllocs()
			for b.Loop() {
				at = at.Add(time.Millisecond)
				s, _ = rules.Step(s, gateway.Event{At: at, From: gateway.LoopName, Fact: gateway.Tick{}})
			}
		})
	}
}

// A tick in a house where nothing changed must not wake anybody.
func TestQuietTickChangesNothing(t *testing.T) {
	s := house(20)
	for range 5 {
		next, commands := rules.Step(s, gateway.Event{At: s.At.Add(2 * time.Second), From: gateway.LoopName, Fact: gateway.Tick{}})
		if next.Version != s.Version || len(commands) > 0 {
			t.Fatalf("a quiet tick gives version %d after %d and commands %v", next.Version, s.Version, commands)
		}
		s = next
	}
}

func TestAllocationDoesNotGrowWithTheHouse(t *testing.T) {
	cost := func(devices int) float64 {
		s := house(devices)
		at := s.At
		return testing.AllocsPerRun(200, func() {
			at = at.Add(time.Second)
			rules.Step(s, gateway.Event{At: at, From: "accessory", Fact: gateway.Reading{Device: "sensor3", Quantity: gateway.Humidity, Value: gateway.Number(51)}})
		})
	}
	// The path of a tree grows with the logarithm; ten times the devices may cost a few nodes.
	small, large := cost(20), cost(2000)
	if large > small+20 {
		t.Errorf("one event allocates %v times with 20 devices and %v with 2000", small, large)
	}
}

// FuzzLife lives random lives and holds the invariants after every step.
func FuzzLife(f *testing.F) {
	lives := uint64(20)
	if racing {
		lives = 3
	}
	for seed := range lives {
		f.Add(seed, uint16(300))
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) {
		random := rand.New(rand.NewPCG(seed, 7))
		s := attached(house(8), 2)
		var asked []gateway.Command
		for range steps % 1000 {
			e := gateway.Event{At: s.At.Add(time.Duration(random.IntN(400)) * time.Second / 4)}
			e.From, e.Fact = randomFact(random, e.At, asked)
			next, commands := rules.Step(s, e)
			if err := invariants(s, e, next, commands); err != nil {
				t.Fatalf("seed %d at %v: %v", seed, e.At, err)
			}
			s, asked = next, append(asked, commands...)
		}
	})
}

func randomFact(random *rand.Rand, at time.Time, asked []gateway.Command) (string, gateway.Fact) {
	room := gateway.RoomID(fmt.Sprint("room", random.IntN(5))) // one of them does not exist
	valve := gateway.DeviceID(fmt.Sprint("valve", random.IntN(5)))
	temperature := gateway.Number(float64(random.IntN(80)-20) / 2)
	yes := random.IntN(2) == 0
	boiler := gateway.DeviceID(fmt.Sprint("boiler", random.IntN(2)))
	switch random.IntN(18) {
	case 0, 1:
		verdict := []gateway.Verdict{gateway.VerdictOK, gateway.VerdictCloudDown, gateway.VerdictInternetDown, gateway.VerdictRateLimited}[random.IntN(4)]
		return "uplink", gateway.Probe{Verdict: verdict, Why: string(verdict), Void: random.IntN(9) == 0}
	case 2:
		return "netatmo", gateway.Call{Plane: gateway.PlaneRead, Verdict: []gateway.Verdict{gateway.VerdictOK, gateway.VerdictDegraded}[random.IntN(2)]}
	case 3:
		modes := []gateway.RoomMode{gateway.RoomSchedule, gateway.RoomManual, gateway.RoomAway, gateway.RoomFrost, gateway.RoomOff, gateway.RoomMax}
		view := gateway.CloudView{Home: "h", At: at, Fresh: at, Mode: []gateway.HomeMode{gateway.HomeSchedule, gateway.HomeAway, gateway.HomeFrost}[random.IntN(3)]}
		for i := range 4 {
			view.Rooms = append(view.Rooms, gateway.CloudRoom{ID: gateway.RoomID(fmt.Sprint("room", i)), Target: temperature, Mode: modes[random.IntN(6)], Since: at, Until: at.Add(time.Duration(random.IntN(300)) * time.Minute)})
		}
		return "netatmo", view
	case 4:
		return "accessory", gateway.Reading{Device: valve, Quantity: gateway.Target, Value: temperature}
	case 5:
		return "accessory", gateway.Reading{Device: valve, Quantity: gateway.Temperature, Value: temperature}
	case 6:
		return "accessory", gateway.Reading{Device: "sensor1", Quantity: []gateway.Quantity{gateway.Smoke, gateway.CO}[random.IntN(2)], Value: gateway.Flag(yes)}
	case 7:
		return "accessory", gateway.Reach{Device: valve, OK: yes, Why: "dice"}
	case 8:
		return "clock", gateway.Clock{Trust: []gateway.Trust{gateway.TrustGuess, gateway.TrustSynced}[random.IntN(2)]}
	case 9:
		n, _ := temperature.Number()
		return "homekit", gateway.Wish{By: "dice", Ask: []gateway.Ask{
			gateway.SetTarget{Room: room, Target: n, For: time.Duration(random.IntN(200)-20) * time.Minute}, gateway.FollowHome{Room: room},
			gateway.SetRoomOff{Room: room}, gateway.Hush{}, gateway.SwitchSchedule{ID: "s"}, gateway.Acknowledge{}, gateway.StartTest{For: 5 * time.Minute}, gateway.EndTest{}}[random.IntN(8)]}
	case 10:
		return "mqtt", gateway.Wish{By: "dice", Ask: gateway.SetMode{Mode: []gateway.HomeMode{gateway.HomeSchedule, gateway.HomeAway, gateway.HomeFrost, "party"}[random.IntN(4)], For: time.Duration(random.IntN(3)) * time.Hour}}
	case 11:
		if len(asked) > 0 {
			c := asked[random.IntN(len(asked))]
			return c.Point.Adapter, gateway.Outcome{ID: c.ID, Point: c.Point, Err: []string{"", "no answer"}[random.IntN(2)], Final: random.IntN(5) == 0}
		}
	case 13, 14:
		return gateway.MQTTAdapter, gateway.Reading{Device: boiler, Quantity: gateway.Relay, Value: gateway.Flag(yes)}
	case 15:
		return gateway.MQTTAdapter, gateway.Reading{Device: boiler, Quantity: gateway.Power, Value: gateway.Number(float64(random.IntN(60)))}
	case 16:
		return "accessory", gateway.Reading{Device: valve, Quantity: gateway.Position, Value: gateway.Number(float64(random.IntN(20)))}
	case 12:
		return "accessory", gateway.Found{Device: gateway.DeviceID(fmt.Sprint("siren", random.IntN(2))), Controls: []gateway.Control{{Quantity: gateway.Siren}}}
	}
	return gateway.LoopName, gateway.Tick{}
}
