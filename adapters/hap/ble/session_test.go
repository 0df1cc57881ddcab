package ble_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/adapters/hap/ble/bletest"
)

// Instance ids in the recorded database of the CO alarm.
const (
	coDetected uint64 = 229
	coPeak     uint64 = 41
)

func connect(t testing.TB, a *bletest.Accessory) ble.Peripheral {
	t.Helper()
	p, err := a.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func pair(t testing.TB, a *bletest.Accessory) hap.Pairing {
	t.Helper()
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	p := connect(t, a)
	defer p.Close()
	pairing, err := ble.PairSetup(t.Context(), p, a.Code(), identity)
	if err != nil {
		t.Fatal(err)
	}
	return pairing
}

func open(t testing.TB, a *bletest.Accessory, pairing hap.Pairing) *ble.Session {
	t.Helper()
	s, err := ble.Open(t.Context(), connect(t, a), pairing, ble.Layout{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPairSetup(t *testing.T) {
	a := bletest.NewAlarm(t)
	pairing := pair(t, a)
	if pairing.AccessoryID != a.ID() {
		t.Errorf("paired with %s instead of %s", pairing.AccessoryID, a.ID())
	}
	if all := a.Controllers(); len(all) != 1 || all[0].ID != pairing.Controller.ID || !all[0].Admin {
		t.Errorf("the accessory is paired with %v", all)
	}
	identity, _ := hap.NewIdentity()
	_, err := ble.PairSetup(t.Context(), connect(t, a), a.Code(), identity)
	var refused *hap.PairingError
	if !errors.As(err, &refused) || refused.Code != hap.ErrorUnavailable {
		t.Errorf("a second controller gets %v, want that it belongs to another", err)
	}
}

func TestPairSetupWithTheWrongCode(t *testing.T) {
	a := bletest.NewAlarm(t)
	identity, _ := hap.NewIdentity()
	code := "111-22-334"
	if code == a.Code() {
		code = "111-22-335"
	}
	_, err := ble.PairSetup(t.Context(), connect(t, a), code, identity)
	var refused *hap.PairingError
	if !errors.As(err, &refused) || refused.Code != hap.ErrorAuthentication {
		t.Errorf("got %v, want that the code is wrong", err)
	}
}

func TestLayoutIsTheRecordedDatabase(t *testing.T) {
	a := bletest.NewAlarm(t)
	s := open(t, a, pair(t, a))
	got, want := s.Layout().Accessory, bletest.RecordedAlarm(t)
	want.Services = slices.DeleteFunc(want.Services, func(s hap.Service) bool { return len(s.Characteristics) == 0 }) // Bluetooth's own
	if len(got.Services) != len(want.Services) {
		t.Fatalf("%d services instead of %d", len(got.Services), len(want.Services))
	}
	for i, service := range got.Services {
		if service.IID != want.Services[i].IID || service.Type != want.Services[i].Type {
			t.Errorf("service %d is %d %s, want %d %s", i, service.IID, service.Type, want.Services[i].IID, want.Services[i].Type)
		}
		for _, c := range service.Characteristics {
			recorded, ok := want.Services[i].Find(c.Type)
			if !ok || recorded.IID != c.IID || recorded.Format != c.Format || recorded.Description != c.Description {
				t.Errorf("characteristic %d of service %d is %v, recorded %v", c.IID, service.IID, c, recorded)
			}
			if !slices.Equal(c.Perms, recorded.Perms) && len(recorded.Perms) > 0 {
				t.Errorf("characteristic %d may %v, recorded %v", c.IID, c.Perms, recorded.Perms)
			}
			if recorded.MaxValue != nil && (c.MaxValue == nil || *c.MaxValue != *recorded.MaxValue) {
				t.Errorf("characteristic %d goes to %v, recorded %v", c.IID, c.MaxValue, *recorded.MaxValue)
			}
		}
	}
}

func TestReadAndWrite(t *testing.T) {
	a := bletest.NewAlarm(t)
	s := open(t, a, pair(t, a))
	if err := a.Set(coPeak, json.RawMessage("21.3")); err != nil {
		t.Fatal(err)
	}
	readings, err := s.Read(t.Context(), coPeak, 2, 9999)
	if err != nil {
		t.Fatal(err)
	}
	if string(readings[0].Value) != "21.3" || string(readings[1].Value) != `"Smart CO Alarm"` || readings[2].Status != hap.StatusNoSuch {
		t.Errorf("read %s, %s and %v", readings[0].Value, readings[1].Value, readings[2].Status)
	}
	write := func(iid uint64, value string) hap.Write {
		return hap.Write{ID: hap.CharacteristicID{AID: 1, IID: iid}, Value: json.RawMessage(value)}
	}
	outcomes, err := s.Write(t.Context(), write(3, "true"), write(coPeak, "5"), write(3, `"no"`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []hap.Status{hap.StatusOK, hap.StatusInvalidValue, hap.StatusInvalidValue} {
		if outcomes[i].Status != want {
			t.Errorf("write %d: %v, want %v", i, outcomes[i].Status, want)
		}
	}
	if string(a.Value(3)) != "true" {
		t.Errorf("identify is %s", a.Value(3))
	}
	if outcomes, err = s.TimedWrite(t.Context(), time.Second, write(3, "false")); err != nil || outcomes[0].Status != hap.StatusOK {
		t.Errorf("timed write: %v, %v", outcomes, err)
	}
	if string(a.Value(3)) != "false" {
		t.Errorf("identify is %s after a timed write", a.Value(3))
	}
}

func TestBroadcastWhileNobodyIsConnected(t *testing.T) {
	a := bletest.NewAlarm(t)
	s := open(t, a, pair(t, a))
	key, err := s.EnableBroadcasts(t.Context(), coDetected)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := s.Numbers(t.Context())
	if err != nil || numbers.State != a.State() || numbers.Advertising != a.ID() {
		t.Fatalf("numbers %v (%v), want state %d", numbers, err, a.State())
	}
	layout := s.Layout()
	s.Close()

	heard := make(chan ble.Sighting, 4)
	radio := bletest.NewRadio(a)
	go radio.Listen(t.Context(), func(s ble.Sighting) { heard <- s })
	<-heard // the first advertisement
	if err := a.Set(coDetected, json.RawMessage("1")); err != nil {
		t.Fatal(err)
	}
	sighting := <-heard
	n, err := ble.ParseNotification(sighting.Data)
	if err != nil {
		t.Fatal(err)
	}
	change, err := n.Open(key, numbers.State)
	if err != nil {
		t.Fatal(err)
	}
	reading, err := layout.Value(change)
	if err != nil || reading.ID.IID != coDetected || string(reading.Value) != "1" || change.State != a.State() {
		t.Errorf("heard %v (%v) at state %d, want CO at state %d", reading, err, change.State, a.State())
	}
	if _, err := n.Open(key, change.State); !errors.Is(err, ble.ErrNotNews) {
		t.Errorf("the same again gives %v", err)
	}
	sighting.Data[12] ^= 1
	if forged, err := ble.ParseNotification(sighting.Data); err != nil {
		t.Error(err)
	} else if _, err := forged.Open(key, numbers.State); !errors.Is(err, ble.ErrForged) {
		t.Errorf("a forged one gives %v", err)
	}
	if a.Connects() != 2 {
		t.Errorf("it was connected to %d times, want once to pair and once to subscribe", a.Connects())
	}
}

func TestSubscribe(t *testing.T) {
	a := bletest.NewAlarm(t)
	s := open(t, a, pair(t, a))
	changed := make(chan uint64, 1)
	if err := s.Subscribe(t.Context(), func(iid uint64) { changed <- iid }, coDetected); err != nil {
		t.Fatal(err)
	}
	if err := a.Set(coDetected, json.RawMessage("1")); err != nil {
		t.Fatal(err)
	}
	if iid := <-changed; iid != coDetected {
		t.Errorf("characteristic %d changed, want %d", iid, coDetected)
	}
	if readings, err := s.Read(t.Context(), coDetected); err != nil || string(readings[0].Value) != "1" {
		t.Errorf("it is %v (%v)", readings, err)
	}
}

func TestPairings(t *testing.T) {
	a := bletest.NewAlarm(t)
	pairing := pair(t, a)
	s := open(t, a, pairing)
	all, err := s.Pairings(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != pairing.Controller.ID {
		t.Fatalf("pairings %v (%v)", all, err)
	}
	if err := s.RemovePairing(t.Context(), pairing.Controller.ID); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := ble.Open(t.Context(), connect(t, a), pairing, ble.Layout{}, 1); !errors.Is(err, hap.ErrPairingRemoved) {
		t.Errorf("a removed pairing gives %v", err)
	}
}

// TestASecondControllerJoins adds one by the first, lets it read with its own keys, and removes it.
func TestASecondControllerJoins(t *testing.T) {
	a := bletest.NewAlarm(t)
	first := pair(t, a)
	s := open(t, a, first)
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AddPairing(t.Context(), hap.PairedController{ID: identity.ID, Key: identity.Public(), Admin: true}); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Pairings(t.Context()); err != nil || len(all) != 2 {
		t.Fatalf("pairings %v (%v)", all, err)
	}
	s.Close()
	second := first
	second.Controller = identity
	s = open(t, a, second)
	if readings, err := s.Read(t.Context(), coDetected); err != nil || readings[0].Status != hap.StatusOK {
		t.Errorf("the second reads %v (%v)", readings, err)
	}
	if err := s.RemovePairing(t.Context(), first.Controller.ID); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := ble.Open(t.Context(), connect(t, a), first, ble.Layout{}, 1); !errors.Is(err, hap.ErrPairingRemoved) {
		t.Errorf("the first, which was removed, gets %v", err)
	}
}

func TestKnownLayoutIsNotAskedForAgain(t *testing.T) {
	a := bletest.NewAlarm(t)
	pairing := pair(t, a)
	s := open(t, a, pairing)
	layout := s.Layout()
	s.Close()
	counted := &counting{Peripheral: connect(t, a)}
	s, err := ble.Open(t.Context(), counted, pairing, layout, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), coDetected); err != nil {
		t.Fatal(err)
	}
	if counted.writes > 10 {
		t.Errorf("%d packets were sent for one value", counted.writes)
	}
}

// counting counts what is written through a connection.
type counting struct {
	ble.Peripheral
	writes int
}

func (c *counting) Write(ctx context.Context, handle string, value []byte) error {
	c.writes++
	return c.Peripheral.Write(ctx, handle, value)
}

func TestTroublesOfAConnection(t *testing.T) {
	for _, trouble := range []struct {
		name   string
		faults bletest.Faults
	}{
		{"lost in the middle", bletest.Faults{DropPDU: 12}},
		{"answers that make no sense", bletest.Faults{Garbage: true}},
		{"answers that are not sealed", bletest.Faults{Unsealed: true}},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			a := bletest.NewAlarm(t)
			pairing := pair(t, a)
			a.Break(trouble.faults)
			p := connect(t, a)
			if _, err := ble.Open(t.Context(), p, pairing, ble.Layout{}, 1); err == nil {
				t.Error("a session is open all the same")
			}
			select {
			case <-p.Done():
			default:
				t.Error("the connection is left open: the counters of its ends are apart")
			}
			a.Break(bletest.Faults{})
			open(t, a, pairing)
		})
	}
}
