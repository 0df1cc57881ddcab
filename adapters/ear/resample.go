package ear

import "math"

// resampler turns frames of any rate and number of channels into mono samples of Rate.
type resampler struct {
	wave  Wave
	taps  [phases][reach * 2]float32
	past  []float32 // mono samples at the old rate
	at    float64   // position of the next sample in past
	bytes []byte    // of a frame that is not complete
	out   []int16
}

const (
	phases = 128 // positions between two samples for which taps are computed
	reach  = 16  // samples at either side that count
)

func newResampler(w Wave) *resampler {
	r := &resampler{wave: w, at: reach}
	cut := math.Min(1, Rate/float64(w.Rate))
	for p := range r.taps {
		for k := range r.taps[p] {
			x := float64(k-reach+1) - float64(p)/phases
			window := 0.5 + 0.5*math.Cos(math.Pi*x/(reach+1))
			r.taps[p][k] = float32(cut * sinc(x*cut) * window)
		}
	}
	return r
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// write takes bytes of the stream and returns samples, which are valid until the next call.
func (r *resampler) write(data []byte) []int16 {
	r.bytes = append(r.bytes, data...)
	size := 2 * r.wave.Channels
	whole := len(r.bytes) / size * size
	r.out = r.out[:0]
	for i := 0; i < whole; i += size {
		sum := 0
		for c := 0; c < size; c += 2 {
			sum += int(int16(uint16(r.bytes[i+c]) | uint16(r.bytes[i+c+1])<<8))
		}
		if r.wave.Rate == Rate {
			r.out = append(r.out, int16(sum/r.wave.Channels))
		} else {
			r.past = append(r.past, float32(sum)/float32(r.wave.Channels))
		}
	}
	r.bytes = append(r.bytes[:0], r.bytes[whole:]...)
	if r.wave.Rate != Rate {
		r.convert()
	}
	return r.out
}

func (r *resampler) convert() {
	step := float64(r.wave.Rate) / Rate
	for int(r.at)+reach < len(r.past) {
		i := int(r.at)
		taps := &r.taps[int((r.at-float64(i))*phases)]
		var sum float32
		for k, v := range r.past[i-reach+1 : i+reach+1] {
			sum += v * taps[k]
		}
		r.out = append(r.out, int16(max(-32768, min(32767, sum))))
		r.at += step
	}
	if drop := int(r.at) - reach; drop > 0 {
		r.past = append(r.past[:0], r.past[drop:]...)
		r.at -= float64(drop)
	}
}
