package netatmo

import (
	"reflect"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestReadSchedulesOfAllShapes(t *testing.T) {
	for _, c := range []struct {
		file     string
		schedule int
		want     int // schedules
		slots    int
		kind     string
		selected bool
	}{
		{"pyatmo/homesdata.json", 0, 2, 25, "cooling", true},
		{"pyatmo/homesdata.json", 1, 2, 25, "therm", false},
		{"pyatmo-archive/home_data_simple.json", 0, 2, 25, "therm", true},
		{"gladys/homesdata.json", 0, 1, 2, "therm", false},
		{"pyatmo/sync_schedule_591b54a2764ff4d50d8b5795.json", 0, 1, 25, "therm", false},
		{"pyatmo-archive/thermostat_data_simple.json", 0, 1, 25, "therm", true},
	} {
		t.Run(c.file, func(t *testing.T) {
			all, err := ReadSchedules(fixture(t, c.file))
			if err != nil || len(all) != c.want {
				t.Fatalf("%d schedules, error %v", len(all), err)
			}
			s := all[c.schedule]
			if len(s.Slots) != c.slots || s.Type != c.kind || s.Selected != c.selected {
				t.Errorf("%d slots, type %s, selected %v", len(s.Slots), s.Type, s.Selected)
			}
		})
	}
}

// A temperature schedule names its zones by ids that are neither their place nor their type.
func TestZonesOfAPublishedSchedule(t *testing.T) {
	all, err := ReadSchedules(fixture(t, "pyatmo/homesdata.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := all[1]
	if s.Name != "Winter" || s.Away != 14 || s.Frost != 7 {
		t.Errorf("name %s, away %v, frost %v", s.Name, s.Away, s.Frost)
	}
	want := gateway.Zone{ID: 4, Type: 5, Name: "Eco", Rooms: []gateway.ZoneRoom{{Room: "2746182631", Target: 18}, {Room: "2746182632", Target: 19}}}
	if !reflect.DeepEqual(s.Zones[2], want) {
		t.Errorf("zone %+v, want %+v", s.Zones[2], want)
	}
	if s.Slots[2] != (gateway.Slot{Minute: 420, Zone: 4}) {
		t.Errorf("slot %+v", s.Slots[2])
	}
}

func TestProgramOfTheOlderCall(t *testing.T) {
	all, err := ReadSchedules(fixture(t, "pyatmo-archive/thermostat_data_simple.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := all[0]
	if s.ID != "591b54a2764ff4d50d8b5795" || s.Away != 14 || s.Frost != 7 || len(s.Zones) != 5 {
		t.Errorf("id %s, away %v, frost %v, %d zones", s.ID, s.Away, s.Frost, len(s.Zones))
	}
	if want := (gateway.ZoneRoom{Room: "12:34:56:00:01:ae", Target: 21}); s.Zones[0].Rooms[0] != want {
		t.Errorf("room %+v, want %+v", s.Zones[0].Rooms[0], want)
	}
	if s.Slots[1] != (gateway.Slot{Minute: 360, Zone: 0}) {
		t.Errorf("slot %+v", s.Slots[1])
	}
}

func TestReadScheduleOddities(t *testing.T) {
	all, err := ReadSchedules([]byte(`{"id":9,"name":"Odd","type":"therm","selected":1,"away_temp":"15.5","timetable":[
		{"zone_id":"3","m_offset":"60"}, {"zone_id":1,"m_offset":10080}, {"zone_id":1,"m_offset":-1}, {"m_offset":5}, {"zone_id":1},
		{"zone_id":1,"m_offset":0.9}, null, 7],
		"zones":[{"id":3,"rooms":[{"id":5,"therm_setpoint_temperature":"19.5"},{"id":"6","therm_setpoint_fp":"frost_guard"},{"id":"7"},{"id":"5","therm_setpoint_temperature":3}]},
		{"id":1,"type":2,"rooms":[]}, {"name":"no id"}, {"id":2,"type":0,"rooms":{"a":{"id":"8","therm_setpoint_temperature":20}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := gateway.Schedule{ID: "9", Name: "Odd", Type: "therm", Selected: true, Away: 15.5,
		Slots: []gateway.Slot{{Minute: 60, Zone: 3}, {Minute: 10080, Zone: 1}, {Minute: -1, Zone: 1}, {Minute: 0, Zone: 1}},
		Zones: []gateway.Zone{
			{ID: 3, Type: ownZone, Rooms: []gateway.ZoneRoom{{Room: "5", Target: 19.5}, {Room: "6", Order: "frost_guard"}}},
			{ID: 1, Type: 2}, {ID: 2, Rooms: []gateway.ZoneRoom{{Room: "8", Target: 20}}},
		}}
	if !reflect.DeepEqual(all[0], want) {
		t.Errorf("got  %+v\nwant %+v", all[0], want)
	}
}

// Several types of schedule stand side by side, each with a selected one of its own.
func TestSchedulesOfSeveralTypes(t *testing.T) {
	h := readHome(readObject([]byte(`{"id":"h","schedules":[
		{"id":"e","type":"electricity","selected":true,"timetable":[{"zone_id":0,"m_offset":0}],"zones":[{"id":0,"price":0.2}]},
		{"id":"ev","type":"event","selected":true,"timetable":[],"timetable_sunrise":[],"zones":[]},
		{"id":"c","type":"cooling","selected":true,"cooling_away_temp":28,"away_temp":12,"timetable":[{"zone_id":0,"m_offset":0}],
			"zones":[{"id":0,"rooms":[{"id":"1","cooling_setpoint_temperature":24}]}]},
		{"id":"w","timetable":[{"zone_id":0,"m_offset":0}],"zones":[]},
		{"id":"t","type":"therm","selected":true,"timetable":[{"zone_id":0,"m_offset":0}],"zones":[]}]}`)))
	if len(h.Schedules) != 5 || h.selected() != "t" {
		t.Errorf("%d schedules, %s rules", len(h.Schedules), h.selected())
	}
	h.Control = cooling
	if h.selected() != "c" {
		t.Errorf("while cooling %s rules", h.selected())
	}
	if c := h.Schedules[2]; c.Away != 28 || c.Zones[0].Rooms[0].Target != 24 {
		t.Errorf("cooling schedule %+v", c)
	}
	if w := h.Schedules[3]; w.Type != "therm" || w.Selected {
		t.Errorf("a schedule without a type: %+v", w)
	}
}

func TestReadSchedulesSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                                   `no schedule in there: expected JSON as homesdata answers, with "timetable" and "zones"`,
		`<html>`:                               `no schedule in there: expected JSON as homesdata answers, with "timetable" and "zones"`,
		`{"homes":`:                            `no schedule in there: expected JSON as homesdata answers, with "timetable" and "zones"`,
		`{"id":"x","timetable":[],"zones":[]}`: `the schedule "x" has an empty timetable`,
	} {
		if _, err := ReadSchedules([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %q", in, err, want)
		}
	}
	if all, err := ReadSchedules([]byte(`[{"id":"a","timetable":[{"zone_id":1,"m_offset":0}]}]`)); err != nil || len(all) != 1 {
		t.Errorf("a bare list: %v, error %v", all, err)
	}
}
