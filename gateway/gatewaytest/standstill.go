package gatewaytest

import (
	"sync"
	"testing"
	"time"
)

// A standstill is noticed by somebody who wakes so often, and who is woken so much too late. The second is more than a busy
// process keeps one of its own goroutines waiting.
const (
	standstillLooks = 10 * time.Millisecond
	standstillLeast = 25 * time.Millisecond
)

// Standstill adds up how long the machine has let nobody run here who wanted to, because others had its processors. A test that
// holds a delay takes that off: what nobody could have done in time is no fault of the program.
type Standstill struct {
	mu  sync.Mutex
	due time.Time // when it is to wake
	all time.Duration
}

// WatchStandstill looks until the test ends.
func WatchStandstill(t testing.TB) *Standstill {
	t.Helper()
	s := &Standstill{due: time.Now().Add(standstillLooks)}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-time.After(standstillLooks):
				s.woke(time.Now())
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
	return s
}

func (s *Standstill) woke(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all += s.late(now)
	s.due = now.Add(standstillLooks)
}

func (s *Standstill) late(now time.Time) time.Duration {
	if late := now.Sub(s.due); late >= standstillLeast {
		return late
	}
	return 0
}

// SoFar is all since the beginning, with what is under way.
func (s *Standstill) SoFar() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all + s.late(time.Now())
}
