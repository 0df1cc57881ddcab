package schedule_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// The list of changes, spelt out minute by minute, is the oracle's in the years before those that
// TestEveryMinuteOfTenYears takes, of which it asks At as well.
func TestEveryMinuteOfTheYearsBefore(t *testing.T) {
	years := 5
	if testing.Short() || racing {
		years = 1
	}
	for _, zone := range []string{"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Pacific/Apia"} {
		t.Run(zone, func(t *testing.T) {
			loc, s := location(t, zone), busy()
			if differ, first := spelt(s, year(2016), year(2016+years), loc); differ > 0 {
				t.Errorf("%d minutes differ, the first is %v", differ, time.Unix(first, 0).In(loc))
			}
		})
	}
}

// spelt counts the minutes in which the list of changes and the oracle differ. The oracle's offset is read
// anew only where it changes, which is found without the package under test.
func spelt(s gateway.Schedule, from, to int64, loc *time.Location) (differ int, first int64) {
	o := zoneOracle(s)
	minute, listed, known := from, 0, false
	offset, end := int64(0), int64(0)
	compare := func(until int64) {
		for ; minute < until; minute += 60 {
			if minute >= end {
				_, seconds := time.Unix(minute, 0).In(loc).Zone()
				offset, end = int64(seconds), minute+60
				if minute%3600 == 0 && sameOffset(minute+3540, offset, loc) {
					end = minute + 3600
				}
			}
			if want := o[((minute+offset)/60+3*24*60)%weekMinutes]; !known || listed != want {
				if differ++; differ == 1 {
					first = minute
				}
			}
		}
	}
	for at, zone := range schedule.Changes(s, time.Unix(from, 0), time.Unix(to, 0), loc) {
		compare(at.Unix())
		listed, known = zone, true
	}
	compare(to)
	return differ, first
}

func sameOffset(unix, offset int64, loc *time.Location) bool {
	_, seconds := time.Unix(unix, 0).In(loc).Zone()
	return int64(seconds) == offset
}

// What a room is asked for holds until the instant that NextFor names, is something else then, and that
// lies ahead, at most eight days and the days that a clock skips.
func TestWhatIsAskedHoldsUntilTheNextChange(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 24))
	rounds := 2000
	if testing.Short() || racing {
		rounds = 100
	}
	for range rounds {
		s, decade := random(r), decades[r.IntN(len(decades))]
		loc := location(t, decade.zone)
		for _, now := range instants(r, year(decade.from), loc, 1) {
			asked, ok := schedule.Target(s, "bath", now, loc)
			at, next, changes := schedule.NextFor(s, "bath", now, loc)
			if !changes {
				continue
			}
			if !ok || !at.After(now) || next == asked || at.Sub(now) > 15*24*time.Hour {
				t.Fatalf("at %v in %v: %+v, then %+v at %v", now.In(loc), loc, asked, next, at)
			}
			for range 20 {
				between := now.Add(time.Duration(r.Int64N(int64(at.Sub(now)))))
				if held, _ := schedule.Target(s, "bath", between, loc); held != asked {
					t.Fatalf("at %v it is %+v, before %v", between.In(loc), held, at.In(loc))
				}
			}
			if then, _ := schedule.Target(s, "bath", at, loc); then != next {
				t.Fatalf("at %v it is %+v, want %+v", at.In(loc), then, next)
			}
		}
	}
}

// A clock that is wrong and comes right again leaves no trace: nothing is remembered.
func TestClockStepsLeaveNoTrace(t *testing.T) {
	r, paris, s := rand.New(rand.NewPCG(5, 24)), location(t, "Europe/Paris"), winter()
	o := roomOracle(s, "bath")
	now := year(2026)
	for i := range 20000 {
		now += r.Int64N(7200)
		wrong := now + r.Int64N(20*365*86400) - 10*365*86400
		for _, at := range []int64{now, wrong, now} {
			if got, _ := schedule.Target(s, "bath", time.Unix(at, 0), paris); got != o.at(at, paris) {
				t.Fatalf("step %d, at %v: %+v", i, time.Unix(at, 0).In(paris), got)
			}
		}
	}
}
