package homekit

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var at = time.Date(2025, 10, 29, 17, 0, 0, 0, time.UTC)

// device makes a device with readings that were just taken.
func device(id gateway.DeviceID, model string, room gateway.RoomID, readings ...any) gateway.Device {
	d := gateway.Device{ID: id, Name: string(id), Model: model, Room: room, Faces: []gateway.Face{{Adapter: "accessory", Reaches: true}}}
	for i := 0; i < len(readings); i += 2 {
		d = d.WithReading(gateway.Measure{Quantity: readings[i].(gateway.Quantity), Value: readings[i+1].(gateway.Value), At: at, From: "accessory"})
	}
	return d
}

// home is a small house: a room with a valve, a station, detectors that were heard and one that was
// never, a camera, a siren.
func home() gateway.State {
	valve := device("valve", "NRV", "bath", gateway.Target, gateway.Number(20), gateway.Temperature, gateway.Number(19.3), gateway.Battery, gateway.Number(55))
	valve.Faces[0].Controls = []gateway.Control{{Quantity: gateway.Target, Min: 7, Max: 30, Step: 0.5}}
	siren := device("siren", "NIS", "", gateway.Siren, gateway.Flag(false))
	siren.Faces[0].Controls = []gateway.Control{{Quantity: gateway.Siren}}
	s := gateway.State{At: at, Home: gateway.Home{FrostGuard: 7, Maximum: 28, Regime: gateway.Regime{Mode: gateway.HomeSchedule}},
		Authority: gateway.Authority{Phase: gateway.Watching}, Cloud: gateway.Cloud{Verdict: gateway.VerdictOK}}
	s.Rooms = s.Rooms.With("bath", gateway.Room{ID: "bath", Name: "Bath", Devices: []gateway.DeviceID{"valve"},
		Target:      gateway.Aim{Value: gateway.Number(20.3), Mode: gateway.RoomSchedule},
		Temperature: gateway.Measure{Quantity: gateway.Temperature, Value: gateway.Number(19.34), At: at}, Heating: gateway.Flag(true)})
	s.Rooms = s.Rooms.With("cellar", gateway.Room{ID: "cellar", Name: "Cellar"})
	for _, d := range []gateway.Device{
		valve, siren,
		device("relay", "NAPlug", ""),
		device("station", "NAMain", "", gateway.Temperature, gateway.Number(-7.25), gateway.Humidity, gateway.Number(51), gateway.CO2, gateway.Number(1200), gateway.Noise, gateway.Number(40)),
		device("coach", "NHC", "", gateway.HealthIndex, gateway.Number(2)),
		device("co", "NCO", "", gateway.CO, gateway.Flag(true), gateway.COLevel, gateway.Number(120), gateway.COPeak, gateway.Number(130), gateway.LowBattery, gateway.Flag(true), gateway.Tampered, gateway.Flag(false)),
		{ID: "smoke", Name: "smoke", Model: "NSD"},
		device("camera", "NACamera", "", gateway.Motion, gateway.Flag(true), gateway.Monitoring, gateway.Flag(true)),
		device("tag", "NACamDoorTag", "", gateway.Contact, gateway.Flag(true)),
		device("bell", "NDB", "", gateway.Ring, gateway.Number(3)),
	} {
		s.Devices = s.Devices.With(d.ID, d)
	}
	return s
}

// opened is an adapter whose bridges are loaded but not served.
func opened(t testing.TB, v gateway.Vault) *Adapter {
	t.Helper()
	a := New(Options{Vault: v, Name: "Veilleuse", Log: slog.New(slog.DiscardHandler)})
	if err := a.load(make(chan write, wishQueue)); err != nil {
		t.Fatal(err)
	}
	a.begin()
	return a
}

// shelve publishes a State without serving it and returns the accessories of the first bridge.
func shelve(t *testing.T, v gateway.Vault, s gateway.State) []hap.Accessory {
	t.Helper()
	a := opened(t, v)
	if err := a.publish(gateway.State{}, s, at); err != nil {
		t.Fatal(err)
	}
	return a.bridges[0].shelf.accessories()
}

