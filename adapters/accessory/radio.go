package accessory

import (
	"context"
	"errors"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/gateway"
)

// Pauses before the radio is tried again, in real time: it is a part of this machine.
const (
	firstTune = 5 * time.Second
	longTune  = 2 * time.Minute
)

// errNoRadio says that there is no Bluetooth to be used.
var errNoRadio = errors.New("no Bluetooth is used here")

// listen hears what accessories on Bluetooth advertise, once one is paired with us, until ctx ends. A radio
// that fails is tried again.
func (h *house) listen(ctx context.Context) {
	pause := firstTune
	for h.waitForSleepers(ctx) {
		began := time.Now()
		err := errNoRadio
		if h.options.Radio != nil {
			err = h.options.Radio.Listen(ctx, h.heard)
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > longTune {
			pause = firstTune
		}
		for _, k := range h.all() {
			k.deaf(err)
		}
		if sleep(ctx, pause) != nil {
			return
		}
		pause = min(2*pause, longTune)
	}
}

// waitForSleepers waits until an accessory on Bluetooth is paired with us.
func (h *house) waitForSleepers(ctx context.Context) bool {
	for {
		for _, k := range h.all() {
			if k.sleeps() {
				return ctx.Err() == nil
			}
		}
		select {
		case <-ctx.Done():
			return false
		case <-h.tune:
		}
	}
}

// heard passes an advertisement to the keeper of its accessory.
func (h *house) heard(s ble.Sighting) {
	if a, err := ble.ParseAdvertisement(s.Data); err == nil {
		if k := h.keeper(normalID(a.ID)); k != nil && k.sleeps() {
			k.advertised(s.Address, a)
		}
		return
	}
	if n, err := ble.ParseNotification(s.Data); err == nil {
		if k := h.keeper(normalID(n.ID)); k != nil && k.sleeps() {
			k.notified(s.Address, n)
		}
	}
}

// sleep waits in real time, and returns an error where ctx ends first.
func sleep(ctx context.Context, pause time.Duration) error {
	over, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	<-over.Done()
	return ctx.Err()
}

// sweepAir listens for accessories on Bluetooth for the time of one sweep, or until the wanted one is heard.
func (a *Adapter) sweepAir(ctx context.Context, wanted string) []Announced {
	if a.options.Radio == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	byID := map[string]Announced{}
	err := a.options.Radio.Listen(ctx, func(s ble.Sighting) {
		if ad, err := ble.ParseAdvertisement(s.Data); err == nil {
			id := normalID(ad.ID)
			byID[id] = Announced{ID: id, Address: s.Address, Category: int(ad.Category), Paired: ad.Paired,
				Configuration: int(ad.Configuration), Bluetooth: true}
			if id == wanted {
				cancel()
			}
		}
	})
	if err != nil {
		a.log.Debug("accessory: cannot look for accessories on Bluetooth", "err", err)
	}
	var all []Announced
	for _, found := range byID {
		all = append(all, found)
	}
	return all
}

// unreachable posts that no device of the accessory answers. It needs the lock.
func (k *keeper) unreachable(why string) {
	for _, id := range k.record.Devices {
		k.tell(gateway.Reach{Device: id, Why: why})
	}
}
