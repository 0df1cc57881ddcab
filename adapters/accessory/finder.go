package accessory

import (
	"context"
	"slices"
	"time"
)

// How often the LAN is swept for accessories, in the house's time. With every session up a sweep only tells of raised
// configuration numbers. While one is lost, a sweep is what finds it at another address, and that within a minute.
const (
	sweepEvery = 30 * time.Second
	sweepIdle  = 10 * time.Minute
	sweepLeast = 5 * time.Second // between two sweeps, whatever happens
)

// sweepsAtFirst are the pauses after the first sweeps: at 0, 10 and 30 s.
var sweepsAtFirst = []time.Duration{10 * time.Second, 20 * time.Second}

// find sweeps the LAN while an accessory has no session, and tells the keepers what was found.
func (h *house) find(ctx context.Context) {
	sweeps := 0 // since somebody was lost
	for {
		if !h.somebodyIsLost() {
			if sweeps = 0; !h.idle(ctx) {
				return
			}
			continue
		}
		h.seen()
		h.sweepOnce(ctx)
		pause := sweepEvery
		if sweeps < len(sweepsAtFirst) {
			pause = sweepsAtFirst[sweeps]
		}
		sweeps++
		again := h.port.After(pause)
		if !h.port.Sleep(ctx, sweepLeast) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-h.lost:
			sweeps = 0
		case <-again:
		}
	}
}

// seen takes the token that asks to look now.
func (h *house) seen() {
	select {
	case <-h.lost:
	default:
	}
}

// idle waits while nobody is lost, with a look around now and then if anything is paired.
func (h *house) idle(ctx context.Context) bool {
	var now <-chan time.Time
	if len(h.all()) > 0 {
		now = h.port.After(sweepIdle)
	}
	select {
	case <-ctx.Done():
		return false
	case <-h.lost:
	case <-now:
		h.sweepOnce(ctx)
	}
	return true
}

func (h *house) somebodyIsLost() bool {
	return slices.ContainsFunc(h.all(), (*keeper).isLost)
}

func (h *house) sweepOnce(ctx context.Context) {
	found, err := h.options.Browse(ctx)
	if err != nil && ctx.Err() == nil {
		h.log.Debug("accessory: cannot look for accessories", "err", err)
	}
	for _, a := range found {
		if k := h.keeper(normalID(a.ID)); k != nil {
			k.announced(a)
		}
	}
}
