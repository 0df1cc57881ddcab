package store

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lived returns a state folder in which a house has lived, and what it holds.
func lived(t *testing.T, target float64) (dir string, c Copy) {
	t.Helper()
	dir = t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Save(override(houseOf(20), 2, target, began)))
	must(t, s.Vault("netatmo").Set("token", fmt.Appendf(nil, "token of %v", target)))
	must(t, s.Vault("homekit").Set("pairing/phone", bytes.Repeat([]byte{7}, 300)))
	must(t, s.copyNow())
	c = s.Copy()
	must(t, s.Close())
	return dir, c
}

func holds(t *testing.T, dir string, want Copy) {
	t.Helper()
	s, _ := open(t, dir)
	defer s.Close()
	if s.Damage() != "" || !maps.EqualFunc(s.content, want.content, sameRecord) {
		t.Errorf("%s holds %d values, wanted are the %d of the copy; %s", dir, len(s.content), len(want.content), s.Damage())
	}
}

func TestACopyComesBackOnAnotherMachine(t *testing.T) {
	_, c := lived(t, 21)
	back, err := ReadCopy(c.Values())
	must(t, err)
	dir := filepath.Join(t.TempDir(), "new", "state")
	aside, err := Restore(dir, back, began)
	if err != nil || aside != "" {
		t.Fatalf("aside %q, %v", aside, err)
	}
	holds(t, dir, c)
	must(t, os.Remove(filepath.Join(dir, databaseName)))
	s, _ := open(t, dir) // the snapshot was restored with it
	if !maps.EqualFunc(s.content, c.content, sameRecord) {
		t.Errorf("damage after a restore: %s", s.Damage())
	}
}

func TestWhatWasThereIsSetAside(t *testing.T) {
	dir, old := lived(t, 17)
	_, c := lived(t, 21)
	for range 2 { // within one second of a stopped clock
		aside, err := Restore(dir, c, began)
		must(t, err)
		if filepath.Dir(aside) != dir {
			t.Fatalf("set aside in %q", aside)
		}
		holds(t, dir, c)
		was, err := Read(aside)
		must(t, err)
		if !maps.EqualFunc(was.content, old.content, sameRecord) {
			t.Errorf("set aside are %d values, there were %d", len(was.content), len(old.content))
		}
		if _, err := os.Stat(filepath.Join(aside, snapshotName)); err != nil {
			t.Error(err)
		}
		old = c
	}
}

func TestRestoreRefusesAFolderInUse(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	must(t, s.Vault("netatmo").Set("token", []byte("1")))
	_, c := lived(t, 21)
	before := filesIn(t, dir)
	_, err := Restore(dir, c, began)
	if err == nil || !strings.Contains(err.Error(), "in use by another veilleuse") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if after := filesIn(t, dir); after != before {
		t.Errorf("changed:\n%s\nwas\n%s", after, before)
	}
}

func TestRestoreThatFailsChangesNothing(t *testing.T) {
	dir, old := lived(t, 17)
	_, c := lived(t, 21)
	must(t, os.MkdirAll(filepath.Join(dir, databaseName+temporarySuffix, "x"), 0o700)) // a disk that cannot be written
	if _, err := Restore(dir, c, began); err == nil {
		t.Fatal("no error")
	}
	holds(t, dir, old)
}

func TestEveryDamagedValueOfACopyIsRefused(t *testing.T) {
	_, c := lived(t, 21)
	whole := c.Values()
	for i := range whole {
		for name, harm := range map[string]func(*Value){
			"flipped": func(v *Value) { v.Data[len(v.Data)/2] ^= 4 },
			"cut":     func(v *Value) { v.Data = v.Data[:len(v.Data)-1] },
			"moved":   func(v *Value) { v.Key += "x" },
			"twice":   func(v *Value) { *v = whole[(i+1)%len(whole)] },
		} {
			values := append([]Value{}, whole...)
			values[i].Data = bytes.Clone(whole[i].Data)
			harm(&values[i])
			if _, err := ReadCopy(values); err == nil {
				t.Errorf("%s/%s %s is taken", whole[i].Bucket, whole[i].Key, name)
			}
		}
	}
}

func TestVaultOfACopy(t *testing.T) {
	_, c := lived(t, 21)
	v := c.Vault("homekit")
	must(t, v.Set("configuration", []byte("9")))
	must(t, v.Delete("pairing/phone"))
	back, err := ReadCopy(c.Values())
	must(t, err)
	if got, err := back.Vault("homekit").Get("configuration"); string(got) != "9" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if keys, _ := back.Vault("homekit").List(""); len(keys) != 1 {
		t.Errorf("%q", keys)
	}
	if lasting, found, err := back.Load(); err != nil || !found || lasting.Rooms.Len() != 5 {
		t.Errorf("found=%v, %v, %d rooms", found, err, lasting.Rooms.Len())
	}
}
