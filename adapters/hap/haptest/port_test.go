package haptest

import (
	"net"
	"testing"
	"time"
)

func TestStartWaitsForItsPort(t *testing.T) {
	a := start(t, Options{})
	before := a.Address()
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	squat(t, before)
	if err := a.Start(); err != nil || a.Address() != before {
		t.Fatalf("it came back at %s: %v", a.Address(), err)
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
