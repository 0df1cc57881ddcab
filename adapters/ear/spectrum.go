package ear

import (
	"math"
	"math/bits"
)

// Rate is the number of samples a second that the ear analyses.
const Rate = 16000

// Frames of 32 ms, a new one every 16 ms: short enough for pulses of 100 ms, long enough to tell pitches
// that are 60 Hz apart.
const (
	frameSize       = 512
	hop             = 256
	binWidth        = float64(Rate) / frameSize // Hz
	framesPerSecond = float64(Rate) / hop
	second          = Rate / hop // frames, rounded down
)

// The band in which sirens sound, and below it the rumble that says nothing, in bins.
const (
	firstBin = 77  // 2.4 kHz
	lastBin  = 134 // 4.2 kHz
	bandBins = lastBin - firstBin + 1
	rumble   = 10 // bins below 300 Hz: hum, wind, footsteps
	firstLow = 32 // 1 kHz: from here to the band a telephone's second tone is looked for
)

// spectrum computes the strengths of the band's pitches in one frame. All in float32: the small boards that
// this runs on compute it twice as fast as float64.
type spectrum struct {
	window   [frameSize]float32
	twiddle  [frameSize / 2]complex64 // e^(-2*pi*i*k/frameSize)
	reversed [frameSize / 2]uint8
	work     [frameSize / 2]complex64
}

func newSpectrum() *spectrum {
	s := &spectrum{}
	for i := range s.window {
		s.window[i] = float32(0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/frameSize))
	}
	for k := range s.twiddle {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / frameSize)
		s.twiddle[k] = complex(float32(cos), float32(sin))
		s.reversed[k] = bits.Reverse8(uint8(k))
	}
	return s
}

// analyse writes the power of each pitch of the band and returns the power of everything above the rumble,
// and of the strongest pitch below the band, in the same unit.
func (s *spectrum) analyse(frame *[frameSize]float32, band *[bandBins]float32) (total, low float32) {
	var energy float32
	for i, r := range s.reversed {
		at := 2 * int(r)
		a, b := frame[at]*s.window[at], frame[at+1]*s.window[at+1]
		energy += a*a + b*b
		s.work[i] = complex(a, b) // two real samples as one complex one: half the work
	}
	s.transform()
	total = energy * frameSize / 2
	for k := range rumble {
		total -= s.power(k)
	}
	for k := firstLow; k < firstBin; k++ {
		low = max(low, s.power(k))
	}
	for i := range band {
		band[i] = s.power(firstBin + i)
	}
	return max(total, 0), low
}

// transform is the fast Fourier transform of work, whose samples are already in reversed order.
func (s *spectrum) transform() {
	const n = frameSize / 2
	for size := 2; size <= n; size *= 2 {
		half, step := size/2, frameSize/size
		for start := 0; start < n; start += size {
			for k := range half {
				a, b := s.work[start+k], s.work[start+k+half]*s.twiddle[k*step]
				s.work[start+k], s.work[start+k+half] = a+b, a-b
			}
		}
	}
}

// power is that of one pitch of the real signal, 0 <= k < frameSize/2.
func (s *spectrum) power(k int) float32 {
	const n = frameSize / 2
	z, m := s.work[k], s.work[(n-k)%n]
	m = complex(real(m), -imag(m))
	even, odd := (z+m)/2, (z-m)/2
	x := even + complex(0, -1)*odd*s.twiddle[k]
	return real(x)*real(x) + imag(x)*imag(x)
}

// fullScale is the power, as analyse gives it, of a tone whose mean square is that of full scale.
const fullScale = float64(frameSize) * frameSize * 3 / 16 * 32768 * 32768

// decibels is 10*log10(p), to 0.03 dB and without the cost of a logarithm. Silence is -100.
func decibels(p float32) float32 {
	if p < 1e-10 {
		return -100
	}
	u := math.Float32bits(p)
	exponent := float32(int(u>>23) - 127)
	m := math.Float32frombits(u&0x7fffff | 0x3f800000)
	// A parabola through log2 on [1, 2].
	return (exponent + (-0.344845*m+2.024658)*m - 1.674873) * 3.0103
}
