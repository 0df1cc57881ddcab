package ear

import "math"

// template is a cadence cut into what is compared with what was heard: a group of pulses that stand
// together, the pause after them, and how many groups make an alarm.
type template struct {
	owner  int // index of the signature
	beats  []Beat
	pause  float64 // frames from the end of a group to the next; 0: none
	period float64 // frames from group to group
	groups int
	every  int // frames between looks
	hertz  float64
}

// uniform pulses have no pause that sets groups apart: so many milliseconds of them count as cycles enough.
const uniformLength = 4500

// cut makes the template of a signature with pulses.
func cut(owner int, s Signature) template {
	t := template{owner: owner, groups: 2, hertz: s.Frequency}
	beats := s.Cadence.Beats
	last := beats[len(beats)-1]
	longest, shortest := last.On, last.On
	gap := 0
	for i, b := range beats {
		longest, shortest = max(longest, b.On), min(shortest, b.On, b.Off)
		if i < len(beats)-1 {
			gap = max(gap, b.Off)
		}
	}
	if len(beats) > 1 && last.Off*2 > gap*3 || len(beats) == 1 && last.Off > 1500 {
		t.beats = beats
		t.pause = frames(last.Off)
		t.period = frames(int(s.Cadence.Period().Milliseconds()))
	} else {
		t.groups = 1
		for length := 0; length < uniformLength || len(t.beats) < 2*len(beats); {
			t.beats = append(t.beats, beats...)
			length += int(s.Cadence.Period().Milliseconds())
		}
	}
	t.every = max(1, int(frames(shortest)/4))
	return t
}

func frames(milliseconds int) float64 { return float64(milliseconds) * framesPerSecond / 1000 }

// How a group must look. They are measured on the corpus.
const (
	leastContrast   = 2.5  // dB between a pulse and the silence beside it
	leastMean       = 4.0  // dB, the mean of those
	leastPulseShare = 0.05 // of all that sounds, of each pulse
	leastMeanShare  = 0.10 // of all pulses together
	levelSpread     = 9    // dB between the loudest and the faintest pulse
	steadyWithin    = 8    // dB below the loudest frame of a pulse
	steadyPart      = 0.75 // of a pulse's frames
	takesTurns      = 6    // dB by which another pitch is louder in each silence, and by which it may be fainter
	// than the pulses: a telephone's second tone,
	// a whistle that trembles
	hits = 0.5 // part of the last pulse in which its pitch stands out
)

// tempos are the speeds at which a siren may differ from its cadence.
var tempos = [...]float64{1, 0.97, 1.03, 0.94, 1.06, 0.91, 1.09}

// group is one group of pulses that was heard.
type group struct {
	start, end int // frames
	bin        int
	hertz      float64
	level      float64 // dBFS
	contrast   float64
}

// match looks for a group whose last pulse has just ended, at that bin, and returns the best.
func (t *template) match(l *listener, bin int) (group, bool) {
	var best group
	for _, tempo := range tempos {
		if g, ok := t.fits(l, bin, tempo); ok && g.contrast > best.contrast && t.alone(l, g) {
			best = g
		}
	}
	return best, best.contrast > 0
}

// trail is how many frames of silence after the last pulse are waited for: where there is a pause, as many
// as a further pulse would need to show itself.
func (t *template) trail() float64 {
	off := frames(t.beats[len(t.beats)-1].Off)
	if t.pause > 0 {
		return min(off*0.8, 1.2*frames(t.beats[0].On+t.beats[0].Off))
	}
	return min(off*0.8, 16)
}

// alone reports whether no further pulse stood before a group, as far as is remembered, or after it.
func (t *template) alone(l *listener, g group) bool {
	if t.pause == 0 {
		return true // one of many in a row
	}
	room := min(0.7*t.pause, 1.5*frames(t.beats[0].On+t.beats[0].Off))
	after := g.end + int(0.9*frames(t.beats[0].Off))
	return l.fullness(g.bin, after, l.count-1, g.level) <= besideFilled &&
		l.fullness(g.bin, g.start-int(room), g.start-1, g.level) <= besideFilled
}

