package hap

import (
	"errors"
	"net/http"
	"testing"
)

func TestPairVerifyRefuses(t *testing.T) {
	s := startServer(t, house(1), nil)
	known := s.pair("known", true)
	stranger, impostor := known, known
	stranger.Controller = newController(t)
	impostor.Controller.Key = newController(t).Key
	for name, pairing := range map[string]Pairing{"stranger": stranger, "impostor": impostor} {
		c := s.dial()
		if err := c.verify(pairing); !errors.Is(err, ErrPairingRemoved) {
			t.Errorf("%s: error %v", name, err)
		}
		if answer := c.get("/accessories"); answer.status != statusUnverified {
			t.Errorf("%s: status %d afterwards", name, answer.status)
		}
	}
	c := s.dial()
	if answer := c.pairing("/pair-verify", tlvOf(1, Item{TagPublicKey, []byte("short")})); !answer.Has(TagError) {
		t.Error("a short key was taken")
	}
	if answer := c.pairing("/pair-verify", tlvOf(3, Item{TagEncryptedData, make([]byte, 32)})); !answer.Has(TagError) {
		t.Error("M3 without M1 was taken")
	}
	if answer := s.connect(known).pairingStatus("/pair-verify", tlvOf(1)); answer != http.StatusBadRequest {
		t.Errorf("pair-verify within a session: status %d", answer)
	}
}

func (c *strictClient) pairingStatus(path string, message TLV) int {
	c.t.Helper()
	answer, err := c.try(http.MethodPost, path, contentPairing, string(message.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	return answer.status
}

// An accessory must prove who it is to the controller: its signature fits its key and id.
func TestServerProvesItself(t *testing.T) {
	s := startServer(t, house(1), nil)
	pairing := s.pair("known", true)
	pairing.AccessoryKey = newController(t).Public()
	if err := s.dial().verify(pairing); !errors.Is(err, ErrOtherAccessory) {
		t.Errorf("error %v, want %v", err, ErrOtherAccessory)
	}
}
