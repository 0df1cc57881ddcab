package eartest

import (
	"math"
	"math/rand/v2"
)

// Room is where a sound is heard: how long it rings, and how far away the source is.
type Room struct {
	RT60     float64 // seconds until the ringing has fallen by 60 dB
	Distance float64 // metres; beyond 1 m the ringing is louder than what comes straight
	Doors    int     // between source and microphone: each takes away the high pitches
}

// doorHertz is above which a closed door swallows sound.
const doorHertz = 2000

// Hear returns what a microphone hears of a sound. The ringing is a network of eight delays that feed each
// other; its lengths come from r.
func (m Room) Hear(r *rand.Rand, dry Sound) Sound {
	const lines = 8
	var delay [lines][]float32
	var gain [lines]float32
	var at [lines]int
	for i := range delay {
		length := int(uniform(r, 0.009, 0.047) * Rate)
		delay[i] = make([]float32, length)
		gain[i] = float32(math.Pow(10, -3*float64(length)/(m.RT60*Rate)))
	}
	straight := float32(1 / math.Max(m.Distance, 0.3))
	ahead := seconds(uniform(r, 0.002, 0.01))
	out := make(Sound, len(dry))
	for i := range dry {
		var taps [lines]float32
		var sum float32
		for j := range delay {
			taps[j] = delay[j][at[j]] * gain[j]
			sum += taps[j]
		}
		in := float32(0)
		if i >= ahead {
			in = dry[i-ahead]
		}
		wet := float32(0)
		for j := range delay {
			delay[j][at[j]] = taps[j] - sum*2/lines + in/lines // Householder: no energy is lost in mixing
			if at[j]++; at[j] == len(delay[j]) {
				at[j] = 0
			}
			if j%2 == 0 {
				wet += taps[j]
			} else {
				wet -= taps[j]
			}
		}
		out[i] = straight*dry[i] + 2*wet
	}
	for range m.Doors {
		lowPass(out, doorHertz)
	}
	return out
}

// lowPass takes away 6 dB an octave above that pitch.
func lowPass(s Sound, hertz float64) {
	a := float32(1 - math.Exp(-2*math.Pi*hertz/Rate))
	last := float32(0)
	for i, v := range s {
		last += a * (v - last)
		s[i] = last
	}
}

// RMS is the root of the mean square of what is not silence: of frames within 20 dB of the loudest.
func (s Sound) RMS() float64 {
	const frame = 320
	var powers []float64
	top := 0.0
	for i := 0; i+frame <= len(s); i += frame {
		sum := 0.0
		for _, v := range s[i : i+frame] {
			sum += float64(v) * float64(v)
		}
		powers = append(powers, sum/frame)
		top = math.Max(top, sum/frame)
	}
	sum, n := 0.0, 0.0
	for _, p := range powers {
		if p > top/100 {
			sum, n = sum+p, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return math.Sqrt(sum / n)
}

// Scaled returns the sound at that RMS.
func (s Sound) Scaled(rms float64) Sound {
	factor := float32(0)
	if own := s.RMS(); own > 0 {
		factor = float32(rms / own)
	}
	out := make(Sound, len(s))
	for i, v := range s {
		out[i] = v * factor
	}
	return out
}

// Add mixes another sound in, from that second on.
func (s Sound) Add(o Sound, from float64) {
	at := seconds(from)
	for i, v := range o {
		if at+i >= len(s) {
			return
		}
		s[at+i] += v
	}
}

// PCM converts to 16 bits with the noise that any microphone has, in dBFS.
func (s Sound) PCM(r *rand.Rand, noise float64) []int16 {
	sigma := math.Pow(10, noise/20) * 32768
	out := make([]int16, len(s))
	for i, v := range s {
		// The sum of three dice is noise enough.
		n := (r.Float64() + r.Float64() + r.Float64() - 1.5) * 2 * sigma
		out[i] = int16(math.Max(-32768, math.Min(32767, float64(v)*32768+n)))
	}
	return out
}
