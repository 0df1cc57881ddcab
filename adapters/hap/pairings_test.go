package hap

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestSessionPairings(t *testing.T) {
	a := newTestAccessory(t)
	var asked TLV
	answer := tlvOf(2)
	a.onTalk = talk(map[string]func(*channel, request) error{"POST /pairings": func(c *channel, r request) error {
		var err error
		asked, err = DecodeTLV(r.body)
		return errors.Join(err, c.send(responseBytes(http.StatusOK, contentPairing, answer.Encode())))
	}})
	s := a.connect(nil)
	one, two := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)

	answer = tlvOf(2, Item{TagIdentifier, []byte("one")}, Item{TagPublicKey, one}, Item{TagPermissions, []byte{1}}, Item{Tag: TagSeparator},
		Item{TagIdentifier, []byte("two")}, Item{TagPublicKey, two}, Item{TagPermissions, []byte{0}})
	list, err := s.Pairings(within(t, 20*time.Second))
	if err != nil || len(list) != 2 || list[0].ID != "one" || !list[0].Admin || !bytes.Equal(list[1].Key, two) || list[1].Admin {
		t.Fatalf("%+v, %v", list, err)
	}
	if method, _ := asked.Byte(TagMethod); method != methodListPairings {
		t.Errorf("it asked %v", asked)
	}

	answer = tlvOf(2)
	if err := s.AddPairing(within(t, 20*time.Second), PairedController{"three", one, true}); err != nil {
		t.Fatal(err)
	}
	want := tlvOf(1, Item{TagMethod, []byte{3}}, Item{TagIdentifier, []byte("three")}, Item{TagPublicKey, one}, Item{TagPermissions, []byte{1}})
	if !bytes.Equal(asked.Encode(), want.Encode()) {
		t.Errorf("it asked %v", asked)
	}
	if err := s.AddPairing(within(t, 20*time.Second), PairedController{"four", one, false}); err != nil {
		t.Fatal(err)
	}
	if permissions, ok := asked.Byte(TagPermissions); !ok || permissions != 0 {
		t.Errorf("it asked %v", asked)
	}
	if err := s.RemovePairing(within(t, 20*time.Second), "three"); err != nil {
		t.Fatal(err)
	}
	if want := tlvOf(1, Item{TagMethod, []byte{4}}, Item{TagIdentifier, []byte("three")}); !bytes.Equal(asked.Encode(), want.Encode()) {
		t.Errorf("it asked %v", asked)
	}
}

func TestSessionPairingsRefused(t *testing.T) {
	a := newTestAccessory(t)
	a.onTalk = func(c *channel, _ request) error {
		return c.send(responseBytes(http.StatusOK, contentPairing, errorTLV(2, ErrorAuthentication, 0).Encode()))
	}
	s := a.connect(nil)
	for name, try := range map[string]func() error{
		"list":   func() error { _, err := s.Pairings(within(t, 20*time.Second)); return err },
		"add":    func() error { return s.AddPairing(within(t, 20*time.Second), PairedController{ID: "x"}) },
		"remove": func() error { return s.RemovePairing(within(t, 20*time.Second), "x") },
	} {
		var refused *PairingError
		if err := try(); !errors.As(err, &refused) || refused.Code != ErrorAuthentication {
			t.Errorf("%s gives %v", name, err)
		}
	}
}

// TestRemovingOurselves gets its answer although the accessory closes the connection right behind it.
func TestRemovingOurselves(t *testing.T) {
	for range 50 {
		a := newTestAccessory(t)
		a.onTalk = func(c *channel, _ request) error {
			return errors.Join(c.send(responseBytes(http.StatusOK, contentPairing, tlvOf(2).Encode())), errors.New("close"))
		}
		s := a.connect(nil)
		if err := s.RemovePairing(within(t, 20*time.Second), "me"); err != nil {
			t.Fatal(err)
		}
		<-s.Done()
	}
}

// FuzzPairings lets an accessory answer a list of pairings with anything.
func FuzzPairings(f *testing.F) {
	f.Add(tlvOf(2, Item{TagIdentifier, []byte("one")}, Item{TagPublicKey, make([]byte, 32)}, Item{TagPermissions, []byte{1}},
		Item{Tag: TagSeparator}, Item{TagIdentifier, []byte("two")}).Encode())
	f.Add(errorTLV(2, ErrorAuthentication, 0).Encode())
	f.Add([]byte{6, 1, 2, 255, 0, 1, 0, 11, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := PairingsOver(t.Context(), func(context.Context, TLV) (TLV, error) { return DecodeTLV(body) })
		if err != nil && all != nil {
			t.Errorf("%v comes with %+v", err, all)
		}
		for _, c := range all {
			if len(c.Key) != 0 && len(c.Key) != ed25519.PublicKeySize {
				t.Errorf("%q has a key of %d bytes", c.ID, len(c.Key))
			}
		}
	})
}
