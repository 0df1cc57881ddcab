package mqtt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/gateway"
)

// readerOf reads wishes for a house as of the evening.
func readerOf(s gateway.State) reader {
	v := newView("veilleuse", nil, 0)
	v.show(s)
	return v.reader(evening)
}

const (
	livingroom = gateway.RoomID("2746182631")
	camera     = gateway.DeviceID("70:EE:50:12:34:56")
	shutter    = gateway.DeviceID("12:34:56:80:00:c3")
)

func TestWishesAccepted(t *testing.T) {
	room, home := "room/2746182631", "home"
	tests := []struct {
		topic, wish string
		want        gateway.Ask
	}{
		{room, `{"target":21.5}`, gateway.SetTarget{Room: livingroom, Target: 21.5}},
		{room, ` {"target": 21.5, "for": "2h"} `, gateway.SetTarget{Room: livingroom, Target: 21.5, For: 2 * time.Hour}},
		{room, `{"target":7,"for":"1h30m"}`, gateway.SetTarget{Room: livingroom, Target: 7, For: 90 * time.Minute}},
		{room, `{"target":28,"for":"14d"}`, gateway.SetTarget{Room: livingroom, Target: 28, For: 14 * 24 * time.Hour}},
		{room, `{"target":20,"until":"2025-10-29T23:00:00+01:00"}`,
			gateway.SetTarget{Room: livingroom, Target: 20, Until: evening.Add(5 * time.Hour)}},
		{room, `{"mode":"manual","target":19}`, gateway.SetTarget{Room: livingroom, Target: 19}},
		{room, `{"mode":"manual"}`, gateway.SetTarget{Room: livingroom, Target: 20}},
		{room, `{"mode":"max"}`, gateway.SetTarget{Room: livingroom, Target: 28}},
		{room, `{"mode":"max","for":"30m"}`, gateway.SetTarget{Room: livingroom, Target: 28, For: 30 * time.Minute}},
		{room, `{"mode":"frost"}`, gateway.SetTarget{Room: livingroom, Target: 7, Forever: true}},
		{room, `{"mode":"frost","for":"1d"}`, gateway.SetTarget{Room: livingroom, Target: 7, For: 24 * time.Hour}},
		{room, `{"mode":"schedule"}`, gateway.FollowHome{Room: livingroom}},
		{room, `{"mode":"home"}`, gateway.FollowHome{Room: livingroom}},
		{room, `{"mode":"off"}`, gateway.SetRoomOff{Room: livingroom}},
		{"room/ab-cellar", `{"target":12}`, gateway.SetTarget{Room: "ab_Cellar", Target: 12}},
		{home, `{"mode":"away"}`, gateway.SetMode{Mode: gateway.HomeAway}},
		{home, `{"mode":"away","for":"168h"}`, gateway.SetMode{Mode: gateway.HomeAway, For: 168 * time.Hour}},
		{home, `{"mode":"frost","until":"2025-11-05T12:00:00Z"}`,
			gateway.SetMode{Mode: gateway.HomeFrost, Until: time.Date(2025, 11, 5, 12, 0, 0, 0, time.UTC)}},
		{home, `{"mode":"schedule"}`, gateway.SetMode{Mode: gateway.HomeSchedule}},
		{home, `{"schedule":"b1b54a2f45795764f59d50d8"}`, gateway.SwitchSchedule{ID: "b1b54a2f45795764f59d50d8"}},
		{home, `{"schedule":"Winter"}`, gateway.SwitchSchedule{ID: "591b54a2764ff4d50d8b5795"}},
		{"device/70-ee-50-12-34-56", `{"siren":false}`, gateway.SetDevice{Device: camera, Quantity: gateway.Siren, Value: gateway.Flag(false)}},
		{"device/70-ee-50-12-34-56", `{"floodlight":"on"}`, gateway.SetDevice{Device: camera, Quantity: gateway.Floodlight, Value: gateway.Word("on")}},
		{"device/70-ee-50-12-34-56", `{"monitoring":true}`, gateway.SetDevice{Device: camera, Quantity: gateway.Monitoring, Value: gateway.Flag(true)}},
		{"device/12-34-56-80-00-c3", `{"position":40}`, gateway.SetDevice{Device: shutter, Quantity: gateway.Position, Value: gateway.Number(40)}},
		{"device/12-34-56-80-00-c3", `{"brightness":90}`, gateway.SetDevice{Device: shutter, Quantity: gateway.Brightness, Value: gateway.Number(90)}},
		{"alarm", `{"hush":true}`, gateway.Hush{}},
		{"alarm", `{"acknowledge":true}`, gateway.Acknowledge{}},
		{"alarm", `{"test":"3m"}`, gateway.StartTest{For: 3 * time.Minute}},
		{"alarm", `{"test":true}`, gateway.StartTest{For: 5 * time.Minute}},
		{"alarm", `{"test":false}`, gateway.EndTest{}},
	}
	r := readerOf(smallHouse())
	for _, test := range tests {
		t.Run(test.topic+" "+test.wish, func(t *testing.T) {
			got := r.read(heard{topic: "veilleuse/" + test.topic + "/set", payload: []byte(test.wish)})
			if same, ok := got.(gateway.SetTarget); ok {
				same.Until = same.Until.UTC()
				got = same
			}
			if want, ok := test.want.(gateway.SetTarget); ok {
				want.Until = want.Until.UTC()
				test.want = want
			}
			if got != test.want {
				t.Errorf("got %#v\nwant %#v", got, test.want)
			}
		})
	}
}

