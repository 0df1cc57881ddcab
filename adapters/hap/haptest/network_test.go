package haptest_test

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
)

// inMemory is an accessory in a network in memory that knows one controller already.
func inMemory(t *testing.T, network *haptest.Network) (*haptest.Accessory, hap.Pairing) {
	t.Helper()
	a, err := haptest.StartAccessory(haptest.Options{Listen: "10.0.0.1:5001", Network: network})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	pairing, err := a.Know(identity)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	return a, pairing
}

func TestAnAccessoryInMemoryIsTalkedWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network haptest.Network
		a, pairing := inMemory(t, &network)
		events := make(chan []hap.Reading, 1)
		s, err := a.Dial().Connect(t.Context(), a.Address(), pairing, func(r []hap.Reading) { events <- r })
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		list, err := s.Accessories(t.Context())
		if err != nil || len(list) != 1 {
			t.Errorf("it has %d accessories (%v)", len(list), err)
		}
		if messages, connections := network.Sent(a.Address()); messages != 3 || connections != 1 { // two of pair-verify
			t.Errorf("%d messages went over %d connections", messages, connections)
		}
		if got := a.Controllers(); len(got) != 1 || got[0] != pairing.Controller.ID {
			t.Errorf("it knows %v", got)
		}
	})
}

func TestTheNetworkInMemoryFailsAsARealOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network haptest.Network
		a, pairing := inMemory(t, &network)
		if _, err := network.Dial(t.Context(), "10.0.0.9:1"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("where nobody listens: %v", err)
		}
		if _, err := network.Listen(a.Address()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second listener: %v", err)
		}
		s, err := a.Dial().Connect(t.Context(), a.Address(), pairing, nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		network.Swallow(true, a.Address())
		if _, err := network.Dial(t.Context(), a.Address()); !isTimeout(err) || time.Since(began) != 10*time.Second {
			t.Errorf("a host without power: %v after %v", err, time.Since(began))
		}
		<-s.Done()
		if !errors.Is(s.Err(), syscall.ETIMEDOUT) || time.Since(began) != 35*time.Second {
			t.Errorf("the session with it ends after %v by %v", time.Since(began), s.Err())
		}
		network.Swallow(false, a.Address())
		s, err = a.Dial().Connect(t.Context(), a.Address(), pairing, nil)
		if err != nil {
			t.Fatal(err)
		}
		a.Disconnect()
		<-s.Done()
		if got := len(network.Dials()); got != 4 {
			t.Errorf("%d dials are counted", got)
		}
	})
}

func TestAConnectionInMemoryHeedsItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network haptest.Network
		l, err := network.Listen("10.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				defer c.Close()
				_, _ = c.Read(make([]byte, 1)) // until the other end is closed
			}
		}()
		c, err := network.Dial(t.Context(), "10.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		began := time.Now()
		if err := c.SetReadDeadline(began.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
