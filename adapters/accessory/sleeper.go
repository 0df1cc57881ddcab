package accessory

import (
	"context"
	"errors"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/gateway"
)

// An accessory on Bluetooth LE tells what changes by advertisements. A connection costs its battery; so
// it is made when something was told that cannot be read otherwise, when something is to be set, and
// else a few times a day. In the house's time.
const (
	napEvery    = 6 * time.Hour
	unheardLong = time.Hour // accessories advertise every few seconds; an hour of silence is no accident
	napLeast    = 10 * time.Second
	napsAnHour  = 20              // anybody can forge a moved state number: it must not empty a battery,
	napsApart   = 3 * time.Minute // nor keep an alarm from being read for longer than this
	afterNap    = time.Minute
	longAfter   = 30 * time.Minute // between attempts while it cannot be connected to
)

// air is what a keeper knows of an accessory on Bluetooth LE.
type air struct {
	address       string // of its radio, as last heard
	heard         time.Time
	state         uint16 // as advertised
	configuration byte
	known         uint16 // the state number up to which everything is read
	learnt        bool   // since this run began
	doubt         bool   // a notification could not be opened
	naps          []time.Time
	next          time.Time // no attempt before
}

// sleeps tells whether the accessory is on Bluetooth LE.
func (k *keeper) sleeps() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.record.Bluetooth != nil
}

// watchOver lives on what the accessory advertises, and visits it when it must, until ctx ends.
func (k *keeper) watchOver(ctx context.Context) {
	port := k.house.port
	for ctx.Err() == nil {
		if k.mustVisit(port.Now()) {
			err := k.nap(ctx)
			if ctx.Err() != nil {
				return
			}
			k.napped(err, port.Now())
			if errors.Is(err, hap.ErrPairingRemoved) {
				<-ctx.Done() // pairing it anew ends this keeper
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-k.wake:
		case <-port.After(k.untilNext(port.Now())):
			k.noticeSilence(port.Now())
		}
	}
}

// mustVisit tells whether a connection is worth its price now.
func (k *keeper) mustVisit(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.air.address == "":
		return false
	case len(k.errands) > 0 && k.failures == 0: // a person waits
		return true
	case now.Before(k.air.next):
		return false
	}
	return !k.air.learnt || len(k.orders) > 0 || k.air.state != k.air.known || k.air.doubt || k.reread ||
		now.Sub(k.lastNap()) >= napEvery
}

// lastNap needs the lock.
func (k *keeper) lastNap() time.Time {
	if len(k.air.naps) == 0 {
		return time.Time{}
	}
	return k.air.naps[len(k.air.naps)-1]
}

// untilNext is how long to sleep if nothing is heard.
func (k *keeper) untilNext(now time.Time) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	wait := unheardLong / 4
	if k.air.next.After(now) {
		wait = min(wait, k.air.next.Sub(now))
	}
	return wait
}

// napped notes how a visit ended, and when the next may be.
func (k *keeper) napped(err error, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.air.naps = append(k.air.naps, now)
	if len(k.air.naps) > napsAnHour {
		k.air.naps = k.air.naps[1:]
	}
	k.air.next = now.Add(napLeast)
	if len(k.air.naps) == napsAnHour && now.Sub(k.air.naps[0]) < time.Hour {
		k.air.next = now.Add(napsApart)
	}
	if err == nil {
		k.failures, k.why = 0, ""
		return
	}
	why := reason(err)
	if k.failures == 0 {
		k.log.Warn("accessory: it cannot be visited over Bluetooth", "why", why)
	}
	k.failures++
	k.hopeless = errors.Is(err, hap.ErrPairingRemoved)
	k.air.next = now.Add(min(afterNap<<min(k.failures-1, 10), longAfter))
	k.live, k.why = false, why
	k.refuse(why)
	if k.failures > 1 || k.hopeless {
		k.unreachable(why)
	}
}

// noticeSilence says so of an accessory that was not heard for long.
func (k *keeper) noticeSilence(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.air.heard.IsZero() || now.Sub(k.air.heard) < unheardLong {
		return
	}
	k.live, k.why = false, "it has not been heard over Bluetooth for an hour"
	k.unreachable(k.why)
}

// deaf says that the radio fails, and with it every accessory on Bluetooth.
func (k *keeper) deaf(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.record.Bluetooth == nil || err == nil {
		return
	}
	if k.why != err.Error() {
		k.log.Warn("accessory: Bluetooth does not listen", "err", err)
	}
	k.live, k.why = false, err.Error()
	k.unreachable(k.why)
}

// advertised takes what the accessory tells everybody.
func (k *keeper) advertised(address string, a ble.Advertisement) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hearAgain(address)
	moved := k.air.state != a.State || k.air.configuration != a.Configuration
	k.air.state, k.air.configuration = a.State, a.Configuration
	if b := k.record.Bluetooth; b.Layout.Configuration != a.Configuration && k.air.learnt {
		k.reread = true
	}
	if moved || !k.air.learnt {
		k.nudge()
	}
}

// notified takes what the accessory tells its controllers.
func (k *keeper) notified(address string, n ble.Notification) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.record.Bluetooth
	change, err := n.Open(b.Key, k.air.known)
	switch {
	case errors.Is(err, ble.ErrNotNews):
		k.hearAgain(address)
		return
	case err != nil || !k.air.learnt:
		k.air.doubt = true // a connection tells; how often is bounded
		k.nudge()
		return
	}
	k.hearAgain(address)
	if change.State < k.air.known { // the numbers have begun again, and the key with them
		b.Key = hap.Key{}
	}
	k.air.state, k.air.known = change.State, change.State
	reading, err := b.Layout.Value(change)
	if err != nil {
		k.air.doubt = true
		k.nudge()
		return
	}
	if r, ok := k.ledger.event(reading.ID, reading.Value); ok {
		k.house.port.Post(r)
	}
}

// hearAgain notes that the accessory is there. It needs the lock.
func (k *keeper) hearAgain(address string) {
	k.air.address, k.air.heard = address, k.house.port.Now()
	if !k.air.learnt || k.live || k.failures > 0 || k.hopeless {
		return
	}
	k.live, k.why = true, ""
	for _, id := range k.record.Devices {
		k.tell(gateway.Reach{Device: id, OK: true})
	}
}
