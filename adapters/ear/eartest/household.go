package eartest

import (
	"math"
	"math/rand/v2"
)

// Noise is one sound of a household that is no siren.
type Noise struct {
	Name string
	Make func(r *rand.Rand, length float64) Sound // length in seconds
}

// Household is every such sound.
func Household() []Noise {
	return []Noise{
		{"speech", Speech}, {"chords", Chords}, {"kettle", Kettle}, {"vacuum", Vacuum},
		{"alarm clock", AlarmClock}, {"microwave", Microwave}, {"television", Television},
		{"telephone", Telephone}, {"dishes", Dishes},
	}
}

func white(r *rand.Rand) float64 { return (r.Float64() + r.Float64() + r.Float64() - 1.5) * 2 }

// resonator is one formant.
type resonator struct{ a, b, c, y1, y2 float64 }

func newResonator(hertz, width float64) resonator {
	q := math.Exp(-math.Pi * width / Rate)
	c := -q * q
	b := 2 * q * math.Cos(2*math.Pi*hertz/Rate)
	return resonator{a: 1 - b - c, b: b, c: c}
}

func (f *resonator) next(x float64) float64 {
	y := f.a*x + f.b*f.y1 + f.c*f.y2
	f.y2, f.y1 = f.y1, y
	return y
}

// vowels are the first four formants in Hz, after Peterson and Barney's averages.
var vowels = [][4]float64{{730, 1090, 2440, 3300}, {270, 2290, 3010, 3600}, {300, 870, 2240, 3200}, {530, 1840, 2480, 3400}, {570, 840, 2410, 3300}, {440, 1020, 2240, 3300}}

// Speech is a voice: pulses through formants, hisses, pauses.
func Speech(r *rand.Rand, length float64) Sound {
	out := make(Sound, seconds(length))
	base := uniform(r, 90, 240)
	for i := 0; i < len(out); {
		switch k := r.Float64(); {
		case k < 0.15:
			i += seconds(uniform(r, 0.1, 0.8))
		case k < 0.35:
			i = hiss(r, out, i)
		default:
			i = vowel(r, out, i, base*uniform(r, 0.8, 1.3))
		}
	}
	return out
}

func vowel(r *rand.Rand, out Sound, from int, pitch float64) int {
	n := seconds(uniform(r, 0.06, 0.25))
	glide := uniform(r, -0.3, 0.3)
	shape := vowels[r.IntN(len(vowels))]
	var formants [4]resonator
	for i := range formants {
		formants[i] = newResonator(shape[i]*uniform(r, 0.9, 1.1), []float64{60, 90, 150, 200}[i])
	}
	phase := 0.0
	for i := 0; i < n && from+i < len(out); i++ {
		t := float64(i) / float64(n)
		phase += pitch * (1 + glide*t) / Rate
		x := 0.05 * white(r)
		if phase >= 1 {
			phase -= math.Floor(phase)
			x += 20
		}
		y := 0.0
		for j := range formants {
			y += formants[j].next(x) * []float64{1, 0.6, 0.3, 0.15}[j]
		}
		out[from+i] += float32(y * math.Sin(math.Pi*t) * 0.3)
	}
	return from + n
}

func hiss(r *rand.Rand, out Sound, from int) int {
	n := seconds(uniform(r, 0.05, 0.15))
	f := newResonator(uniform(r, 2500, 6000), 1200)
	g := uniform(r, 0.5, 2)
	for i := 0; i < n && from+i < len(out); i++ {
		out[from+i] += float32(g * f.next(white(r)) * math.Sin(math.Pi*float64(i)/float64(n)))
	}
	return from + n
}

