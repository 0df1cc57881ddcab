package rules_test

import (
	"math"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// coarse lets a long time pass in long ticks, in which the rules look at everything anew.
func (w *modelWorld) coarse(length time.Duration) {
	fine := min(length, 10*time.Minute)
	w.pass(fine)
	w.every = 5 * time.Minute
	w.pass(length - fine)
	w.every = 10 * time.Second
}

// A device that keeps its programme gets no write, be the outage as long as it may.
func TestTenDaysWithoutAWrite(t *testing.T) {
	w := newModelWorld(t, 1)
	for _, d := range w.devices {
		d.follows = true
	}
	w.pass(10 * time.Minute)
	w.lose(gateway.VerdictCloudDown)
	w.coarse(10 * 24 * time.Hour)
	if w.state.Authority.Phase != gateway.Local || w.lan != 0 {
		t.Errorf("%s, %d writes over the LAN", w.state.Authority.Phase, w.lan)
	}
	w.restore()
	w.settle()
	if w.told != 0 {
		t.Errorf("%d writes to the cloud at the return", w.told)
	}
}

// A winter of a hundred outages, of a minute to ten days each, with people who act about once a day on
// both sides, costs few writes.
func TestWinterOfOutages(t *testing.T) {
	outages := 100
	if testing.Short() || racing {
		outages = 40
	}
	w := newModelWorld(t, 2025)
	for _, d := range w.devices {
		d.follows = true
	}
	var sum, most, none int
	for range outages {
		w.coarse(time.Duration(1+w.random.IntN(8)) * time.Hour)
		length := time.Duration(math.Exp(w.random.Float64()*math.Log(14400)) * float64(time.Minute))
		before := w.lan + w.told
		w.lose([]gateway.Verdict{gateway.VerdictCloudDown, gateway.VerdictInternetDown}[w.random.IntN(2)])
		for end := w.now.Add(length); w.now.Before(end); {
			w.coarse(min(time.Duration(w.random.IntN(48))*time.Hour, end.Sub(w.now)))
			if w.random.IntN(20) == 0 {
				w.restart()
			}
			if end.Sub(w.now) > 20*time.Minute {
				w.somebodyActs()
				w.pass(4 * time.Minute)
			}
		}
		w.restore()
		w.settle()
		writes := w.lan + w.told - before
		if sum, most = sum+writes, max(most, writes); writes == 0 {
			none++
		}
	}
	t.Logf("%d outages until %s, %d acts of people: %d writes, %.2f an outage, at most %d in one, none in %d",
		outages, w.now.Format(time.DateOnly), w.acts, sum, float64(sum)/float64(outages), most, none)
	limit := 5
	if outages < 100 {
		limit = 10 // one long outage weighs more in a part of a winter
	}
	if sum >= limit*outages {
		t.Errorf("%d writes in %d outages, want less than %d each", sum, outages, limit)
	}
}
