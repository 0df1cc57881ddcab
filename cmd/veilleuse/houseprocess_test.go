package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// houseEnvironment names the environment variable that makes the test program the daemon.
const houseEnvironment = "VEILLEUSE_HOUSE"

// houseOrder is what a daemon in a process of its own is told of the simulated world around it.
type houseOrder struct {
	Config                              string    // file
	House                               time.Time // what the house's clock shows
	Real                                time.Time // at that moment
	Rate                                float64   // seconds of the house a second of the wall
	URL                                 string    // of the vendor, as the prober sees it
	Resolvers, SecondOpinion, Witnesses []string
	Announced                           string // URL of what mDNS would find
}

func (o houseOrder) uplink() uplink.Options {
	return uplink.Options{URL: o.URL, Resolvers: o.Resolvers, SecondOpinion: o.SecondOpinion, Witnesses: o.Witnesses, AllowLoopback: true, Timeout: 500 * time.Millisecond}
}

// houseSample is what the daemon tells of itself.
type houseSample struct {
	Goroutines int
	Heap       uint64        // bytes that were alive when garbage was last collected
	Late       time.Duration // by which the worst tick since the last sample was late, in real time
	Bytes      uint64        // handed to the disk by the store since the start
	Flushes    uint64
	Fault      string
}

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
		now: clock.Now, after: clock.After, quiet: true, clock: demoTrust{}, deadline: 500 * time.Millisecond, try: afterAccident(config.State),
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

// houseProcess is a daemon in a process of its own, as the test sees it.
type houseProcess struct {
	t       *testing.T
	command *exec.Cmd
	state   string // folder
	log     string // file
	ended   chan struct{}

	mu  sync.Mutex
	in  io.WriteCloser
	out *bufio.Reader
}

// startProcess starts the daemon. prepare, which may be nil, changes the command first.
func startProcess(t *testing.T, order houseOrder, state string, prepare func(*exec.Cmd)) *houseProcess {
	t.Helper()
	text, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	p := &houseProcess{t: t, state: state, log: filepath.Join(t.TempDir(), "log"), ended: make(chan struct{})}
	p.command = exec.Command(os.Args[0], "-test.run=^TestHouseProcess$", "-test.timeout=0")
	p.command.Env = append(os.Environ(), houseEnvironment+"="+string(text))
	if prepare != nil {
		prepare(p.command)
	}
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.command.Stderr = log
	if p.in, err = p.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	return p
}

// stop ends the daemon as a service manager does, by force if it must.
func (p *houseProcess) stop() {
	p.in.Close()
	late := time.AfterFunc(20*time.Second, func() { p.command.Process.Signal(syscall.SIGABRT) })
	defer late.Stop()
	err := p.command.Wait()
	if err != nil {
		p.t.Errorf("the daemon ends badly: %v", err)
	}
	if p.t.Failed() {
		p.t.Logf("the end of what the daemon said:\n%s", p.lastWords(60))
	}
}

// ask has the daemon do something.
func (p *houseProcess) ask(line string) (houseSample, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return houseSample{}, fmt.Errorf("the daemon has ended: %w", err)
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		return houseSample{}, fmt.Errorf("the daemon has ended: %w", err)
	}
	var s houseSample
	if err := json.Unmarshal(answer, &s); err != nil {
		return s, fmt.Errorf("%s: %w", answer, err)
	}
	if s.Fault != "" {
		return s, fmt.Errorf("%s: %s", line, s.Fault)
	}
	return s, nil
}

func (p *houseProcess) folder() string { return fmt.Sprintf("/proc/%d", p.command.Process.Pid) }

// resident is its memory in bytes.
func (p *houseProcess) resident() int { return 1024 * figure(p.t, p.folder()+"/status", "VmRSS:") }

// peak is the most that resident ever was.
func (p *houseProcess) peak() int { return 1024 * figure(p.t, p.folder()+"/status", "VmHWM:") }

// descriptors is how many files and connections it has open.
func (p *houseProcess) descriptors() (int, error) {
	all, err := os.ReadDir(p.folder() + "/fd")
	return len(all), err
}

// said is all that it logged.
func (p *houseProcess) said() string {
	text, _ := os.ReadFile(p.log)
	return string(text)
}

func (p *houseProcess) lastWords(lines int) string {
	all := strings.Split(strings.TrimSpace(p.said()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
