package store

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// The tests below need a process of their own: one that is killed, and one whose disk is full.
const (
	childVariable = "VEILLEUSE_STORE_TEST_CHILD"
	childFolder   = "VEILLEUSE_STORE_TEST_FOLDER"
	childLies     = "VEILLEUSE_STORE_TEST_LIES" // the child says that a number is durable before it is
)

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "write until killed":
		writeUntilKilled(os.Getenv(childFolder))
	case "try the file":
		if err := Try(filepath.Join(os.Getenv(childFolder), databaseName)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "fill the disk":
		fillTheDisk(os.Getenv(childFolder))
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, role, dir string) *exec.Cmd {
	self, err := os.Executable()
	must(t, err)
	c := exec.Command(self)
	c.Env = append(os.Environ(), childVariable+"="+role, childFolder+"="+dir)
	if role != "try the file" { // whose crash is what is looked for
		c.Stderr = os.Stderr
	}
	return c
}

// writeUntilKilled counts up in a vault and in the State, and says each number once it is durable.
func writeUntilKilled(dir string) {
	s, err := Open(dir, nil)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	n := 0
	if data, err := s.Vault("x").Get("n"); err == nil {
		n, _ = strconv.Atoi(string(data))
	}
	house := houseOf(20)
	for {
		n++
		house = override(house, 1, 15+float64(n%20)/2, began)
		house.Decided = uint64(n)
		if os.Getenv(childLies) != "" {
			fmt.Println(n)
			time.Sleep(time.Millisecond)
		}
		err := errors.Join(s.Save(house), s.Vault("x").Set("n", []byte(strconv.Itoa(n))))
		if n%7 == 0 {
			err = errors.Join(err, s.copyNow(), s.Vault("x").Set("large", make([]byte, n%9*5000)))
		}
		if err != nil {
			fmt.Println("write:", err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

var (
	// kills is how often the writing process is killed.
	kills = flag.Int("store.kills", 30, "times that the process is killed; 1000 for the long run")
	// lies makes the tests below, and that of damages, fail: else they would show nothing.
	lies = flag.Bool("store.lies", false, "the process acknowledges what is not durable, damage has the right checksums: both have to be found out")
)

func TestKilledAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(13, 14))
	acknowledged := 0
	var slowest time.Duration
	for round := range *kills {
		c := child(t, "write until killed", dir)
		if *lies {
			c.Env = append(c.Env, childLies+"=1")
		}
		out, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		lines := bufio.NewScanner(out)
		for range 1 + random.IntN(20) {
			if !lines.Scan() {
				break
			}
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("round %d: %s", round, lines.Text())
			}
			acknowledged = n
		}
		time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond) // the moment is what is random here
		must(t, c.Process.Kill())
		for lines.Scan() { // what it still said before it died is acknowledged too
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				acknowledged = n
			}
		}
		c.Wait()
		began := time.Now()
		checkAfterKill(t, dir, acknowledged)
		slowest = max(slowest, time.Since(began))
	}
	// A line of the table of scripts/crash: lost, wrong, damaged, not up in time.
	t.Logf("| the writing process is killed | %d | %d | 0 | 0 | 0 | 0 | %.2f s |", *kills, acknowledged, slowest.Seconds())
	if acknowledged < *kills {
		t.Errorf("only %d writes in %d rounds", acknowledged, *kills)
	}
}

func checkAfterKill(t *testing.T, dir string, acknowledged int) {
	t.Helper()
	s, _ := open(t, dir)
	defer s.Close()
	if s.Damage() != "" {
		t.Fatal(s.Damage())
	}
	data, err := s.Vault("x").Get("n")
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && acknowledged == 0) {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(string(data))
	lasting, _, err := s.Load()
	must(t, err)
	if n < acknowledged || n > acknowledged+1 || int(lasting.Decided) < n || int(lasting.Decided) > n+1 {
		t.Fatalf("acknowledged was %d, the vault holds %d, the state %d", acknowledged, n, lasting.Decided)
	}
}

// fillTheDisk lives with a limit on the size of files: to the store that is a disk without room.
func fillTheDisk(dir string) {
	check := func(what string, ok bool) {
		if !ok {
			fmt.Println("not so:", what)
			os.Exit(1)
		}
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := func(bytes uint64) {
		var now syscall.Rlimit
		check("limit", syscall.Getrlimit(syscall.RLIMIT_FSIZE, &now) == nil)
		now.Cur = min(bytes, now.Max)
		check("limit", syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now) == nil)
	}
	s, err := Open(dir, nil)
	check("open", err == nil)
	v := s.Vault("x")
	check("a first value", v.Set("small", []byte("1")) == nil)
	limit(40_000)
	err = v.Set("large", make([]byte, 200_000))
	check(fmt.Sprint("an error on a full disk: ", err), err != nil)
	_, err = v.Get("large")
	check("what failed is not there", errors.Is(err, fs.ErrNotExist))
	check("what failed is in doubt", s.doubt[place{"vault/x", "large"}])
	check("small changes still find room", v.Set("small", []byte("2")) == nil)
	check("the doubt is settled", len(s.doubt) == 0)
	limit(0)
	check("no room at all", v.Set("small", []byte("3")) != nil)
	got, err := v.Get("small")
	check("what was there stays", string(got) == "2" && err == nil)
	check("no snapshot without room", s.copyNow() != nil)
	check("close", s.db.close() == nil && s.lock.Close() == nil)

	// A start without any room: what can be read is served.
	s, err = Open(dir, nil)
	check(fmt.Sprint("open on a full disk: ", err), err == nil)
	got, err = s.Vault("x").Get("small")
	check("served from a full disk", err == nil && (string(got) == "2" || string(got) == "3"))
	check("an error to write", s.Vault("x").Set("small", []byte("4")) != nil)
	limit(1 << 30)
	check("room again", s.Vault("x").Set("small", []byte("5")) == nil)
	check("close", s.Close() == nil)
	s, err = Open(dir, nil)
	check("open once more", err == nil && s.Damage() == "")
	got, err = s.Vault("x").Get("small")
	check("the last value", string(got) == "5" && err == nil)
	check("close", s.Close() == nil)
	fmt.Println("done")
}

