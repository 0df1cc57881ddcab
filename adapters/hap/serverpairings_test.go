package hap

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Defect 7.
func TestListPairings(t *testing.T) {
	s := startServer(t, house(1), nil)
	admin, user := s.pair("admin", true), s.pair("user", false)
	answer := s.connect(admin).pairing("/pairings", tlvOf(1, Item{TagMethod, []byte{methodListPairings}}))
	if state, _ := answer.Byte(TagState); state != 2 {
		t.Errorf("state %d", state)
	}
	parts := answer[1:].Split()
	if len(parts) != 2 {
		t.Fatalf("%d pairings in %v", len(parts), answer)
	}
	for i, want := range []Pairing{admin, user} {
		permissions, _ := parts[i].Byte(TagPermissions)
		if string(parts[i].Get(TagIdentifier)) != want.Controller.ID || !bytes.Equal(parts[i].Get(TagPublicKey), want.Controller.Public()) ||
			permissions != byte(1-i) {
			t.Errorf("pairing %d is %v", i, parts[i])
		}
	}
	if separators := bytes.Count(answer.Encode(), []byte{byte(TagSeparator), 0}); separators != 1 {
		t.Errorf("%d separators", separators)
	}
}

func TestAddPairingOverTheWire(t *testing.T) {
	s := startServer(t, house(1), nil)
	admin := s.admin()
	guest := newController(t)
	add := func(permissions byte, key []byte) byte {
		answer := admin.pairing("/pairings", tlvOf(1, Item{TagMethod, []byte{methodAddPairing}}, Item{TagIdentifier, []byte(guest.ID)},
			Item{TagPublicKey, key}, Item{TagPermissions, []byte{permissions}}))
		code, _ := answer.Byte(TagError)
		return code
	}
	if code := add(permissionUser, guest.Public()); code != 0 {
		t.Fatalf("error %d", code)
	}
	own := s.options.Identity
	c := s.connect(Pairing{AccessoryID: own.DeviceID, AccessoryKey: own.Public(), Controller: guest})
	list := tlvOf(1, Item{TagMethod, []byte{methodListPairings}})
	if answer := c.pairing("/pairings", list); !answer.Has(TagError) {
		t.Error("a user without admin rights may list pairings")
	}
	if code := add(permissionAdmin, guest.Public()); code != 0 {
		t.Errorf("more rights: error %d", code)
	}
	if answer := c.pairing("/pairings", list); answer.Has(TagError) {
		t.Error("an admin may not list pairings")
	}
	if code := add(permissionAdmin, newController(t).Public()); code != ErrorUnknown {
		t.Errorf("another key for a known id: error %d", code)
	}
	for i := range pairingsMax {
		s.door.pairer.table.byID[fmt.Sprint(i)] = controllerPairing{}
	}
	guest = newController(t)
	if code := add(permissionUser, guest.Public()); code != ErrorMaxPeers {
		t.Errorf("one too many: error %d", code)
	}
	if answer := admin.pairing("/pairings", tlvOf(1, Item{TagMethod, []byte{9}})); !answer.Has(TagError) {
		t.Error("an unknown method was taken")
	}
}

// remove asks for the removal and returns the error code of the answer.
func (c *strictClient) remove(id string) byte {
	c.t.Helper()
	answer := c.pairing("/pairings", tlvOf(1, Item{TagMethod, []byte{methodRemovePairing}}, Item{TagIdentifier, []byte(id)}))
	code, _ := answer.Byte(TagError)
	if state, _ := answer.Byte(TagState); state != 2 {
		c.t.Errorf("state %d", state)
	}
	return code
}

func TestRemovePairingEndsItsSessionsOnly(t *testing.T) {
	s := startServer(t, house(1), nil)
	admin := s.admin()
	guest := s.pair("guest", false)
	first, second := s.connect(guest), s.connect(guest)
	if code := admin.remove("guest"); code != 0 {
		t.Fatalf("error %d", code)
	}
	first.closed()
	second.closed()
	if answer := admin.get("/accessories"); answer.status != http.StatusOK {
		t.Errorf("the admin's status is %d", answer.status)
	}
	if err := s.dial().verify(guest); !errors.Is(err, ErrPairingRemoved) {
		t.Errorf("the guest comes back: error %v", err)
	}
	if code := admin.remove("nobody"); code != 0 {
		t.Errorf("removing nobody: error %d, HAP wants success", code)
	}
}

// Defect 8: the answer comes before the end; with the last admin everybody goes.
func TestRemoveLastAdmin(t *testing.T) {
	s := startServer(t, house(1), nil)
	admin := s.connect(s.pair("admin", true))
	guest := s.connect(s.pair("guest", false))
	<-s.Changed()
	if code := admin.remove("admin"); code != 0 {
		t.Fatalf("error %d", code)
	}
	admin.closed()
	guest.closed()
	if s.Paired() || s.TXT()["sf"] != "1" {
		t.Errorf("paired %t, sf=%s", s.Paired(), s.TXT()["sf"])
	}
	select {
	case <-s.Changed():
	case <-time.After(patience):
		t.Error("nobody was told that the TXT record changed")
	}
	if keys, _ := s.store.List(pairingPrefix); len(keys) > 0 {
		t.Errorf("the store still has %v", keys)
	}
	if _, err := s.setup(s.options.Identity.SetupCode); err != nil {
		t.Errorf("pairing anew: %v", err)
	}
}

func TestRemovalThatTheStoreRefuses(t *testing.T) {
	s := startServer(t, house(1), nil)
	admin := s.admin()
	s.pair("guest", false)
	s.store.failOn("delete", pairingPrefix)
	if code := admin.remove("guest"); code != ErrorUnknown {
		t.Errorf("error %d, want %d", code, ErrorUnknown)
	}
	if answer := admin.get("/accessories"); answer.status != http.StatusOK {
		t.Errorf("status %d", answer.status)
	}
}

func TestUnpair(t *testing.T) {
	s := startServer(t, house(1), nil)
	sessions := []*strictClient{s.admin(), s.admin(), s.connect(s.pair("guest", false))}
	if err := s.Unpair(); err != nil {
		t.Fatal(err)
	}
	for _, c := range sessions {
		c.closed()
	}
	if s.Paired() {
		t.Error("still paired")
	}
	s.pair("admin", true)
	s.store.failOn("delete", pairingPrefix)
	if err := s.Unpair(); !errors.Is(err, errDisk) || !s.Paired() {
		t.Errorf("with a failing store: error %v, paired %t", err, s.Paired())
	}
}

// A pairing removed while its controller is in the middle of pair-verify must not live on in the new session.
func TestRemovalDuringPairVerify(t *testing.T) {
	s := startServer(t, house(1), nil)
	for i := range 40 {
		pairing := s.pair(fmt.Sprintf("guest %d", i), true)
		var both sync.WaitGroup
		both.Go(func() {
			if err := s.Unpair(); err != nil {
				t.Error(err)
			}
		})
		c := s.dial()
		if err := c.verify(pairing); err == nil {
			both.Wait()
			if answer, err := c.try(http.MethodGet, "/accessories", "", ""); err == nil {
				t.Fatalf("run %d: status %d for a controller that was removed", i, answer.status)
			}
		}
		both.Wait()
	}
}
