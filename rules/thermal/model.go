package thermal

import "math"

// model says how the room's reading moves in a tick of five minutes:
//
//	reading' = reading - Pull*(reading-mass) - Loss*(reading-base) + Gain*warm + Rest + the hour's share
//	mass'    = mass + (reading-mass)/Mass       walls and floors, that follow slowly
//	warm'    = warm + (heat-warm)/Lag           the emitter, heat as it was Delay ticks ago, at most Ceiling
//
// No outdoor temperature stands in it: in an outage nobody knows it. What it does is learned as Rest
// and the hour's share, and followed as a bias.
type model struct {
	Lag     float64    `json:"lag"`     // ticks
	Delay   int        `json:"delay"`   // ticks
	Sense   float64    `json:"sense"`   // ticks
	Mass    float64    `json:"mass"`    // ticks
	Ceiling float64    `json:"ceiling"` // 0..1, more heat than this the emitter does not hold
	Gain    float64    `json:"gain"`    // K a tick of full heat
	Pull    float64    `json:"pull"`    // a tick
	Loss    float64    `json:"loss"`    // a tick
	Rest    float64    `json:"rest"`    // K a tick
	Day     [4]float64 `json:"day"`     // K a tick: sine and cosine of the day, of the half day
	Sigma   float64    `json:"sigma"`   // K, what the fit leaves unexplained of half an hour
}

const base = 18.0 // °C, where Rest is counted from

// belief is what the model takes to be inside the room.
type belief struct {
	at            int64 // tick
	reading, mass float64
	water         float64
	bias          float64 // K a tick that the model does not explain
	warm          float64
	past          [maxDelay + 1]float64 // heat, newest first
}

const maxDelay = 4 // ticks

// usable reports whether the room is known well enough to be steered by the model.
func (m *model) usable() bool { return m.Gain > 0 }

// sound reports whether a model that was read can be reckoned with.
func (m *model) sound() bool {
	return m.Lag >= 1 && m.Sense >= 1 && m.Mass >= 1 && m.Delay >= 0 && m.Delay <= maxDelay && m.Ceiling > 0 && m.Pull+m.Loss < 1
}

// waves is the shape of the day at each tick of it: sine and cosine of the day, of the half day.
var waves = func() (w [perDay][4]float64) {
	for k := range w {
		s, c := math.Sincos(2 * math.Pi * float64(k) / perDay)
		w[k] = [4]float64{s, c, 2 * s * c, c*c - s*s}
	}
	return w
}()

func wave(at int64) *[4]float64 { return &waves[((at%perDay)+perDay)%perDay] }

// hour is the share of the time of day at a tick.
func (m *model) hour(at int64) float64 {
	w := wave(at)
	return m.Day[0]*w[0] + m.Day[1]*w[1] + m.Day[2]*w[2] + m.Day[3]*w[3]
}

// step lets a tick pass with the given heat.
func (m *model) step(b *belief, heat float64) {
	copy(b.past[1:], b.past[:])
	b.past[0] = heat
	b.water = min(b.water+(b.past[m.Delay]-b.water)/m.Lag, m.Ceiling)
	b.warm += (b.water - b.warm) / m.Sense
	next := b.reading - m.Pull*(b.reading-b.mass) - m.Loss*(b.reading-base) + m.Gain*b.warm + m.Rest + m.hour(b.at) + b.bias
	b.mass += (b.reading - b.mass) / m.Mass
	b.reading = next
	b.at++
}

// correct draws the belief to what was read.
func (m *model) correct(b *belief, reading float64) {
	if math.IsNaN(reading) {
		return
	}
	miss := min(max(reading-b.reading, -1), 1)
	b.reading += trust * miss
	b.bias += follow * miss
	b.bias = min(max(b.bias, -m.Gain/2), m.Gain/2)
}

const (
	trust  = 0.30 // of a surprise is taken for real
	follow = 0.03 // of it a tick is taken for weather, sun or people
)

// believe replays what was seen and returns what is inside the room at the end of it.
func (m *model) believe(samples []sample, first int64) belief {
	b := belief{at: first, reading: base, mass: base}
	if len(samples) == 0 {
		return b
	}
	b.reading = mean(samples[:min(len(samples), perDay/2)])
	b.mass = b.reading
	for _, s := range samples {
		// A sample's temperature is that of its end.
		m.step(&b, s.heat)
		m.correct(&b, s.temperature)
	}
	return b
}

// mean of the known temperatures, or the base.
func mean(samples []sample) float64 {
	sum, n := 0.0, 0.0
	for _, s := range samples {
		if !math.IsNaN(s.temperature) {
			sum, n = sum+s.temperature, n+1
		}
	}
	if n == 0 {
		return base
	}
	return sum / n
}
