package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
	"go.etcd.io/bbolt"
)

func TestLastingIsTheSameAfterARestart(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	if _, found, err := s.Load(); found || err != nil {
		t.Fatalf("an empty store says found=%v, %v", found, err)
	}
	state := override(houseOf(60), 3, 21.5, began)
	state.Alarms = []gateway.Alarm{{Phase: gateway.Sounding, Kind: gateway.Smoke, Device: deviceID(2), Since: began, Heard: began, Why: "smoke"}}
	state.Decisions = []gateway.Decision{{Number: 9, At: began, Kind: "alarm", What: "sirens on", Why: "smoke"}}
	state.Decided, state.Commanded = 9, 4
	must(t, s.Save(state))
	must(t, s.Close())

	s, said := open(t, dir)
	lasting, found, err := s.Load()
	if err != nil || !found {
		t.Fatalf("found=%v, %v", found, err)
	}
	if got, want := asJSON(t, lasting), asJSON(t, state.Lasting()); got != want {
		t.Errorf("after a restart:\n%s\nsaved was:\n%s", got, want)
	}
	if again := asJSON(t, lasting.State().Lasting()); again != asJSON(t, state.Lasting()) {
		t.Error("the lasting part does not survive a second turn")
	}
	if s.Damage() != "" || said.Len() > 0 {
		t.Errorf("a whole file is complained about: %q %q", s.Damage(), said)
	}
}

func TestVault(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	vault, other := s.Vault("netatmo"), s.Vault("homekit")
	if _, err := vault.Get("token"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get of a missing key: %v", err)
	}
	secret := []byte("refresh|1")
	must(t, vault.Set("token", secret))
	must(t, vault.Set("pairing/b", nil))
	must(t, vault.Set("pairing/a", bytes.Repeat([]byte{7}, 100_000)))
	must(t, other.Set("token", []byte("another")))
	secret[0] = 'X' // the caller's slice stays the caller's
	check := func(s *Store) {
		t.Helper()
		vault, other := s.Vault("netatmo"), s.Vault("homekit")
		if got, err := vault.Get("token"); string(got) != "refresh|1" || err != nil {
			t.Errorf("Get: %q, %v", got, err)
		}
		if got, err := vault.Get("pairing/b"); len(got) != 0 || err != nil {
			t.Errorf("Get of an empty value: %q, %v", got, err)
		}
		if got, err := vault.Get("pairing/a"); len(got) != 100_000 || err != nil {
			t.Errorf("Get of a large value: %d bytes, %v", len(got), err)
		}
		if got, err := other.Get("token"); string(got) != "another" || err != nil {
			t.Errorf("the other vault: %q, %v", got, err)
		}
		if keys, err := vault.List("pairing/"); !slices.Equal(keys, []string{"pairing/a", "pairing/b"}) || err != nil {
			t.Errorf("List: %q, %v", keys, err)
		}
		if keys, err := vault.List(""); len(keys) != 3 || err != nil {
			t.Errorf("List of all: %q, %v", keys, err)
		}
	}
	check(s)
	got, _ := vault.Get("token")
	got[0] = 'X'
	check(s)
	must(t, s.Close())
	s, _ = open(t, dir)
	check(s)

	vault = s.Vault("netatmo")
	must(t, vault.Delete("token"))
	must(t, vault.Delete("token"))
	must(t, s.Vault("never used").Delete("token"))
	must(t, s.Close())
	s, _ = open(t, dir)
	if _, err := s.Vault("netatmo").Get("token"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted, restarted, and there again: %v", err)
	}
}

