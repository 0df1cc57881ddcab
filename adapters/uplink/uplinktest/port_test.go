package uplinktest

import (
	"net"
	"testing"
	"time"
)

func TestMendWaitsForItsPort(t *testing.T) {
	w, err := New(Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, c := range []struct {
		fault   Fault
		address string
	}{
		{Refused, w.Edge.Address().String()},
		{ResolverDead, w.Home.Address()},
	} {
		if err := w.Break(c.fault); err != nil {
			t.Fatalf("%s: %v", c.fault, err)
		}
		squat(t, c.address)
		if err := w.Break(); err != nil {
			t.Errorf("mend %s: %v", c.fault, err)
		}
	}
	if err := w.Break(Refused); err != nil {
		t.Fatal(err)
	}
	squat(t, w.Edge.Address().String())
	if err := w.Break(BlackHole); err != nil {
		t.Error(err)
	}
}

// squat takes the port as another process would, for a moment.
func squat(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(100*time.Millisecond, func() { l.Close() })
}
