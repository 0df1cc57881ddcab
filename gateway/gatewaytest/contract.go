package gatewaytest

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Contract holds what every adapter owes the house: it ends within a second of being told to, leaves
// no goroutine behind, copes with an empty State, with the same command twice, and with nobody
// reading its facts. make returns a new adapter each time; name is the one it is attached under.
func Contract(t *testing.T, name string, make func(testing.TB) gateway.Adapter) {
	t.Run("ends when told, with an empty State", func(t *testing.T) {
		endsClean(t, name, make(t), func(s gateway.State, _ gateway.Event) (gateway.State, []gateway.Command) {
			return s, nil
		})
	})
	t.Run("takes the same command twice", func(t *testing.T) {
		twice := gateway.Command{ID: 7, Value: gateway.Number(20), Why: "contract",
			Point: gateway.Point{Adapter: name, Of: "no-such-device", Quantity: gateway.Target}}
		sent := 0
		endsClean(t, name, make(t), func(s gateway.State, _ gateway.Event) (gateway.State, []gateway.Command) {
			if sent++; sent <= 4 {
				s.Version++
				return s, []gateway.Command{twice, twice}
			}
			return s, nil
		})
	})
	t.Run("ends while nobody reads its facts", func(t *testing.T) {
		release := newRelease(t)
		first := true
		endsCleanAfter(t, name, make(t), release, func(s gateway.State, _ gateway.Event) (gateway.State, []gateway.Command) {
			if !first {
				<-release
			}
			first = false
			return s, nil
		})
	})
}

func newRelease(t *testing.T) chan struct{} {
	release := make(chan struct{})
	t.Cleanup(func() {
		select {
		case <-release:
		default:
			close(release)
		}
	})
	return release
}

func endsClean(t *testing.T, name string, a gateway.Adapter, step gateway.Step) {
	t.Helper()
	endsCleanAfter(t, name, a, nil, step)
}

// watched knows whether the adapter's Run is under way, however long the Loop itself may take.
type watched struct {
	gateway.Adapter
	running sync.Mutex // held while Run is under way
}

// Run is the adapter's own, of which the suite knows whether it is under way.
func (w *watched) Run(ctx context.Context, port gateway.Port) error {
	w.running.Lock()
	defer w.running.Unlock()
	return w.Adapter.Run(ctx, port)
}

func endsCleanAfter(t *testing.T, name string, a gateway.Adapter, release chan struct{}, step gateway.Step) {
	t.Helper()
	machine := WatchStandstill(t) // one goroutine of those before
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	loop := &gateway.Loop{Step: step, Every: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
	w := &watched{Adapter: a}
	loop.Attach(name, w)
	ended := make(chan struct{})
	go func() { loop.Run(ctx); close(ended) }()
	time.Sleep(300 * time.Millisecond) // let it live a little: this is real time by intent

	cancel()
	told, still := time.Now(), machine.SoFar()
	for !w.running.TryLock() {
		if time.Since(told) > Patience {
			t.Fatalf("%s does not end", name)
		}
		time.Sleep(time.Millisecond)
	}
	took, away := time.Since(told), machine.SoFar()-still
	// A second is the promise; a busy machine that runs the race detector gets more, and what it took from us does not count.
	if took-away > 3*time.Second {
		t.Errorf("%s took %v to end, promised is 1 s; this machine was away for %v of it", name, took, away)
	}
	if release != nil {
		close(release)
	}
	<-ended
	leaks(t, before)
}

// leaks fails if goroutines are left that were not there before.
func leaks(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buffer := make([]byte, 1<<20)
			all := string(buffer[:runtime.Stack(buffer, true)])
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), strings.TrimSpace(all))
		}
		time.Sleep(5 * time.Millisecond)
	}
}
