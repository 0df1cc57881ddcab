package mqtttest

import (
	"net"
	"testing"
	"time"
)

func TestRestartWaitsForItsPort(t *testing.T) {
	b := Start(t)
	before := b.Address()
	b.Stop()
	squat(t, before)
	b.Restart()
	if b.Address() != before {
		t.Errorf("it came back at %s, was at %s", b.Address(), before)
	}
	Watch(t, b, "none")
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
