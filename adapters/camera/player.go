package camera

import (
	"context"
	"time"
)

const (
	clock90k = 90_000  // ticks of a stream's clock in a second
	clockEnd = 1 << 33 // where it begins anew, after a day
	// A jump of the stream's clock by more than this, or back, is a new beginning; the picture after it
	// comes after usualPause.
	clockJump  = 5 * time.Second
	usualPause = 40 * time.Millisecond
	// late is how late a picture may be and still catch up; if it is later, all that follow are late, too:
	// pictures in a burst would be lost on the way.
	late = 100 * time.Millisecond
)

// player shows pictures when they are due. Segments come whole and at uneven times; what is shown does
// not.
type player struct {
	show func(time.Duration, [][]byte) error

	begun    bool // with a picture from which decoding can begin
	sps, pps []byte
	due      time.Time     // of the last picture
	at       time.Duration // of the last picture, of decoding, since the first
	clock    int64         // the stream's, at the last picture
}

// play shows what comes until there is no more, which is no error.
func (p *player) play(ctx context.Context, film <-chan clip) error {
	for {
		select {
		case c, more := <-film:
			if !more {
				return nil
			}
			if !c.joins {
				p.begun = false
			}
			if err := p.playClip(ctx, c); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *player) playClip(ctx context.Context, c clip) error {
	for _, picture := range c.pictures {
		p.learn(picture)
		if !p.begun && !picture.key {
			continue
		}
		p.begun = true
		first := p.due.IsZero()
		p.advance(picture.decoded, time.Now())
		if err := sleepUntil(ctx, p.due); err != nil {
			return err
		}
		if err := p.show(p.at+offset(picture), p.whole(picture)); err != nil {
			return err
		}
		if first { // the first picture comes at once; the next wait a little, lest they run out
			p.due = p.due.Add(c.poll)
		}
	}
	return nil
}

// advance says when a picture with that time of the stream's clock is due.
func (p *player) advance(clock int64, now time.Time) {
	if p.due.IsZero() {
		p.due, p.clock = now, clock
		return
	}
	pause := ticks(clock - p.clock)
	if pause > clockJump {
		pause = usualPause
	}
	p.clock, p.at, p.due = clock, p.at+pause, p.due.Add(pause)
	if now.Sub(p.due) > late {
		p.due = now
	}
}

// ticks is a difference of the stream's clock.
func ticks(difference int64) time.Duration {
	return time.Duration(difference&(clockEnd-1)) * time.Second / clock90k
}

// offset is by how much a picture is shown later than it is decoded: 0 but in streams whose pictures
// refer to later ones.
func offset(picture accessUnit) time.Duration {
	if later := ticks(picture.shown - picture.decoded); later < clockJump {
		return later
	}
	return 0
}

func sleepUntil(ctx context.Context, due time.Time) error {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// learn keeps the parameters that a picture brings.
func (p *player) learn(picture accessUnit) {
	for _, unit := range picture.units {
		switch unitType(unit) {
		case unitSPS:
			p.sps = unit
		case unitPPS:
			p.pps = unit
		}
	}
}

// whole is a picture with the parameters that are needed to begin with it.
func (p *player) whole(picture accessUnit) [][]byte {
	if !picture.key || p.sps == nil || p.pps == nil {
		return picture.units
	}
	for _, unit := range picture.units {
		if unitType(unit) == unitSPS {
			return picture.units
		}
	}
	return append([][]byte{p.sps, p.pps}, picture.units...)
}
