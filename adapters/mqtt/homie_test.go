package mqtt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

// inHomie is a view of a house that is shown as Homie has it.
func inHomie(s gateway.State) *view {
	v := newView("veilleuse", nil, 41)
	v.homie = newHomieFace("veilleuse", v.board)
	v.show(s)
	return v
}

// ofHomie takes what is sent below homie/5 off the board, in order.
func ofHomie(v *view) (all []message) {
	for m, ok := v.next(); ok; m, ok = v.next() {
		if strings.HasPrefix(m.topic, homieTopics) {
			all = append(all, m)
		}
	}
	return all
}

// kept is what a broker holds after messages.
func kept(before map[string]string, all []message) map[string]string {
	now := maps.Clone(before)
	if now == nil {
		now = make(map[string]string)
	}
	for _, m := range all {
		if now[m.topic] = string(m.text); len(m.text) == 0 {
			delete(now, m.topic)
		}
	}
	return now
}

// homieHouse has all that Homie can show.
func homieHouse() gateway.State {
	s := smallHouse()
	s.Home.Guard.Sensors = []gateway.GuardSensor{{Of: "tag"}}
	s.Home.Regime = gateway.Regime{Mode: gateway.HomeSchedule, Schedule: "591b54a2764ff4d50d8b5795"}
	s.Home.Schedules = append(slices.Clone(s.Home.Schedules), gateway.Schedule{ID: "3", Name: "a, b"}, gateway.Schedule{ID: "4", Name: " "})
	return s
}

func TestHomieShowsTheHouseAsTheConventionSays(t *testing.T) {
	all := ofHomie(inHomie(homieHouse()))
	holds := kept(nil, all)
	conforms(t, holds)
	for topic, want := range map[string]string{
		"veilleuse/$state":                                               "ready",
		"veilleuse/home/mode":                                            "schedule",
		"veilleuse/home/schedule":                                        "Winter",
		"veilleuse/authority/verdict":                                    "cloud-down",
		"veilleuse/alarm/phase":                                          "sounding",
		"veilleuse/guard/mode":                                           "off",
		"veilleuse/$alert/alarm":                                         `smoke in "Hall"`,
		"veilleuse/$alert/outage":                                        "the internet is there, Netatmo is not",
		"veilleuse-room-2746182631/$state":                               "ready",
		"veilleuse-room-2746182631/thermostat/target":                    "20",
		"veilleuse-room-2746182631/thermostat/target/$target":            "20",
		"veilleuse-room-2746182631/thermostat/temperature":               "19.4",
		"veilleuse-room-2746182631/thermostat/heating":                   "true",
		"veilleuse-room-2746182631/thermostat/preset":                    "schedule",
		"veilleuse-device-12-34-56-00-8b-a2/readings/smoke":              "true",
		"veilleuse-device-12-34-56-03-a5-54/readings/heating-request":    "66.667",
		"veilleuse-device-70-ee-50-12-34-56/readings/floodlight":         "auto",
		"veilleuse-device-70-ee-50-12-34-56/readings/monitoring/$target": "true",
	} {
		if got := holds[homieTopics+topic]; got != want {
			t.Errorf("%s is %q, want %q", topic, got, want)
		}
	}
	for _, m := range all {
		if !m.retain {
			t.Errorf("%s is not retained", m.topic)
		}
	}
}

