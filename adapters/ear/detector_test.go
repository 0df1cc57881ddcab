package ear

import (
	"math"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/ear/eartest"
	"github.com/veilleuse/veilleuse/gateway"
)

// devices are those that a detector hears, with when.
func devices(learnt []Signature, samples []int16) map[gateway.DeviceID]time.Duration {
	d := NewDetector(learnt)
	heard := map[gateway.DeviceID]time.Duration{}
	for _, h := range d.Write(samples) {
		if _, ok := heard[h.Signature.Device()]; !ok {
			heard[h.Signature.Device()] = h.At
		}
	}
	return heard
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	beep := func(on, off float64) eartest.Siren {
		return eartest.Siren{Frequency: 3100, On: []float64{on}, Off: []float64{off}}
	}
	tests := []struct {
		name   string
		siren  eartest.Siren
		device gateway.DeviceID // "": none
	}{
		{"temporal-3", eartest.Temporal3(3100), "ear/smoke"},
		{"temporal-3, low", eartest.Temporal3(2600), "ear/smoke"},
		{"temporal-3, high", eartest.Temporal3(3950), "ear/smoke"},
		{"temporal-4", eartest.Temporal4(3400), "ear/co"},
		{"continuous", eartest.Continuous(3000), "ear/smoke"},
		{"two-tone", eartest.TwoTone(2800, 3200, 0.12), "ear/smoke"},
		{"half-second beeps", beep(.5, .5), ""},
		{"second beeps", beep(1, 1), ""},
		{"quick beeps", beep(.1, .1), ""},
		{"a chirp a minute", beep(.1, 59), ""},
		{"four beeps each second", eartest.Siren{Frequency: 2900, On: []float64{.1, .1, .1, .1}, Off: []float64{.1, .1, .1, .3}}, ""},
		{"three beeps each five seconds", eartest.Siren{Frequency: 2900, On: []float64{.5, .5, .5}, Off: []float64{.5, .5, 3}}, ""},
		{"five quick pulses", eartest.Siren{Frequency: 2900, On: []float64{.1, .1, .1, .1, .1}, Off: []float64{.1, .1, .1, .1, 5}}, ""},
		{"one kilohertz", eartest.Temporal3(1000), ""},
		{"five kilohertz", eartest.Temporal3(5000), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			heard := devices(nil, sounding(test.siren, 1, 25, 1))
			at, ok := heard[test.device]
			switch {
			case test.device == "" && len(heard) > 0:
				t.Errorf("heard as %v", heard)
			case test.device != "" && (!ok || len(heard) != 1):
				t.Errorf("heard are %v", heard)
			case test.device != "" && at > 11*time.Second:
				t.Errorf("heard %v after it began", at-time.Second)
			}
		})
	}
}

func learn(t *testing.T, name string, kind gateway.Quantity, s eartest.Siren) Signature {
	t.Helper()
	l := NewLearner()
	samples := sounding(s, 1, 25, 1)
	for len(samples) >= Rate/10 && !l.Write(samples[:Rate/10]) {
		samples = samples[Rate/10:]
	}
	learnt, err := l.Signature()
	if err != nil {
		t.Fatal(err)
	}
	learnt.Name, learnt.Kind = name, kind
	return learnt
}

func TestLearntVoicesAreToldApart(t *testing.T) {
	t.Parallel()
	own := eartest.Siren{Frequency: 3300, On: []float64{.2, .2}, Off: []float64{.15, 1.1}}
	fast := eartest.Siren{Frequency: 2700, On: []float64{.15}, Off: []float64{.12}}
	known := []Signature{
		learn(t, "Kitchen", gateway.Smoke, eartest.Temporal3(3000)),
		learn(t, "Boiler", gateway.CO, eartest.Temporal3(3250)),
		learn(t, "Attic", gateway.Smoke, own),
		learn(t, "Cellar", gateway.CO, fast),
		learn(t, "Hall", gateway.Smoke, eartest.TwoTone(2800, 3300, 0.12)),
		learn(t, "Study", gateway.CO, eartest.Continuous(3700)),
	}
	for device, siren := range map[gateway.DeviceID]eartest.Siren{
		"ear/kitchen": eartest.Temporal3(3000), "ear/boiler": eartest.Temporal3(3250), "ear/attic": own,
		"ear/cellar": fast, "ear/hall": eartest.TwoTone(2800, 3300, 0.12), "ear/study": eartest.Continuous(3700),
		"ear/co": eartest.Temporal4(3400), "ear/smoke": eartest.Temporal3(3600),
	} {
		heard := devices(known, sounding(siren, 1, 20, 1))
		if _, ok := heard[device]; !ok || len(heard) != 1 {
			t.Errorf("%s: heard are %v", device, heard)
		}
	}
}

