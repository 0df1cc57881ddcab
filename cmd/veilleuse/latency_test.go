package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
)

const (
	sparse = 50 * time.Millisecond // between two events that come alone
	burst  = 60                    // events that come at once
)

// BenchmarkDelay is the time from a change at a HomeKit accessory to the message at an MQTT client and
// to the event in the Home app: the whole daemon as wire.go puts it together, with its database on disk,
// its broker and its bridge, between real sockets on loopback. The observers' own work is in there. Each
// size reports, in ms: events alone (20 a second), and 60 at once. Compare with BenchmarkRelay of the
// same run, the least that any program would need. Temperatures, which HomeKit batches, change seldom
// enough not to be. Use -benchtime 300x for those alone, which take 50 ms each.
func BenchmarkDelay(b *testing.B) {
	for _, count := range []int{20, 148} {
		fake := startSensors(b, count)
		o := runningHouse(b, fake)
		b.Run(fmt.Sprint("alone/", count, " devices"), func(b *testing.B) { measureAlone(b, fake, o) })
		if count >= burst {
			b.Run(fmt.Sprint(burst, " at once/", count, " devices"), func(b *testing.B) { measureBurst(b, fake, o) })
		}
		b.Run(fmt.Sprint("temperature/", count, " devices"), func(b *testing.B) { measureTemperature(b, fake, o) })
	}
}

// measureAlone lets one sensor after the other see motion.
func measureAlone(b *testing.B, fake *sensors, o *observers) {
	var mqtt, homeKit []time.Duration
	o.drain()
	for i := 0; b.Loop(); i++ {
		time.Sleep(sparse)
		n := i % len(fake.motion)
		began := time.Now()
		if err := fake.move(n); err != nil {
			b.Fatal(err)
		}
		wanted := func(a arrival) bool { return a.sensor == n && a.motion == fake.motion[n] }
		mqtt = append(mqtt, since(b, began, o.mqtt, wanted))
		homeKit = append(homeKit, since(b, began, o.homeKit, wanted))
	}
	reportDelays(b, mqtt, "mqtt")
	reportDelays(b, homeKit, "homekit")
}

// measureBurst lets many sensors change at once; each is timed from the moment when all began. The last
// of each burst is reported on its own.
func measureBurst(b *testing.B, fake *sensors, o *observers) {
	var mqtt, homeKit, lastMQTT, lastHomeKit []time.Duration
	o.drain()
	for i := 0; b.Loop(); i++ {
		time.Sleep(2 * sparse)
		began, wanted := time.Now(), map[int]bool{}
		for k := range burst {
			n := (i*burst + k) % len(fake.motion)
			if err := fake.move(n); err != nil {
				b.Fatal(err)
			}
			wanted[n] = fake.motion[n]
		}
		one, other := allSince(b, began, o.mqtt, wanted), allSince(b, began, o.homeKit, wanted)
		mqtt, homeKit = append(mqtt, one...), append(homeKit, other...)
		lastMQTT, lastHomeKit = append(lastMQTT, slices.Max(one)), append(lastHomeKit, slices.Max(other))
	}
	reportDelays(b, mqtt, "mqtt")
	reportDelays(b, homeKit, "homekit")
	reportDelays(b, lastMQTT, "last-mqtt")
	reportDelays(b, lastHomeKit, "last-homekit")
}

// measureTemperature changes a value that HomeKit batches, at a pace at which nothing is held back.
func measureTemperature(b *testing.B, fake *sensors, o *observers) {
	var mqtt, homeKit []time.Duration
	o.drain()
	for i := 0; b.Loop(); i++ {
		time.Sleep(1100 * time.Millisecond)
		n := i % len(fake.motion)
		began := time.Now()
		if err := fake.warm(n); err != nil {
			b.Fatal(err)
		}
		celsius := 20 + fake.warmth[n]/10
		wanted := func(a arrival) bool { return a.sensor == n && max(a.temperature-celsius, celsius-a.temperature) < 0.05 }
		mqtt = append(mqtt, since(b, began, o.mqtt, wanted))
		homeKit = append(homeKit, since(b, began, o.homeKit, wanted))
	}
	reportDelays(b, mqtt, "mqtt")
	reportDelays(b, homeKit, "homekit")
}

func since(b *testing.B, began time.Time, arrivals <-chan arrival, wanted func(arrival) bool) time.Duration {
	at, err := next(arrivals, wanted)
	if err != nil {
		b.Fatal(err)
	}
	return at.Sub(began)
}

