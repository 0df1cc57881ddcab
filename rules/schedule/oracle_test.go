package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the same rules on every machine

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

const weekMinutes = 10080

// oracle is a timetable spelt out: one entry for each minute of the week. It shares nothing with the package: it fills
// the week slot by slot, and finds the minute of the week by counting from the epoch, a Thursday, instead of asking the
// calendar.
type oracle[T comparable] [weekMinutes]T

func newOracle[T comparable](slots []gateway.Slot, what func(zone int, before T) T) *oracle[T] {
	var o oracle[T]
	sorted := slices.Clone(slots)
	slices.SortStableFunc(sorted, func(a, b gateway.Slot) int { return a.Minute - b.Minute })
	var value T
	for range 2 { // the first round only finds what the week's end hands on to its beginning
		next := 0
		for minute := range weekMinutes {
			// Of slots at one minute only the last one rules, so only it may hand anything on.
			for ; next < len(sorted) && sorted[next].Minute == minute; next++ {
				if next+1 == len(sorted) || sorted[next+1].Minute != minute {
					value = what(sorted[next].Zone, value)
				}
			}
			o[minute] = value
		}
	}
	return &o
}

func zoneOracle(s gateway.Schedule) *oracle[int] {
	return newOracle(s.Slots, func(zone, _ int) int { return zone })
}

func roomOracle(s gateway.Schedule, room gateway.RoomID) *oracle[gateway.ZoneRoom] {
	return newOracle(s.Slots, func(zone int, before gateway.ZoneRoom) gateway.ZoneRoom {
		for _, z := range s.Zones {
			for _, r := range z.Rooms {
				if z.ID == zone && r.Room == room {
					return r
				}
			}
		}
		return before
	})
}

func (o *oracle[T]) at(unix int64, loc *time.Location) T {
	_, offset := time.Unix(unix, 0).In(loc).Zone()
	const thursday = 3 * 24 * 60 // minutes from Monday to the epoch
	return o[((unix+int64(offset))/60+thursday)%weekMinutes]
}

// next steps minute by minute to the first one with another value.
func (o *oracle[T]) next(unix int64, loc *time.Location, limit time.Duration) (int64, bool) {
	now := o.at(unix, loc)
	for step := unix - unix%60 + 60; step <= unix+int64(limit/time.Second); step += 60 {
		if o.at(step, loc) != now {
			return step, true
		}
	}
	return 0, false
}

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func year(y int) int64 { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).Unix() }

// decades are ten years each of the zones that break schedules, and the year of the ten to take if one has to do.
var decades = []struct {
	zone     string
	from     int
	hardYear int
	why      string
}{
	{"Europe/Paris", 2021, 2026, "an hour, at night"},
	{"America/New_York", 2021, 2026, "an hour, other dates"},
	{"Australia/Lord_Howe", 2021, 2026, "half an hour"},
	{"America/Santiago", 2021, 2026, "the gap is at midnight"},
	{"Africa/Casablanca", 2021, 2026, "changes about Ramadan"},
	{"Africa/Casablanca", 2006, 2012, "four changes a year"},
	{"Pacific/Apia", 2006, 2011, "30 December 2011 never was"},
	{"Pacific/Apia", 2021, 2026, "no changes any more"},
}

// busy is a timetable with slots inside every gap and every repeated hour of those zones.
func busy() gateway.Schedule {
	s := gateway.Schedule{Name: "Busy", Zones: []gateway.Zone{{ID: 0}, {ID: 1}, {ID: 4}}}
	for i, minute := range []int{0, 30, 75, 105, 110, 135, 150, 170, 185, 360, 1380, 1425} {
		for day := range 7 {
			s.Slots = append(s.Slots, gateway.Slot{Minute: day*1440 + minute, Zone: []int{0, 1, 4}[(i+day)%3]})
		}
	}
	return s
}

func TestEveryMinuteOfTenYears(t *testing.T) {
	for _, decade := range decades {
		t.Run(fmt.Sprintf("%s %d %s", decade.zone, decade.from, decade.why), func(t *testing.T) {
			t.Parallel()
			from, to := year(decade.from), year(decade.from+10)
			if testing.Short() || racing {
				from, to = year(decade.hardYear), year(decade.hardYear+1)
			}
			sameEveryMinute(t, busy(), from, to, location(t, decade.zone))
		})
	}
}

// sameEveryMinute compares At and the list of changes with the oracle.
func sameEveryMinute(t *testing.T, s gateway.Schedule, from, to int64, loc *time.Location) {
	t.Helper()
	o := zoneOracle(s)
	minute, listed, differ := from, -1, 0
	check := func(until int64) {
		for ; minute < until; minute += 60 {
			zone, ok := schedule.At(s, time.Unix(minute, 0), loc)
			if want := o.at(minute, loc); !ok || zone.ID != want || listed != want {
				if differ++; differ < 5 {
					t.Errorf("%v: At says %d, Changes %d, want %d", time.Unix(minute, 0).In(loc), zone.ID, listed, want)
				}
			}
		}
	}
	for at, zone := range schedule.Changes(s, time.Unix(from, 0), time.Unix(to, 0), loc) {
		if at.Nanosecond() != 0 || at.Unix()%60 != 0 || zone == listed {
			t.Fatalf("change at %v to zone %d from %d", at, zone, listed)
		}
		check(at.Unix())
		listed = zone
	}
	check(to)
	if checked := (minute - from) / 60; differ > 0 || minute != to {
		t.Errorf("%d of %d minutes differ", differ, checked)
	}
}

// random makes timetables with all oddities: unsorted, no slot at minute 0, equal neighbours, two slots at one minute,
// rooms that some zones leave out.
func random(r *rand.Rand) gateway.Schedule {
	s := gateway.Schedule{Name: "Random"}
	for id := range 1 + r.IntN(4) {
		z := gateway.Zone{ID: id * 3}
		for _, room := range []gateway.RoomID{"bath", "hall", "attic"} {
			if r.IntN(3) > 0 && room != "attic" || r.IntN(20) == 0 {
				z.Rooms = append(z.Rooms, gateway.ZoneRoom{Room: room, Target: 15 + float64(r.IntN(4))})
			}
		}
		s.Zones = append(s.Zones, z)
	}
	for range 1 + r.IntN(60) {
		slot := gateway.Slot{Minute: r.IntN(weekMinutes), Zone: s.Zones[r.IntN(len(s.Zones))].ID}
		if r.IntN(8) == 0 && len(s.Slots) > 0 {
			slot.Minute = s.Slots[0].Minute
		}
		s.Slots = append(s.Slots, slot)
	}
	return s
}

// instants gives points of time that matter: within days of a change of the clock, or anywhere, seconds included.
func instants(r *rand.Rand, from int64, loc *time.Location, n int) []time.Time {
	var all []time.Time
	for range n {
		t := time.Unix(from+r.Int64N(10*365*86400), r.Int64N(1e9))
		if _, end := t.In(loc).ZoneBounds(); r.IntN(2) == 0 && !end.IsZero() {
			t = end.Add(-time.Duration(r.Int64N(int64(36 * time.Hour))))
		}
		all = append(all, t)
	}
	return all
}
