package ble

import (
	"errors"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

const someID = "AA:BB:CC:DD:EE:FF"

func sealed(t testing.TB, key hap.Key, c Change) Notification {
	t.Helper()
	data, err := SealNotification(someID, key, c)
	if err != nil {
		t.Fatal(err)
	}
	n, err := ParseNotification(data)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenNotification(t *testing.T) {
	key := hap.Key{1, 2, 3}
	for _, c := range []struct {
		name        string
		state, last uint16
		want        error
	}{
		{"the next one", 8, 7, nil},
		{"after some were missed", 60, 7, nil},
		{"the very same", 7, 7, ErrNotNews},
		{"an old one, played again", 6, 7, ErrForged},
		{"after too many were missed", 300, 7, ErrForged},
		{"over the end of the numbers", 2, 65534, nil},
	} {
		n := sealed(t, key, Change{State: c.state, IID: 229, Value: []byte{1}})
		got, err := n.Open(key, c.last)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if c.want == nil && (got.State != c.state || got.IID != 229 || got.Value[0] != 1 || len(got.Value) != 8) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	n := sealed(t, key, Change{State: 8, IID: 1})
	if _, err := n.Open(hap.Key{9}, 7); !errors.Is(err, ErrForged) {
		t.Errorf("another key: %v", err)
	}
	n.id[0]++
	if _, err := n.Open(key, 7); !errors.Is(err, ErrForged) {
		t.Errorf("another accessory's name: %v", err)
	}
}

func TestNextStateSkipsZero(t *testing.T) {
	if NextState(1) != 2 || NextState(65535) != 1 {
		t.Errorf("1 is followed by %d, 65535 by %d", NextState(1), NextState(65535))
	}
}

func FuzzNotification(f *testing.F) {
	key := hap.Key{1}
	data, err := SealNotification(someID, key, Change{State: 2, IID: 3, Value: []byte{4}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:10])
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := ParseNotification(data)
		if err != nil {
			return
		}
		if c, err := n.Open(key, 1); err == nil && len(c.Value) != 8 {
			t.Fatalf("a value of %d bytes", len(c.Value))
		}
	})
}
