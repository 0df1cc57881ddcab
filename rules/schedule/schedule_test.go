package schedule_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// winter is the timetable of a small house. Its zones do not list every room, and its slots are in no order.
func winter() gateway.Schedule {
	return gateway.Schedule{
		Name: "Winter",
		Slots: []gateway.Slot{
			{Minute: 6 * 60, Zone: 0}, {Minute: 22 * 60, Zone: 1}, // Monday
			{Minute: 6*1440 + 150, Zone: 4}, {Minute: 6*1440 + 200, Zone: 1}, // Sunday 02:30 and 03:20
			{Minute: 5 * 1440, Zone: 0}, {Minute: 5*1440 + 60, Zone: 0}, // Saturday, equal neighbours
		},
		Zones: []gateway.Zone{
			{ID: 0, Name: "Comfort", Rooms: []gateway.ZoneRoom{{Room: "bath", Target: 21}, {Room: "shed", Order: "comfort"}}},
			{ID: 1, Name: "Night", Rooms: []gateway.ZoneRoom{{Room: "bath", Target: 17}}},
			{ID: 4, Name: "Early", Rooms: []gateway.ZoneRoom{{Room: "bath", Target: 23}}},
		},
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAt(t *testing.T) {
	paris := location(t, "Europe/Paris")
	for name, test := range map[string]struct{ at, want string }{
		"before the first slot of the week":      {"2025-11-03T00:00:00+01:00", "Night"},
		"a second before a slot":                 {"2025-11-03T05:59:59+01:00", "Night"},
		"at the slot":                            {"2025-11-03T06:00:00+01:00", "Comfort"},
		"days after the last slot":               {"2025-11-05T12:00:00+01:00", "Night"},
		"same instant told in another zone":      {"2025-11-03T05:00:00Z", "Comfort"},
		"last second before the spring gap":      {"2026-03-29T01:59:59+01:00", "Comfort"},
		"slot in the gap begins after the gap":   {"2026-03-29T03:00:00+02:00", "Early"},
		"slot after the gap":                     {"2026-03-29T03:20:00+02:00", "Night"},
		"autumn, slot the first time":            {"2025-10-26T02:30:00+02:00", "Early"},
		"autumn, the hour begins again":          {"2025-10-26T02:00:00+01:00", "Comfort"},
		"autumn, slot the second time":           {"2025-10-26T02:30:00+01:00", "Early"},
		"an ordinary Sunday, before the slot":    {"2025-11-02T02:29:59+01:00", "Comfort"},
		"an ordinary Sunday, at the early slot":  {"2025-11-02T02:30:00+01:00", "Early"},
		"the last minute of an ordinary weekend": {"2025-11-02T23:59:59+01:00", "Night"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := schedule.At(winter(), instant(t, test.at), paris); !ok || got.Name != test.want {
				t.Errorf("got %q, %v, want %q", got.Name, ok, test.want)
			}
		})
	}
}

func TestNext(t *testing.T) {
	paris := location(t, "Europe/Paris")
	for name, test := range map[string]struct{ at, next, want string }{
		"in the week":                  {"2025-11-03T06:00:00+01:00", "2025-11-03T22:00:00+01:00", "Night"},
		"equal neighbours are skipped": {"2025-11-08T00:30:10+01:00", "2025-11-09T02:30:00+01:00", "Early"},
		"over the end of the week":     {"2025-11-09T12:00:00+01:00", "2025-11-10T06:00:00+01:00", "Comfort"},
		"into the spring gap":          {"2026-03-29T00:15:00+01:00", "2026-03-29T03:00:00+02:00", "Early"},
		"autumn takes a zone back":     {"2025-10-26T02:30:00+02:00", "2025-10-26T02:00:00+01:00", "Comfort"},
		"and gives it again":           {"2025-10-26T02:00:00+01:00", "2025-10-26T02:30:00+01:00", "Early"},
	} {
		t.Run(name, func(t *testing.T) {
			at, zone, ok := schedule.Next(winter(), instant(t, test.at), paris)
			if !ok || !at.Equal(instant(t, test.next)) || zone.Name != test.want {
				t.Errorf("got %v %q %v, want %s %q", at, zone.Name, ok, test.next, test.want)
			}
		})
	}
}

func TestTargetOfARoomThatAZoneLeavesOut(t *testing.T) {
	paris, sunday := location(t, "Europe/Paris"), instant(t, "2025-11-02T12:00:00+01:00")
	if got, ok := schedule.Target(winter(), "bath", sunday, paris); !ok || got.Target != 17 {
		t.Errorf("bath: got %+v, %v, want 17", got, ok)
	}
	// Night and Early say nothing of the shed: Saturday's Comfort stays in force, over the end of the week too.
	for _, at := range []time.Time{sunday, sunday.Add(18 * time.Hour)} {
		if got, ok := schedule.Target(winter(), "shed", at, paris); !ok || got.Order != "comfort" {
			t.Errorf("shed at %v: got %+v, %v, want comfort", at, got, ok)
		}
	}
	if at, next, ok := schedule.NextFor(winter(), "shed", sunday, paris); ok {
		t.Errorf("the shed has one order for ever, got %+v at %v", next, at)
	}
	if got, ok := schedule.Target(winter(), "attic", sunday, paris); ok {
		t.Errorf("no slot speaks of the attic, got %+v", got)
	}
	if _, _, ok := schedule.NextFor(winter(), "attic", sunday, paris); ok {
		t.Error("no slot speaks of the attic, yet it has a change")
	}
}

func TestNextForSkipsSlotsThatChangeNothingInTheRoom(t *testing.T) {
	s := winter()
	s.Zones[2].Rooms[0].Target = 21 // Early asks of the bath what Comfort asks
	saturday := instant(t, "2025-11-08T12:00:00+01:00")
	at, next, ok := schedule.NextFor(s, "bath", saturday, location(t, "Europe/Paris"))
	if !ok || !at.Equal(instant(t, "2025-11-09T03:20:00+01:00")) || next.Target != 17 {
		t.Errorf("got %+v at %v, %v; want 17 on Sunday at 03:20", next, at, ok)
	}
}

func TestUnknownZone(t *testing.T) {
	paris := location(t, "Europe/Paris")
	s := winter()
	s.Slots[1].Zone = 9
	tuesday := instant(t, "2025-11-04T12:00:00+01:00")
	if got, ok := schedule.At(s, tuesday, paris); ok || got.ID != 9 {
		t.Errorf("At: got %+v, %v, want id 9, false", got, ok)
	}
	if got, ok := schedule.Target(s, "bath", tuesday, paris); !ok || got.Target != 21 {
		t.Errorf("Target: got %+v, %v, want the 21 of the slot before", got, ok)
	}
	if at, got, ok := schedule.Next(s, instant(t, "2025-11-03T12:00:00+01:00"), paris); !ok || got.ID != 9 || at.Hour() != 22 {
		t.Errorf("Next: got %+v at %v, %v, want id 9 at 22:00", got, at, ok)
	}
}

func TestTimetablesThatSayNothing(t *testing.T) {
	now := instant(t, "2025-11-04T12:00:00+01:00")
	for name, slots := range map[string][]gateway.Slot{
		"empty":            nil,
		"outside the week": {{Minute: -1, Zone: 0}, {Minute: 10080, Zone: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := winter()
			s.Slots = slots
			if got, ok := schedule.At(s, now, time.UTC); ok {
				t.Errorf("At: %+v", got)
			}
			if got, ok := schedule.Target(s, "bath", now, time.UTC); ok {
				t.Errorf("Target: %+v", got)
			}
			if at, _, ok := schedule.Next(s, now, time.UTC); ok {
				t.Errorf("Next: %v", at)
			}
			if at, _, ok := schedule.NextFor(s, "bath", now, time.UTC); ok {
				t.Errorf("NextFor: %v", at)
			}
			for at := range schedule.Changes(s, now, now.AddDate(1, 0, 0), time.UTC) {
				t.Errorf("Changes: %v", at)
			}
		})
	}
}

func TestOneZoneNeverChanges(t *testing.T) {
	s := winter()
	for i := range s.Slots {
		s.Slots[i].Zone = 1
	}
	now := instant(t, "2025-11-04T12:00:00+01:00")
	if at, zone, ok := schedule.Next(s, now, location(t, "Europe/Paris")); ok {
		t.Errorf("got %v at %v", zone.Name, at)
	}
}

func TestChangesBeginsWithTheZoneInForceAndStopsBeforeTheEnd(t *testing.T) {
	paris := location(t, "Europe/Paris")
	from, to := instant(t, "2025-11-03T05:00:00+01:00"), instant(t, "2025-11-03T22:00:00+01:00")
	var got []string
	for at, zone := range schedule.Changes(winter(), from, to, paris) {
		got = append(got, at.Format("15:04 ")+string(rune('0'+zone)))
	}
	if want := []string{"05:00 1", "06:00 0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for at := range schedule.Changes(winter(), to, to, paris) {
		t.Errorf("an empty span has a change at %v", at)
	}
	for range schedule.Changes(winter(), from, to, paris) {
		break // must not go on yielding
	}
}

func TestSlotsAtOneMinuteTheLastInTheListRules(t *testing.T) {
	s := winter()
	s.Slots = append(s.Slots, gateway.Slot{Minute: 6 * 60, Zone: 4})
	if got, _ := schedule.At(s, instant(t, "2025-11-03T06:00:00+01:00"), location(t, "Europe/Paris")); got.Name != "Early" {
		t.Errorf("got %q, want Early", got.Name)
	}
}

func TestFaults(t *testing.T) {
	if got := schedule.Faults(winter()); len(got) != 0 {
		t.Errorf("a sound timetable has faults: %v", got)
	}
	if got := schedule.Faults(gateway.Schedule{Name: "Void"}); len(got) != 1 || !strings.Contains(got[0], `"Void" has no slots`) {
		t.Errorf("empty: %v", got)
	}
	s := winter()
	s.Slots = append(s.Slots,
		gateway.Slot{Minute: 345, Zone: 6}, gateway.Slot{Minute: 400, Zone: 6}, gateway.Slot{Minute: 10080}, gateway.Slot{Minute: -3})
	got := schedule.Faults(s)
	want := []string{"zone 6 (first in slot 7, Monday 05:45)", "slot 9", "minute 10080", "slot 10", "minute -3"}
	if joined := strings.Join(got, "\n"); len(got) != 3 || slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(joined, w) }) {
		t.Errorf("got %q, want three sentences with %q", got, want)
	}
	s.Slots = []gateway.Slot{{Minute: 6*1440 + 1439, Zone: 8}}
	if got := schedule.Faults(s); len(got) != 1 || !strings.Contains(got[0], "Sunday 23:59") {
		t.Errorf("last minute of the week: %v", got)
	}
}

func TestRandomTimetablesAgainstTheOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(29, 10))
	rounds := 300
	if testing.Short() || racing {
		rounds = 30
	}
	for range rounds {
		s, decade := random(r), decades[r.IntN(len(decades))]
		loc := location(t, decade.zone)
		zones, bath, attic := zoneOracle(s), roomOracle(s, "bath"), roomOracle(s, "attic")
		for _, now := range instants(r, year(decade.from), loc, 4) {
			zone, ok := schedule.At(s, now, loc)
			if want := zones.at(now.Unix(), loc); !ok || zone.ID != want {
				t.Fatalf("At %v of %+v: got %d, want %d", now.In(loc), s.Slots, zone.ID, want)
			}
			at, zone, ok := schedule.Next(s, now, loc)
			compareNext(t, s, now, loc, zones, at, zone.ID, ok)
			for room, o := range map[gateway.RoomID]*oracle[gateway.ZoneRoom]{"bath": bath, "attic": attic} {
				got, ok := schedule.Target(s, room, now, loc)
				if want := o.at(now.Unix(), loc); got != want || ok != (want.Room != "") {
					t.Fatalf("Target of %s at %v of %+v: got %+v, want %+v", room, now.In(loc), s, got, want)
				}
				at, next, ok := schedule.NextFor(s, room, now, loc)
				compareNext(t, s, now, loc, o, at, next, ok)
			}
		}
	}
}

