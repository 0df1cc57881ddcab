package ear

import (
	"math"
	"time"
)

// Heard says that a signature was heard, complete.
type Heard struct {
	Signature Signature
	At        time.Duration // since the first sample
	Frequency float64       // Hz
	Level     float64       // dBFS of the tone
}

// Detector hears sirens in samples. It is pure: its only clock is the count of samples. The zero value is
// not usable, NewDetector makes one.
type Detector struct {
	listener  *listener
	known     []Signature
	templates []template
	groups    [][]group // of each template, the last ones
	steady    steady
	turns     turns
	last      map[int]int // frame at which a signature was last heard
}

// NewDetector returns a detector of the general signatures and of those that were learnt.
func NewDetector(learnt []Signature) *Detector {
	d := &Detector{listener: newListener()}
	d.Know(learnt)
	return d
}

// Know replaces the learnt signatures. What is just being heard is not forgotten.
func (d *Detector) Know(learnt []Signature) {
	d.known = append(General(), learnt...)
	d.templates, d.last = nil, map[int]int{}
	for i, s := range d.known {
		if s.Cadence.Shape == Pulses {
			d.templates = append(d.templates, cut(i, s))
		}
	}
	d.groups = make([][]group, len(d.templates))
}

// Write takes 16-bit samples, Rate a second, and returns what was heard complete with them.
func (d *Detector) Write(samples []int16) []Heard {
	var all []Heard
	for len(samples) > 0 {
		rest, complete := d.listener.take(samples)
		samples = rest
		if complete {
			all = append(all, d.judge()...)
		}
	}
	return all
}

// Age is how much sound was heard in all.
func (d *Detector) Age() time.Duration { return at(d.listener.count) }

// Deaf says why the microphone cannot be hearing anything, "" if it can.
func (d *Detector) Deaf() string { return d.listener.meter.deaf() }

// Level is how loud the last second was, in dBFS, and whether a second is over.
func (d *Detector) Level() (float64, bool) {
	return d.listener.meter.level, d.listener.meter.seconds > 0
}

func at(frame int) time.Duration {
	return time.Duration(frame) * hop * time.Second / Rate
}

// judge is the second stage, after each frame.
func (d *Detector) judge() []Heard {
	var all []Heard
	for i := range d.templates {
		t := &d.templates[i]
		if d.listener.count%t.every != 0 {
			continue
		}
		for _, bin := range d.candidates(t) {
			if g, ok := t.match(d.listener, bin); ok {
				g.hertz = d.pitch(bin, g)
				if d.completes(i, g) {
					all = d.hear(all, t.owner, g.hertz, g.level)
				}
			}
		}
	}
	if bin, ok := d.steady.judge(d.listener); ok {
		all = d.hearShape(all, Continuous, bin, 0)
	}
	if one, two, ok := d.turns.judge(d.listener); ok {
		all = d.hearShape(all, TwoTone, one, two)
	}
	return d.rank(all)
}

// candidates are the pitches that stood out in what would be the last pulse.
func (d *Detector) candidates(t *template) []int {
	l := d.listener
	to := l.count - int(t.trail())
	from := to - int(frames(t.beats[len(t.beats)-1].On))
	from, to = max(from, l.oldest()), to-2
	if to <= from {
		return nil
	}
	var seen [bandBins + 1]int
	heard := false
	for i := from; i <= to; i++ {
		for _, p := range l.at(i).peaks {
			if p.share > 0 && t.accepts(p.hertz) {
				seen[p.bin]++
				heard = true
			}
		}
	}
	if !heard {
		return nil
	}
	need := int(math.Ceil(hits * float64(to-from+1)))
	var bins []int
	for b := 1; b < bandBins; b++ {
		// A pitch between two bins shows now in the one, now in the other.
		if n := seen[b-1] + seen[b] + seen[b+1]; n >= need && seen[b] > 0 && seen[b] >= seen[b-1] && seen[b] > seen[b+1] {
			bins = append(bins, b)
		}
	}
	return bins
}

