package mqtt

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Home Assistant tells entities apart by their unique ids: another one is another entity, without its
// history, its name and its place. These have been announced since the first release.
func TestUniqueIDsStay(t *testing.T) {
	s := smallHouse()
	s.Home.Guard.Sensors = []gateway.GuardSensor{{Of: "tag"}}
	var text strings.Builder
	for _, announcement := range announcedFor(s) {
		text.WriteString(announcement)
	}
	for _, id := range []string{
		"cloud", "authority", "alarm", "danger", "outage", "budget", "hush", "acknowledge", "drill", "guard",
		"room-2746182631",
		"device-12-34-56-03-a5-54-temperature", "device-12-34-56-03-a5-54-low-battery", "device-12-34-56-03-a5-54-heating-request",
		"device-70-ee-50-12-34-56-motion", "device-70-ee-50-12-34-56-floodlight-set", "device-70-ee-50-12-34-56-siren-set",
		"device-12-34-56-00-8b-a2-smoke",
	} {
		if !strings.Contains(text.String(), `"unique_id":"veilleuse-`+id+`"`) {
			t.Errorf("veilleuse-%s is announced no more", id)
		}
	}
}

func TestSchedulesToChooseFromHaveOneNameEach(t *testing.T) {
	named := func(names ...string) (h gateway.Home) {
		for _, n := range names {
			h.Schedules = append(h.Schedules, gateway.Schedule{Name: n})
		}
		return h
	}
	if got := scheduleNames(named("Winter", "", "Holiday", "Winter")); !slices.Equal(got, []string{"Holiday"}) {
		t.Errorf("got %q", got)
	}
	a := newAnnouncer("homeassistant", "veilleuse", "")
	if text := a.house(named("Winter", `"Été"`)); !strings.Contains(string(text), `"options":["Winter","\"Été\""]`) {
		t.Errorf("announced as %s", text)
	}
	if text := a.house(named()); !strings.Contains(string(text), `"schedule":{"platform":"select"}`) {
		t.Errorf("a house without schedules keeps the choice: %s", text)
	}
}

func TestTheHouseIsAnnouncedAnewWhenItsSchedulesChange(t *testing.T) {
	v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", ""), 41)
	s := smallHouse()
	v.show(s)
	sent(v)
	s.Home.Schedules = append(slices.Clone(s.Home.Schedules), gateway.Schedule{ID: "3", Name: "Holiday"})
	v.show(s)
	if got := sent(v); len(got) != 1 || !strings.Contains(got[prefix+"veilleuse/config"], `"options":["Winter","Summer","Holiday"]`) {
		t.Errorf("got %v", got)
	}
}

func TestDiagnosticsAreToldNowAndThen(t *testing.T) {
	v := newView("veilleuse", nil, 41)
	written := Stored{Bytes: 1000, Writes: 10}
	v.stored = func() Stored { return written }
	s := smallHouse()
	s.Watch = gateway.Watch{Date: s.At.UTC().Format(time.DateOnly), Watched: 10 * time.Hour, Broken: time.Hour}
	v.show(s)
	want := `{"clock":"holdover","clock_why":"the time server was heard an hour ago","started":"2025-10-29T16:00:00Z",` +
		`"cloud_available":90,"devices":4,"unreachable":0,"disk_writes":10,"disk_bytes":1000}`
	if got := sent(v)["veilleuse/diagnostics"]; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	written = Stored{Bytes: 2000, Writes: 20}
	for range 4 {
		s.At = s.At.Add(time.Minute)
		v.show(s)
	}
	if got := sent(v); len(got) > 0 {
		t.Errorf("within five minutes: %v", got)
	}
	s.At = s.At.Add(time.Minute)
	v.show(s)
	if got := sent(v)["veilleuse/diagnostics"]; !strings.Contains(got, `"disk_writes":20,"disk_bytes":2000`) {
		t.Errorf("after five minutes: %s", got)
	}
	s.Clock.Trust = gateway.TrustSynced
	v.show(s)
	if got := sent(v)["veilleuse/diagnostics"]; !strings.Contains(got, `"clock":"trusted"`) {
		t.Errorf("a better clock is told as %q", got)
	}
}
