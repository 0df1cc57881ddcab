package hap

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"
)

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

func TestIdentityHidesItsSecrets(t *testing.T) {
	identity, err := NewServerIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		text := fmt.Sprintf(format, identity)
		if !strings.Contains(text, identity.DeviceID) || strings.Contains(text, string(identity.SetupCode)) || strings.Contains(text, identity.SetupID) {
			t.Errorf("%s gives %q", format, text)
		}
	}
}

func TestSaveIdentityRefuses(t *testing.T) {
	tests := map[string]func(*ServerIdentity){
		"device id":           func(i *ServerIdentity) { i.DeviceID = "AABBCCDDEEFF" },
		"key":                 func(i *ServerIdentity) { i.Key = i.Key[:32] },
		"setup id":            func(i *ServerIdentity) { i.SetupID = "ABC" },
		"banned code":         func(i *ServerIdentity) { i.SetupCode = "123-45-678" },
		"code without dashes": func(i *ServerIdentity) { i.SetupCode = "03145154" },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			identity, err := NewServerIdentity()
			if err != nil {
				t.Fatal(err)
			}
			damage(&identity)
			store := newMemoryStore()
			if err := SaveServerIdentity(store, identity); err == nil || len(store.values) > 0 {
				t.Errorf("error %v, %d values stored", err, len(store.values))
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