// The convention: init, then the description and all values, then ready; and anew when a description changes.
func TestHomieIsReadyWhenEverythingIsThere(t *testing.T) {
	s := homieHouse()
	v := inHomie(s)
	ordered := func(what string, all []message) {
		t.Helper()
		phase := make(map[string]int)
		for _, m := range all {
			id, rest, _ := strings.Cut(strings.TrimPrefix(m.topic, homieTopics), "/")
			switch {
			case rest != "$state":
				if phase[id] != 1 {
					t.Errorf("%s: %s is sent in phase %d", what, m.topic, phase[id])
				}
			case string(m.text) == homieInit:
				phase[id]++
			default:
				phase[id]++
				if phase[id] != 2 {
					t.Errorf("%s: %s is %s too early or twice", what, id, m.text)
				}
			}
		}
		for id, p := range phase {
			if p != 2 {
				t.Errorf("%s: %s ends in phase %d", what, id, p)
			}
		}
	}
	all := ofHomie(v)
	ordered("first", all)

	d, _ := s.Devices.Get("12:34:56:03:a5:54")
	s.Devices = s.Devices.With(d.ID, d.WithReading(reading(gateway.OpenWindow, gateway.Flag(true), "netatmo")))
	v.show(s)
	changed := ofHomie(v)
	ordered("with a new quantity", changed)
	if len(changed) != 4 { // init, description, value, ready
		t.Errorf("a new quantity brings %d messages: %s", len(changed), messagesOf(changed))
	}
	s.Devices = s.Devices.Without(d.ID)
	v.show(s)
	gone := ofHomie(v)
	if first := gone[slices.IndexFunc(gone, func(m message) bool { return strings.Contains(m.topic, "12-34-56-03-a5-54") })]; !strings.HasSuffix(first.topic, "/$state") {
		t.Errorf("of a device that goes first %s is emptied, want its state", first.topic)
	}
	conforms(t, kept(kept(kept(nil, all), changed), gone))
}

func messagesOf(all []message) (text string) {
	for _, m := range all {
		text += fmt.Sprintf("%s=%s ", m.topic, m.text)
	}
	return text
}

func TestHomieSendsOnlyWhatChanges(t *testing.T) {
	s := homieHouse()
	v := inHomie(s)
	ofHomie(v)
	s = measured(s, "12:34:56:03:a5:54", 21)
	v.show(s)
	if got := messagesOf(ofHomie(v)); got != "homie/5/veilleuse-device-12-34-56-03-a5-54/readings/temperature=21 " {
		t.Errorf("a reading brings %s", got)
	}
	s.Alarms, s.Outage = nil, nil
	v.show(s)
	got := kept(map[string]string{homieTopics + "veilleuse/$alert/alarm": "x", homieTopics + "veilleuse/$alert/outage": "x"}, ofHomie(v))
	for topic := range got {
		if strings.Contains(topic, "$alert") {
			t.Errorf("%s stays", topic)
		}
	}
	d, _ := s.Devices.Get("12:34:56:03:a5:54")
	for i, f := range d.Faces {
		f.Reaches = false
		d.Faces = slices.Clone(d.Faces)
		d.Faces[i] = f
	}
	s.Devices = s.Devices.With(d.ID, d)
	v.show(s)
	if got := messagesOf(ofHomie(v)); got != "homie/5/veilleuse-device-12-34-56-03-a5-54/$state=lost " {
		t.Errorf("a device that is lost brings %s", got)
	}
}

func TestHomieTellsWhatIsIntended(t *testing.T) {
	s := homieHouse()
	v := inHomie(s)
	ofHomie(v)
	const camera = gateway.DeviceID("70:EE:50:12:34:56")
	point := gateway.Point{Adapter: gateway.CameraAdapter, Of: string(camera), Quantity: gateway.Floodlight}
	s.Asked = s.Asked.With(gateway.PointKey(point.String()), gateway.Asked{Command: gateway.Command{Point: point, Value: gateway.Word("on")}})
	v.show(s)
	const topic = "homie/5/veilleuse-device-70-ee-50-12-34-56/readings/floodlight"
	if got := messagesOf(ofHomie(v)); got != topic+"/$target=on " {
		t.Errorf("a lamp that is told to light brings %s", got)
	}
	d, _ := s.Devices.Get(camera)
	s.Devices = s.Devices.With(camera, d.WithReading(reading(gateway.Floodlight, gateway.Word("on"), gateway.CameraAdapter)))
	s.Asked = s.Asked.Without(gateway.PointKey(point.String()))
	v.show(s)
	if got := messagesOf(ofHomie(v)); got != topic+"=on " {
		t.Errorf("once it lights: %s", got)
	}
}

