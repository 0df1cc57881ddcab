package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/gateway"
)

const passphrase = "correct horse battery staple"

// moved returns a configuration for another machine: the text of an old one with another state folder, and with more.
func moved(t *testing.T, config, more string) (file, state string) {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file, state = filepath.Join(folder, "v.yaml"), filepath.Join(folder, "state")
	_, rest, _ := bytes.Cut(text, []byte("\n"))
	writeTo(t, file, fmt.Sprintf("state: %s\n%s%s", state, rest, more))
	return file, state
}

func writeTo(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// wellSaid runs a verb that must succeed, and returns what it says.
func wellSaid(t *testing.T, args ...string) string {
	t.Helper()
	code, out, complaint := said(t, args...)
	if code != exitWell {
		t.Fatalf("%q gives %d: %s%s", args, code, out, complaint)
	}
	return out
}

// treeOf is every file below a folder with its content.
func treeOf(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, _ := os.ReadFile(path)
			fmt.Fprintf(&b, "%s %x\n", path, data)
		}
		return nil
	})
	return b.String()
}

// A house is backed up while it runs, its card dies, its sign-in is renewed elsewhere, and it comes back on another
// machine: accessories, rooms and the bridge are the same, and what only a person can do is asked for.
func TestAHouseComesBackOnAnotherMachine(t *testing.T) {
	l := readyHouse(t, 20)
	folder := t.TempDir()
	file, key := filepath.Join(folder, "house.age"), writeTo(t, filepath.Join(folder, "key"), passphrase)
	writeTo(t, l.config, string(mustRead(t, l.config))+"backup: {key_file: "+key+"}\n")
	before := l.status(t, "the house", func(statusReport) bool { return true })
	bridge := wellSaid(t, "code", "-c", l.config, "--json")
	if out := wellSaid(t, "backup", "-c", l.config, file); !strings.Contains(out, "IN CLEAR") {
		t.Errorf("the daemon has no key yet, and says %q", out)
	}
	if code, _, err := said(t, "restore", "-c", l.config, file); code != exitNo || !strings.Contains(err, "in use by another veilleuse") || strings.Count(err, "\n") != 1 {
		t.Errorf("while the daemon runs, restore gives %d, %q", code, err)
	}
	l.end(t)
	if out := wellSaid(t, "backup", "-c", l.config, file); !strings.Contains(out, "encrypted") {
		t.Errorf("without a daemon it says %q", out)
	}
	out := wellSaid(t, "restore", "-c", l.config, "--verify", file)
	for _, want := range []string{"is whole", "Maison", "3 accessories", "signed in", "4, with ", "encrypted", "client_secret_file"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}

	l.world.cloud.Token() // another machine renews the sign-in: the pair in the backup is used up
	there, _ := moved(t, l.config, "")
	out = wellSaid(t, "restore", "-c", there, file)
	if !strings.Contains(out, "3 accessories, 4 rooms") || !strings.Contains(out, there+".restored") {
		t.Errorf("it says\n%s", out)
	}
	l.config = there
	l.start(t, func(*house) {})
	l.world.clock.SetRate(200) // the vendor's simulated edge has half a second for an answer, which is 100 s of this house
	r := l.status(t, "a house that goes on and asks for a login", func(r statusReport) bool {
		return r.Cloud.Verdict == gateway.VerdictAuthRevoked && r.Authority.Phase == gateway.Local
	})
	if !strings.Contains(r.Cloud.Why, "log in again: veilleuse login") {
		t.Errorf("it says %q", r.Cloud.Why)
	}
	if after := wellSaid(t, "code", "-c", there, "--json"); after[:strings.Index(after, "listen")] != bridge[:strings.Index(bridge, "listen")] {
		t.Errorf("the bridge has another code: %s, it was %s", after, bridge)
	}
	r = l.status(t, "every accessory again", func(r statusReport) bool {
		for _, was := range before.Devices {
			now, ok := device(r, string(was.ID))
			if !ok || was.Via == gateway.AccessoryAdapter && (now.Via != was.Via || !now.Reachable) {
				return false
			}
		}
		return true
	})
	if len(r.Rooms) != len(before.Rooms) || r.Home.Schedules != before.Home.Schedules {
		t.Errorf("%d rooms, %d schedules", len(r.Rooms), r.Home.Schedules)
	}
	if code, out, err := saidTo(t, string(l.world.cloud.Token()), "login", "-c", there, "--token", "-"); code != exitWell {
		t.Fatalf("login gives %d: %s%s", code, out, err)
	}
	l.status(t, "Netatmo in charge again", func(r statusReport) bool { return r.Authority.Phase == gateway.Watching })
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// houseOnDisk is a state folder with a few things in it, its configuration and a backup of it.
func houseOnDisk(t *testing.T, more string) (config, state, file string) {
	t.Helper()
	folder := t.TempDir()
	state, file = filepath.Join(folder, "state"), filepath.Join(folder, "house.backup")
	secret := writeTo(t, filepath.Join(folder, "client_secret"), "the secret\n")
	config = writeTo(t, filepath.Join(folder, "v.yaml"), fmt.Sprintf("state: %s\nnetatmo: {url: \"http://127.0.0.1:1\", client_id: c, client_secret_file: %s}\n"+
		"homekit: {listen: \"127.0.0.1:0\"}\nmqtt: {listen: \"127.0.0.1:0\"}\nweb: {listen: \"127.0.0.1:0\"}\n%s", state, secret, more))
	wellSaid(t, "code", "-c", config) // makes the bridge's identity
	fill(t, state, "phone")
	wellSaid(t, "backup", "-c", config, file)
	return config, state, file
}

// fill puts a pairing and a room into a state folder.
func fill(t *testing.T, state, pairing string) {
	t.Helper()
	s, err := store.Open(state, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	house := gateway.State{Home: gateway.Home{Name: "Maison"}}
	house.Rooms = house.Rooms.With("salon", gateway.Room{ID: "salon", Name: "Salon"})
	if err := s.Save(house); err != nil {
		t.Fatal(err)
	}
	if err := s.Vault("homekit").Set("pairing/"+pairing, []byte("key")); err != nil {
		t.Fatal(err)
	}
}

func pairingsIn(t *testing.T, state string) []string {
	t.Helper()
	c, err := store.Read(state)
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := c.Vault("homekit").List("pairing/")
	return keys
}

// Whatever is wrong with a file, restore says one sentence and touches nothing; so does --verify of a good one.
func TestRestoreRefusesWithoutTouchingAnything(t *testing.T) {
	folder := t.TempDir()
	key := writeTo(t, filepath.Join(folder, "key"), passphrase)
	wrong := writeTo(t, filepath.Join(folder, "wrong"), "another horse altogether")
	_, _, clear := houseOnDisk(t, "")
	_, _, sealed := houseOnDisk(t, "backup: {key_file: "+key+"}\n")
	edit := func(file string, change func([]byte) []byte) string {
		return writeTo(t, filepath.Join(t.TempDir(), "changed"), string(change(bytes.Clone(mustRead(t, file)))))
	}
	cut := func(b []byte) []byte { return b[:len(b)-9] }
	flip := func(b []byte) []byte { b[len(b)-9] ^= 4; return b }
	newer := func(b []byte) []byte { return bytes.Replace(b, []byte("backup 1 "), []byte("backup 2 "), 1) }
	config, state, _ := houseOnDisk(t, "")
	before := treeOf(t, filepath.Dir(config))
	for _, test := range []struct {
		name, want string
		args       []string
	}{
		{"cut", "damaged", []string{edit(clear, cut)}},
		{"flipped", "damaged", []string{edit(clear, flip)}},
		{"sealed and cut", "damaged", []string{"--key", key, edit(sealed, cut)}},
		{"sealed and flipped", "damaged", []string{"--key", key, edit(sealed, flip)}},
		{"of a newer program", "newer version", []string{edit(clear, newer)}},
		{"of a newer state", "install the newer program", []string{futureBackup(t)}},
		{"no key", "--key FILE", []string{sealed}},
		{"wrong key", "does not fit", []string{"--key", wrong, sealed}},
		{"no such key", "no such file", []string{"--key", "/no/such/key", sealed}},
		{"no backup at all", "no backup of veilleuse", []string{config}},
		{"no such file", "no such file", []string{"/no/such/file"}},
		{"only verified", "", []string{"--verify", clear}},
		{"only verified, the passphrase typed", "", []string{"--verify", "--key", "-", sealed}},
	} {
		code, out, complaint := saidTo(t, passphrase+"\n", append([]string{"restore", "-c", config}, test.args...)...)
		if (code == exitWell) != (test.want == "") || !strings.Contains(complaint, test.want) || strings.Count(complaint, "\n") > 1 {
			t.Errorf("%s: exit %d, %q, %q", test.name, code, out, complaint)
		}
		if after := treeOf(t, filepath.Dir(config)); after != before {
			t.Fatalf("%s: something was touched", test.name)
		}
	}
	if got := pairingsIn(t, state); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// futureBackup is a backup whose State a newer program saved.
func futureBackup(t *testing.T) string {
	t.Helper()
	file, err := backup.Seal(backup.Content{Values: savedAs(t, gateway.Lasting{Version: gateway.LastingVersion + 1})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return writeTo(t, filepath.Join(t.TempDir(), "future"), string(file))
}

// savedAs is a State as a program of another age has saved it: this form of a value holds for ever.
func savedAs(t *testing.T, l gateway.Lasting) []store.Value {
	t.Helper()
	text, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return stateOf(deflated(string(text)))
}

// stateOf is a State that was packed, as it is stored.
func stateOf(packed []byte) []store.Value {
	stored := append(binary.LittleEndian.AppendUint64([]byte{1, 0, 0, 0, 0}, 1), packed...)
	summed := append([]byte("state\x00lasting\x00\x01"), stored[5:]...)
	binary.LittleEndian.PutUint32(stored[1:], crc32.Checksum(summed, crc32.MakeTable(crc32.Castagnoli)))
	return []store.Value{{Bucket: "state", Key: "lasting", Data: stored}}
}

func TestRestoreSetsAsideWhatWasThere(t *testing.T) {
	_, _, file := houseOnDisk(t, "")
	config, state, _ := houseOnDisk(t, "")
	fill(t, state, "tablet")
	out := wellSaid(t, "restore", "-c", config, file)
	if got := pairingsIn(t, state); len(got) != 1 || got[0] != "pairing/phone" {
		t.Errorf("restored are %q", got)
	}
	asides, _ := filepath.Glob(filepath.Join(state, "before-restore-*"))
	if len(asides) != 1 || !strings.Contains(out, asides[0]) {
		t.Fatalf("set aside in %q; it says\n%s", asides, out)
	}
	if got := pairingsIn(t, asides[0]); len(got) != 2 {
		t.Errorf("set aside are %q", got)
	}
}

func TestRestoreNeverWritesOverAConfiguration(t *testing.T) {
	old, _, file := houseOnDisk(t, "home: {maximum: 26}\n")
	secret := filepath.Join(filepath.Dir(old), "client_secret")
	here, state := moved(t, old, "")
	mine := string(mustRead(t, here))
	writeTo(t, secret, "another secret\n")
	out := wellSaid(t, "restore", "-c", here, file)
	if got := string(mustRead(t, here)); got != mine {
		t.Errorf("the configuration was written over:\n%s", got)
	}
	if got := string(mustRead(t, here+".restored")); !strings.Contains(got, "maximum: 26") || !strings.Contains(out, here+".restored") {
		t.Errorf("beside it lies %q; it says\n%s", got, out)
	}
	if got := string(mustRead(t, secret)) + string(mustRead(t, secret+".restored")); got != "another secret\nthe secret\n" {
		t.Errorf("secrets are %q", got)
	}
	out = wellSaid(t, "restore", "-c", here, "--force", file)
	if got := string(mustRead(t, here)); !strings.Contains(got, "maximum: 26") || !strings.Contains(out, "set state: "+state) {
		t.Errorf("by force it is %q; it says\n%s", got, out)
	}
	kept, _ := filepath.Glob(here + ".before-restore-*")
	if len(kept) != 1 || string(mustRead(t, kept[0])) != mine {
		t.Errorf("kept are %q", kept)
	}
}

// On an empty machine the backup brings the configuration, and with it the place of the state.
func TestRestoreOnAnEmptyMachine(t *testing.T) {
	old, state, file := houseOnDisk(t, "")
	was := string(mustRead(t, old))
	if err := os.RemoveAll(state); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{old, filepath.Join(filepath.Dir(old), "client_secret")} {
		if err := os.Remove(gone); err != nil {
			t.Fatal(err)
		}
	}
	wellSaid(t, "restore", "-c", old, file)
	if got := pairingsIn(t, state); len(got) != 1 || string(mustRead(t, old)) != was {
		t.Errorf("pairings %q, configuration %q", got, mustRead(t, old))
	}
	if secret := mustRead(t, filepath.Join(filepath.Dir(old), "client_secret")); string(secret) != "the secret\n" {
		t.Errorf("secret %q", secret)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	wellSaid(t, "restore", "-c", old, "--state", elsewhere, file)
	if got := pairingsIn(t, elsewhere); len(got) != 1 {
		t.Errorf("with --state: %q", got)
	}
}

// What cannot be put where it belongs is not lost, and the house is there all the same.
func TestRestoreWhereTheConfigurationCannotBeWritten(t *testing.T) {
	_, _, file := houseOnDisk(t, "")
	state := filepath.Join(t.TempDir(), "state")
	out := wellSaid(t, "restore", "-c", "/proc/no-such-folder/v.yaml", // where not even root makes a folder
		"--state", state, file)
	if got := string(mustRead(t, filepath.Join(state, "restored-files", "v.yaml"))); !strings.Contains(got, "client_id: c") || !strings.Contains(out, fmt.Sprintf(": put it there with sudo install -D -m 0640 -g %d %s/restored-files/v.yaml /proc/no-such-folder/v.yaml\n", os.Getgid(), state)) {
		t.Errorf("%q; it says\n%s", got, out)
	}
}

// A disk that lost database and snapshot brings the house back by itself, from the newest backup.
func TestAHouseRescuesItselfFromItsBackup(t *testing.T) {
	folder := t.TempDir()
	key := writeTo(t, filepath.Join(folder, "key"), passphrase)
	config, state, _ := houseOnDisk(t, "backup: {key_file: "+key+"}\n")
	wellSaid(t, "backup", "-c", config)
	for _, name := range []string{"veilleuse.db", "veilleuse.snapshot.json"} {
		writeTo(t, filepath.Join(state, name), "nonsense")
	}
	c, _, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	err = withHouse(c, func(h *house) error {
		if !strings.Contains(h.store.Damage(), "taken from the backup of") {
			t.Errorf("it says %q", h.store.Damage())
		}
		return nil
	})
	if got := pairingsIn(t, state); err != nil || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}

// The state of an older program is in a backup before a newer form of it can be saved.
func TestBackupBeforeAMigration(t *testing.T) {
	config, state, _ := houseOnDisk(t, "")
	older, err := store.ReadCopy(savedAs(t, gateway.Lasting{Version: gateway.LastingVersion - 1, Decided: 7}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(state, older, time.Now()); err != nil {
		t.Fatal(err)
	}
	c, _, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := withHouse(c, func(h *house) error {
			lasting, _, err := h.store.Load()
			if err == nil {
				err = h.store.Save(lasting.State())
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	made, _ := filepath.Glob(filepath.Join(state, "backups", "*"))
	if len(made) != 1 {
		t.Fatalf("backups are %q", made)
	}
	content, err := backup.Open(mustRead(t, made[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := store.ReadCopy(content.Values)
	if err != nil {
		t.Fatal(err)
	}
	if lasting, _, err := copied.Load(); err != nil || lasting.Version != gateway.LastingVersion-1 || lasting.Decided != 7 {
		t.Errorf("version %d, %v", lasting.Version, err)
	}
}
