package ear

import "math"

// turns hears the fast two-tone siren: two pitches of which one sounds while the other does not.
type turns struct {
	one, two float64 // Hz, of the pair that was found last
	lag      int     // frames of a whole turn of it
	since    int     // frame from which on it was found
	till     int     // frame at which it was found last
}

// How a two-tone siren must look.
const (
	turnFrames    = 312  // 5 s are looked at
	turnPitches   = 4    // are looked at in pairs
	turnApart     = 4    // bins at least between the two
	turnLeast     = 0.20 // part of the frames in which each of the two stands out
	turnShortest  = 4    // frames of a whole turn: 64 ms
	turnLongest   = 36   // 0.6 s
	turnRepeats   = 0.6
	turnOpposite  = -0.2
	turnOnce      = 0.1
	turnContrast  = 2.0 // dB, mean difference of the two
	turnEach      = 0.2 // likeness of each of the two to itself, a turn later
	turnClamp     = 20.0
	turnShare     = leastMeanShare
	turnPresences = 0.7  // part of the frames in which one of the two stands out
	turnHeld      = 125  // frames, 2 s: how long looks must go on finding the same pair
	turnMissed    = 3    // looks, of which at most all but one find nothing
	turnWanders   = 12.0 // Hz, from look to look
)

// judge reports the two pitches of a siren that can be heard now, the lower first.
func (t *turns) judge(l *listener) (float64, float64, bool) {
	if l.count%lookEvery != 0 || l.count < turnFrames {
		return 0, 0, false
	}
	one, two, lag := l.turning()
	if lag == 0 {
		return 0, 0, false
	}
	if !t.goesOn(l.count, one, two, lag) {
		t.since = l.count
	}
	t.one, t.two, t.lag, t.till = one, two, lag, l.count
	return one, two, l.count-t.since >= turnHeld
}

// goesOn reports whether that is the pair of the looks before, at the same rate: what two sounds of a
// household happen to make together does not last.
func (t *turns) goesOn(now int, one, two float64, lag int) bool {
	return now-t.till <= turnMissed*lookEvery && math.Abs(one-t.one) <= turnWanders && math.Abs(two-t.two) <= turnWanders && within(lag, t.lag, 1)
}

// turning finds two pitches that take turns now: the lower, the higher, and the frames of a whole turn; a lag
// of 0 is none.
func (l *listener) turning() (one, two float64, lag int) {
	bins := l.frequent()
	for i, a := range bins {
		for _, b := range bins[i+1:] {
			if a, b = min(a, b), max(a, b); !l.present(a, b) {
				continue
			}
			if lag, ok := l.alternate(a, b); ok {
				return l.runPitch(a), l.runPitch(b), lag
			}
		}
	}
	return 0, 0, 0
}

// alternate reports whether two pitches take turns, each once in a turn, at one rate, and how many frames a
// whole turn has.
func (l *listener) alternate(a, b int) (int, bool) {
	var one, two, both [turnFrames]float64
	for i := range both {
		s := l.at(l.count - turnFrames + i)
		one[i], two[i] = float64(decibels(s.tone(a))), float64(decibels(s.tone(b)))
		both[i] = max(-turnClamp, min(turnClamp, one[i]-two[i]))
	}
	contrast := centre(both[:])
	lag, ok := repeats(both[:])
	if !ok || contrast < turnContrast || !once(both[:], lag) {
		return 0, false
	}
	centre(one[:])
	centre(two[:])
	// A clock that pulses beside a steady tone would swing alone.
	return lag, likeness(one[:], lag) >= turnEach && likeness(two[:], lag) >= turnEach
}

// centre takes the mean away from d and returns the mean distance from it.
func centre(d []float64) float64 {
	mean, distance := 0.0, 0.0
	for _, x := range d {
		mean += x / float64(len(d))
	}
	for i := range d {
		d[i] -= mean
		distance += math.Abs(d[i]) / float64(len(d))
	}
	return distance
}

// frequent are the pitches that stand out often enough to be one of two, the most frequent first.
func (l *listener) frequent() []int {
	var seen [bandBins]int
	for i := l.count - turnFrames; i < l.count; i++ {
		for _, p := range l.at(i).peaks {
			if p.share > 0 {
				seen[p.bin]++
			}
		}
	}
	var bins []int
	for len(bins) < turnPitches {
		bin := most(seen, -turnApart-1)
		if float64(around(seen, bin)) < turnLeast*turnFrames {
			break
		}
		bins = append(bins, bin)
		clear(seen[max(bin-turnApart+1, 0):min(bin+turnApart, bandBins)])
	}
	return bins
}

// present reports whether one of two pitches stands out nearly always, and is much of what sounds.
func (l *listener) present(a, b int) bool {
	either, share := 0, 0.0
	for i := l.count - turnFrames; i < l.count; i++ {
		for _, p := range l.at(i).peaks {
			if p.share > 0 && (within(p.bin, a, 1) || within(p.bin, b, 1)) {
				either++
				share += float64(p.share)
				break
			}
		}
	}
	return float64(either) >= turnPresences*turnFrames && share >= turnShare*float64(either)
}

func within(a, b, distance int) bool { return max(a-b, b-a) <= distance }

func around(seen [bandBins]int, bin int) int {
	sum := 0
	for _, n := range seen[max(bin-1, 0):min(bin+2, bandBins)] {
		sum += n
	}
	return sum
}

// most is the bin that was seen most often, far enough from another.
func most(seen [bandBins]int, from int) int {
	best := 0
	for b := range seen {
		if !within(b, from, turnApart-1) && around(seen, b) > around(seen, best) {
			best = b
		}
	}
	return best
}

// repeats finds the frames after which d, whose mean is 0, is as it was, having been the opposite meanwhile.
func repeats(d []float64) (int, bool) {
	least := 0.0
	for lag := 1; lag <= turnLongest; lag++ {
		like := likeness(d, lag)
		if lag >= turnShortest && like >= turnRepeats && least <= turnOpposite {
			return lag, true
		}
		least = min(least, like)
	}
	return 0, false
}

// once reports whether d goes up and down once in each turn: a clock's beeps do so several times, and are like
// themselves in between, too.
func once(d []float64, lag int) bool {
	changes, like := 0, true
	for i := 1; i <= lag; i++ {
		if l := likeness(d, i); like && l < -turnOnce || !like && l > turnOnce {
			like = !like
			changes++
		}
	}
	return changes == 2
}

// likeness is the correlation of d, whose mean is 0, with itself, lag frames later.
func likeness(d []float64, lag int) float64 {
	sum, power := 0.0, 0.0
	for i, x := range d {
		power += x * x
		if i+lag < len(d) {
			sum += x * d[i+lag]
		}
	}
	return sum / (power + 1e-9) * float64(len(d)) / float64(len(d)-lag)
}

// runPitch is the mean pitch at that bin over the frames that are looked at, in Hz.
func (l *listener) runPitch(bin int) float64 {
	sum, n := 0.0, 0.0
	for i := l.count - turnFrames; i < l.count; i++ {
		for _, p := range l.at(i).peaks {
			if p.share > 0 && within(p.bin, bin, 1) {
				sum, n = sum+float64(p.hertz), n+1
			}
		}
	}
	return sum / max(n, 1)
}
