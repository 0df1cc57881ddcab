package thermaltest

import (
	"math"
	"math/rand/v2"
)

// Sensor is how a room's temperature is seen.
type Sensor struct {
	Lag   float64 // min, first order
	Step  float64 // K, readings are rounded to it
	Every int     // min between readings
	Noise float64 // K, standard deviation
}

// The sensors of the benchmark.
var (
	Good   = Sensor{Lag: 10, Step: 0.1, Every: 1, Noise: 0.03}
	Slow   = Sensor{Lag: 20, Step: 0.1, Every: 1, Noise: 0.03}
	Coarse = Sensor{Lag: 10, Step: 0.5, Every: 1, Noise: 0.03}
	Rare   = Sensor{Lag: 10, Step: 0.2, Every: 5, Noise: 0.03}
)

// probe is a Sensor in motion.
type probe struct {
	Sensor
	inside float64
	shown  float64
	at     int
	draw   *rand.Rand
}

func (s Sensor) probe(at float64, seed uint64) *probe {
	return &probe{Sensor: s, inside: at, shown: at, draw: rand.New(rand.NewPCG(seed, 0x73656e73))}
}

// see takes the true temperature at a minute and returns what is shown, and since which minute.
func (p *probe) see(minute int, inside float64) (shown float64, at int) {
	p.inside += (inside - p.inside) * (1 - math.Exp(-1/p.Lag))
	if minute%p.Every == 0 {
		p.shown = math.Round((p.inside+p.Noise*p.draw.NormFloat64())/p.Step) * p.Step
		p.at = minute
	}
	return p.shown, p.at
}