func TestAccessoriesOfAHouse(t *testing.T) {
	raw, err := hap.EncodeAccessories(shelve(t, gatewaytest.NewVault(), home()))
	if err != nil {
		t.Fatal(err)
	}
	var pretty map[string]any
	if err := json.Unmarshal(raw, &pretty); err != nil {
		t.Fatal(err)
	}
	got, _ := json.MarshalIndent(pretty, "", " ")
	const file = "testdata/accessories.json"
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != string(got)+"\n" {
		t.Errorf("the accessories differ from %s (%v); see with -update and git diff", file, err)
	}
}

// find returns the value of a characteristic of the accessory with that name.
func find(t *testing.T, all []hap.Accessory, name string, service, kind hap.UUID) (hap.CharacteristicID, string) {
	t.Helper()
	for _, a := range all {
		info, _ := a.Find(hap.ServiceAccessoryInformation)
		c, _ := info.Find(hap.CharacteristicName)
		if called, _ := hap.TextOf(c.Value); called != name {
			continue
		}
		for _, s := range a.Services {
			if s.Type != service {
				continue
			}
			if c, ok := s.Find(kind); ok {
				return hap.CharacteristicID{AID: a.AID, IID: c.IID}, string(c.Value)
			}
		}
	}
	t.Fatalf("%s has no %s in %s", name, kind, service)
	return hap.CharacteristicID{}, ""
}

func TestValuesMeanWhatTheHouseMeans(t *testing.T) {
	all := shelve(t, gatewaytest.NewVault(), home())
	tests := []struct {
		what, accessory string
		service, kind   hap.UUID
		want            string
	}{
		{"a garden below zero is no 0 °C", "station", hap.ServiceTemperatureSensor, hap.CharacteristicCurrentTemperature, "-7.3"},
		{"target on the step of half degrees", "Bath", hap.ServiceThermostat, hap.CharacteristicTargetTemperature, "20.5"},
		{"the schedule is auto", "Bath", hap.ServiceThermostat, hap.CharacteristicTargetHeatingCooling, "3"},
		{"a boiler that burns heats", "Bath", hap.ServiceThermostat, hap.CharacteristicCurrentHeatingCooling, "1"},
		{"the valve's battery shows in its room", "Bath", hap.ServiceBattery, hap.CharacteristicStatusLowBattery, "0"},
		{"too much CO2", "station", hap.ServiceCarbonDioxideSensor, hap.CharacteristicCarbonDioxideDetected, "1"},
		{"CO is detected", "co", hap.ServiceCarbonMonoxideSensor, hap.CharacteristicCarbonMonoxideDetected, "1"},
		{"a smoke alarm never heard is unknown, not well", "smoke", hap.ServiceSmokeSensor, hap.CharacteristicSmokeDetected, ""},
		{"and is at fault", "smoke", hap.ServiceSmokeSensor, hap.CharacteristicStatusFault, "1"},
		{"the vendor's index 2 is HomeKit's 3", "coach", hap.ServiceAirQualitySensor, hap.CharacteristicAirQuality, "3"},
		{"an open window", "tag", hap.ServiceContactSensor, hap.CharacteristicContactState, "1"},
		{"the cloud is there", "Veilleuse", hap.ServiceContactSensor, hap.CharacteristicContactState, "0"},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			if _, got := find(t, all, test.accessory, test.service, test.kind); got != test.want {
				t.Errorf("shows %q, want %q", got, test.want)
			}
		})
	}
	if len(all) != 11 {
		t.Errorf("%d accessories, want 11: a relay, a valve and a cellar without heating show nothing", len(all))
	}
}

