package homekit

import (
	"maps"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestConfigurationNumberMovesWithTheLayoutOnly(t *testing.T) {
	v, _, _ := oneBridge(t)
	number := func(a *Adapter) string { return a.bridges[0].server.TXT()["c#"] }
	was := number(opened(t, v))
	bath, _ := home().Rooms.Get("bath")
	renamed := home()
	bath.Name = "Salle de bains"
	renamed.Rooms = renamed.Rooms.With("bath", bath)
	warmer := home()
	warmer.Devices = warmer.Devices.With("coach", device("coach", "NHC", "", gateway.HealthIndex, gateway.Number(4)))
	empty := gateway.State{At: at, Home: home().Home}
	forgetful := home() // a power cut before what was measured was saved
	for id, d := range forgetful.Devices.All() {
		d.Readings = nil
		forgetful.Devices = forgetful.Devices.With(id, d)
	}
	for _, step := range []struct {
		what  string
		state gateway.State
	}{{"an upgrade", home()}, {"a restart", home()}, {"a new name", renamed}, {"another value", warmer}, {"an empty list", empty},
		{"a list without readings", forgetful}, {"the old list again", home()}} {
		if got := number(published(t, v, step.state)); got != was {
			t.Errorf("%s: c# was %s and is %s", step.what, was, got)
		}
	}
	more := home()
	more.Devices = more.Devices.With("new", device("new", "NAModule4", "", gateway.Temperature, gateway.Number(20)))
	if got := number(published(t, v, more)); got == was {
		t.Errorf("c# stays %s with a new accessory", got)
	}
}

func TestNothingVanishesFromAShortList(t *testing.T) {
	v := gatewaytest.NewVault()
	full := ids(shelve(t, v, home()))
	for what, short := range map[string]gateway.State{
		"an empty house":           {At: at, Home: home().Home},
		"a house of one room":      {At: at, Home: home().Home, Rooms: gateway.Table[gateway.RoomID, gateway.Room]{}.With("cellar", gateway.Room{ID: "cellar"})},
		"devices without readings": silent(home()),
	} {
		all := shelve(t, v, short)
		if got := ids(all); !maps.Equal(got, full) {
			t.Errorf("%s: %d characteristics of %d are there", what, len(got), len(full))
		}
		if _, got := find(t, all, "station", hap.ServiceTemperatureSensor, hap.CharacteristicCurrentTemperature); got != "" {
			t.Errorf("%s: a temperature that nobody knows shows as %s", what, got)
		}
		if _, got := find(t, all, "station", hap.ServiceTemperatureSensor, hap.CharacteristicStatusActive); got != "false" {
			t.Errorf("%s: a lost sensor is active: %s", what, got)
		}
		if _, got := find(t, all, "station", hap.ServiceTemperatureSensor, hap.CharacteristicStatusFault); got != "1" {
			t.Errorf("%s: a lost sensor has no fault: %s", what, got)
		}
		if _, got := find(t, all, "siren", hap.ServiceSwitch, hap.CharacteristicName); got != `"Siren"` && got != "" {
			t.Errorf("%s: the siren's switch is called %s", what, got)
		}
	}
}

// silent is a house whose devices have said nothing.
func silent(s gateway.State) gateway.State {
	for id, d := range s.Devices.All() {
		d.Readings, d.Faces = nil, nil
		s.Devices = s.Devices.With(id, d)
	}
	return s
}

func TestMissingForLongIsGivenUp(t *testing.T) {
	v := gatewaytest.NewVault()
	published(t, v, home())
	short := home()
	short.Devices = short.Devices.Without("station")
	shows := func(a *Adapter) bool { _, b := a.entry("device/station"); return b != nil }

	a := published(t, v, short)
	guess := short
	guess.Clock.Trust = gateway.TrustGuess
	if err := a.age(guess, at.Add(10*365*24*time.Hour)); err != nil || !shows(a) {
		t.Errorf("a clock that is a guess takes an accessory away (%v)", err)
	}
	short.Clock.Trust = gateway.TrustSynced
	if err := a.age(short, at); err != nil {
		t.Fatal(err)
	}
	a = published(t, v, short)
	if err := a.age(short, at.Add(29*24*time.Hour)); err != nil || !shows(a) {
		t.Errorf("after 29 days it is gone (%v)", err)
	}
	back := published(t, v, home()) // it comes back, and with it the patience
	back.age(home(), at.Add(29*24*time.Hour))
	a = published(t, v, short)
	if err := a.age(short, at.Add(31*24*time.Hour)); err != nil || !shows(a) {
		t.Errorf("it was there two days ago, and is gone (%v)", err)
	}
	if err := a.age(short, at.Add(62*24*time.Hour)); err != nil || shows(a) {
		t.Errorf("after a month it is still there (%v)", err)
	}
	if shows(published(t, v, short)) {
		t.Error("given up, it comes back with a restart")
	}
}

func TestRemovedByAPersonIsGoneAtOnce(t *testing.T) {
	v := gatewaytest.NewVault()
	a := published(t, v, home())
	short := home()
	short.Devices = short.Devices.Without("station")
	if err := a.publish(home(), short, at); err != nil {
		t.Fatal(err)
	}
	if _, b := a.entry("device/station"); b != nil {
		t.Error("a device that was unpaired stays in the Home app")
	}
	if _, b := published(t, v, short).entry("device/station"); b != nil {
		t.Error("it comes back with a restart")
	}
}

func TestWriteToALostAccessoryIsRefused(t *testing.T) {
	v := gatewaytest.NewVault()
	shelve(t, v, home())
	a := published(t, v, gateway.State{At: at, Home: home().Home})
	b := a.bridges[0]
	target, _ := find(t, b.shelf.accessories(), "Bath", hap.ServiceThermostat, hap.CharacteristicTargetTemperature)
	results := a.take(t.Context(), b, []hap.WriteRequest{{ID: target, Value: hap.NumberValue(20)}}, make(chan write, 1))
	if results[0].Status != hap.StatusUnreachable {
		t.Errorf("a target for a room that is not there gives %v", results[0].Status)
	}
}
