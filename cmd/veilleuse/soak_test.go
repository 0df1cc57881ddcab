package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
)

var (
	soakHours = flag.Float64("soak.hours", 0, "how many hours of the house the soak lasts; 0: none")
	soakSpeed = flag.Float64("soak.speed", 60, "how many times faster than the wall's clock the house's runs")
	soakSeed  = flag.Uint64("soak.seed", 1, "of the faults")
	soakCalm  = flag.Bool("soak.calm", false, "a day without faults")
	soakDisks = flag.Bool("soak.disks", false, "mount small disks and spoil them")
	soakLeak  = flag.Bool("soak.leak", false, "have the daemon leak, and expect to find that")
)

// soakStart is a midnight in Paris.
var soakStart = time.Date(2025, 11, 3, 23, 0, 0, 0, time.UTC)

// TestSoak runs the daemon in a process of its own for a day of a fast clock, in a house of 60 devices where something goes
// wrong all the time, and looks whether it grows, hangs, or wears the disk out. scripts/soak runs it.
func TestSoak(t *testing.T) {
	if *soakHours == 0 {
		t.Skip("scripts/soak runs it")
	}
	w := newSoakWorld(t, soakStart, *soakSpeed, demoHome(), nil)
	w.look()
	s := &soak{soakWorld: w, dice: rand.New(rand.NewPCG(*soakSeed, 0)), window: 15 * time.Minute, happened: map[string]int{}}
	if *soakHours < 8 {
		s.window = 5 * time.Minute
	}
	s.run(t.Context())
	s.say()
	s.whole()
	verdict := s.result.verdict()
	if *soakLeak {
		s.wantLeaks(verdict)
		return
	}
	for _, fault := range verdict {
		t.Error(fault)
	}
	if t.Failed() {
		stacks, log := filepath.Join(os.TempDir(), fmt.Sprintf("soak-%d-goroutines", os.Getpid())), filepath.Join(os.TempDir(), fmt.Sprintf("soak-%d-log", os.Getpid()))
		if _, err := w.process.ask("stacks " + stacks); err == nil {
			t.Logf("where each goroutine stands: %s; all that the daemon said: %s", stacks, log)
		}
		os.WriteFile(log, []byte(w.process.said()), 0o600)
	}
}

// soak is a run.
type soak struct {
	*soakWorld
	dice   *rand.Rand
	window time.Duration // between two samples, in the house's time
	pack   []soakFault   // still to come
	packs  int           // that were begun
	result soakRun
	gone   int // windows for which the cloud is still gone

	mu       sync.Mutex
	happened map[string]int
}

// run lets the time pass, window by window: faults in the first two thirds, then rest, then a sample.
func (s *soak) run(ctx context.Context) {
	real := time.Duration(float64(s.window) / s.clock.rate)
	windows := int(*soakHours * float64(time.Hour) / float64(s.window))
	begin := time.Now().Add(real)
	for i := range windows + 1 {
		if i > 0 && !*soakCalm {
			s.outage()
			s.happen(ctx, real*2/3)
		}
		s.daily(i)
		wait(ctx, time.Until(begin))
		begin = begin.Add(real)
		sample, err := s.sample()
		if err != nil {
			s.result.faults = append(s.result.faults, err.Error())
			return
		}
		s.result.samples = append(s.result.samples, sample)
	}
}

// handsBack is how long the house may take, in its own time, until it is under Netatmo again or says when it will be: after a
// day in which the cloud came and went, it waits for hours before it believes it.
const handsBack = 2 * time.Hour

// whole holds that the house is as it was once all faults are over.
func (s *soak) whole() {
	s.fault("all is mended", mendWorld(s.soakWorld))
	err := s.awaitFor(time.Duration(float64(handsBack)/s.clock.rate), func(r statusReport) bool {
		waits := strings.Contains(r.Authority.Why, "if it stays, the house is handed back at")
		return allHere(r) && (r.Authority.Phase == gateway.Watching || waits) && allUp(r)
	})
	s.fault("the house does not come to be whole again", err)
	if strings.Contains(s.process.said(), " broke: ") {
		s.result.faults = append(s.result.faults, "an adapter broke: see the log")
	}
}

// outage takes the cloud away for hours now and then, and gives it back.
func (s *soak) outage() {
	switch {
	case s.gone > 1:
		s.gone--
	case s.gone == 1:
		s.gone = 0
		s.fault("the cloud comes back", mendWorld(s.soakWorld))
	case s.dice.IntN(14) == 0:
		s.gone = 3 + s.dice.IntN(1+int(*soakHours/2))
		s.setLost(true)
		s.happened["the cloud is gone for hours"]++
		s.fault("the cloud goes", s.internet.Break(one(s.dice, uplinktest.BlackHole, uplinktest.Status503, uplinktest.ServFail, uplinktest.Reset, uplinktest.Empty200)))
	}
}

func mendWorld(w *soakWorld) error {
	w.setLost(false)
	w.cloud.Mend()
	return w.internet.Break()
}

// happen lets up to three things happen at once.
func (s *soak) happen(ctx context.Context, most time.Duration) {
	var all sync.WaitGroup
	taken := map[string]bool{soakCloud: s.gone > 0}
	for range 1 + s.dice.IntN(3) {
		f, ok := s.draw(taken)
		if !ok {
			break
		}
		taken[f.needs] = true
		s.happened[f.name]++
		length := most/4 + time.Duration(s.dice.Int64N(int64(most)*3/4))
		dice := rand.New(rand.NewPCG(s.dice.Uint64(), 0))
		all.Go(func() { s.fault(f.name, f.do(ctx, s.soakWorld, dice, length)) })
	}
	all.Wait()
}