func TestVaultRefusesWhatItCannotKeep(t *testing.T) {
	s, _ := open(t, t.TempDir())
	v := s.Vault("x")
	for name, err := range map[string]error{
		"no key":      v.Set("", []byte("1")),
		"long key":    v.Set(strings.Repeat("k", maxKeyLength+1), nil),
		"large value": v.Set("k", make([]byte, maxPayload+1)),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	must(t, s.Close())
	if err := v.Set("k", []byte("1")); err == nil {
		t.Error("a closed store takes a value")
	}
	must(t, s.Close()) // twice is no fault
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s, _ := open(t, dir)
	must(t, s.Vault("netatmo").Set("token", []byte("1")))
	must(t, s.Close()) // writes the snapshot
	mode := func(path string) fs.FileMode {
		info, err := os.Stat(path)
		must(t, err)
		return info.Mode().Perm()
	}
	if got := mode(dir); got != 0o700 {
		t.Errorf("folder has mode %o", got)
	}
	for _, name := range []string{databaseName, snapshotName} {
		if got := mode(filepath.Join(dir, name)); got != 0o600 {
			t.Errorf("%s has mode %o", name, got)
		}
		must(t, os.Chmod(filepath.Join(dir, name), 0o644))
	}
	_, said := open(t, dir)
	for _, name := range []string{databaseName, snapshotName} {
		if got := mode(filepath.Join(dir, name)); got != 0o600 {
			t.Errorf("%s was left at mode %o", name, got)
		}
		if !strings.Contains(said.String(), name) {
			t.Errorf("nothing is said about %s: %s", name, said)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	_, err := Open(dir, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal("the folder was opened twice")
	}
	if !strings.Contains(err.Error(), "another veilleuse") || strings.Contains(err.Error(), "\n") {
		t.Errorf("not one clear sentence: %v", err)
	}
	must(t, s.Close())
	open(t, dir)
}

// A newer program's values must neither steer the house nor be overwritten.
func TestNewerVersionsAreRefused(t *testing.T) {
	edit := func(t *testing.T, dir string, at place, data []byte) {
		db, err := bbolt.Open(filepath.Join(dir, databaseName), 0o600, boltOptions())
		must(t, err)
		must(t, db.Update(func(tx *bbolt.Tx) error {
			must(t, put(tx, at, data))
			total, err := sealOf(tx)
			must(t, err)
			return put(tx, sealPlace, record{payload: total.encode()}.encode(sealPlace))
		}))
		must(t, db.Close())
	}
	filled := func(t *testing.T) string {
		dir := t.TempDir()
		s, _ := open(t, dir)
		must(t, s.Save(houseOf(4)))
		must(t, s.Vault("x").Set("k", []byte("1")))
		must(t, s.Close())
		return dir
	}
	t.Run("layout of a value", func(t *testing.T) {
		dir := filled(t)
		at := place{"vault/x", "k"}
		data := record{99, []byte("of the future")}.encode(at)
		data[0] = recordVersion + 1
		putSum(at, data)
		edit(t, dir, at, data)
		if _, err := Open(dir, nil); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Fatalf("opened: %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, databaseName)); err != nil {
			t.Error("the file of the newer program was moved away")
		}
	})
	t.Run("saved state", func(t *testing.T) {
		dir := filled(t)
		future := houseOf(4).Lasting()
		future.Version = gateway.LastingVersion + 1
		packed, err := pack(future)
		must(t, err)
		edit(t, dir, statePlace, record{99, packed}.encode(statePlace))
		s, _ := open(t, dir)
		_, found, err := s.Load()
		if !found || err == nil || !strings.Contains(err.Error(), "install the newer program") {
			t.Fatalf("found=%v, %v", found, err)
		}
		if err := s.Save(houseOf(4)); err == nil {
			t.Error("it was overwritten")
		}
		if got, _ := s.get(statePlace); !bytes.Equal(got.payload, packed) {
			t.Error("it was changed")
		}
	})
	t.Run("snapshot", func(t *testing.T) {
		dir := filled(t)
		data, err := os.ReadFile(filepath.Join(dir, snapshotName))
		must(t, err)
		s, err := decodeSnapshot(data)
		must(t, err)
		future := strings.Replace(string(data), `"version":1`, `"version":2`, 1)
		old := snapshotFile{Version: snapshotVersion, Written: s.written, Values: valuesOf(t, data)}
		newer := old
		newer.Version++
		future = strings.Replace(future, old.sum(), newer.sum(), 1)
		must(t, os.WriteFile(filepath.Join(dir, snapshotName), []byte(future), 0o600))
		if _, err := Open(dir, nil); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Fatalf("opened: %v", err)
		}
	})
}

// The interesting part of a restart loop: opening and closing must not write for ever.
func TestOpeningAndClosingAWholeStoreWritesNothing(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Save(houseOf(20)))
	must(t, s.Vault("x").Set("k", []byte("1")))
	must(t, s.Close())
	before := filesIn(t, dir)
	for range 3 {
		s, _ = open(t, dir)
		lasting, _, err := s.Load()
		must(t, err)
		must(t, s.Save(lasting.State()))
		must(t, s.Vault("x").Set("k", []byte("1")))
		must(t, s.Close())
		if got := s.Stats(); got != (Stats{}) {
			t.Errorf("written: %+v", got)
		}
	}
	if after := filesIn(t, dir); after != before {
		t.Errorf("files before:\n%s\nafter:\n%s", before, after)
	}
}

func filesIn(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var b strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		must(t, err)
		fmt.Fprintln(&b, e.Name(), info.Size(), info.ModTime())
	}
	return b.String()
}