// compareNext holds what Next and NextFor say against stepping minute by minute. Eight days are enough, except where a
// whole day is missing: then a week more.
func compareNext[T comparable](t *testing.T, s gateway.Schedule, now time.Time, loc *time.Location, o *oracle[T], at time.Time, value T, ok bool) {
	t.Helper()
	limit := 8 * 24 * time.Hour
	if loc.String() == "Pacific/Apia" {
		limit += 7 * 24 * time.Hour
	}
	want, exists := o.next(now.Unix(), loc, limit)
	if ok != exists {
		t.Fatalf("after %v in %v of %+v: got %v, want %v", now.In(loc), loc, s, ok, exists)
	}
	if ok && (at.Unix() != want || at.Nanosecond() != 0 || !at.After(now) || value != o.at(want, loc)) {
		t.Fatalf("after %v in %v of %+v: got %v at %v, want %v", now.In(loc), loc, s, value, at, time.Unix(want, 0).In(loc))
	}
}

// Whoever looks only now and then, or starts anew in the middle, sees what one sees who looks at each minute.
func TestLookingNowAndThenGivesTheSameAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	paris, s := location(t, "Europe/Paris"), winter()
	for now, end := year(2025), year(2027); now < end; now += r.Int64N(3 * 86400) {
		at, zone, ok := schedule.Next(s, time.Unix(now, 0), paris)
		if !ok {
			t.Fatalf("no change after %v", time.Unix(now, 0))
		}
		between := now + r.Int64N(at.Unix()-now)
		again, same, _ := schedule.Next(s, time.Unix(between, 0), paris)
		if !again.Equal(at) || same.ID != zone.ID {
			t.Fatalf("from %d next is %v, from %d it is %v", now, at, between, again)
		}
		before, _ := schedule.At(s, time.Unix(now, 0), paris)
		if held, _ := schedule.At(s, time.Unix(between, 0), paris); held.ID != before.ID {
			t.Fatalf("zone changes to %d at %d, before %v", held.ID, between, at)
		}
	}
}

