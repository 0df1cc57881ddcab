package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a day may cost. An outage day is one in which the house was in charge.
const (
	soakGrowth      = 5e6 // bytes of resident memory
	soakGoroutines  = 5   // more or less, at rest
	soakDescriptors = 3
	soakLate        = time.Second
	calmBytes       = 10e6
	calmFlushes     = 500
	outageBytes     = 30e6
	outageFlushes   = 1500
)

// soakSample is the daemon at one moment, at rest.
type soakSample struct {
	At          time.Time // in the house
	Resident    float64   // bytes
	Heap        float64   // bytes that were alive at the last collection
	Goroutines  int
	Descriptors int
	Late        time.Duration // worst since the sample before
	Bytes       uint64        // handed to the disk by the store, since the start
	Flushes     uint64
	Written     int  // bytes that the kernel wrote for the process, all its files
	Local       bool // the house was in charge at some time since the sample before
}

// soakRun is what is judged.
type soakRun struct {
	samples []soakSample
	faults  []string // what went wrong in the world's eyes: an alarm that was not heard, say
}

// warm are the samples after the warm-up: a quarter of a day, in a short run half of it, for the journals fill in the first hours.
func (r soakRun) warm() []soakSample {
	if len(r.samples) < 40 {
		return r.samples[len(r.samples)/2:]
	}
	return r.samples[len(r.samples)/4:]
}

// growth is how much more memory the daemon has at the end than after the warm-up, by the middle one of all slopes between two samples:
// neither a single peak nor how full the heap happens to be at the end counts.
func (r soakRun) growth(of func(soakSample) float64) float64 {
	warm := r.warm()
	var slopes []float64
	for i, a := range warm {
		for _, b := range warm[i+1:] {
			slopes = append(slopes, (of(b)-of(a))/b.At.Sub(a.At).Hours())
		}
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2] * warm[len(warm)-1].At.Sub(warm[0].At).Hours()
}

func (r soakRun) residentGrowth() float64 {
	return r.growth(func(s soakSample) float64 { return s.Resident })
}

// spread is the middle one, and the farthest from it.
func (r soakRun) spread(of func(soakSample) int) (middle, farthest int) {
	var all []int
	for _, s := range r.warm() {
		all = append(all, of(s))
	}
	slices.Sort(all)
	middle = all[len(all)/2]
	if middle-all[0] > all[len(all)-1]-middle {
		return middle, all[0]
	}
	return middle, all[len(all)-1]
}

// steady says what is wrong with a number that ought to be the same at every rest: it strays, or it creeps.
func (r soakRun) steady(name string, allowed int, of func(soakSample) int) []string {
	middle, far := r.spread(of)
	if far > middle+allowed || far < middle-allowed {
		return []string{fmt.Sprintf("%s: %d at rest, but %d once, allowed are %d more or less", name, middle, far, allowed)}
	}
	if g := r.growth(func(s soakSample) float64 { return float64(of(s)) }); g > float64(allowed) {
		return []string{fmt.Sprintf("%s: they grow by %.0f, allowed are %d", name, g, allowed)}
	}
	return nil
}

func (r soakRun) worstTick() time.Duration {
	return slices.MaxFunc(r.samples, func(a, b soakSample) int { return int(a.Late - b.Late) }).Late
}

// disk is what the store has written between the first and the last sample.
func (r soakRun) disk() (bytes, flushes uint64) {
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	return last.Bytes - first.Bytes, last.Flushes - first.Flushes
}

func (r soakRun) outage() bool {
	return slices.ContainsFunc(r.samples, func(s soakSample) bool { return s.Local })
}

