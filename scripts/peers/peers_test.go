// Package peers proves the product against software that nobody here wrote: controllers and
// accessories of the HomeKit world, Mosquitto and its clients. scripts/interop installs them, builds
// the program and runs these tests; without it they are skipped.
//
// Each test is one part of a house's life, and says of each promise whether it was kept, with the
// figure that was measured.
package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tools is where scripts/interop has put what the tests run.
type tools struct {
	folder  string // npm packages and the Python environment
	program string // veilleuse, built with the race detector
}

// needTools skips the test where scripts/interop has not prepared it.
func needTools(t *testing.T) tools {
	t.Helper()
	found := tools{os.Getenv("VEILLEUSE_PEERS"), os.Getenv("VEILLEUSE_PROGRAM")}
	if found.folder == "" || found.program == "" {
		t.Skip("the peers are not here: scripts/interop installs them and runs this")
	}
	return found
}

func (s tools) python() string { return filepath.Join(s.folder, "python", "bin", "python") }

// modules are the folders in which Node finds what came from npm.
func (s tools) modules() string {
	return filepath.Join(s.folder, "npm", "node_modules") + ":" + filepath.Join(s.folder, "browser", "node_modules")
}

// promise says of one promise whether it was kept. A figure is what was measured of it.
func promise(t *testing.T, what string, check func() (figure string, err error)) bool {
	t.Helper()
	part := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	figure, err := check()
	if err != nil {
		fmt.Printf("FAIL  %s: %s: %v\n", part, what, err)
		t.Fail()
		return false
	}
	if figure != "" {
		figure = " (" + figure + ")"
	}
	fmt.Printf("ok    %s: %s%s\n", part, what, figure)
	return true
}

// need is a promise without which the rest of the test has no sense.
func need(t *testing.T, what string, check func() (figure string, err error)) {
	t.Helper()
	if !promise(t, what, check) {
		t.FailNow()
	}
}

// patience is how long anything may take of which nobody has promised how long it takes: it only guards against hanging, and
// machines that tests run on may be very slow.
const patience = 40 * time.Second

// until asks again and again until there is no error, for a bounded time; it says how long it took.
func until(limit time.Duration, check func() error) (time.Duration, error) {
	began := time.Now()
	for {
		err := check()
		took := time.Since(began)
		if err == nil || took > limit {
			if err != nil {
				err = fmt.Errorf("after %s: %w", seconds(took), err)
			}
			return took, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// seconds writes a duration as people read it.
func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

var errNotYet = errors.New("it has not happened")

// say tells of progress, for whoever watches.
func say(t *testing.T, format string, args ...any) {
	part := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	fmt.Printf("      %s: %s\n", part, fmt.Sprintf(format, args...))
}