// ids lists the ids of everything by name, without values.
func ids(all []hap.Accessory) map[string]string {
	out := map[string]string{}
	for _, a := range all {
		info, _ := a.Find(hap.ServiceAccessoryInformation)
		serial, _ := info.Find(hap.CharacteristicSerialNumber)
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				out[fmt.Sprintf("%s %s %d %s", serial.Value, s.Type, s.IID, c.Type)] = fmt.Sprint(a.AID, ".", c.IID)
			}
		}
	}
	return out
}

func TestIdsStayForEver(t *testing.T) {
	v := gatewaytest.NewVault()
	s := home()
	first := ids(shelve(t, v, s))

	renamed := s
	bath, _ := s.Rooms.Get("bath")
	bath.Name = "Salle de bains"
	renamed.Rooms = s.Rooms.With("bath", bath)
	for d := range s.Devices.All() { // another order of arrival
		known, _ := s.Devices.Get(d)
		renamed.Devices = renamed.Devices.Without(d)
		renamed.Devices = renamed.Devices.With(d, known)
	}
	renamed.Devices = renamed.Devices.With("0new", device("0new", "NHC", "", gateway.CO2, gateway.Number(500)))
	second := ids(shelve(t, v, renamed))
	for what, id := range first {
		if second[what] != id {
			t.Errorf("%s was %s and is %s after a restart", what, id, second[what])
		}
	}
	short := s
	short.Devices = gateway.Table[gateway.DeviceID, gateway.Device]{}
	shelve(t, v, short) // a start with an empty list must not free any id
	third := ids(shelve(t, v, s))
	for what, id := range first {
		if third[what] != id {
			t.Errorf("%s was %s and is %s after a start without devices", what, id, third[what])
		}
	}
}

func TestBrokenVaultMakesNoNewBridge(t *testing.T) {
	v := gatewaytest.NewVault()
	a := New(Options{Vault: v, Listen: "127.0.0.1:0"})
	code, _, _, err := a.Code()
	if err != nil {
		t.Fatal(err)
	}
	v.Break(errors.New("the disk fails"))
	if err := a.Run(t.Context(), gateway.Port{}); err == nil || !strings.Contains(err.Error(), "the disk fails") {
		t.Errorf("Run gives %v", err)
	}
	v.Break(nil)
	if again, _, _, _ := a.Code(); again != code {
		t.Errorf("the code was %s and is %s", code, again)
	}
}

func TestContract(t *testing.T) {
	gatewaytest.Contract(t, "homekit", func(testing.TB) gateway.Adapter {
		return New(Options{Vault: gatewaytest.NewVault(), Listen: "127.0.0.1:0", Name: "Test"})
	})
}

// live is a bridge in a house, with a controller that is paired with it.
type live struct {
	*gatewaytest.House
	bridge  *Adapter
	session *hap.Session
	pairing hap.Pairing
	events  chan hap.Reading
	all     []hap.Accessory
}

// listens waits until a bridge listens, and says where.
func listens(t *testing.T, a *Adapter) string {
	t.Helper()
	for late := time.Now().Add(gatewaytest.Patience); ; time.Sleep(time.Millisecond) {
		_, _, listen, err := a.Code()
		if err != nil {
			t.Fatal(err)
		}
		if listen != "" && !strings.HasSuffix(listen, ":0") {
			return listen
		}
		if time.Now().After(late) {
			t.Fatal("the bridge does not listen")
		}
	}
}

// thatEvening stops the house's clock.
func thatEvening(l *gateway.Loop) { l.Now = func() time.Time { return at } }

func start(t *testing.T) live {
	t.Helper()
	return startWith(t, New(Options{Vault: gatewaytest.NewVault(), Listen: "127.0.0.1:0", Name: "Test"}), home())
}