// allSince waits until each sensor has shown what it is wanted to.
func allSince(b *testing.B, began time.Time, arrivals <-chan arrival, wanted map[int]bool) []time.Duration {
	var all []time.Duration
	got := map[int]bool{}
	for len(got) < len(wanted) {
		var n int
		all = append(all, since(b, began, arrivals, func(a arrival) bool {
			n = a.sensor
			want, ok := wanted[a.sensor]
			return ok && !got[a.sensor] && a.motion == want
		}))
		got[n] = true
	}
	return all
}

// reportDelays reports median and 99th percentile in ms.
func reportDelays(b *testing.B, delays []time.Duration, name string) {
	b.Helper()
	slices.Sort(delays)
	b.ReportMetric(milliseconds(delays[len(delays)/2]), name+"-p50-ms")
	b.ReportMetric(milliseconds(delays[len(delays)*99/100]), name+"-p99-ms")
	b.ReportMetric(0, "ns/op")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// runningHouse is the daemon in this process, paired with the sensors, and two who observe it.
func runningHouse(b *testing.B, fake *sensors) *observers {
	b.Helper()
	return runHouse(b, wiredHouse(b, fake), len(fake.motion))
}

// runHouse runs a daemon, with two who observe so many sensors of it.
func runHouse(b testing.TB, h *house, count int) *observers {
	b.Helper()
	ctx := runsToTheEnd(b, h.run)
	waiting, stop := context.WithTimeout(ctx, patience)
	defer stop()
	var report codeReport
	listens := func() bool {
		var err error
		report, err = h.code()
		return err == nil && report.Listen != "127.0.0.1:0" && h.broker.Address() != ""
	}
	if err := until(waiting, listens); err != nil {
		b.Fatal("the house does not come up")
	}
	return observe(b, h.broker.Address(), report.Listen, report.Code, count)
}

// wiredHouse is the daemon, not yet running, in a world without strangers.
func wiredHouse(b testing.TB, fake *sensors, more ...func(*outside, *uplinktest.World)) *house {
	b.Helper()
	cloud := netatmotest.New(netatmotest.Options{})
	internet, err := uplinktest.New(uplinktest.Settings{API: cloud})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { internet.Close() })
	config := defaults()
	config.State = b.TempDir()
	config.Netatmo.URL = "http://" + internet.Edge.Address().String()
	config.HomeKit.Listen, config.MQTT.Listen, config.Web.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	world := outside{
		quiet: true, clock: demoTrust{},
		browse: func(context.Context) ([]accessory.Announced, error) { return nil, nil },
		uplink: uplink.Options{URL: internet.URL(), Resolvers: internet.Resolvers(), SecondOpinion: internet.SecondOpinion(),
			Witnesses: internet.Witnesses(), Roots: internet.Roots(), AllowLoopback: true},
	}
	for _, change := range more {
		change(&world, internet)
	}
	h, err := build(config, slog.New(slog.DiscardHandler), world)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := h.accessory.Pair(ctx, fake.bridge.Address(), fake.bridge.Code(), ""); err != nil {
		b.Fatal(err)
	}
	return h
}

// BenchmarkRelay is the floor below BenchmarkDelay: one message in over TCP, one out over TCP, nothing
// else, and everybody asleep in between.
func BenchmarkRelay(b *testing.B) {
	in, out := relay(b)
	arrived := make(chan time.Time, 1)
	go func() {
		buffer := make([]byte, 256)
		for {
			if _, err := io.ReadFull(out, buffer); err != nil {
				return
			}
			arrived <- time.Now()
		}
	}()
	var delays []time.Duration
	message := make([]byte, 256)
	for b.Loop() {
		time.Sleep(sparse)
		began := time.Now()
		if _, err := in.Write(message); err != nil {
			b.Fatal(err)
		}
		delays = append(delays, (<-arrived).Sub(began))
	}
	reportDelays(b, delays, "relay")
}

// relay returns both ends of a connection through a process that copies.
func relay(b *testing.B) (in, out net.Conn) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	connect := func() (near, far net.Conn) {
		near, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		if far, err = listener.Accept(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { near.Close(); far.Close() })
		return near, far
	}
	in, first := connect()
	second, out := connect()
	go func() {
		buffer := make([]byte, 256)
		for {
			n, err := first.Read(buffer)
			if err != nil {
				return
			}
			if _, err := second.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	return in, out
}
