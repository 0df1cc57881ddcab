package mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// sent takes everything off the board: topic, then payload as it is.
func sent(v *view) map[string]string {
	all := make(map[string]string)
	for {
		m, ok := v.next()
		if !ok {
			return all
		}
		all[m.topic] += string(m.text)
	}
}

// pretty writes topics and payloads for people to read, in the order of the topics.
func pretty(t *testing.T, all map[string]string) string {
	t.Helper()
	var text strings.Builder
	topics := make([]string, 0, len(all))
	for topic := range all {
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	for _, topic := range topics {
		fmt.Fprintln(&text, topic)
		var indented bytes.Buffer
		if err := json.Indent(&indented, []byte(all[topic]), "", "  "); err != nil {
			t.Errorf("%s: %s is not JSON: %v", topic, all[topic], err)
		}
		fmt.Fprintf(&text, "%s\n\n", &indented)
	}
	return text.String()
}

func TestPagesOfASmallHouse(t *testing.T) {
	v := newView("veilleuse", nil, 41)
	s := decided(smallHouse(), gateway.Decision{Kind: "heating", Room: "2746182631", Device: "12:34:56:03:a5:54",
		What: "Livingroom to 20 °C", Why: "schedule Winter, zone Comfort"})
	v.show(s)
	golden(t, "topics.golden", pretty(t, sent(v)))
}

func TestNothingKnownPublishesNothingMadeUp(t *testing.T) {
	v := newView("veilleuse", nil, 0)
	v.show(gateway.State{})
	want := map[string]string{
		"veilleuse/authority": `{"drill":false}`,
		"veilleuse/cloud":     `{"scope":[],"evidence":[]}`,
		"veilleuse/alarm":     `{"phase":"quiet"}`,
		"veilleuse/home":      `{}`,
		"veilleuse/outage":    `{}`,

		"veilleuse/diagnostics": `{"devices":0,"unreachable":0}`,
	}
	if got := sent(v); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOnlyWhatChangedIsSent(t *testing.T) {
	const device = "12:34:56:03:a5:54"
	rename := func(s gateway.State, name string) gateway.State {
		r, _ := s.Rooms.Get("2746182631")
		r.Name = name
		s.Rooms = s.Rooms.With(r.ID, r)
		return s
	}
	tests := []struct {
		name   string
		change func(gateway.State) gateway.State
		want   []string
	}{
		{"nothing", func(s gateway.State) gateway.State { s.Version++; s.At = s.At.Add(time.Hour); return s }, nil},
		{"a device is replaced by an equal one", func(s gateway.State) gateway.State {
			d, _ := s.Devices.Get(device)
			s.Devices = s.Devices.With(device, d)
			return s
		}, nil},
		{"a reading", func(s gateway.State) gateway.State { return measured(s, device, 21) },
			[]string{"veilleuse/device/12-34-56-03-a5-54"}},
		{"a reading of a source that is not shown", func(s gateway.State) gateway.State {
			d, _ := s.Devices.Get(device)
			s.Devices = s.Devices.With(device, d.WithReading(gateway.Measure{Quantity: gateway.Temperature,
				Value: gateway.Number(3), At: evening.Add(-time.Hour), From: gateway.CloudAdapter}))
			return s
		}, nil},
		{"a new quantity is announced", func(s gateway.State) gateway.State {
			d, _ := s.Devices.Get(device)
			s.Devices = s.Devices.With(device, d.WithReading(reading(gateway.OpenWindow, gateway.Flag(true), "netatmo")))
			return s
		}, []string{"homeassistant/device/veilleuse-device-12-34-56-03-a5-54/config", "veilleuse/device/12-34-56-03-a5-54"}},
		{"a room's name is announced with its devices", func(s gateway.State) gateway.State { return rename(s, "Salon") },
			[]string{"homeassistant/device/veilleuse-device-12-34-56-03-a5-54/config",
				"homeassistant/device/veilleuse-room-2746182631/config", "veilleuse/room/2746182631"}},
		{"a room without heating gets some", func(s gateway.State) gateway.State {
			r, _ := s.Rooms.Get("ab_Cellar")
			r.Target.Value = gateway.Number(7)
			s.Rooms = s.Rooms.With(r.ID, r)
			return s
		}, []string{"homeassistant/device/veilleuse-room-ab-cellar/config", "veilleuse/room/ab-cellar"}},
		{"the maximum", func(s gateway.State) gateway.State { s.Home.Maximum = 25; return s },
			[]string{"homeassistant/device/veilleuse-room-2746182631/config"}},
		{"the authority", func(s gateway.State) gateway.State { s.Authority.Phase = gateway.Returning; return s },
			[]string{"veilleuse/authority"}},
		{"the verdict", func(s gateway.State) gateway.State { s.Cloud.Evidence = nil; return s },
			[]string{"veilleuse/cloud"}},
		{"the alarm", func(s gateway.State) gateway.State { s.Alarms = nil; return s },
			[]string{"veilleuse/alarm"}},
		{"the requests spent", func(s gateway.State) gateway.State { s.Budget.Spent++; return s },
			[]string{"veilleuse/budget"}},
		{"an outage begins", func(s gateway.State) gateway.State { s.Outage = &gateway.Outage{Number: 1}; return s },
			[]string{"veilleuse/outage"}},
		{"the vendor was watched", func(s gateway.State) gateway.State { s.Watch.Watched++; return s }, nil},
		{"a decision", func(s gateway.State) gateway.State { return decided(s, gateway.Decision{What: "x"}) },
			[]string{"veilleuse/event"}},
		{"a room is gone", func(s gateway.State) gateway.State { s.Rooms = s.Rooms.Without("2746182631"); return s },
			[]string{"homeassistant/device/veilleuse-room-2746182631/config", "veilleuse/room/2746182631"}},
		{"a device is gone", func(s gateway.State) gateway.State { s.Devices = s.Devices.Without(device); return s },
			[]string{"homeassistant/device/veilleuse-device-12-34-56-03-a5-54/config", "veilleuse/device/12-34-56-03-a5-54"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", ""), 41)
			v.show(smallHouse())
			sent(v)
			v.show(test.change(smallHouseAgain(v)))
			got := sent(v)
			later := v.state
			later.At = later.At.Add(fadeTime)
			v.show(later)
			maps.Copy(got, sent(v))
			var topics []string
			for topic, text := range got {
				topics = append(topics, topic)
				if gone := strings.HasSuffix(test.name, "is gone"); gone != (text == "") {
					t.Errorf("%s: %q", topic, text)
				}
			}
			slices.Sort(topics)
			if !slices.Equal(topics, test.want) {
				t.Errorf("sent %v, want %v", topics, test.want)
			}
		})
	}
}

// smallHouseAgain is the State that v shows, so that only the change differs.
func smallHouseAgain(v *view) gateway.State { return v.state }

func TestTwinsShareATopicUntilOneIsGone(t *testing.T) {
	v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", ""), 0)
	var s gateway.State
	for _, d := range []gateway.Device{{ID: "AA:BB", Name: "first"}, {ID: "aa-bb", Name: "second"}} {
		s.Devices = s.Devices.With(d.ID, d)
	}
	for _, r := range []gateway.Room{{ID: "R 1", Name: "first"}, {ID: "r-1", Name: "second"}} {
		s.Rooms = s.Rooms.With(r.ID, r)
	}
	v.show(s)
	sent(v)
	s.Devices, s.Rooms = s.Devices.Without("AA:BB"), s.Rooms.Without("R 1")
	v.show(s)
	v.showAll()
	got := sent(v)
	for _, topic := range []string{"veilleuse/device/aa-bb", "veilleuse/room/r-1"} {
		if !strings.Contains(got[topic], `"name":"second"`) {
			t.Errorf("%s shows %q, want the one that is left", topic, got[topic])
		}
	}
	if v.deviceBy["aa-bb"] != "aa-bb" || v.roomBy["r-1"] != "r-1" {
		t.Errorf("wishes go to %v and %v", v.deviceBy, v.roomBy)
	}
	s.Devices, s.Rooms = s.Devices.Without("aa-bb"), s.Rooms.Without("r-1")
	v.show(s)
	if got := sent(v); len(got) != 2 || got["veilleuse/device/aa-bb"]+got["veilleuse/room/r-1"] != "" {
		t.Errorf("with both gone %v is sent, want empty payloads for the room and the device", got)
	}
	if len(v.devices)+len(v.rooms)+len(v.deviceBy)+len(v.roomBy) != 0 {
		t.Error("something of them is left")
	}
}

func TestDecisionsAreToldOnce(t *testing.T) {
	s := smallHouse()
	s = decided(s, gateway.Decision{What: "earlier run"})
	s.Decisions[0].At = s.Started.Add(-time.Minute)
	s = decided(s, gateway.Decision{What: "this run"})
	v := newView("veilleuse", nil, toldBefore(s))
	v.show(s)
	got := sent(v)["veilleuse/event"]
	if strings.Contains(got, "earlier run") || !strings.Contains(got, "this run") {
		t.Errorf("first told: %s", got)
	}
	v.show(s)
	if got := sent(v)["veilleuse/event"]; got != "" {
		t.Errorf("told again: %s", got)
	}
	for i := range 3 {
		s = decided(s, gateway.Decision{What: fmt.Sprint("decision ", i)})
	}
	v.show(s)
	if got := strings.Count(sent(v)["veilleuse/event"], "decision"); got != 3 {
		t.Errorf("%d of 3 decisions told", got)
	}
}

func TestToldBefore(t *testing.T) {
	at := func(minutes int, n uint64) gateway.Decision {
		return gateway.Decision{Number: n, At: evening.Add(time.Duration(minutes) * time.Minute)}
	}
	tests := []struct {
		name    string
		started time.Time
		list    []gateway.Decision
		want    uint64
	}{
		{"none", evening, nil, 9},
		{"all old", evening, []gateway.Decision{at(-2, 8), at(-1, 9)}, 9},
		{"one new", evening, []gateway.Decision{at(-2, 8), at(0, 9)}, 8},
		{"all new", evening, []gateway.Decision{at(1, 7), at(2, 8), at(3, 9)}, 6},
		{"start not known", time.Time{}, []gateway.Decision{at(1, 8), at(2, 9)}, 9},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := toldBefore(gateway.State{Decided: 9, Started: test.started, Decisions: test.list}); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// The cost of an event must not grow with the house.
func TestAnEventCostsTheSameInALargeHouse(t *testing.T) {
	cost := func(n int) float64 {
		v := newView("veilleuse", newAnnouncer("homeassistant", "veilleuse", ""), 0)
		s := bigHouse(n)
		v.show(s)
		sent(v)
		states := []gateway.State{measured(s, deviceID(n/2), 20), measured(s, deviceID(n/2), 21)}
		i := 0
		return testing.AllocsPerRun(100, func() {
			i++
			v.show(states[i%2])
			for _, ok := v.next(); ok; _, ok = v.next() {
			}
		})
	}
	small, large := cost(10), cost(600)
	if small > 8 || large > small+12 { // the comparison of two tables goes down a tree
		t.Errorf("%v allocations an event with 10 devices, %v with 600", small, large)
	}
}
