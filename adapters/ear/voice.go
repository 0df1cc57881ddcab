package ear

import "math"

// hearShape adds the signatures of that shape which a pitch, or two, can be of.
func (d *Detector) hearShape(all []Heard, shape Shape, one, two float64) []Heard {
	for i, s := range d.known {
		if s.Cadence.Shape != shape || s.learnt() && !s.sounds(one, two) || !s.learnt() && !(usual(one) && (two == 0 || usual(two))) {
			continue
		}
		all = d.hear(all, i, one, d.listener.level(one))
	}
	return all
}

// usual reports whether a pitch, in Hz, is one at which nearly all sirens sound. A shape that says so little as
// one steady tone counts there only, unless it was learnt: clocks beep at 2048 and 4096 Hz, kettles anywhere.
func usual(hertz float64) bool { return hertz >= 2700 && hertz <= 3620 }

// sounds reports whether the pitches can be those of a learnt signature.
func (s Signature) sounds(one, two float64) bool {
	near := math.Abs(one-s.Frequency) <= pitchWithin*s.Frequency
	if s.Cadence.Shape == TwoTone {
		return near && math.Abs(two-s.Second) <= pitchWithin*s.Second
	}
	return near
}

// level is how loud a pitch was in the last second at its loudest, in dBFS.
func (l *listener) level(hertz float64) float64 {
	bin := max(0, min(int(math.Round(hertz/binWidth))-firstBin, bandBins-1))
	top := float32(-100)
	for i := max(l.oldest(), l.count-second); i < l.count; i++ {
		top = max(top, decibels(l.at(i).tone(bin)))
	}
	return float64(top) - 10*math.Log10(fullScale)
}

// recently is how long, in frames, a learnt signature keeps general ones of its pitch silent.
const recently = 10 * Rate / hop

// rank says whose voice each thing heard is: a learnt one before a general one, of several learnt ones with
// the same cadence the nearest pitch. Two that cannot be told apart and mean different dangers are both heard.
func (d *Detector) rank(all []Heard) []Heard {
	var ranked []Heard
	for _, h := range all {
		voices := d.voices(h)
		if len(voices) == 0 && !h.Signature.learnt() && d.explained(h.Frequency) {
			continue
		}
		if len(voices) == 0 {
			ranked = append(ranked, h)
		}
		for _, s := range voices {
			one := h
			one.Signature = s
			ranked = append(ranked, one)
		}
	}
	return ranked
}

// voices are the learnt signatures that h is.
func (d *Detector) voices(h Heard) []Signature {
	var nearest *Signature
	for i := range d.known {
		s := &d.known[i]
		if !s.learnt() || !s.Cadence.like(h.Signature.Cadence) || math.Abs(h.Frequency-s.Frequency) > pitchWithin*s.Frequency {
			continue
		}
		if nearest == nil || math.Abs(h.Frequency-s.Frequency) < math.Abs(h.Frequency-nearest.Frequency) {
			nearest = s
		}
	}
	if nearest == nil {
		return nil
	}
	voices := []Signature{*nearest}
	for _, s := range d.known {
		if s.learnt() && s.Name != nearest.Name && s.Kind != nearest.Kind && s.alike(*nearest) {
			voices = append(voices, s)
		}
	}
	return voices
}

// explained reports whether a learnt signature of that pitch was heard a moment ago.
func (d *Detector) explained(hertz float64) bool {
	for i, s := range d.known {
		last, heard := d.last[i]
		if heard && s.learnt() && d.listener.count-last < recently && math.Abs(hertz-s.Frequency) <= pitchWithin*s.Frequency {
			return true
		}
	}
	return false
}
