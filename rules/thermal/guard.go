package thermal

import (
	"fmt"
	"math"
)

// guard stands outside the control loop: the frost floor, the cap and the limit above what is wished
// hold whatever the controller says.
type guard struct {
	Frost bool  `json:"frost,omitempty"` // heating against frost
	Over  int64 `json:"over,omitempty"`  // since when it has been too warm while heated; 0: it is not
	Shut  bool  `json:"shut,omitempty"`  // off until it has cooled
}

const (
	frostBand = 0.5 // K
	overBy    = 3.  // K above what is wished that are too much
	overFor   = 900 // s
	coolTo    = 0.5 // K below what is wished
)

// limit changes the decision where it must, and reports whether it did.
func (g *guard) limit(s Settings, in Input, reading float64, now int64, d *Decision) bool {
	if !(d.Duty >= 0) { // also NaN
		d.Duty = 0
	}
	d.Duty = min(d.Duty, 1)
	if math.IsNaN(reading) {
		g.Frost, g.Over, g.Shut = false, 0, false
		d.Duty = min(d.Duty, mostHeld)
		return false
	}
	g.Frost = reading < s.Frost || g.Frost && reading < s.Frost+frostBand
	aim := in.Target
	if w := wishOf(s, in); w.next != 0 && w.next-now/tick <= earliest(s) {
		aim = max(aim, w.then)
	}
	g.tooWarm(min(aim+overBy, s.Cap), aim, reading, now, d.Duty > 0 || in.Heating > 0)
	switch {
	case reading >= s.Cap:
		d.Duty, d.Ahead, d.Why = 0, false, fmt.Sprintf("%.1f °C: not heated above %.1f", reading, s.Cap)
	case g.Shut:
		d.Duty, d.Ahead, d.Why = 0, false, fmt.Sprintf("%.1f °C is too warm: not heated until it has cooled to %.1f", reading, aim-coolTo)
		d.Fault = fmt.Sprintf("the room was heated to more than %.0f K above what is wished: look after valve and relay", overBy)
	case g.Frost:
		d.Duty, d.Ahead, d.Aim, d.Why = 1, false, s.Frost+frostBand, fmt.Sprintf("%.1f °C: heated against frost", reading)
		if reading < s.Frost-1 {
			d.Fault = fmt.Sprintf("the room is at %.1f °C, well below the frost floor of %.1f, although it is heated", reading, s.Frost)
		}
	default:
		return false
	}
	return true
}

func (g *guard) tooWarm(limit, aim, reading float64, now int64, heated bool) {
	switch {
	case g.Shut:
		g.Shut = reading > aim-coolTo
	case reading > limit && heated:
		if g.Over == 0 {
			g.Over = now
		}
		g.Shut = now-g.Over >= overFor
	default:
		g.Over = 0
	}
	if g.Shut {
		g.Over = 0
	}
}

func (g *guard) shift(back int64) {
	if g.Over != 0 {
		g.Over -= back
	}
}
