package homekit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// figuresVariable lets TestFigures take its time: VEILLEUSE_FIGURES=1.
const figuresVariable = "VEILLEUSE_FIGURES"

// servedVariable tells this test program, run again, to serve a house of so many accessories.
const servedVariable = "VEILLEUSE_SERVED"

const (
	controllers    = 8
	changesASecond = 30
	readAtOnce     = 40 // values, as many as iOS asks for
	goal           = 20 * time.Millisecond
)

// TestFigures measures what eight controllers see of bridges with 20, 149 (which is all that one can have) and 600 accessories, in a process of their own,
// while 30 values a second change: reads, the way from a write to the other controllers, resident memory.
//
//	VEILLEUSE_FIGURES=1 go test ./adapters/homekit -run TestFigures -v
func TestFigures(t *testing.T) {
	if text := os.Getenv(servedVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		serveCrowd(t, n)
		return
	}
	readFor, writes := 300*time.Millisecond, 1
	whole := os.Getenv(figuresVariable) != ""
	if whole {
		readFor, writes = 20*time.Second, 15
	}
	t.Logf("accessories | bridges | values p50 / p99 ms | everything p50 / p99 ms | write to event p50 / p99 ms | resident MB alone / with 8 controllers")
	for _, accessories := range []int{20, hap.AccessoriesMax - 1, 600} {
		f := measure(t, accessories, readFor, writes)
		t.Logf("%d | %d | %s | %s | %s | %.1f / %.1f", accessories, f.bridges, spread(f.values), spread(f.all), spread(f.events), f.alone, f.served)
		if whole && percentile(f.values, 0.99) > goal {
			t.Errorf("with %d accessories the 99th percentile of reads is %v, the goal is %v", accessories, percentile(f.values, 0.99), goal)
		}
		if want := writes * (controllers - 1); len(f.events) != want {
			t.Errorf("with %d accessories %d events of writes came, want %d", accessories, len(f.events), want)
		}
	}
}

// serveCrowd is the process that is measured. It says where its bridges are, and changes values until its input ends.
func serveCrowd(t *testing.T, accessories int) {
	const ownAndOthers = 10 // in home
	s := crowd(accessories - ownAndOthers)
	a := New(Options{Vault: gatewaytest.NewVault(), Listen: "127.0.0.1:0", Name: "Test", Log: slog.New(slog.DiscardHandler)})
	house := gatewaytest.Start(t, "homekit", a, gatewaytest.From(s), thatEvening)
	for number := range bridgesFor(accessories) {
		awaitBridge(t, a, number+1)
	}
	all, err := a.Bridges()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(gone) }()
	beat := time.NewTicker(time.Second / changesASecond)
	defer beat.Stop()
	for i := 0; ; i++ {
		select {
		case <-gone:
			return
		case <-beat.C:
		}
		id := gateway.DeviceID(fmt.Sprintf("sensor%03d", i%(accessories-ownAndOthers)))
		warmth := gateway.Number(15 + float64(i%100)/10)
		house.Show(func(s gateway.State) gateway.State {
			s.Devices = s.Devices.With(id, device(id, "NAModule4", "", gateway.Temperature, warmth))
			return s
		})
	}
}

func bridgesFor(accessories int) int {
	return int(math.Ceil(float64(accessories) / (hap.AccessoriesMax - 1)))
}

// figures are what was measured at one size.
type figures struct {
	bridges             int
	values, all, events []time.Duration
	alone, served       float64 // MB
}

// measure serves so many accessories in another process and uses them.
func measure(t *testing.T, accessories int, readFor time.Duration, writes int) figures {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestFigures$")
	cmd.Env = append(os.Environ(), servedVariable+"="+strconv.Itoa(accessories))
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _, _ = io.Copy(io.Discard, out); _ = cmd.Wait() }()
	var bridges []Bridge
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &bridges)
	}
	if err != nil || len(bridges) != bridgesFor(accessories) {
		t.Fatalf("the bridges are %+v (%v)", bridges, err)
	}
	f := figures{bridges: len(bridges), alone: resident(t, cmd.Process.Pid)}
	people := gather(t, ctx, bridges)
	f.events = writeAndHear(t, ctx, people, writes)
	f.values, f.all = readAll(t, ctx, people, readFor)
	f.served = resident(t, cmd.Process.Pid)
	return f
}

// person is one controller with a session to each bridge.
type person struct {
	sessions []*hap.Session
	ids      [][]hap.CharacteristicID // what can be read, by bridge
	events   chan time.Time           // of the target that is written
}

// gather pairs all controllers with all bridges; the first one writes, so that it subscribes to nothing.
func gather(t *testing.T, ctx context.Context, bridges []Bridge) []*person {
	t.Helper()
	var people []*person
	for range controllers {
		people = append(people, &person{events: make(chan time.Time, 1000)})
	}
	for _, b := range bridges {
		pairings := pairAll(t, ctx, b)
		for i, p := range people {
			p.enter(t, ctx, b, pairings[i])
		}
	}
	return people
}

