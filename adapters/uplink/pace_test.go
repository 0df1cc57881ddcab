package uplink

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/gateway"
)

func phase(p gateway.Phase) gateway.State {
	return gateway.State{Authority: gateway.Authority{Phase: p}}
}

func TestPause(t *testing.T) {
	failed := phase(gateway.Watching)
	failed.Cloud.Bad = 1
	read := func(ago time.Duration) gateway.State {
		s := phase(gateway.Watching)
		s.Cloud.Read = gateway.Service{Verdict: gateway.VerdictOK, At: instant.Add(-ago)}
		return s
	}
	back := phase(gateway.Local)
	back.Cloud.Good = 1
	lost := read(time.Second)
	lost.Cloud.Read.Verdict = gateway.VerdictCloudDown
	for _, c := range []struct {
		name        string
		state       gateway.State
		away        int
		void        bool
		least, most time.Duration
	}{
		{"empty State", gateway.State{}, 0, false, 120 * time.Second, 120 * time.Second},
		{"watching", phase(gateway.Watching), 0, false, 120 * time.Second, 120 * time.Second},
		{"watching, the cloud was just read", read(time.Second), 0, false, 59 * time.Second, 59 * time.Second},
		{"watching, the cloud was read half a minute ago", read(30 * time.Second), 0, false, 30 * time.Second, 30 * time.Second},
		{"watching, the cloud was read a short while ago", read(50 * time.Second), 0, false, 15 * time.Second, 15 * time.Second},
		{"watching, the cloud was read when this began", read(61 * time.Second), 0, false, 120 * time.Second, 120 * time.Second},
		{"watching, the cloud is read all the time", read(-110 * time.Second), 0, false, 150 * time.Second, 150 * time.Second},
		{"watching, the last read failed", lost, 0, false, 120 * time.Second, 120 * time.Second},
		{"watching, the last look did not count", phase(gateway.Watching), 0, true, 15 * time.Second, 15 * time.Second},
		{"watching, a call failed", failed, 0, false, 15 * time.Second, 15 * time.Second},
		{"suspect", phase(gateway.Suspect), 0, false, 15 * time.Second, 15 * time.Second},
		{"local, just now", phase(gateway.Local), 0, false, 15 * time.Second, 60 * time.Second},
		{"local, second look", phase(gateway.Local), 1, false, 15 * time.Second, 120 * time.Second},
		{"local for long", phase(gateway.Local), 1000, false, 15 * time.Second, 300 * time.Second},
		{"local for long, and the cloud answers again", back, 1000, false, 15 * time.Second, 90 * time.Second},
		{"returning", phase(gateway.Returning), 0, false, 15 * time.Second, 30 * time.Second},
	} {
		r := rounds{state: c.state, away: c.away, void: c.void}
		if got := r.pause(instant, 0); got != c.least {
			t.Errorf("%s: shortest pause %v, want %v", c.name, got, c.least)
		}
		if got := r.pause(instant, 0.999999999).Round(time.Second); got != c.most {
			t.Errorf("%s: longest pause %v, want %v", c.name, got, c.most)
		}
	}
}

// day of a vendor whose API is sick in that phase: how many probes and how many requests it costs.
func spendDay(p gateway.Phase, length time.Duration) (probes, requests int) {
	r := rounds{state: phase(p), set: settings{purse: netatmo.NewPurse(0)}}
	bad := reply{asked: true, status: 503, content: page}
	luck := 0.0
	for now := instant; now.Before(instant.Add(length)); probes++ {
		if p == gateway.Local {
			r.away++
		}
		if r.instead(now) == nil {
			requests++
			r.remember(now, bad)
		}
		if luck += 0.37; luck >= 1 {
			luck--
		}
		now = now.Add(r.pause(now, luck))
	}
	return probes, requests
}

func TestRequestsAreScarce(t *testing.T) {
	// The outage of 29 October 2025 lasted 8 h 24 min; all requests in it, the other adapter's included,
	// are to be at most 110.
	probes, requests := spendDay(gateway.Local, 8*time.Hour+24*time.Minute)
	if requests > 40 || requests < 20 {
		t.Errorf("%d requests in that outage, want 20 to 40", requests)
	}
	if probes < 150 || probes > 400 {
		t.Errorf("%d probes in that outage, want 150 to 400", probes)
	}
	for _, p := range []gateway.Phase{gateway.Suspect, gateway.Returning, gateway.Watching} {
		if _, requests := spendDay(p, 10*time.Hour); requests > 10*60+21 {
			t.Errorf("%s: %d requests in 10 h, want at most 60 an hour", p, requests)
		}
	}
	if probes, _ := spendDay(gateway.Suspect, 4*time.Minute); probes != 16 {
		t.Errorf("%d probes in the first 4 min of suspicion, want 16", probes)
	}
}

