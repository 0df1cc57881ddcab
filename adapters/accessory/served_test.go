package accessory_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// serve runs an adapter that is paired with one accessory server with this database. The server announces nothing.
func serve(t *testing.T, list []hap.Accessory, options haptest.Options) (*haptest.Accessory, *scene) {
	t.Helper()
	options.Accessories = list
	a, err := haptest.StartAccessory(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &scene{t: t, vault: gatewaytest.NewVault()}
	s.adapter = accessory.New(accessory.Options{Vault: s.vault, Log: slog.New(slog.DiscardHandler),
		Known:  []accessory.Known{{ID: a.ID(), Address: a.Address(), Room: "Loft"}},
		Browse: func(context.Context) ([]accessory.Announced, error) { return nil, nil }})
	if _, err := s.adapter.Pair(t.Context(), a.ID(), a.Code(), ""); err != nil { // its address is configured
		t.Fatal(err)
	}
	return a, s
}

func dump(t *testing.T, name string) []hap.Accessory {
	t.Helper()
	file := filepath.Join("..", "..", "..", "shared", "fixtures", "homekit-accessories", name)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("the recorded accessory database is not beside the checkout: %v", err)
	}
	list, err := hap.DecodeAccessories(raw)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestARecordedGatewayIsReadAndSet(t *testing.T) {
	a, s := serve(t, dump(t, "velux_gateway.json"), haptest.Options{})
	s.run(1)
	home := gateway.DeviceID(normal(a.ID()))
	sensor, window := home+"#2", home+"#3"
	first := gatewaytest.Wait[gateway.Found](s.house, nil)
	if first.Device != home || first.RoomName != "Loft" {
		t.Errorf("the gateway is %+v", first)
	}
	s.reads(sensor, gateway.CO2, gateway.Number(400)) // in the order of their names
	s.reads(sensor, gateway.Temperature, gateway.Number(18.9))
	s.up(window)
	id := s.set(window, gateway.Position, gateway.Number(40))
	if o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id }); o.Err != "" {
		t.Fatalf("got %+v", o)
	}
	if w := a.Writes(); len(w) != 1 || w[0].ID != (hap.CharacteristicID{AID: 3, IID: 11}) || string(w[0].Value) != "40" {
		t.Errorf("written was %+v", w)
	}
	s.must(a.Set(hap.Value{ID: hap.CharacteristicID{AID: 3, IID: 10}, Value: hap.NumberValue(40)})) // the window has moved
	s.reads(window, gateway.Position, gateway.Number(40))
}

func TestAWindowThatMovesIsLookedAtSoon(t *testing.T) {
	a, s := serve(t, dump(t, "velux_gateway.json"), haptest.Options{})
	s.run(1)
	window := gateway.DeviceID(normal(a.ID())) + "#3"
	s.up(window)
	s.set(window, gateway.Position, gateway.Number(70))
	s.reads(window, gateway.Position, gateway.Number(0)) // right after the write
	gatewaytest.Wait[gateway.Outcome](s.house, nil)
	s.reads(window, gateway.Position, gateway.Number(0)) // and 2 s later, not in a minute
}

func TestEveryDumpIsLivedWith(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "fixtures", "homekit-accessories", "*.json"))
	if len(files) == 0 {
		t.Skip("the recorded accessory databases are not beside the checkout")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			list := dump(t, filepath.Base(file))
			options := haptest.Options{Accessories: list}
			probe, err := haptest.StartAccessory(options)
			if err != nil {
				t.Skipf("our strict server does not publish this database: %v", err)
			}
			if err := probe.Close(); err != nil {
				t.Fatal(err)
			}
			a, s := serve(t, list, options)
			s.run(1)
			home := gateway.DeviceID(normal(a.ID()))
			for range list {
				gatewaytest.Wait[gateway.Found](s.house, nil)
			}
			s.up(home)
		})
	}
}

// button is a switch whose every write must be announced.
func button(perms ...hap.Perm) []hap.Accessory {
	return []hap.Accessory{haptest.Bridge("Relay"), {AID: 2, Services: []hap.Service{
		haptest.Bridge("Siren").Services[0],
		{IID: 10, Type: hap.ServiceSwitch, Characteristics: []hap.Characteristic{{IID: 11, Type: hap.CharacteristicOn,
			Perms: perms, Format: hap.FormatBool, Value: hap.BoolValue(false)}}}}}}
}