func TestStatsCountWhatTheKernelWasGiven(t *testing.T) {
	handed := func() uint64 {
		data, err := os.ReadFile("/proc/self/io")
		if err != nil {
			t.Skip("this system does not count what a process writes: /proc/self/io is missing")
		}
		var read, written uint64
		fmt.Sscanf(string(data), "rchar: %d\nwchar: %d", &read, &written)
		return written
	}
	s, _ := open(t, t.TempDir())
	v := s.Vault("x")
	before, counted := handed(), s.Stats()
	for i := range 20 {
		must(t, v.Set(fmt.Sprint("key", i), bytes.Repeat([]byte{1}, 100*i)))
	}
	real, ours := handed()-before, s.Stats().Bytes-counted.Bytes
	// The go command lets a test note every file it looks at, which the kernel counts too.
	if real < ours || real > ours+ours/20 {
		t.Errorf("the kernel was given %d bytes, counted are %d", real, ours)
	}
	if flushes := s.Stats().Flushes - counted.Flushes; flushes < 40 || flushes > 45 {
		t.Errorf("20 changes took %d flushes", flushes)
	}
}

func BenchmarkSave(b *testing.B) {
	s, _ := open(b, b.TempDir())
	state := houseOf(60)
	must(b, s.Save(state))
	before := s.Stats()
	i := 0
	for b.Loop() {
		i++
		state = override(state, 1, 15+float64(i%20)/2, began)
		must(b, s.Save(state))
	}
	after := s.Stats()
	b.ReportMetric(float64(after.Bytes-before.Bytes)/float64(i), "disk-B/op")
	b.ReportMetric(float64(after.Flushes-before.Flushes)/float64(i), "flushes/op")
}

func BenchmarkSet(b *testing.B) {
	s, _ := open(b, b.TempDir())
	must(b, s.Save(houseOf(60)))
	v := s.Vault("netatmo")
	before := s.Stats()
	i := 0
	for b.Loop() {
		i++
		must(b, v.Set("tokens", fmt.Appendf(nil, "%300d", i)))
	}
	after := s.Stats()
	b.ReportMetric(float64(after.Bytes-before.Bytes)/float64(i), "disk-B/op")
	b.ReportMetric(float64(after.Flushes-before.Flushes)/float64(i), "flushes/op")
}

func BenchmarkOpenAndLoad(b *testing.B) {
	dir := b.TempDir()
	s, _ := open(b, dir)
	must(b, s.Save(houseOf(60)))
	for i := range 60 {
		must(b, s.Vault("accessory").Set(string(deviceID(i)), bytes.Repeat([]byte{1}, 200)))
	}
	must(b, s.Close())
	for b.Loop() {
		s, err := Open(dir, nil)
		must(b, err)
		if _, found, err := s.Load(); !found || err != nil {
			b.Fatal(found, err)
		}
		must(b, s.Close())
	}
}
