package homekit

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// crowd is a house with that many thermometers beside what is in home.
func crowd(thermometers int) gateway.State {
	s := home()
	for i := range thermometers {
		id := gateway.DeviceID(fmt.Sprintf("sensor%03d", i))
		s.Devices = s.Devices.With(id, device(id, "NAModule4", "", gateway.Temperature, gateway.Number(20)))
	}
	return s
}

// places lists where each accessory stands: bridge and aid by serial number.
func places(a *Adapter) map[string]string {
	out := map[string]string{}
	for _, b := range a.bridges {
		for _, accessory := range b.shelf.accessories() {
			info, _ := accessory.Find(hap.ServiceAccessoryInformation)
			serial, _ := info.Find(hap.CharacteristicSerialNumber)
			name, _ := hap.TextOf(serial.Value)
			out[name] = fmt.Sprint(b.number, ":", accessory.AID)
		}
	}
	return out
}

func published(t testing.TB, v gateway.Vault, s gateway.State) *Adapter {
	t.Helper()
	a := opened(t, v)
	if err := a.publish(gateway.State{}, s, at); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFullBridgeGetsASecond(t *testing.T) {
	v := gatewaytest.NewVault()
	a := published(t, v, crowd(400))
	if len(a.bridges) != 3 {
		t.Fatalf("%d bridges, want 3 for 410 accessories", len(a.bridges))
	}
	ids := map[string]bool{}
	total := 0
	for i, b := range a.bridges {
		all := b.shelf.accessories()
		total += len(all)
		if len(all) > hap.AccessoriesMax || i < 2 && len(all) != hap.AccessoriesMax || all[0].AID != hap.BridgeAID {
			t.Errorf("bridge %d has %d accessories, the first of which has aid %d", b.number, len(all), all[0].AID)
		}
		for _, own := range []string{b.identity.DeviceID, string(b.identity.SetupCode), string(b.identity.Public())} {
			if ids[own] {
				t.Errorf("bridge %d shares its identity with another", b.number)
			}
			ids[own] = true
		}
	}
	if want := 410 + 3; total != want {
		t.Errorf("%d accessories, want %d with the bridges themselves", total, want)
	}
	all, err := a.Bridges()
	if err != nil || len(all) != 3 || all[1].Name != "Veilleuse 2" || all[2].Name != "Veilleuse 3" {
		t.Errorf("the bridges are %+v, %v", all, err)
	}
	if before, after := places(a), places(published(t, v, crowd(400))); !maps.Equal(before, after) {
		t.Error("accessories stand elsewhere after a restart")
	}
}

func TestPlaceIsKeptWhileOthersVanish(t *testing.T) {
	v := gatewaytest.NewVault()
	s := crowd(200)
	a := published(t, v, s)
	before := places(a)
	short := s
	for i := range 100 {
		short.Devices = short.Devices.Without(gateway.DeviceID(fmt.Sprintf("sensor%03d", i)))
	}
	if err := a.publish(s, short, at); err != nil { // a person has removed them
		t.Fatal(err)
	}
	grown := short
	for i := range 60 {
		id := gateway.DeviceID(fmt.Sprintf("new%03d", i))
		grown.Devices = grown.Devices.With(id, device(id, "NAModule4", "", gateway.Temperature, gateway.Number(20)))
	}
	if err := a.publish(short, grown, at); err != nil {
		t.Fatal(err)
	}
	all := grown
	for id, d := range s.Devices.All() {
		all.Devices = all.Devices.With(id, d)
	}
	if err := a.publish(grown, all, at); err != nil { // and put back
		t.Fatal(err)
	}
	taken := map[string]string{}
	for serial, place := range places(a) {
		if was, there := before[serial]; there && was != place {
			t.Errorf("%s stood at %s and stands at %s", serial, was, place)
		}
		if other := taken[place]; other != "" {
			t.Errorf("%s and %s both stand at %s", serial, other, place)
		}
		taken[place] = serial
	}
	if len(taken) != len(before)+60 {
		t.Errorf("%d accessories, want %d", len(taken), len(before)+60)
	}
	if again := places(published(t, v, all)); !maps.Equal(again, places(a)) {
		t.Error("accessories stand elsewhere after a restart")
	}
}

func TestHouseThatNeverStopsGrowing(t *testing.T) {
	a := published(t, gatewaytest.NewVault(), crowd(bridgesMax*hap.AccessoriesMax))
	if len(a.bridges) != bridgesMax {
		t.Errorf("%d bridges, want %d", len(a.bridges), bridgesMax)
	}
}

// oneBridge is the vault as it was written when there was one bridge only, with the pairing that is in it, and the ids
// that its accessories had.
func oneBridge(t *testing.T) (v *gatewaytest.Vault, pairing hap.Pairing, ids map[string]string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/one-bridge.json")
	if err != nil {
		t.Fatal(err)
	}
	var old struct {
		Vault   map[string]json.RawMessage
		Pairing hap.Pairing
		IDs     map[string]string
	}
	if err := json.Unmarshal(raw, &old); err != nil {
		t.Fatal(err)
	}
	v = gatewaytest.NewVault()
	for key, value := range old.Vault {
		v.Put(key, string(value))
	}
	return v, old.Pairing, old.IDs
}

func TestVaultOfOneBridgeGoesOn(t *testing.T) {
	v, pairing, want := oneBridge(t)
	a := New(Options{Vault: v, Listen: "127.0.0.1:0", Name: "Test", Log: slog.New(slog.DiscardHandler)})
	gatewaytest.Start(t, "homekit", a, gatewaytest.From(crowd(200)), thatEvening)
	_, listen := awaitBridge(t, a, 1)
	session, err := hap.Connect(t.Context(), listen, pairing, nil)
	if err != nil {
		t.Fatalf("the controller that was paired before is not let in: %v", err)
	}
	defer session.Close()
	all, err := session.Accessories(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := ids(all)
	for what, id := range want {
		if got[what] != id {
			t.Errorf("%s was %s and is %s", what, id, got[what])
		}
	}
	if len(all) != hap.AccessoriesMax {
		t.Errorf("%d accessories on the first bridge", len(all))
	}
}

// awaitBridge waits until a bridge listens.
func awaitBridge(t *testing.T, a *Adapter, number int) (code, listen string) {
	t.Helper()
	for deadline := time.Now().Add(gatewaytest.Patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		all, err := a.Bridges()
		if err != nil {
			t.Fatal(err)
		}
		if len(all) < number {
			continue
		}
		if b := all[number-1]; b.Listen != "" && !strings.HasSuffix(b.Listen, ":0") {
			return b.Code, b.Listen
		}
	}
	t.Fatalf("bridge %d does not listen", number)
	return "", ""
}

func TestSecondBridgeIsServedAndToldOnce(t *testing.T) {
	v := gatewaytest.NewVault()
	begin := func() (*gatewaytest.House, *Adapter) {
		a := New(Options{Vault: v, Listen: "127.0.0.1:0", Name: "Test", Log: slog.New(slog.DiscardHandler)})
		return gatewaytest.Start(t, "homekit", a, gatewaytest.From(crowd(139)), thatEvening), a
	}
	house, a := begin()
	awaitBridge(t, a, 1)
	house.Show(func(s gateway.State) gateway.State { // and now it is one too many
		s.Devices = s.Devices.With("last", device("last", "NAModule4", "", gateway.Temperature, gateway.Number(7)))
		return s
	})
	if n := gatewaytest.Wait[gateway.Notice](house, nil); !strings.Contains(n.What, "Test 2") || !strings.Contains(n.Why, "veilleuse code") {
		t.Errorf("people are told %+v", n)
	}
	code, listen := awaitBridge(t, a, 2)
	identity, _ := hap.NewIdentity()
	pairing, err := hap.PairSetup(t.Context(), listen, code, identity, 0)
	if err != nil {
		t.Fatal(err)
	}
	session, err := hap.Connect(t.Context(), listen, pairing, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := session.Accessories(t.Context())
	session.Close()
	if _, got := find(t, all, "last", hap.ServiceTemperatureSensor, hap.CharacteristicCurrentTemperature); err != nil || len(all) != 2 || got != "7" {
		t.Errorf("the second bridge has %d accessories and shows %s (%v)", len(all), got, err)
	}
	if bridges, err := a.Bridges(); err != nil || bridges[0].Controllers != 0 || bridges[1].Controllers != 1 {
		t.Errorf("the bridges are %+v (%v)", bridges, err)
	}
	house.Stop()

	house, a = begin()
	house.Show(func(s gateway.State) gateway.State { return s })
	if code2, listen2 := awaitBridge(t, a, 2); code2 != code || listen2 != listen {
		t.Errorf("after a restart it was to be found at %s with %s, and is at %s with %s", listen, code, listen2, code2)
	}
	if session, err = hap.Connect(t.Context(), listen, pairing, nil); err != nil {
		t.Fatal(err)
	}
	session.Close()
	for len(house.Facts()) > 0 {
		if n, told := (<-house.Facts()).Fact.(gateway.Notice); told {
			t.Errorf("people are told a second time: %+v", n)
		}
	}
}

func TestPortThatAStrangerHas(t *testing.T) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	b := &bridge{number: 2, name: "Test 2", store: shelved{gatewaytest.NewVault()}}
	listener, err := b.open(first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	kept := listener.Addr().String()
	other, err := b.open(first.Addr().String()) // while somebody has the port
	if err != nil {
		t.Fatal(err)
	}
	if other.Addr().String() == kept {
		t.Error("two listen at the same port")
	}
	listener.Close()
	other.Close()
	if again, err := b.open(first.Addr().String()); err != nil || again.Addr().String() != kept {
		t.Errorf("it comes back to %v, not to %s (%v)", again.Addr(), kept, err)
	} else {
		again.Close()
	}
	b.store.Set(portKey, []byte("nonsense"))
	if _, err := b.open(first.Addr().String()); err == nil {
		t.Error("a damaged port is taken for none")
	}
}

func TestStrangeKeysAreNoBridges(t *testing.T) {
	v := gatewaytest.NewVault()
	v.Put("bridge/one/identity", "{}")
	if _, err := New(Options{Vault: v, Name: "Test"}).Bridges(); err == nil || !strings.Contains(err.Error(), "restore a backup") {
		t.Errorf("a key of nobody's gives %v", err)
	}
}

func TestBusyHouseSaysSo(t *testing.T) {
	a := published(t, gatewaytest.NewVault(), home())
	b := a.bridges[0]
	target, _ := find(t, b.shelf.accessories(), "Bath", hap.ServiceThermostat, hap.CharacteristicTargetTemperature)
	two := []hap.WriteRequest{{ID: target, Value: hap.NumberValue(20)}, {ID: target, Value: hap.NumberValue(21)}}
	results := a.take(t.Context(), b, two, make(chan write, 1)) // nobody takes the wishes
	if results[0].Status != hap.StatusOK || results[1].Status != hap.StatusBusy {
		t.Errorf("a queue for one wish answers %v", results)
	}
}
