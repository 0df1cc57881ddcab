package thermal

import (
	"math"
	"testing"
)

// made are days of a room whose model is known, heated by a thermostat.
func made(truth model, days int) []sample {
	b := belief{reading: 19, mass: 19}
	var samples []sample
	heat := 0.0
	for k := range days * perDay {
		target := 17.0
		if hour := k % perDay / 12; hour >= 6 && hour < 9 || hour >= 17 && hour < 22 {
			target = 20
		}
		if b.reading < target-0.2 {
			heat = 1
		} else if b.reading > target+0.2 {
			heat = 0
		}
		truth.step(&b, heat)
		samples = append(samples, sample{math.Round(b.reading*50) / 50, heat, target})
	}
	return samples
}

func TestFitFindsTheRoom(t *testing.T) {
	for _, c := range []struct {
		name  string
		truth model
	}{
		{"quick", model{Lag: 2.4, Sense: 2, Delay: 1, Mass: 72, Ceiling: 1, Gain: 0.6, Pull: 0.05, Loss: 0.02, Rest: -0.15}},
		{"slow", model{Lag: 22, Sense: 2, Delay: 0, Mass: 200, Ceiling: 1, Gain: 0.12, Pull: 0.01, Loss: 0.004, Rest: -0.03}},
	} {
		m := found(made(c.truth, 14))
		if !m.usable() {
			t.Fatalf("%s: nothing was learned", c.name)
		}
		long, want := m.Gain/m.Loss, c.truth.Gain/c.truth.Loss
		t.Logf("%s: %+v", c.name, m)
		if m.Sigma > 0.15 || long < want/3 || long > want*3 {
			t.Errorf("%s: forecasts are off by %.2f K; full heat makes %.0f K, want %.0f", c.name, m.Sigma, long, want)
		}
	}
}

// found runs the whole search at once.
func found(samples []sample) model {
	var m memory
	for k, s := range samples {
		m.Seen.put(int64(1e6+k), s)
	}
	m.Search = search{Next: 1, Until: m.Seen.end()}
	m.searchOn(whole)
	return m.Model
}

func TestFitRefusesNonsense(t *testing.T) {
	for name, change := range map[string]func(k int, s *sample){
		"never heated":        func(_ int, s *sample) { s.heat = 0 },
		"always the same":     func(_ int, s *sample) { s.temperature = 20 },
		"colder when heated":  func(_ int, s *sample) { s.temperature = 20 - 2*s.heat },
		"never a temperature": func(_ int, s *sample) { s.temperature = math.NaN() },
	} {
		samples := made(model{Lag: 2.4, Sense: 2, Mass: 72, Ceiling: 1, Gain: 0.6, Pull: 0.05, Loss: 0.02, Rest: -0.15}, 4)
		for k := range samples {
			change(k, &samples[k])
		}
		if m := found(samples); m.usable() && !m.sound() {
			t.Errorf("%s: learned %+v", name, m)
		}
	}
}

func BenchmarkNightlyFit(b *testing.B) {
	samples := made(model{Lag: 5, Sense: 2, Delay: 1, Mass: 72, Ceiling: 1, Gain: 0.6, Pull: 0.05, Loss: 0.02, Rest: -0.15}, 14)
	for b.Loop() {
		found(samples)
	}
}

func TestPlanHeatsInTimeAndNotTooEarly(t *testing.T) {
	m := model{Lag: 3.6, Sense: 2, Delay: 1, Mass: 200, Ceiling: 1, Gain: 0.25, Pull: 0.02, Loss: 0.02, Rest: -0.05}
	at := int64(1000)
	b := belief{at: at, reading: 17.2, mass: 17.2}
	for _, c := range []struct {
		name   string
		ahead  int64
		lo, hi float64
	}{{"five hours before", 60, 0, 0.4}, {"an hour before", 12, 0.9, 1}, {"at the slot", 0, 0.9, 1}} {
		w := wish{target: 17, next: at + c.ahead, then: 20}
		if duty, _ := m.plan(b, w, 4, 60); duty < c.lo || duty > c.hi {
			t.Errorf("%s: duty %.2f, want %.1f to %.1f", c.name, duty, c.lo, c.hi)
		}
	}
	b.reading, b.mass = 22, 21
	if duty, _ := m.plan(b, wish{target: 20}, 4, 60); duty != 0 {
		t.Errorf("two kelvin too warm: duty %.2f", duty)
	}
}

func TestHistoryKeepsFourteenDays(t *testing.T) {
	var h history
	for k := range int64(20 * perDay) {
		if k%7 != 3 {
			h.put(5000+k, sample{20 + float64(k%100)/100, float64(k%5) / 4, 19})
		}
	}
	if n := h.length(); n < 14*perDay || n > pages*perDay {
		t.Fatalf("%d samples are kept, want 14 to 15 days", n)
	}
	last := h.since(h.end() - 9)
	for i, s := range last {
		k := h.end() - 9 + int64(i) - 5000
		if missed := k%7 == 3; math.IsNaN(s.temperature) != missed {
			t.Errorf("sample %d: %v", k, s)
		} else if !missed && (math.Abs(s.temperature-20-float64(k%100)/100) > 0.006 || math.Abs(s.heat-float64(k%5)/4) > 0.003 || s.target != 19) {
			t.Errorf("sample %d comes back as %v", k, s)
		}
	}
	h.put(h.end()+100*perDay, sample{20, 0, 20})
	if h.length() != 1 {
		t.Errorf("after a gap of 100 days %d samples are kept", h.length())
	}
}

func TestBeliefAfterAGap(t *testing.T) {
	truth := model{Lag: 5, Sense: 2, Delay: 1, Mass: 72, Ceiling: 1, Gain: 0.6, Pull: 0.05, Loss: 0.02, Rest: -0.15}
	m := memory{Model: truth}
	for k, s := range made(truth, 3) {
		m.Seen.put(int64(1e6+k), s)
	}
	m.Sensor.Value = 15
	for _, gap := range []int64{0, 1, 40, 5000} {
		b := m.belief((m.Seen.end() + gap) * tick)
		if b.at != m.Seen.end()+gap || math.IsNaN(b.mass) || b.mass < 10 || b.mass > 25 {
			t.Errorf("%d ticks later: %+v", gap, b)
		}
		if gap > 0 && b.reading != 15 {
			t.Errorf("%d ticks later the room is taken to be at %.1f °C, it reads 15", gap, b.reading)
		}
	}
}
