package uplink

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// thin is a purse that pays for so many requests and then for none.
type thin struct {
	left   int
	heeded []time.Duration
}

func (e *thin) Probe(time.Time) time.Duration {
	if e.left == 0 {
		return 7 * time.Minute
	}
	e.left--
	return 0
}

func (e *thin) Heed(_ time.Time, _ bool, asked time.Duration) { e.heeded = append(e.heeded, asked) }

func (e *thin) Budget(time.Time) gateway.Budget { return gateway.Budget{Limit: e.left} }

func TestNothingIsAskedWithoutAPurse(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	o := in(w)
	o.Purse = nil
	if err := New(o).Run(t.Context(), gateway.Port{}); err == nil || !strings.Contains(err.Error(), "no purse") {
		t.Errorf("without a purse it says %v", err)
	}
}

func TestInstead(t *testing.T) {
	well := reply{asked: true, status: 403, content: refusal}
	sick := reply{asked: true, status: 502, content: page}
	called := func(p gateway.Phase, v gateway.Verdict, ago time.Duration) gateway.State {
		s := phase(p)
		s.Cloud.Read.Verdict, s.Cloud.Read.At = v, instant.Add(-ago)
		return s
	}
	for _, c := range []struct {
		name     string
		state    gateway.State
		last     reply
		age      time.Duration
		left     int
		asks     bool
		evidence string
		verdict  gateway.Verdict
	}{
		{"nothing known, and money", gateway.State{}, reply{}, 0, 1, true, "", ""},
		{"nothing known, no money", gateway.State{}, reply{}, 0, 0, false, "not asked, for our quota allows no request for 7 min", gateway.VerdictUnknown},
		{"good a while ago, no money", gateway.State{}, well, 4 * time.Minute, 0, false, "4 min ago; not asked again, for our quota", gateway.VerdictOK},
		{"good long ago, no money", gateway.State{}, well, time.Hour, 0, false, "not asked, for our quota", gateway.VerdictUnknown},
		{"good a while ago, a call failed since, no money", called(gateway.Suspect, gateway.VerdictRateLimited, time.Minute), well, 4 * time.Minute, 0, false,
			"not asked, for our quota", gateway.VerdictUnknown},
		{"bad, no money", gateway.State{}, sick, time.Hour, 0, false, "60 min ago; not asked again, for our quota", gateway.VerdictCloudDown},
		{"a call was just answered", called(gateway.Watching, gateway.VerdictOK, 30*time.Second), well, 2 * time.Minute, 1, false,
			"a call of ours was answered 30.0 s ago", gateway.VerdictOK},
		{"a call was answered a while ago", called(gateway.Watching, gateway.VerdictOK, 2*time.Minute), well, 2 * time.Minute, 1, true, "", ""},
		{"a call just failed", called(gateway.Watching, gateway.VerdictCloudDown, time.Second), well, time.Minute, 1, true, "", ""},
		{"in doubt", called(gateway.Suspect, gateway.VerdictOK, time.Second), well, time.Minute, 1, true, "", ""},
		{"local, good a short while ago, calls fail", called(gateway.Local, gateway.VerdictDegraded, time.Second), well, time.Minute, 1, false,
			"not asked again yet", gateway.VerdictOK},
		{"local, bad a short while ago, a call was answered since", called(gateway.Local, gateway.VerdictOK, time.Second), sick, time.Minute, 1, true, "", ""},
	} {
		r := rounds{state: c.state, set: settings{purse: &thin{left: c.left}}}
		r.remember(instant.Add(-c.age), c.last)
		m := r.instead(instant)
		if (m == nil) != c.asks {
			t.Errorf("%s: asks %v, want %v", c.name, m == nil, c.asks)
			continue
		}
		if m == nil {
			continue
		}
		got := m.reply
		got.asked, got.remembered = false, max(1, instant.Sub(m.at))
		p := classify(seen(allUp, func(o *observation) { o.reply = got }))
		if text := strings.Join(p.Evidence, "\n"); !strings.Contains(text, c.evidence) || p.Verdict != c.verdict {
			t.Errorf("%s: %s, %q\n%s\nwant %s and %q", c.name, p.Verdict, p.Why, text, c.verdict, c.evidence)
		}
	}
}

// A probe that finds the purse empty still climbs to the door of the API, and asks nothing there.
func TestEmptyPurseStillClimbs(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	c := newClock()
	o := in(w)
	o.Timeout = 20 * time.Second
	purse := &thin{left: 1}
	o.Purse = purse
	h := gatewaytest.Start(t, "uplink", New(o), c.into)
	requests := func() int { return strings.Count(string(w.Edge.Seen()), "GET "+lookPath) }
	gatewaytest.Wait(h, func(b gateway.Budget) bool { return b.Limit == 0 })
	first := gatewaytest.Wait[gateway.Probe](h, nil)
	c.pass(c.slept(t))
	second := gatewaytest.Wait[gateway.Probe](h, nil)
	if first.Verdict != gateway.VerdictOK || second.Verdict != gateway.VerdictOK || requests() != 1 {
		t.Errorf("%s, then %s, with %d requests, want ok twice with one", first.Verdict, second.Verdict, requests())
	}
	if text := strings.Join(second.Evidence, "\n"); !strings.Contains(text, "our quota allows no request for 7 min") {
		t.Errorf("the evidence does not say so:\n%s", text)
	}
	breakWorld(t, w, uplinktest.Refused)
	c.pass(c.slept(t))
	third := gatewaytest.Wait[gateway.Probe](h, nil)
	if third.Verdict != gateway.VerdictCloudDown {
		t.Errorf("a door that opens no more is %s without money, want cloud-down", third.Verdict)
	}
	if len(purse.heeded) != 1 {
		t.Errorf("the purse was told of %d answers, want 1", len(purse.heeded))
	}
}

// A forger's answer costs nothing: only what may be the vendor is paid for.
func TestForgerIsNotPaidFor(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	breakWorld(t, w, uplinktest.WrongName)
	o := in(w)
	s, err := o.settings()
	if err != nil {
		t.Fatal(err)
	}
	called := false
	c := climber{settings: s, now: instant, instead: func() *memory { called = true; return nil }}
	if p := classify(c.observe(context.Background())); p.Verdict != gateway.VerdictHijack {
		t.Errorf("verdict %s: %s", p.Verdict, p.Why)
	}
	if called {
		t.Error("the purse was asked to pay for a forger's answer")
	}
}