// fits compares what was heard with the group at one tempo.
func (t *template) fits(l *listener, bin int, tempo float64) (group, bool) {
	at := float64(l.count) - t.trail()*tempo
	g := group{end: int(at), bin: bin}
	before := at // end of the silence that follows
	var shares, contrasts, powers, highest, least float64
	others, beside := math.Inf(1), math.Inf(1)
	least = math.Inf(1)
	highest = math.Inf(-1)
	after, ok := l.silence(bin, at, float64(l.count))
	for i := len(t.beats) - 1; i >= 0; i-- {
		on := frames(t.beats[i].On) * tempo
		p, good := l.pulse(bin, before-on, before)
		if !ok || !good {
			return g, false
		}
		gap := frames(t.beats[max(i-1, 0)].Off) * tempo
		if i == 0 {
			gap = min(t.trail(), gap)
		}
		start := before - on - gap
		ahead, found := l.silence(bin, start, before-on)
		if !found && i > 0 || p.level-after < leastContrast || found && p.level-ahead < leastContrast {
			return g, false
		}
		g.start = int(before - on)
		contrasts += p.level - after
		if i > 0 || len(t.beats) == 1 { // before the first one there may have been a pause
			elseOff, besideOff := l.others(bin, start, before-on)
			elseOn, besideOn := l.others(bin, before-on, before)
			others = min(others, elseOff-elseOn, elseOff-p.level+2*takesTurns)
			beside = min(beside, besideOff-besideOn, besideOff-p.level+2*takesTurns)
		}
		shares += p.share
		powers += p.level
		highest, least = max(highest, p.level), min(least, p.level)
		before, after, ok = start, ahead, true
	}
	n := float64(len(t.beats))
	g.contrast, g.level = contrasts/n, powers/n-10*math.Log10(fullScale)
	return g, g.contrast >= leastMean && shares/n >= leastMeanShare && highest-least <= levelSpread && others < takesTurns && beside < takesTurns
}

// pulse is how the middle of a pulse sounds.
type pulse struct{ level, share float64 }

// pulse measures a pulse between two frames. A frame is 32 ms of sound from 16 ms before its number on, so
// what is near the edges belongs to both sides and is left out.
func (l *listener) pulse(bin int, from, to float64) (pulse, bool) {
	first, last := edges(from, to, 0.15)
	if first < l.oldest() || last >= l.count {
		return pulse{}, false
	}
	var p pulse
	top := float32(-200)
	n := float64(last - first + 1)
	for i := first; i <= last; i++ {
		s := l.at(i)
		tone := s.tone(bin)
		d := decibels(tone)
		top = max(top, d)
		p.level += float64(d) / n
		p.share += float64(tone/(s.total+1)) / n
	}
	steady := 0.0
	for i := first; i <= last; i++ {
		if decibels(l.at(i).tone(bin)) >= top-steadyWithin {
			steady++
		}
	}
	return p, p.share >= leastPulseShare && steady >= steadyPart*n
}

// silence is the level at the end of a silence, when the room has had time to fall silent, too. It is not
// known of a time that is forgotten.
func (l *listener) silence(bin int, from, to float64) (float64, bool) {
	first, last := edges(from+(to-from)*0.45, to, 0)
	if last <= first {
		first = last
	}
	if first < l.oldest() || last >= l.count {
		return -100, false
	}
	sum := 0.0
	for i := first; i <= last; i++ {
		sum += float64(decibels(l.at(i).tone(bin)))
	}
	return sum / float64(last-first+1), true
}

// others are the levels of the strongest other pitch, and of what is just beside the tone at that bin.
func (l *listener) others(bin int, from, to float64) (float64, float64) {
	first, last := edges(from, to, 0.15)
	first, last = max(first, l.oldest()), min(last, l.count-1)
	other, beside := 0.0, 0.0
	for i := first; i <= last; i++ {
		s := l.at(i)
		strongest := s.low
		for b, p := range s.band {
			if p > strongest && !within(b, bin, 4) {
				strongest = p
			}
		}
		other += max(0, float64(decibels(strongest)))
		beside += max(0, float64(decibels(s.around(bin)-s.tone(bin))))
	}
	n := float64(max(last-first+1, 1))
	return other / n, beside / n
}

// edges are the first and last frame that lie wholly between two times, with a part cut off at either side.
// A frame numbered i covers the samples from i to i+2 hops.
func edges(from, to, cutOff float64) (int, int) {
	length := to - from
	first, last := math.Ceil(from+length*cutOff), math.Floor(to-length*cutOff)-2
	if last < first {
		middle := math.Round((from+to)/2) - 1
		return int(middle), int(middle)
	}
	return int(first), int(last)
}

// fullness is the part of the frames between two in which the bin is nearly as loud as a pulse.
func (l *listener) fullness(bin int, from, to int, level float64) float64 {
	from = max(from, l.oldest())
	if to <= from {
		return 0
	}
	loud := 0
	limit := float32(level + 10*math.Log10(fullScale) - 4)
	for i := from; i < to; i++ {
		if decibels(l.at(i).tone(bin)) > limit {
			loud++
		}
	}
	return float64(loud) / float64(to-from)
}
