package broker_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

func quiet(b *testing.B) *broker.Broker {
	b.Helper()
	broker, err := broker.New("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	if err := broker.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(broker.Stop)
	return broker
}

// From Publish within the process to the last of the subscribers, one message at a time.
func BenchmarkPublishToSubscribers(b *testing.B) {
	for _, subscribers := range []int{1, 10, 50} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) {
			house := quiet(b)
			peers := make([]*brokertest.Peer, subscribers)
			for i := range peers {
				peers[i] = brokertest.Join(b, house.Address(), brokertest.Connect{ID: fmt.Sprint(i)})
				peers[i].Subscribe("state/#", 0)
			}
			payload := make([]byte, 100)
			var delays []time.Duration
			for b.Loop() {
				began := time.Now()
				if err := house.Publish("state/1", payload, true); err != nil {
					b.Fatal(err)
				}
				for _, p := range peers {
					p.Next()
				}
				delays = append(delays, time.Since(began))
			}
			slices.Sort(delays)
			b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// From SUBSCRIBE to the last of 300 retained messages.
func BenchmarkRetainedToNewSubscriber(b *testing.B) {
	house := quiet(b)
	for i := range 300 {
		if err := house.Publish(fmt.Sprint("state/", i), make([]byte, 200), true); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	for b.Loop() {
		n++
		p := brokertest.Join(b, house.Address(), brokertest.Connect{ID: fmt.Sprint(n)})
		p.Send(brokertest.Subscribe(4, 1, "state/#", 0))
		for range 300 + 1 {
			p.Next()
		}
		p.Close()
	}
}

// What a connection, a silent connection and a retained topic of 200 bytes cost.
func BenchmarkMemory(b *testing.B) {
	const connections, topics = 60, 1000
	for b.Loop() {
		house := quiet(b)
		start := heap()
		silent := make([]*brokertest.Peer, 30)
		for i := range silent {
			silent[i] = brokertest.Dial(b, house.Address())
		}
		eventually(b, "all wait", func() bool { waiting, _ := house.Connections(); return waiting == len(silent) })
		waiting := heap()
		for i := range connections {
			p := brokertest.Join(b, house.Address(), brokertest.Connect{ID: fmt.Sprint(i)})
			p.Subscribe("state/#", 0)
		}
		connected := heap()
		for i := range topics {
			if err := house.Publish(fmt.Sprint("other/", i), make([]byte, 200), true); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(waiting-start)/float64(len(silent)), "B/silent")
		b.ReportMetric(float64(connected-waiting)/connections, "B/client")
		b.ReportMetric(float64(heap()-connected)/topics, "B/topic")
		house.Stop()
	}
}

// heap is the memory in use, stacks included; the peers of the test are part of it.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