func TestFullDisk(t *testing.T) {
	out, err := child(t, "fill the disk", t.TempDir()).Output()
	if err != nil || strings.TrimSpace(string(out)) != "done" {
		t.Fatalf("%v: %s", err, out)
	}
}

// A folder in the way of the new file stands for a disk that cannot be written.
func TestStartsOnADiskThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, databaseName+temporarySuffix, "x")
	must(t, os.MkdirAll(inTheWay, 0o700))
	s, said := open(t, dir)
	if !strings.Contains(said.String(), "cannot be written") {
		t.Errorf("nothing is said: %s", said)
	}
	if err := s.Vault("x").Set("k", []byte("1")); err == nil {
		t.Error("a value is said to be durable")
	}
	if err := s.Save(houseOf(4)); err == nil {
		t.Error("the state is said to be durable")
	}
	must(t, os.RemoveAll(filepath.Dir(inTheWay)))
	must(t, s.Vault("x").Set("k", []byte("1")))
	must(t, s.Save(houseOf(4)))
	must(t, s.Close())
	s, _ = open(t, dir)
	if _, found, err := s.Load(); !found || err != nil {
		t.Error(found, err)
	}
}

// The file is mapped: when it shrinks under the process, reading it is a bus error. It must end neither
// the process nor what is remembered.
func TestFileVanishesUnderTheProcess(t *testing.T) {
	dir := t.TempDir()
	s, said := open(t, dir)
	for i := range 40 {
		must(t, s.Vault("x").Set(fmt.Sprint("key", i), make([]byte, 1000)))
	}
	must(t, os.Truncate(filepath.Join(dir, databaseName), 0))
	must(t, s.Vault("x").Set("after", []byte("it works")))
	if !strings.Contains(said.String(), "cannot be used any more") {
		t.Errorf("nothing is said: %s", said)
	}
	must(t, s.Close())
	s, _ = open(t, dir)
	if keys, _ := s.Vault("x").List(""); len(keys) != 41 || s.Damage() != "" {
		t.Errorf("%d keys are left of 41; %s", len(keys), s.Damage())
	}
}

// A card may stall for many seconds. Whoever only reads must not notice.
func TestStalledDiskHoldsUpWritersOnly(t *testing.T) {
	s, _ := open(t, t.TempDir())
	v := s.Vault("x")
	must(t, v.Set("k", []byte("1")))
	must(t, s.Save(houseOf(4)))
	stall, err := s.db.bolt.Begin(true) // bbolt has one writer: the others wait as for the disk
	must(t, err)
	written := make(chan error, 1)
	go func() { written <- v.Set("k", []byte("2")) }()
	for s.writing.TryLock() { // until the writer is at it
		s.writing.Unlock()
		time.Sleep(time.Millisecond)
	}
	within(t, "reading", func() {
		if got, err := v.Get("k"); string(got) != "1" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if keys, _ := v.List(""); len(keys) != 1 {
			t.Error(keys)
		}
		if _, found, _ := s.Load(); !found {
			t.Error("no state")
		}
		s.Stats()
		s.Damage()
	})
	must(t, stall.Rollback())
	must(t, <-written)
	if got, _ := v.Get("k"); string(got) != "2" {
		t.Errorf("%q", got)
	}
}

// After a write that failed, nobody knows what the disk holds. The next one must settle it.
func TestDoubtAfterAFailureIsSettled(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	v := s.Vault("x")
	must(t, v.Set("k", []byte("old")))
	must(t, v.Set("gone", []byte("1")))
	// As if a commit had reached the disk though it was reported to have failed.
	at, other, gone := place{"vault/x", "k"}, place{"vault/x", "never"}, place{"vault/x", "gone"}
	must(t, s.db.write(map[place]record{at: {90, []byte("new")}, other: {91, []byte("new")}}, []place{gone}))
	s.doubt = map[place]bool{at: true, other: true, gone: true}
	must(t, v.Set("k", []byte("old")))
	must(t, s.Close())
	s, _ = open(t, dir)
	keys, _ := s.Vault("x").List("")
	got, _ := s.Vault("x").Get("k")
	if len(keys) != 2 || string(got) != "old" {
		t.Errorf("keys %q, k=%q", keys, got)
	}
}

func TestStateThatCannotBeSavedIsNotForgotten(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, databaseName+temporarySuffix, "x")
	must(t, os.MkdirAll(inTheWay, 0o700))
	s, _ := open(t, dir)
	h := startHouse(t, s)
	h.Show(func(gateway.State) gateway.State { return override(houseOf(4), 0, 22, began) })
	waitDown(t, h)
	must(t, os.RemoveAll(filepath.Dir(inTheWay)))
	waitSaved(t, s, func(l gateway.Lasting) bool {
		r, _ := l.Rooms.Get("room-0")
		return r.Override.Target == 22
	})
}
