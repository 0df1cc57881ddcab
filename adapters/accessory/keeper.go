package accessory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// Pauses between attempts to reach an accessory, in the house's time. Netatmo's devices get worse when they are pressed
// (netatmo-facts 1.2), so attempts begin at least spacing apart, whatever happens; from the seventh on the pauses grow. The
// longest pause is counted from the beginning of an attempt as well: one that got stuck, the pause and the next one fit
// into a minute.
const (
	firstPause = time.Second // also before a session that was lost is made again
	growth     = 1.5
	spacing    = 10 * time.Second
	longPause  = 32 * time.Second // with a quarter of jitter: 40 s
	goodVisit  = 30 * time.Second // a session that lasts so long was no failure
)

// keeper keeps one accessory server.
type keeper struct {
	house  *house
	id     string // HomeKit id
	log    *slog.Logger
	cancel context.CancelFunc
	ended  chan struct{}
	wake   chan struct{} // a token: there is something to do

	mu       sync.Mutex // guards the rest; held while posting readings, so that an older one never follows a newer
	record   record
	ledger   *ledger
	left     []Remainder
	reach    map[gateway.DeviceID]gateway.Reach // last posted
	live     bool
	hopeless bool   // the pairing was removed: no further attempt
	why      string // why there is no session
	failures int    // in a row
	attempts int    // since it was lost
	orders   map[gateway.Point]order
	found    Announced                 // last seen on the LAN
	reached  string                    // where it was last reached
	hint     string                    // where to try next
	tried    map[string]bool           // where it was tried since it was lost
	reread   bool                      // the database must be read anew
	strange  map[uint64]bool           // accessories that spoke without being in the database
	misses   map[gateway.DeviceID]int  // how often in a row a device was not in the database, over all sessions
	errands  []errand                  // that wait for a session
	names    map[gateway.DeviceID]bool // all that the devices go by
	air      air                       // of one on Bluetooth LE
}

func newKeeper(h *house, r record, cancel context.CancelFunc) *keeper {
	k := &keeper{house: h, id: r.id(), record: r, cancel: cancel, ended: make(chan struct{}), wake: make(chan struct{}, 1),
		log: h.log.With("accessory", r.title()), tried: map[string]bool{}, strange: map[uint64]bool{},
		misses: map[gateway.DeviceID]int{}, reach: map[gateway.DeviceID]gateway.Reach{}, orders: map[gateway.Point]order{}}
	k.ledger = newLedger(k.rungBefore)
	return k
}

// run holds a session with the accessory until ctx ends.
func (k *keeper) run(ctx context.Context) {
	defer k.leave()
	if k.record.Bluetooth != nil {
		k.watchOver(ctx)
		return
	}
	for ctx.Err() == nil {
		began := k.house.port.Now()
		learnt, err := k.visit(ctx, k.address())
		if ctx.Err() != nil {
			return
		}
		k.over(err, learnt, k.house.port.Now().Sub(began) >= goodVisit)
		if errors.Is(err, hap.ErrPairingRemoved) {
			<-ctx.Done() // pairing it anew ends this keeper
			return
		}
		if !k.pause(ctx, began) {
			return
		}
	}
}

// address picks where to try: where it was last reached, else the configured, the announced, and the stored address in
// turn.
func (k *keeper) address() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	address := k.hint
	if all := k.candidates(); address == "" && len(all) > 0 {
		address = all[k.attempts%len(all)]
		k.attempts++
	}
	k.hint, k.tried[address] = "", true
	return address
}

func (k *keeper) candidates() []string {
	all := []string{k.reached}
	for _, known := range k.house.options.Known {
		if normalID(known.ID) == k.id {
			all = append(all, known.Address)
		}
	}
	all = append(all, k.found.Address, k.record.Pairing.Address)
	var some []string
	for _, a := range all {
		if a != "" && !slices.Contains(some, a) {
			some = append(some, a)
		}
	}
	return some
}