// Moving the zone and the instants by the same amount changes nothing, and neither does cutting a slot in two or
// shuffling those at different minutes.
func TestMetamorphic(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for range 200 {
		s := random(r)
		now := time.Unix(year(2024)+r.Int64N(1e8), 0)
		shift := time.Duration(r.IntN(24*60)-720) * time.Minute
		moved := time.FixedZone("moved", int(shift/time.Second))
		at, zone, ok := schedule.Next(s, now, time.UTC)
		shifted, same, ok2 := schedule.Next(s, now.Add(-shift), moved)
		if ok != ok2 || zone.ID != same.ID || ok && !shifted.Add(shift).Equal(at) {
			t.Fatalf("moved by %v: %v %d, not %v %d", shift, shifted, same.ID, at, zone.ID)
		}

		cut := s
		minute := r.IntN(weekMinutes)
		cut.Slots = append(slices.Clone(s.Slots), gateway.Slot{Minute: minute, Zone: zoneOracle(s)[minute]})
		if again, same, ok2 := schedule.Next(cut, now, time.UTC); ok != ok2 || zone.ID != same.ID || !again.Equal(at) {
			t.Fatalf("cut at %d: %v, not %v", minute, again, at)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	paris, now, s := location(t, "Europe/Paris"), instant(t, "2026-03-28T12:00:00+01:00"), winter()
	for name, ask := range map[string]func(){
		"At":      func() { schedule.At(s, now, paris) },
		"Next":    func() { schedule.Next(s, now, paris) },
		"Target":  func() { schedule.Target(s, "shed", now, paris) },
		"NextFor": func() { schedule.NextFor(s, "bath", now, paris) },
	} {
		if n := testing.AllocsPerRun(100, ask); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// vendorSchedules reads timetables as the vendor sends them.
func vendorSchedules(t *testing.T) []gateway.Schedule {
	t.Helper()
	file := filepath.Join("..", "..", "..", "shared", "fixtures", "netatmo-cloud", "pyatmo", "homesdata.json")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("no fixtures beside the checkout: %v", err)
	}
	var payload struct {
		Body struct {
			Homes []struct {
				Schedules []struct {
					Name, Type string
					Timetable  []struct {
						Zone   int `json:"zone_id"`
						Minute int `json:"m_offset"`
					}
					Zones []gateway.Zone
				}
			}
		}
	}
	if err := json.Unmarshal(data, &payload); err != nil {
		t.Fatal(err)
	}
	var all []gateway.Schedule
	for _, home := range payload.Body.Homes {
		for _, from := range home.Schedules {
			s := gateway.Schedule{Name: from.Name, Type: from.Type, Zones: from.Zones}
			for _, slot := range from.Timetable {
				s.Slots = append(s.Slots, gateway.Slot{Minute: slot.Minute, Zone: slot.Zone})
			}
			all = append(all, s)
		}
	}
	return all
}

func TestVendorTimetablesMinuteByMinute(t *testing.T) {
	all := vendorSchedules(t)
	if len(all) == 0 {
		t.Fatal("the fixture has no schedules")
	}
	berlin := location(t, "Europe/Berlin")
	for _, s := range all {
		if len(s.Slots) == 0 {
			continue
		}
		if faults := schedule.Faults(s); len(faults) > 0 {
			t.Errorf("%s: %v", s.Name, faults)
		}
		sameEveryMinute(t, s, year(2025), year(2026), berlin)
	}
}

func FuzzNext(f *testing.F) {
	f.Add(int64(1774742400), []byte{0, 0, 0, 1, 104, 1})
	f.Add(int64(1325150000), []byte{255, 255, 3, 39, 96, 1})
	apia := location(f, "Pacific/Apia")
	f.Fuzz(func(t *testing.T, unix int64, raw []byte) {
		var s gateway.Schedule
		for ; len(raw) >= 3 && len(s.Slots) < 200; raw = raw[3:] {
			s.Slots = append(s.Slots, gateway.Slot{Minute: int(int16(raw[0])<<8 | int16(raw[1])), Zone: int(raw[2])})
		}
		now := time.Unix(unix%(1<<33), 0)
		at, zone, ok := schedule.Next(s, now, apia)
		if !ok {
			return
		}
		then, _ := schedule.At(s, at, apia)
		before, _ := schedule.At(s, now, apia)
		last, _ := schedule.At(s, at.Add(-time.Nanosecond), apia)
		if !at.After(now) || at.Sub(now) > 15*24*time.Hour || then.ID != zone.ID || last.ID != before.ID || then.ID == before.ID {
			t.Errorf("from %v (%d) next is %v (%d, said %d), just before it %d", now, before.ID, at, then.ID, zone.ID, last.ID)
		}
	})
}

func BenchmarkAt(b *testing.B) {
	paris, s, now := location(b, "Europe/Paris"), busy(), time.Unix(year(2026), 0)
	b.ReportAllocs()
	for b.Loop() {
		schedule.At(s, now, paris)
	}
}

func BenchmarkNext(b *testing.B) {
	paris, s, now := location(b, "Europe/Paris"), winter(), time.Unix(year(2026), 0)
	b.ReportAllocs()
	for b.Loop() {
		schedule.Next(s, now, paris)
	}
}

func BenchmarkNextFor(b *testing.B) {
	paris, s, now := location(b, "Europe/Paris"), winter(), time.Unix(year(2026), 0)
	b.ReportAllocs()
	for b.Loop() {
		schedule.NextFor(s, "bath", now, paris)
	}
}

func BenchmarkChangesOfTenYears(b *testing.B) {
	paris, s := location(b, "Europe/Paris"), busy()
	from, to := time.Unix(year(2021), 0), time.Unix(year(2031), 0)
	b.ReportAllocs()
	for b.Loop() {
		for range schedule.Changes(s, from, to, paris) {
		}
	}
}
