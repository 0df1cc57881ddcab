package hap

import (
	"errors"
	"testing"
)

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

func TestNotesOutliveARestart(t *testing.T) {
	store := newMemoryStore()
	ids, err := LoadIDs(store)
	if err != nil {
		t.Fatal(err)
	}
	ids.Accessory("valve").SetNote([]byte(`{"name":"Bath"}`))
	ids.Accessory("gone").SetNote([]byte(`1`))
	ids.Accessory("gone").SetNote(nil)
	if err := ids.Save(); err != nil {
		t.Fatal(err)
	}
	again, err := LoadIDs(store)
	if err != nil {
		t.Fatal(err)
	}
	if !again.Knows("valve") || again.Knows("other") || again.Len() != 2 || len(again.Keys()) != 2 {
		t.Errorf("after a restart it knows %q", again.Keys())
	}
	if got := string(again.Accessory("valve").Note()); got != `{"name":"Bath"}` {
		t.Errorf("the note is %s", got)
	}
	if got := again.Accessory("gone").Note(); got != nil {
		t.Errorf("a note that was taken away is %s", got)
	}
}