// over notes that there is no session any more, and what that means for those who wait. A session that had worked is
// given one more attempt before its devices count as lost.
func (k *keeper) over(err error, learnt, long bool) {
	why := reason(err)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failures++
	if learnt && long {
		k.failures = 0
	}
	k.hopeless = errors.Is(err, hap.ErrPairingRemoved)
	if k.why == "" || k.hopeless { // further attempts that fail are no news
		k.log.Warn("accessory: there is no session", "why", why)
	}
	k.live, k.why = false, why
	if learnt {
		k.attempts = 0
		k.house.look()
	}
	if learnt && k.failures < 2 && !k.hopeless {
		return
	}
	k.refuse(why)
	k.unreachable(why)
}

// leave answers those who wait when the keeper ends.
func (k *keeper) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.live, k.hopeless, k.why = false, true, "it is not paired any more, or the house is being shut"
	k.refuse(k.why)
}

// reason is the innermost sentence of an error that a person can use.
func reason(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, hap.ErrPairingRemoved):
		return "the pairing was removed on the device: take it out of whichever home holds it, and pair it again"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "nothing answers at its address"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refuses the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to its address"
	case err == nil:
		return "the session ended"
	}
	return err.Error()
}

// tell posts whether a device answers, if that is news. It needs the lock.
func (k *keeper) tell(r gateway.Reach) {
	if last, ok := k.reach[r.Device]; ok && last == r {
		return
	}
	k.reach[r.Device] = r
	k.house.port.Post(r)
}

// refuse answers all that was asked. It needs the lock.
func (k *keeper) refuse(why string) {
	k.dismiss(why)
	for _, o := range k.orders {
		k.house.port.Post(gateway.Outcome{ID: o.command.ID, Point: o.command.Point,
			Err: fmt.Sprintf("%s does not answer: %s", k.record.title(), why)})
	}
	clear(k.orders)
}

// pause waits before the next attempt. An address that was not tried yet cuts it short, but not below the spacing.
func (k *keeper) pause(ctx context.Context, began time.Time) bool {
	k.mu.Lock()
	failures, addresses := k.failures, len(k.candidates())
	k.mu.Unlock()
	port := k.house.port
	gone := port.Now().Sub(began)
	over := port.After(max(pauseAfter(failures, addresses)-gone, jitter(firstPause)))
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return true
		case <-k.wake:
			if k.elsewhere() {
				return port.Sleep(ctx, spacing-port.Now().Sub(began))
			}
		}
	}
}

// pauseAfter returns how far after the beginning of the last attempt the next one begins, after so many failures in a
// row. Several addresses share the longest pause, so that each has its turn in time.
func pauseAfter(failures, addresses int) time.Duration {
	pause := float64(firstPause)
	for range min(failures-1, 20) {
		pause *= growth
	}
	longest := max(longPause/time.Duration(max(addresses, 1)), spacing)
	return jitter(max(min(time.Duration(pause), longest), spacing))
}

// jitter adds up to a quarter, so that the accessories of a house do not come back in step.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/4+1) }

// elsewhere tells whether the accessory was seen at an address that was not tried since it was lost.
func (k *keeper) elsewhere() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.found.Address == "" || k.tried[k.found.Address] {
		return false
	}
	k.hint = k.found.Address
	return true
}

// announced takes what a sweep saw of the accessory.
func (k *keeper) announced(a Announced) {
	k.mu.Lock()
	raised := k.found.Configuration != 0 && a.Configuration != 0 && a.Configuration != k.found.Configuration
	moved := a.Address != k.found.Address
	k.found = a
	k.reread = k.reread || raised
	k.mu.Unlock()
	if raised || moved {
		k.nudge()
	}
}

func (k *keeper) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// isLost tells whether the accessory is being looked for on the LAN.
func (k *keeper) isLost() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.live && !k.hopeless && k.record.Bluetooth == nil
}

// owned are the ids of the accessory's devices.
func (k *keeper) owned() []gateway.DeviceID {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Values(k.record.Devices))
}

// goesBy tells whether a device of the accessory has that id or name.
func (k *keeper) goesBy(name gateway.DeviceID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.names[name] {
		return true
	}
	for _, id := range k.record.Devices {
		if id == name {
			return true
		}
	}
	return false
}

// isLive tells whether there is a session, or for one on Bluetooth LE whether it answers.
func (k *keeper) isLive() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.live
}