// startWith starts a bridge in a house that is in that state.
func startWith(t *testing.T, a *Adapter, s gateway.State) live {
	t.Helper()
	l := live{House: gatewaytest.Start(t, "homekit", a, gatewaytest.From(s), thatEvening), bridge: a, events: make(chan hap.Reading, 1000)}
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Patience)
	defer cancel()
	listen := listens(t, a)
	code, _, _, err := a.Code()
	if err != nil {
		t.Fatal(err)
	}
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	l.pairing, err = hap.PairSetup(ctx, listen, code, identity, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.session, err = hap.Connect(ctx, listen, l.pairing, func(rs []hap.Reading) {
		for _, r := range rs {
			l.events <- r
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.session.Close() })
	if l.all, err = l.session.Accessories(ctx); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l live) event(t *testing.T, id hap.CharacteristicID) string {
	t.Helper()
	timeout := time.After(gatewaytest.Patience)
	for {
		select {
		case r := <-l.events:
			if r.ID == id {
				return string(r.Value)
			}
		case <-timeout:
			t.Fatalf("no event for %v", id)
		}
	}
}

func TestAlarmReachesTheHomeApp(t *testing.T) {
	l := start(t)
	smoke, _ := find(t, l.all, "smoke", hap.ServiceSmokeSensor, hap.CharacteristicSmokeDetected)
	bell, _ := find(t, l.all, "bell", hap.ServiceDoorbell, hap.CharacteristicProgrammableSwitchEvent)
	if _, err := l.session.Subscribe(t.Context(), smoke, bell); err != nil {
		t.Fatal(err)
	}
	l.Show(func(s gateway.State) gateway.State {
		s.Devices = s.Devices.With("smoke", device("smoke", "NSD", "", gateway.Smoke, gateway.Flag(true)))
		return s
	})
	if got := l.event(t, smoke); got != "1" {
		t.Errorf("smoke is %s", got)
	}
	l.Show(func(s gateway.State) gateway.State {
		s.Devices = s.Devices.With("bell", device("bell", "NDB", "", gateway.Ring, gateway.Number(4)))
		return s
	})
	if got := l.event(t, bell); got != "0" {
		t.Errorf("a press of the bell is %s, want 0 (single)", got)
	}
}

func TestTapsBecomeWishes(t *testing.T) {
	l := start(t)
	if all, err := l.bridge.Bridges(); err != nil || len(all) != 1 || all[0].Controllers != 1 {
		t.Errorf("the bridges are %+v, %v; want the one controller of this test", all, err)
	}
	target, _ := find(t, l.all, "Bath", hap.ServiceThermostat, hap.CharacteristicTargetTemperature)
	mode, _ := find(t, l.all, "Bath", hap.ServiceThermostat, hap.CharacteristicTargetHeatingCooling)
	siren, _ := find(t, l.all, "siren", hap.ServiceSwitch, hap.CharacteristicOn)
	drill := ownSwitch(t, l.all, "Drill")
	for _, test := range []struct {
		name string
		id   hap.CharacteristicID
		json string
		want gateway.Ask
	}{
		{"a target", target, "21.5", gateway.SetTarget{Room: "bath", Target: 21.5}},
		{"off", mode, "0", gateway.SetRoomOff{Room: "bath"}},
		{"auto follows the schedule", mode, "3", gateway.FollowHome{Room: "bath"}},
		{"heat keeps the target by hand", mode, "1", gateway.SetTarget{Room: "bath", Target: 20.3}},
		{"a siren", siren, "true", gateway.SetDevice{Device: "siren", Quantity: gateway.Siren, Value: gateway.Flag(true)}},
		{"a drill", drill, "true", gateway.StartDrill{For: 10 * time.Minute}},
		{"the end of a drill", drill, "false", gateway.EndDrill{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := l.session.Write(t.Context(), hap.Write{ID: test.id, Value: json.RawMessage(test.json)}); err != nil {
				t.Fatal(err)
			}
			if got := gatewaytest.Wait[gateway.Wish](l.House, nil); got.Ask != test.want || got.By != "Home app" {
				t.Errorf("the wish is %+v, want %+v", got, test.want)
			}
		})
	}
	results, err := l.session.Write(t.Context(), hap.Write{ID: target, Value: json.RawMessage("300")})
	if err != nil || results[0].Status != hap.StatusInvalidValue {
		t.Errorf("300 °C gives %v, %v", results, err)
	}
}

// ownSwitch is the switch of that name on Veilleuse's own accessory.
func ownSwitch(t *testing.T, all []hap.Accessory, name string) hap.CharacteristicID {
	t.Helper()
	for _, a := range all {
		for _, s := range a.Services {
			named, _ := s.Find(hap.CharacteristicName)
			on, switches := s.Find(hap.CharacteristicOn)
			if called, _ := hap.TextOf(named.Value); switches && called == name {
				return hap.CharacteristicID{AID: a.AID, IID: on.IID}
			}
		}
	}
	t.Fatalf("there is no switch %q", name)
	return hap.CharacteristicID{}
}

func TestDrillIsMarkedInTheHomeApp(t *testing.T) {
	t.Parallel()
	l := start(t)
	drill := ownSwitch(t, l.all, "Drill")
	if _, err := l.session.Subscribe(t.Context(), drill); err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{true, false} {
		l.Show(func(s gateway.State) gateway.State { s.Authority.Drill = on; return s })
		if got, _ := hap.BoolOf(json.RawMessage(l.event(t, drill))); got != on {
			t.Errorf("the switch shows %v while a drill being on is %v", got, on)
		}
	}
	if _, err := l.session.Write(t.Context(), hap.Write{ID: drill, Value: json.RawMessage("true")}); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Wait[gateway.Wish](l.House, nil)
	l.Show(func(s gateway.State) gateway.State { s.Decided++; return s }) // refused: there is an outage
	if got, _ := hap.BoolOf(json.RawMessage(l.event(t, drill))); got {
		t.Error("a drill that was refused shows as running")
	}
}

func TestRefusedWishShowsTheOldValueAgain(t *testing.T) {
	l := start(t)
	target, _ := find(t, l.all, "Bath", hap.ServiceThermostat, hap.CharacteristicTargetTemperature)
	if _, err := l.session.Subscribe(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	if _, err := l.session.Write(t.Context(), hap.Write{ID: target, Value: json.RawMessage("25")}); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Wait[gateway.Wish](l.House, nil)
	l.Show(func(s gateway.State) gateway.State { s.Decided++; return s }) // decided: refused, nothing changed
	if got := l.event(t, target); got != "20.5" {
		t.Errorf("after a refusal the Home app is shown %s, want 20.5", got)
	}
}

func TestSameStateSendsNothing(t *testing.T) {
	l := start(t)
	var all []hap.CharacteristicID
	for _, a := range l.all {
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				if c.Has(hap.PermEvents) {
					all = append(all, hap.CharacteristicID{AID: a.AID, IID: c.IID})
				}
			}
		}
	}
	if _, err := l.session.Subscribe(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	l.Show(func(s gateway.State) gateway.State { // everything touched, nothing different
		for id, d := range s.Devices.All() {
			s.Devices = s.Devices.With(id, d)
		}
		return s
	})
	cloud, _ := find(t, l.all, "Veilleuse", hap.ServiceContactSensor, hap.CharacteristicContactState)
	l.Show(func(s gateway.State) gateway.State { s.Authority.Phase = gateway.Local; return s })
	timeout := time.After(gatewaytest.Patience)
	for {
		select {
		case r := <-l.events:
			if r.ID == cloud {
				return // the first event about it; anything that was sent before came before it
			}
			if r.ID.AID != cloud.AID {
				t.Fatalf("an event for %v though nothing changed", r.ID)
			}
		case <-timeout:
			t.Fatal("no event for the cloud")
		}
	}
}

// BenchmarkPublish is the way from a State to the values handed to the sessions, in a house of 60.
func BenchmarkPublish(b *testing.B) {
	s := home()
	for i := range 60 {
		id := gateway.DeviceID(fmt.Sprintf("sensor%03d", i))
		s.Devices = s.Devices.With(id, device(id, "NAModule4", "", gateway.Temperature, gateway.Number(20)))
	}
	a := opened(b, gatewaytest.NewVault())
	if err := a.publish(gateway.State{}, s, at); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		next := s
		next.Devices = s.Devices.With("sensor007", device("sensor007", "NAModule4", "", gateway.Temperature, gateway.Number(20+float64(i%50)/10)))
		if err := a.publish(s, next, at); err != nil {
			b.Fatal(err)
		}
		s = next
	}
}

