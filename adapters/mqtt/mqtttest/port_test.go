package mqtttest

import (
	"testing"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

func TestRestartWaitsForItsPort(t *testing.T) {
	b := Start(t)
	before := b.Address()
	b.Stop()
	if err := loopback.Squat(before); err != nil {
		t.Fatal(err)
	}
	b.Restart()
	if b.Address() != before {
		t.Errorf("it came back at %s, was at %s", b.Address(), before)
	}
	Watch(t, b, "none")
}
