package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// The wall clock can be set while the house runs, and after a power cut it starts where it was saved
// last. What was remembered by the old clock is then dated anew: ages, and what is left of a wish, stay
// as they are. Otherwise a clock put back by a year would leave sirens unasked and let a wish for two
// hours hold for a year.

const (
	setTolerance = 2 * time.Second  // what a time server corrects without a word
	longGap      = 30 * time.Minute // the Loop ticks every 10 s: no such time passes between two events
)

// clockSet returns how far the wall clock was set between two events, and whether that is certain.
// Instants of one run carry a counter that nobody can set. Without it (a story, a test) only a step
// back is certain; a long gap may be one forward.
func clockSet(last, next time.Time) (off time.Duration, certain bool) {
	if last.IsZero() {
		return 0, false
	}
	passed := next.Sub(last)
	off = next.Round(0).Sub(last.Round(0)) - passed
	switch {
	case off.Abs() > setTolerance:
		return off, true
	case passed < -clockStep:
		return passed, true
	case passed >= longGap:
		return passed, false
	}
	return 0, false
}

// redate moves all that is remembered along with a clock that was set by off. What is older than this
// run was dated by a clock that is gone: it is moved forward with this one only as far as it was moved
// back. What the vendor dated stays, and so do decisions: they say when people were told.
func (b *book) redate(off time.Duration) {
	old := off // for what is older than this run
	if off > 0 {
		old = min(off, b.SetBack)
	}
	started := b.Started
	b.SetBack -= old
	move := func(stamps ...*time.Time) {
		for _, at := range stamps {
			switch {
			case at.IsZero():
			case at.Before(started):
				*at = at.Add(old)
			default:
				*at = at.Add(off)
			}
		}
	}
	c := &b.Cloud
	move(&c.Since, &c.ProbedAt, &c.FirstBad, &c.LastBad, &c.FirstGood, &c.LastGood, &c.Returned, &c.Viewed, &c.SignIn, &c.Doubted)
	for _, s := range []*gateway.Service{&c.Read, &c.Write, &c.Auth, &c.Push} {
		move(&s.At, &s.Since)
	}
	a := &b.Authority
	move(&a.Since, &a.Until, &a.Taken, &a.Lost)
	b.redateAlarms(move)
	b.redateJournal(move)
	b.redateAsked(move)
	b.redateDevices(move)
	b.redateRooms(move)
	b.redateFirings(move)
	b.redateWishes(off, true)
	move(&b.Started)
	b.changed = true
}

// redateAsked moves what was asked of points.
func (b *book) redateAsked(move func(...*time.Time)) {
	for key, asked := range b.Asked.All() {
		move(&asked.At, &asked.Again)
		if asked.Command.Point.Adapter != gateway.CloudAdapter {
			move(&asked.Command.Until) // the vendor goes by its own clock
		}
		b.Asked = b.Asked.With(key, asked)
	}
}

// redateDevices moves what devices have said.
func (b *book) redateDevices(move func(...*time.Time)) {
	for id, d := range b.Devices.All() {
		d.Readings, d.Faces = slices.Clone(d.Readings), slices.Clone(d.Faces)
		for i := range d.Readings {
			move(&d.Readings[i].At)
		}
		for i := range d.Faces {
			move(&d.Faces[i].Since)
		}
		b.Devices = b.Devices.With(id, d)
	}
}

// redateRooms moves what is remembered of rooms, the wishes apart.
func (b *book) redateRooms(move func(...*time.Time)) {
	for id, room := range b.Rooms.All() {
		move(&room.CloudAt, &room.Written.At, &room.Disagrees, &room.Opened, &room.Before.At, &room.Before.Until)
		room.Wrote, room.Repeated = slices.Clone(room.Wrote), slices.Clone(room.Repeated)
		for i := range room.Wrote {
			move(&room.Wrote[i].At)
		}
		for i := range room.Repeated {
			move(&room.Repeated[i])
		}
		b.Rooms = b.Rooms.With(id, room)
	}
}

// redateFirings moves how heating relays stand.
func (b *book) redateFirings(move func(...*time.Time)) {
	for id, f := range b.Firings.All() {
		move(&f.Changed, &f.At, &f.Since, &f.Again, &f.Refused, &f.Warm, &f.Idle.At, &f.Idle.Power)
		for i := range f.Starts {
			move(&f.Starts[i])
		}
		b.Firings = b.Firings.With(id, f)
	}
}

// doubtClock trusts a clock that was just set no longer, until it is judged anew: no room follows it
// meanwhile, not for a second.
func (b *book) doubtClock(off time.Duration) {
	if b.Clock.Trust == gateway.TrustGuess || off.Abs() < stride {
		return
	}
	way := "forward"
	if off < 0 {
		way = "back"
	}
	b.observeClock(gateway.Clock{Trust: gateway.TrustGuess, Why: fmt.Sprintf("it was put %s by %s and is being looked at", way, roughly(off.Abs()))})
}

func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

// redateWishes moves the ends of what people wished.
func (b *book) redateWishes(off time.Duration, certain bool) {
	move := func(at, until, ends *time.Time, by string) {
		switch {
		case at.IsZero() && until.IsZero():
		case off < 0:
			if !until.IsZero() {
				left := *until
				if !ends.IsZero() && ends.Before(left) {
					left = *ends
				}
				*ends = left.Add(off)
			}
			*at = moved(*at, off)
		case !ends.IsZero(): // the clock had been put back: at most, all is as it was
			*ends, *at = ends.Add(off), moved(*at, off)
			if ends.Add(shortRest).After(*until) { // as good as the end that was meant
				*ends = time.Time{}
			}
		case certain && by != "" && !at.Before(b.Started): // made by this clock, and not the vendor's
			*at, *until = moved(*at, off), moved(*until, off)
		}
	}
	for _, room := range b.Rooms.All() {
		o := room.Override
		move(&o.At, &o.Until, &o.Ends, o.By)
		if o != room.Override {
			room.Override = o
			b.setRoom(room)
		}
	}
	r := &b.Home.Regime
	move(&r.At, &r.Until, &r.Ends, r.By)
}

func moved(t time.Time, by time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(by)
}

// newest is the latest instant that is remembered to be over.
func (b *book) newest() time.Time {
	newest := b.Home.Copied
	see := func(t time.Time) {
		if t.After(newest) {
			newest = t
		}
	}
	for _, d := range b.Decisions {
		see(d.At)
	}
	for _, d := range b.Devices.All() {
		for _, m := range d.Readings {
			see(m.At)
		}
	}
	for _, asked := range b.Asked.All() {
		see(asked.At)
	}
	return newest
}

// forgetFuture dates back what was stamped by a clock that ran ahead, now that the time is known: the
// newest stamp on disk is what the clock is judged by after the next start.
func (b *book) forgetFuture() {
	if b.Home.Copied.After(b.now) {
		b.Home.Copied = b.now
	}
	for i, d := range b.Decisions {
		if d.At.After(b.now) {
			b.Decisions = slices.Clone(b.Decisions)
			b.Decisions[i].At = b.now
		}
	}
}
