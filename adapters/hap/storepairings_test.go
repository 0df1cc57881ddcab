package hap

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func newPairing(t testing.TB, id string, admin bool) controllerPairing {
	t.Helper()
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return controllerPairing{ID: id, Key: public, Admin: admin}
}

func loadTable(t *testing.T, store Store) *pairingTable {
	t.Helper()
	table, err := loadPairings(store)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func tableIDs(table *pairingTable) string {
	var ids []string
	for _, pairing := range table.sorted() {
		ids = append(ids, pairing.ID)
	}
	return strings.Join(ids, " ")
}

func TestPairingsOutliveARestart(t *testing.T) {
	store := newMemoryStore()
	table := loadTable(t, store)
	admin, user := newPairing(t, "admin", true), newPairing(t, "user/\xff\x00é", false)
	for _, pairing := range []controllerPairing{admin, user} {
		if err := table.add(pairing); err != nil {
			t.Fatal(err)
		}
	}
	again := loadTable(t, store)
	for _, want := range []controllerPairing{admin, user} {
		got := again.byID[want.ID]
		if got.ID != want.ID || !bytes.Equal(got.Key, want.Key) || got.Admin != want.Admin {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestAddPairing(t *testing.T) {
	tests := []struct {
		name    string
		pairing func(known controllerPairing) controllerPairing
		want    error
	}{
		{"same key, other permission", func(p controllerPairing) controllerPairing { p.Admin = false; return p }, nil},
		{"same id, other key", func(controllerPairing) controllerPairing { return newPairing(t, "known", true) }, errKeyDiffers},
		{"no id", func(controllerPairing) controllerPairing { return newPairing(t, "", true) }, errControllerID},
		{"endless id", func(controllerPairing) controllerPairing { return newPairing(t, strings.Repeat("x", 65), true) }, errControllerID},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			table := loadTable(t, newMemoryStore())
			known := newPairing(t, "known", true)
			if err := table.add(known); err != nil {
				t.Fatal(err)
			}
			pairing := test.pairing(known)
			if err := table.add(pairing); !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			got := table.byID["known"]
			if want := test.want != nil; got.Admin != want || !bytes.Equal(got.Key, known.Key) {
				t.Errorf("the table holds %+v", got)
			}
		})
	}
}

func TestAddPairingRefusesShortKeyAndCrowd(t *testing.T) {
	table := loadTable(t, newMemoryStore())
	if err := table.add(controllerPairing{ID: "short", Key: make([]byte, 31)}); err == nil {
		t.Error("a key of 31 bytes was taken")
	}
	for i := range pairingsMax {
		if err := table.add(newPairing(t, fmt.Sprint(i), true)); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.add(newPairing(t, "one too many", true)); !errors.Is(err, errMaxPeers) {
		t.Errorf("error %v, want %v", err, errMaxPeers)
	}
}

func TestRemovePairing(t *testing.T) {
	tests := []struct {
		name, remove string
		gone, left   string
	}{
		{"a user", "u1", "u1", "a1 a2 u2"},
		{"an admin beside another", "a1", "a1", "a2 u1 u2"},
		{"nobody", "stranger", "", "a1 a2 u1 u2"},
		{"the last admin takes all along", "a1 a2", "a1 u1 u2 a2", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := newMemoryStore()
			table := loadTable(t, store)
			for _, id := range []string{"a1", "a2", "u1", "u2"} {
				if err := table.add(newPairing(t, id, id[0] == 'a')); err != nil {
					t.Fatal(err)
				}
			}
			var gone []string
			for _, id := range strings.Fields(test.remove) {
				more, err := table.remove(id)
				if err != nil {
					t.Fatal(err)
				}
				gone = append(gone, more...)
			}
			if got := strings.Join(gone, " "); got != test.gone {
				t.Errorf("gone are %q, want %q", got, test.gone)
			}
			if got := tableIDs(table); got != test.left {
				t.Errorf("left are %q, want %q", got, test.left)
			}
			if got := tableIDs(loadTable(t, store)); got != test.left {
				t.Errorf("after a restart left are %q, want %q", got, test.left)
			}
		})
	}
}

func TestPairingsWithFailingStore(t *testing.T) {
	store := newMemoryStore()
	table := loadTable(t, store)
	if err := table.add(newPairing(t, "known", true)); err != nil {
		t.Fatal(err)
	}
	store.failOn("set", "")
	if err := table.add(newPairing(t, "new", true)); !errors.Is(err, errDisk) {
		t.Errorf("add: error %v, want %v", err, errDisk)
	}
	store.failOn("delete", "")
	if gone, err := table.remove("known"); !errors.Is(err, errDisk) || len(gone) > 0 {
		t.Errorf("remove: gone %v, error %v, want none and %v", gone, err, errDisk)
	}
	if got := tableIDs(table); got != "known" {
		t.Errorf("the table holds %q, want what the store holds", got)
	}
	for _, operation := range []string{"list", "get"} {
		store.failOn(operation, "")
		if _, err := loadPairings(store); !errors.Is(err, errDisk) {
			t.Errorf("load with failing %s: error %v, want %v", operation, err, errDisk)
		}
	}
	store.work()
	for name, blob := range map[string]string{"no JSON": "{", "no key": "{}"} {
		store.values[pairingKey("damaged")] = []byte(blob)
		if _, err := loadPairings(store); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
}
