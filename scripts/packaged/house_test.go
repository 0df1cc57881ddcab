package packaged

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/gateway"
)

// TestHouse makes something happen in the house whose state folder VEILLEUSE_STATE names, while no program serves it:
// VEILLEUSE_HOUSE is one of the words below. All else in the folder stays as it is.
func TestHouse(t *testing.T) {
	folder := os.Getenv("VEILLEUSE_STATE")
	if folder == "" {
		t.Skip("scripts/package-test runs this")
	}
	disk, err := store.Open(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	lasting, _, err := disk.Load()
	if err != nil {
		t.Fatal(err)
	}
	s, now := lasting.State(), time.Now()
	s.Alarms, s.PastAlarms, s.Outage, s.Outages, s.Test = nil, nil, nil, nil, gateway.TestWindow{}
	s.Authority, s.Cloud = gateway.Authority{Phase: gateway.Watching, Since: now, Why: "Netatmo answers"}, gateway.Cloud{}
	ended := func(ago time.Duration) []gateway.Outage {
		return []gateway.Outage{{Number: 1, Verdict: gateway.VerdictCloudDown, Lost: now.Add(-ago - time.Hour), Began: now.Add(-ago - time.Hour), Ended: now.Add(-ago)}}
	}
	switch word := os.Getenv("VEILLEUSE_HOUSE"); word {
	case "calm":
		s.Outages = ended(40 * time.Minute)
	case "outage":
		lost := now.Add(-10 * time.Minute)
		s.Authority = gateway.Authority{Phase: gateway.Local, Since: lost, Lost: lost, Taken: lost, Why: "Netatmo answers 503"}
		s.Cloud = gateway.Cloud{Verdict: gateway.VerdictCloudDown, Since: lost, Why: "Netatmo answers 503"}
	case "over":
		s.Outages = ended(20 * time.Minute)
	case "drill":
		s.Authority = gateway.Authority{Phase: gateway.Local, Since: now, Lost: now, Taken: now, Drill: true, Until: now.Add(10 * time.Minute), Why: "drill: asked for"}
	case "alarm":
		s.Alarms = []gateway.Alarm{{Number: 1, Phase: gateway.Sounding, Kind: gateway.Smoke, Device: "d", Name: "Hall", Since: now, Raised: now, Heard: now, Why: `smoke in "Hall"`}}
	default:
		t.Fatalf("VEILLEUSE_HOUSE is %q", word)
	}
	if err := disk.Save(s); err != nil {
		t.Fatal(err)
	}
	if err := disk.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestVendor plays Netatmo on VEILLEUSE_VENDOR, a host:port on loopback, until it is killed.
func TestVendor(t *testing.T) {
	address := os.Getenv("VEILLEUSE_VENDOR")
	if address == "" {
		t.Skip("scripts/package-test runs this")
	}
	t.Fatal(http.ListenAndServe(address, netatmotest.New(netatmotest.Options{})))
}
