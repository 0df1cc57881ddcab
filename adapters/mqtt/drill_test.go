package mqtt

import (
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestDrillWishes(t *testing.T) {
	for wish, want := range map[string]gateway.Ask{
		`{"drill":"10m"}`:   gateway.StartDrill{For: 10 * time.Minute},
		`{"drill":"1h30m"}`: gateway.StartDrill{For: 90 * time.Minute},
		`{"drill":true}`:    gateway.StartDrill{For: 10 * time.Minute},
		`{"drill":false}`:   gateway.EndDrill{},
	} {
		if got := readerOf(smallHouse()).read(heard{topic: "veilleuse/home/set", payload: []byte(wish)}); got != want {
			t.Errorf("%s gives %#v, want %#v", wish, got, want)
		}
	}
}

func TestDrillWishesRefused(t *testing.T) {
	for wish, why := range map[string]string{
		`{"drill":"10"}`:                 `"drill" is a time such as "10m"`,
		`{"drill":10}`:                   `"drill" is a time such as "10m"`,
		`{"drill":""}`:                   `"drill" is a time such as "10m"`,
		`{"drill":"10s"}`:                "between a minute and four hours",
		`{"drill":"5h"}`:                 "between a minute and four hours",
		`{"drill":"10m","mode":"away"}`:  `"mode" is not known here; expected drill alone`,
		`{"drill":"10m","for":"10m"}`:    `"for" is not known here; expected drill alone`,
		`{"drill":"10m","drill":"-10m"}`: `"drill" is there twice`,
	} {
		got, ok := readerOf(smallHouse()).read(heard{topic: "veilleuse/home/set", payload: []byte(wish)}).(gateway.Refused)
		if !ok || !strings.Contains(got.Why, why) {
			t.Errorf("%s gives %+v, want it refused because %q", wish, got, why)
		}
	}
	retained := heard{topic: "veilleuse/home/set", payload: []byte(`{"drill":"10m"}`), retained: true}
	if got, ok := readerOf(smallHouse()).read(retained).(gateway.Refused); !ok {
		t.Errorf("a retained drill, which would begin anew at every restart, gives %#v", got)
	}
}

func TestDrillIsMarked(t *testing.T) {
	v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", "1.2.3"), 41)
	s := smallHouse()
	s.Authority.Phase, s.Authority.Drill = gateway.Local, true
	v.show(s)
	all := sent(v)
	if got := all["veilleuse/authority"]; !strings.Contains(got, `"drill":true`) {
		t.Errorf("authority says %s", got)
	}
	if got := all["homeassistant/device/veilleuse/config"]; !strings.Contains(got, `"payload_on":"{\"drill\":\"10m\"}"`) {
		t.Errorf("Home Assistant is told of no switch: %s", got)
	}
}
