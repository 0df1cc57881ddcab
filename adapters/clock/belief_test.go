package clock

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

const (
	synced   = gateway.TrustSynced
	holdover = gateway.TrustHoldover
	guess    = gateway.TrustGuess
)

// saved is when the house last wrote to its disk: the floor in these tests.
var saved = time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC)

// look is one look at a machine: how long after boot, and how the wall clock stands.
type look struct {
	boot  time.Duration
	wall  time.Time
	also  func(*Machine)
	heard []Sighting
	want  gateway.Trust
	bound time.Duration
	why   string
}

func kept(m *Machine)    { m.Synced, m.Error = true, 40*time.Millisecond }
func battery(m *Machine) { m.RTC = true }

func heardAt(t time.Time) func(*Machine) { return func(m *Machine) { m.Confirmed = t } }

func router(ahead time.Duration) []Sighting { return []Sighting{{From: "the router", Ahead: ahead}} }

func dates(ahead time.Duration) []Sighting {
	return []Sighting{{From: "debian.org and wikipedia.org", Ahead: ahead, Error: dateError, Proven: true}}
}

func two(ahead, other time.Duration) []Sighting {
	return []Sighting{{From: "the router", Ahead: ahead}, {From: "a Date header", Ahead: other, Error: 5 * time.Second}}
}