func TestMemory(t *testing.T) {
	wait := reply{asked: true, status: 503, content: page, retryAfter: 10 * time.Minute}
	well := reply{asked: true, status: 403, content: refusal}
	sick := reply{asked: true, status: 502, content: page}
	for _, c := range []struct {
		name  string
		reply reply
		phase gateway.Phase
		after time.Duration
		asks  bool
	}{
		{"a good answer", well, gateway.Watching, 15 * time.Second, true},
		{"a bad answer", sick, gateway.Suspect, 15 * time.Second, true},
		{"a bad answer while local", sick, gateway.Local, 4 * time.Minute, false},
		{"a bad answer while local, later", sick, gateway.Local, 5 * time.Minute, true},
		{"asked to wait", wait, gateway.Suspect, 9 * time.Minute, false},
		{"waited as asked", wait, gateway.Suspect, 10 * time.Minute, true},
		{"asked to wait for a day", reply{asked: true, status: 503, retryAfter: 24 * time.Hour}, gateway.Suspect, 31 * time.Minute, true},
		{"the clock was put back", wait, gateway.Suspect, -time.Hour, true},
		{"not asked at all", reply{}, gateway.Local, time.Minute, true},
	} {
		r := rounds{state: phase(c.phase)}
		r.remember(instant, c.reply)
		if asks := r.memory.standsFor(instant.Add(c.after), r.state) == nil; asks != c.asks {
			t.Errorf("%s: asks again %v, want %v", c.name, asks, c.asks)
		}
	}
	r := rounds{state: phase(gateway.Local)}
	for _, want := range []time.Duration{5 * time.Minute, 7*time.Minute + 30*time.Second, 11*time.Minute + 15*time.Second, 16*time.Minute + 52500*time.Millisecond, 20 * time.Minute} {
		r.remember(instant, sick)
		if r.memory.gap != want {
			t.Errorf("gap %v, want %v", r.memory.gap, want)
		}
	}
}

// adapter is a Run as an Adapter.
type adapter func(context.Context, gateway.Port) error

func (a adapter) Run(ctx context.Context, port gateway.Port) error { return a(ctx, port) }

// The cloud is read every two minutes, more or less, and asked other things besides. The prober falls in between: somebody
// looks at the vendor's door every minute and a bit.
func TestProbesFallBetweenReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		loop := &gateway.Loop{Log: slog.New(slog.DiscardHandler), Step: func(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
			s.At, s.Authority.Phase = e.At, gateway.Watching
			if call, ok := e.Fact.(gateway.Call); ok {
				s.Cloud.Read = gateway.Service{Verdict: call.Verdict, At: e.At}
				s.Version++
			}
			return s, nil
		}}
		var looks []time.Time
		var mu sync.Mutex
		look := func(at time.Time) {
			mu.Lock()
			defer mu.Unlock()
			looks = append(looks, at)
		}
		reads := func(every time.Duration) adapter {
			random := rand.New(rand.NewPCG(uint64(every), 1))
			return func(ctx context.Context, port gateway.Port) error {
				for port.Sleep(ctx, time.Duration(float64(every)*(0.9+0.2*random.Float64()))) {
					look(port.Now())
					port.Post(gateway.Call{Plane: gateway.PlaneRead, Verdict: gateway.VerdictOK})
				}
				return nil
			}
		}
		loop.Attach("netatmo", reads(2*time.Minute))
		loop.Attach("stations", reads(10*time.Minute))
		probes := 0
		loop.Attach("uplink", adapter(func(ctx context.Context, port gateway.Port) error {
			r := rounds{port: port}
			for {
				r.look()
				look(port.Now())
				probes++
				if !r.wait(ctx) {
					return nil
				}
			}
		}))
		ctx, cancel := context.WithTimeout(t.Context(), day)
		defer cancel()
		loop.Run(ctx)
		longest := time.Duration(0)
		slices.SortFunc(looks, time.Time.Compare)
		for i := range looks[1:] {
			if i < 5 { // before the first reads nobody knows when they are
				continue
			}
			longest = max(longest, looks[i+1].Sub(looks[i]))
		}
		if perHour := float64(probes) / day.Hours(); longest > 76*time.Second || perHour < 25 || perHour > 34 {
			t.Errorf("nobody looked for up to %v; %.1f probes an hour", longest, perHour)
		}
	})
}