func TestWishesRefused(t *testing.T) {
	room, cam := "room/2746182631", "device/70-ee-50-12-34-56"
	tests := []struct{ name, topic, wish, why string }{
		{"too warm", room, `{"target":35}`, "35 °C is above the maximum of 28 °C in veilleuse.yaml home.maximum"},
		{"a little too warm", room, `{"target":28.01}`, "28.01 °C is above the maximum of 28 °C"},
		{"too cold", room, `{"target":6.5}`, "6.5 °C is below the frost guard of 7 °C in veilleuse.yaml home.frost_guard"},
		{"negative", room, `{"target":-20}`, "below the frost guard"},
		{"beyond numbers", room, `{"target":1e999}`, `"target" is too large a number`},
		{"not a number", room, `{"target":NaN}`, "not JSON"},
		{"infinite", room, `{"target":Infinity}`, "not JSON"},
		{"a number in quotes", room, `{"target":"21"}`, `"target" must be a number`},
		{"a flag for a number", room, `{"target":true}`, `"target" must be a number`},
		{"nothing for a number", room, `{"target":null}`, `"target" must be a number, a word, true or false`},
		{"a list", room, `{"target":[21]}`, `"target" must be a number, a word, true or false`},
		{"an object in an object", room, `{"target":{"value":21}}`, `"target" must be`},
		{"twice", room, `{"target":21,"target":28}`, `"target" is there twice`},
		{"unknown key", room, `{"target":21,"colour":"red"}`, `"colour" is not known here; expected target, mode, preset, for, until`},
		{"key in capitals", room, `{"Target":21}`, `"Target" is not known here`},
		{"empty object", room, `{}`, "say what is wished"},
		{"only a duration", room, `{"for":"2h"}`, "say what is wished"},
		{"plain number", room, `21.5`, "a wish is a JSON object"},
		{"plain word", room, `away`, "a wish is a JSON object"},
		{"array", room, `[{"target":21}]`, "a wish is a JSON object"},
		{"cut off", room, `{"target":21`, "not JSON"},
		{"two objects", room, `{"target":21}{"target":22}`, "something follows"},
		{"rubbish behind", room, `{"target":21} x`, "something follows"},
		{"no comma", room, `{"target":21 "for":"2h"}`, "not JSON"},
		{"not text", room, "{\"target\":21,\"for\":\"\xff\"}", "UTF-8"},
		{"for and until", room, `{"target":21,"for":"2h","until":"2025-10-29T20:00:00Z"}`, "not both"},
		{"for as a number", room, `{"target":21,"for":2}`, `"for" must be a word in quotes`},
		{"for without a unit", room, `{"target":21,"for":"2"}`, "a time such as 90m"},
		{"for backwards", room, `{"target":21,"for":"-2h"}`, "between a second and a year"},
		{"for nothing", room, `{"target":21,"for":"0s"}`, "between a second and a year"},
		{"for ages", room, `{"target":21,"for":"400d"}`, "between a second and a year"},
		{"for absurdly many days", room, `{"target":21,"for":"99999999999d"}`, "between a second and a year"},
		{"until without a zone", room, `{"target":21,"until":"2025-10-29T20:00:00"}`, "a time such as 2026-01-31"},
		{"until yesterday", room, `{"target":21,"until":"2025-10-28T20:00:00Z"}`, "is past"},
		{"until now", room, `{"target":21,"until":"2025-10-29T17:00:00Z"}`, "is past"},
		{"until doomsday", room, `{"target":21,"until":"2099-01-01T00:00:00Z"}`, "more than a year"},
		{"unknown mode", room, `{"mode":"party"}`, `a room has no mode "party"; expected schedule, manual, max, frost or off`},
		{"mode as a number", room, `{"mode":1}`, `"mode" must be a word`},
		{"away in a room", room, `{"mode":"away"}`, "wish it at veilleuse/home/set"},
		{"off with a target", room, `{"mode":"off","target":21}`, `a target goes with the mode "manual" only`},
		{"off with an end", room, `{"mode":"off","for":"2h"}`, `"off" has no end`},
		{"schedule with an end", room, `{"mode":"schedule","until":"2025-10-29T20:00:00Z"}`, `"schedule" has no end`},
		{"manual where nothing is known", "room/ab-cellar", `{"mode":"manual"}`, "nobody knows which temperature to hold"},
		{"unknown room", "room/attic", `{"target":21}`, `there is no room "attic"`},
		{"no room", "room/", `{"target":21}`, `there is no room ""`},
		{"a room by its raw id", "room/ab_Cellar", `{"target":21}`, `there is no room "ab_Cellar"`},
		{"unknown device", "device/00-00", `{"siren":false}`, `there is no device "00-00"`},
		{"nothing for a device", cam, `{}`, "say one thing at a time"},
		{"two things at once", cam, `{"siren":false,"monitoring":true}`, "say one thing at a time"},
		{"unknown quantity", cam, `{"laser":true}`, `"laser" is nothing that can be set`},
		{"a reading", cam, `{"motion":true}`, `"motion" is nothing that can be set`},
		{"a door", cam, `{"lock":false}`, "a lock cannot be moved over MQTT"},
		{"a valve's target", "device/12-34-56-03-a5-54", `{"target":21}`, "wish it at veilleuse/room/<id>/set"},
		{"no such control", "device/12-34-56-00-8b-a2", `{"siren":false}`, "Hall détecteur has no siren that can be set"},
		{"siren by word", cam, `{"siren":"off"}`, `"siren" must be true or false`},
		{"siren by number", cam, `{"siren":0}`, `"siren" must be true or false`},
		{"floodlight by flag", cam, `{"floodlight":true}`, `"floodlight" must be one of on, off, auto`},
		{"floodlight by another word", cam, `{"floodlight":"disco"}`, `must be one of on, off, auto`},
		{"position too far", "device/12-34-56-80-00-c3", `{"position":101}`, `"position" must be a number from 0 to 100`},
		{"position below", "device/12-34-56-80-00-c3", `{"position":-1}`, `from 0 to 100`},
		{"position by flag", "device/12-34-56-80-00-c3", `{"position":true}`, `"position" must be a number`},
		{"brightness beyond what the lamp can", "device/12-34-56-80-00-c3", `{"brightness":95}`, `from 10 to 90`},
		{"a device without a name", "device/bare", `{"siren":true}`, "bare has no siren that can be set"},
		{"a lamp that knows no limits", "device/lamp", `{"brightness":100.5}`, "from 0 to 100"},
		{"a long wish in many lines", room, "{\n\"target\"\t:35" + strings.Repeat(" ", 300) + "}", "35 °C is above"},
		{"home without a wish", "home", `{}`, "say either a mode or a schedule"},
		{"home with both", "home", `{"mode":"schedule","schedule":"Winter"}`, "say either a mode or a schedule"},
		{"unknown home mode", "home", `{"mode":"manual"}`, `the home has no mode "manual"; expected schedule, away or frost`},
		{"home target", "home", `{"mode":"away","target":12}`, `"target" is not known here; expected mode, schedule, for, until`},
		{"home schedule for a while", "home", `{"mode":"schedule","for":"2h"}`, `"schedule" has no end`},
		{"unknown schedule", "home", `{"schedule":"Autumn"}`, `the home has no schedule "Autumn"`},
		{"schedule for a while", "home", `{"schedule":"Winter","for":"2h"}`, "has no end"},
		{"schedule by number", "home", `{"schedule":1}`, `"schedule" must be a word`},
		{"not hushed", "alarm", `{"hush":false}`, `say {"hush":true}`},
		{"hushed by word", "alarm", `{"hush":"true"}`, `say {"hush":true}`},
		{"nothing about an alarm", "alarm", `{}`, `say {"hush":true}`},
		{"an alarm cannot be ended", "alarm", `{"phase":"quiet"}`, `"phase" is not known here; expected hush`},
		{"hushed and acknowledged", "alarm", `{"hush":true,"acknowledge":true}`, `say {"hush":true} or`},
		{"a test of half a day", "alarm", `{"test":"12h"}`, "between a minute and half an hour"},
		{"a test of some length", "alarm", `{"test":"long"}`, `"test" is a time`},
		{"a test of nobody", "alarm", `{"test":"5m","device":"nobody"}`, `there is no device "nobody"`},
		{"too long", room, `{"target":21` + strings.Repeat(" ", longestWish) + `}`, "at most 4096 bytes"},
	}
	s := smallHouse()
	s.Devices = s.Devices.With("bare", gateway.Device{ID: "bare"}).With("lamp", gateway.Device{ID: "lamp",
		Faces: []gateway.Face{{Adapter: "x", Controls: []gateway.Control{{Quantity: gateway.Brightness}}}}})
	r := readerOf(s)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := r.read(heard{topic: "veilleuse/" + test.topic + "/set", payload: []byte(test.wish)}).(gateway.Refused)
			if !ok || !strings.Contains(got.Why, test.why) {
				t.Errorf("got %+v, want it refused because %q", got, test.why)
			}
			if !strings.HasPrefix(got.Text, test.topic+"/set ") || len([]rune(got.Text)) > 121 ||
				!utf8.ValidString(got.Text) || strings.ContainsAny(got.Text, "\n\t") {
				t.Errorf("the record says %q", got.Text)
			}
		})
	}
}

