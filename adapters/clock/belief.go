package clock

import (
	"fmt"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// What sources are good for. A crystal drifts by 20 to 100 ppm: 100 ppm are 8.6 s a day.
const (
	drift         = 100e-6
	serverError   = time.Second
	loneError     = time.Minute               // of a single source that has not proved who it is: good for heating
	rtcError      = 2 * time.Minute           // of a hardware clock with a battery, months after it was set
	agreement     = 5 * time.Second           // between two sources, beside their own errors
	tooFar        = time.Hour                 // a clock that is further off is not to be used at all
	absurdStep    = 24 * time.Hour            // that a time server which was right does not correct
	farAway       = 50 * 366 * 24 * time.Hour // beyond all that was ever stored: not even told
	rtcReach      = 366 * 24 * time.Hour
	stepTolerance = 2 * time.Second
)

// belief is what is known of the clock, carried from one look to the next. Its zero value knows nothing.
type belief struct {
	begun  bool
	last   Machine
	anchor anchor
	lost   bool   // an anchor was lost because the clock was moved
	doubt  string // why it is not believed, for people
	aside  string // what was heard and not believed, for people
}

// anchor is an instant at which the wall clock was known to be right.
type anchor struct {
	set   bool
	wall  time.Time
	boot  time.Duration
	error time.Duration
	by    string // for people: who confirmed it
}

// bound is how far off an anchored clock may be by now, drift since then included.
func (a anchor) bound(now Machine) time.Duration {
	age := now.Boot - a.boot
	return a.error + time.Duration(float64(age.Abs())*drift) + a.offset(now).Abs()
}

// offset is how far the wall clock is from where the counter since boot says it must be.
func (a anchor) offset(now Machine) time.Duration {
	return now.Wall.Sub(a.wall) - (now.Boot - a.boot)
}

// moved returns how far the wall clock was set between two looks.
func moved(a, b Machine) time.Duration { return b.Wall.Sub(a.Wall) - (b.Boot - a.Boot) }

// judge takes a look into account and says how far the clock can be trusted. It is pure.
func (b belief) judge(now Machine, floor time.Time) (belief, gateway.Clock) {
	first := !b.begun
	b.begun, b.last = true, now
	switch {
	case now.Wall.Before(floor):
		b.anchor, b.lost = anchor{}, true
		b.doubt = fmt.Sprintf("the clock shows %s, which is over: it was %s when this house was last seen%s", date(now.Wall), date(floor), b.aside)
		return b, b.guess()
	case now.Synced && b.absurd(now):
		off := b.anchor.offset(now)
		b.lost = true
		b.doubt = fmt.Sprintf("a time server put the clock %s by %s, which is not believed until others confirm it", direction(off), span(off.Abs()))
		return b, b.guess()
	case now.Synced:
		b.aside = ""
		b.anchor = anchor{set: true, wall: now.Wall, boot: now.Boot, error: now.Error, by: "a time server"}
		b.lost, b.doubt = false, ""
		return b, gateway.Clock{Trust: gateway.TrustSynced, Bound: roundUp(now.Error), Why: "a time server keeps the clock in step"}
	case first:
		b.anchor = firstAnchor(now, floor)
	}
	if !b.anchor.set {
		return b, b.guess()
	}
	if off := b.anchor.offset(now); off.Abs() > stepTolerance+time.Duration(float64((now.Boot-b.anchor.boot).Abs())*drift) {
		b.doubt = fmt.Sprintf("the clock was put %s by %s, and nobody has confirmed it", direction(off), span(off.Abs()))
		b.anchor, b.lost = anchor{}, true
		return b, b.guess()
	}
	bound := roundUp(b.anchor.bound(now))
	if bound > tooFar {
		b.doubt = fmt.Sprintf("%s confirmed the clock, but too long ago: it may be off by up to %s", b.anchor.by, span(bound))
		b.anchor, b.lost = anchor{}, true
		return b, b.guess()
	}
	return b, gateway.Clock{Trust: gateway.TrustHoldover, Bound: bound,
		Why: fmt.Sprintf("%s confirmed the clock; by now the clock may be off by up to %s%s", b.anchor.by, span(bound), b.aside)}
}

// absurd reports whether the clock is a day or more from where the counter since boot says it must be:
// no time server that was right before corrects that much.
func (b belief) absurd(now Machine) bool {
	return b.anchor.set && b.anchor.offset(now).Abs() >= absurdStep
}

func (b belief) guess() gateway.Clock {
	why := b.doubt
	if why == "" {
		why = "nobody has confirmed the clock since this machine started"
	}
	return gateway.Clock{Trust: gateway.TrustGuess, Why: why}
}

// firstAnchor is what the machine itself can vouch for at the first look: a time server heard earlier
// in this boot, or a hardware clock with a battery. A hardware clock that is a year beyond all that was
// ever stored is not believed; nor is one without a floor to compare it with doubted.
func firstAnchor(now Machine, floor time.Time) anchor {
	booted := now.Wall.Add(-now.Boot)
	if c := now.Confirmed; !c.IsZero() && !c.Before(floor) && !c.Before(booted) && !c.After(now.Wall) {
		return anchor{set: true, wall: now.Wall, boot: now.Boot, by: "a time server",
			error: serverError + time.Duration(float64(now.Wall.Sub(c))*drift)}
	}
	if now.RTC && (floor.IsZero() || now.Wall.Sub(floor) < rtcReach) {
		return anchor{set: true, wall: now.Wall, boot: now.Boot, error: rtcError, by: "the hardware clock"}
	}
	return anchor{}
}

// hear weighs what sources outside say and anchors the clock if they confirm it. It is pure.
func (b belief) hear(now Machine, floor time.Time, sightings []Sighting) belief {
	s, ok := agreed(now, floor, sightings)
	b.aside = ""
	if !ok {
		if len(sightings) > 1 {
			b.doubt = "what others say of the time contradicts itself or lies in the past"
		}
		return b
	}
	off := s.Ahead.Abs()
	if lone := !s.Proven; lone && b.anchor.set && b.anchor.bound(now) < off+s.Error {
		if off > tooFar {
			b.aside = fmt.Sprintf("; %s, which is not believed", accuse(s, now, floor))
		}
		return b // what is known is better than one more voice
	}
	if off+s.Error > tooFar || now.Wall.Before(floor) {
		if !b.absurd(now) {
			b.anchor, b.lost = anchor{}, true
		}
		b.doubt = accuse(s, now, floor)
		if now.Wall.Before(floor) {
			b.aside = "; " + b.doubt
		}
		return b
	}
	b.anchor = anchor{set: true, wall: now.Wall, boot: now.Boot, error: off + s.Error, by: s.From}
	b.lost, b.doubt = false, ""
	return b
}

// accuse says in words how far off a source says that the clock is.
func accuse(s Sighting, now Machine, floor time.Time) string {
	say := "says"
	if strings.Contains(s.From, " and ") {
		say = "say"
	}
	if said := now.Wall.Add(s.Ahead); !floor.IsZero() && said.Sub(floor) > farAway {
		// What NTP says comes round every 136 years: it may as well be the past.
		return fmt.Sprintf("%s %s a time that cannot be right", s.From, say)
	}
	return fmt.Sprintf("%s %s that the clock is %s %s", s.From, say, span(s.Ahead.Abs()), behind(s.Ahead))
}

// agreed finds what can be believed among sightings: one that has proved who it is; else two that
// agree, which then count as proven; else the only one there is, with a wide bound.
func agreed(now Machine, floor time.Time, all []Sighting) (Sighting, bool) {
	var good []Sighting
	for _, s := range all {
		if !now.Wall.Add(s.Ahead).Before(floor) { // no source moves time below the floor
			s.Error = max(s.Error, serverError)
			good = append(good, s)
		}
	}
	for _, s := range good {
		if s.Proven {
			return s, true
		}
	}
	for i, a := range good {
		for _, c := range good[i+1:] {
			if (a.Ahead - c.Ahead).Abs() <= agreement+a.Error+c.Error {
				return Sighting{From: a.From + " and " + c.From, Ahead: (a.Ahead + c.Ahead) / 2,
					Error: max(a.Error, c.Error), Proven: true}, true
			}
		}
	}
	if len(good) != 1 {
		return Sighting{}, false
	}
	good[0].Error = max(good[0].Error, loneError)
	return good[0], true
}

// ladder are the bounds that are told. A bound that grows by the second would be news by the second.
var ladder = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

func roundUp(d time.Duration) time.Duration {
	for _, step := range ladder {
		if d <= step {
			return step
		}
	}
	return (d + time.Hour - 1) / time.Hour * time.Hour
}

func direction(off time.Duration) string {
	if off < 0 {
		return "back"
	}
	return "forward"
}

func behind(ahead time.Duration) string {
	if ahead < 0 {
		return "ahead"
	}
	return "behind"
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	case d < 2*366*24*time.Hour:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	default:
		return fmt.Sprintf("%.0f years", d.Hours()/24/365.25)
	}
}