func TestTimedWrites(t *testing.T) {
	a, s := serve(t, button(hap.PermRead, hap.PermWrite, hap.PermEvents, hap.PermTimedWrite), haptest.Options{})
	s.run(1)
	siren := gateway.DeviceID(normal(a.ID())) + "#2"
	s.up(siren)
	id := s.set(siren, gateway.Siren, gateway.Flag(true))
	s.reads(siren, gateway.Siren, gateway.Flag(true))
	if o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id }); o.Err != "" {
		t.Errorf("got %+v", o)
	}
	if len(a.Writes()) != 1 {
		t.Errorf("written was %+v", a.Writes())
	}
}

func TestASwitchThatCannotBeReadIsSetAllTheSame(t *testing.T) {
	a, s := serve(t, button(hap.PermWrite), haptest.Options{})
	s.run(1)
	siren := gateway.DeviceID(normal(a.ID())) + "#2"
	s.up(siren)
	id := s.set(siren, gateway.Siren, gateway.Flag(true))
	if o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id }); o.Err != "" || len(a.Writes()) != 1 {
		t.Errorf("got %+v, written was %+v", o, a.Writes())
	}
}

func TestRefusalsAreToldInWords(t *testing.T) {
	for _, test := range []struct {
		status hap.Status
		err    string
		final  bool
	}{
		{hap.StatusUnreachable, "Relay refuses: the device cannot be reached (-70402)", false},
		{hap.StatusBusy, "Relay refuses: the device is busy (-70403)", false},
		{hap.StatusNotAllowedNow, "Relay refuses: not allowed in the present state (-70412)", false},
		{hap.StatusNotAuthorized, "Relay refuses: the write needs authorisation (-70411)", true},
		{hap.StatusInvalidValue, "Relay refuses: the value is invalid (-70410)", true},
	} {
		t.Run(test.status.Error(), func(t *testing.T) {
			a, s := serve(t, button(hap.PermRead, hap.PermWrite), haptest.Options{
				OnWrite: func(writes []hap.WriteRequest) []hap.WriteResult { return []hap.WriteResult{{Status: test.status}} }})
			s.run(1)
			siren := gateway.DeviceID(normal(a.ID())) + "#2"
			s.up(siren)
			id := s.set(siren, gateway.Siren, gateway.Flag(true))
			o := gatewaytest.Wait(s.house, func(o gateway.Outcome) bool { return o.ID == id })
			if o.Err != test.err || o.Final != test.final {
				t.Errorf("got %+v, want %q, final %v", o, test.err, test.final)
			}
		})
	}
}

func TestADeviceThatItsBridgeDoesNotReachIsSaidToBe(t *testing.T) {
	a, s := serve(t, button(hap.PermRead, hap.PermWrite), haptest.Options{})
	s.run(600)
	siren := gateway.DeviceID(normal(a.ID())) + "#2"
	s.up(siren)
	on := hap.CharacteristicID{AID: 2, IID: 11}
	s.must(a.Set(hap.Value{ID: on}))
	r := gatewaytest.Wait(s.house, func(r gateway.Reach) bool { return !r.OK })
	if r.Device != siren || r.Why != "Relay says: the device cannot be reached (-70402)" {
		t.Errorf("got %+v", r)
	}
	s.must(a.Set(hap.Value{ID: on, Value: hap.BoolValue(true)}))
	s.up(siren)
}

func TestPressesAreCountedOverARestart(t *testing.T) {
	a, s := serve(t, dump(t, "netamo_doorbell.json"), haptest.Options{})
	bell := gateway.DeviceID(normal(a.ID()))
	press := hap.CharacteristicID{AID: 1, IID: 50}
	s.house = gatewaytest.Start(t, gateway.AccessoryAdapter, s.adapter, gatewaytest.From(gateway.State{
		Devices: gateway.Table[gateway.DeviceID, gateway.Device]{}.With(bell, gateway.Device{ID: bell,
			Readings: []gateway.Measure{{Quantity: gateway.Ring, Value: gateway.Number(7), From: gateway.AccessoryAdapter}}})}))
	s.up(bell)
	s.must(a.Set(hap.Value{ID: press, Value: hap.NumberValue(0)}))
	s.reads(bell, gateway.Ring, gateway.Number(8))
}
