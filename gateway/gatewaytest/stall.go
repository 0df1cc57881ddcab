package gatewaytest

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stallVariable marks the process that Stall stops.
const stallVariable = "VEILLEUSE_TEST_STALLED"

// Stall runs the test that calls it once more, in a process of its own in which live is called. When that prints the line
// "now", all of the process is stopped for that long, of real time, as a machine that swaps does. It returns the last line
// that begins with the word told. In that process it never returns.
func Stall(t *testing.T, pause time.Duration, told string, live func(t *testing.T)) string {
	t.Helper()
	if os.Getenv(stallVariable) != "" {
		live(t)
		t.SkipNow() // what follows is for the one who looks on
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), stallVariable+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Skip("cannot start a second process here: ", err)
	}
	said := ""
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch text := lines.Text(); {
		case text == "now":
			_ = child.Process.Signal(syscall.SIGSTOP)
			<-time.After(pause)
			_ = child.Process.Signal(syscall.SIGCONT)
		case strings.HasPrefix(text, told):
			said = text
		}
	}
	if err := child.Wait(); err != nil {
		t.Errorf("the stalled process failed: %v", err)
	}
	return said
}
