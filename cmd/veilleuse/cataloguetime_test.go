package main

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// sequence is a way of coming and going: whether the vendor is well at a time since the start.
type sequence struct {
	name  string
	lasts time.Duration
	well  func(time.Duration) bool
}

func sequences() []sequence {
	dice := rand.New(rand.NewPCG(29, 10))
	thrown := make([]bool, 30*60)
	for i := range thrown {
		thrown[i] = dice.IntN(2) == 0
	}
	return []sequence{
		{"5 min good, 5 min bad", 40 * time.Minute, func(at time.Duration) bool { return at/(5*time.Minute)%2 == 1 }},
		{"50 % at random", 30 * time.Minute, func(at time.Duration) bool { return thrown[int(at/(20*time.Second))] }},
	}
}

// TestCatalogueOfSequences lets the vendor come and go. Whatever the house decides, the verdict never
// blames anybody but the vendor, authority does not flap, and the end finds the house at peace.
func TestCatalogueOfSequences(t *testing.T) {
	if testing.Short() {
		t.Skip("two half hours at 200 times their speed take a while")
	}
	t.Parallel()
	for _, q := range sequences() {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			playSequence(t, q)
		})
	}
}

func playSequence(t *testing.T, q sequence) {
	f := fault{rate: 200}
	w, err := newCatalogueWorld(f)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	w.start(t, f)
	if !w.healthy(20 * time.Second) {
		t.Fatalf("never well: %+v", w.house.now().Cloud)
	}
	if err := w.breakNow(f); err != nil {
		t.Fatal(err)
	}
	began, well := w.clock.Now(), true
	for at := time.Duration(0); at < q.lasts; at = w.clock.Now().Sub(began) {
		if now := q.well(at); now != well {
			well = now
			faults := oneFault(uplinktest.Status503)
			if well {
				faults = nil
			}
			if err := w.internet.Break(faults...); err != nil {
				t.Fatal(err)
			}
		}
		<-w.clock.After(2 * time.Second)
	}
	if err := w.internet.Break(); err != nil {
		t.Fatal(err)
	}
	if !eventually(60*time.Second, func() bool {
		s := w.house.now()
		return s.Cloud.Verdict == gateway.VerdictOK && s.Authority.Phase == gateway.Watching
	}) {
		t.Errorf("in the end: %s, %s", w.house.now().Authority.Phase, w.house.now().Cloud.Why)
	}
	checkSequence(t, w)
}

func checkSequence(t *testing.T, w *catalogueWorld) {
	t.Helper()
	_, after := w.since()
	seen := map[gateway.Verdict]int{}
	takeovers, phase := 0, gateway.Watching
	for _, s := range after {
		seen[s.Cloud.Verdict]++
		if s.Authority.Phase == gateway.Local && phase != gateway.Local && phase != gateway.Returning {
			takeovers++
		}
		phase = s.Authority.Phase
	}
	t.Logf("verdicts %v, %d take-overs", seen, takeovers)
	for v := range seen {
		switch v {
		case gateway.VerdictOK, gateway.VerdictCloudDown, gateway.VerdictUnknown:
		case gateway.VerdictDegraded: // a request that a change of the fault cut off
		default:
			t.Errorf("verdict %s", v)
		}
	}
	if seen[gateway.VerdictCloudDown] == 0 {
		t.Error("nobody noticed")
	}
	if takeovers > 2 {
		t.Errorf("authority was taken over %d times", takeovers)
	}
}

// TestCatalogueOfAStall stops the whole house in the middle of a look, as a machine that swaps does: what
// it says then counts for nothing.
func TestCatalogueOfAStall(t *testing.T) {
	t.Parallel()
	if end := gatewaytest.Stall(t, 3*time.Second, "stalled: ", stalledHouse); end != "stalled: self void=true, house bad=0" {
		t.Errorf("the stalled house said %q, want a look that does not count", end)
	}
}

func stalledHouse(t *testing.T) {
	f := fault{rate: 1, from: true, world: oneFault(uplinktest.SlowHeaders)}
	w, err := newCatalogueWorld(f)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if err := w.breakNow(f); err != nil {
		t.Fatal(err)
	}
	w.start(t, f)
	if !eventually(20*time.Second, func() bool { return w.internet.Edge.Accepted() > 0 }) {
		t.Fatal("nobody looks")
	}
	fmt.Println("now")
	var probe gateway.Probe
	var bad int
	if !eventually(20*time.Second, func() bool {
		events, after := w.since()
		for i, e := range events {
			if p, ok := e.Fact.(gateway.Probe); ok {
				probe, bad = p, after[i].Cloud.Bad
				return true
			}
		}
		return false
	}) {
		t.Fatal("no probe")
	}
	fmt.Printf("stalled: %s void=%v, house bad=%d\n", probe.Verdict, probe.Void, bad)
}
