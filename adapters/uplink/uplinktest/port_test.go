package uplinktest

import (
	"testing"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
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
		if err := loopback.Squat(c.address); err != nil {
			t.Fatal(err)
		}
		if err := w.Break(); err != nil {
			t.Errorf("mend %s: %v", c.fault, err)
		}
	}
	if err := w.Break(Refused); err != nil {
		t.Fatal(err)
	}
	if err := loopback.Squat(w.Edge.Address().String()); err != nil {
		t.Fatal(err)
	}
	if err := w.Break(BlackHole); err != nil {
		t.Error(err)
	}
}
