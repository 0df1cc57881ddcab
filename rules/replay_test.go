package rules_test

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
	"github.com/veilleuse/veilleuse/rules/story"
)

// slotsOfTheEvening is what the week of the story asks for, in minutes after its midnight in Paris.
var slotsOfTheEvening = []struct {
	clock           string
	bath, bed, live float64
}{
	{"17:00", 22, 18, 20}, {"19:00", 20, 18, 21}, {"21:30", 20, 19, 20}, {"22:30", 17, 16, 17},
}

// The evening of 29 October 2025: one notice, one takeover, one return; each slot rules to the minute,
// and each valve shows it within that minute; only at its first change in an outage a device gets two
// minutes to follow the vendor's programme by itself (lookFirst).
func TestTheEveningOf29October(t *testing.T) {
	file, err := os.Open("testdata/october29.story")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, err := story.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	zone, _ := gateway.LoadTimeZone("Europe/Paris")
	var notices, taken, back []string
	looks, seen := 0, uint64(0)
	due := map[string]bool{}
	check := func(before gateway.State, e gateway.Event, after gateway.State, commands []gateway.Command) error {
		clock := e.At.In(zone.Location())
		for _, d := range after.Decisions {
			if d.Number > seen && d.Kind == "authority" {
				notices = append(notices, clock.Format("15:04 ")+d.What)
			}
		}
		seen = max(seen, after.Decided)
		switch {
		case !ruled(before) && ruled(after):
			taken = append(taken, clock.Format("15:04:05"))
		case ruled(before) && !ruled(after):
			back = append(back, clock.Format("15:04:05"))
		}
		for _, c := range commands {
			if c.Point.Quantity == gateway.Look {
				looks++
			}
		}
		for _, slot := range slotsOfTheEvening {
			at, _ := time.ParseInLocation("2006-01-02 15:04", "2025-10-29 "+slot.clock, zone.Location())
			if since := e.At.Sub(at); since >= 10*time.Second && since < 4*time.Minute { // a tick of the story is 10 s
				due[slot.clock] = true
				holds(t, after, slot.clock, since >= time.Minute && (slot.clock == "19:00" || slot.clock == "22:30") || since >= 130*time.Second, map[gateway.RoomID]float64{"bath": slot.bath, "bed": slot.bed, "live": slot.live})
			}
		}
		return nil
	}
	if err := s.Play(rules.Step, check, io.Discard); err != nil {
		t.Fatal(err)
	}
	if len(taken) != 1 || len(back) != 1 {
		t.Errorf("taken over at %v, handed back at %v; want each once", taken, back)
	}
	if len(notices) != 2 || !strings.Contains(notices[0], "Netatmo is gone") || !strings.Contains(notices[1], "handed back") {
		t.Errorf("people are told %q; want one notice and one return", notices)
	}
	if len(due) != len(slotsOfTheEvening) {
		t.Errorf("%d of %d slots were looked at", len(due), len(slotsOfTheEvening))
	}
	if looks > 110 {
		t.Errorf("the return asks for %d reads", looks)
	}
	t.Logf("taken over at %v, handed back at %v, %d reads asked for", taken, back, looks)
}

// holds checks that the slot rules, and that the valves show it if they must by now.
func holds(t *testing.T, s gateway.State, slot string, shown bool, want map[gateway.RoomID]float64) {
	t.Helper()
	for id, target := range want {
		room, _ := s.Rooms.Get(id)
		if room.Target.Value != gateway.Number(target) && room.Target.Mode == gateway.RoomSchedule {
			t.Errorf("%s: %s ought to have %v, want %g °C", slot, id, room.Target.Value, target)
		}
		for _, device := range room.Devices {
			d, _ := s.Devices.Get(device)
			m, _ := d.Reading(gateway.Target)
			if shown && room.Target.Mode == gateway.RoomSchedule && m.Value != gateway.Number(target) {
				t.Errorf("%s: %s shows %v, want %g °C", slot, device, m.Value, target)
			}
		}
	}
}
