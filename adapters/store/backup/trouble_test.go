package backup

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// A disk that is full for days is no news each five minutes: it is told once, tried each hour, and told when it is over.
func TestADiskThatStaysFullIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t.TempDir(), nil)
		var full atomic.Bool
		var tried atomic.Int64
		content := o.Content
		o.Content = func() (Content, error) {
			tried.Add(1)
			if full.Load() {
				return Content{}, errors.New("no space left on device")
			}
			return content()
		}
		full.Store(true)
		h := gatewaytest.Start(t, "backup", New(o))
		h.Show(func(s gateway.State) gateway.State { s.Clock.Trust = gateway.TrustSynced; return s })
		time.Sleep(2 * daily)
		synctest.Wait()
		full.Store(false)
		time.Sleep(2 * hourly)
		synctest.Wait()
		var said []string
		for len(h.Facts()) > 0 {
			switch f := (<-h.Facts()).Fact.(type) {
			case gateway.Notice:
				said = append(said, f.What+": "+f.Why)
			case gateway.Health:
				if !f.Up {
					t.Errorf("the part itself is said to have failed: %s", f.Why)
				}
			}
		}
		if n := tried.Load(); n < 47 || n > 52 {
			t.Errorf("it was tried %d times in two days", n)
		}
		if len(said) != 2 || !strings.Contains(said[0], "no space left on device") || !strings.Contains(said[1], "again") {
			t.Errorf("said is %q", said)
		}
		h.Stop()
	})
}
