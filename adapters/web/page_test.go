package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

var evening = time.Date(2025, 10, 29, 17, 0, 0, 0, time.UTC)

// cottage is a house with something of everything, and with names that mean mischief.
func cottage() gateway.State {
	paris, err := gateway.LoadTimeZone("Europe/Paris")
	if err != nil {
		panic(err)
	}
	s := gateway.State{Version: 7, At: evening,
		Home: gateway.Home{Name: `Maison <b>"x"</b>`, Zone: paris, Copied: evening, FrostGuard: 7, Maximum: 28, Regime: gateway.Regime{Mode: gateway.HomeSchedule, Schedule: "w"},
			Schedules: []gateway.Schedule{{ID: "w", Name: "Semaine", Type: "therm"}, {ID: "c", Name: "Fêtes & Noël", Type: "therm"}, {ID: "e", Name: "Electric", Type: "electricity"}},
			Guard:     gateway.GuardPlan{Sensors: []gateway.GuardSensor{{Of: "door"}}}},
		Authority: gateway.Authority{Phase: gateway.Local, Since: evening.Add(-time.Hour), Why: "Netatmo <gone>"},
		Cloud:     gateway.Cloud{Verdict: gateway.VerdictCloudDown, Why: "no answer", Evidence: []string{"503 & HTML"}},
		Clock:     gateway.Clock{Trust: gateway.TrustHoldover},
		Guard:     gateway.Guard{Mode: gateway.GuardAway, Phase: gateway.GuardArming, Left: 30 * time.Second, Open: []gateway.DeviceID{"door"}},
	}
	s.Rooms = s.Rooms.With("1", gateway.Room{ID: "1", Name: "Salon <script>alert(1)</script>", Devices: []gateway.DeviceID{"v1"},
		Temperature: gateway.Measure{Value: gateway.Number(19.44), At: evening.Add(-5 * time.Minute), From: "accessory"}, Heating: gateway.Number(40),
		Target: gateway.Aim{Value: gateway.Number(20.5), Mode: gateway.RoomManual, Until: evening.Add(3 * time.Hour), Why: "asked for in page"}, Opened: evening})
	s.Rooms = s.Rooms.With("2", gateway.Room{ID: "2"})
	s.Devices = s.Devices.With("v1", gateway.Device{ID: "v1", Name: "Vanne", Model: "NRV", Room: "1", Faces: []gateway.Face{{Adapter: "accessory", Reaches: true, Controls: []gateway.Control{{Quantity: gateway.Target}}}},
		Readings: []gateway.Measure{{Quantity: gateway.Target, Value: gateway.Number(18), At: evening.Add(-time.Minute), From: "accessory"}, {Quantity: gateway.Temperature, Value: gateway.Number(19.4), At: evening, From: "accessory"}}})
	s.Devices = s.Devices.With("door", gateway.Device{ID: "door", Name: "Porte", Faces: []gateway.Face{{Adapter: "mqtt", Why: `no word since "noon"`}},
		Readings: []gateway.Measure{{Quantity: gateway.Siren, Value: gateway.Flag(false), At: evening, From: "mqtt"}}})
	s.Health = s.Health.With("mqtt", gateway.Health{Adapter: "mqtt", Why: "refused"})
	s.Decisions = []gateway.Decision{{Number: 1, At: evening, Kind: "wish", What: "Salon: 20.5 °C", Why: "asked for in page"}}
	s.Decided = 1
	return s
}

func drawn(t *testing.T, s gateway.State, in lang) string {
	t.Helper()
	a := New(Options{Vault: gatewaytest.NewVault(), Log: quiet, Outlook: func(gateway.State) *Outlook {
		return &Outlook{Says: "No: 1 of 2.", Gaps: []Gap{{"Cave", "nothing < there", "veilleuse pair"}}}
	}})
	p := sheetOf(a.view(s), in, evening)
	parts := p.parts()
	p.out.Reset()
	p.whole(parts)
	return p.out.String()
}

func TestPageSaysHowTheHouseStands(t *testing.T) {
	for in, wants := range map[lang][]string{
		english: {`<html lang="en"`, "Veilleuse runs the house", "since 17:00", "20.5", "19.4", "by hand until 21:00", "the device shows 18°", "window open", "heating",
			"Fêtes &amp; Noël", "503 &amp; HTML", "nothing &lt; there", "30 s to leave", "Watched once shut: Porte", "does not answer", "HomeKit", "not measured", "temperature 19.4", "siren: no", "5 min ago", "Parts that do not run"},
		french: {`<html lang="fr"`, "Veilleuse a pris le relais", "20,5", "19,4", "à la main jusqu’à 21:00", "il y a 5 min", `<span lang="en">Netatmo &lt;gone&gt;</span>`, "Hors-gel", "sirène\u00a0: non", "ne répond pas"},
	} {
		page := drawn(t, cottage(), in)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is not in the page", in.code(), want)
			}
		}
		for _, never := range []string{"<script>alert", "<b>", "%!", "Electric", "undefined", "<nil>"} {
			if strings.Contains(page, never) {
				t.Errorf("%s: the page has %q", in.code(), never)
			}
		}
	}
}

