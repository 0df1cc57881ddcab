package hap

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

var errDisk = errors.New("input/output error")

// memoryStore is a Store that forgets at the end of the test, and fails when told to.
type memoryStore struct {
	mu     sync.Mutex
	values map[string][]byte
	fail   func(operation, key string) bool
	writes int
}

func newMemoryStore() *memoryStore { return &memoryStore{values: map[string][]byte{}} }

func (s *memoryStore) failing(operation, key string) error {
	if s.fail != nil && s.fail(operation, key) {
		return errDisk
	}
	return nil
}

func (s *memoryStore) Get(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("get", key); err != nil {
		return nil, err
	}
	value, known := s.values[key]
	if !known {
		return nil, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	return bytes.Clone(value), nil
}

func (s *memoryStore) Set(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("set", key); err != nil {
		return err
	}
	s.values[key] = bytes.Clone(value)
	s.writes++
	return nil
}

func (s *memoryStore) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("delete", key); err != nil {
		return err
	}
	delete(s.values, key)
	return nil
}

func (s *memoryStore) List(prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("list", prefix); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Collect(maps.Keys(s.values)), func(key string) bool {
		return !strings.HasPrefix(key, prefix)
	}), nil
}

func (s *memoryStore) failOn(operation, prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = func(o, key string) bool { return o == operation && strings.HasPrefix(key, prefix) }
}

func (s *memoryStore) work() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = nil
}

func TestLoadServerIdentity(t *testing.T) {
	store := newMemoryStore()
	first, err := LoadServerIdentity(store)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadServerIdentity(store)
	if err != nil {
		t.Fatal(err)
	}
	if again.DeviceID != first.DeviceID || !again.Key.Equal(first.Key) || again.SetupCode != first.SetupCode || again.SetupID != first.SetupID {
		t.Errorf("after a restart the identity is %+v instead of %+v", again, first)
	}
	other, err := LoadServerIdentity(newMemoryStore())
	if err != nil {
		t.Fatal(err)
	}
	if other.DeviceID == first.DeviceID || other.Key.Equal(first.Key) {
		t.Error("two installations have one identity")
	}
}

// Defect 16: a store error must never be read as "not there".
func TestLoadIdentityNeverBeginsAnew(t *testing.T) {
	tests := []struct {
		name   string
		damage func(*memoryStore)
	}{
		{"store cannot be read", func(s *memoryStore) { s.failOn("get", identityKey) }},
		{"store cannot be listed", func(s *memoryStore) { delete(s.values, identityKey); s.failOn("list", "") }},
		{"store cannot be written", func(s *memoryStore) { delete(s.values, identityKey); s.failOn("set", "") }},
		{"identity is cut off", func(s *memoryStore) { s.values[identityKey] = s.values[identityKey][:20] }},
		{"identity is empty", func(s *memoryStore) { s.values[identityKey] = []byte("{}") }},
		{"key is too short", func(s *memoryStore) {
			s.values[identityKey] = []byte(`{"device_id":"AA:BB:CC:DD:EE:FF","key":"AAAA","setup_code":"031-45-154","setup_id":"ABCD"}`)
		}},
		{"identity is gone but pairings are there", func(s *memoryStore) {
			delete(s.values, identityKey)
			s.values[pairingKey("somebody")] = []byte("{}")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := newMemoryStore()
			if _, err := LoadServerIdentity(store); err != nil {
				t.Fatal(err)
			}
			test.damage(store)
			before := maps.Clone(store.values)
			if identity, err := LoadServerIdentity(store); err == nil {
				t.Fatalf("got the identity %s", identity.DeviceID)
			}
			if !maps.EqualFunc(before, store.values, bytes.Equal) {
				t.Error("the store was changed")
			}
		})
	}
}

func TestIsDeviceID(t *testing.T) {
	tests := map[string]bool{
		"AA:BB:CC:DD:EE:FF": true, "00:11:22:33:44:55": true, "aa:BB:CC:DD:EE:FF": false, "AA-BB-CC-DD-EE-FF": false,
		"AA:BB:CC:DD:EE": false, "": false, "AA:BB:CC:DD:EE:FG": false, "A:AB:CC:DD:EE:FFF": false,
	}
	for text, want := range tests {
		if got := isDeviceID(text); got != want {
			t.Errorf("%q is a device id: %t, want %t", text, got, want)
		}
	}
}

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