func TestRetainedWishIsRefused(t *testing.T) {
	r := readerOf(smallHouse())
	got := r.read(heard{topic: "veilleuse/room/2746182631/set", payload: []byte(`{"target":21}`), retained: true})
	if refused, ok := got.(gateway.Refused); !ok || !strings.Contains(refused.Why, "without the retain flag") {
		t.Errorf("got %+v", got)
	}
}

func TestManualHoldsAComfortableTarget(t *testing.T) {
	tests := []struct {
		name string
		room gateway.Room
		want gateway.Ask
	}{
		{"as in force", gateway.Room{Target: gateway.Aim{Value: gateway.Number(18), Mode: gateway.RoomAway}, Last: 21}, gateway.SetTarget{Room: "r", Target: 18}},
		{"not off", gateway.Room{Target: gateway.Aim{Value: gateway.Number(7), Mode: gateway.RoomOff}, Last: 21}, gateway.SetTarget{Room: "r", Target: 21}},
		{"not frost", gateway.Room{Target: gateway.Aim{Value: gateway.Number(7), Mode: gateway.RoomFrost}, Last: 21}, gateway.SetTarget{Room: "r", Target: 21}},
		{"unknown", gateway.Room{Last: 21}, gateway.SetTarget{Room: "r", Target: 21}},
		{"out of range", gateway.Room{Last: 40}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s gateway.State
			test.room.ID = "r"
			s.Rooms = s.Rooms.With("r", test.room)
			got := readerOf(s).read(heard{topic: "veilleuse/room/r/set", payload: []byte(`{"mode":"manual"}`)})
			if _, refused := got.(gateway.Refused); test.want == nil && !refused || test.want != nil && got != test.want {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
}

func TestLimitsOfTheConfigurationHold(t *testing.T) {
	s := smallHouse()
	s.Home.FrostGuard, s.Home.Maximum = 10, 22.5
	r := readerOf(s)
	for wish, want := range map[string]bool{
		`{"target":22.5}`: true, `{"target":22.6}`: false, `{"target":10}`: true, `{"target":9.9}`: false, `{"mode":"max"}`: true,
	} {
		got := r.read(heard{topic: "veilleuse/room/2746182631/set", payload: []byte(wish)})
		if _, refused := got.(gateway.Refused); refused == want {
			t.Errorf("%s: got %+v", wish, got)
		}
	}
}

// harmless reports why an ask must not have come out of a reader.
func harmless(ask gateway.Ask, s gateway.State, now time.Time) error {
	lasts := func(d time.Duration, t time.Time) bool {
		return d >= 0 && d <= farthest && (d == 0 || t.IsZero()) && (t.IsZero() || t.After(now) && t.Sub(now) <= farthest)
	}
	switch a := ask.(type) {
	case gateway.SetTarget:
		if _, ok := s.Rooms.Get(a.Room); !ok || !(a.Target >= 7 && a.Target <= 28) || !lasts(a.For, a.Until) {
			return fmt.Errorf("%+v", a)
		}
	case gateway.FollowHome:
		if _, ok := s.Rooms.Get(a.Room); !ok {
			return fmt.Errorf("%+v", a)
		}
	case gateway.SetRoomOff:
		if _, ok := s.Rooms.Get(a.Room); !ok {
			return fmt.Errorf("%+v", a)
		}
	case gateway.SetMode:
		if a.Mode != gateway.HomeAway && a.Mode != gateway.HomeFrost && a.Mode != gateway.HomeSchedule || !lasts(a.For, a.Until) {
			return fmt.Errorf("%+v", a)
		}
	case gateway.SwitchSchedule:
		if a.ID != s.Home.Schedules[0].ID && a.ID != s.Home.Schedules[1].ID {
			return fmt.Errorf("%+v", a)
		}
	case gateway.SetDevice:
		d, ok := s.Devices.Get(a.Device)
		if _, _, can := d.Control(a.Quantity); !ok || !can || !a.Value.Known() || a.Quantity == gateway.Lock || a.Quantity == gateway.Target {
			return fmt.Errorf("%+v", a)
		}
		if n, isNumber := a.Value.Number(); isNumber && (n < 0 || n > 100) {
			return fmt.Errorf("%+v", a)
		}
	case gateway.Hush:
	case gateway.Refused:
		if a.Why == "" || !utf8.ValidString(a.Text) {
			return fmt.Errorf("%+v", a)
		}
	default:
		return fmt.Errorf("%#v", a)
	}
	return nil
}

// A thousand wishes put together at random, many of them nearly right, have no effect out of range.
func TestAThousandRandomWishesDoNoHarm(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	topic := func() string {
		return "veilleuse/" + pick("room/2746182631", "room/ab-cellar", "room/x", "device/70-ee-50-12-34-56",
			"device/12-34-56-80-00-c3", "home", "alarm", "") + "/set"
	}
	value := func() string {
		switch random.IntN(4) {
		case 0:
			return fmt.Sprint(math.Exp(random.Float64()*12-3) - 10)
		case 1:
			return pick("true", "false", "null", "NaN", "-0", "1e400", "28.0000001", "6.99", "[]", "{}")
		}
		return `"` + pick("away", "frost", "off", "max", "manual", "schedule", "on", "2h", "-2h", "999d", "9999999h", "Winter",
			"2025-10-29T20:00:00Z", "2525-10-29T20:00:00Z", "0001-01-01T00:00:00Z", "") + `"`
	}
	s := smallHouse()
	r := readerOf(s)
	accepted := 0
	for range 1000 {
		var members []string
		for range 1 + random.IntN(3) {
			members = append(members, `"`+pick("target", "target", "mode", "for", "until", "siren", "position", "schedule", "hush", "lock")+`":`+value())
		}
		m := heard{topic: topic(), payload: []byte("{" + strings.Join(members, ",") + "}")}
		ask := r.read(m)
		if err := harmless(ask, s, evening); err != nil {
			t.Errorf("%s %s became %v", m.topic, m.payload, err)
		}
		if _, refused := ask.(gateway.Refused); !refused {
			accepted++
		}
	}
	if accepted == 0 || accepted > 300 {
		t.Errorf("%d of 1000 were accepted: the test does not test what it should", accepted)
	}
}

func FuzzWish(f *testing.F) {
	for _, wish := range []string{`{"target":21.5,"for":"2h"}`, `{"mode":"away","until":"2025-10-29T20:00:00Z"}`, `{"siren":false}`,
		`{"hush":true}`, `{"schedule":"Winter"}`, `{"target":1e999}`, `{"a":{}}`, "{\"\xff\":1}", `{"target":21}{`, ``} {
		f.Add("room/2746182631/set", wish)
		f.Add("home/set", wish)
		f.Add("device/70-ee-50-12-34-56/set", wish)
		f.Add("alarm/set", wish)
	}
	s := smallHouse()
	r := readerOf(s)
	f.Fuzz(func(t *testing.T, topic, payload string) {
		if err := harmless(r.read(heard{topic: "veilleuse/" + topic, payload: []byte(payload)}), s, evening); err != nil {
			t.Error(err)
		}
	})
}
