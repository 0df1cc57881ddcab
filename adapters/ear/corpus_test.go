package ear

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/ear/eartest"
	"github.com/veilleuse/veilleuse/gateway"
)

// trial is one siren in one room against one sound.
type trial struct {
	siren int
	noise eartest.Noise
	room  eartest.Room
	ratio float64 // dB
	seed  uint64
}

var sirenNames = []string{"temporal-3", "temporal-4", "continuous", "two-tone"}

func (c trial) sound() []int16 {
	r := eartest.Random(c.seed)
	hertz := 2800 + 700*r.Float64()
	siren := []eartest.Siren{eartest.Temporal3(hertz), eartest.Temporal4(hertz), eartest.Continuous(hertz),
		eartest.TwoTone(2800+200*r.Float64(), 3200+300*r.Float64(), 0.06+0.19*r.Float64())}[c.siren]
	const before, length = 3, 3 + 10
	dry := siren.Sound(r, length-before)
	wet := c.room.Hear(r, dry)
	level := math.Pow(10, (-20-20*math.Log10(math.Max(c.room.Distance, 1))-12*float64(c.room.Doors))/20)
	wet = wet.Scaled(level)
	noise := c.noise.Make(r, length+8*r.Float64())
	noise = noise[len(noise)-length*eartest.Rate:].Scaled(level * math.Pow(10, -c.ratio/20))
	noise.Add(wet, before)
	return noise.PCM(r, -80)
}

// heard is the kinds that were heard within the deadline.
func (c trial) heard() map[gateway.Quantity]bool {
	d := NewDetector(nil)
	kinds := map[gateway.Quantity]bool{}
	for _, h := range d.Write(c.sound()) {
		kinds[h.Signature.Kind] = true
	}
	return kinds
}

func (c trial) String() string {
	return fmt.Sprintf("%s against %s at %.0f dB, RT60 %.2f s, %.0f m, %d doors, seed %d", sirenNames[c.siren], c.noise.Name, c.ratio, c.room.RT60, c.room.Distance, c.room.Doors, c.seed)
}

// times reads how much of a corpus is to be played: scripts/figures asks for all of it.
func times(t *testing.T, name string, few int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	if racing || testing.Short() {
		return max(1, few/10)
	}
	return few
}

var places = []eartest.Room{{Distance: 1}, {Distance: 3}, {Distance: 6, Doors: 1}, {Distance: 10, Doors: 2}}

// tally counts what was heard of what there was.
type tally struct{ heard, all int }

func (c tally) plus(heard bool) tally {
	c.all++
	if heard {
		c.heard++
	}
	return c
}

func (c tally) percent() float64 { return 100 * float64(c.heard) / float64(max(c.all, 1)) }

// TestSirensAreHeardInNoise plays sirens in rooms against the sounds of a household, which are as loud.
// EAR_SIRENS is how many for each siren, sound and place are played; EAR_RATIO how much louder, in dB.
func TestSirensAreHeardInNoise(t *testing.T) {
	n := times(t, "EAR_SIRENS", 0)
	ratio := float64(times(t, "EAR_RATIO", 0))
	sounds, distances, all := map[string]tally{}, map[string]tally{}, tally{}
	if n == 0 {
		n = 1
	}
	for s, name := range sirenNames {
		for i, noise := range eartest.Household() {
			if racing && (i+s)%4 != 0 {
				continue
			}
			for k := range trials(n) {
				c := trialOf(s, i, k, ratio)
				kinds := c.heard()
				want := wanted[s]
				if !kinds[want] {
					t.Logf("missed: %v", c)
				}
				if kinds[gateway.CO] && want != gateway.CO || kinds[gateway.Smoke] && want != gateway.Smoke {
					t.Logf("heard as another kind, too: %v", c)
				}
				row, place := name+" against "+noise.Name, fmt.Sprintf("%s at %.0f m, %d doors", name, c.room.Distance, c.room.Doors)
				sounds[row], distances[place] = sounds[row].plus(kinds[want]), distances[place].plus(kinds[want])
				all = all.plus(kinds[want])
			}
		}
	}
	report(t, sounds)
	report(t, distances)
	t.Logf("heard %d of %d (%.1f %%) at %.0f dB", all.heard, all.all, all.percent(), ratio)
	if all.percent() < 90 {
		t.Error("less than was measured before")
	}
}

var wanted = []gateway.Quantity{gateway.Smoke, gateway.CO, gateway.Smoke, gateway.Smoke}

// trials is every n-th place if not all of them are asked for.
func trials(n int) int {
	if os.Getenv("EAR_SIRENS") == "" {
		return 1
	}
	return n * len(places)
}

func trialOf(siren, noise, k int, ratio float64) trial {
	seed := uint64(siren*1_000_000 + noise*10_000 + k)
	c := trial{siren: siren, noise: eartest.Household()[noise], room: places[(k+noise)%len(places)], ratio: ratio, seed: seed}
	c.room.RT60 = 0.3 + 0.5*rand.New(rand.NewPCG(seed, 1)).Float64()
	return c
}

func report(t *testing.T, rows map[string]tally) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.Logf("%-40s %d of %d", name, rows[name].heard, rows[name].all)
	}
}