func loadIDs(t *testing.T, store Store) *IDs {
	t.Helper()
	ids, err := LoadIDs(store)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestIDsOutliveRestartAndReordering(t *testing.T) {
	store := newMemoryStore()
	ids := loadIDs(t, store)
	if got := ids.Accessory("").AID(); got != BridgeAID {
		t.Errorf("the bridge has the id %d", got)
	}
	names := []string{"70:ee:50:00:00:01", "70:ee:50:00:00:02", "70:ee:50:00:00:03"}
	type key struct{ accessory, service, characteristic string }
	want := map[key]CharacteristicID{}
	used := map[CharacteristicID]bool{}
	for _, name := range names {
		accessory := ids.Accessory(name)
		for _, part := range [][2]string{{"3E", ""}, {"3E", "23"}, {"4A", ""}, {"4A", "11"}, {"4A/2", "11"}} {
			id := CharacteristicID{accessory.AID(), accessory.IID(part[0], part[1])}
			if used[id] {
				t.Fatalf("%s was handed out twice", id)
			}
			used[id] = true
			want[key{name, part[0], part[1]}] = id
		}
	}
	if err := ids.Save(); err != nil {
		t.Fatal(err)
	}
	again := loadIDs(t, store)
	if fresh := again.Accessory("another").AID(); used[CharacteristicID{fresh, 1}] {
		t.Errorf("aid %d was given away again", fresh)
	}
	for k, id := range want {
		accessory := again.Accessory(k.accessory)
		got := CharacteristicID{accessory.AID(), accessory.IID(k.service, k.characteristic)}
		if got != id {
			t.Errorf("%v has now %s instead of %s", k, got, id)
		}
	}
	fresh := again.Accessory(names[0])
	if id := (CharacteristicID{fresh.AID(), fresh.IID("96", "68")}); used[id] {
		t.Errorf("%s was given away again", id)
	}
}

func TestIDsGiveTheInformationServiceOne(t *testing.T) {
	accessory := loadIDs(t, newMemoryStore()).Accessory("x")
	if got := accessory.IID("4A", ""); got == informationIID {
		t.Error("another service got iid 1")
	}
	if got := accessory.IID(string(ServiceAccessoryInformation), ""); got != informationIID {
		t.Errorf("the Accessory Information service got iid %d", got)
	}
}

func TestIDsSave(t *testing.T) {
	store := newMemoryStore()
	ids := loadIDs(t, store)
	ids.Accessory("x").IID("4A", "11")
	store.failOn("set", idPrefix)
	if err := ids.Save(); !errors.Is(err, errDisk) {
		t.Fatalf("error %v, want %v", err, errDisk)
	}
	store.work()
	for range 2 {
		if err := ids.Save(); err != nil {
			t.Fatal(err)
		}
	}
	if store.writes != 1 {
		t.Errorf("%d writes, want 1: nothing new costs nothing", store.writes)
	}
}

func TestLoadIDsRefusesDamage(t *testing.T) {
	tests := []struct {
		name   string
		damage func(*memoryStore)
	}{
		{"cannot list", func(s *memoryStore) { s.failOn("list", idPrefix) }},
		{"cannot read", func(s *memoryStore) { s.failOn("get", idPrefix) }},
		{"no number", func(s *memoryStore) { s.values[idPrefix+"x"] = []byte("{}") }},
		{"no JSON", func(s *memoryStore) { s.values[idPrefix+"7"] = []byte("{") }},
		{"no table", func(s *memoryStore) { s.values[idPrefix+"7"] = []byte("{}") }},
		{"one accessory twice", func(s *memoryStore) { s.values[idPrefix+"7"] = s.values[idPrefix+"2"] }},
		{"next id was given away", func(s *memoryStore) {
			s.values[idPrefix+"7"] = []byte(`{"key":"z","next":3,"iids":{"4A":5}}`)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := newMemoryStore()
			ids := loadIDs(t, store)
			ids.Accessory("x")
			if err := ids.Save(); err != nil {
				t.Fatal(err)
			}
			test.damage(store)
			if _, err := LoadIDs(store); err == nil {
				t.Error("loaded")
			}
		})
	}
}
