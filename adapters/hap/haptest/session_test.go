package haptest

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// The tests in this file hold the two ends of package hap against each other.

// lock is a bridge with a device whose one value takes timed writes only.
func lock() []hap.Accessory {
	device := Bridge("Lock")
	device.AID = 5
	device.Services = append(device.Services, hap.Service{IID: 8, Type: hap.ServiceSwitch, Characteristics: []hap.Characteristic{
		{IID: 9, Type: hap.CharacteristicOn, Perms: []hap.Perm{hap.PermRead, hap.PermWrite, hap.PermTimedWrite, hap.PermEvents}, Format: hap.FormatBool, Value: hap.BoolValue(false)},
	}})
	return []hap.Accessory{Bridge("Relay"), device}
}

func TestTimedWrites(t *testing.T) {
	a := start(t, Options{Accessories: lock()})
	s := session(t, a, paired(t, a), nil)
	write := hap.Write{ID: hap.CharacteristicID{AID: 5, IID: 9}, Value: hap.BoolValue(true)}
	plain, err := s.Write(within(t), write)
	if err != nil || plain[0].Status != hap.StatusInvalidValue || len(a.Writes()) != 0 {
		t.Fatalf("a plain write gives %+v, %v", plain, err)
	}
	timed, err := s.TimedWrite(within(t), 20*time.Second, write)
	if err != nil || timed[0].Status != hap.StatusOK || string(a.Value(write.ID)) != "true" {
		t.Fatalf("a timed write gives %+v, %v", timed, err)
	}
}

func TestStatuses(t *testing.T) {
	a := start(t, Options{Accessories: thermostat()})
	s := session(t, a, paired(t, a), nil)
	nobody := hap.CharacteristicID{AID: 9, IID: 9}
	name := hap.CharacteristicID{AID: 2, IID: 5}
	if err := a.Set(hap.Value{ID: current}); err != nil { // nothing to show
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		do   func() ([]hap.Reading, error)
		want []hap.Status
	}{
		{"read", func() ([]hap.Reading, error) { return s.Read(within(t), target, current, nobody) },
			[]hap.Status{hap.StatusOK, hap.StatusUnreachable, hap.StatusNoSuch}},
		{"write", func() ([]hap.Reading, error) {
			return s.Write(within(t), hap.Write{ID: target, Value: hap.NumberValue(999)}, hap.Write{ID: current, Value: hap.NumberValue(20)}, hap.Write{ID: target, Value: hap.NumberValue(20)})
		}, []hap.Status{hap.StatusInvalidValue, hap.StatusReadOnly, hap.StatusOK}},
		{"subscribe", func() ([]hap.Reading, error) { return s.Subscribe(within(t), target, name, nobody) },
			[]hap.Status{hap.StatusOK, hap.StatusNoEvents, hap.StatusNoSuch}},
	} {
		readings, err := test.do()
		var got []hap.Status
		for _, reading := range readings {
			got = append(got, reading.Status)
		}
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, %v, want %v", test.name, got, err, test.want)
		}
	}
}

func TestPairingsOfAnAccessory(t *testing.T) {
	a := start(t, Options{Accessories: thermostat()})
	first := paired(t, a)
	admin := session(t, a, first, nil)
	guest, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if err := admin.AddPairing(within(t), hap.PairedController{ID: guest.ID, Key: guest.Public()}); err != nil {
		t.Fatal(err)
	}
	list, err := admin.Pairings(within(t))
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, controller := range list {
		if controller.Admin != (controller.ID == first.Controller.ID) {
			t.Errorf("%+v", controller)
		}
	}
	second := first
	second.Controller = guest
	user := session(t, a, second, nil)
	var refused *hap.PairingError
	if _, err := user.Pairings(within(t)); !errors.As(err, &refused) || refused.Code != hap.ErrorAuthentication {
		t.Errorf("a guest may list: %v", err)
	}
	if err := admin.RemovePairing(within(t), guest.ID); err != nil {
		t.Fatal(err)
	}
	ended(t, user)
	if _, err := hap.Connect(within(t), a.Address(), second, nil); !errors.Is(err, hap.ErrPairingRemoved) {
		t.Errorf("a removed guest: %v", err)
	}
	if err := admin.RemovePairing(within(t), first.Controller.ID); err != nil {
		t.Fatal(err)
	}
	ended(t, admin)
	paired(t, a)
}

func TestPairingsSurviveAPowerCut(t *testing.T) {
	a := start(t, Options{Accessories: thermostat()})
	pairing := paired(t, a)
	if err := errors.Join(a.Stop(), a.Start()); err != nil {
		t.Fatal(err)
	}
	if _, err := session(t, a, pairing, nil).Accessories(within(t)); err != nil {
		t.Fatal(err)
	}
	_, err := a.Pair(within(t))
	var refused *hap.PairingError
	if !errors.As(err, &refused) || refused.Code != hap.ErrorUnavailable {
		t.Errorf("a second controller: %v", err)
	}
}