// The bridge says how many controllers were sent an alarm, once they were; its switch takes the answer.
func TestAlarmIsToldAndAcknowledged(t *testing.T) {
	t.Parallel()
	l := start(t)
	tell := gateway.Command{ID: 1, Point: gateway.Point{Adapter: "homekit", Of: "alarm-7", Quantity: gateway.Tell}, Value: gateway.Number(1), Why: "smoke"}
	l.Send(tell)
	alarmed := func(s gateway.State) gateway.State {
		s.Alarms = []gateway.Alarm{{Number: 7, Phase: gateway.Sounding, Kind: gateway.CO, Device: "co"}}
		s.Commanded++
		return s
	}
	l.Show(alarmed)
	if o := gatewaytest.Wait[gateway.Outcome](l.House, nil); o.ID != 1 || !strings.Contains(o.Err, "no controller") || o.Final {
		t.Errorf("without anybody the answer is %+v", o)
	}
	if _, err := l.session.Subscribe(t.Context(), ownSwitch(t, l.all, "Drill")); err != nil {
		t.Fatal(err)
	}
	l.Send(tell)
	if o := gatewaytest.Wait[gateway.Outcome](l.House, nil); o.ID != 1 || !strings.Contains(o.Err, "no controller") {
		t.Errorf("to one who listens to drills alone the answer is %+v", o)
	}
	on := ownSwitch(t, l.all, "Unanswered alarm")
	if _, err := l.session.Subscribe(t.Context(), on); err != nil {
		t.Fatal(err)
	}
	l.Show(func(s gateway.State) gateway.State { s.Alarms = nil; return s })
	for l.event(t, on) != "false" { // else the bridge might see only what comes next, which is as it was
	}
	l.Show(alarmed)
	for l.event(t, on) != "true" {
	}
	tell.ID = 2
	l.Send(tell)
	if o := gatewaytest.Wait[gateway.Outcome](l.House, nil); o.ID != 2 || o.Err != "" || o.By != "1 controller" {
		t.Errorf("one who listens gives %+v", o)
	}
	if _, err := l.session.Write(t.Context(), hap.Write{ID: on, Value: hap.BoolValue(false)}); err != nil {
		t.Fatal(err)
	}
	if w := gatewaytest.Wait[gateway.Wish](l.House, nil); w.Ask != (gateway.Acknowledge{}) {
		t.Errorf("turned off, the switch asks for %#v", w.Ask)
	}
	if got, err := l.session.Write(t.Context(), hap.Write{ID: on, Value: hap.BoolValue(true)}); err != nil || got[0].Status != hap.StatusNotAllowedNow {
		t.Fatalf("turned on it answers %v, %v", got, err)
	}
	if w := gatewaytest.Wait[gateway.Wish](l.House, nil); !isRefused(w.Ask) {
		t.Errorf("turned on, the switch asks for %#v", w.Ask)
	}
	l.Send(gateway.Command{ID: 3, Point: gateway.Point{Adapter: "homekit", Of: "x", Quantity: gateway.On}})
	if o := gatewaytest.Wait[gateway.Outcome](l.House, nil); !o.Final || o.Err == "" {
		t.Errorf("any other command gives %+v", o)
	}
}

func isRefused(ask gateway.Ask) bool {
	_, refused := ask.(gateway.Refused)
	return refused
}
