package store

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// damagedHouse fills dir with three generations of every value: the first in the snapshot, the others in
// the database only. It returns what each value was, oldest first.
func damagedHouse(t *testing.T, dir string) (file []byte, past map[place][]string) {
	t.Helper()
	s, _ := open(t, dir)
	past = map[place][]string{}
	for generation := range 3 {
		must(t, s.Save(override(houseOf(20), 2, 18+float64(generation), began)))
		r, _ := s.get(statePlace)
		past[statePlace] = append(past[statePlace], string(r.payload))
		for _, vault := range []string{"netatmo", "homekit", "accessory"} {
			for i := range 12 {
				value := strings.Repeat(fmt.Sprintf("%s %d %d;", vault, i, generation), 1+i*i)
				must(t, s.Vault(vault).Set(fmt.Sprint("key", i), []byte(value)))
				at := place{vaultPrefix + vault, fmt.Sprint("key", i)}
				past[at] = append(past[at], value)
			}
		}
		if generation == 0 {
			must(t, s.copyNow())
		}
	}
	s.mu.Lock()
	s.copyDue = never
	s.mu.Unlock()
	must(t, s.Close())
	file, err := os.ReadFile(filepath.Join(dir, databaseName))
	must(t, err)
	return file, past
}

// trials is how many damages are tried; as many again are tried without a snapshot.
var trials = flag.Int("store.trials", 200, "damages to try; 800 for the long run")

// Whatever happens to the file: the store opens in time, never with a wrong value, says what it lost, and works.
func TestDamageIsNeverSilent(t *testing.T) {
	dir := t.TempDir()
	whole, past := damagedHouse(t, dir)
	backup, err := os.ReadFile(filepath.Join(dir, snapshotName))
	must(t, err)
	random := rand.New(rand.NewPCG(11, 12))
	outcomes := map[string]map[string]int{}
	var slowest time.Duration
	for trial := range 2 * *trials {
		file, what := harm(random, whole)
		if *lies {
			file, what = forge(t, whole), "forged"
		}
		must(t, os.WriteFile(filepath.Join(dir, databaseName), file, 0o600))
		snapshots := trial < *trials
		if snapshots {
			must(t, os.WriteFile(filepath.Join(dir, snapshotName), backup, 0o600))
		} else if err := os.Remove(filepath.Join(dir, snapshotName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		kind := strings.TrimRight(what, "0123456789 ")
		if strings.Contains(what, "instead of") {
			kind = "another page"
		}
		if outcomes[kind] == nil {
			outcomes[kind] = map[string]int{}
		}
		began := time.Now()
		within(t, what, func() { outcomes[kind][openDamaged(t, dir, past, what, snapshots)]++ })
		slowest = max(slowest, time.Since(began))
		if t.Failed() {
			t.Fatalf("trial %d: %s", trial, what)
		}
	}
	t.Logf("%d trials, the slowest opened, mended and closed twice in %v: %v", 2**trials, slowest.Round(time.Millisecond), outcomes)
	mended := 0
	for _, of := range outcomes {
		mended += of["rebuilt"]
	}
	// A line of the table of scripts/crash: trials, acknowledged, lost, wrong, damaged, not up in time.
	t.Logf("| the database's file is damaged | %d | | | 0 | %d | 0 | %.2f s |", 2**trials, mended, slowest.Seconds())
	if len(outcomes) < 6 || mended < *trials/2 {
		t.Errorf("the trials do not hit: %v", outcomes)
	}
	aside, _ := filepath.Glob(filepath.Join(dir, databaseName+".bad-*"))
	if len(aside) != 1 {
		t.Errorf("set aside are %q, wanted is one", aside)
	}
}

// forge changes a value in a file such that every checksum is right. Nothing could find that out but the test itself.
func forge(t *testing.T, whole []byte) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), databaseName)
	must(t, os.WriteFile(path, whole, 0o600))
	db, err := openDatabase(path, &Stats{})
	must(t, err)
	must(t, db.write(map[place]record{{vaultPrefix + "netatmo", "key1"}: {1, []byte("forged")}}, nil))
	must(t, db.close())
	file, err := os.ReadFile(path)
	must(t, err)
	return file
}

// within fails the test if f takes so long that it must be hanging.
func within(t *testing.T, what string, f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(gatewaytest.Patience):
		t.Fatalf("%s: hangs", what)
	}
}

// upWithin is the time in which a house must be up, whatever there is to mend.
const upWithin = 10 * time.Second

func openDamaged(t *testing.T, dir string, past map[place][]string, what string, snapshots bool) string {
	began := time.Now()
	s, said := open(t, dir)
	defer s.Close()
	if took := time.Since(began); took > upWithin {
		t.Errorf("%s: it is open after %v", what, took)
	}
	for at, values := range past {
		r, ok := s.get(at)
		switch {
		case !ok && !snapshots && s.Damage() != "":
		case !ok:
			t.Errorf("%s: %s is gone though the snapshot has it", what, at)
		case string(r.payload) == values[2]:
		case s.Damage() == "":
			t.Errorf("%s: %s is silently wrong", what, at)
		case string(r.payload) != values[0] && string(r.payload) != values[1]:
			t.Errorf("%s: %s holds what it never held", what, at)
		}
	}
	if _, found, err := s.Load(); !found && snapshots || err != nil {
		t.Errorf("%s: state: %v %v", what, found, err)
	}
	if s.Damage() == "" {
		return "unharmed"
	}
	if !strings.Contains(said.String(), "was damaged") || strings.Contains(s.Damage(), "\n") {
		t.Errorf("%s: not said in one sentence: %q", what, s.Damage())
	}
	must(t, s.Vault("netatmo").Set("after", []byte("it works")))
	held := maps.Clone(s.content)
	must(t, s.Close())
	again, _ := open(t, dir)
	defer again.Close()
	if again.Damage() != "" || !maps.EqualFunc(again.content, held, sameRecord) {
		t.Errorf("%s: the rebuilt file does not hold: %s", what, again.Damage())
	}
	return "rebuilt"
}

