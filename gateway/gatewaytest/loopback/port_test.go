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

func TestPortsKeepBelowThoseThatTheSystemHandsOut(t *testing.T) {
	for handedOut, want := range map[string][2]int{
		"":               {20_000, 32_000},
		"32768\t60999\n": {20_000, 32_000},
		"49152\t65535\n": {20_000, 32_000},
		"24000\t65535\n": {20_000, 24_000},
		"21000\t65535\n": {10_500, 21_000},
		"10000\t65535\n": {5_000, 10_000},
		"1024\t65535\n":  {20_000, 32_000},
	} {
		if first, beyond := between(handedOut); first != want[0] || beyond != want[1] {
			t.Errorf("where %q is handed out they are from %d on, below %d; want %v", handedOut, first, beyond, want)
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
