package homekit

import (
	"encoding/json"
	"slices"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// Values of Apple's security system.
const (
	systemOff       = 3
	systemTriggered = 4
)

// systemModes are the modes of the guard in the order of Apple's values: stay 0, away 1, night 2.
var systemModes = []gateway.GuardMode{gateway.GuardStay, gateway.GuardAway, gateway.GuardNight}

// guardService is the watch against intruders as Apple's security system. While people have time to leave it still shows
// "off" beside the target, which the Home app calls arming.
func guardService(s gateway.State) serviceModel {
	target := systemOff
	if at := slices.Index(systemModes, s.Guard.Mode); at >= 0 {
		target = at
	}
	current := target
	switch {
	case intruded(s):
		current = systemTriggered
	case s.Guard.Phase == gateway.GuardArming:
		current = systemOff
	}
	return serviceModel{kind: hap.ServiceSecuritySystem, name: "guard", points: []point{
		{kind: hap.CharacteristicSecuritySystemCurrent, value: whole(current)},
		{kind: hap.CharacteristicSecuritySystemTarget, value: whole(target), ask: askGuard},
		{kind: hap.CharacteristicSecuritySystemAlarmType, value: digit(intruded(s))}, // 1: an alarm of unknown cause
		{kind: hap.CharacteristicStatusFault, value: digit(unwatched(s.Guard) > 0)},
		{kind: hap.CharacteristicName, value: hap.TextValue("Guard")},
	}}
}

// askGuard turns a target of the security system into a wish. What stands open is refused: the Home app cannot say that
// it is to be left out.
func askGuard(raw json.RawMessage) gateway.Ask {
	n, _ := hap.NumberOf(raw)
	if at := int(n); at >= 0 && at < len(systemModes) {
		return gateway.SetGuard{Mode: systemModes[at]}
	}
	return gateway.SetGuard{Mode: gateway.GuardOff}
}

func intruded(s gateway.State) bool {
	return slices.ContainsFunc(s.Alarms, func(a gateway.Alarm) bool { return a.Kind == gateway.Intrusion && a.On() })
}

// guardChanged reports whether two States differ in what guardService shows.
func guardChanged(old, s gateway.State) bool {
	return len(old.Home.Guard.Sensors) != len(s.Home.Guard.Sensors) || old.Guard.Mode != s.Guard.Mode || old.Guard.Phase != s.Guard.Phase ||
		(unwatched(old.Guard) > 0) != (unwatched(s.Guard) > 0) || intruded(old) != intruded(s)
}

// unwatched is how many sensors do not watch although they might.
func unwatched(g gateway.Guard) int { return len(g.LeftOut) + len(g.Open) + len(g.Blind) }
