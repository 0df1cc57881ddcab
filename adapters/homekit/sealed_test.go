package homekit

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

var errFull = errors.New("no space left on device")

// smell lets the smoke alarm of the house smell, or end.
func (l live) smell(on bool) {
	l.Show(func(s gateway.State) gateway.State {
		s.Devices = s.Devices.With("smoke", device("smoke", "NSD", "", gateway.Smoke, gateway.Flag(on)))
		return s
	})
}

// A device that comes while the disk is full cannot be shown, for its ids could not be kept. All that is shown already
// goes on, alarms first of all, and the newcomer follows when there is room.
func TestAlarmsReachTheHomeAppOnAFullDisk(t *testing.T) {
	t.Parallel()
	v := gatewaytest.NewVault()
	l := startWith(t, New(Options{Vault: v, Listen: "127.0.0.1:0", Name: "Test", Log: slog.New(slog.DiscardHandler)}), home())
	smoke, _ := find(t, l.all, "smoke", hap.ServiceSmokeSensor, hap.CharacteristicSmokeDetected)
	if _, err := l.session.Subscribe(t.Context(), smoke); err != nil {
		t.Fatal(err)
	}
	v.Seal(errFull)
	l.Show(func(s gateway.State) gateway.State {
		s.Devices = s.Devices.With("late", device("late", "NAMain", "", gateway.Temperature, gateway.Number(12)))
		return s
	})
	l.smell(true)
	if got := l.event(t, smoke); got != "1" {
		t.Errorf("smoke is %s", got)
	}
	if all, err := l.session.Accessories(t.Context()); err != nil || len(all) != len(l.all) {
		t.Errorf("%d accessories are shown, %v; there were %d", len(all), err, len(l.all))
	}
	v.Seal(nil)
	for late := time.Now().Add(gatewaytest.Patience); ; time.Sleep(20 * time.Millisecond) {
		l.smell(false)
		l.smell(true)
		all, err := l.session.Accessories(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == len(l.all)+1 {
			return
		}
		if time.Now().After(late) {
			t.Fatal("the new device is never shown")
		}
	}
}

// A house whose disk takes nothing from the start, and in which much was found that the bridge has never shown, shows
// what it did before.
func TestABridgeStartsOnADiskThatTakesNothing(t *testing.T) {
	v := gatewaytest.NewVault()
	first := startWith(t, New(Options{Vault: v, Listen: "127.0.0.1:0", Name: "Test", Log: slog.New(slog.DiscardHandler)}), home())
	pairing := first.pairing
	first.session.Close()
	first.Stop()
	v.Seal(errFull)
	s := home()
	s.Devices = s.Devices.With("late", device("late", "NAMain", "", gateway.Temperature, gateway.Number(12)))
	a := New(Options{Vault: v, Listen: "127.0.0.1:0", Name: "Test", Log: slog.New(slog.DiscardHandler)})
	h := gatewaytest.Start(t, "homekit", a, gatewaytest.From(s), thatEvening)
	listen := listens(t, a)
	events := make(chan hap.Reading, 100)
	session, err := hap.Connect(t.Context(), listen, pairing, func(rs []hap.Reading) {
		for _, r := range rs {
			events <- r
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	again := live{House: h, bridge: a, session: session, events: events}
	if again.all, err = session.Accessories(t.Context()); err != nil || len(again.all) != len(first.all) {
		t.Fatalf("%d accessories are shown, %v; there were %d", len(again.all), err, len(first.all))
	}
	smoke, _ := find(t, again.all, "smoke", hap.ServiceSmokeSensor, hap.CharacteristicSmokeDetected)
	if _, err := session.Subscribe(t.Context(), smoke); err != nil {
		t.Fatal(err)
	}
	again.smell(true)
	if got := again.event(t, smoke); got != "1" {
		t.Errorf("smoke is %s", got)
	}
}
