package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
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
)

// process is a program that runs beside the test. Its standard error goes to a file, of which the end
// is shown if the test fails.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	in   io.WriteCloser
	done chan struct{}
}

// startProcess starts a program and hands each line of its standard output to hear. It is killed at
// the end of the test if it still runs.
func startProcess(t *testing.T, name string, cmd *exec.Cmd, hear func(line []byte)) *process {
	t.Helper()
	p := &process{name: name, log: filepath.Join(t.TempDir(), "log"), cmd: cmd, done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err == nil {
		p.in, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go p.read(out, hear)
	t.Cleanup(func() {
		p.stop(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("the end of what %s said:\n%s", name, p.lastWords(40))
		}
	})
	return p
}

func (p *process) read(out io.Reader, hear func([]byte)) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		hear(bytes.TrimSpace(line))
	}
	_ = p.cmd.Wait() // how it ended is in its log
	close(p.done)
}

// stop sends a signal and waits until the program has ended; it says how long that took.
func (p *process) stop(signal syscall.Signal) time.Duration {
	began := time.Now()
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return time.Since(began)
}

// lastWords is the end of the log.
func (p *process) lastWords(lines int) string {
	text, _ := os.ReadFile(p.log)
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// races says what the race detector found in the program.
func (p *process) races() error {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err
	}
	if at := bytes.Index(text, []byte("WARNING: DATA RACE")); at >= 0 {
		return fmt.Errorf("%.2000s", text[at:])
	}
	return nil
}

// stranger is a program of others that speaks as lines.js does.
type stranger struct {
	*process
	news chan news

	mu      sync.Mutex
	number  int
	waiting map[int]chan reply
}

type reply struct {
	ID     int
	Answer json.RawMessage
	Error  string
}

// news is what a stranger says without being asked.
type news struct {
	News            string
	Accessory       string
	Characteristic  string
	Value           any
	Characteristics json.RawMessage
	At              time.Time `json:"-"`
}

func startStranger(t *testing.T, name string, cmd *exec.Cmd) *stranger {
	t.Helper()
	s := &stranger{news: make(chan news, 10000), waiting: map[int]chan reply{}}
	s.process = startProcess(t, name, cmd, s.hear)
	return s
}

// startNode starts one of the programs of this folder that run on Node.
func startNode(t *testing.T, with tools, script string, args ...string) *stranger {
	t.Helper()
	return startNodeBy(t, with, exec.Command, script, args...)
}

// startNodeBy is startNode by another way to run a program, such as inside of a network.
func startNodeBy(t *testing.T, with tools, command func(string, ...string) *exec.Cmd, script string, args ...string) *stranger {
	t.Helper()
	cmd := command("node", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+with.modules())
	return startStranger(t, script, cmd)
}

func startHomeApp(t *testing.T, with tools) *stranger { return startNode(t, with, "homeapp.js") }

func startAioHome(t *testing.T, with tools) *stranger {
	return startStranger(t, "aiohome.py", exec.Command(with.python(), "aiohome.py"))
}

func (s *stranger) hear(line []byte) {
	var r reply
	if err := json.Unmarshal(line, &r); err != nil {
		return
	}
	if r.ID == 0 {
		n := news{At: time.Now()}
		if json.Unmarshal(line, &n) == nil {
			s.news <- n
		}
		return
	}
	s.mu.Lock()
	answer := s.waiting[r.ID]
	delete(s.waiting, r.ID)
	s.mu.Unlock()
	if answer != nil {
		answer <- r
	}
}

// askTime bounds each request: hap-controller never answers on a session that broke. A browser's requests have bounds of their
// own, which are shorter.
const askTime = 3 * patience

// ask has the stranger do something and puts its answer into the value that into points to.
func (s *stranger) ask(verb string, with map[string]any, into any) error {
	request := map[string]any{"do": verb}
	for k, v := range with {
		request[k] = v
	}
	answer := make(chan reply, 1)
	s.mu.Lock()
	s.number++
	request["id"] = s.number
	s.waiting[s.number] = answer
	line, err := json.Marshal(request)
	if err == nil {
		_, err = s.in.Write(append(line, '\n'))
	}
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.name, verb, err)
	}
	select {
	case r := <-answer:
		if r.Error != "" {
			return fmt.Errorf("%s %s: %s", s.name, verb, r.Error)
		}
		if into == nil {
			return nil
		}
		return json.Unmarshal(r.Answer, into)
	case <-s.done:
		return fmt.Errorf("%s %s: the program ended", s.name, verb)
	case <-time.After(askTime):
		return fmt.Errorf("%s %s: no answer within %s", s.name, verb, askTime)
	}
}

// forget drops the news that has come so far.
func (s *stranger) forget() {
	for {
		select {
		case <-s.news:
		default:
			return
		}
	}
}

// await waits for news that fits.
func (s *stranger) await(limit time.Duration, fits func(news) bool) (news, error) {
	end := time.After(limit)
	for {
		select {
		case n := <-s.news:
			if fits(n) {
				return n, nil
			}
		case <-s.done:
			return news{}, errors.New(s.name + " ended")
		case <-end:
			return news{}, fmt.Errorf("%s: not within %s", s.name, limit)
		}
	}
}
