package netatmo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// counts tells how often each call was made, a line for a log.
func counts(requests []netatmotest.Request) string {
	byPath := make(map[string]int)
	for _, r := range requests {
		byPath[strings.TrimPrefix(r.Path, "/api/")]++
	}
	return fmt.Sprint(len(requests), " requests: ", byPath)
}

// within returns the requests from one time on.
func since(c *netatmotest.Cloud, from time.Time) []netatmotest.Request {
	var all []netatmotest.Request
	for _, r := range c.Requests() {
		if !r.At.Before(from) {
			all = append(all, r)
		}
	}
	return all
}

func countOf(requests []netatmotest.Request, path string) int {
	n := 0
	for _, r := range requests {
		if r.Path == path {
			n++
		}
	}
	return n
}

// spaced fails if requests came faster than the bucket lets them.
func spaced(t *testing.T, requests []netatmotest.Request) {
	t.Helper()
	for i := 2; i < len(requests); i++ {
		if gap := requests[i].At.Sub(requests[i-2].At); gap < spacing-time.Second {
			t.Fatalf("three requests within %v: %s, %s, %s", gap, requests[i-2].Path, requests[i-1].Path, requests[i].Path)
		}
	}
}

func TestRequestsAnHourWhileWatching(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.phase(gateway.Watching, gateway.VerdictOK)
		r.pass(time.Hour)
		from := time.Now()
		r.pass(time.Hour)
		hour := since(r.cloud, from)
		t.Log("watching: ", counts(hour))
		spaced(t, hour)
		if n := countOf(hour, "/api/homestatus"); n < 26 || n > 34 {
			t.Errorf("%d homestatus an hour, want about 30", n)
		}
		for path, about := range map[string]int{"/api/homesdata": 4, "/api/getstationsdata": 6, "/api/gethomecoachsdata": 6, "/api/getevents": 6} {
			if n := countOf(hour, path); n < about-1 || n > about+1 {
				t.Errorf("%d %s an hour, want about %d", n, path, about)
			}
		}
		if len(hour) > 60 {
			t.Errorf("%d requests an hour, at most 60 are for polls", len(hour))
		}
	})
}

func TestRequestsAnHourOfAThermostatAlone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(time.Hour)
		from := time.Now()
		r.pass(3 * time.Hour)
		hours := since(r.cloud, from)
		t.Log("thermostat alone, 3 h:", counts(hours))
		if len(hours) > 3*36 {
			t.Errorf("%d requests in 3 h for a home without stations and cameras", len(hours))
		}
	})
}

func TestRequestsWhileSuspect(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(10 * time.Minute)
		r.phase(gateway.Suspect, gateway.VerdictUnknown)
		from := time.Now()
		r.pass(2 * time.Minute)
		first := since(r.cloud, from)
		if len(first) < 7 || len(first) > 9 || countOf(first, "/api/homestatus") != len(first) {
			t.Errorf("in the first 2 min of suspicion: %s, want homestatus each 15 s", counts(first))
		}
		r.pass(58 * time.Minute)
		hour := since(r.cloud, from)
		t.Log("suspect, a whole hour:", counts(hour))
		if limit := int(DefaultBudget * (1 - peopleShare)); len(hour) > limit {
			t.Errorf("%d requests, polls may use %d", len(hour), limit)
		}
		if late := since(r.cloud, from.Add(50*time.Minute)); len(late) < 8 {
			t.Errorf("only %d requests in the last 10 min: suspicion went blind", len(late))
		}
	})
}

func TestRequestsWhileLocal(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(10 * time.Minute)
		r.phase(gateway.Local, gateway.VerdictCloudDown)
		from := time.Now()
		r.pass(8*time.Hour + 24*time.Minute)
		outage := since(r.cloud, from)
		t.Log("local, 8 h 24 min:", counts(outage))
		if countOf(outage, "/api/homestatus") != len(outage) {
			t.Errorf("only homestatus is asked in an outage: %s", counts(outage))
		}
		if len(outage) < 33 || len(outage) > 101 {
			t.Errorf("%d requests, want one each 5 to 15 min", len(outage))
		}
		for i := 1; i < len(outage); i++ {
			if gap := outage[i].At.Sub(outage[i-1].At); gap < statusLocal-2*time.Second || gap > statusLocalMost+2*time.Second {
				t.Errorf("a gap of %v", gap)
			}
		}
	})
}

