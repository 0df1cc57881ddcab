package broker

import (
	"errors"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// valve holds clients' messages back while the process has much memory in use, so that no flood of them ends the house: a
// client's queue is bounded by a number of messages, not by their size. It costs nothing while little is sent.
type valve struct {
	large, any uint64        // bytes in use from which on large messages wait, and all of them
	inUse      func() uint64 // bytes
	collect    func()        // garbage

	mu        sync.Mutex
	since     int       // bytes that were let through since inUse was last asked
	used      uint64    // what it said
	collected time.Time // when garbage last was
}

const (
	valveLarge    = 60 << 20        // bytes in use: three eighths of the unit's GOMEMLIMIT; a house of 150 devices needs ten megabytes
	valveAny      = 80 << 20        // half of it
	valveLook     = 1 << 20         // bytes let through until the memory is looked at again
	valveSmall    = 4 << 10         // bytes; no wish of a person is larger
	valvePatience = 3 * time.Second // three times as long as a client may leave its queue unread
	valvePause    = 100 * time.Millisecond
	valveCollect  = 250 * time.Millisecond // at least between two collections, which take a core
)

// errNoMemory is why a message is dropped.
var errNoMemory = errors.New("too much memory is taken by messages that others have not read")

func newValve() *valve {
	return &valve{large: valveLarge, any: valveAny, inUse: heapInUse, collect: runtime.GC}
}

func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// pass waits until there is room for a message that costs so many bytes in all its copies. It answers errNoMemory when there
// was none for a while, or shut was closed.
func (v *valve) pass(size, copies int, shut <-chan struct{}) error {
	if v.fits(size, copies) {
		return nil
	}
	late := time.After(valvePatience)
	for {
		select {
		case <-time.After(valvePause):
		case <-late:
			return errNoMemory
		case <-shut:
			return errNoMemory
		}
		if v.fits(size, copies) {
			return nil
		}
	}
}

func (v *valve) fits(size, copies int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	most := v.any
	if size > valveSmall {
		most = v.large
	}
	cost := size * (copies + 1)
	full := func() bool { return v.used+uint64(cost) >= most }
	if v.since += cost; v.since > valveLook || full() {
		v.since, v.used = cost, v.inUse()
		if now := time.Now(); full() && now.Sub(v.collected) > valveCollect { // much of it may be garbage by now
			v.collect()
			v.used, v.collected = v.inUse(), now
		}
	}
	return !full()
}
