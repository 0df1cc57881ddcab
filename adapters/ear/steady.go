package ear

import "math"

// steady hears the continuous siren: a tone that begins at once, at full strength and pitch, and stays. A
// kettle's whistle grows and climbs, and trembles.
type steady struct {
	bin  int // that is being heard
	till int // frame at which it was last heard; 0: none
}

// How long the continuous siren must last, how steady it must be.
const (
	lookEvery    = 16             // frames between looks
	steadyFrames = 437            // 7 s
	steadyUnborn = 875            // 14 s, if its beginning was not heard
	steadyGap    = 16             // frames that other sounds may hide
	steadyBins   = 0.7            // part of the frames in which it stands out
	steadyHertz  = 14.0           // standard deviation
	unbornHertz  = 4.0            // the same, if its beginning was not heard
	bornWithin   = 4.0            // dB: the first 0.2 s against the rest
	bornFrom     = 6.0            // dB above what was there before
	steadyEven   = 0.7            // part of the frames whose level is near the mean
	evenWithin   = 2.0            // dB
	evenFrames   = 375            // 6 s: its beginning may be unclear
	steadyShare  = leastMeanShare // of all that sounds
	bornUnder    = 6.0            // dB: what was louder before may have hidden it
	bornWhere    = 40             // frames in which the beginning is looked for
	earlyFrames  = 10             // of the stream: nobody knows what was before
)

// run is a tone that was there without a break.
type run struct {
	start, present int
	mean, spread   float64 // Hz
	share          float64
}

// judge reports the pitch of a continuous siren that can be heard now.
func (s *steady) judge(l *listener) (float64, bool) {
	if l.count%lookEvery != 0 || l.count < steadyFrames {
		return 0, false
	}
	for _, p := range l.at(l.count - 1).peaks {
		if p.share == 0 {
			break
		}
		r := l.runOf(p.bin)
		length := l.count - r.start
		if length < steadyFrames || float64(r.present) < steadyBins*float64(length) || r.spread > steadyHertz || r.share < steadyShare {
			continue
		}
		if l.even(p.bin) < steadyEven {
			continue
		}
		going := s.till > 0 && l.count-s.till <= 4*lookEvery && s.bin-p.bin <= 1 && p.bin-s.bin <= 1
		unborn := r.start < earlyFrames && length >= steadyUnborn && r.spread <= unbornHertz
		if going || unborn || l.born(p.bin, r.start) {
			s.bin, s.till = p.bin, l.count
			return r.mean, true
		}
	}
	return 0, false
}

// runOf follows the tone at that bin back to where it begins.
func (l *listener) runOf(bin int) run {
	r := run{start: l.count}
	sum, squares, missing := 0.0, 0.0, 0
	for i := l.count - 1; i >= l.oldest() && missing <= steadyGap; i-- {
		missing++
		for _, p := range l.at(i).peaks {
			if p.share > 0 && p.bin-bin <= 1 && bin-p.bin <= 1 {
				f := float64(p.hertz)
				sum, squares, missing = sum+f, squares+f*f, 0
				r.share += float64(p.share)
				r.start, r.present = i, r.present+1
				break
			}
		}
	}
	if r.present > 0 {
		n := float64(r.present)
		r.mean, r.share = sum/n, r.share/n
		r.spread = math.Sqrt(max(squares/n-r.mean*r.mean, 0))
	}
	return r
}

// even is the part of a run's last frames that are as loud as the others.
func (l *listener) even(bin int) float64 {
	from := l.count - evenFrames
	mean := float32(l.mean(bin, from, l.count))
	n := 0
	for i := from; i < l.count; i++ {
		if d := decibels(l.at(i).tone(bin)) - mean; d < evenWithin && d > -evenWithin {
			n++
		}
	}
	return float64(n) / evenFrames
}

// born reports whether the tone at that bin began at once, near that frame: other sounds may have hidden
// its very first moments, or may have sounded like it just before.
func (l *listener) born(bin, start int) bool {
	rest := l.mean(bin, start+60, l.count)
	for at := start; at <= start+bornWhere; at++ {
		if at-12 < l.oldest() {
			continue
		}
		before, first := l.loudest(bin, at-12, at-3), l.mean(bin, at+2, at+14)
		hidden := l.loudness(at-12, at-3) > l.loudness(at+2, at+14)+bornUnder
		if !hidden && first-before >= bornFrom && math.Abs(first-rest) <= bornWithin {
			return true
		}
	}
	return false
}

// loudness is the level of all that sounds between two frames, in dB.
func (l *listener) loudness(from, to int) float64 {
	sum := float32(0)
	for i := from; i < to; i++ {
		sum += l.at(i).total
	}
	return float64(decibels(sum / float32(max(to-from, 1))))
}

// loudest is the highest level of a bin between two frames, in dB.
func (l *listener) loudest(bin, from, to int) float64 {
	top := float32(-100)
	for i := from; i < to; i++ {
		top = max(top, decibels(l.at(i).tone(bin)))
	}
	return float64(top)
}

// mean is the mean level of a bin between two frames, in dB.
func (l *listener) mean(bin, from, to int) float64 {
	sum := 0.0
	for i := from; i < to; i++ {
		sum += float64(decibels(l.at(i).tone(bin)))
	}
	return sum / float64(max(to-from, 1))
}
