package rules_test

import (
	"slices"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

// week is a timetable that is whole.
func week() gateway.Schedule {
	return gateway.Schedule{ID: "s", Name: "Winter", Type: "therm", Selected: true, Away: 12, Frost: 7,
		Slots: []gateway.Slot{{Minute: 2*1440 + 390, Zone: 0}, {Minute: 1350, Zone: 1}}, // noon is on a Wednesday
		Zones: []gateway.Zone{
			{ID: 0, Name: "Day", Rooms: []gateway.ZoneRoom{{Room: "r", Target: 20}}},
			{ID: 1, Name: "Night", Rooms: []gateway.ZoneRoom{{Room: "r", Target: 17}}},
		}}
}

// A plan that came half is said once, and the last good one stays in force.
func TestPlanThatCameHalf(t *testing.T) {
	for name, spoil := range map[string]func(*gateway.Schedule){
		"no slots":              func(s *gateway.Schedule) { s.Slots = nil },
		"no zones":              func(s *gateway.Schedule) { s.Zones = nil },
		"a zone is missing":     func(s *gateway.Schedule) { s.Zones = s.Zones[:1] },
		"zones without rooms":   func(s *gateway.Schedule) { s.Zones = []gateway.Zone{{ID: 0, Name: "Day"}, {ID: 1, Name: "Night"}} },
		"offset after the week": func(s *gateway.Schedule) { s.Slots = append(slices.Clone(s.Slots), gateway.Slot{Minute: 10080}) },
		"offset before it":      func(s *gateway.Schedule) { s.Slots = append(slices.Clone(s.Slots), gateway.Slot{Minute: -5}) },
		"another id, and empty": func(s *gateway.Schedule) { s.ID, s.Slots = "x", nil },
		"another type only":     func(s *gateway.Schedule) { s.ID, s.Type, s.Selected = "x", "event", false },
		"nothing selected":      func(s *gateway.Schedule) { s.Selected = false },
	} {
		t.Run(name, func(t *testing.T) {
			good, bad := plan(gateway.PlanRoom{ID: "r", Name: "Salon"}), plan(gateway.PlanRoom{ID: "r", Name: "Salon"})
			good.Schedules = []gateway.Schedule{week()}
			s := tell(t, gateway.State{}, "clock", gateway.Clock{Trust: gateway.TrustSynced}, "netatmo", good)
			want, _ := s.Rooms.Get("r")
			if want.Target.Value != gateway.Number(20) {
				t.Fatalf("the plan asks for %v", want.Target)
			}
			spoilt := week()
			spoil(&spoilt)
			bad.Schedules = []gateway.Schedule{spoilt}
			decided := s.Decided
			s = tell(t, s, "netatmo", bad, "netatmo", bad, "netatmo", bad)
			if got, _ := s.Rooms.Get("r"); got.Target.Value != want.Target.Value || got.Target.Mode != want.Target.Mode {
				t.Errorf("the room is asked for %+v, it was %+v", got.Target, want.Target)
			}
			if s.Home.Fault != "" && s.Decided != decided+1 {
				t.Errorf("a fault is said %d times: %s", s.Decided-decided, s.Home.Fault)
			}
			if s = tell(t, s, "netatmo", good); s.Home.Fault != "" || len(s.Home.Schedules[0].Slots) != 2 {
				t.Errorf("after a good one: fault %q, %+v", s.Home.Fault, s.Home.Schedules)
			}
		})
	}
}

func TestFirstPlanIsTakenAsItIs(t *testing.T) {
	first := plan(gateway.PlanRoom{ID: "r", Name: "Salon"})
	w := week()
	w.Slots = append(w.Slots, gateway.Slot{Minute: 700, Zone: 9})
	first.Schedules = []gateway.Schedule{w}
	s := tell(t, gateway.State{}, "clock", gateway.Clock{Trust: gateway.TrustSynced}, "netatmo", first)
	r, _ := s.Rooms.Get("r")
	if s.Home.Fault == "" || r.Target.Value != gateway.Number(20) {
		t.Errorf("fault %q, target %v: what can be followed is, and the rest is said", s.Home.Fault, r.Target)
	}
}

// What cannot be meant is answered with a sentence, and changes nothing.
func TestImpossibleWishes(t *testing.T) {
	good := plan(gateway.PlanRoom{ID: "r", Name: "Salon"})
	good.Schedules = []gateway.Schedule{week()}
	s := tell(t, gateway.State{}, "clock", gateway.Clock{Trust: gateway.TrustSynced}, "netatmo", good)
	for _, ask := range []gateway.Ask{
		gateway.SetTarget{Room: "r", Target: 300}, gateway.SetTarget{Room: "r", Target: -3}, gateway.SetTarget{Room: "nowhere", Target: 20},
		gateway.SetTarget{Room: "r", Target: 20, For: -1}, gateway.SetTarget{Room: "r", Target: 20, Until: noon},
		gateway.SetMode{Mode: "party"}, gateway.SwitchSchedule{ID: "x"},
	} {
		before, _ := s.Rooms.Get("r")
		next := tell(t, s, "mqtt", gateway.Wish{By: "MQTT", Ask: ask})
		after, _ := next.Rooms.Get("r")
		last := next.Decisions[len(next.Decisions)-1]
		if last.Kind != "refused" || last.Why == "" || after.Override != before.Override || next.Home.Regime != s.Home.Regime {
			t.Errorf("%+v: %+v, override %+v", ask, last, after.Override)
		}
		s = next
	}
}
