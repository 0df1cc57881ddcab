package rules_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// layer is what one wish asks for.
type layer struct {
	at, until time.Time // zero until: no end
	degrees   float64
	away      bool // a mode of the home, not a wish for the room
	follow    bool // nothing: the layer below shows
}

// layers is the naive interpreter: a list of what was wished, of which only what has ended is taken out.
type layers struct {
	list     []layer
	day      float64 // what the schedule asks for from 06:30
	night    float64 // and from 22:30
	location *time.Location
}

// target reads the list from the end.
func (l *layers) target(now time.Time) float64 {
	var room, home layer
	kept := l.list[:0]
	for _, one := range l.list {
		if !one.until.IsZero() && !now.Before(one.until) {
			// It is gone for ever, whatever the clock says later, and with it what it replaced.
			one = layer{at: one.at, away: one.away, follow: true}
		}
		kept = append(kept, one)
		if one.away {
			home = one
		} else {
			room = one
		}
	}
	l.list = kept
	hasRoom, hasHome := !room.at.IsZero() && !room.follow, !home.at.IsZero() && !home.follow
	local := now.In(l.location)
	minute := local.Hour()*60 + local.Minute()
	switch {
	case hasRoom && !(hasHome && home.at.After(room.at)):
		return room.degrees
	case hasHome:
		return home.degrees
	case minute >= 390 && minute < 1350:
		return l.day
	}
	return l.night
}

// Random scripts of wishes, ends, modes and edits give in each room what the naive interpreter says, and
// nothing below the frost floor or above the cap. Clock steps have a model of their own, in clock_test.go.
func TestLayersAgainstANaiveInterpreter(t *testing.T) {
	lives := 150
	if testing.Short() || racing {
		lives = 15
	}
	steps := 0
	for seed := range uint64(lives) {
		random := rand.New(rand.NewPCG(seed, 24))
		s := house(2)
		l := &layers{day: 20, night: 17, location: s.Home.Zone.Location()}
		for range 300 {
			steps++
			now := s.At.Add(time.Duration(random.IntN(29*60)) * time.Second) // a longer gap would be a clock that was set
			if random.IntN(2) == 0 {
				now = s.At.Add(time.Duration(random.IntN(50)) * time.Second)
			}
			e := gateway.Event{At: now, From: gateway.LoopName, Fact: gateway.Tick{}}
			if random.IntN(3) == 0 {
				e.From, e.Fact = "page", l.something(random, &s, now)
			}
			next, commands := rules.Step(s, e)
			if steps%20 == 0 { // they cost more than the step
				if err := invariants(s, e, next, commands); err != nil {
					t.Fatalf("seed %d at %v: %v", seed, now, err)
				}
			}
			r, _ := next.Rooms.Get("room0")
			got, _ := r.Target.Value.Number()
			if want := l.target(now); got != want || got < 7 || got > 28 {
				t.Fatalf("seed %d at %v after %+v: %g (%s), want %g", seed, now.In(l.location), e.Fact, got, r.Target.Why, want)
			}
			s = next
		}
	}
	t.Logf("%d lives, %d steps", lives, steps)
}

// something lets a person wish something, or the plan or the zone be another, and notes it in the list.
func (l *layers) something(random *rand.Rand, s *gateway.State, now time.Time) gateway.Fact {
	length := time.Duration(1+random.IntN(20*3600)) * time.Second
	until := now.Add(length).Truncate(time.Second)
	l.target(now) // what has ended by now has ended
	switch random.IntN(8) {
	case 0, 1, 2:
		degrees := 7 + float64(random.IntN(43))/2
		l.list = append(l.list, layer{at: now, until: until, degrees: degrees})
		return gateway.Wish{By: "page", Ask: gateway.SetTarget{Room: "room0", Target: degrees, For: length}}
	case 3:
		l.list = append(l.list, layer{at: now, follow: true})
		return gateway.Wish{By: "page", Ask: gateway.FollowHome{Room: "room0"}}
	case 4:
		l.list = append(l.list, layer{at: now, degrees: 7})
		return gateway.Wish{By: "page", Ask: gateway.SetRoomOff{Room: "room0"}}
	case 5:
		l.list = append(l.list, layer{at: now, until: until, degrees: 12, away: true})
		return gateway.Wish{By: "page", Ask: gateway.SetMode{Mode: gateway.HomeAway, Until: until}}
	case 6:
		l.list = append(l.list, layer{at: now, away: true, follow: true})
		return gateway.Wish{By: "page", Ask: gateway.SetMode{Mode: gateway.HomeSchedule}}
	}
	zone, err := gateway.LoadTimeZone([]string{"Europe/Paris", "America/Santiago", "Australia/Lord_Howe"}[random.IntN(3)])
	if err != nil {
		panic(err)
	}
	edited := s.Home.Schedules[0]
	l.day, l.night, l.location = 18+float64(random.IntN(6)), 15+float64(random.IntN(3)), zone.Location()
	edited.Zones = []gateway.Zone{
		{ID: 0, Name: "Day", Rooms: []gateway.ZoneRoom{{Room: "room0", Target: l.day}}},
		{ID: 1, Name: "Night", Rooms: []gateway.ZoneRoom{{Room: "room0", Target: l.night}}},
	}
	return gateway.Plan{Home: s.Home.ID, Zone: zone, Schedules: []gateway.Schedule{edited}}
}