func TestRequestsOnReturn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(10 * time.Minute)
		r.phase(gateway.Local, gateway.VerdictCloudDown)
		r.pass(time.Hour)
		r.phase(gateway.Returning, gateway.VerdictOK)
		from := time.Now()
		news := r.pass(30 * time.Second)
		first := since(r.cloud, from)
		if len(first) < 2 || first[0].Path != "/api/homesdata" || first[1].Path != "/api/homestatus" {
			t.Fatalf("first on return: %s, want homesdata, then homestatus", counts(first))
		}
		if views := only[gateway.CloudView](news); len(views) == 0 || views[0].Mode != gateway.HomeSchedule {
			t.Errorf("views on return: %+v", views)
		}
		r.pass(10 * time.Minute)
		all := since(r.cloud, from)
		t.Log("returning, 10 min 30 s:", counts(all))
		if n := countOf(all, "/api/homestatus"); n < 8 || n > 16 {
			t.Errorf("%d homestatus, want one a minute or so", n)
		}
		r.phase(gateway.Watching, gateway.VerdictOK)
		from = time.Now()
		r.pass(2 * time.Minute)
		if n := countOf(since(r.cloud, from), "/api/getevents"); n != 1 {
			t.Errorf("getevents was asked %d times after the return, want once", n)
		}
	})
}

func TestStartInAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			s.state.Authority.Phase = gateway.Local
			s.state.Cloud.Verdict = gateway.VerdictCloudDown
			s.state.Home.ID = netatmotest.HouseID
		})
		r.pass(61 * time.Second)
		if all := r.cloud.Requests(); len(all) != 1 || all[0].Path != "/api/homestatus" {
			t.Errorf("a restart in an outage asks %s within a minute, want one homestatus", counts(all))
		}
	})
}

func TestClockThatGoesBackStopsNothing(t *testing.T) {
	now := evening
	r := round{}
	r.enter(gateway.Watching, now, 90, func() float64 { return 0.5 })
	r.done(status, now, 2*time.Minute, true)
	r.move(-time.Hour)
	if want := now.Add(2*time.Minute - time.Hour); !r.next[status].Equal(want) {
		t.Errorf("after an hour back, homestatus is due at %v, want %v", r.next[status], want)
	}
}

func TestPause(t *testing.T) {
	for _, c := range []struct {
		name  string
		e     errand
		phase gateway.Phase
		left  int
		luck  float64
		want  time.Duration
		runs  bool
	}{
		{"an empty State is like watching", status, "", 90, 0.5, 2 * time.Minute, true},
		{"suspect", status, gateway.Suspect, 12, 0.9, 15 * time.Second, true},
		{"suspect for long", status, gateway.Suspect, 11, 0.9, time.Minute, true},
		{"local, lucky", status, gateway.Local, 0, 0, 5 * time.Minute, true},
		{"local, unlucky", status, gateway.Local, 0, 1, 15 * time.Minute, true},
		{"returning", status, gateway.Returning, 0, 0, 30 * time.Second, true},
		{"no topology in an outage", topology, gateway.Local, 0, 0, 0, false},
		{"no events on return yet", events, gateway.Returning, 0, 0, 0, false},
		{"weather while watching", stations, gateway.Watching, 0, 1, 11 * time.Minute, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, runs := pause(c.e, c.phase, c.left, c.luck)
			if got != c.want || runs != c.runs {
				t.Errorf("got %v, %v, want %v, %v", got, runs, c.want, c.runs)
			}
		})
	}
}

func TestSmallBudgetStretchesPauses(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) { s.adapter.BudgetPerHour = 20 })
		r.pass(time.Hour)
		from := time.Now()
		r.pass(time.Hour)
		hour := since(r.cloud, from)
		if len(hour) > 16 {
			t.Errorf("%d requests with a budget of 20 of which 4 are kept for people", len(hour))
		}
		var longest time.Duration
		for i := 1; i < len(hour); i++ {
			longest = max(longest, hour[i].At.Sub(hour[i-1].At))
		}
		if longest > 20*time.Minute {
			t.Errorf("a silence of %v: the budget is not spread", longest)
		}
	})
}
