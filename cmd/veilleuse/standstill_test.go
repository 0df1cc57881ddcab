package main

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

// standstill adds up how long the machine has let nobody run here who wanted to, because others had its processors. A test that
// holds a delay takes that off: what nobody could have done in time is no fault of the program.
type standstill struct {
	mu  sync.Mutex
	due time.Time // when it is to wake
	all time.Duration
}

// watchStandstill looks until the test ends.
func watchStandstill(t testing.TB) *standstill {
	t.Helper()
	s := &standstill{due: time.Now().Add(standstillLooks)}
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

func (s *standstill) woke(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all += s.late(now)
	s.due = now.Add(standstillLooks)
}

func (s *standstill) late(now time.Time) time.Duration {
	if late := now.Sub(s.due); late >= standstillLeast {
		return late
	}
	return 0
}

// soFar is all since the beginning, with what is under way.
func (s *standstill) soFar() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all + s.late(time.Now())
}

func TestAStandstillIsNoticed(t *testing.T) {
	began := time.Unix(0, 0)
	s := &standstill{due: began.Add(standstillLooks)}
	s.woke(began.Add(2 * standstillLooks)) // a little late
	if s.all != 0 {
		t.Errorf("a busy moment counts as %v", s.all)
	}
	s.woke(began.Add(3*standstillLooks + time.Second))
	if s.all != time.Second {
		t.Errorf("a second counts as %v", s.all)
	}
	s.due = time.Now().Add(-time.Hour)
	if all := s.soFar(); all < time.Hour+time.Second || all > 2*time.Hour {
		t.Errorf("with the hour that is under way it is %v", all)
	}
}
