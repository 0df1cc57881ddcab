package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// houseEnvironment names the environment variable that makes the test program the daemon.
const houseEnvironment = "VEILLEUSE_HOUSE"

// TestHouseProcess is no test: it is the daemon of TestSoak and TestExhaustion, wired as the verb run does it, in a
// process of its own. Only the clock's speed and the ways to the vendor and to the accessories are simulated.
func TestHouseProcess(t *testing.T) {
	text := os.Getenv(houseEnvironment)
	if text == "" {
		return
	}
	var order houseOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	if err := beHouse(order); err != nil {
		t.Fatal(err)
	}
}

// beHouse runs the daemon until its standard input ends, and obeys what comes there.
func beHouse(order houseOrder) error {
	debug.SetGCPercent(garbage)
	config, _, err := loadConfig(order.Config)
	if err != nil {
		return err
	}
	clock := &steppedClock{demoClock: newDemoClock(order.House.Add(time.Duration(float64(time.Since(order.Real))*order.Rate)), order.Rate)}
	log := slog.New(newLogHandler(os.Stderr))
	h, err := build(config, log, outside{
		now: clock.Now, after: clock.After, quiet: true, clock: timeServer{}, deadline: order.Deadline, try: afterAccident(config.State),
		uplink: order.uplink(), browse: func(ctx context.Context) ([]accessory.Announced, error) { return announcedAt(ctx, order.Announced) },
	})
	if err != nil {
		return err
	}
	if damage := h.store.Damage(); damage != "" {
		log.Warn(damage)
	}
	late := &lateness{longest: time.Duration(float64(longestTick) / order.Rate), last: time.Now()}
	h.loop.Step = late.watch
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx) }()
	person := housePerson{house: h, clock: clock, late: late}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		answer := person.obey(lines.Text())
		if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
			return err
		}
	}
	cancel()
	return <-ended
}

// announcedAt asks the world what mDNS would find.
func announcedAt(ctx context.Context, url string) ([]accessory.Announced, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("mDNS: %s", response.Status)
	}
	var all []accessory.Announced
	return all, json.NewDecoder(response.Body).Decode(&all)
}

// steppedClock is a fast clock that somebody may set. What waits does not feel that, as with the system's.
type steppedClock struct {
	*demoClock
	mu     sync.Mutex
	offset time.Duration
}

func (c *steppedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.demoClock.Now().Add(c.offset)
}

func (c *steppedClock) step(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += by
}

// timeServer vouches for the clock, and again half a minute after the house began to doubt it, as the real adapter does.
type timeServer struct{}

func (timeServer) Run(ctx context.Context, port gateway.Port) error {
	answer := port.After(0)
	for {
		select {
		case <-answer:
			answer = nil
			port.Post(gateway.Clock{Trust: gateway.TrustSynced, Why: "a time server answers"})
		case s := <-port.Shown():
			if s.Clock.Trust == gateway.TrustGuess && answer == nil {
				answer = port.After(30 * time.Second)
			}
		case <-port.Commands():
		case <-ctx.Done():
			return nil
		}
	}
}

// longestTick is the longest that the Loop plans between two ticks, in the house's time.
const longestTick = 10 * time.Second

// lateness notes by how much a tick comes later than the longest pause after the one before it.
type lateness struct {
	longest time.Duration // real

	mu    sync.Mutex
	last  time.Time
	worst time.Duration
}

func (l *lateness) watch(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
	if _, ok := e.Fact.(gateway.Tick); ok {
		l.note(time.Now())
	}
	return rules.Step(s, e)
}

func (l *lateness) note(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.worst = max(l.worst, now.Sub(l.last)-l.longest)
	l.last = now
}

// take returns the worst since it was last taken. A tick that is overdue counts.
func (l *lateness) take(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	worst := max(l.worst, now.Sub(l.last)-l.longest)
	l.worst = 0
	return worst
}

// housePerson does inside the process what the test asks for.
type housePerson struct {
	house  *house
	clock  *steppedClock
	late   *lateness
	leaked []any // by the test that the harness finds leaks
}

func (p *housePerson) obey(line string) houseSample {
	word, rest, _ := strings.Cut(line, " ")
	var err error
	switch word {
	case "sample":
		return p.sample()
	case "step":
		var by time.Duration
		if by, err = time.ParseDuration(rest); err == nil {
			p.clock.step(by)
		}
	case "leak":
		err = p.leak(rest)
	case "stacks":
		err = writeStacks(rest)
	case "full":
		err = fillDisk(rest)
	case "room":
		err = os.Remove(rest)
	default:
		err = fmt.Errorf("%q is not understood", line)
	}
	if err != nil {
		return houseSample{Fault: err.Error()}
	}
	return houseSample{}
}

func (p *housePerson) sample() houseSample {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	stats := p.house.store.Stats()
	return houseSample{Goroutines: runtime.NumGoroutine(), Heap: live[0].Value.Uint64(), Late: p.late.take(time.Now()), Bytes: stats.Bytes, Flushes: stats.Flushes}
}

// leak loses a goroutine, a descriptor or a megabyte.
func (p *housePerson) leak(what string) error {
	switch what {
	case "goroutine":
		go func() { select {} }()
	case "descriptor":
		file, err := os.Open(os.DevNull)
		if err != nil {
			return err
		}
		p.leaked = append(p.leaked, file)
	case "memory":
		lost := make([]byte, 1<<20)
		for i := range lost { // pages that are never written are not there
			lost[i] = byte(i)
		}
		p.leaked = append(p.leaked, lost)
	case "tick":
		p.late.note(time.Now().Add(2 * time.Second))
	default:
		return fmt.Errorf("%q cannot be leaked", what)
	}
	return nil
}

// writeStacks writes where each goroutine stands.
func writeStacks(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return pprof.Lookup("goroutine").WriteTo(file, 1)
}

// fillDisk leaves no room on a disk by a file of that name.
func fillDisk(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for size := 1 << 16; size > 0; {
		if _, err := file.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return nil
}