func TestHomieAfterAnOutageOfTheBroker(t *testing.T) {
	v := inHomie(homieHouse())
	first := kept(nil, ofHomie(v))
	v.showAll()
	again := ofHomie(v)
	if !maps.Equal(kept(nil, again), first) {
		t.Error("not everything is sent again")
	}
	if again[0].topic != "homie/5/veilleuse/$state" || string(again[0].text) != homieInit {
		t.Errorf("first comes %s=%s, want init", again[0].topic, again[0].text)
	}
	if last := again[len(again)-1]; last.topic != "homie/5/veilleuse/$state" || string(last.text) != homieReady {
		t.Errorf("last comes %s=%s, want ready", last.topic, last.text)
	}
}

func TestWishesByHomie(t *testing.T) {
	v := inHomie(homieHouse())
	const room, camera = gateway.RoomID("2746182631"), gateway.DeviceID("70:EE:50:12:34:56")
	for at, test := range map[string]struct {
		text string
		want gateway.Ask
	}{
		"veilleuse/home/mode":                                    {"away", gateway.SetMode{Mode: gateway.HomeAway}},
		"veilleuse/home/schedule":                                {"Summer", gateway.SwitchSchedule{ID: "b1b54a2f45795764f59d50d8"}},
		"veilleuse/authority/drill":                              {"true", gateway.StartDrill{For: usualDrill}},
		"veilleuse/alarm/hush":                                   {"true", gateway.Hush{}},
		"veilleuse/alarm/acknowledge":                            {"true", gateway.Acknowledge{}},
		"veilleuse/guard/mode":                                   {"night", gateway.SetGuard{Mode: gateway.GuardNight}},
		"veilleuse-room-2746182631/thermostat/target":            {"21.5", gateway.SetTarget{Room: room, Target: 21.5}},
		"veilleuse-room-2746182631/thermostat/mode":              {"off", gateway.SetRoomOff{Room: room}},
		"veilleuse-room-2746182631/thermostat/preset":            {"boost", gateway.SetTarget{Room: room, Target: 28}},
		"veilleuse-device-70-ee-50-12-34-56/readings/siren":      {"false", gateway.SetDevice{Device: camera, Quantity: gateway.Siren, Value: gateway.Flag(false)}},
		"veilleuse-device-70-ee-50-12-34-56/readings/floodlight": {"on", gateway.SetDevice{Device: camera, Quantity: gateway.Floodlight, Value: gateway.Word("on")}},
	} {
		ours, err := v.homie.wish("veilleuse", heard{topic: homieTopics + at + "/set", payload: []byte(test.text)})
		if err != nil {
			t.Errorf("%s %s: %v", at, test.text, err)
			continue
		}
		if got := v.reader(evening).read(ours); got != test.want {
			t.Errorf("%s %s gives %#v, want %#v", at, test.text, got, test.want)
		}
	}
}

func TestWishesByHomieThatAreRefused(t *testing.T) {
	v := inHomie(homieHouse())
	for _, test := range []struct{ at, text, why string }{
		{"veilleuse-room-2746182631/thermostat/target", "35", "above the maximum"},
		{"veilleuse-room-2746182631/thermostat/target", "warm", "expected a number"},
		{"veilleuse-room-2746182631/thermostat/target", "NaN", "expected a number"},
		{"veilleuse-room-2746182631/thermostat/target", "1e999", "expected a number"},
		{"veilleuse-room-2746182631/thermostat/temperature", "20", "no property"},
		{"veilleuse-room-9/thermostat/target", "20", "there is no room"},
		{"veilleuse-device-70-ee-50-12-34-56/readings/siren", "ON", "expected true or false"},
		{"veilleuse-device-70-ee-50-12-34-56/readings/battery", "7", "no property"},
		{"veilleuse-device-70-ee-50-12-34-56/readings/lock", "true", "no property"},
		{"veilleuse/alarm/hush", "false", "say"},
		{"veilleuse/home/mode", `away","guard":"off`, "no mode"},
		{"veilleuse/secret/mode", "x", "no property"},
		{"veilleuse-room-2746182631/thermostat", "20", "no property"},
	} {
		ours, err := v.homie.wish("veilleuse", heard{topic: homieTopics + test.at + "/set", payload: []byte(test.text)})
		why := fmt.Sprint(err)
		if err == nil {
			refused, _ := v.reader(evening).read(ours).(gateway.Refused)
			why = refused.Why
		}
		if !strings.Contains(why, test.why) {
			t.Errorf("%s %s: %q, want it refused because %q", test.at, test.text, why, test.why)
		}
	}
}

