package homekit

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// guarded is the small house with a sensor that is named in the configuration.
func guarded(g gateway.Guard, alarms ...gateway.Alarm) gateway.State {
	s := home()
	s.Home.Guard.Sensors = []gateway.GuardSensor{{Of: "tag", Modes: gateway.GuardModes}}
	s.Guard, s.Alarms = g, alarms
	return s
}

// system finds the security system's characteristics.
func system(t *testing.T, all []hap.Accessory) (current, target, fault hap.Characteristic, aid uint64) {
	t.Helper()
	for _, a := range all {
		for _, s := range a.Services {
			if s.Type == hap.ServiceSecuritySystem {
				current, _ = s.Find(hap.CharacteristicSecuritySystemCurrent)
				target, _ = s.Find(hap.CharacteristicSecuritySystemTarget)
				fault, _ = s.Find(hap.CharacteristicStatusFault)
				return current, target, fault, a.AID
			}
		}
	}
	t.Fatal("there is no security system")
	return
}

func TestGuardIsASecuritySystem(t *testing.T) {
	intruder := gateway.Alarm{Number: 1, Phase: gateway.Sounding, Kind: gateway.Intrusion, Device: "tag"}
	for _, test := range []struct {
		name                   string
		state                  gateway.State
		current, target, fault string
	}{
		{"never set", guarded(gateway.Guard{}), "3", "3", "0"},
		{"off", guarded(gateway.Guard{Mode: gateway.GuardOff}), "3", "3", "0"},
		{"stay", guarded(gateway.Guard{Mode: gateway.GuardStay, Phase: gateway.GuardArmed}), "0", "0", "0"},
		{"people leave", guarded(gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardArming}), "3", "1", "0"},
		{"away", guarded(gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardArmed}), "1", "1", "0"},
		{"somebody comes in", guarded(gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardEntering}), "1", "1", "0"},
		{"night, a window is left out", guarded(gateway.Guard{Mode: gateway.GuardNight, Phase: gateway.GuardArmed, LeftOut: []gateway.DeviceID{"w"}}), "2", "2", "1"},
		{"night, a sensor is not heard", guarded(gateway.Guard{Mode: gateway.GuardNight, Phase: gateway.GuardArmed, Blind: []gateway.DeviceID{"w"}}), "2", "2", "1"},
		{"away, a door stands open", guarded(gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardArmed, Open: []gateway.DeviceID{"d"}}), "1", "1", "1"},
		{"an intruder", guarded(gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardTripped}, intruder), "4", "1", "0"},
		{"an alarm although it is off", guarded(gateway.Guard{}, intruder), "4", "3", "0"},
		{"a smoke alarm is none of it", guarded(gateway.Guard{}, gateway.Alarm{Number: 1, Phase: gateway.Sounding, Kind: gateway.Smoke}), "3", "3", "0"},
	} {
		current, target, fault, _ := system(t, shelve(t, gatewaytest.NewVault(), test.state))
		if string(current.Value) != test.current || string(target.Value) != test.target || string(fault.Value) != test.fault {
			t.Errorf("%s: current %s, target %s, fault %s; want %s, %s, %s", test.name, current.Value, target.Value, fault.Value, test.current, test.target, test.fault)
		}
	}
	for _, a := range shelve(t, gatewaytest.NewVault(), home()) {
		if _, there := a.Find(hap.ServiceSecuritySystem); there {
			t.Error("a house without sensors to guard it has a security system")
		}
	}
}

func TestGuardIsSetInTheHomeApp(t *testing.T) {
	l := start(t)
	l.Show(func(gateway.State) gateway.State { return guarded(gateway.Guard{}) })
	var all []hap.Accessory
	for deadline := time.Now().Add(gatewaytest.Patience); !hasSystem(all); {
		if time.Now().After(deadline) {
			t.Fatal("the security system does not appear")
		}
		var err error
		if all, err = l.session.Accessories(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, target, _, aid := system(t, all)
	for value, want := range map[string]gateway.GuardMode{"0": gateway.GuardStay, "1": gateway.GuardAway, "2": gateway.GuardNight, "3": gateway.GuardOff} {
		if _, err := l.session.Write(t.Context(), hap.Write{ID: hap.CharacteristicID{AID: aid, IID: target.IID}, Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
		if w := gatewaytest.Wait[gateway.Wish](l.House, nil); w.Ask != (gateway.SetGuard{Mode: want}) {
			t.Errorf("%s asks for %#v, want %s", value, w.Ask, want)
		}
	}
}

func hasSystem(all []hap.Accessory) bool {
	for _, a := range all {
		if _, there := a.Find(hap.ServiceSecuritySystem); there {
			return true
		}
	}
	return false
}

// Proof that a person was told hangs on who listens to what tells of that kind of alarm: the security system says nothing
// of gas.
func TestWhatTellsOfAnAlarm(t *testing.T) {
	system := hap.Service{Type: hap.ServiceSecuritySystem}
	for _, test := range []struct {
		kind  gateway.Quantity
		shown hap.UUID
		want  bool
	}{
		{gateway.Intrusion, hap.CharacteristicSecuritySystemCurrent, true},
		{gateway.CO, hap.CharacteristicSecuritySystemCurrent, false},
		{gateway.Smoke, hap.CharacteristicSecuritySystemCurrent, false},
		{gateway.CO, hap.CharacteristicCarbonMonoxideDetected, true},
		{gateway.CO, hap.CharacteristicSmokeDetected, false},
		{gateway.Smoke, hap.CharacteristicSmokeDetected, true},
		{gateway.Smoke, hap.CharacteristicOn, false},
		{gateway.Smoke, hap.CharacteristicName, false},
	} {
		if got := showsAlarm(test.kind, system, hap.Characteristic{Type: test.shown}); got != test.want {
			t.Errorf("%s and characteristic %s: %v, want %v", test.kind, test.shown, got, test.want)
		}
	}
}
