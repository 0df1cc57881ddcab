package broker

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestValveHoldsLargeMessagesBackFirst(t *testing.T) {
	used, looks := uint64(50), 0
	v := &valve{large: 60 << 20, any: 80 << 20, collect: func() {}, inUse: func() uint64 { looks++; return used << 20 }}
	for _, step := range []struct {
		name         string
		used         uint64
		small, large bool
	}{
		{"room for all", 50, true, true},
		{"little room", 65, true, false},
		{"none", 81, false, false},
		{"room again", 40, true, true},
	} {
		used = step.used
		v.since = valveLook // so that it looks
		if got := v.fits(100, 3); got != step.small {
			t.Errorf("%s: a small message fits: %v", step.name, got)
		}
		v.since = valveLook
		if got := v.fits(60<<10, 3); got != step.large {
			t.Errorf("%s: a large message fits: %v", step.name, got)
		}
	}
	looks = 0
	for range 1000 {
		v.fits(100, 3)
	}
	if looks > 1 {
		t.Errorf("the memory was looked at %d times for a thousand small messages", looks)
	}
}

// Garbage that leaves less than one message of room is collected as well: else a message waited for room that nobody made.
func TestValveCollectsWhereOneMessageMoreIsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		used := uint64(60<<20 - 1)
		v := &valve{large: 60 << 20, any: 80 << 20, collect: func() { used = 20 << 20 }, inUse: func() uint64 { return used }, since: valveLook}
		if err := v.pass(16<<10, 2, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestValveWaitsAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var used atomic.Uint64
		used.Store(90 << 20)
		v := &valve{large: 60 << 20, any: 80 << 20, collect: func() {}, inUse: used.Load, since: valveLook}
		began := time.Now()
		if err := v.pass(100, 1, nil); !errors.Is(err, errNoMemory) || time.Since(began) != valvePatience {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		time.AfterFunc(time.Second, func() { used.Store(10 << 20) })
		began = time.Now()
		if err := v.pass(60<<10, 1, nil); err != nil || time.Since(began) > 1200*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		used.Store(90 << 20)
		v.since = valveLook
		shut := make(chan struct{})
		close(shut)
		if err := v.pass(100, 1, shut); !errors.Is(err, errNoMemory) {
			t.Error("a broker that stops waits for memory")
		}
		time.Sleep(time.Second)
	})
}