// verdict says in sentences what does not hold; nothing: all is well.
func (r soakRun) verdict() []string {
	if len(r.samples) < 8 {
		return append(r.faults, fmt.Sprintf("only %d samples: nothing can be told of them", len(r.samples)))
	}
	all := slices.Clone(r.faults)
	if g := r.residentGrowth(); g > soakGrowth {
		all = append(all, fmt.Sprintf("memory: it grew by %.1f MB, allowed are %.0f", g/1e6, soakGrowth/1e6))
	}
	all = append(all, r.steady("goroutines", soakGoroutines, func(s soakSample) int { return s.Goroutines })...)
	all = append(all, r.steady("descriptors", soakDescriptors, func(s soakSample) int { return s.Descriptors })...)
	if late := r.worstTick(); late >= soakLate {
		all = append(all, fmt.Sprintf("ticks: one was late by %v", late))
	}
	most, often := uint64(calmBytes), uint64(calmFlushes)
	if r.outage() {
		most, often = outageBytes, outageFlushes
	}
	if bytes, flushes := r.disk(); bytes > most || flushes > often {
		all = append(all, fmt.Sprintf("disk: %.1f MB and %d flushes, allowed are %.0f and %d", float64(bytes)/1e6, flushes, float64(most)/1e6, often))
	}
	return all
}

// table is the run for people.
func (r soakRun) table() string {
	var b strings.Builder
	b.WriteString("house's time | resident MB | live heap MB | goroutines | descriptors | latest tick ms | store MB | flushes | all files MB | in charge\n")
	for _, s := range r.samples {
		who := "Netatmo"
		if s.Local {
			who = "Veilleuse"
		}
		fmt.Fprintf(&b, "%s | %.1f | %.1f | %d | %d | %.0f | %.2f | %d | %.2f | %s\n", s.At.Format("2 Jan 15:04"), s.Resident/1e6, s.Heap/1e6, s.Goroutines, s.Descriptors,
			milliseconds(s.Late), float64(s.Bytes)/1e6, s.Flushes, float64(s.Written)/1e6, who)
	}
	return b.String()
}

// A judge that cannot say no is none: each fault is planted by itself in a day that is else as days are.
func TestSoakJudge(t *testing.T) {
	for _, test := range []struct {
		name  string
		plant func(i int, s *soakSample)
		wants string // first word of the verdict; "": all is well
	}{
		{"nothing", func(int, *soakSample) {}, ""},
		{"a peak of memory that goes away", func(i int, s *soakSample) {
			if i == 90 {
				s.Resident += 40e6
			}
		}, ""},
		{"60 kB lost in each quarter of an hour", func(i int, s *soakSample) { s.Resident += 80e3 * float64(i) }, "memory"},
		{"a goroutine lost each two hours", func(i int, s *soakSample) { s.Goroutines += i / 8 }, "goroutines"},
		{"a descriptor lost each three hours", func(i int, s *soakSample) { s.Descriptors += i / 12 }, "descriptors"},
		{"connections that never came back", func(i int, s *soakSample) {
			if i > 60 {
				s.Descriptors -= 4
			}
		}, "descriptors"},
		{"one tick that was late", func(i int, s *soakSample) {
			if i == 3 {
				s.Late = 1200 * time.Millisecond
			}
		}, "ticks"},
		{"a card that wears out", func(i int, s *soakSample) { s.Bytes = uint64(i) * 200e3 }, "disk"},
		{"a flush each two minutes", func(i int, s *soakSample) { s.Flushes = uint64(i) * 8 }, "disk"},
		{"the same in an outage", func(i int, s *soakSample) { s.Flushes, s.Local = uint64(i)*8, i == 50 }, ""},
		{"too many flushes for an outage", func(i int, s *soakSample) { s.Flushes, s.Local = uint64(i)*17, true }, "disk"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r soakRun
			for i := range 97 {
				s := soakSample{At: demoStart.Add(time.Duration(i) * 15 * time.Minute), Resident: 30e6 + 3e6*math.Sin(float64(i)), Goroutines: 90 + i%3, Descriptors: 30 + i%2,
					Late: 20 * time.Millisecond, Bytes: uint64(i) * 50e3, Flushes: uint64(i) * 4}
				test.plant(i, &s)
				r.samples = append(r.samples, s)
			}
			said := r.verdict()
			switch {
			case test.wants == "" && len(said) > 0:
				t.Error(said)
			case test.wants != "" && (len(said) != 1 || !strings.HasPrefix(said[0], test.wants+":")):
				t.Errorf("%q, want one about %s", said, test.wants)
			}
		})
	}
	unheard := soakRun{faults: []string{"smoke was not heard"}}
	if len(unheard.verdict()) == 0 {
		t.Error("an alarm that nobody heard is no fault")
	}
}
