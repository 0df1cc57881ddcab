package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestGuardInTheStatus(t *testing.T) {
	var s gateway.State
	if reportGuard(s) != nil {
		t.Error("a house without sensors to guard it has a guard")
	}
	s.Home.Guard.Sensors = []gateway.GuardSensor{{Of: "door"}}
	s.Devices = s.Devices.With("w", gateway.Device{ID: "w", Name: "Window"})
	since := time.Date(2025, 10, 29, 17, 0, 0, 0, time.Local)
	for want, g := range map[string]gateway.Guard{
		"\nguard: off": {},
		"\nguard: away, arming since " + clockOf(since) + ", set in Home app; 45 s are left":              {Mode: gateway.GuardAway, Phase: gateway.GuardArming, Since: since, By: "Home app", Left: 45 * time.Second},
		"\nguard: night, armed since " + clockOf(since) + ", set in MQTT; left out: Window; not heard: x": {Mode: gateway.GuardNight, Phase: gateway.GuardArmed, Since: since, By: "MQTT", LeftOut: []gateway.DeviceID{"w"}, Blind: []gateway.DeviceID{"x"}},
	} {
		s.Guard = g
		var out bytes.Buffer
		if printGuard(&out, reportGuard(s)); out.String() != want {
			t.Errorf("%+v is told as %q, want %q", g, out.String(), want)
		}
	}
}
