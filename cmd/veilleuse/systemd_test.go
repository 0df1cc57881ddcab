package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/systemd"
	"github.com/veilleuse/veilleuse/adapters/systemd/systemdtest"
	"github.com/veilleuse/veilleuse/gateway"
)

// managed is a house without internet, vendor or time server, and the service manager that has started it.
type managed struct {
	manager *systemdtest.Manager
	told    []string
}

// manage runs a new house until the test ends.
func manage(t *testing.T, homekit string, disk func(gateway.Adapter) gateway.Adapter) *managed {
	t.Helper()
	return manageIn(t, t.TempDir(), homekit, disk)
}

// manageIn runs the house in that state folder until the test ends.
func manageIn(t *testing.T, state, homekit string, disk func(gateway.Adapter) gateway.Adapter) *managed {
	t.Helper()
	m := &managed{manager: systemdtest.Listen(t)}
	config := defaults()
	config.State = state
	config.Netatmo.URL = "http://127.0.0.1:1" // refuses
	config.Uplink.Witnesses = []string{}
	config.HomeKit.Listen, config.MQTT.Listen, config.Web.Listen = homekit, "127.0.0.1:0", "127.0.0.1:0"
	h, err := build(config, slog.New(slog.DiscardHandler), outside{
		manager: systemd.Manager{Socket: m.manager.Socket, Watchdog: 3 * time.Second},
		quiet:   true, disk: disk,
		browse: func(context.Context) ([]accessory.Announced, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // when it has ended
		if m.hear(); systemdtest.Count(m.told, "STOPPING=1") != 1 {
			t.Errorf("the manager is not told that the house stops: %q", m.told)
		}
	})
	runsToTheEnd(t, h.run)
	return m
}

func (m *managed) hear() { m.told = append(m.told, m.manager.Told()...) }

// waitFor waits until a variable was told, and says how long that took.
func (m *managed) waitFor(t *testing.T, variable string) time.Duration {
	t.Helper()
	began := time.Now()
	for m.hear(); systemdtest.Count(m.told, variable) == 0; m.hear() {
		if time.Since(began) > patience {
			t.Fatalf("%s was never told: %q", variable, m.told)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

func TestTheHouseIsReadyWithoutVendorInternetOrClock(t *testing.T) {
	m := manage(t, "127.0.0.1:0", nil)
	t.Logf("ready after %v", m.waitFor(t, "READY=1"))
	m.waitFor(t, "WATCHDOG=1")
	if !strings.Contains(strings.Join(m.told, "\n"), "STATUS=Netatmo is in charge") {
		t.Errorf("nobody is said to be in charge: %q", m.told)
	}
}

func TestTheHouseIsNotReadyBeforeHomeKitServes(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := manage(t, other.Addr().String(), nil)
	for m.waitFor(t, "STATUS="); !strings.Contains(strings.Join(m.told, "\n"), "HomeKit does not serve: homekit.listen"); m.hear() {
		time.Sleep(5 * time.Millisecond)
	}
	if systemdtest.Count(m.told, "READY=1") != 0 {
		t.Errorf("the house is ready though its port is taken: %q", m.told)
	}
	other.Close()
	m.waitFor(t, "READY=1")
}

// A disk that lost the bridge's identity and kept its pairings costs the Home app, not the house: heating and alarms go
// on, and it says so.
func TestAHouseWithoutItsHomeKitIdentityLives(t *testing.T) {
	state := t.TempDir()
	disk, err := store.Open(state, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(disk.Vault("homekit").Set("pairing/70686f6e65", []byte("{}")), disk.Close()); err != nil {
		t.Fatal(err)
	}
	m := manageIn(t, state, "127.0.0.1:0", nil)
	const want = "HomeKit does not serve: HomeKit identity: the HomeKit identity is gone but 1 pairings are there: restore a backup"
	for began := time.Now(); !strings.Contains(strings.Join(m.told, "\n"), want); m.hear() {
		if time.Since(began) > patience {
			t.Fatalf("it says %q", m.told)
		}
		time.Sleep(5 * time.Millisecond)
	}
	m.waitFor(t, "WATCHDOG=1")
	if systemdtest.Count(m.told, "READY=1") != 0 {
		t.Errorf("the house is ready though nobody can reach it by the Home app: %q", m.told)
	}
}

// A card that was damaged and can only be read any more is no reason to leave the house alone.
func TestAHouseLivesOnADamagedDiskThatCannotBeWritten(t *testing.T) {
	state := t.TempDir()
	disk, err := store.Open(state, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(disk.Vault("homekit").Set("configuration", []byte(`{"number":1}`)), disk.Close()); err != nil {
		t.Fatal(err)
	}
	writeTo(t, filepath.Join(state, "veilleuse.db"), "nonsense")
	inTheWay := filepath.Join(state, "veilleuse.db.new", "cannot be removed") // where the database would be written anew
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	m := manageIn(t, state, "127.0.0.1:0", nil)
	m.waitFor(t, "STATUS=")
	if err := os.Rename(filepath.Dir(inTheWay), filepath.Join(t.TempDir(), "away")); err != nil { // so that it can save at its end
		t.Fatal(err)
	}
}

// hanging is a disk that never answers.
type hanging struct{}

func (hanging) Run(ctx context.Context, _ gateway.Port) error { <-ctx.Done(); return nil }

func TestAHouseThatCannotSaveIsNotVouchedFor(t *testing.T) {
	m := manage(t, "127.0.0.1:0", func(gateway.Adapter) gateway.Adapter { return hanging{} })
	m.waitFor(t, "READY=1")
	time.Sleep(3 * time.Second) // six looks, by intent in real time: the Loop ticks
	if m.hear(); systemdtest.Count(m.told, "WATCHDOG=1") != 0 {
		t.Errorf("the disk hangs, and the manager is told %q", m.told)
	}
}