// Chords is music: notes with overtones at a steady beat.
func Chords(r *rand.Rand, length float64) Sound {
	out := make(Sound, seconds(length))
	beat := 60 / uniform(r, 60, 160)
	root := 220 * math.Pow(2, float64(r.IntN(12))/12)
	dark := uniform(r, 0.8, 2) // how fast overtones fall
	for t := 0.0; t < length; t += beat {
		if r.Float64() < 0.1 {
			continue
		}
		for range 1 + r.IntN(4) {
			step := []int{-12, -5, 0, 4, 7, 12, 16, 19, 24}[r.IntN(9)]
			note(r, out, seconds(t), beat*uniform(r, 0.4, 2), root*math.Pow(2, float64(step)/12), dark)
		}
		if r.Float64() < 0.2 { // a piccolo, a whistle, a glockenspiel
			note(r, out, seconds(t), beat*uniform(r, 0.4, 1), root*math.Pow(2, float64(24+r.IntN(20))/12), 3)
		}
	}
	return out
}

func note(r *rand.Rand, out Sound, from int, length, hertz, dark float64) {
	n := seconds(length)
	decay := uniform(r, 0.5, 6)
	for k := 1.0; k*hertz < 7000 && k < 24; k++ {
		strength := 0.15 / math.Pow(k, dark)
		step := complex(math.Cos(2*math.Pi*k*hertz/Rate), math.Sin(2*math.Pi*k*hertz/Rate))
		turn, fade := complex(strength, 0), math.Exp(-decay/Rate*math.Sqrt(k))
		step *= complex(fade, 0)
		for i := 0; i < n && from+i < len(out); i++ {
			turn *= step
			attack := math.Min(1, math.Min(float64(i), float64(n-i))/160)
			out[from+i] += float32(imag(turn) * attack)
		}
	}
}

// Kettle is water that comes to the boil and then whistles: the tone grows, climbs, trembles and stays.
func Kettle(r *rand.Rand, length float64) Sound {
	out := make(Sound, seconds(length))
	final := uniform(r, 2000, 4000)
	climb := math.Min(uniform(r, 4, 15), length/2)
	begin := uniform(r, 0.1, 0.3) * length
	tremble, rate := uniform(r, 0.002, 0.015), uniform(r, 4, 8)
	boil := newResonator(600, 800)
	phase, wander := 0.0, 0.0
	for i := range out {
		t := float64(i) / Rate
		x := 0.3 * boil.next(white(r))
		if t > begin {
			u := math.Min(1, (t-begin)/climb)
			wander += 0.001 * (white(r) - wander*0.05)
			hertz := final * (0.6 + 0.4*math.Sqrt(u)) * (1 + tremble*math.Sin(2*math.Pi*rate*t) + 0.004*wander)
			phase += 2 * math.Pi * hertz / Rate
			x += u * u * 0.5 * (math.Sin(phase) + 0.2*math.Sin(2*phase)) * (1 + 0.15*math.Sin(2*math.Pi*rate*0.7*t))
		}
		out[i] = float32(x)
	}
	return out
}

// Vacuum is a vacuum cleaner or a hair dryer: broad noise, and the whine of a motor that runs up.
func Vacuum(r *rand.Rand, length float64) Sound {
	out := make(Sound, seconds(length))
	f, g := newResonator(uniform(r, 300, 1200), 1500), newResonator(uniform(r, 2000, 5000), 4000)
	whine := uniform(r, 400, 900)
	strength := uniform(r, 0.002, 0.03)
	phase := 0.0
	for i := range out {
		t := float64(i) / Rate
		speed := 1 - math.Exp(-t/0.5)
		speed *= 1 + 0.01*math.Sin(2*math.Pi*0.4*t)
		phase += 2 * math.Pi * whine * speed / Rate
		x := f.next(white(r)) + 0.5*g.next(white(r))
		for k := 1.0; k <= 6; k++ {
			x += strength * math.Sin(k*phase)
		}
		out[i] = float32(x * math.Min(1, t/0.3))
	}
	return out
}

// beeps writes pulses, given as on and off in seconds, again and again.
func beeps(r *rand.Rand, length, hertz float64, times []float64, rest float64) Sound {
	out := make(Sound, seconds(length))
	square := r.IntN(2) == 0
	for t := uniform(r, 0, 1); t < length; t += rest {
		for i := 0; i+1 < len(times); i += 2 {
			from, to := seconds(t), seconds(t+times[i])
			for j := from; j < to && j < len(out); j++ {
				x := math.Sin(2 * math.Pi * hertz * float64(j) / Rate)
				if square && 3*hertz < Rate/2 { // a converter's filter takes away what it cannot tell
					x += math.Sin(6*math.Pi*hertz*float64(j)/Rate) / 3
				}
				out[j] += float32(0.5 * x * math.Min(1, math.Min(float64(j-from), float64(to-j))/40))
			}
			t += times[i] + times[i+1]
		}
	}
	return out
}

