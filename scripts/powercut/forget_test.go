package powercut

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestForgets lets the store live on a file system that forgets at random moments what was not flushed: all of it, or
// what chance takes. The process is killed without a word. The next one opens what is left as the daemon does after an
// accident, says what it misses, and lives on; and the program itself is started on a copy.
func TestForgets(t *testing.T) {
	program := needTools(t)
	needFUSE(t)
	random := rand.New(rand.NewPCG(*seed, 23))
	r := result{harness: "file system that forgets what was not flushed"}
	files, acknowledged, hit := map[string][]byte{}, 0, 0
	for trial := range *forgets + 1 { // each start looks at what the power cut before it has left
		r.trials = trial
		var s story
		var forgot bool
		p := somePower(random)
		if trial == *forgets {
			p = enoughPower()
		}
		if files, s, forgot = liveAndForget(t, p, files, acknowledged, random); forgot {
			hit++
		}
		acknowledged = max(acknowledged, s.acknowledged)
		startProgram(t, program, files, &s)
		r.add(s)
		tell(t, r, s)
	}
	if t.Logf("after %d of %d cuts there was something to forget", hit, *forgets+1); hit == 0 {
		t.Error("there was never anything to forget: this shows nothing")
	}
	r.judge(t, 3**forgets)
}

// needFUSE skips the test where the kernel has no FUSE or lets us not mount.
func needFUSE(t *testing.T) {
	t.Helper()
	at := t.TempDir()
	f, err := plugIn(diskOf(nil, 0, nil), enoughPower(), at)
	if err != nil {
		fmt.Printf("SKIPPED: this kernel lets nobody here mount a file system of our own: %v\n", err)
		t.Skip(err)
	}
	unplug(t, f)
}

func unplug(t *testing.T, f *forgetful) {
	t.Helper()
	var err error
	for range 50 { // the kernel needs a moment to let go of what the dead have had open
		if err = f.server.Unmount(); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("unmount: %v", err)
}

// liveAndForget is one life on a disk, from its start to its end by the power.
func liveAndForget(t *testing.T, p *power, files map[string][]byte, acknowledged int, random *rand.Rand) (left map[string][]byte, s story, forgot bool) {
	t.Helper()
	at := t.TempDir()
	disk := diskOf(files, *lies, random)
	f, err := plugIn(disk, p, at)
	if err != nil {
		t.Fatal(err)
	}
	var crash bytes.Buffer
	self, lines := lifeOn(t, at, acknowledged, &crash)
	s.await(lines, p, upWithin)
	survives, named := aHalf(random), disk.anyNames
	if random.IntN(2) == 0 {
		survives, named = none, func() int { return 0 }
	}
	left, forgot = f.cutPower(survives, named)
	if err := self.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	close(p.over)
	s.end(lines)
	_ = self.Wait() // it was killed
	if s.failed != "" {
		s.failed += ": " + crash.String()
	}
	unplug(t, f)
	return left, s, forgot
}

// lifeOn starts a life.
func lifeOn(t *testing.T, folder string, acknowledged int, crash *bytes.Buffer) (*exec.Cmd, <-chan string) {
	t.Helper()
	self := exec.Command(os.Args[0])
	self.Env = append(os.Environ(), roleVariable+"="+roleLife, folderVariable+"="+folder, fmt.Sprintf("%s=%d", acknowledgedVariable, acknowledged))
	self.Stderr = crash
	return self, startTalking(t, self)
}

// What is written to a file has to be seen at once where it is mapped: bbolt reads its file by a map alone.
func TestTheForgetfulCanBeMapped(t *testing.T) {
	needTools(t)
	needFUSE(t)
	at := t.TempDir()
	f, err := plugIn(diskOf(nil, 0, nil), enoughPower(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer unplug(t, f)
	file, err := os.Create(filepath.Join(at, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const size = 64 << 10
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	seen, err := unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(seen)
	random := rand.New(rand.NewPCG(1, 2))
	want := make([]byte, size)
	for range 200 {
		part := make([]byte, 1+random.IntN(9000))
		for i := range part {
			part[i] = byte(random.Uint32())
		}
		offset := random.IntN(size - len(part))
		copy(want[offset:], part)
		if _, err := file.WriteAt(part, int64(offset)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(seen, want) {
			t.Fatal("what was written is not seen in the map")
		}
	}
}
