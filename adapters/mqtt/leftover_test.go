package mqtt

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

const prefix = "homeassistant/device/"

// restarted is the view of a program that was started anew on a broker that holds what an earlier one has
// announced, and what it sends because of that.
func restarted(t *testing.T, o Options, earlier map[string]string, s gateway.State) (*view, map[string]string) {
	t.Helper()
	var a *announcer
	if o.Discovery != "" {
		a = newAnnouncer(o.Discovery, o.base(), "")
	}
	v := newView(o.base(), a, 41)
	v.show(s)
	sent(v)
	back := newReadBack(o)
	for topic, text := range earlier {
		if !back.hear(heard{topic: topic, payload: []byte(text), retained: true}) && strings.HasPrefix(topic, prefix) {
			t.Errorf("%s is not read back", topic)
		}
	}
	v.takeStock(back.take())
	return v, sent(v)
}

// announcedFor is what a program announces of a house.
func announcedFor(s gateway.State) map[string]string {
	v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", ""), 41)
	v.show(s)
	all := sent(v)
	maps.DeleteFunc(all, func(topic, _ string) bool { return !strings.HasPrefix(topic, prefix) })
	return all
}

var usual = Options{Base: "veilleuse", Discovery: "homeassistant"}

func TestNothingIsTakenDownThatHolds(t *testing.T) {
	s := smallHouse()
	s.Started = evening.Add(-time.Hour)
	if _, got := restarted(t, usual, announcedFor(s), s); len(got) > 0 {
		t.Errorf("a restart brings %v", got)
	}
}

func TestASectionTakenOutOfTheConfigurationIsTakenBack(t *testing.T) {
	before := smallHouse()
	before.Home.Guard.Sensors = []gateway.GuardSensor{{Of: "tag"}}
	v, got := restarted(t, usual, announcedFor(before), smallHouse())
	if text := got[prefix+"veilleuse/config"]; len(got) != 1 || !strings.Contains(text, `"guard":{"platform":"alarm_control_panel"}`) {
		t.Fatalf("without the section guard, this is sent: %v", got)
	}
	if _, again := restarted(t, usual, map[string]string{prefix + "veilleuse/config": string(v.announcement.text)}, smallHouse()); len(again) > 0 {
		t.Errorf("what was taken back once is taken back again: %v", again)
	}
}

func TestADeviceThatWentWhileWeWereAwayIsTakenDown(t *testing.T) {
	before, after := smallHouse(), smallHouse()
	after.Devices = after.Devices.Without("70:EE:50:12:34:56")
	after.Rooms = after.Rooms.Without("2746182631")
	after.Started = after.At.Add(-time.Minute)
	v, got := restarted(t, usual, announcedFor(before), after)
	if len(got) > 0 {
		t.Errorf("a minute after the start %v is sent: the device may only not have been found yet", got)
	}
	after.At = after.Started.Add(settleTime)
	v.show(after)
	got = sent(v)
	after.At = after.At.Add(fadeTime)
	v.show(after)
	maps.Copy(got, sent(v))
	for _, topic := range []string{
		prefix + "veilleuse-device-70-ee-50-12-34-56/config", "veilleuse/device/70-ee-50-12-34-56",
		prefix + "veilleuse-room-2746182631/config", "veilleuse/room/2746182631",
	} {
		if text, ok := got[topic]; !ok || text != "" {
			t.Errorf("%s has %q, want it emptied", topic, text)
		}
		delete(got, topic)
	}
	delete(got, "veilleuse/diagnostics")
	if len(got) > 0 {
		t.Errorf("this is sent besides: %v", got)
	}
}

func TestAThermostatStaysWhileNobodyKnowsItsTarget(t *testing.T) {
	s := smallHouse()
	before := announcedFor(s)
	r, _ := s.Rooms.Get("2746182631")
	r.Target = gateway.Aim{}
	s.Rooms = s.Rooms.With(r.ID, r)
	v, got := restarted(t, usual, before, s)
	const topic = prefix + "veilleuse-room-2746182631/config"
	if got[topic] != before[topic] || len(v.leftover) > 0 {
		t.Errorf("it is announced as %q, and this is left over: %v", got[topic], v.leftover)
	}
	s.Rooms = s.Rooms.Without(r.ID)
	v.show(s)
	if text, ok := sent(v)[topic]; !ok || text != "" {
		t.Errorf("a room that goes for good leaves %q", text)
	}
}

