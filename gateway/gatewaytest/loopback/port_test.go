package loopback

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestAddressIsOutsideTheSystemsOwnPorts(t *testing.T) {
	for range 1000 {
		a, err := netip.ParseAddrPort(Address("127.0.0.1"))
		if err != nil || !a.Addr().IsLoopback() || a.Port() < 20_000 || a.Port() >= 32_000 {
			t.Fatalf("got %v (%v), want a port of loopback from 20000 to 31999", a, err)
		}
	}
}

func TestInsistWaitsForAPortThatIsTaken(t *testing.T) {
	squatter, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	err = Insist(func() error {
		tries++
		l, err := net.Listen("tcp", squatter.Addr().String())
		if err == nil {
			l.Close()
		}
		if tries == 3 {
			squatter.Close()
		}
		return err
	})
	if err != nil || tries < 4 {
		t.Errorf("after %d tries: %v, want the port once nobody sits on it", tries, err)
	}
}

func TestInsistGivesUpOnOtherErrors(t *testing.T) {
	broken, tries := errors.New("broken"), 0
	err := Insist(func() error { tries++; return broken })
	if !errors.Is(err, broken) || tries != 1 {
		t.Errorf("got %v after %d tries, want the error after one", err, tries)
	}
}
