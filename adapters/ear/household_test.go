package ear

import (
	"math"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/ear/eartest"
)

// A simulated day has four hours of sound, in clips of a minute with noise of the room between them; the
// rest of it is quiet, of which a little is played: nothing happens there.
const (
	clipsOfADay = 240
	clipSeconds = 60
)

// clip is one minute of a household: one sound or two, at a level between quiet and loud.
func clip(seed uint64) (string, []int16) {
	r := eartest.Random(seed)
	all := eartest.Household()
	one, two := all[r.IntN(len(all))], all[r.IntN(len(all))]
	level := func() float64 { return math.Pow(10, (-45+35*r.Float64())/20) }
	sound := one.Make(r, clipSeconds).Scaled(level())
	name := one.Name
	if r.IntN(2) == 0 {
		sound.Add(two.Make(r, clipSeconds*r.Float64()).Scaled(level()), clipSeconds/2*r.Float64())
		name += " and " + two.Name
	}
	room := eartest.Room{RT60: 0.2 + 0.6*r.Float64(), Distance: 1 + 5*r.Float64()}
	if r.IntN(2) == 0 {
		sound = room.Hear(r, sound).Scaled(sound.RMS())
	}
	return name, sound.PCM(r, -75+15*r.Float64())
}

// TestAHouseholdRaisesNoAlarm plays household sound. A month is 30*clipsOfADay clips: EAR_CLIPS=7200.
func TestAHouseholdRaisesNoAlarm(t *testing.T) {
	n := times(t, "EAR_CLIPS", 4)
	first := times(t, "EAR_FIRST", 0)
	d := NewDetector(nil)
	alarms, until := 0, time.Duration(0)
	var spent time.Duration
	for i := range n {
		name, samples := clip(uint64(7_000_000 + first + i))
		began := time.Now()
		heard := d.Write(samples)
		spent += time.Since(began)
		for _, h := range heard {
			if h.At > until {
				alarms++
				t.Logf("clip %d (%s): %s %s at %.0f Hz, %.0f dBFS", first+i, name, h.Signature.Kind, h.Signature.Cadence, h.Frequency, h.Level)
			}
			until = h.At + time.Minute
		}
	}
	days := float64(n) / clipsOfADay
	if alarms > int(days/10) {
		t.Errorf("%d false alarms", alarms)
	}
	t.Logf("%d false alarms in %.2f simulated days; %.2f ms for a second of sound", alarms, days, spent.Seconds()*1000/float64(n*clipSeconds))
}

// TestTwoKettlesAreNoSiren plays two that tremble by turns for a moment, and what came after them.
func TestTwoKettlesAreNoSiren(t *testing.T) {
	d := NewDetector(nil)
	for _, seed := range []uint64{7_006_766, 7_006_767} {
		name, samples := clip(seed)
		for _, h := range d.Write(samples) {
			t.Errorf("%s: heard as %s %s at %.0f Hz", name, h.Signature.Kind, h.Signature.Cadence, h.Frequency)
		}
	}
}
