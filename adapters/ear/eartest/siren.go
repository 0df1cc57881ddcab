// Package eartest makes the sounds that the ear is tested with: sirens in rooms, at distances, and the sounds
// of a household that are none. All of it is computed from seeds, so that a failure can be heard again.
package eartest

import (
	"math"
	"math/rand/v2"
)

// Rate is the number of samples a second of every sound here.
const Rate = 16000

// Sound is samples between -1 and 1, as a rule.
type Sound []float32

// Random returns the source that a seed stands for.
func Random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x5eed)) }

func seconds(s float64) int { return int(s * Rate) }

func uniform(r *rand.Rand, low, high float64) float64 { return low + r.Float64()*(high-low) }

// Siren is a detector's sounder.
type Siren struct {
	Frequency float64 // Hz
	Second    float64 // Hz, of a two-tone siren
	On, Off   []float64
	Turn      float64 // seconds of each tone of a two-tone siren
}

// Temporal3 is the smoke alarm of ISO 8201.
func Temporal3(hertz float64) Siren {
	return Siren{Frequency: hertz, On: []float64{.5, .5, .5}, Off: []float64{.5, .5, 1.5}}
}

// Temporal4 is the carbon monoxide alarm of UL 2034.
func Temporal4(hertz float64) Siren {
	return Siren{Frequency: hertz, On: []float64{.1, .1, .1, .1}, Off: []float64{.1, .1, .1, 5}}
}

// Continuous is one tone without end.
func Continuous(hertz float64) Siren { return Siren{Frequency: hertz} }

// TwoTone alternates between two pitches, each for turn seconds.
func TwoTone(low, high, turn float64) Siren {
	return Siren{Frequency: low, Second: high, Turn: turn}
}

// Sound is so many seconds of the siren in no room at all. Its tempo and pitch differ by up to 3 % from what
// is said, and its pulses do not begin and end at once.
func (s Siren) Sound(r *rand.Rand, length float64) Sound {
	tempo, detune := uniform(r, 0.97, 1.03), uniform(r, 0.97, 1.03)
	second, third := uniform(r, 0.02, 0.3), uniform(r, 0.01, 0.1)
	rise := uniform(r, 0.002, 0.012) // seconds, of a piezo disc
	out := make(Sound, seconds(length))
	phase, envelope := 0.0, 0.0
	for i := range out {
		hertz, on := s.at(float64(i) / Rate / tempo)
		phase += 2 * math.Pi * hertz * detune / Rate
		want := 0.0
		if on {
			want = 1
		}
		envelope += (want - envelope) / (rise * Rate)
		out[i] = float32(envelope * 0.5 * (math.Sin(phase) + second*math.Sin(2*phase) + third*math.Sin(3*phase)))
	}
	return out
}

// at is the pitch at a time and whether it sounds.
func (s Siren) at(t float64) (float64, bool) {
	if s.Second > 0 {
		if math.Mod(t, 2*s.Turn) < s.Turn {
			return s.Frequency, true
		}
		return s.Second, true
	}
	if len(s.On) == 0 {
		return s.Frequency, true
	}
	period := 0.0
	for i := range s.On {
		period += s.On[i] + s.Off[i]
	}
	t = math.Mod(t, period)
	for i := range s.On {
		if t < s.On[i] {
			return s.Frequency, true
		}
		t -= s.On[i] + s.Off[i]
		if t < 0 {
			break
		}
	}
	return s.Frequency, false
}