// pairAll pairs one controller by the code, which adds the others.
func pairAll(t *testing.T, ctx context.Context, b Bridge) []hap.Pairing {
	t.Helper()
	identity, _ := hap.NewIdentity()
	first, err := hap.PairSetup(ctx, b.Listen, b.Code, identity, 0)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := hap.Connect(ctx, b.Listen, first, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	all := []hap.Pairing{first}
	for len(all) < controllers {
		next := first
		next.Controller, _ = hap.NewIdentity()
		if err := admin.AddPairing(ctx, hap.PairedController{ID: next.Controller.ID, Key: next.Controller.Public(), Admin: true}); err != nil {
			t.Fatal(err)
		}
		all = append(all, next)
	}
	return all
}

// enter opens a session and learns what can be read there.
func (p *person) enter(t *testing.T, ctx context.Context, b Bridge, pairing hap.Pairing) {
	t.Helper()
	s, err := hap.Connect(ctx, b.Listen, pairing, func([]hap.Reading) {
		select {
		case p.events <- time.Now():
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	all, err := s.Accessories(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var ids []hap.CharacteristicID
	for _, a := range all {
		for _, service := range a.Services {
			for _, c := range service.Characteristics {
				if c.Has(hap.PermRead) {
					ids = append(ids, hap.CharacteristicID{AID: a.AID, IID: c.IID})
				}
			}
		}
	}
	p.sessions, p.ids = append(p.sessions, s), append(p.ids, ids)
}

// writeAndHear lets the first controller write and measures when each of the others hears of it. Events of one controller
// keep a second's distance, so that each write waits for a quiet moment.
func writeAndHear(t *testing.T, ctx context.Context, people []*person, writes int) (took []time.Duration) {
	t.Helper()
	all, err := people[0].sessions[0].Accessories(ctx)
	if err != nil {
		t.Fatal(err)
	}
	target, _ := find(t, all, "Bath", hap.ServiceThermostat, hap.CharacteristicTargetTemperature)
	for _, p := range people[1:] {
		if _, err := p.sessions[0].Subscribe(ctx, target); err != nil {
			t.Fatal(err)
		}
	}
	for i := range writes {
		if i > 0 {
			time.Sleep(1100 * time.Millisecond)
		}
		began := time.Now()
		results, err := people[0].sessions[0].Write(ctx, hap.Write{ID: target, Value: hap.NumberValue(15 + float64(i%10))})
		if err != nil || results[0].Status != hap.StatusOK {
			t.Fatal(results, err)
		}
		for _, p := range people[1:] {
			select {
			case at := <-p.events:
				took = append(took, at.Sub(began))
			case <-time.After(gatewaytest.Patience):
				t.Fatal("a controller does not hear of a write")
			}
		}
	}
	return took
}

// readAll lets every controller subscribe to everything and read on until the time is over, mostly values.
func readAll(t *testing.T, ctx context.Context, people []*person, during time.Duration) (values, everything []time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var running sync.WaitGroup
	end := time.Now().Add(during)
	for _, p := range people {
		running.Go(func() {
			v, e, err := p.read(ctx, end)
			mu.Lock()
			defer mu.Unlock()
			values, everything = append(values, v...), append(everything, e...)
			if err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	return values, everything
}

func (p *person) read(ctx context.Context, end time.Time) (values, everything []time.Duration, err error) {
	const pause, wholeEvery = 50 * time.Millisecond, 20
	for i, s := range p.sessions {
		if _, err := s.Subscribe(ctx, p.ids[i]...); err != nil {
			return nil, nil, err
		}
	}
	for turn := 0; time.Now().Before(end); turn++ {
		i := turn % len(p.sessions)
		began := time.Now()
		if turn%wholeEvery == 0 {
			_, err = p.sessions[i].Accessories(ctx)
			everything = append(everything, time.Since(began))
		} else {
			from := turn * readAtOnce % len(p.ids[i])
			_, err = p.sessions[i].Read(ctx, p.ids[i][from:min(from+readAtOnce, len(p.ids[i]))]...)
			values = append(values, time.Since(began))
		}
		if err != nil {
			return values, everything, err
		}
		time.Sleep(pause)
	}
	return values, everything, nil
}

// resident is the memory of a process in MB, 0 where this system does not tell.
func resident(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatalf("no memory in %s", status)
	}
	kB, _ := strconv.ParseFloat(string(found[1]), 64)
	return kB / 1000
}

func percentile(all []time.Duration, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

func spread(all []time.Duration) string {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("%.2f / %.2f (%d)", ms(percentile(all, 0.5)), ms(percentile(all, 0.99)), len(all))
}
