package ear

import "math"

// meter tells a microphone that lives from one that is dead or muted, and how loud it is.
type meter struct {
	sum, squares float64
	samples      int
	low, high    float32
	quiet        int     // seconds in a row that carry nothing
	level        float64 // dBFS of the last second; 0 before the first is complete
	seconds      int
	why          string
}

// A microphone, even in a quiet room, has noise of its own. One that gives less than two steps of its
// converter for ten seconds is dead, muted or turned down so far that a siren would be lost.
const (
	leastNoise = 2.0 // RMS, in steps of 16 bits: -84 dBFS
	deafAfter  = 10  // seconds
)

// add takes samples and reports whether they carry anything at all.
func (m *meter) add(samples []float32) bool {
	var sum, squares float32
	low, high := samples[0], samples[0]
	for _, v := range samples {
		sum, squares = sum+v, squares+v*v
		low, high = min(low, v), max(high, v)
	}
	if m.samples == 0 {
		m.low, m.high = low, high
	}
	m.sum, m.squares, m.samples = m.sum+float64(sum), m.squares+float64(squares), m.samples+len(samples)
	m.low, m.high = min(m.low, low), max(m.high, high)
	if m.samples >= Rate {
		m.second()
	}
	return high-low > 2
}

func (m *meter) second() {
	mean := m.sum / float64(m.samples)
	rms := math.Sqrt(max(m.squares/float64(m.samples)-mean*mean, 0))
	m.level = 20 * math.Log10(max(rms, 0.01)/32768)
	m.seconds++
	switch {
	case rms >= leastNoise:
		m.quiet, m.why = 0, ""
	default:
		m.quiet++
		m.why = "it gives hardly a sound: it is muted, or its recording level is far too low"
		if m.low == m.high && m.low != 0 {
			m.why = "it gives the same value all the time: it is broken or badly plugged in"
		} else if m.low == m.high {
			m.why = "it gives nothing but digital silence: it is muted or dead"
		}
	}
	m.sum, m.squares, m.samples = 0, 0, 0
}

// deaf says why the microphone cannot be hearing anything, "" if it can.
func (m *meter) deaf() string {
	if m.quiet < deafAfter {
		return ""
	}
	return m.why
}