// draw takes the next fault from the pack for which its part of the world is whole. The first pack has one of each kind, so
// that a short run knows them all; the others have each as often as it is meant to come.
func (s *soak) draw(taken map[string]bool) (soakFault, bool) {
	if len(s.pack) == 0 {
		for _, f := range soakFaults() {
			for n := range f.often {
				if n == 0 || s.packs > 0 {
					s.pack = append(s.pack, f)
				}
			}
		}
		s.packs++
		s.dice.Shuffle(len(s.pack), func(i, k int) { s.pack[i], s.pack[k] = s.pack[k], s.pack[i] })
	}
	at := slices.IndexFunc(s.pack, func(f soakFault) bool { return f.needs == "" || !taken[f.needs] })
	if at < 0 {
		return soakFault{}, false
	}
	f := s.pack[at]
	s.pack = slices.Delete(s.pack, at, at+1)
	return f, true
}

func (s *soak) fault(doing string, err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.faults = append(s.result.faults, fmt.Sprintf("%s, %s: %v", s.clock.Now().Format(time.TimeOnly), doing, err))
}

// daily is what goes on in every house: sensors measure.
func (s *soak) daily(i int) {
	for n := range s.sensors.motion {
		s.fault("a sensor measures", s.sensors.warm(n))
		if n%7 == i%7 {
			s.fault("a sensor sees motion", s.sensors.move(n))
		}
	}
}

// atRest looks at the daemon several times within half a second and takes the fewest goroutines and descriptors: at this speed
// it looks for the cloud every second or two, and what that takes for a moment is no leak.
func (s *soak) atRest() (houseSample, int, error) {
	least, err := s.process.ask("sample")
	if err != nil {
		return least, 0, err
	}
	fewest, err := s.process.descriptors()
	for range 5 {
		if err != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
		var again houseSample
		var open int
		if again, err = s.process.ask("sample"); err == nil {
			open, err = s.process.descriptors()
			fewest = min(fewest, open)
		}
		again.Goroutines, again.Late = min(least.Goroutines, again.Goroutines), max(least.Late, again.Late)
		least = again
	}
	return least, fewest, err
}

// sample looks at the daemon.
func (s *soak) sample() (soakSample, error) {
	if *soakLeak {
		for _, what := range strings.Fields(strings.Repeat("goroutine descriptor memory ", 4) + "tick") {
			if _, err := s.process.ask("leak " + what); err != nil {
				return soakSample{}, err
			}
		}
	}
	own, descriptors, err := s.atRest()
	if err != nil {
		return soakSample{}, err
	}
	s.people.mu.Lock()
	local := s.people.phase == "local"
	s.people.mu.Unlock()
	return soakSample{At: s.clock.Now(), Resident: float64(s.process.resident()), Heap: float64(own.Heap), Goroutines: own.Goroutines, Descriptors: descriptors, Late: own.Late,
		Bytes: own.Bytes, Flushes: own.Flushes, Written: figure(s.t, s.process.folder()+"/io", "write_bytes:"), Local: local}, nil
}

// alarmTook notes how long the slowest of those who hear an alarm waited.
func (w *soakWorld) alarmTook(d time.Duration) {
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	w.people.alarms = append(w.people.alarms, d)
}

// say prints the figures.
func (s *soak) say() {
	fmt.Print(s.result.table())
	if len(s.result.samples) == 0 {
		return
	}
	goroutines, farGoroutines := s.result.spread(func(s soakSample) int { return s.Goroutines })
	descriptors, farDescriptors := s.result.spread(func(s soakSample) int { return s.Descriptors })
	bytes, flushes := s.result.disk()
	first, last := s.result.samples[0], s.result.samples[len(s.result.samples)-1]
	slowest := time.Duration(0)
	for _, d := range s.people.alarms {
		slowest = max(slowest, d)
	}
	fmt.Printf("\n%.1f h of the house at %g times speed, %d samples, seed %d\n", last.At.Sub(first.At).Hours(), s.clock.rate, len(s.result.samples), *soakSeed)
	fmt.Printf("memory: %.1f MB at the end, grew by %.2f MB (live heap by %.2f MB), peak %.1f MB\n", last.Resident/1e6, s.result.residentGrowth()/1e6,
		s.result.growth(func(s soakSample) float64 { return s.Heap })/1e6, float64(s.process.peak())/1e6)
	fmt.Printf("goroutines at rest: %d, farthest %d; descriptors: %d, farthest %d; worst tick late by %.0f ms\n", goroutines, farGoroutines, descriptors, farDescriptors, milliseconds(s.result.worstTick()))
	fmt.Printf("disk: %.2f MB and %d flushes by the store, %.2f MB in all files\n", float64(bytes)/1e6, flushes, float64(last.Written-first.Written)/1e6)
	fmt.Printf("alarms: %d, the slowest ear after %.0f ms\n", len(s.people.alarms), milliseconds(slowest))
	var all []string
	for _, f := range soakFaults() {
		all = append(all, fmt.Sprintf("%s %d", f.name, s.happened[f.name]))
	}
	fmt.Printf("happened: the cloud is gone for hours %d, %s\n", s.happened["the cloud is gone for hours"], strings.Join(all, ", "))
}

// wantLeaks holds that the harness found what was planted in a living daemon.
func (s *soak) wantLeaks(verdict []string) {
	for _, what := range []string{"goroutines:", "descriptors:", "memory:", "ticks:"} {
		found := false
		for _, v := range verdict {
			found = found || strings.HasPrefix(v, what)
		}
		if !found {
			s.t.Errorf("a leak was planted, but nothing is said of %s %q", what, verdict)
		}
	}
	if !s.t.Failed() {
		fmt.Printf("found what was planted: %s\n", strings.Join(verdict, "; "))
	}
}
