package mqtt

import (
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestPresets(t *testing.T) {
	const room = gateway.RoomID("2746182631")
	away, at := smallHouse(), smallHouse()
	at.Home.Regime = gateway.Regime{Mode: gateway.HomeSchedule}
	for _, test := range []struct {
		name, wish string
		house      gateway.State
		want       gateway.Ask
	}{
		{"away is one of the home", `{"preset":"away","for":"2h"}`, at, gateway.SetMode{Mode: gateway.HomeAway, For: 2 * time.Hour}},
		{"frost guard is one of the home", `{"preset":"frost"}`, at, gateway.SetMode{Mode: gateway.HomeFrost}},
		{"schedule ends the home's away", `{"preset":"schedule"}`, away, gateway.SetMode{Mode: gateway.HomeSchedule}},
		{"schedule ends what was set by hand", `{"preset":"schedule"}`, at, gateway.FollowHome{Room: room}},
		{"boost is the maximum for a while", `{"preset":"boost","for":"30m"}`, at, gateway.SetTarget{Room: room, Target: 28, For: 30 * time.Minute}},
		{"boost lasts as long as a change by hand", `{"preset":"boost"}`, at, gateway.SetTarget{Room: room, Target: 28}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := readerOf(test.house).read(heard{topic: "veilleuse/room/" + string(room) + "/set", payload: []byte(test.wish)})
			if got != test.want {
				t.Errorf("%s gives %#v, want %#v", test.wish, got, test.want)
			}
		})
	}
	for wish, why := range map[string]string{
		`{"preset":"eco"}`:                   `"preset" is schedule, away, frost or boost, not "eco"`,
		`{"preset":3}`:                       `"preset" is schedule`,
		`{"preset":"away","target":21}`:      `"target" is not known here`,
		`{"preset":"schedule","for":"1h"}`:   `schedule`,
		`{"preset":"boost","for":"forever"}`: `"for"`,
	} {
		got, ok := readerOf(at).read(heard{topic: "veilleuse/room/" + string(room) + "/set", payload: []byte(wish)}).(gateway.Refused)
		if !ok || !strings.Contains(got.Why, why) {
			t.Errorf("%s gives %+v, want it refused because %q", wish, got, why)
		}
	}
}