// accepts reports whether a pitch can be the one of the signature.
func (t *template) accepts(hertz float32) bool {
	return t.hertz == 0 || math.Abs(float64(hertz)-t.hertz) <= pitchWithin*t.hertz
}

// pitchWithin is how far a detector's pitch moves with temperature and battery, as a part of it.
const pitchWithin = 0.03

// pitch is the mean frequency of a group's pulses.
func (d *Detector) pitch(bin int, g group) float64 {
	sum, n := 0.0, 0
	for i := max(g.start, d.listener.oldest()); i <= g.end && i < d.listener.count; i++ {
		for _, p := range d.listener.at(i).peaks {
			if p.share > 0 && p.bin >= bin-1 && p.bin <= bin+1 {
				sum, n = sum+float64(p.hertz), n+1
			}
		}
	}
	if n == 0 {
		return float64(firstBin+bin) * binWidth
	}
	return sum / float64(n)
}

// completes adds a group and reports whether, with the one before it, it makes an alarm.
func (d *Detector) completes(i int, g group) bool {
	t := &d.templates[i]
	if t.groups == 1 {
		return true
	}
	list := d.groups[i]
	complete := false
	keep := list[:0]
	for _, o := range list {
		if g.end-o.end < remembered {
			keep = append(keep, o)
		}
		apart := float64(g.end-o.end) / t.period
		if apart > 0.88 && apart < 1.12 && o.same(g) && d.paused(t, o, g) {
			complete = true
		}
	}
	for j := range keep {
		if o := keep[j]; g.end-o.end <= int(t.period*0.06)+2 && o.same(g) {
			if g.contrast > o.contrast {
				keep[j] = g
			}
			d.groups[i] = keep
			return complete
		}
	}
	d.groups[i] = append(keep, g)
	return complete
}

// same reports whether two groups can be of one siren.
func (g group) same(o group) bool {
	return math.Abs(g.hertz-o.hertz) <= max(binWidth, 0.01*g.hertz) && math.Abs(g.level-o.level) <= 10
}

// Parts of a pause that other sounds may fill: on the whole, and where one more pulse would stand.
const (
	pauseFilled  = 0.25
	besideFilled = 0.15
)

// paused reports whether the siren was silent between two groups, once the room had fallen silent: on the
// whole, just after the one, and just before the other, where a longer train of pulses would show.
func (d *Detector) paused(t *template, o, g group) bool {
	from, to := o.end+int(max(6, min(0.3*t.pause, 16))), g.start-1
	level, part := min(o.level, g.level), int(min(0.7*t.pause, 1.5*frames(t.beats[0].On+t.beats[0].Off)))
	return d.listener.fullness(g.bin, from, to, level) <= pauseFilled &&
		d.listener.fullness(g.bin, from, min(from+part, to), level) <= besideFilled &&
		d.listener.fullness(g.bin, max(to-part, from), to, level) <= besideFilled
}

// hear adds what was heard, at most once a second for each signature.
func (d *Detector) hear(all []Heard, owner int, hertz, level float64) []Heard {
	if last, ok := d.last[owner]; ok && d.listener.count-last < second {
		return all
	}
	d.last[owner] = d.listener.count
	return append(all, Heard{Signature: d.known[owner], At: d.Age(), Frequency: hertz, Level: level})
}

// sounds reports whether a tone near that pitch stood out in the last second.
func (d *Detector) sounds(hertz float64) bool {
	l, n := d.listener, 0
	for i := max(l.oldest(), l.count-second); i < l.count; i++ {
		for _, p := range l.at(i).peaks {
			if p.share > 0 && math.Abs(float64(p.hertz)-hertz) <= pitchWithin*hertz {
				n++
				break
			}
		}
	}
	return n >= second/5
}
