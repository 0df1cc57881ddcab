package gateway_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// silent is an adapter that posts its facts at the start and then does nothing.
type silent []gateway.Fact

func (s silent) Run(ctx context.Context, port gateway.Port) error {
	port.Sleep(ctx, time.Minute) // until the house is calm
	for _, f := range s {
		port.Post(f)
	}
	<-ctx.Done()
	return nil
}

// A tick comes when the rules want to be woken, not at the end of the usual pause.
func TestTheRulesAreWokenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked, woken time.Time
		step := func(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
			switch f := e.Fact.(type) {
			case gateway.Wish:
				asked = e.At
				s.Wake = e.At.Add(3 * time.Second)
			case gateway.Tick:
				if f.Late != 0 {
					t.Errorf("a tick is %v late", f.Late)
				}
				if !s.Wake.IsZero() && !e.At.Before(s.Wake) {
					woken, s.Wake = e.At, time.Time{}
				}
			}
			return s, nil
		}
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		loop := &gateway.Loop{Step: step}
		loop.Attach("homekit", silent{gateway.Wish{By: "Home app"}})
		loop.Run(ctx)
		if took := woken.Sub(asked); asked.IsZero() || took != 3*time.Second {
			t.Errorf("woken %v after it was asked for, want 3 s", took)
		}
	})
}

// A Step that takes long makes the next tick late, and it says so.
func TestALateTickSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var latest time.Duration
		step := func(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
			switch f := e.Fact.(type) {
			case gateway.Wish:
				time.Sleep(25 * time.Second)
			case gateway.Tick:
				latest = max(latest, f.Late)
			}
			return s, nil
		}
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		loop := &gateway.Loop{Step: step}
		loop.Attach("homekit", silent{gateway.Wish{By: "Home app"}})
		loop.Run(ctx)
		if latest < 15*time.Second || latest > 25*time.Second {
			t.Errorf("the latest tick says %v, want 15 s to 25 s", latest)
		}
	})
}
