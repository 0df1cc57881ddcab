package store

import (
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// breakNewestTree zeroes the page that the newer header page leads to, as a write does that never arrived.
func breakNewestTree(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, databaseName)
	file, err := os.ReadFile(path)
	must(t, err)
	newest, _, ok := newWalker(file).head()
	if !ok {
		t.Fatal("no header")
	}
	clear(file[newest.root*pageSize:][:pageSize])
	must(t, os.WriteFile(path, file, 0o600))
}

// A last change that never arrived must cost that change, not the house.
func TestTheOtherHeaderPageLeadsBack(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Vault("netatmo").Set("token", []byte("1")))
	must(t, s.Vault("homekit").Set("identity", []byte("me")))
	must(t, s.Vault("netatmo").Set("token", []byte("2")))
	must(t, s.Close())
	must(t, os.Remove(filepath.Join(dir, snapshotName)))
	breakNewestTree(t, dir)
	s, _ = open(t, dir)
	if got, err := s.Vault("homekit").Get("identity"); string(got) != "me" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, _ := s.Vault("netatmo").Get("token"); string(got) != "1" {
		t.Errorf("token %q, wanted is the one before", got)
	}
	if !strings.Contains(s.Damage(), "2 as they were before its last change") {
		t.Errorf("%q", s.Damage())
	}
}

func TestADissolvedPairingDoesNotComeBackByTheOtherHeaderPage(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Vault("homekit").Set("identity", []byte("me")))
	must(t, s.Vault("homekit").Set("pairing/phone", []byte("key")))
	must(t, s.Vault("homekit").Delete("pairing/phone"))
	must(t, s.Close())
	must(t, os.Remove(filepath.Join(dir, snapshotName)))
	breakNewestTree(t, dir)
	s, _ = open(t, dir)
	if keys, _ := s.Vault("homekit").List(""); len(keys) != 1 || keys[0] != "identity" {
		t.Errorf("came back: %q; %s", keys, s.Damage())
	}
}

func TestBackupsAreTheLastResort(t *testing.T) {
	_, c := lived(t, 21)
	which := "yesterday"
	ask := func() (Copy, string, error) { return c, which, nil }
	none := func() (Copy, string, error) { return Copy{}, "", nil }
	unreadable := func() (Copy, string, error) { return Copy{}, "", errors.New("the key is missing") }
	for _, test := range []struct {
		name    string
		harm    func(t *testing.T, dir string)
		backups Rescue
		token   string // "": there is none
		says    string // "": nothing
	}{
		{"nothing wrong", func(*testing.T, string) {}, ask, "newer", ""},
		{"database damaged, snapshot whole", func(t *testing.T, dir string) { spoil(t, dir, databaseName) }, ask, "newer", "taken from the snapshot"},
		{"both damaged", func(t *testing.T, dir string) { spoil(t, dir, databaseName, snapshotName) }, ask, "token of 21", "3 were taken from the backup of yesterday"},
		{"both missing", func(t *testing.T, dir string) { lose(t, dir) }, ask, "token of 21", "3 values were taken from the backup of yesterday"},
		{"both missing, and no backup", func(t *testing.T, dir string) { lose(t, dir) }, none, "", ""},
		{"both damaged, and no backup", func(t *testing.T, dir string) { spoil(t, dir, databaseName, snapshotName) }, none, "", "there was no backup"},
		{"both damaged, backup not readable", func(t *testing.T, dir string) { spoil(t, dir, databaseName, snapshotName) }, unreadable, "", "no backup can be read (the key is missing)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s, _ := open(t, dir)
			must(t, s.Vault("netatmo").Set("token", []byte("newer")))
			must(t, s.Close())
			test.harm(t, dir)
			s, err := OpenWith(dir, Options{Backups: test.backups})
			must(t, err)
			defer s.Close()
			if got, _ := s.Vault("netatmo").Get("token"); string(got) != test.token {
				t.Errorf("token %q, want %q", got, test.token)
			}
			if said := s.Damage(); !strings.Contains(said, test.says) || (said == "") != (test.says == "") || strings.Contains(said, "\n") {
				t.Errorf("said is %q, want %q", said, test.says)
			}
			must(t, s.Vault("netatmo").Set("after", []byte("it works")))
		})
	}
}

func spoil(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		garbage := binary.BigEndian.AppendUint64(make([]byte, smallestFile), 7)
		must(t, os.WriteFile(filepath.Join(dir, name), garbage, 0o600))
	}
}

func lose(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{databaseName, snapshotName} {
		must(t, os.Remove(filepath.Join(dir, name)))
	}
}

// A file that only bbolt stumbles over is found out in a process of its own, and costs nothing: it is written anew
// from what our own reader read.
func TestAFileThatBboltStumblesOver(t *testing.T) {
	for name, wrong := range map[string]error{"crashes": errors.New("bbolt crashes over it"), "well": nil} {
		t.Run(name, func(t *testing.T) {
			dir, c := lived(t, 21)
			tried := ""
			s, err := OpenWith(dir, Options{Try: func(path string) error { tried = path; return wrong }})
			must(t, err)
			defer s.Close()
			if tried != filepath.Join(dir, databaseName) || !maps.EqualFunc(s.content, c.content, sameRecord) {
				t.Errorf("tried is %q, %d values are there", tried, len(s.content))
			}
			aside, _ := filepath.Glob(filepath.Join(dir, databaseName+".bad-*"))
			if (wrong == nil) != (len(aside) == 0) || (wrong == nil) != (s.Damage() == "") {
				t.Errorf("set aside %q, said %q", aside, s.Damage())
			}
		})
	}
}

func TestTry(t *testing.T) {
	dir, _ := lived(t, 21)
	before := filesIn(t, dir)
	must(t, Try(filepath.Join(dir, databaseName)))
	if after := filesIn(t, dir); after != before {
		t.Errorf("it writes:\n%s\nbefore\n%s", after, before)
	}
	breakNewestTree(t, dir)
	if out, err := child(t, "try the file", dir).CombinedOutput(); err == nil {
		t.Errorf("bbolt takes a tree without a root: %s", out)
	}
}

// A file system that is broken itself has other words for it than a card that fails (EUCLEAN, EBADMSG). What matters is that
// there is nothing to be read; a folder in the file's place is the way to have that on a disk that is well.
func TestAFileThatCannotBeReadIsDamage(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Vault("homekit").Set("identity", []byte("me")))
	must(t, s.Close())
	must(t, os.Remove(filepath.Join(dir, databaseName)))
	must(t, os.Mkdir(filepath.Join(dir, databaseName), 0o700))
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatalf("the house does not come up: %v", err)
	}
	if got, _ := s.Vault("homekit").Get("identity"); string(got) != "me" || !strings.Contains(s.Damage(), "was damaged (read ") {
		t.Errorf("%q; %s", got, s.Damage())
	}
	must(t, s.Vault("homekit").Set("identity", []byte("me again")))
	must(t, s.Close())
}
