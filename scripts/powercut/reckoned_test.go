package powercut

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/gateway"
)

// rounds is how many times the power fails at each system call.
var rounds = flag.Int("powercut.rounds", 1, "power cuts at each system call of the recorded life")

// TestReckoned records with strace every system call by which the store writes, and replays them onto a disk that keeps
// for certain only what was flushed: of the rest each sector survives or not, and of what happened to names a part of
// the beginning. The power fails after each call. Whatever was acknowledged must be there, undamaged.
func TestReckoned(t *testing.T) {
	needTools(t)
	if out, err := exec.Command("strace", "-qq", "-o", os.DevNull, os.Args[0], "-test.run", "^$").CombinedOutput(); err != nil {
		fmt.Printf("SKIPPED: nobody here may trace a process: %v %.200s\n", err, out)
		t.Skip(err)
	}
	folder := filepath.Join(inMemory(t), "state")
	calls, err := recordCalls(t, folder)
	if err != nil {
		t.Fatal(err)
	}
	r, err := failEverywhere(t, folder, calls)
	if err != nil {
		t.Fatal(err)
	}
	r.judge(t, changes)
}

// inMemory is a folder that costs no disk, where there is one: what survives is reckoned, not tried.
func inMemory(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "veilleuse-powercut-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// toldOf is how many losses are told of one by one.
const toldOf = 5

// changes is how many changes the recorded life has before the restore at its end.
const changes = 40

// restoredTo is the change that it goes back to.
const restoredTo = 10

// liveOnTheRecord counts up in a vault and in the State, says each number once it is durable, and at last restores an
// older copy.
func liveOnTheRecord(folder string) {
	s := mustOpen(folder)
	var old store.Copy
	for n := 1; n <= changes; n++ {
		err := errors.Join(s.Vault("x").Set("n", []byte(strconv.Itoa(n))), s.Save(gateway.State{Decided: uint64(n)}))
		if n%5 == 0 {
			err = errors.Join(err, s.Vault("x").Set("large", bytes.Repeat([]byte{byte(n)}, n%9*3000)))
		}
		if n%7 == 0 {
			err = errors.Join(err, s.Vault("x").Set("gone", []byte("1")), s.Vault("x").Delete("gone"))
		}
		must(err)
		fmt.Printf("ack %d\n", n)
		if n == restoredTo {
			old = s.Copy()
		}
		if n%13 == 0 {
			must(s.Close())
			s = mustOpen(folder)
		}
	}
	must(s.Close())
	_, err := store.Restore(folder, old, time.Now())
	must(err)
	fmt.Println("ack restored")
}

func mustOpen(folder string) *store.Store {
	s, err := store.Open(folder, slog.New(slog.DiscardHandler))
	must(err)
	return s
}

// must ends the recorded process, which fails the test.
func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// recordCalls runs the life under strace.
func recordCalls(t *testing.T, folder string) ([]syscallLine, error) {
	log := filepath.Join(t.TempDir(), "strace")
	const traced = "trace=openat,pwrite64,write,ftruncate,fsync,fdatasync,renameat,renameat2,rename,unlinkat,unlink,linkat,link,mkdirat,mkdir"
	cmd := exec.Command("strace", "-f", "-qq", "-y", "-xx", "-s", "2000000", "-e", traced, "-o", log, os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+roleRecord, folderVariable+"="+folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %.500s", err, out)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	return readStrace(string(text))
}

// failEverywhere cuts the power after each call that touches the folder.
func failEverywhere(t *testing.T, folder string, calls []syscallLine) (result, error) {
	r := result{harness: "power cut after each system call, reckoned"}
	left := inMemory(t)
	for round := range *rounds {
		random := rand.New(rand.NewPCG(uint64(round), 17))
		d := newDisk(folder, *lies, random)
		acknowledged := ""
		for _, c := range calls {
			if said, ok := c.acknowledges(); ok {
				acknowledged = said
				r.acknowledged++
			} else if !d.apply(c) {
				continue
			}
			after := filepath.Join(left, "state")
			if err := write(d.left(aHalf(random), d.anyNames()), after); err != nil {
				return r, err
			}
			r.trials++
			began := time.Now()
			lost, damaged, err := look(after, acknowledged)
			if err != nil {
				return r, fmt.Errorf("after %s: %w", c.name, err)
			}
			r.slowest = max(r.slowest, time.Since(began))
			if lost != "" {
				if r.lost++; r.lost <= toldOf {
					t.Logf("cut %d, after %s: %s", r.trials, c.name, lost)
				}
			}
			if damaged {
				r.damaged++
			}
			if err := os.RemoveAll(after); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// look opens what the power cut left and compares it with what was acknowledged.
func look(folder, acknowledged string) (lost string, damaged bool, err error) {
	s, err := store.Open(folder, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", false, err
	}
	defer s.Close()
	data, err := s.Vault("x").Get("n")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	held, _ := strconv.Atoi(string(data))
	lasting, _, err := s.Load()
	if err != nil {
		return "", false, err
	}
	least, most := 0, 0
	if acknowledged == "restored" {
		least, most = restoredTo, restoredTo
	} else if acknowledged != "" {
		if least, err = strconv.Atoi(acknowledged); err != nil {
			return "", false, err
		}
		most = least
	}
	back := acknowledged == strconv.Itoa(changes) && held == restoredTo && lasting.Decided == restoredTo // the restore is under way
	ok := held >= least && held <= most+1 && int(lasting.Decided) >= least && int(lasting.Decided) <= most+1
	if !ok && !back {
		lost = fmt.Sprintf("acknowledged was %q, the vault holds %d, the state %d", acknowledged, held, lasting.Decided)
	}
	return lost, s.Damage() != "", nil
}
