package store

import (
	"context"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How long a difference may wait, in the house's time. Flushes wear an SD card out; the goal is at most
// 500 of them and 10 MB a day.
const (
	betweenSaves  = time.Second
	betweenAlarms = 50 * time.Millisecond // an answer to an alarm is on disk before a person has put the phone away
	decidedWaits  = time.Minute
	measuredWaits = 15 * time.Minute
	copyWaits     = time.Minute
	betweenCopies = time.Hour
)

// keeper is what Run remembers between two States, and between two Runs. Times are the house's.
type keeper struct {
	newest  gateway.State // last shown
	shown   bool          // there is one
	waiting urgency       // of the difference between newest and the disk
	saveAt  time.Time     // zero: nothing waits
	saved   time.Time     // when a save was last tried
	copyAt  time.Time     // zero: no copy is due
	copied  time.Time     // when a copy was last tried
}

// take compares a State with the last one and sets when to save.
func (k *keeper) take(state gateway.State, now time.Time) {
	most := difference(k.newest, state)
	k.newest, k.shown = state, true
	at := now
	switch most {
	case nothing:
		return
	case decided:
		at = now.Add(decidedWaits)
	case measured:
		at = now.Add(measuredWaits)
		if !k.saved.IsZero() {
			at = k.saved.Add(measuredWaits)
		}
	}
	k.waiting = max(k.waiting, most)
	pause := betweenSaves
	if most == grave {
		pause = betweenAlarms
	}
	k.saveAt = earlier(k.saveAt, later(at, k.saved.Add(pause)))
}

// takeCopy sets when to write the snapshot. Changes seldom come alone: it waits a little for more.
func (k *keeper) takeCopy(need due, now time.Time) {
	switch {
	case need == soon:
		k.copyAt = now
	case need == hourly && k.copyAt.IsZero():
		k.copyAt = later(now.Add(copyWaits), k.copied.Add(betweenCopies))
	}
}

// earlier returns the earlier of two times, of which the zero one is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *Store) keep(ctx context.Context, port gateway.Port) error {
	k := &s.keeper
	if !k.shown {
		if lasting, found, err := s.Load(); err == nil && found {
			k.newest = lasting.State()
		}
	}
	var alarm <-chan time.Time
	var set time.Time // what alarm was made for
	for {
		s.turns.Add(1)
		if err := s.doDue(port.Now()); err != nil {
			return err
		}
		if next := earlier(k.saveAt, k.copyAt); next != set {
			alarm, set = nil, next
			if !next.IsZero() {
				alarm = port.After(next.Sub(port.Now()))
			}
		}
		select {
		case state := <-port.Shown():
			k.take(state, port.Now())
		case <-alarm:
			set = time.Time{} // made anew if it rang too early
		case <-s.poke:
		case <-ctx.Done():
			return s.saveLast(port)
		}
	}
}

// doDue writes what is due.
func (s *Store) doDue(now time.Time) error {
	k := &s.keeper
	k.takeCopy(s.copyNeed(), now)
	if !k.saveAt.IsZero() && !now.Before(k.saveAt) {
		k.saved = now
		if err := s.saveNewest(); err != nil {
			return err
		}
	}
	if !k.copyAt.IsZero() && !now.Before(k.copyAt) {
		k.copied = now
		if err := s.copyNow(); err != nil {
			return err
		}
		k.copyAt = time.Time{}
	}
	return nil
}

func (s *Store) saveNewest() error {
	k := &s.keeper
	copying := never
	if k.waiting >= essential {
		copying = hourly
	}
	if err := s.save(k.newest, copying); err != nil {
		return err
	}
	k.saveAt, k.waiting = time.Time{}, nothing
	return nil
}

// saveLast saves the newest State, measurements included, because the house stops.
func (s *Store) saveLast(port gateway.Port) error {
	k := &s.keeper
	select {
	case state := <-port.Shown():
		k.take(state, port.Now())
	default:
	}
	if k.waiting == nothing {
		return nil
	}
	return s.saveNewest()
}
