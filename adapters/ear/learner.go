package ear

import (
	"errors"
	"math"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Learner learns the voice of one detector while its test button is pressed. Like Detector it is pure.
type Learner struct {
	listener *listener
	tones    []tone
	begun    int // frame of the first tone; -1: none yet
}

// tone is the strongest pitch of one frame.
type tone struct{ hertz, level float64 } // Hz, dB; hertz 0: none that stands out

// NewLearner returns a learner that has heard nothing.
func NewLearner() *Learner { return &Learner{listener: newListener(), begun: -1} }

// How long and how clearly a detector must be heard to be learnt.
const (
	learnShare   = 0.15            // of all that sounds: the person stands before it
	learnFirst   = 8 * time.Second // before this much, nothing is concluded
	learnSteady  = 6 * time.Second // a tone without pause, at least
	learnMost    = 60 * time.Second
	learnCycles  = 2
	learnBelow   = 6.0 // dB below the pulses' level at which one ends
	learnFlicker = 2   // frames that are no pulse and no pause
)

// Reasons why nothing was learnt. Each is a whole sentence for people.
var (
	errNoTone    = errors.New("no siren was heard: hold the test button until it sounds, not further than 3 m from the microphone, and keep it pressed for ten seconds")
	errNoCadence = errors.New("a tone was heard, but not twice the same cadence: keep the test button pressed for two whole cycles, 12 s as a rule, and keep the room quiet meanwhile")
)

// Write takes samples and reports whether there is enough to learn from.
func (l *Learner) Write(samples []int16) bool {
	for len(samples) > 0 {
		rest, complete := l.listener.take(samples)
		samples = rest
		if complete {
			l.note()
		}
	}
	if l.begun < 0 || at(len(l.tones)-l.begun) < learnFirst {
		return false
	}
	_, err := l.Signature()
	return err == nil || at(len(l.tones)-l.begun) > learnMost
}

func (l *Learner) note() {
	s := l.listener.at(l.listener.count - 1)
	t := tone{level: -100}
	if p := s.peaks[0]; p.share >= learnShare {
		t = tone{float64(p.hertz), float64(decibels(s.tone(p.bin))) - 10*math.Log10(fullScale)}
		if l.begun < 0 {
			l.begun = len(l.tones)
		}
	}
	l.tones = append(l.tones, t)
}

// Signature is what was learnt: pitch, cadence and level, with no name yet. The kind is co for temporal-4,
// else smoke.
func (l *Learner) Signature() (Signature, error) {
	if l.begun < 0 {
		return Signature{}, errNoTone
	}
	tones := l.tones[l.begun:]
	main, second := pitches(tones)
	s := Signature{Kind: gateway.Smoke, Frequency: main, Level: loudness(tones, main)}
	if second > 0 && alternate(tones, main, second) {
		s.Frequency, s.Second = min(main, second), max(main, second)
		s.Cadence.Shape = TwoTone
		return s, l.sane(s)
	}
	runs := pulses(tones, main, s.Level)
	if steadyRun(runs) {
		s.Cadence.Shape = Continuous
		return s, l.sane(s)
	}
	beats := cycle(runs)
	if beats == nil {
		return Signature{}, errNoCadence
	}
	s.Cadence = Cadence{Pulses, beats}
	if s.Cadence.like(temporal4()) {
		s.Kind = gateway.CO
	}
	return s, l.sane(s)
}

func (l *Learner) sane(s Signature) error {
	s.Name = "x"
	if err := s.Check(); err != nil {
		return errNoCadence
	}
	return nil
}

// pitches are the two pitches that were heard most often, 0 if there is no such.
func pitches(tones []tone) (float64, float64) {
	var seen [bandBins]int
	for _, t := range tones {
		if t.hertz > 0 {
			seen[binOf(t.hertz)]++
		}
	}
	a := most(seen, -turnApart-1)
	b := most(seen, a)
	main := meanPitch(tones, a)
	if around(seen, b)*3 < around(seen, a) {
		return main, 0
	}
	return main, meanPitch(tones, b)
}

func binOf(hertz float64) int {
	return max(0, min(int(math.Round(hertz/binWidth))-firstBin, bandBins-1))
}

func meanPitch(tones []tone, bin int) float64 {
	sum, n := 0.0, 0.0
	for _, t := range tones {
		if t.hertz > 0 && within(binOf(t.hertz), bin, 1) {
			sum, n = sum+t.hertz, n+1
		}
	}
	return math.Round(sum / max(n, 1))
}

// loudness is the mean level of a pitch, in dBFS.
func loudness(tones []tone, hertz float64) float64 {
	sum, n := 0.0, 0.0
	for _, t := range tones {
		if math.Abs(t.hertz-hertz) < 2*binWidth {
			sum, n = sum+t.level, n+1
		}
	}
	return math.Round(sum / max(n, 1))
}

// alternate reports whether two pitches take turns, without a pause.
func alternate(tones []tone, a, b float64) bool {
	turns, other, last := 0, 0, 0.0
	for _, t := range tones {
		now := 0.0
		switch {
		case math.Abs(t.hertz-a) < 2*binWidth:
			now = a
		case math.Abs(t.hertz-b) < 2*binWidth:
			now = b
		default:
			other++
			continue
		}
		if now != last {
			turns++
		}
		last = now
	}
	return turns >= 16 && other*3 < len(tones)
}

// span is a pulse or a pause, in frames.
type span struct {
	on     bool
	length int
}

// pulses cuts what was heard into pulses and pauses of one pitch.
func pulses(tones []tone, hertz, level float64) []span {
	var spans []span
	for _, t := range tones {
		on := math.Abs(t.hertz-hertz) < 2*binWidth && t.level > level-learnBelow
		if n := len(spans); n > 0 && spans[n-1].on == on {
			spans[n-1].length++
			continue
		}
		spans = append(spans, span{on, 1})
	}
	return settle(spans)
}

// settle takes away what is too short to be a pulse or a pause.
func settle(spans []span) []span {
	var all []span
	for _, s := range spans {
		n := len(all)
		switch {
		case n > 0 && (s.length < learnFlicker || all[n-1].on == s.on):
			all[n-1].length += s.length
		case n == 0 && (!s.on || s.length < learnFlicker):
		default:
			all = append(all, s)
		}
	}
	return all
}

func steadyRun(spans []span) bool {
	return len(spans) > 0 && at(spans[len(spans)-1].length) >= learnSteady && spans[len(spans)-1].on
}

// cycle finds the beats that repeat, the longest pause last; nil if none were heard twice. What does not fit is left out at the
// beginning, where a pulse may be half heard or a chirp, as long as enough to be sure of follows. The last pause is still going on: it
// may be shorter than it will be, but not longer.
func cycle(spans []span) []Beat {
	beats := beatsOf(spans)
	if n := len(beats) - 1; n > 1 && released(beats[:n], beats[n]) {
		beats = beats[:n]
	}
	for first := 0; first < len(beats) && (first == 0 || lasting(beats[first:]) >= learnFirst); first++ {
		heard := beats[first:]
		for k := 1; k <= mostBeats && learnCycles*k <= len(heard); k++ {
			if recurs(heard, k) {
				return rotate(mean(heard, k))
			}
		}
	}
	return nil
}

// beatsOf are pulses with their pauses. The last has none if it is still going on.
func beatsOf(spans []span) []Beat {
	var beats []Beat
	for i := 0; i+1 < len(spans); i += 2 {
		beats = append(beats, Beat{milliseconds(spans[i].length), milliseconds(spans[i+1].length)})
	}
	if len(spans)%2 == 1 {
		beats = append(beats, Beat{milliseconds(spans[len(spans)-1].length), 0})
	}
	return beats
}

// lasting is how long pulses and pauses take together.
func lasting(beats []Beat) time.Duration { return Cadence{Beats: beats}.Period() }

// released reports whether the button was let go in the middle of the last pulse.
func released(beats []Beat, last Beat) bool {
	shortest := beats[0].On
	for _, b := range beats {
		shortest = min(shortest, b.On)
	}
	return last.On < shortest*7/10
}

func milliseconds(frames int) int { return frames * hop * 1000 / Rate }

// recurs reports whether each beat is like the one k beats before it.
func recurs(beats []Beat, k int) bool {
	for i := k; i < len(beats); i++ {
		a, b := beats[i-k], beats[i]
		if i < len(beats)-1 && (!near(a.On, b.On) || !near(a.Off, b.Off)) {
			return false
		}
		if i == len(beats)-1 && (b.Off > 0 && !near(a.On, b.On) || b.On > a.On*6/5+60 || b.Off > a.Off*6/5+60) {
			return false
		}
	}
	return true
}

// mean is one cycle of k beats, averaged over all that are complete.
func mean(beats []Beat, k int) []Beat {
	all := make([]Beat, k)
	n := make([]int, k)
	for i, b := range beats[:len(beats)-1] {
		all[i%k].On += b.On
		all[i%k].Off += b.Off
		n[i%k]++
	}
	for i := range all {
		all[i].On /= max(n[i], 1)
		all[i].Off /= max(n[i], 1)
	}
	return all
}

// rotate puts the longest pause last.
func rotate(beats []Beat) []Beat {
	longest := len(beats) - 1
	for i, b := range beats {
		if b.Off > beats[longest].Off*6/5 {
			longest = i
		}
	}
	return append(append([]Beat{}, beats[longest+1:]...), beats[:longest+1]...)
}