// Without a snapshot what is damaged is lost, and named.
func TestWhatIsLostIsNamed(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Vault("netatmo").Set("token", []byte(strings.Repeat("a secret of some length ", 20))))
	must(t, s.Vault("homekit").Set("identity", []byte("another")))
	must(t, s.Close())
	path := filepath.Join(dir, databaseName)
	file, err := os.ReadFile(path)
	must(t, err)
	must(t, os.Remove(filepath.Join(dir, snapshotName)))
	changed := strings.ReplaceAll(string(file), "a secret of some length a", "a secret of some tength a")
	must(t, os.WriteFile(path, []byte(changed), 0o600))

	s, said := open(t, dir)
	for _, want := range []string{"lost are vault/netatmo/token", "no snapshot", "1 values were read"} {
		if !strings.Contains(s.Damage(), want) {
			t.Errorf("%q is not in %q", want, s.Damage())
		}
	}
	if strings.Contains(said.String(), "secret of some") {
		t.Error("the log holds a secret")
	}
	if got, err := s.Vault("homekit").Get("identity"); string(got) != "another" || err != nil {
		t.Errorf("a whole value was lost too: %q, %v", got, err)
	}
	if _, err := s.Vault("netatmo").Get("token"); err == nil {
		t.Error("a damaged value is handed out")
	}
}

func TestMissingDatabaseComesBackFromTheSnapshot(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Vault("netatmo").Set("token", []byte("1")))
	must(t, s.Close())
	must(t, os.Remove(filepath.Join(dir, databaseName)))
	s, _ = open(t, dir)
	if got, err := s.Vault("netatmo").Get("token"); string(got) != "1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if !strings.Contains(s.Damage(), "missing") {
		t.Errorf("nothing is said: %q", s.Damage())
	}
}

// With nothing left the house still starts, and says so.
func TestEverythingDamaged(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Vault("netatmo").Set("token", []byte("1")))
	must(t, s.Close())
	for _, name := range []string{databaseName, snapshotName} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("nonsense"), 0o600))
	}
	s, _ = open(t, dir)
	if !strings.Contains(s.Damage(), "the snapshot is not readable either") || !strings.Contains(s.Damage(), "0 values") {
		t.Errorf("%q", s.Damage())
	}
	must(t, s.Vault("netatmo").Set("token", []byte("2")))
	must(t, s.Close())
	s, _ = open(t, dir)
	if got, _ := s.Vault("netatmo").Get("token"); string(got) != "2" || s.Damage() != "" {
		t.Errorf("%q, %q", got, s.Damage())
	}
}

// What does not look like a database of ours at all is not left for bbolt to trip over.
func TestAForeignFile(t *testing.T) {
	for name, size := range map[string]int{"empty": 0, "short": 100, "long": 1 << 20} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, databaseName), make([]byte, size), 0o600))
		s, _ := open(t, dir)
		if s.Damage() == "" {
			t.Errorf("%s: nothing is said", name)
		}
		must(t, s.Vault("x").Set("k", []byte("1")))
	}
}

func TestDamagedSnapshotIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Vault("netatmo").Set("token", []byte("1")))
	must(t, s.Close())
	path := filepath.Join(dir, snapshotName)
	must(t, os.WriteFile(path, []byte(`{"kind":`), 0o600))
	s, said := open(t, dir)
	if got, err := s.Vault("netatmo").Get("token"); string(got) != "1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if !strings.Contains(said.String(), "snapshot is not readable") || s.Damage() != "" {
		t.Errorf("said is %q, damage %q", said, s.Damage())
	}
	must(t, s.Close())
	if back, found, err := readSnapshot(dir); !found || err != nil || len(back.content) != 1 {
		t.Errorf("found=%v, %v, %d values", found, err, len(back.content))
	}
}

// A pairing that was dissolved must not come back with a repaired file.
func TestDeletedSecretsLeaveTheSnapshot(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	v := s.Vault("homekit")
	must(t, v.Set("pairing/phone", []byte("key")))
	must(t, v.Set("identity", []byte("1")))
	must(t, s.copyNow())
	must(t, v.Delete("pairing/phone"))
	if s.copyNeed() != soon {
		t.Error("the snapshot keeps what was deleted")
	}
	must(t, s.Close())
	must(t, os.Remove(filepath.Join(dir, databaseName)))
	s, _ = open(t, dir)
	if keys, _ := s.Vault("homekit").List(""); len(keys) != 1 || keys[0] != "identity" {
		t.Errorf("came back: %q", keys)
	}
}

func TestWhatAPowerCutLeftIsRemoved(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, databaseName+temporarySuffix)
	must(t, os.WriteFile(left, []byte("half a file"), 0o600))
	s, _ := open(t, dir)
	must(t, s.Vault("x").Set("k", []byte("1")))
	if _, err := os.Stat(left); err == nil {
		t.Error("it is still there")
	}
}
