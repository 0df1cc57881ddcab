package thermal

import "math"

// doubt is what the course of the room says about sensor, window and relay.
type doubt struct {
	Stuck  bool  `json:"stuck,omitempty"`  // the sensor shows the same for ever
	Since  int64 `json:"since,omitempty"`  // since when
	Window int64 `json:"window,omitempty"` // until when heating waits for a window
	Deaf   int64 `json:"deaf,omitempty"`   // until when windows are not believed again
	Idle   bool  `json:"idle,omitempty"`   // heated, and does not get warmer
	Hot    bool  `json:"hot,omitempty"`    // not heated, and gets warmer
	Seen   int64 `json:"seen,omitempty"`   // since when heat is seen that was not ordered
}

const (
	stuckTicks  = 18   // 90 min
	still       = 0.05 // K: moves less than any live sensor
	stuckMiss   = 0.7  // K that the model must be off
	windowTicks = 4
	windowFall  = 1.0  // K in them: 3 K/h
	windowFor   = 1800 // s
)

// look judges once a tick.
func (q *doubt) look(m *memory, now int64) {
	samples := m.Seen.since(m.Seen.end() - 2*perDay)
	if len(samples) <= stuckTicks {
		*q = doubt{Seen: q.Seen}
		return
	}
	q.window(m, samples, now)
	q.course(m, samples, now)
}

// window takes a fall that the model does not know for an open window, for half an hour; then windows
// are not believed for as long.
func (q *doubt) window(m *memory, samples []sample, now int64) {
	n := len(samples)
	from, to := samples[n-1-windowTicks], samples[n-1]
	fall := from.temperature - to.temperature
	switch {
	case now < q.Window && to.temperature > samples[n-2].temperature:
		q.Window = now // it is warming: shut again
	case now < q.Deaf || !(fall > windowFall):
	case m.Model.usable() && fall < windowFall+m.fall(samples, windowTicks):
	default:
		q.Window, q.Deaf = now+windowFor, now+2*windowFor
	}
}

// fall is by how much the model lets the room cool in the last ticks, in K.
func (m *memory) fall(samples []sample, ticks int) float64 {
	n := len(samples) - ticks
	b := m.Model.believe(samples[:n], m.Seen.end()-int64(len(samples)))
	begin := b.reading
	for _, s := range samples[n:] {
		m.Model.step(&b, s.heat)
	}
	return begin - b.reading
}

// course compares the last 90 min with what heat and model say.
func (q *doubt) course(m *memory, samples []sample, now int64) {
	last := samples[len(samples)-stuckTicks:]
	low, high, heat := math.Inf(1), math.Inf(-1), 0.0
	for _, s := range last {
		if math.IsNaN(s.temperature) {
			q.Stuck, q.Idle, q.Hot = false, false, false
			return
		}
		low, high = min(low, s.temperature), max(high, s.temperature)
		heat += s.heat / stuckTicks
	}
	rise := last[stuckTicks-1].temperature - last[0].temperature
	miss := 0.0 // K that it is colder than it ought to be
	if m.Model.usable() {
		miss = -m.fall(samples, stuckTicks) - rise
	}
	limit := max(stuckMiss, 4*m.Model.Sigma)
	frozen := high-low < still && (math.Abs(miss) > limit || !m.Model.usable() && heat >= 0.6)
	switch {
	case high-low >= still:
		q.Stuck = false
	case frozen && !q.Stuck:
		q.Stuck, q.Since = true, now-stuckTicks*tick
	}
	q.Idle = heat >= 0.9 && rise < 0.2 && (miss > limit || !m.Model.usable())
	q.Hot = heat < 0.01 && rise > 0.75 && -miss > limit && high > m.Target+0.5
}

// fault says what is wrong with the actuator, or "".
func (q *doubt) fault(in Input, r *relay, now int64) string {
	if in.Heating >= 0.5 && !r.On && now-r.Changed > 300 {
		if q.Seen == 0 {
			q.Seen = now
		}
	} else {
		q.Seen = 0
	}
	hour := in.At.Hour()
	switch {
	case q.Seen != 0 && now-q.Seen >= 300:
		return "heat is seen although none is ordered: the relay sticks or somebody else switches it"
	case q.Idle:
		return "heated for 90 min without getting warmer: look after boiler, valve and windows"
	case q.Hot && (hour >= 20 || hour < 7):
		return "the room gets warmer at night although it is not heated: the relay may stick"
	}
	return ""
}

func (q *doubt) shift(back int64) {
	for _, t := range []*int64{&q.Since, &q.Window, &q.Deaf, &q.Seen} {
		if *t != 0 {
			*t -= back
		}
	}
}
