package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// A thousand homes that see Netatmo come back in the same second begin to read it spread over two minutes, and
// a home whose program starts again waits as long as it would have.
func TestHomesDoNotReturnAtOnce(t *testing.T) {
	lost := time.Date(2025, 10, 29, 15, 41, 0, 0, time.UTC)
	back := lost.Add(8 * time.Hour)
	var pauses []time.Duration
	for home := range 1000 {
		id := fmt.Sprintf("home-%04d", home)
		pause := pauseBeforeReturn(t, id, lost, back)
		if home%100 == 0 && pause != pauseBeforeReturn(t, id, lost, back) {
			t.Errorf("%s waits another time the second time", id)
		}
		pauses = append(pauses, pause)
	}
	slices.Sort(pauses)
	for i := range 12 { // a sixth more or less than 83 in each ten seconds would be luck, twice as many is none
		from, to := time.Duration(i)*10*time.Second, time.Duration(i+1)*10*time.Second
		n := 0
		for _, p := range pauses {
			if p > from && p <= to || p == 0 && i == 0 {
				n++
			}
		}
		if n < 40 || n > 170 {
			t.Errorf("%d of 1000 homes begin between %v and %v", n, from, to)
		}
	}
	if last := pauses[len(pauses)-1]; last > 2*time.Minute {
		t.Errorf("one waits %v", last)
	}
}

// pauseBeforeReturn is how long a home that was lost waits after the first good answer until it is read.
func pauseBeforeReturn(t *testing.T, id string, lost, back time.Time) time.Duration {
	t.Helper()
	s := gateway.State{At: back.Add(-10 * time.Second), Home: gateway.Home{ID: id},
		Authority: gateway.Authority{Phase: gateway.Local, Since: lost, Taken: lost, Lost: lost},
		Cloud:     gateway.Cloud{Verdict: gateway.VerdictCloudDown, Bad: 9, FirstBad: lost, LastBad: back, Hold: 3 * time.Minute}}
	for at := back; at.Sub(back) < 5*time.Minute; at = at.Add(10 * time.Second) {
		s, _ = rules.Step(s, gateway.Event{At: at, From: "uplink", Fact: gateway.Probe{Verdict: gateway.VerdictOK, Witness: gateway.Yes}})
		if s.Authority.Phase == gateway.Returning {
			return at.Sub(back)
		}
	}
	t.Fatalf("%s never returns: %s, %s", id, s.Authority.Phase, s.Authority.Why)
	return 0
}