func TestOnlyOurOwnSetTopicsAreRead(t *testing.T) {
	for topic, ours := range map[string]bool{
		"homie/5/veilleuse/home/mode/set":                true,
		"homie/5/veilleuse-room-1/thermostat/target/set": true,
		"homie/5/veilleusetwo/home/mode/set":             false,
		"homie/5/lamp/light/on/set":                      false,
		"homie/5/veilleuse/home/mode":                    false,
	} {
		if isHomieSet("veilleuse", topic) != ours {
			t.Errorf("%s is ours: %t", topic, !ours)
		}
	}
}

func TestWhatHomieHasNoMoreIsTakenDown(t *testing.T) {
	before := kept(nil, ofHomie(inHomie(homieHouse())))
	stock := func(v *view) {
		back := newReadBack(Options{Discovery: Homie})
		for topic, text := range before {
			if back.hear(heard{topic: topic, payload: []byte(text), retained: true}) != (strings.HasSuffix(topic, "/$description") || strings.Contains(topic, "/$alert/")) {
				t.Errorf("%s", topic)
			}
		}
		v.takeStock(back.take())
	}
	for name, v := range map[string]*view{"discovery for Home Assistant": newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", ""), 41), "none": newView("veilleuse", nil, 41)} {
		v.show(homieHouse())
		stock(v)
		for topic := range kept(before, ofHomie(v)) {
			t.Errorf("%s: %s stays", name, topic)
		}
	}
	after := homieHouse()
	after.Started = after.At.Add(-settleTime)
	after.Devices = after.Devices.Without("70:EE:50:12:34:56")
	after.Home.Guard = gateway.GuardPlan{}
	after.Alarms, after.Outage = nil, nil
	v := inHomie(after)
	all := ofHomie(v)
	stock(v)
	conforms(t, kept(kept(before, all), ofHomie(v)))
}

func FuzzHomieWish(f *testing.F) {
	f.Add("veilleuse-room-2746182631/thermostat/target", "21.5")
	f.Add("veilleuse/home/mode", "away")
	f.Add("veilleuse-device-70-ee-50-12-34-56/readings/siren", "true")
	v := inHomie(homieHouse())
	f.Fuzz(func(t *testing.T, at, text string) {
		ours, err := v.homie.wish("veilleuse", heard{topic: homieTopics + at + "/set", payload: []byte(text)})
		if err != nil {
			return
		}
		if !json.Valid(ours.payload) {
			t.Errorf("%s %q becomes %s", at, text, ours.payload)
		}
		if ask, ok := v.reader(evening).read(ours).(gateway.SetTarget); ok && (ask.Target < 7 || ask.Target > 28) {
			t.Errorf("%s %q asks for %v °C", at, text, ask.Target)
		}
	})
}

func FuzzReadDescription(f *testing.F) {
	for topic, text := range kept(nil, ofHomie(inHomie(homieHouse()))) {
		if id, ok := strings.CutSuffix(strings.TrimPrefix(topic, homieTopics), "/$description"); ok {
			f.Add(id, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, id string, payload []byte) {
		got, ok := readHomie("veilleuse", id, "$description", payload)
		if ok && (!json.Valid(payload) || !strings.HasPrefix(id, "veilleuse")) {
			t.Errorf("%s %s is taken for ours", id, payload)
		}
		for _, suffix := range got.topics {
			if strings.ContainsAny(suffix, "+#") {
				t.Errorf("it has the topic %s", suffix)
			}
		}
	})
}
