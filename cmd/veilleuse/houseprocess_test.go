package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/uplink"
)

// houseOrder is what a daemon in a process of its own is told of the simulated world around it.
type houseOrder struct {
	Config                              string    // file
	House                               time.Time // what the house's clock shows
	Real                                time.Time // at that moment
	Rate                                float64   // seconds of the house a second of the wall
	URL                                 string    // of the vendor, as the prober sees it
	Resolvers, SecondOpinion, Witnesses []string
	Announced                           string        // URL of what mDNS would find
	Deadline                            time.Duration // for the vendor to answer, in real time
}

func (o houseOrder) uplink() uplink.Options {
	return uplink.Options{URL: o.URL, Resolvers: o.Resolvers, SecondOpinion: o.SecondOpinion, Witnesses: o.Witnesses, AllowLoopback: true, Timeout: o.Deadline}
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

// houseProcess is a daemon in a process of its own, as the test sees it.
type houseProcess struct {
	t          *testing.T
	command    *exec.Cmd
	state      string // folder
	log        string // file
	cannotSave bool   // its end is bad for that reason

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
	p := &houseProcess{t: t, state: state, log: filepath.Join(t.TempDir(), "log")}
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
	if p.command.ProcessState != nil {
		return // it was stopped before
	}
	p.in.Close()
	late := time.AfterFunc(patience, func() { p.command.Process.Signal(syscall.SIGABRT) })
	defer late.Stop()
	last, _ := io.ReadAll(p.out) // it ends with the process
	err := p.command.Wait()
	if err != nil && !(p.cannotSave && strings.Contains(string(last), "save the state at the end")) {
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
