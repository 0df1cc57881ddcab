package haptest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// thermostat is a bridge with one thermostat, aid 2.
func thermostat() []hap.Accessory {
	device := Bridge("Thermostat")
	device.AID = 2
	all := []hap.Perm{hap.PermRead, hap.PermWrite, hap.PermEvents}
	device.Services = append(device.Services, hap.Service{IID: 8, Type: hap.ServiceThermostat, Characteristics: []hap.Characteristic{
		{IID: 9, Type: hap.CharacteristicTargetTemperature, Perms: all, Format: hap.FormatFloat, MinValue: new(5.0), MaxValue: new(30.0), MinStep: new(0.5), Value: hap.NumberValue(19)},
		{IID: 10, Type: hap.CharacteristicCurrentTemperature, Perms: []hap.Perm{hap.PermRead, hap.PermEvents}, Format: hap.FormatFloat, Value: hap.NumberValue(18.4)},
	}})
	return []hap.Accessory{Bridge("Relay"), device}
}

var (
	target  = hap.CharacteristicID{AID: 2, IID: 9}
	current = hap.CharacteristicID{AID: 2, IID: 10}
)

func start(t *testing.T, options Options) *Accessory {
	t.Helper()
	a, err := StartAccessory(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func paired(t *testing.T, a *Accessory) hap.Pairing {
	t.Helper()
	pairing, err := a.Pair(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return pairing
}

func session(t *testing.T, a *Accessory, pairing hap.Pairing, onEvent func([]hap.Reading)) *hap.Session {
	t.Helper()
	s, err := hap.Connect(within(t), a.Address(), pairing, onEvent)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func ended(t *testing.T, s *hap.Session) error {
	t.Helper()
	select {
	case <-s.Done():
	case <-within(t).Done():
		t.Fatal("the session goes on")
	}
	return s.Err()
}

func TestAccessoryTalks(t *testing.T) {
	a := start(t, Options{Accessories: thermostat()})
	events := make(chan []hap.Reading, 10)
	s := session(t, a, paired(t, a), func(readings []hap.Reading) { events <- readings })
	list, err := s.Accessories(within(t))
	if err != nil || len(list) != 2 || list[1].AID != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if id, err := a.Find(2, hap.CharacteristicCurrentTemperature); err != nil || id != current {
		t.Fatalf("found %s, %v", id, err)
	}
	if id, err := a.Find(2, hap.CharacteristicMute); err == nil {
		t.Fatalf("found %s", id)
	}
	if _, err := s.Subscribe(within(t), current); err != nil {
		t.Fatal(err)
	}
	if err := a.Set(hap.Value{ID: current, Value: hap.NumberValue(20.5)}); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-events:
		if got[0].ID != current || string(got[0].Value) != "20.5" {
			t.Errorf("the event says %+v", got)
		}
	case <-within(t).Done():
		t.Fatal("no event")
	}
	outcome, err := s.Write(within(t), hap.Write{ID: target, Value: hap.NumberValue(21)})
	if err != nil || outcome[0].Status != hap.StatusOK {
		t.Fatalf("%+v, %v", outcome, err)
	}
	if writes := a.Writes(); len(writes) != 1 || writes[0].ID != target || string(a.Value(target)) != "21" || string(a.Value(current)) != "20.5" {
		t.Errorf("it knows %+v, target %s, current %s", writes, a.Value(target), a.Value(current))
	}
}

func TestAccessoryMayRefuse(t *testing.T) {
	a := start(t, Options{Accessories: thermostat(), SetupCode: "031-45-154", OnWrite: func([]hap.WriteRequest) []hap.WriteResult {
		return []hap.WriteResult{{Status: hap.StatusBusy}}
	}})
	if a.Code() != "031-45-154" {
		t.Errorf("the code is %s", a.Code())
	}
	s := session(t, a, paired(t, a), nil)
	outcome, err := s.Write(within(t), hap.Write{ID: target, Value: hap.NumberValue(21)})
	if err != nil || outcome[0].Status != hap.StatusBusy || len(a.Writes()) != 0 || string(a.Value(target)) != "19" {
		t.Fatalf("%+v, %v, value %s", outcome, err, a.Value(target))
	}
}

func TestFaults(t *testing.T) {
	a := start(t, Options{Accessories: thermostat()})
	pairing := paired(t, a)
	for _, test := range []struct {
		name  string
		fault Fault
		want  string // in the session's end, "" if there is none to end
	}{
		{"dropped after pair-verify", DropAfterVerify, "closed the connection"},
		{"a wrong nonce", WrongNonce, "open frame 0"},
		{"half an answer", HalfAnswer, "unexpected EOF"},
		{"mute", Mute, "no answer to GET /accessories"},
		{"a reset", Reset, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a.Fail(test.fault, 1)
			s, err := hap.Connect(within(t), a.Address(), pairing, nil)
			if err == nil {
				defer s.Close()
				ctx := within(t)
				if test.fault == Mute {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Second)
					defer cancel()
				}
				if _, err = s.Accessories(ctx); err == nil {
					t.Fatal("all went well")
				}
				if why := ended(t, s); test.want == "" || !strings.Contains(why.Error(), test.want) && !strings.Contains(why.Error(), "reset") {
					t.Errorf("it ended with %v, want %q", why, test.want)
				}
			} else if test.want != "" {
				t.Errorf("connect: %v", err)
			}
			// The next one is whole again.
			if _, err := session(t, a, pairing, nil).Accessories(within(t)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestFailPairing(t *testing.T) {
	a := start(t, Options{})
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	a.FailPairing("/pair-setup", hap.PairingError{Code: hap.ErrorBackoff, Retry: 300 * time.Second}, 1)
	var refused *hap.PairingError
	if _, err := hap.PairSetup(within(t), a.Address(), a.Code(), identity, 0); !errors.As(err, &refused) || refused.Code != hap.ErrorBackoff || refused.Retry != 300*time.Second {
		t.Fatalf("got %v", err)
	}
	a.Fail(ZeroB, 2)
	pairing, err := hap.PairSetup(within(t), a.Address(), a.Code(), identity, 0)
	if err != nil {
		t.Fatal(err)
	}
	a.FailPairing("/pair-verify", hap.PairingError{Code: hap.ErrorAuthentication}, 1)
	if _, err := hap.Connect(within(t), a.Address(), pairing, nil); !errors.Is(err, hap.ErrPairingRemoved) {
		t.Fatalf("got %v", err)
	}
	if _, err := hap.Connect(within(t), a.Address(), pairing, nil); err != nil {
		t.Fatal(err)
	}
}

func TestForget(t *testing.T) {
	a := start(t, Options{})
	pairing := paired(t, a)
	s := session(t, a, pairing, nil)
	if a.TXT()["sf"] != "0" {
		t.Errorf("paired, it announces %v", a.TXT())
	}
	if err := a.Forget(); err != nil {
		t.Fatal(err)
	}
	ended(t, s)
	if _, err := hap.Connect(within(t), a.Address(), pairing, nil); !errors.Is(err, hap.ErrPairingRemoved) {
		t.Fatalf("got %v", err)
	}
	if a.TXT()["sf"] != "1" || a.TXT()["id"] != a.ID() {
		t.Errorf("reset, it announces %v", a.TXT())
	}
	paired(t, a)
}

func TestHold(t *testing.T) {
	reached := make(chan struct{})
	a := start(t, Options{Accessories: thermostat(), OnWrite: func([]hap.WriteRequest) []hap.WriteResult { close(reached); return nil }})
	s := session(t, a, paired(t, a), nil)
	release := a.Hold()
	answer := make(chan error, 1)
	go func() {
		_, err := s.Write(within(t), hap.Write{ID: target, Value: hap.NumberValue(21)})
		answer <- err
	}()
	<-reached
	select {
	case err := <-answer:
		t.Fatalf("it answered while it was held: %v", err)
	default:
	}
	release()
	release()
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
}

func TestStopAndMove(t *testing.T) {
	a := start(t, Options{Accessories: thermostat()})
	pairing := paired(t, a)
	s := session(t, a, pairing, nil)
	before := a.Address()
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	ended(t, s)
	if _, err := hap.Connect(within(t), before, pairing, nil); err == nil {
		t.Fatal("a stopped accessory answers")
	}
	if err := a.Start(); err != nil || a.Address() != before {
		t.Fatalf("it came back at %s: %v", a.Address(), err)
	}
	if err := a.Start(); err == nil {
		t.Error("it runs twice")
	}
	session(t, a, pairing, nil)
	if err := a.Move(); err != nil || a.Address() == before {
		t.Fatalf("it moved to %s: %v", a.Address(), err)
	}
	s = session(t, a, pairing, nil)
	if open, ever := a.Connections(); open != 1 || ever < 4 {
		t.Errorf("%d of %d connections are open", open, ever)
	}
	a.Disconnect()
	ended(t, s)
}

func TestSetAccessories(t *testing.T) {
	a := start(t, Options{})
	s := session(t, a, paired(t, a), nil)
	before := a.TXT()["c#"]
	if err := a.SetAccessories(thermostat()); err != nil {
		t.Fatal(err)
	}
	if list, err := s.Accessories(within(t)); err != nil || len(list) != 2 || a.TXT()["c#"] == before || string(a.Value(target)) != "19" {
		t.Errorf("%d accessories, %v, c# %s then %s", len(list), err, before, a.TXT()["c#"])
	}
	if err := a.SetAccessories([]hap.Accessory{{AID: 0}}); err == nil {
		t.Error("an accessory without id is taken")
	}
	if err := a.Set(hap.Value{ID: hap.CharacteristicID{AID: 9, IID: 9}, Value: hap.NumberValue(1)}); err == nil {
		t.Error("a value of nothing is taken")
	}
}

// TestEveryDumpIsServed makes sure that recorded accessories can be replayed to a controller.
func TestEveryDumpIsServed(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "fixtures", "homekit-accessories", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skip("the recorded dumps are not beside the checkout (../shared/fixtures/homekit-accessories)")
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			list, err := hap.DecodeAccessories(raw)
			if err != nil {
				t.Fatal(err)
			}
			a := start(t, Options{Accessories: list})
			pairing := paired(t, a)
			got, err := session(t, a, pairing, nil).Accessories(within(t))
			if err != nil || len(got) != len(list) {
				t.Fatalf("%d accessories instead of %d, %v", len(got), len(list), err)
			}
			readEverything(t, a, pairing, got)
		})
	}
}

// readEverything reads each characteristic with the strict client.
func readEverything(t *testing.T, a *Accessory, pairing hap.Pairing, list []hap.Accessory) {
	c, err := Connect(within(t), a.Address(), pairing)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, accessory := range list {
		var ids []string
		for _, service := range accessory.Services {
			for _, characteristic := range service.Characteristics {
				ids = append(ids, hap.CharacteristicID{AID: accessory.AID, IID: characteristic.IID}.String())
			}
		}
		message, err := c.Get(within(t), "/characteristics?id="+strings.Join(ids, ","))
		if err != nil || message.Status != http.StatusOK && message.Status != http.StatusMultiStatus {
			t.Fatalf("accessory %d: %+v, %v", accessory.AID, message, err)
		}
		if values, err := message.Values(); err != nil || len(values) != len(ids) {
			t.Errorf("accessory %d: %d of %d values, %v", accessory.AID, len(values), len(ids), err)
		}
	}
}

func TestStore(t *testing.T) {
	var s Store
	if _, err := s.Get("a"); !errors.Is(err, hap.ErrNotFound) {
		t.Errorf("an empty store gives %v", err)
	}
	value := []byte("1")
	for _, key := range []string{"x/1", "x/2", "y/1"} {
		if err := s.Set(key, value); err != nil {
			t.Fatal(err)
		}
	}
	value[0] = 9
	if got, err := s.Get("x/1"); err != nil || string(got) != "1" {
		t.Errorf("it kept %q, %v", got, err)
	}
	if err := errors.Join(s.Delete("x/2"), s.Delete("z")); err != nil {
		t.Fatal(err)
	}
	if keys, err := s.List("x/"); err != nil || len(keys) != 1 || keys[0] != "x/1" {
		t.Errorf("it lists %v, %v", keys, err)
	}
	fault := errors.New("disk full")
	s.Break(fault)
	_, errGet := s.Get("x/1")
	_, errList := s.List("")
	for _, err := range []error{errGet, errList, s.Set("x/1", nil), s.Delete("x/1")} {
		if !errors.Is(err, fault) {
			t.Errorf("broken, it says %v", err)
		}
	}
	s.Break(nil)
	if got, err := s.Get("x/1"); err != nil || !json.Valid(got) {
		t.Errorf("mended, it has %q, %v", got, err)
	}
}