// A temperature that nobody has confirmed for hours does not look like one of now.
func TestAnOldTemperatureLooksOld(t *testing.T) {
	s := cottage()
	room, _ := s.Rooms.Get("1")
	for age, old := range map[time.Duration]bool{4*time.Hour - time.Second: false, 4 * time.Hour: true, 9 * 24 * time.Hour: true} {
		room.Temperature.At = evening.Add(-age)
		s.Rooms = s.Rooms.With("1", room)
		page := drawn(t, s, french)
		if muted := strings.Contains(page, `<span class="big unknown">19,4<`); muted != old || strings.Contains(page, "trop ancienne\u00a0: <time") != old {
			t.Errorf("after %v the temperature looks old: %t", age, muted)
		}
	}
}

// What the rules do not know yet is shown as unknown, never as well.
// A date has its article in French, and the field of a target takes half degrees whatever the frost floor is.
func TestDatesAndSteps(t *testing.T) {
	s := cottage()
	s.Authority.Since = time.Date(2025, 10, 1, 14, 2, 0, 0, time.UTC)
	s.Home.Regime = gateway.Regime{Mode: gateway.HomeAway, Until: evening.AddDate(0, 0, 14)}
	s.Home.FrostGuard = 7.3
	page := drawn(t, s, french)
	for _, want := range []string{"depuis le 1er oct. 16:02", "Absent jusqu’au 12 nov. 18:00", `min="7.5" max="28" step="0.5"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestPageOfAHouseThatHasOnlyJustStarted(t *testing.T) {
	page := drawn(t, gateway.State{}, english)
	if !strings.Contains(page, "Veilleuse is starting") || !strings.Contains(page, "No room is known yet") || !strings.Contains(page, "not looked at yet") {
		t.Error(page)
	}
}

func TestAlarmsStandAboveEverything(t *testing.T) {
	s := cottage()
	s.Alarms = []gateway.Alarm{
		{Number: 3, Phase: gateway.PreAlarm, Kind: gateway.CO, Name: "Cave", Since: evening},
		{Number: 4, Phase: gateway.Sounding, Kind: gateway.Smoke, Name: "Palier <1>", Since: evening, Why: "smoke",
			Told: []gateway.Delivery{{Path: "Home app", Delivered: evening, By: "by 2 controllers"}, {Path: "MQTT", Err: "no broker"}, {Path: "page"}}}}
	page := drawn(t, s, english)
	alarm, rest := strings.Index(page, "Palier &lt;1&gt;"), strings.Index(page, "Veilleuse runs the house")
	if alarm < 0 || alarm > rest || !strings.Contains(page, `data-alarms="4"`) || !strings.Contains(page, "by 2 controllers") || !strings.Contains(page, "not confirmed") || !strings.Contains(page, "no broker") {
		t.Error("the alarm is not above everything, or not whole")
	}
	s.Alarms[1].Answered, s.Alarms[1].By = evening, "page"
	page = drawn(t, s, english)
	two := append(s.Alarms[:1:1], gateway.Alarm{Number: 8, Phase: gateway.Sounding, Kind: gateway.Smoke, Name: "Hall"}, gateway.Alarm{Number: 9, Phase: gateway.Hushed, Kind: gateway.CO, Name: "Garage"})
	s.Alarms, two = two, s.Alarms
	if both := drawn(t, s, english); !strings.Contains(both, `data-alarms="8 9"`) || !strings.Contains(both, "Carbon monoxide · Garage") {
		t.Error("a second alarm that waits is not named")
	}
	s.Alarms = two
	s.Alarms = append(s.Alarms, gateway.Alarm{Number: 5, Phase: gateway.Sounding, Kind: gateway.CO, Name: "Cave", Since: evening})
	if second := drawn(t, s, english); !strings.Contains(second, `data-alarms="5"`) || strings.Count(second, `class="siren"`) != 1 {
		t.Error("a second alarm does not fill the page because the first was answered")
	}
	if strings.Count(page, `data-refusal="alarm"`) != 1 {
		t.Error("why a wish was refused is not said once")
	}
	if strings.Contains(page, `class="siren"`) || !strings.Contains(page, "answered 18:00, from page") || !strings.Contains(page, "Silence the sirens") {
		t.Error("an alarm that was answered still fills the page, or its sirens cannot be silenced")
	}
}

func TestStateAsJSON(t *testing.T) {
	d := newDoor(t, Options{Form: func(id string) string { return "f" + id }})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	s := cottage()
	d.newest.Store(&s)
	w := d.request("GET", "/api/state", "", with(key))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%v %v %s", err, w.Header(), w.Body)
	}
	rooms := got["rooms"].([]any)
	salon, other := rooms[0].(map[string]any), rooms[1].(map[string]any)
	if salon["target"] != 20.5 || salon["shown"] != 18.0 || salon["confirmed"] != false || salon["wish"] != "room/f1" || salon["until"] != "2025-10-29T20:00:00Z" || salon["heating"] != 40.0 {
		t.Errorf("%v", salon)
	}
	for _, unknown := range []string{"target", "temperature", "until", "heating", "confirmed", "shown"} {
		if v, there := other[unknown]; there {
			t.Errorf("%s of a room that nobody knows is %v", unknown, v)
		}
	}
	if fmt.Sprint(got["authority"]) != "map[drill:false phase:local since:2025-10-29T16:00:00Z why:Netatmo <gone>]" {
		t.Errorf("%v", got["authority"])
	}
}

// wisher reads one wish and refuses the rest.
func wisher(_ gateway.State, _ time.Time, to string, body []byte) (gateway.Ask, error) {
	if to == "home" && string(body) == `{"mode":"away"}` {
		return gateway.SetMode{Mode: gateway.HomeAway}, nil
	}
	return nil, errors.New("no such wish: " + to + " " + string(body))
}

func TestFormsAreWishes(t *testing.T) {
	d := newDoor(t, Options{Wish: wisher})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	s := cottage()
	d.newest.Store(&s)
	for form, want := range map[string]string{
		"to=room%2F1&target=21%2C5&for=2h":               `no such wish: room/1 {&#34;for&#34;:&#34;2h&#34;,&#34;target&#34;:21.5}`,
		"to=room%2F1&target=21.5&for=":                   `no such wish: room/1 {&#34;target&#34;:21.5}`,
		"to=room%2F1&target=warm":                        `&#34;warm&#34; is not a temperature`,
		"to=room%2F1&target=20&target=22":                `&#34;target&#34; is there twice`,
		"to=alarm&hush=true":                             `no such wish: alarm {&#34;hush&#34;:true}`,
		"to=home&drill=false":                            `no such wish: home {&#34;drill&#34;:false}`,
		"to=home&mode=%3Cscript%3Ealert(1)%3C/script%3E": `\u003cscript`,
		"to=room%2F1&target=NaN":                         `cannot be read`,
	} {
		w := d.request("POST", "/do", form, with(key))
		if w.Code != 422 || strings.Contains(w.Body.String(), "<script>alert") {
			t.Errorf("%s: %d", form, w.Code)
		}
		// The port is missing: what could be read would be answered by "only just started".
		if g := d.wish(t.Context(), "x", nil); g.Granted {
			t.Errorf("granted without a house: %+v", g)
		}
		body, err := wishOf(mustParse(t, form))
		_, refused := wisher(s, evening, mustParse(t, form).Get("to"), body)
		if err != nil {
			refused = err
		}
		p := sheetOf(house{}, english, evening)
		p.put("%s", refused.Error())
		if !strings.Contains(p.out.String(), want) && !strings.Contains(refused.Error(), want) {
			t.Errorf("%s: %s", form, p.out.String())
		}
		if !strings.Contains(w.Body.String(), `http-equiv="refresh" content="60;url=/"`) {
			t.Errorf("%s: without a script the refused page renews itself by asking /do, where only POST is answered", form)
		}
	}
}

func TestAssetsAreSmall(t *testing.T) {
	d := newDoor(t, Options{})
	total := 0
	for path, f := range served().files {
		plain := d.request("GET", path, "")
		if w := plain; w.Code != 200 || w.Body.Len() != len(f.plain) || w.Header().Get("Content-Type") != f.kind || f.kind == "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		w := d.request("GET", path+"?v="+served().build, "", accepting("gzip"))
		if !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %v", path, w.Header())
		}
		size, _ := io.Copy(io.Discard, w.Body)
		total += int(size)
	}
	page := drawn(t, cottage(), french)
	total += len(squeeze([]byte(page)))
	t.Logf("page, style, script and sign, compressed: %d bytes", total)
	if total > 30_000 {
		t.Errorf("the page has %d bytes, compressed", total)
	}
}
