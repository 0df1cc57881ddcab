package powercut

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Words that begin a line of what a life says.
const (
	wordBoot         = "boot"   // the machine's kernel has started us
	wordOpen         = "open"   // ms it took to open the store
	wordDamaged      = "damage" // what the store says about it
	wordLost         = "lost"
	wordWrong        = "wrong"
	wordStands       = "stands" // number of the last change that is there
	wordReady        = "ready"  // ms until the daemon was
	wordHangs        = "hangs"  // the daemon does
	wordAcknowledged = "ack"    // number of a change that is durable
	wordFailed       = "failed"
)

// story is what a life has said so far.
type story struct {
	acknowledged int // number of the last change that is known to be durable; 0: none
	changes      int // that were acknowledged
	lost, wrong  []string
	damaged      string
	failed       string
	stands       bool // what the last life left was looked at
	hangs        string
	open, ready  time.Duration
}

// hear takes a line.
func (s *story) hear(line string) {
	word, rest, _ := cutWord(line)
	number, err := strconv.Atoi(rest)
	switch word {
	case wordOpen:
		s.open = time.Duration(number) * time.Millisecond
	case wordReady:
		s.ready = time.Duration(number) * time.Millisecond
	case wordHangs:
		s.hangs = rest
	case wordDamaged:
		s.damaged = rest
	case wordLost:
		s.lost = append(s.lost, rest)
	case wordWrong:
		s.wrong = append(s.wrong, rest)
	case wordStands: // a change that was durable before anybody could say so counts from now on
		s.stands, s.acknowledged = true, number
	case wordFailed:
		s.failed = rest
	case wordAcknowledged:
		if err == nil { // a line that was cut in two by the power is no acknowledgement
			s.acknowledged = number
			s.changes++
		}
	}
}

// add counts what one start has shown.
func (r *result) add(s story) {
	r.acknowledged += s.changes
	if len(s.lost) > 0 {
		r.lost++
	}
	if len(s.wrong) > 0 {
		r.wrong++
	}
	if s.damaged != "" {
		r.damaged++
	}
	if s.hangs != "" || s.failed != "" {
		r.hung++
	}
	r.slowest = max(r.slowest, s.open, s.ready)
}

// startTalking starts a program and sends each whole line that it says. What it has said stays to be heard when it is waited for.
func startTalking(t *testing.T, program *exec.Cmd) <-chan string {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	program.Stdout = in
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() { out.Close() })
	return linesOf(out)
}

// linesOf sends each whole line, and closes the channel at the end.
func linesOf(r io.Reader) <-chan string {
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		in := bufio.NewReader(r)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return // half a line was never said
			}
			lines <- line
		}
	}()
	return lines
}

func cutWord(line string) (word, rest string, found bool) {
	return strings.Cut(strings.TrimSpace(line), " ")
}

// await hears lines until the power has failed; or until the life stands, if it is not to fail; or the life fails or ends,
// which it must not; or it says nothing for so long that it must hang.
func (s *story) await(lines <-chan string, power *power, patience time.Duration) {
	silence := time.NewTimer(patience)
	for s.failed == "" && (power.fails || !s.stands) {
		select {
		case line, ok := <-lines:
			if !ok {
				s.failed = "it ended while there was power"
				return
			}
			s.hear(line)
			silence.Reset(patience)
		case <-power.gone:
			return
		case <-silence.C:
			s.hangs = "nothing is said for " + patience.String()
			return
		}
	}
}

// end hears what was said before the power failed.
func (s *story) end(lines <-chan string) {
	for line := range lines {
		if word, _, _ := cutWord(line); word != wordFailed { // it had no power any more
			s.hear(line)
		}
	}
}
