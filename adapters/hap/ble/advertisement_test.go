package ble

import (
	"bytes"
	"errors"
	"testing"
)

func TestParseAdvertisement(t *testing.T) {
	// type 06, length, unpaired, device id, category 10, state 258, configuration 3, version 2, setup hash
	full := []byte{0x06, 0x31, 0x01, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x0A, 0x00, 0x02, 0x01, 0x03, 0x02, 1, 2, 3, 4}
	a, err := ParseAdvertisement(full)
	want := Advertisement{ID: "AA:BB:CC:DD:EE:FF", Category: 10, State: 258, Configuration: 3, Version: 2, SetupHash: [4]byte{1, 2, 3, 4}}
	if err != nil || a != want {
		t.Errorf("got %+v (%v), want %+v", a, err, want)
	}
	if data, err := a.Data(); err != nil || !bytes.Equal(data, full) {
		t.Errorf("it is sent as %x (%v), want %x", data, err, full)
	}
	paired := bytes.Clone(full)
	paired[2] = 0
	if a, err := ParseAdvertisement(paired); err != nil || !a.Paired {
		t.Errorf("got %+v (%v), want a paired one", a, err)
	}
	if a, err := ParseAdvertisement(full[:15]); err != nil || a.SetupHash != [4]byte{} || a.State != 258 {
		t.Errorf("without a hash: %+v (%v)", a, err)
	}
}

func TestParseAdvertisementRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		data  []byte
		alien bool
	}{
		"nothing":            {nil, true},
		"a nearby message":   {[]byte{0x10, 5, 1, 2, 3, 4, 5}, true},
		"a notification":     {[]byte{0x11, 0x36}, true},
		"one that is cut":    {[]byte{0x06, 0x31, 0x01, 0xAA, 0xBB, 0xCC}, false},
		"one byte too short": {make([]byte, 14), true},
	} {
		if _, err := ParseAdvertisement(c.data); err == nil || errors.Is(err, ErrNotHomeKit) != c.alien {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

func FuzzAdvertisement(f *testing.F) {
	f.Add([]byte{0x06, 0x31, 0x01, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x0A, 0x00, 0x02, 0x01, 0x03, 0x02, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ParseAdvertisement(data)
		if err != nil {
			return
		}
		again, err := a.Data()
		if err != nil {
			t.Fatalf("%+v cannot be sent: %v", a, err)
		}
		if b, err := ParseAdvertisement(again); err != nil || a != b {
			t.Fatalf("%+v becomes %+v (%v)", a, b, err)
		}
	})
}
