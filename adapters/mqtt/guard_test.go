package mqtt

import (
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestGuardWishes(t *testing.T) {
	for wish, want := range map[string]gateway.Ask{
		`{"guard":"stay"}`:                 gateway.SetGuard{Mode: gateway.GuardStay},
		`{"guard":"away"}`:                 gateway.SetGuard{Mode: gateway.GuardAway},
		`{"guard":"night","bypass":true}`:  gateway.SetGuard{Mode: gateway.GuardNight, Bypass: true},
		`{"guard":"night","bypass":false}`: gateway.SetGuard{Mode: gateway.GuardNight},
		`{"guard":"off"}`:                  gateway.SetGuard{Mode: gateway.GuardOff},
	} {
		if got := readerOf(smallHouse()).read(heard{topic: "veilleuse/home/set", payload: []byte(wish)}); got != want {
			t.Errorf("%s gives %#v, want %#v", wish, got, want)
		}
	}
	for wish, why := range map[string]string{
		`{"guard":"home"}`:                `"guard" is stay, away, night or off, not "home"`,
		`{"guard":true}`:                  `"guard" is stay, away, night or off`,
		`{"guard":"away","bypass":"yes"}`: `"bypass" is true or false`,
		`{"guard":"away","mode":"away"}`:  `"mode" is not known here; expected guard, bypass`,
		`{"bypass":true}`:                 `"bypass" is not known here`,
	} {
		got, ok := readerOf(smallHouse()).read(heard{topic: "veilleuse/home/set", payload: []byte(wish)}).(gateway.Refused)
		if !ok || !strings.Contains(got.Why, why) {
			t.Errorf("%s gives %+v, want it refused because %q", wish, got, why)
		}
	}
	retained := heard{topic: "veilleuse/home/set", payload: []byte(`{"guard":"off"}`), retained: true}
	if got, ok := readerOf(smallHouse()).read(retained).(gateway.Refused); !ok {
		t.Errorf("a retained wish, which would switch the guard off at every restart, gives %#v", got)
	}
}

func TestGuardIsShown(t *testing.T) {
	v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", "1.2.3"), 41)
	s := smallHouse()
	v.show(s)
	all := sent(v)
	if _, there := all["veilleuse/guard"]; there {
		t.Error("a house without sensors to guard it has a guard")
	}
	if got := all["homeassistant/device/veilleuse/config"]; strings.Contains(got, "alarm_control_panel") {
		t.Errorf("and Home Assistant is told of it: %s", got)
	}
	s.Home.Guard.Sensors = []gateway.GuardSensor{{Of: "tag"}}
	v.show(s)
	all = sent(v)
	if got := all["veilleuse/guard"]; got != `{"mode":"off","intruder":false,"left_out":[],"open":[],"not_heard":[]}` {
		t.Errorf("a guard that was never set is shown as %s", got)
	}
	if got := all["homeassistant/device/veilleuse/config"]; !strings.Contains(got, `"payload_arm_away":"{\"guard\":\"away\"}"`) {
		t.Errorf("Home Assistant is told of no panel: %s", got)
	}
	s.Guard = gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardTripped, By: "Home app", Since: time.Date(2025, 10, 29, 17, 0, 0, 0, time.UTC),
		LeftOut: []gateway.DeviceID{"70:ee:50:12:34:56"}, Open: []gateway.DeviceID{"d"}, Blind: []gateway.DeviceID{"w"}}
	s.Alarms = []gateway.Alarm{{Phase: gateway.Hushed, Kind: gateway.Intrusion, Device: "tag"}}
	v.show(s)
	want := `{"mode":"away","phase":"tripped","since":"2025-10-29T17:00:00Z","by":"Home app","intruder":true,"left_out":["70-ee-50-12-34-56"],"open":["d"],"not_heard":["w"]}`
	if got := sent(v)["veilleuse/guard"]; got != want {
		t.Errorf("the guard is shown as\n%s, want\n%s", got, want)
	}
}
