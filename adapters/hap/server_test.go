package hap

import (
	"errors"
	"net"
	"testing"
	"time"
)

func TestSetAccessoriesFails(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.admin()
	before := c.get("/accessories").body
	if err := s.SetAccessories(house(2)[1:]); err == nil {
		t.Error("a house without a bridge was taken")
	}
	s.store.failOn("set", configurationKey)
	if err := s.SetAccessories(house(2)); !errors.Is(err, errDisk) {
		t.Errorf("error %v, want %v", err, errDisk)
	}
	if after := c.get("/accessories").body; string(after) != string(before) || s.TXT()["c#"] != "1" {
		t.Errorf("something changed: c#=%s", s.TXT()["c#"])
	}
}

func TestAccessoriesChangeWhileSessionsLive(t *testing.T) {
	s := startServer(t, house(2), nil)
	c := s.admin()
	for len(s.Changed()) > 0 {
		<-s.Changed()
	}
	kept, lost, late := CharacteristicID{2, iidSmoke}, CharacteristicID{3, iidSmoke}, CharacteristicID{4, iidSmoke}
	c.subscribe(kept, lost)
	next := append(house(1), device(4, "1.0"))
	next[1].Services[5].Characteristics[0].Value = NumberValue(1)
	if err := s.SetAccessories(next); err != nil {
		t.Fatal(err)
	}
	if got := c.event(); got != "2.28=1" {
		t.Errorf("the change that came with the new accessories is heard as %q", got)
	}
	select {
	case <-s.Changed():
	case <-time.After(patience):
		t.Error("nobody was told that the TXT record changed")
	}
	if got := s.TXT()["c#"]; got != "2" {
		t.Errorf("c#=%s, want 2", got)
	}
	c.subscribe(late)
	read := c.get("/characteristics?id=2.28,3.28,4.28&ev=1")
	want := `{"characteristics":[{"aid":2,"iid":28,"value":1,"ev":true,"status":0},{"aid":3,"iid":28,"status":-70409},
		{"aid":4,"iid":28,"value":0,"ev":true,"status":0}]}`
	if !sameJSON(t, read.body, []byte(want)) {
		t.Errorf("got %s, want %s", read.body, want)
	}
	if _, subscriptions := s.open(); subscriptions != 2 {
		t.Errorf("%d subscriptions, want 2", subscriptions)
	}
	if err := s.SetValues([]Value{{lost, NumberValue(1)}}); !errors.Is(err, StatusNoSuch) {
		t.Errorf("error %v, want %v", err, StatusNoSuch)
	}
	s.set("4.28=1")
	if got := c.event(); got != "4.28=1" {
		t.Errorf("heard %q", got)
	}
}

func TestServeWithoutAccessories(t *testing.T) {
	store := newMemoryStore()
	identity, err := LoadServerIdentity(store)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServer(ServerOptions{Identity: identity, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetValues([]Value{{CharacteristicID{1, 5}, TextValue("x")}}); err == nil {
		t.Error("values were set of nothing")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), listener); err == nil {
		t.Error("served nothing")
	}
}

func TestNewServerWithoutItsNeeds(t *testing.T) {
	identity, err := NewServerIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string]ServerOptions{
		"no store": {Identity: identity}, "no identity": {Store: newMemoryStore()},
	} {
		if _, err := NewServer(options); err == nil {
			t.Errorf("%s: started", name)
		}
	}
}