func TestTrust(t *testing.T) {
	at := saved.Add(3 * time.Hour) // the true time of the first look, unless said otherwise
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		name  string
		looks []look
	}{
		{"kept in step", []look{{time.Minute, at, kept, nil, synced, time.Second, "keeps the clock in step"}}},
		{"kept in step, bound wide", []look{{time.Minute, at, func(m *Machine) { m.Synced, m.Error = true, 7*time.Second }, nil, synced, 10 * time.Second, ""}}},
		{"booted without network", []look{{time.Minute, at, nil, nil, guess, 0, "nobody has confirmed the clock since this machine started"}}},
		{"booted, then a time server comes", []look{
			{time.Minute, saved, nil, nil, guess, 0, ""},
			{2 * time.Minute, at, kept, nil, synced, time.Second, ""}}},
		{"time server lost after nine hours", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{9*time.Hour + time.Minute, at.Add(9 * time.Hour), nil, nil, holdover, 5 * time.Second, "a time server confirmed the clock"}}},
		{"time server lost for five weeks", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{time.Minute + 35*24*time.Hour, at.Add(35 * 24 * time.Hour), nil, nil, holdover, 10 * time.Minute, "off by up to 10 min"}}},
		{"suspended for a night, clock went on", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{9 * time.Hour, at.Add(9*time.Hour - time.Minute), nil, nil, holdover, 5 * time.Second, ""}}},

		{"put forward by an hour", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * time.Minute, at.Add(61 * time.Minute), nil, nil, guess, 0, "put forward by 60 min"}}},
		{"put back by an hour", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * time.Minute, at.Add(-59 * time.Minute), nil, nil, guess, 0, "put back by 60 min"},
			{7 * time.Minute, at.Add(-54 * time.Minute), nil, nil, guess, 0, "put back by 60 min"}}},
		{"put back by an hour by the time server itself", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * time.Minute, at.Add(-59 * time.Minute), kept, nil, synced, time.Second, ""}}},
		{"put forward by ten years by the time server itself", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * time.Minute, at.Add(10 * year), kept, nil, guess, 0, "a time server put the clock forward by 10 years, which is not believed"},
			{7 * time.Minute, at.Add(10 * year), kept, dates(-10 * year), guess, 0, "which is not believed"},
			{8 * time.Minute, at.Add(10 * year), kept, nil, guess, 0, "put the clock forward by 10 years"},
			{9 * time.Minute, at.Add(8 * time.Minute), kept, nil, synced, time.Second, "keeps the clock in step"}}},
		{"put forward by two days by the time server, and it is right", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * time.Minute, at.Add(48 * time.Hour), kept, dates(time.Second), synced, time.Second, ""}}},
		{"a time server years away against a hardware clock", []look{
			{time.Minute, at, battery, router(10 * year), holdover, 2 * time.Minute, "the router says that the clock is 10 years behind, which is not believed"},
			{time.Hour, at.Add(59 * time.Minute), battery, router(0), holdover, time.Minute, "by now the clock may be off by up to 1 min"}}},
		{"a time server years away at the start", []look{{time.Minute, at, nil, router(10 * year), guess, 0, "the router says that the clock is 10 years behind"}}},
		{"a time server of another century", []look{{time.Minute, at, nil, router(120 * year), guess, 0, "the router says a time that cannot be right"}}},
		{"two web servers against a time server", []look{{time.Minute, at, nil, append(router(10*year), dates(0)...), holdover, 5 * time.Second, "debian.org and wikipedia.org confirmed"}}},
		{"two web servers say three hours", []look{{time.Minute, at, nil, dates(3 * time.Hour), guess, 0, "debian.org and wikipedia.org say that the clock is 3 h behind"}}},
		{"two web servers say twenty minutes", []look{{time.Minute, at, nil, dates(20 * time.Minute), holdover, 30 * time.Minute, "the clock may be off by up to 30 min"}}},
		{"carried for two years", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * year, at.Add(2*year - time.Minute), nil, nil, guess, 0, "too long ago"}}},
		{"put forward by ten years", []look{
			{time.Minute, at, battery, nil, holdover, 2 * time.Minute, ""},
			{2 * time.Minute, at.Add(10 * year), battery, nil, guess, 0, "put forward by 10 years"}}},
		{"put back by ten years", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * time.Minute, at.Add(-10 * year), nil, nil, guess, 0, "which is over"}}},
		{"put back and right again", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * time.Minute, at.Add(-time.Hour), nil, nil, guess, 0, ""},
			{3 * time.Minute, at.Add(2 * time.Minute), nil, nil, guess, 0, ""},
			{4 * time.Minute, at.Add(3 * time.Minute), nil, router(0), holdover, time.Minute, "the router confirmed"}}},
		{"a step of a second is none", []look{
			{time.Minute, at, kept, nil, synced, time.Second, ""},
			{2 * time.Minute, at.Add(61 * time.Second), nil, nil, holdover, 2 * time.Second, ""}}},

		{"1970", []look{{time.Minute, time.Unix(30, 0), nil, nil, guess, 0, "1970-01-01 00:00"}}},
		{"1970 by a time server", []look{{time.Minute, time.Unix(30, 0), kept, nil, guess, 0, "1970-01-01 00:00"}}},
		{"1970 with a hardware clock without battery", []look{{time.Minute, time.Unix(30, 0), battery, nil, guess, 0, ""}}},
		{"after 2038", []look{
			{time.Minute, time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), kept, nil, synced, time.Second, ""},
			{2 * time.Minute, time.Date(2038, 1, 19, 3, 15, 8, 0, time.UTC), nil, nil, holdover, time.Second, ""}}},
		{"one second below what was stored", []look{{time.Minute, saved.Add(-time.Second), nil, router(0), guess, 0, "which is over"}}},

		{"hardware clock", []look{{time.Minute, at, battery, nil, holdover, 2 * time.Minute, "the hardware clock confirmed"}}},
		{"hardware clock after a night", []look{
			{time.Minute, at, battery, nil, holdover, 2 * time.Minute, ""},
			{9 * time.Hour, at.Add(9*time.Hour - time.Minute), battery, nil, holdover, 5 * time.Minute, ""}}},
		{"hardware clock ten years ahead", []look{{time.Minute, saved.Add(10 * year), battery, nil, guess, 0, ""}}},
		{"this program restarts, a time server was heard an hour ago", []look{
			{2 * time.Hour, at, heardAt(at.Add(-time.Hour)), nil, holdover, 2 * time.Second, "a time server"}}},
		{"a time server was heard in an earlier life", []look{{time.Minute, at, heardAt(at.Add(-time.Hour)), nil, guess, 0, ""}}},
		{"a time server was heard in the future", []look{{2 * time.Hour, at, heardAt(at.Add(time.Hour)), nil, guess, 0, ""}}},

		{"the router agrees", []look{{time.Minute, at, nil, router(3 * time.Second), holdover, 2 * time.Minute, "the router confirmed"}}},
		{"the router says 20 min", []look{{time.Minute, at, nil, router(20 * time.Minute), holdover, 30 * time.Minute, "off by up to 30 min"}}},
		{"the router says two hours", []look{{time.Minute, at, nil, router(2 * time.Hour), guess, 0, "the clock is 2 h behind"}}},
		{"the router lives in the past", []look{{time.Minute, at, nil, router(-4 * time.Hour), guess, 0, "nobody has confirmed"}}},
		{"the router against a hardware clock", []look{
			{time.Minute, at, battery, nil, holdover, 2 * time.Minute, ""},
			{2 * time.Minute, at.Add(time.Minute), battery, router(2 * time.Hour), holdover, 5 * time.Minute, "the hardware clock"}}},
		{"two agree", []look{{time.Minute, at, nil, two(0, time.Second), holdover, 10 * time.Second, "the router and a Date header confirmed"}}},
		{"two agree that the hardware clock is a day off", []look{
			{time.Minute, at, battery, two(24*time.Hour, 24*time.Hour), guess, 0, "the clock is 24 h behind"}}},
		{"two disagree", []look{{time.Minute, at, nil, two(0, time.Hour), guess, 0, "contradicts itself"}}},
		{"one that has proved who it is", []look{{time.Minute, at, nil, []Sighting{
			{From: "a signed server", Ahead: -time.Minute, Proven: true}, {From: "the router", Ahead: 9 * time.Minute}}, holdover, 2 * time.Minute, "a signed server"}}},
		{"confirmed and carried for a day", []look{
			{time.Minute, at, nil, two(0, 0), holdover, 5 * time.Second, ""},
			{24 * time.Hour, at.Add(24*time.Hour - time.Minute), nil, nil, holdover, 30 * time.Second, ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b belief
			for i, l := range c.looks {
				m := Machine{Wall: l.wall, Boot: l.boot}
				if l.also != nil {
					l.also(&m)
				}
				b, _ = b.judge(m, saved)
				b = b.hear(m, saved, l.heard)
				var got gateway.Clock
				b, got = b.judge(m, saved)
				if got.Trust != l.want || got.Bound != l.bound || !strings.Contains(got.Why, l.why) || got.Why == "" {
					t.Fatalf("look %d: %+v, want %s within %v, saying %q", i+1, got, l.want, l.bound, l.why)
				}
			}
		})
	}
}

