package hap

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"
)

// BenchmarkSetValueToEvent measures from SetValues to the event in a controller's hands, over loopback, with a house at
// rest between two changes.
func BenchmarkSetValueToEvent(b *testing.B) {
	for _, devices := range []int{20, AccessoriesMax - 1} {
		b.Run(fmt.Sprintf("%d devices", devices), func(b *testing.B) {
			list := house(devices)
			s := startServer(b, list, nil)
			c := s.admin()
			c.subscribe(everything(list)...)
			var delays []time.Duration
			for n := 0; b.Loop(); n++ {
				aid := 2 + n%devices
				value := fmt.Sprintf("%d.20=%t", aid, n/devices%2 == 0)
				start := time.Now()
				s.set(value)
				if got := c.event(); got != value {
					b.Fatalf("heard %q, want %q", got, value)
				}
				delays = append(delays, time.Since(start))
			}
			slices.Sort(delays)
			b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// BenchmarkAccessories150 measures a full bridge's /accessories over loopback, and its encoding alone.
func BenchmarkAccessories150(b *testing.B) {
	list := house(AccessoriesMax - 1)
	b.Run("over loopback", func(b *testing.B) {
		c := startServer(b, list, nil).admin()
		for b.Loop() {
			if answer := c.get("/accessories"); answer.status != http.StatusOK {
				b.Fatalf("status %d", answer.status)
			}
		}
	})
	b.Run("encoding", func(b *testing.B) {
		d := newTestDatabase(b, list)
		b.ReportAllocs()
		b.SetBytes(int64(len(d.encode())))
		for b.Loop() {
			d.encode()
		}
	})
}

// BenchmarkMemoryOfAnAccessory reports what the database keeps of an accessory beside the caller's own list, and what a
// session with all subscriptions keeps.
func BenchmarkMemoryOfAnAccessory(b *testing.B) {
	list := house(AccessoriesMax - 1)
	for b.Loop() {
		before := heap()
		s := startServer(b, list, nil)
		b.ReportMetric(float64(heap()-before)/AccessoriesMax, "B/accessory")
		c := s.admin()
		before = heap()
		c.subscribe(everything(list)...)
		b.ReportMetric(float64(heap()-before)/float64(len(everything(list))), "B/subscription")
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