func TestWrongCodes(t *testing.T) {
	a := start(t, Options{SetupCode: "031-45-154"})
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var refused *hap.PairingError
		if _, err := hap.PairSetup(within(t), a.Address(), "031-45-155", identity, 0); !errors.As(err, &refused) || refused.Code != hap.ErrorAuthentication {
			t.Fatalf("got %v", err)
		}
	}
	paired(t, a)
}

// TestFirstRequestRightAfterVerify asks the moment pair-verify is done: where one end switches to encryption late, some
// of these hang or come in plain text.
func TestFirstRequestRightAfterVerify(t *testing.T) {
	a := start(t, Options{Accessories: thermostat()})
	pairing := paired(t, a)
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	for round := range rounds {
		s, err := hap.Connect(within(t), "", pairing, nil)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if got, err := s.Read(within(t), target); err != nil || string(got[0].Value) != "19" {
			t.Fatalf("round %d: %+v, %v", round, got, err)
		}
		s.Close()
	}
}

// TestEveryControllerHearsTheLastValue changes a value from the device and from controllers: whoever did not write it
// must hear the last one.
func TestEveryControllerHearsTheLastValue(t *testing.T) {
	a := start(t, Options{Accessories: thermostat()})
	pairing := paired(t, a)
	var mu sync.Mutex
	heard := map[int]string{}
	changed := make(chan struct{}, 100)
	var sessions []*hap.Session
	for n := range 4 {
		s := session(t, a, pairing, func(readings []hap.Reading) {
			mu.Lock()
			heard[n] = string(readings[len(readings)-1].Value)
			mu.Unlock()
			changed <- struct{}{}
		})
		if _, err := s.Subscribe(within(t), target); err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	for step := range 6 {
		if err := a.Set(hap.Value{ID: target, Value: hap.NumberValue(float64(10 + step))}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sessions[0].Write(within(t), hap.Write{ID: target, Value: json.RawMessage("25.5")}); err != nil {
		t.Fatal(err)
	}
	deadline := within(t)
	for all := false; !all; {
		select {
		case <-changed:
		case <-deadline.Done():
			t.Fatalf("they heard %v", heard)
		}
		mu.Lock()
		all = heard[1] == "25.5" && heard[2] == "25.5" && heard[3] == "25.5"
		mu.Unlock()
	}
	if got, err := sessions[0].Read(within(t), target); err != nil || string(got[0].Value) != "25.5" {
		t.Errorf("the writer reads %+v, %v", got, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if heard[0] == "25.5" {
		t.Error("the writer got an event of its own write")
	}
}

func TestAFullBridge(t *testing.T) {
	list := []hap.Accessory{Bridge("Relay")}
	for aid := uint64(2); aid <= hap.AccessoriesMax; aid++ {
		device := thermostat()[1]
		device.AID = aid
		list = append(list, device)
	}
	a := start(t, Options{Accessories: list})
	s := session(t, a, paired(t, a), nil)
	got, err := s.Accessories(within(t))
	if err != nil || len(got) != hap.AccessoriesMax {
		t.Fatalf("%d accessories, %v", len(got), err)
	}
	var everything []hap.CharacteristicID
	for aid := uint64(2); aid <= hap.AccessoriesMax; aid++ {
		everything = append(everything, hap.CharacteristicID{AID: aid, IID: 9}, hap.CharacteristicID{AID: aid, IID: 10})
	}
	for name, do := range map[string]func() ([]hap.Reading, error){
		"subscribe": func() ([]hap.Reading, error) { return s.Subscribe(within(t), everything...) },
		"read":      func() ([]hap.Reading, error) { return s.Read(within(t), everything...) },
	} {
		readings, err := do()
		bad := slices.ContainsFunc(readings, func(r hap.Reading) bool { return r.Status != hap.StatusOK })
		if err != nil || len(readings) != len(everything) || bad {
			t.Errorf("%s: %d readings, a bad one is among them: %t, %v", name, len(readings), bad, err)
		}
	}
}

// TestNothingIsLeftRunning starts and closes accessories with open sessions, and counts goroutines.
func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		a, err := StartAccessory(Options{Accessories: thermostat()})
		if err != nil {
			t.Fatal(err)
		}
		s, err := hap.Connect(within(t), a.Address(), paired(t, a), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		ended(t, s)
	}
	for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines instead of %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestStartAccessoryRefuses(t *testing.T) {
	a := start(t, Options{})
	for name, options := range map[string]Options{
		"an address in use":       {Listen: a.Address()},
		"a code that is too easy": {SetupCode: "123-45-678"},
		"accessories without ids": {Accessories: []hap.Accessory{{}}},
	} {
		if other, err := StartAccessory(options); err == nil {
			other.Close()
			t.Errorf("%s is taken", name)
		}
	}
}

func ExampleStartAccessory() {
	a, err := StartAccessory(Options{SetupCode: "031-45-154"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	fmt.Println(a.Code(), a.TXT()["sf"])
	// Output: 031-45-154 1
}