// After a power cut a Pi starts from the time it saved last. However long the cut was, its clock must
// not be believed until somebody confirms it, and never again after that if it is an hour off.
func TestStaleClockIsNeverBelieved(t *testing.T) {
	for stale := time.Duration(0); stale <= 72*time.Hour; stale += 7 * time.Minute {
		b, got := belief{}.judge(Machine{Wall: saved.Add(20 * time.Second), Boot: 20 * time.Second}, saved)
		if got.Trust != guess {
			t.Fatalf("%v stale: %+v", stale, got)
		}
		m := Machine{Wall: saved.Add(time.Minute), Boot: time.Minute}
		b = b.hear(m, saved, router(stale))
		_, got = b.judge(m, saved)
		if far := stale+loneError > tooFar; far != (got.Trust == guess) {
			t.Fatalf("%v stale by the router: %+v", stale, got)
		}
		if got.Trust == holdover && got.Bound < stale {
			t.Fatalf("%v stale, and said to be off by %v at most", stale, got.Bound)
		}
	}
}

func TestBoundGrowsAndIsToldInSteps(t *testing.T) {
	b, _ := belief{}.judge(Machine{Wall: saved, Boot: 0, Synced: true, Error: 10 * time.Millisecond}, saved)
	told := map[time.Duration]bool{}
	last := time.Duration(0)
	for age := time.Duration(0); age < 400*24*time.Hour; age += time.Hour {
		var got gateway.Clock
		b, got = b.judge(Machine{Wall: saved.Add(age), Boot: age}, saved)
		real := time.Duration(float64(age) * drift)
		if got.Trust != holdover || got.Bound < real || got.Bound < last {
			t.Fatalf("after %v: %+v, drift may be %v", age, got, real)
		}
		told[got.Bound], last = true, got.Bound
	}
	if len(told) > 12 {
		t.Errorf("%d different bounds were told in 400 days", len(told))
	}
}

func TestJudgeIsPure(t *testing.T) {
	m := Machine{Wall: saved.Add(time.Hour), Boot: time.Hour, RTC: true}
	before, _ := belief{}.judge(m, saved)
	kept := fmt.Sprint(before)
	m.Wall = m.Wall.Add(-30 * time.Minute)
	one, first := before.judge(m, saved)
	two, second := before.judge(m, saved)
	if fmt.Sprint(one, first) != fmt.Sprint(two, second) || fmt.Sprint(before) != kept {
		t.Error("the same look was judged differently")
	}
}
