package ear

// peak is one pitch that stands out of a frame.
type peak struct {
	bin   int
	hertz float32
	share float32 // of the power of everything above the rumble, 0 to 1
}

// mostPeaks is how many pitches of a frame are looked at: a siren, and two others that hide it.
const mostPeaks = 3

// sight is what the ear keeps of one frame.
type sight struct {
	band  [bandBins]float32
	total float32         // of all above the rumble
	low   float32         // of the strongest pitch between 1 kHz and the band
	peaks [mostPeaks]peak // the strongest first; a share of 0 is none
}

// A tone stands out when it holds this share of all that sounds, and this much more than what is beside it.
const (
	leastShare  = 0.04
	prominence  = 6 // times the power of the pitches 4 to 9 bins away
	besideFirst = 4
	besideLast  = 9
)

// find lists the pitches that stand out.
func (s *sight) find() {
	s.peaks = [mostPeaks]peak{}
	for i := 2; i < bandBins-2; i++ {
		p := s.band[i]
		if p <= s.band[i-1] || p < s.band[i+1] {
			continue
		}
		tone := s.tone(i)
		share := tone / (s.total + 1)
		if share < leastShare || p < prominence*s.beside(i) {
			continue
		}
		s.insert(peak{bin: i, share: min(share, 1)})
	}
	for i := range s.peaks {
		if s.peaks[i].share > 0 {
			s.peaks[i].hertz = s.pitch(s.peaks[i].bin)
		}
	}
}

// tone is the power of the tone at that bin: a window's main lobe is five bins wide.
func (s *sight) tone(bin int) float32 {
	var sum float32
	for _, p := range s.band[max(bin-2, 0):min(bin+3, bandBins)] {
		sum += p
	}
	return sum
}

// around is the power of the tone at that bin and of what it trembles into.
func (s *sight) around(bin int) float32 {
	var sum float32
	for _, p := range s.band[max(bin-8, 0):min(bin+9, bandBins)] {
		sum += p
	}
	return sum
}

// beside is the mean power of what lies around a tone.
func (s *sight) beside(bin int) float32 {
	var sum float32
	n := 0
	for d := besideFirst; d <= besideLast; d++ {
		if bin-d >= 0 {
			sum, n = sum+s.band[bin-d], n+1
		}
		if bin+d < bandBins {
			sum, n = sum+s.band[bin+d], n+1
		}
	}
	return sum / float32(n)
}

// pitch is the frequency of a peak in Hz, finer than the bins: a parabola through the decibels.
func (s *sight) pitch(bin int) float32 {
	a, b, c := decibels(s.band[bin-1]), decibels(s.band[bin]), decibels(s.band[bin+1])
	shift := float32(0)
	if d := a - 2*b + c; d < 0 {
		shift = (a - c) / (2 * d)
	}
	return (float32(firstBin+bin) + max(-0.5, min(0.5, shift))) * float32(binWidth)
}

func (s *sight) insert(p peak) {
	for i := range s.peaks {
		if p.share > s.peaks[i].share {
			copy(s.peaks[i+1:], s.peaks[i:])
			s.peaks[i] = p
			return
		}
	}
}

// listener is the first stage: it turns samples into sights and remembers the last of them.
type listener struct {
	spectrum *spectrum
	frame    [frameSize]float32
	have     int
	sights   [remembered]sight
	count    int     // frames seen, for ever growing
	floor    float32 // of the room, mean square of the first difference
	meter    meter
}

// remembered is how many frames are kept: 16 s, two cycles of what is slow.
const remembered = 1024

func newListener() *listener { return &listener{spectrum: newSpectrum()} }

// take adds samples until a frame is complete and reports whether one is, with what is left.
func (l *listener) take(samples []int16) ([]int16, bool) {
	n := min(len(samples), frameSize-l.have)
	for i, v := range samples[:n] {
		l.frame[l.have+i] = float32(v)
	}
	l.have += n
	if l.have < frameSize {
		return samples[n:], false
	}
	l.look()
	copy(l.frame[:], l.frame[hop:])
	l.have = frameSize - hop
	return samples[n:], true
}

// at is the sight of that frame, which must be one of the last ones remembered.
func (l *listener) at(frame int) *sight { return &l.sights[frame%remembered] }

// oldest is the first frame that is still remembered.
func (l *listener) oldest() int { return max(0, l.count-remembered+1) }

// look is the first stage for one frame. Most of a day nothing rises above the room, and then nothing is
// computed.
func (l *listener) look() {
	s := l.at(l.count)
	l.count++
	loud := l.meter.add(l.frame[frameSize-hop:])
	if !l.rises() || !loud {
		*s = sight{}
		return
	}
	s.total, s.low = l.spectrum.analyse(&l.frame, &s.band)
	s.find()
}

// How the floor of the room is followed: at once down, slowly up, so that a siren of a minute does not
// become the floor.
const (
	risesBy   = 1.4   // times the floor: 1.5 dB
	floorRise = 0.002 // a frame: 0.5 dB a second
	floorFall = 0.2
	floorMost = 700 // -60 dBFS: in a room that is louder everything is looked at
)

// rises reports whether the frame is louder than the room. The difference of neighbouring samples favours
// high pitches and ignores hum.
func (l *listener) rises() bool {
	var sum float32
	last := l.frame[0]
	for _, v := range l.frame[1:] {
		d := v - last
		sum, last = sum+d*d, v
	}
	e := sum / (frameSize - 1)
	loud := e > risesBy*l.floor
	if e < l.floor {
		l.floor += (e - l.floor) * floorFall
	} else {
		l.floor = min(e, l.floor*(1+floorRise)+0.001, floorMost)
	}
	return loud
}
