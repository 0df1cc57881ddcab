package mqtt

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// BenchmarkEvent is one changed reading from the new State to the message in the broker's hands, without
// the broker: what the adapter itself costs. Topics are those of the devices.
func BenchmarkEvent(b *testing.B) {
	for _, n := range []int{20, 600} {
		b.Run(fmt.Sprint(n, " topics"), func(b *testing.B) {
			v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", ""), 0)
			s := bigHouse(n)
			v.show(s)
			for _, ok := v.next(); ok; _, ok = v.next() {
			}
			states := make([]gateway.State, 2)
			for i := range states {
				states[i] = measured(s, deviceID(n/2), float64(20+i))
			}
			b.ReportAllocs()
			i, sent := 0, 0
			for b.Loop() {
				i++
				v.show(states[i%2])
				for _, ok := v.next(); ok; _, ok = v.next() {
					sent++
				}
			}
			if sent != i {
				b.Fatalf("%d events sent %d messages", i, sent)
			}
		})
	}
}

// BenchmarkDelay is the time from a changed house to the message at a subscriber over a real connection:
// through the Loop, the adapter, paho, the broker and paho again. The loopback relay that any program
// would need is in there.
func BenchmarkDelay(b *testing.B) {
	for _, n := range []int{20, 600} {
		b.Run(fmt.Sprint(n, " topics"), func(b *testing.B) {
			broker := mqtttest.Start(b)
			seen := make(chan time.Time, 1)
			c := paho.NewClient(paho.NewClientOptions().AddBroker(broker.URL()).SetClientID("watcher").SetProtocolVersion(4))
			if t := c.Connect(); !t.WaitTimeout(time.Minute) || t.Error() != nil {
				b.Fatal("no broker")
			}
			defer c.Disconnect(100)
			online := make(chan struct{}, 1)
			c.Subscribe("veilleuse/#", 0, func(_ paho.Client, m paho.Message) {
				switch {
				case m.Topic() == "veilleuse/status" && string(m.Payload()) == "online":
					online <- struct{}{}
				case strings.HasPrefix(m.Topic(), "veilleuse/device/"):
					select {
					case seen <- time.Now():
					default:
					}
				}
			}).Wait()
			h := gatewaytest.Start(b, "mqtt", New(Options{Broker: broker.URL(), Log: slog.New(slog.DiscardHandler)}), gatewaytest.From(bigHouse(n)))
			<-online
			select {
			case <-seen:
			default:
			}
			var delays []time.Duration
			i := 0
			for b.Loop() {
				i++
				time.Sleep(5 * time.Millisecond) // sparse, as events are
				began := time.Now()
				h.Show(func(s gateway.State) gateway.State { return measured(s, deviceID(i%n), float64(i%30)+0.5) })
				delays = append(delays, (<-seen).Sub(began))
			}
			slices.Sort(delays)
			b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "p99-us")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkFullPublish is a start and a stop: the connection, all topics of a house with their announcements
// until a subscriber reads online, then offline.
func BenchmarkFullPublish(b *testing.B) {
	for _, n := range []int{20, 600} {
		b.Run(fmt.Sprint(n, " devices"), func(b *testing.B) {
			broker := mqtttest.Start(b)
			w := mqtttest.Watch(b, broker, "veilleuse/status")
			for b.Loop() {
				h := gatewaytest.Start(b, "mqtt", New(Options{Broker: broker.URL(), Discovery: "homeassistant", Log: slog.New(slog.DiscardHandler)}),
					gatewaytest.From(bigHouse(n)))
				w.WaitFor("veilleuse/status", "online")
				h.Stop()
				w.WaitFor("veilleuse/status", "offline")
			}
		})
	}
}
