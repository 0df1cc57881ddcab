package camera

import (
	"context"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/grandcat/zeroconf"
)

// A real sweep, on the loopback interface only. Not every machine can do multicast there, so that it is
// asked for by VEILLEUSE_MULTICAST=1.
func TestSweepOnLoopback(t *testing.T) {
	if os.Getenv("VEILLEUSE_MULTICAST") == "" {
		t.Skip("looks for cameras by multicast on the loopback interface: set VEILLEUSE_MULTICAST=1 to run it")
	}
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface lo:", err)
	}
	server, err := zeroconf.RegisterProxy("Netatmo Camera", service, "local.", 5000, "camera", []string{"127.0.0.1"},
		[]string{"mac_address=" + string(indoor)}, []net.Interface{*lo})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	before := runtime.NumGoroutine()
	for range 2 { // each sweep has a resolver of its own
		found, err := sweep(context.Background(), zeroconf.SelectIfaces([]net.Interface{*lo}))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 || !sameHardware(found[0].Hardware, string(indoor)) || found[0].Address.String() != "127.0.0.1:5000" {
			t.Errorf("%v", found)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}

// A sweep that is cut short ends at once, with what it has.
func TestSweepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	began := time.Now()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface lo:", err)
	}
	found, _ := sweep(ctx, zeroconf.SelectIfaces([]net.Interface{*lo}))
	if len(found) > 0 || time.Since(began) >= sweepTime {
		t.Errorf("%v after %v", found, time.Since(began))
	}
}
