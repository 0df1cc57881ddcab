package netatmo

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/veilleuse/veilleuse/gateway"
)

// ReadSchedules reads the weekly timetables out of any of the vendor's shapes: an answer of homesdata
// (of its first home that has some) or its body, a home, a list of schedules, one schedule, the body of
// synchomeschedule, and the therm_program_list of the older getthermostatsdata.
func ReadSchedules(data []byte) ([]gateway.Schedule, error) {
	whole, err := readWhole(200, data)
	if err != nil {
		whole = attributes{"schedules": data} // perhaps a bare list
	}
	all := findSchedules(whole, 0)
	if len(all) == 0 {
		return nil, errors.New(`no schedule in there: expected JSON as homesdata answers, with "timetable" and "zones"`)
	}
	for _, s := range all {
		if len(s.Slots) > 0 {
			return all, nil
		}
	}
	return nil, fmt.Errorf("the schedule %q has an empty timetable", cmp.Or(all[0].Name, all[0].ID))
}

// findSchedules goes down the levels on which the vendor keeps schedules.
func findSchedules(a attributes, depth int) []gateway.Schedule {
	if depth > 6 || a == nil {
		return nil
	}
	if _, ok := a["timetable"]; ok {
		return []gateway.Schedule{readSchedule(a)}
	}
	if all := readSchedules(a); len(all) > 0 {
		return all
	}
	for _, key := range []string{"body", "home", "homes", "devices", "modules"} {
		if all := findSchedules(a.object(key), depth+1); len(all) > 0 {
			return all
		}
		for _, o := range a.objects(key) {
			if all := findSchedules(o, depth+1); len(all) > 0 {
				return all
			}
		}
	}
	return nil
}

// readSchedules reads a home's schedules of all types. The same one may stand there under an older
// key too.
func readSchedules(a attributes) []gateway.Schedule {
	var all []gateway.Schedule
	known := make(map[string]bool)
	for _, key := range []string{"schedules", "therm_schedules"} {
		for _, o := range a.objects(key) {
			s := readSchedule(o)
			if !known[s.ID] || s.ID == "" {
				all = append(all, s)
			}
			known[s.ID] = true
		}
	}
	for _, o := range a.objects("therm_program_list") {
		all = append(all, readProgram(o, gateway.RoomID(a.text("_id", "id"))))
	}
	return all
}

func readSchedule(a attributes) gateway.Schedule {
	s := gateway.Schedule{
		ID: a.text("id", "schedule_id", "program_id"), Name: a.text("name"), Type: cmp.Or(a.text("type"), "therm"),
		Slots: readSlots(a),
	}
	s.Selected, _ = a.yes("selected")
	s.Frost, _ = a.number("hg_temp")
	s.Away, _ = a.number("away_temp")
	if s.Type == cooling {
		if away, ok := a.number("cooling_away_temp"); ok {
			s.Away = away
		}
	}
	for _, z := range a.objects("zones") {
		if zone, ok := readZone(z); ok {
			zone.Rooms = readZoneRooms(z)
			s.Zones = append(s.Zones, zone)
		}
	}
	return s
}

// readSlots reads the timetable in the vendor's order. An entry without a minute or a zone is left out;
// one outside the week is kept, so that whoever follows the timetable can tell of it. Minutes are rounded
// down: the vendor's may count from a second past midnight.
func readSlots(a attributes) []gateway.Slot {
	var all []gateway.Slot
	for _, o := range a.objects("timetable") {
		minute, ok := o.number("m_offset")
		zone, known := o.number("zone_id", "id")
		minute = math.Floor(minute)
		if !ok || !known || !isSmall(minute) || !isSmall(zone) {
			continue
		}
		all = append(all, gateway.Slot{Minute: int(minute), Zone: int(zone)})
	}
	return all
}

// ownZone is the type of a zone that a person has named; also what a zone without a type counts as.
const ownZone = 4

func readZone(a attributes) (gateway.Zone, bool) {
	id, ok := a.number("id")
	if !ok || !isSmall(id) {
		return gateway.Zone{}, false
	}
	kind, typed := a.number("type")
	if !typed || !isSmall(kind) {
		kind = ownZone
	}
	return gateway.Zone{ID: int(id), Type: int(kind), Name: a.text("name")}, true
}

func isSmall(n float64) bool { return n == math.Trunc(n) && math.Abs(n) < 1<<31 }

// readZoneRooms reads the zone's rooms in the present shape, and adds those that only the older
// rooms_temp has. A room with neither a temperature nor a pilot-wire order has no programmed set
// point.
func readZoneRooms(z attributes) []gateway.ZoneRoom {
	var all []gateway.ZoneRoom
	known := make(map[gateway.RoomID]bool)
	add := func(r gateway.ZoneRoom) {
		if r.Room != "" && (r.Target != 0 || r.Order != "") && !known[r.Room] {
			known[r.Room] = true
			all = append(all, r)
		}
	}
	for _, o := range z.objects("rooms") {
		r := gateway.ZoneRoom{Room: gateway.RoomID(o.text("id", "room_id"))}
		if r.Target, _ = o.number("therm_setpoint_temperature", "cooling_setpoint_temperature", "temp"); r.Target == 0 {
			r.Order = o.text("therm_setpoint_fp")
		}
		add(r)
	}
	for _, o := range z.objects("rooms_temp") {
		r := gateway.ZoneRoom{Room: gateway.RoomID(o.text("room_id", "id"))}
		r.Target, _ = o.number("temp")
		add(r)
	}
	return all
}

// readProgram reads an older program: one temperature a zone, for the one room of the thermostat,
// whose id stands for the room's. The zones of types 2 and 3 are the away and frost temperatures.
func readProgram(a attributes, room gateway.RoomID) gateway.Schedule {
	s := gateway.Schedule{ID: a.text("program_id", "id"), Name: a.text("name"), Type: "therm", Slots: readSlots(a)}
	s.Selected, _ = a.yes("selected")
	for _, z := range a.objects("zones") {
		zone, ok := readZone(z)
		degrees, warm := z.number("temp")
		if !ok || !warm {
			continue
		}
		switch zone.Type {
		case 2:
			s.Away = degrees
		case 3:
			s.Frost = degrees
		}
		zone.Rooms = []gateway.ZoneRoom{{Room: room, Target: degrees}}
		s.Zones = append(s.Zones, zone)
	}
	return s
}
