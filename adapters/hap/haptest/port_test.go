package haptest

import (
	"testing"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

func TestStartWaitsForItsPort(t *testing.T) {
	a := start(t, Options{})
	before := a.Address()
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := loopback.Squat(before); err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil || a.Address() != before {
		t.Fatalf("it came back at %s: %v", a.Address(), err)
	}
}