// AlarmClock beeps as alarm clocks, timers and watches do. Most divide the 32768 Hz of their crystal.
func AlarmClock(r *rand.Rand, length float64) Sound {
	hertz := []float64{2048, 4096, uniform(r, 1900, 4100)}[r.IntN(3)]
	cadences := [][]float64{
		{.0625, .0625, .0625, .0625, .0625, .0625, .0625, .5625}, // four quick ones a second
		{.1, .1, .1, .7}, {.5, .5}, {.25, .25}, {1, 1}, {.1, .9},
		{.125, .125, .125, .625}, {.05, .05}, {.1, .1, .1, .1, .1, .5}, {.1, .1, .1, .1, .1, .1, .1, .3},
		{.2, .1, .2, .1, .2, .7}, {.3, .3, .3, 1}, {.5, .5, .5, 1},
	}
	return beeps(r, length, hertz, cadences[r.IntN(len(cadences))], 0)
}

// Microwave beeps a few times when it is done, and reminds.
func Microwave(r *rand.Rand, length float64) Sound {
	on, off := uniform(r, 0.3, 1.2), uniform(r, 0.3, 1.2)
	var times []float64
	for range 3 + r.IntN(3) {
		times = append(times, on, off)
	}
	return beeps(r, length, uniform(r, 1900, 4100), times, uniform(r, 8, 60))
}

// Telephone is the two-tone warble of a telephone that rings and waits, or plays a tune of pure tones.
func Telephone(r *rand.Rand, length float64) Sound {
	out := make(Sound, seconds(length))
	low := uniform(r, 1200, 2800)
	high := low * uniform(r, 1.1, 1.4)
	turn := uniform(r, 0.02, 0.08)
	// The ringing of Germany, France, the United States, and one that is impatient.
	national := [][2]float64{{1, 4}, {1.5, 3.5}, {2, 4}, {1, 2}}[r.IntN(4)]
	ring, wait := national[0], national[1]
	tune := r.IntN(3) == 0
	phase := 0.0
	for i := range out {
		t := float64(i) / Rate
		if math.Mod(t, ring+wait) > ring {
			continue
		}
		hertz := low
		if math.Mod(t, 2*turn) > turn {
			hertz = high
		}
		if tune {
			hertz = low * math.Pow(2, float64(int(t*7)*5%13)/12)
		}
		phase += 2 * math.Pi * hertz / Rate
		out[i] = float32(0.4 * math.Sin(phase))
	}
	return out
}

// Dishes clink: strokes that ring at high pitches.
func Dishes(r *rand.Rand, length float64) Sound {
	out := make(Sound, seconds(length))
	for t := uniform(r, 0, 0.5); t < length; t += uniform(r, 0.05, 1.5) {
		strength := uniform(r, 0.05, 0.5)
		for range 3 {
			note(r, out, seconds(t), uniform(r, 0.1, 0.6), uniform(r, 1800, 5500), 8)
		}
		for j := seconds(t); j < seconds(t+0.01) && j < len(out); j++ {
			out[j] += float32(strength * white(r))
		}
	}
	return out
}

// Television is a mixture that changes every few seconds.
func Television(r *rand.Rand, length float64) Sound {
	out := make(Sound, seconds(length))
	parts := []func(*rand.Rand, float64) Sound{Speech, Chords, Speech, Chords, Vacuum, Telephone, Dishes}
	for t := 0.0; t < length; {
		n := math.Min(uniform(r, 3, 15), length-t)
		out.Add(parts[r.IntN(len(parts))](r, n).Scaled(0.1), t)
		if r.IntN(2) == 0 {
			out.Add(Chords(r, n).Scaled(0.05), t)
		}
		t += n
	}
	return out
}
