package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

type adapterFunc func(context.Context, Port) error

func (f adapterFunc) Run(ctx context.Context, port Port) error { return f(ctx, port) }

func idle(ctx context.Context, _ Port) error { <-ctx.Done(); return nil }

// counting shows each reading's number as the version, and nothing for other events.
func counting(s State, e Event) (State, []Command) {
	s.At = e.At
	if r, ok := e.Fact.(Reading); ok {
		n, _ := r.Value.Number()
		s.Version = uint64(n)
	}
	if h, ok := e.Fact.(Health); ok {
		s.Health = s.Health.With(PointKey(h.Adapter), h)
	}
	return s, nil
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestStuckAdapterDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		loop := &Loop{Step: counting, Log: quiet()}
		loop.Attach("stuck", adapterFunc(idle)) // never reads what it is shown
		loop.Attach("source", adapterFunc(func(ctx context.Context, port Port) error {
			for n := range 1000 {
				port.Post(Reading{Device: "d", Quantity: Temperature, Value: Number(float64(n + 1))})
			}
			<-ctx.Done()
			return nil
		}))
		var last uint64
		loop.Attach("reader", adapterFunc(func(ctx context.Context, port Port) error {
			for {
				select {
				case s := <-port.Shown():
					if s.Version < last {
						t.Errorf("version %d shown after %d", s.Version, last)
					}
					if last = s.Version; last == 1000 {
						cancel()
					}
				case <-ctx.Done():
					return nil
				}
			}
		}))
		if s := loop.Run(ctx); s.Version != 1000 || last != 1000 {
			t.Errorf("the loop ends at %d, the reader saw %d, want 1000", s.Version, last)
		}
	})
}

func TestFailingAdapterIsRunAgainWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var starts []time.Duration
		loop := &Loop{Step: counting, Log: quiet()}
		loop.Attach("weak", adapterFunc(func(ctx context.Context, port Port) error {
			starts = append(starts, time.Since(began))
			switch len(starts) {
			case 1:
				return errors.New("no answer")
			case 2:
				panic("a bug")
			case 3:
				return nil // ends without being told: also a failure
			}
			port.Sleep(ctx, 10*time.Second)
			cancel()
			return nil
		}))
		s := loop.Run(ctx)
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second}
		for i := range want {
			if len(starts) != len(want) || starts[i] != want[i] {
				t.Fatalf("started after %v, want %v", starts, want)
			}
		}
		if h, _ := s.Health.Get("weak"); !h.Up {
			t.Errorf("health is %+v after it runs again", h)
		}
	})
}

// A port that stays taken is told once, not with every try.
func TestAdapterThatKeepsFailingIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var told []Health
		tries := 0
		loop := &Loop{Log: quiet(), Step: func(s State, e Event) (State, []Command) {
			if h, ok := e.Fact.(Health); ok && (len(told) == 0 || told[len(told)-1] != h) {
				told = append(told, h)
			}
			return s, nil
		}}
		loop.Attach("weak", adapterFunc(func(ctx context.Context, _ Port) error {
			tries++
			return errors.New("the port is taken")
		}))
		loop.Run(ctx)
		want := []Health{{Adapter: "weak", Up: true}, {Adapter: "weak", Why: "the port is taken"}}
		if !slices.Equal(told, want) || tries < 50 {
			t.Errorf("after %d tries %+v was told, want %+v", tries, told, want)
		}
	})
}

func TestTicksAreTheOnlyClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		ticks := 0
		loop := &Loop{Log: quiet(), Step: func(s State, e Event) (State, []Command) {
			if _, ok := e.Fact.(Tick); ok {
				ticks++
			}
			return s, nil
		}}
		loop.Attach("idle", adapterFunc(idle))
		loop.Run(ctx)
		if ticks < 362 || ticks > 365 {
			t.Errorf("%d ticks in an hour without an event, want 4 each 2 s, then one each 10 s", ticks)
		}
	})
}

// What an event sets off is looked at again soon, however long nothing had happened.
func TestTicksComeSoonAfterAnEvent(t *testing.T) {
	for name, step := range map[string]Step{
		"a change":  func(s State, _ Event) (State, []Command) { s.Version++; return s, nil },
		"a command": func(s State, _ Event) (State, []Command) { return s, []Command{{ID: 1}} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 62*time.Second)
				defer cancel()
				began := time.Now()
				var ticks []time.Duration
				loop := &Loop{Log: quiet(), Step: func(s State, e Event) (State, []Command) {
					if _, ok := e.Fact.(Tick); ok {
						ticks = append(ticks, time.Since(began))
						return s, nil
					}
					if _, ok := e.Fact.(Gone); ok {
						return step(s, e)
					}
					return s, nil
				}}
				loop.Attach("seldom", adapterFunc(func(ctx context.Context, port Port) error {
					port.Sleep(ctx, 31*time.Second)
					port.Post(Gone{"valve"})
					<-ctx.Done()
					return nil
				}))
				loop.Run(ctx)
				var want []time.Duration
				for _, seconds := range []int{0, 2, 4, 6, 8, 18, 28, 33, 35, 37, 39, 49, 59} {
					want = append(want, time.Duration(seconds)*time.Second)
				}
				if !slices.Equal(ticks, want) {
					t.Errorf("ticks after %v, want %v", ticks, want)
				}
			})
		})
	}
}

func TestCommandsReachOnlyTheAdapterAddressed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		loop := &Loop{Log: quiet(), Step: func(s State, e Event) (State, []Command) {
			if _, ok := e.Fact.(Tick); ok {
				return s, []Command{{ID: 1, Point: Point{"right", "valve", Target}}}
			}
			return s, nil
		}}
		got := map[string]int{}
		take := func(name string) adapterFunc {
			return func(ctx context.Context, port Port) error {
				for {
					select {
					case <-port.Commands():
						got[name]++
					case <-ctx.Done():
						return nil
					}
				}
			}
		}
		loop.Attach("right", take("right"))
		loop.Attach("deaf", adapterFunc(idle))
		go func() { time.Sleep(11 * time.Second); cancel() }()
		loop.Run(ctx)
		if got["right"] != 6 || got["deaf"] != 0 {
			t.Errorf("commands taken: %v, want 6 by right", got)
		}
	})
}

func TestAnIdleLoopTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		loop := &Loop{Step: counting, Log: quiet()}
		loop.Attach("idle", adapterFunc(idle))
		ended := make(chan struct{})
		go func() { loop.Run(ctx); close(ended) }()
		time.Sleep(time.Minute) // calm by now
		for range 10 {
			before := loop.Turns()
			time.Sleep(tickCalm)
			synctest.Wait()
			if loop.Turns() == before {
				t.Fatal("an idle Loop did not turn in ten seconds")
			}
		}
		cancel()
		<-ended
	})
}
