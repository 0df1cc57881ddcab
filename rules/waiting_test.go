package rules_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// adapter is a Run as an Adapter.
type adapter func(context.Context, gateway.Port) error

func (a adapter) Run(ctx context.Context, port gateway.Port) error { return a(ctx, port) }

// The real Loop under a cloud that does not answer, and under one that fails: a person's command reaches
// the LAN 3 s after the wish, or as soon as the cloud has failed, whatever the Loop was doing.
func TestACommandDoesNotWaitForTheVerdict(t *testing.T) {
	for name, fails := range map[string]time.Duration{"the cloud does not answer": 0, "the cloud fails": 700 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var late []time.Duration
				ready := make(chan time.Time, 1)
				allowed := 3 * time.Second
				if fails > 0 {
					allowed = fails
				}
				loop := &gateway.Loop{Step: rules.Step, State: served(t).Lasting().State(), Log: slog.New(slog.DiscardHandler)}
				loop.Attach("netatmo", adapter(func(ctx context.Context, port gateway.Port) error {
					for {
						select {
						case <-ctx.Done():
							return nil
						case c := <-port.Commands():
							if fails > 0 && c.Point.Quantity == gateway.Target && port.Sleep(ctx, fails) {
								port.Post(gateway.Outcome{ID: c.ID, Point: c.Point, Err: "503 with HTML"})
							}
						}
					}
				}))
				loop.Attach("accessory", adapter(func(ctx context.Context, port gateway.Port) error {
					for {
						select {
						case <-ctx.Done():
							return nil
						case c := <-port.Commands():
							at := port.Now()
							port.Post(gateway.Outcome{ID: c.ID, Point: c.Point})
							port.Post(gateway.Reading{Device: "v1", Quantity: gateway.Target, Value: c.Value})
							select {
							case ready <- at:
							default: // asked again: nobody waits for that
							}
						}
					}
				}))
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				loop.Attach("homekit", adapter(func(ctx context.Context, port gateway.Port) error {
					defer stop()
					r := rand.New(rand.NewPCG(1, 2))
					for i := range 60 {
						port.Sleep(ctx, time.Duration(r.Int64N(int64(90*time.Second))))
						for _, from := range []gateway.Fact{
							gateway.Call{Plane: gateway.PlaneWrite, Verdict: gateway.VerdictOK}, // all is forgiven
							gateway.Probe{Verdict: gateway.VerdictOK},
						} {
							port.Post(from)
						}
						port.Sleep(ctx, time.Duration(r.Int64N(int64(11*time.Second))))
						select {
						case <-ready:
						default:
						}
						asked := port.Now()
						port.Post(gateway.Wish{By: "Home app", Ask: gateway.SetTarget{Room: "r1", Target: 18 + float64(i%2), For: time.Hour}})
						select {
						case at := <-ready:
							late = append(late, at.Sub(asked)-allowed)
						case <-port.After(30 * time.Second):
							t.Errorf("wish %d does not reach the LAN in 30 s", i)
							return nil
						}
					}
					return nil
				}))
				loop.Run(ctx)
				if p95 := percentile(late, .95); p95 > 500*time.Millisecond {
					t.Errorf("p95 is %v after the cloud's time was up", p95)
				}
				t.Logf("%d commands: p50 %v, p95 %v after the cloud's time was up", len(late), percentile(late, .5), percentile(late, .95))
			})
		})
	}
}
