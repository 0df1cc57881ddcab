package mqtt

import (
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

// What may be wished elsewhere is what may be wished over MQTT, with the same words.
func TestReadWishIsTheSameAsOnATopic(t *testing.T) {
	s := smallHouse()
	for _, c := range []struct {
		subject, body string
		want          gateway.Ask
		why           string
	}{
		{"room/2746182631", `{"target":21.5}`, gateway.SetTarget{Room: livingroom, Target: 21.5}, ""},
		{"room/ab-cellar", `{"mode":"off"}`, gateway.SetRoomOff{Room: "ab_Cellar"}, ""},
		{"home", `{"mode":"away"}`, gateway.SetMode{Mode: gateway.HomeAway}, ""},
		{"device/70-ee-50-12-34-56", `{"siren":false}`, gateway.SetDevice{Device: camera, Quantity: gateway.Siren, Value: gateway.Flag(false)}, ""},
		{"alarm", `{"acknowledge":true}`, gateway.Acknowledge{}, ""},
		{"room/2746182631", `{"target":99}`, nil, "above the maximum"},
		{"room/attic", `{"target":21}`, nil, `there is no room "attic"`},
		{"room/2746182631", `{"mode":"away"}`, nil, "wish it at home"},
		{"", `{}`, nil, "wishes go to room/<id>, device/<id>, home or alarm"},
		{"home", `[]`, nil, "a wish is a JSON object"},
	} {
		got, err := ReadWish(s, evening, c.subject, []byte(c.body))
		if got != c.want || (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s %s: got %#v, %v", c.subject, c.body, got, err)
		}
	}
	if Form("70:ee:50:12:34:56") != "70-ee-50-12-34-56" {
		t.Error("ids have another form than in topics")
	}
}
