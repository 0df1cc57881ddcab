package broker_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// idleVariable makes this test binary be the process whose idleness is measured.
const idleVariable = "BROKER_IDLE_TOPICS"

// An idle broker with clients and a full shelf sleeps: at most two wake-ups a second, which no other load
// of the machine changes. With mochi's event loop it would be 15 to 37, the more topics the more.
func TestIdleBrokerSleeps(t *testing.T) {
	if topics, err := strconv.Atoi(os.Getenv(idleVariable)); err == nil {
		beIdle(t, topics)
		return
	}
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("wake-ups are counted by Linux only")
	}
	for _, topics := range []int{20, 2000} {
		t.Run(fmt.Sprint(topics, " topics"), func(t *testing.T) {
			t.Parallel()
			measureIdleness(t, topics)
		})
	}
}

func measureIdleness(t *testing.T, topics int) {
	const clients, settle, measure = 10, 2 * time.Second, 5 * time.Second
	process := exec.Command(os.Args[0], "-test.run=^TestIdleBrokerSleeps$")
	process.Env = append(os.Environ(), fmt.Sprintf("%s=%d", idleVariable, topics))
	in, _ := process.StdinPipe()
	out, _ := process.StdoutPipe()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	for i := range clients {
		p := brokertest.Join(t, strings.TrimSpace(address), brokertest.Connect{ID: fmt.Sprint("client ", i)})
		p.Subscribe("#", 0)
		p.Ping()
	}
	time.Sleep(settle)
	perSecond := 3.0
	for try := 0; perSecond > 2 && try < 6; try++ { // on a busy machine it takes longer until all that came before is done
		before, cpu := wakeUps(t, process.Process.Pid), cpuTicks(t, process.Process.Pid)
		time.Sleep(measure)
		perSecond = float64(wakeUps(t, process.Process.Pid)-before) / measure.Seconds()
		t.Logf("%.1f wake-ups a second and %d ms of CPU in %v", perSecond, 10*(cpuTicks(t, process.Process.Pid)-cpu), measure)
	}
	if perSecond > 2 {
		t.Errorf("%.1f wake-ups a second", perSecond)
	}
	in.Close()
	if err := process.Wait(); err != nil {
		t.Error(err)
	}
}

// beIdle serves until standard input ends.
func beIdle(t *testing.T, topics int) {
	b, err := broker.New("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for i := range topics {
		if err := b.Publish(fmt.Sprint("state/", i), make([]byte, 200), true); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	debug.FreeOSMemory() // or the collector does it while we measure
	fmt.Println(b.Address())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// wakeUps counts how often the threads of a process went to sleep.
func wakeUps(t *testing.T, pid int) (n int) {
	t.Helper()
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that ended meanwhile
		}
		for line := range strings.Lines(string(text)) {
			if number, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
				count, _ := strconv.Atoi(strings.TrimSpace(number))
				n += count
			}
		}
	}
	if n == 0 {
		t.Fatal("no threads found")
	}
	return n
}

// cpuTicks is the CPU time that a process has used, in hundredths of a second.
func cpuTicks(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}
