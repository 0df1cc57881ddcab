package homekit

import (
	"encoding/json"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// ownModel is Veilleuse itself: a contact that opens when the cloud is gone, so that the Home app
// can tell of it; a sensor that is occupied while the house is run from here; and the switches that
// the vendor's HomeKit lacks. In a drill contact and sensor show what they would in an outage, so that
// people's automations are tried, too; the drill's own switch tells it from one.
func ownModel(s gateway.State) model {
	gone := s.Authority.Phase == gateway.Local || s.Authority.Phase == gateway.Returning
	alarm := s.Alarm()
	m := model{key: ownKey, name: "Veilleuse", maker: "Veilleuse", kind: "Veilleuse", serial: "veilleuse", services: []serviceModel{
		{kind: hap.ServiceContactSensor, name: "cloud", primary: true, points: []point{
			{kind: hap.CharacteristicContactState, value: digit(gone)},
			{kind: hap.CharacteristicStatusActive, value: truth(s.Cloud.Verdict != gateway.VerdictUnknown && s.Cloud.Verdict != "")},
			{kind: hap.CharacteristicName, value: hap.TextValue("Netatmo cloud")},
		}},
		{kind: hap.ServiceOccupancySensor, name: "authority", points: []point{
			{kind: hap.CharacteristicOccupancyDetected, value: digit(gone)},
			{kind: hap.CharacteristicName, value: hap.TextValue("Veilleuse in charge")},
		}},
		modeSwitch("away", "Away", gateway.HomeAway, s),
		modeSwitch("frost", "Frost guard", gateway.HomeFrost, s),
		{kind: hap.ServiceSwitch, name: "hush", points: []point{
			{kind: hap.CharacteristicOn, value: truth(alarm.Phase == gateway.Hushed), ask: func(json.RawMessage) gateway.Ask { return gateway.Hush{} }},
			{kind: hap.CharacteristicName, value: hap.TextValue("Hush the sirens")},
		}},
		{kind: hap.ServiceSwitch, name: "drill", points: []point{
			{kind: hap.CharacteristicOn, value: truth(s.Authority.Drill), ask: askDrill},
			{kind: hap.CharacteristicName, value: hap.TextValue("Drill")},
		}},
		alarmSwitch(s),
	}}
	if len(s.Home.Guard.Sensors) > 0 {
		m.services = append(m.services, guardService(s))
	}
	return m
}

// drillLasts is how long a drill is that was begun in the Home app, where nobody can say.
const drillLasts = 10 * time.Minute

// askDrill turns the drill's switch into a wish.
func askDrill(raw json.RawMessage) gateway.Ask {
	if on, _ := hap.BoolOf(raw); on {
		return gateway.StartDrill{For: drillLasts}
	}
	return gateway.EndDrill{}
}

// ownChanged reports whether two States differ in what ownModel shows.
func ownChanged(old, s gateway.State) bool {
	return old.Authority.Phase != s.Authority.Phase || old.Authority.Drill != s.Authority.Drill || old.Cloud.Verdict != s.Cloud.Verdict ||
		old.Home.Regime.Mode != s.Home.Regime.Mode || old.Alarm().Phase != s.Alarm().Phase ||
		unanswered(old) != unanswered(s) || guardChanged(old, s)
}

func modeSwitch(key, name string, mode gateway.HomeMode, s gateway.State) serviceModel {
	ask := func(raw json.RawMessage) gateway.Ask {
		if on, _ := hap.BoolOf(raw); on {
			return gateway.SetMode{Mode: mode}
		}
		return gateway.SetMode{Mode: gateway.HomeSchedule}
	}
	return serviceModel{kind: hap.ServiceSwitch, name: key, points: []point{
		{kind: hap.CharacteristicOn, value: truth(s.Home.Regime.Mode == mode), ask: ask},
		{kind: hap.CharacteristicName, value: hap.TextValue(name)},
	}}
}