func TestWhatIsLearnt(t *testing.T) {
	for name, siren := range map[string]eartest.Siren{"temporal-3": eartest.Temporal3(3100), "temporal-4": eartest.Temporal4(3100), "tone": eartest.Continuous(3100)} {
		s := learn(t, name, gateway.Smoke, siren)
		if math.Abs(s.Frequency-3100) > 100 || s.Level > -10 || s.Level < -35 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	l := NewLearner()
	if l.Write(quiet(20)) {
		t.Error("something is learnt from silence")
	}
	if _, err := l.Signature(); err != errNoTone {
		t.Errorf("silence gives %v", err)
	}
	l = NewLearner()
	l.Write(sounding(eartest.Temporal4(3100), 1, 3, 10))
	if _, err := l.Signature(); err != errNoCadence {
		t.Errorf("one group gives %v", err)
	}
}

// A person may press the button before the ear listens, or the first press may be a chirp: what comes after it is learnt, and as the
// same cadence.
func TestAVoiceIsLearntFromTheMiddleOfIt(t *testing.T) {
	t.Parallel()
	own := eartest.Siren{Frequency: 3300, On: []float64{.2, .2}, Off: []float64{.15, 1.1}}
	for name, siren := range map[string]eartest.Siren{"temporal-3": eartest.Temporal3(3100), "temporal-4": eartest.Temporal4(3100), "its own": own} {
		whole, before := sounding(siren, 0, 30, 1), quiet(1)
		for begin := range 60 {
			l := NewLearner()
			l.Write(before)
			heard := whole[begin*Rate/10:]
			for len(heard) >= Rate/10 && !l.Write(heard[:Rate/10]) {
				heard = heard[Rate/10:]
			}
			s, err := l.Signature()
			if err != nil || len(s.Cadence.Beats) != len(siren.On) || len(heard) < 5*Rate {
				t.Errorf("%s, from %.1f s on: %v, %v, %d s left", name, float64(begin)/10, s.Cadence, err, len(heard)/Rate)
				continue
			}
			for i, b := range s.Cadence.Beats {
				if !near(b.On, int(1000*siren.On[i])) || !near(b.Off, int(1000*siren.Off[i])) {
					t.Errorf("%s, from %.1f s on: %v", name, float64(begin)/10, s.Cadence.Beats)
				}
			}
		}
	}
}

func TestTheMeter(t *testing.T) {
	d := NewDetector(nil)
	d.Write(quiet(3))
	if level, ok := d.Level(); !ok || math.Abs(level+60) > 2 || d.Deaf() != "" {
		t.Errorf("%.0f dBFS, deaf %q", level, d.Deaf())
	}
	d.Write(make([]int16, 11*Rate))
	if d.Deaf() == "" {
		t.Error("digital silence is not noticed")
	}
	d.Write(quiet(2))
	if d.Deaf() != "" {
		t.Errorf("well again, and yet %q", d.Deaf())
	}
}

func BenchmarkASecondOfNoise(b *testing.B) {
	_, samples := clip(7_000_003)
	second := samples[20*Rate : 21*Rate]
	d := NewDetector(nil)
	for b.Loop() {
		d.Write(second)
	}
}

func BenchmarkASecondOfSiren(b *testing.B) {
	samples := sounding(eartest.Temporal3(3100), 0, 4, 0)
	d := NewDetector(nil)
	i := 0
	for b.Loop() {
		d.Write(samples[i%4*Rate : (i%4+1)*Rate])
		i++
	}
}
