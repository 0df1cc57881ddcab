package thermal

import (
	"fmt"
	"math"
)

// hysteresis is how far, in K, a room that is not yet known may stray: 0.2 is the best of the fixed
// thermostats in the bench.
const hysteresis = 0.2

// earliest is how long before a slot a room may be heated for it, in ticks.
func earliest(s Settings) int64 {
	if s.Kind == Floor {
		return 96 // 8 h
	}
	return 60 // 5 h
}

// control is the controller of the package: by the model where there is one, else by hysteresis; by
// what was usual where there is no sensor.
func (m *memory) control(s Settings, in Input, turned bool) Decision {
	now := in.At.Unix()
	d := Decision{Aim: in.Target}
	switch t := m.Sensor.reading(now); {
	case math.IsNaN(t):
		d.Fault = m.Sensor.complaint(now)
		m.hold(&d, now)
	case m.Doubt.Stuck:
		d.Fault = fmt.Sprintf("the temperature has stood at %.1f °C for 90 min although it ought to have moved: replace or move the sensor", t)
		m.hold(&d, now)
	case now < m.Doubt.Window:
		d.Why = fmt.Sprintf("%.1f °C and falling fast: a window is open, not heated for half an hour at most", t)
	case m.Model.usable():
		m.foresee(s, in, turned, &d)
	default:
		m.thermostat(t, in.Target, &d)
	}
	return d
}

// thermostat heats by hysteresis.
func (m *memory) thermostat(reading, target float64, d *Decision) {
	switch {
	case reading < target-hysteresis:
		m.Demand = true
	case reading > target+hysteresis:
		m.Demand = false
	}
	if m.Demand {
		d.Duty = 1
	}
	d.Why = fmt.Sprintf("%.1f °C, %.1f wished; the room is not known yet", reading, target)
}

// hold gives the heat that was usual in the last day, of the same slots if there were any.
func (m *memory) hold(d *Decision, now int64) {
	lost := m.Sensor.Measured
	if m.Doubt.Stuck {
		lost = m.Doubt.Since
	}
	samples := m.Seen.since(lost/tick - perDay)
	samples = samples[:min(len(samples), perDay)]
	same, all := 0.0, 0.0
	n, count := 0.0, 0.0
	for _, s := range samples {
		all, count = all+s.heat, count+1
		if math.Abs(s.target-m.Target) < 0.25 {
			same, n = same+s.heat, n+1
		}
	}
	duty := unknownDuty
	switch {
	case n >= 6:
		duty = same / n
	case count > 0:
		duty = all / count
	}
	days := 0.0
	if lost != 0 {
		days = min(float64(max(now-lost, 0))/86400, longestDecay)
	}
	d.Duty = min(duty, mostHeld) * math.Pow(1-decay, days)
	d.Why = fmt.Sprintf("no temperature to go by: heated %.0f %% of the time, as was usual", 100*d.Duty)
}

const (
	unknownDuty = 0.2 // when nothing was ever seen: enough against frost in most rooms
	mostHeld    = 0.8
	decay       = 0.1 // a day: what was usual is less and less so

	longestDecay = 7 // days: nearly half is left, no room is ever given up
)

// foresee heats by what the model says will happen.
func (m *memory) foresee(s Settings, in Input, turned bool, d *Decision) {
	w := wishOf(s, in)
	d.Duty = m.Duty
	if turned || in.Target != m.Planned {
		b := m.belief(in.At.Unix())
		d.Duty = m.ahead(s, b, w)
		still, _ := m.Model.plan(b, wish{target: w.target, until: w.until, extra: w.extra}, cycleTicks(s), int(earliest(s)))
		m.Planned, m.Ahead = in.Target, d.Duty > still+0.1
	}
	d.Why = fmt.Sprintf("%.1f °C, %.1f wished", m.Sensor.Value, in.Target)
	if m.Ahead && w.next != 0 && in.NextTarget > in.Target {
		d.Ahead, d.Aim = true, in.NextTarget
		d.Why = fmt.Sprintf("%.1f °C, heated for %.1f at %s", m.Sensor.Value, in.NextTarget, in.Next.Format("15:04"))
	}
}

// belowCap is how far below the cap a plan stays, in K.
const belowCap = 0.3

// wishOf reads the wish of an input; what makes no sense in it is left out.
func wishOf(s Settings, in Input) wish {
	w := wish{target: min(in.Target, s.Cap-belowCap), extra: extra}
	if s.Kind == Floor {
		w.extra = extraFloor
	}
	if !in.Until.IsZero() && in.Until.After(in.At) {
		w.until = in.Until.Unix() / tick
	}
	if !in.Next.IsZero() && in.Next.After(in.At) && in.NextTarget >= 0 && in.NextTarget <= 40 {
		w.next, w.then = in.Next.Unix()/tick, min(max(in.NextTarget, s.Frost), s.Cap-belowCap)
	}
	return w
}

// belief replays the last two days. After a gap in what was seen the model goes on alone, and the
// reading of now is what counts.
func (m *memory) belief(now int64) belief {
	samples := m.Seen.since(m.Seen.end() - 2*perDay)
	b := m.Model.believe(samples, m.Seen.end()-int64(len(samples)))
	if b.at >= now/tick {
		return b
	}
	b.at = max(b.at, now/tick-2*perDay)
	for b.at < now/tick {
		m.Model.step(&b, 0)
	}
	b.mass += m.Sensor.Value - b.reading // it has gone wrong by about as much
	b.reading = m.Sensor.Value
	return b
}

func (m *memory) ahead(s Settings, b belief, w wish) float64 {
	duty, _ := m.Model.plan(b, w, cycleTicks(s), int(earliest(s)))
	if s.Continuous || m.Relay.On || duty == 0 || duty == 1 {
		return duty
	}
	// The relay gives its heat at the beginning of a cycle: a short one is begun when it is needed.
	duty = max(duty, s.MinOn.Seconds()/s.Cycle.Seconds())
	if duty < 0.35 && m.Model.canWait(b, w, duty*s.Cycle.Seconds()/tick) {
		return 0
	}
	return duty
}

func cycleTicks(s Settings) int { return max(int(s.Cycle.Seconds())/tick, 1) }