func TestADeviceThatComesBackInTimeIsNotTakenDown(t *testing.T) {
	before, after := smallHouse(), smallHouse()
	after.Devices = after.Devices.Without("70:EE:50:12:34:56")
	after.Started = after.At
	v, _ := restarted(t, usual, announcedFor(before), after)
	after.Devices = before.Devices
	v.show(after)
	after.At = after.Started.Add(2 * settleTime)
	v.show(after)
	for topic, text := range sent(v) {
		if text == "" {
			t.Errorf("%s is emptied", topic)
		}
	}
}

func TestAHouseThatLostItsMemoryTakesNothingDown(t *testing.T) {
	s := gateway.State{At: evening, Started: evening.Add(-time.Hour)}
	if _, got := restarted(t, usual, announcedFor(smallHouse()), s); len(got) > 1 {
		t.Errorf("a house that knows no device takes down %v", got)
	}
}

func TestAnotherFirstLevelTakesTheOldOneDown(t *testing.T) {
	old := announcedFor(smallHouse())
	for _, discovery := range []string{"", "ha", Homie} {
		_, got := restarted(t, Options{Base: "veilleuse", Discovery: discovery}, old, smallHouse())
		for topic := range old {
			if text, ok := got[topic]; !ok || text != "" {
				t.Errorf("discovery %q: %s has %q, want it emptied", discovery, topic, text)
			}
		}
	}
}

func TestTheAnnouncementsOfOthersAreLeftAlone(t *testing.T) {
	ours := announcedFor(smallHouse())[prefix+"veilleuse/config"]
	others := map[string]string{
		prefix + "0x00158d0001dc9ab1/config":         ours,
		prefix + "veilleuse-cellar/config":           ours,
		prefix + "veilleuse-device-x/config":         `{"origin":{"name":"Zigbee2MQTT"},"availability":[{"topic":"veilleuse/status"}],"components":{}}`,
		prefix + "veilleuse-device-y/config":         `{"origin":{"name":"Veilleuse"},"availability":[{"topic":"other/status"}],"components":{}}`,
		prefix + "veilleuse-device-z/config":         `{"origin":{"name":"Veilleuse"}}`,
		prefix + "veilleuse-device-broken/config":    `{"origin":`,
		prefix + "veilleuse-device-enormous/config":  strings.Repeat(" ", longestMessage) + ours,
		"homeassistant/sensor/veilleuse/heat/config": ours,
	}
	delete(others, "homeassistant/sensor/veilleuse/heat/config")
	s := smallHouse()
	s.Started = evening.Add(-time.Hour)
	if _, got := restarted(t, usual, others, s); len(got) > 0 {
		t.Errorf("sent: %v", got)
	}
	if newReadBack(usual).hear(heard{topic: "homeassistant/sensor/veilleuse/heat/config", payload: []byte(ours), retained: true}) {
		t.Error("an announcement in the older way, which we never made, is taken for one of ours")
	}
}

func TestWhatIsReadBackIsBounded(t *testing.T) {
	back := newReadBack(usual)
	ours := announcedFor(smallHouse())[prefix+"veilleuse/config"]
	for range mostLeftovers + 10 {
		back.hear(heard{topic: prefix + "veilleuse/config", payload: []byte(ours), retained: true})
	}
	if n := len(back.take()); n != mostLeftovers {
		t.Errorf("%d are kept", n)
	}
	back.hear(heard{topic: prefix + "veilleuse/config", payload: []byte(ours)})
	if n := len(back.take()); n != 0 {
		t.Error("the echo of our own announcement is read back")
	}
}

func FuzzReadAnnouncement(f *testing.F) {
	for topic, text := range announcedFor(smallHouse()) {
		f.Add(strings.TrimSuffix(strings.TrimPrefix(topic, prefix), "/config"), []byte(text))
	}
	f.Fuzz(func(t *testing.T, id string, payload []byte) {
		got, ok := readAnnouncement("veilleuse", id, payload)
		if !ok {
			return
		}
		if !json.Valid(payload) {
			t.Error("what is no JSON is taken for an announcement")
		}
		if id != "veilleuse" && id != "veilleuse-"+got.part {
			t.Errorf("%s becomes %q", id, got.part)
		}
	})
}
