package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// served is a house that Netatmo serves, with one valve that the LAN reaches.
func served(t *testing.T) gateway.State {
	t.Helper()
	p := plan(gateway.PlanRoom{ID: "r1", Name: "Salon"})
	p.Schedules = []gateway.Schedule{{ID: "s", Name: "Winter", Type: "therm", Selected: true,
		Slots: []gateway.Slot{{Minute: 0, Zone: 0}}, Zones: []gateway.Zone{{ID: 0, Name: "Day", Rooms: []gateway.ZoneRoom{{Room: "r1", Target: 20}}}}}}
	return tell(t, gateway.State{},
		"clock", gateway.Clock{Trust: gateway.TrustSynced},
		"netatmo", p,
		"accessory", gateway.Found{Device: "v1", Model: "NRV", Room: "r1", Controls: []gateway.Control{{Quantity: gateway.Target, Min: 7, Max: 30, Step: 0.5}}},
		"accessory", gateway.Reading{Device: "v1", Quantity: gateway.Target, Value: gateway.Number(20)},
		"netatmo", gateway.CloudView{Home: "h", At: noon, Mode: gateway.HomeSchedule, Rooms: []gateway.CloudRoom{{ID: "r1", Target: gateway.Number(20), Mode: gateway.RoomSchedule}}},
		"uplink", gateway.Probe{Verdict: gateway.VerdictOK, Witness: gateway.Yes})
}

// later lets time pass in ticks of 10 s.
func later(t *testing.T, s gateway.State, d time.Duration) gateway.State {
	t.Helper()
	for end := s.At.Add(d); s.At.Before(end); {
		e := gateway.Event{At: s.At.Add(10 * time.Second), From: gateway.LoopName, Fact: gateway.Tick{}}
		next, commands := rules.Step(s, e)
		if err := invariants(s, e, next, commands); err != nil {
			t.Fatal(err)
		}
		s = next
	}
	return s
}

func drill(d time.Duration) gateway.Wish {
	return gateway.Wish{By: "control", Ask: gateway.StartDrill{For: d}}
}

func TestADrillIsRefusedWithItsReason(t *testing.T) {
	down := gateway.Probe{Verdict: gateway.VerdictCloudDown, Why: "Netatmo answers 503", Witness: gateway.Yes}
	tests := []struct {
		name  string
		state func(*testing.T) gateway.State
		wish  time.Duration
		want  string
	}{
		{"too short", served, 59 * time.Second, "a drill lasts 1 min to 4 h"},
		{"too long", served, 4*time.Hour + 1, "a drill lasts 1 min to 4 h"},
		{"one is on", func(t *testing.T) gateway.State { return tell(t, served(t), "control", drill(time.Hour)) }, time.Hour, "a drill is on already, until 13:00"},
		{"nothing was copied", func(*testing.T) gateway.State { return gateway.State{} }, time.Hour, "no schedule was copied from Netatmo yet"},
		{"an alarm is on", func(t *testing.T) gateway.State {
			return tell(t, served(t), "accessory", gateway.Reading{Device: "v1", Quantity: gateway.CO, Value: gateway.Flag(true)})
		}, time.Hour, "an alarm is on: NRV v1 in Salon says carbon monoxide"},
		{"it may be an outage", func(t *testing.T) gateway.State { return tell(t, served(t), "uplink", down) }, time.Hour, "that may be an outage"},
		{"it is an outage", func(t *testing.T) gateway.State {
			s := served(t)
			for range 8 {
				s = later(t, tell(t, s, "uplink", down), 20*time.Second)
			}
			return s
		}, time.Hour, "this is no drill: Netatmo is gone since 12:00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := test.state(t)
			s := tell(t, before, "control", drill(test.wish))
			last := s.Decisions[len(s.Decisions)-1]
			if last.Kind != "refused" || !strings.Contains(last.Why, test.want) {
				t.Errorf("decided is %+v, want %q", last, test.want)
			}
			if s.Authority.Phase != before.Authority.Phase && before.Authority.Phase != "" || s.Authority.Drill != before.Authority.Drill {
				t.Errorf("a refused drill changes authority to %+v", s.Authority)
			}
		})
	}
}

func TestADrillIsNoOutage(t *testing.T) {
	before := served(t)
	s := tell(t, before, "control", drill(10*time.Minute))
	if s.Authority.Phase != gateway.Local || !s.Authority.Drill || !strings.HasPrefix(s.Authority.Why, "drill: ") {
		t.Fatalf("a drill gives %+v", s.Authority)
	}
	s = later(t, s, 10*time.Minute)
	if s.Authority.Phase != gateway.Returning {
		t.Fatalf("at its end: %+v", s.Authority)
	}
	s = tell(t, s, "netatmo", gateway.CloudView{Home: "h", At: s.At, Mode: gateway.HomeSchedule})
	if s.Authority.Phase != gateway.Watching || s.Authority.Drill || !s.Authority.Until.IsZero() {
		t.Errorf("after the read: %+v", s.Authority)
	}
	if s.Cloud.Hold != before.Cloud.Hold || !s.Cloud.Returned.IsZero() {
		t.Errorf("it counts as an outage: hold %v, returned %v", s.Cloud.Hold, s.Cloud.Returned)
	}
	for _, d := range s.Decisions {
		if d.Number > before.Decided && !strings.HasPrefix(d.What, "drill: ") {
			t.Errorf("%q does not say that it is a drill", d.What)
		}
	}
}

// A cloud that was never away but cannot be read just now does not keep a drill going for ever.
func TestADrillEndsWithoutAnAnswer(t *testing.T) {
	s := tell(t, served(t), "control", drill(time.Minute))
	s = later(t, s, time.Minute+5*time.Minute+10*time.Second)
	if s.Authority.Phase != gateway.Watching || s.Authority.Drill {
		t.Errorf("six minutes on: %+v", s.Authority)
	}
}

func TestADrillThatLastsOverARestartEnds(t *testing.T) {
	s := tell(t, served(t), "control", drill(time.Hour))
	at := s.At
	s = s.Lasting().State()
	s, _ = rules.Step(s, gateway.Event{At: at.Add(time.Second), From: gateway.LoopName, Fact: gateway.Tick{}})
	if s.Authority.Phase != gateway.Returning || !s.Authority.Drill {
		t.Errorf("after a restart: %+v", s.Authority)
	}
}
