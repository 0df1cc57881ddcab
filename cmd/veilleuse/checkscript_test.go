package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// What fails must say so at once, and leave nothing running: the soak beside the fuzz targets, with all that it has started.
func TestAFuzzTargetThatFailsEndsTheSoakBesideIt(t *testing.T) {
	t.Parallel() // it waits most of the time
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	m := trialled{folder: t.TempDir()}
	m.program(t, "scripts/check", packaged(t, "check"))
	m.program(t, "scripts/soak", `sleep 120 & echo begun >begun; sleep 120`)
	m.program(t, "bin/gofmt", "exit 0")
	m.program(t, "bin/git", `[ "$1" != grep ] || echo x_test.go`)
	m.program(t, "bin/go", `case "$*" in *-fuzz*) until [ -e begun ]; do sleep 0.05; done; echo 'Failing input'; exit 1 ;; esac`)
	m.write(t, "x_test.go", "func FuzzX(f *testing.F) {}\n")
	lives, held, err := os.Pipe() // held by all that the script starts: as long as one lives there is no end to be read
	if err != nil {
		t.Fatal(err)
	}
	defer lives.Close()
	c := exec.Command(bash, filepath.Join(m.folder, "scripts/check"))
	c.Env, c.ExtraFiles = []string{"PATH=" + filepath.Join(m.folder, "bin") + ":/usr/bin:/bin", "TMPDIR=" + m.folder}, []*os.File{held}
	out, err := c.CombinedOutput()
	held.Close()
	if err == nil {
		t.Errorf("it succeeds: %s", out)
	}
	if err := lives.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(lives); err != nil {
		t.Errorf("something still runs: %v; it said %s", err, out)
	}
}
