package thermal

import "time"

// relay is the switch that follows a duty: on for a part of each cycle, never for less than its
// minimum times; what these swallow is carried into the next cycle.
type relay struct {
	On      bool    `json:"on,omitempty"`
	Changed int64   `json:"changed"`        // when it last switched
	Started int64   `json:"started"`        // when it last switched on
	Begun   int64   `json:"begun"`          // when the running cycle began
	Span    int64   `json:"span"`           // s that it is to be on in the running cycle
	Duty    float64 `json:"duty"`           // 0..1 that the running cycle is to give
	Owed    float64 `json:"owed,omitempty"` // s of heat still owed (or given too much, negative)
	Looked  int64   `json:"looked"`         // when it was last looked at
}

// follow says whether the relay ought to be on at now for a duty of 0..1. A cycle without a switching
// in it may end at any time; so may any if it is forced.
func (r *relay) follow(s Settings, now int64, duty float64, forced bool) bool {
	cycle := int64(s.Cycle / time.Second)
	r.settle(now, cycle)
	if forced {
		r.Begun, r.Span, r.Duty, r.Owed = now, int64(duty*s.Cycle.Seconds()), duty, 0
	} else if now-r.Begun >= cycle || now < r.Begun || r.Span == 0 || r.Span == cycle {
		r.begin(s, now, duty)
	}
	r.set(s, now, now-r.Begun < r.Span)
	return r.On
}

// settle counts what was given since the last look against what was to be given.
func (r *relay) settle(now, cycle int64) {
	if passed := now - r.Looked; passed > 0 && passed <= cycle {
		r.Owed += r.Duty * float64(passed)
		if r.On {
			r.Owed -= float64(passed)
		}
	}
	r.Looked = now
}

// begin plans a cycle: the heat wished and owed, in one piece that keeps the minimum times.
func (r *relay) begin(s Settings, now int64, duty float64) {
	cycle, on, off := s.Cycle.Seconds(), s.MinOn.Seconds(), s.MinOff.Seconds()
	r.Owed = min(max(r.Owed, -on), on)
	span := min(max(duty*cycle+r.Owed, 0), cycle)
	switch {
	case span < on/2 || duty == 0 || !r.On && now-r.Started < int64(cycle) && r.Started != 0:
		span = 0
	case span < on:
		span = on
	case cycle-span < off:
		span = cycle
	}
	r.Begun, r.Span, r.Duty = now, int64(span), duty
}

// set switches unless that would be too early.
func (r *relay) set(s Settings, now int64, on bool) {
	if on != r.On && now >= r.hold(s).Unix() {
		r.On, r.Changed = on, now
		if on {
			r.Started = now
		}
	}
}

// hold is the instant before which the relay must not switch; zero if it never has.
func (r *relay) hold(s Settings) time.Time {
	if r.Changed == 0 {
		return time.Time{}
	}
	least := s.MinOff
	if r.On {
		least = s.MinOn
	}
	return time.Unix(r.Changed, 0).Add(least)
}

// adopt takes over what somebody else did with the relay.
func (r *relay) adopt(on bool, now int64) {
	if on == r.On {
		return
	}
	*r = relay{On: on, Changed: now, Started: r.Started}
	if on {
		r.Started = now
	}
}

func (r *relay) shift(back int64) {
	for _, t := range []*int64{&r.Changed, &r.Started, &r.Begun, &r.Looked} {
		if *t != 0 {
			*t -= back
		}
	}
}

// lease is how long a device may heat when nobody comes back, in s.
const lease = 15 * 60

// ends is when a relay that is on will go off; zero if it is off.
func (r *relay) ends(now int64) time.Time {
	if !r.On {
		return time.Time{}
	}
	return time.Unix(min(max(r.Begun+r.Span, now), now+lease), 0)
}
