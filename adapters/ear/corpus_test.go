package ear

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/ear/eartest"
	"github.com/veilleuse/veilleuse/gateway"
)

// trial is one siren in one room against one sound.
type trial struct {
	siren    int
	noise    eartest.Noise
	room     eartest.Room
	ratio    float64 // dB
	seed     uint64
	deadline float64 // seconds after the siren began
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

// times reads how much of a corpus is to be played.
func times(t *testing.T, name string, few int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return few
}

var places = []eartest.Room{{Distance: 1}, {Distance: 3}, {Distance: 6, Doors: 1}, {Distance: 10, Doors: 2}}

func TestSirensAreHeardInNoise(t *testing.T) {
	n := times(t, "EAR_SIRENS", 1)
	all, missed, wrong := 0, 0, 0
	table := map[string][2]int{}
	for s := range sirenNames {
		for i, noise := range eartest.Household() {
			for k := range n * len(places) {
				seed := uint64(s*1_000_000 + i*10_000 + k)
				c := trial{siren: s, noise: noise, room: places[k%len(places)], seed: seed}
				c.room.RT60 = 0.3 + 0.5*rand.New(rand.NewPCG(seed, 1)).Float64()
				want := []gateway.Quantity{gateway.Smoke, gateway.CO, gateway.Smoke, gateway.Smoke}[s]
				kinds := c.heard()
				all++
				row := fmt.Sprintf("%-10s %-12s", sirenNames[s], noise.Name)
				cell := table[row]
				cell[1]++
				if !kinds[want] {
					missed++
					if testing.Verbose() {
						t.Logf("missed: %v", c)
					}
				} else {
					cell[0]++
				}
				table[row] = cell
				if len(kinds) > 1 || len(kinds) == 1 && !kinds[want] {
					wrong++
					t.Logf("heard as %v: %v", kinds, c)
				}
			}
		}
	}
	for s := range sirenNames {
		for _, noise := range eartest.Household() {
			row := fmt.Sprintf("%-10s %-12s", sirenNames[s], noise.Name)
			t.Logf("%s %d of %d", row, table[row][0], table[row][1])
		}
	}
	t.Logf("heard %d of %d (%.2f %%), %d wrong kinds", all-missed, all, 100*float64(all-missed)/float64(all), wrong)
}
