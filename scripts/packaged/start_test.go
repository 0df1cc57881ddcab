// Package packaged starts the program as it comes out of a package and plays the service manager for it.
// scripts/package-test runs this; without it the test is skipped.
package packaged

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/systemd/systemdtest"
)

// patience is how long a start may take: under emulation, on a busy machine.
const patience = 2 * time.Minute

// TestStart starts the command behind "--" with NOTIFY_SOCKET set, waits until it says READY, runs the shell command
// VEILLEUSE_THEN and ends it. VEILLEUSE_SOCKET is where the socket is for us, NOTIFY_SOCKET where it is for the
// program, which may live below another root; VEILLEUSE_WITHIN is how soon it must be ready, as in 3s.
func TestStart(t *testing.T) {
	socket := os.Getenv("VEILLEUSE_SOCKET")
	if socket == "" {
		t.Skip("scripts/package-test runs this")
	}
	within, err := time.ParseDuration(os.Getenv("VEILLEUSE_WITHIN"))
	if err != nil {
		t.Fatalf("VEILLEUSE_WITHIN: %v", err)
	}
	manager := systemdtest.ListenAt(t, socket)
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	program := exec.Command(flag.Arg(0), flag.Args()[1:]...)
	var log strings.Builder
	program.Stdout, program.Stderr = &log, &log
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	began := time.Now()
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- program.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-program.Process.Pid, syscall.SIGKILL) }) // it may be gone

	told := wait(t, manager, "READY=1", ended, &log)
	took := time.Since(began).Round(time.Millisecond)
	fmt.Printf("     ready after %v\n", took)
	if systemdtest.Count(told, "STATUS=") == 0 {
		t.Errorf("nobody is said to be in charge: %q", told)
	}
	if took > within {
		t.Errorf("ready after %v, promised is %v", took, within)
	}
	if then := os.Getenv("VEILLEUSE_THEN"); then != "" {
		if out, err := exec.Command("bash", "-euo", "pipefail", "-c", then).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", then, err, out)
		}
	}
	_ = syscall.Kill(-program.Process.Pid, syscall.SIGTERM)
	wait(t, manager, "STOPPING=1", nil, &log)
	select {
	case err = <-ended:
	case <-time.After(patience):
		err = fmt.Errorf("it does not end")
	}
	if err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, log.String())
	}
}

// wait collects what the manager is told until that variable was.
func wait(t *testing.T, manager *systemdtest.Manager, variable string, ended <-chan error, log fmt.Stringer) []string {
	t.Helper()
	var told []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		told = append(told, manager.Told()...)
		if systemdtest.Count(told, variable) > 0 {
			return told
		}
		select {
		case err := <-ended:
			t.Fatalf("the program ended before %s: %v\n%s", variable, err, log)
		default:
		}
	}
	t.Fatalf("%s was never told, but %q", variable, told)
	return nil
}
