// Package schedule decides what a weekly timetable says at an instant, in a time zone, and when that changes next.
//
// The wall clock's minute of the week decides, and nothing else: no trigger instants are kept, so a restart, a clock step
// or a change of zone needs no repair. In force is the slot with the greatest minute that is not after the wall clock's,
// else the last of the week; of slots at the same minute the last in the list. Slots need not be sorted. Those outside
// the week are passed over; [Faults] names them.
//
// When clocks go forward, a slot inside the gap begins at the first instant after it. When they go back, the slots of the
// repeated hour come a second time: for up to an hour a year an earlier zone returns. That is the price of having no
// memory.
package schedule

import (
	"iter"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

const week = 7 * 24 * 60 // minutes

// At returns the zone in force at t. It is false if no slot can be in force, and also if the slot names a zone that does
// not exist; the Zone then has that ID and nothing else.
func At(s gateway.Schedule, t time.Time, loc *time.Location) (gateway.Zone, bool) {
	slot := inForce(s.Slots, minuteOfWeek(t.In(loc)))
	if slot < 0 {
		return gateway.Zone{}, false
	}
	return zone(&s, s.Slots[slot].Zone)
}

// Next returns the first instant after t at which another zone is in force than at t, and that zone. It is false if the
// timetable stays in one zone for ever. A zone that does not exist comes with its ID only, as from At.
func Next(s gateway.Schedule, t time.Time, loc *time.Location) (time.Time, gateway.Zone, bool) {
	now := inForce(s.Slots, minuteOfWeek(t.In(loc)))
	if now < 0 {
		return time.Time{}, gateway.Zone{}, false
	}
	at, slot := nextOther(s.Slots, t.In(loc), func(slot int) bool { return s.Slots[slot].Zone != s.Slots[now].Zone })
	if slot < 0 {
		return time.Time{}, gateway.Zone{}, false
	}
	next, _ := zone(&s, s.Slots[slot].Zone)
	return at, next, true
}

// Target returns what the timetable asks of the room at t: a temperature in °C or an order by pilot wire. Where the zone in
// force does not exist or says nothing of the room, what the slot before gave stays in force. It is false if no slot says
// anything of the room: then there is no programmed target, and none must be made up.
func Target(s gateway.Schedule, room gateway.RoomID, t time.Time, loc *time.Location) (gateway.ZoneRoom, bool) {
	return target(&s, room, inForce(s.Slots, minuteOfWeek(t.In(loc))))
}

// NextFor returns the first instant after t at which the timetable asks something else of the room than at t, and what.
// It is false if that never happens.
func NextFor(s gateway.Schedule, room gateway.RoomID, t time.Time, loc *time.Location) (time.Time, gateway.ZoneRoom, bool) {
	now, ok := Target(s, room, t, loc)
	if !ok {
		return time.Time{}, gateway.ZoneRoom{}, false
	}
	at, slot := nextOther(s.Slots, t.In(loc), func(slot int) bool {
		then, _ := target(&s, room, slot)
		return then != now
	})
	if slot < 0 {
		return time.Time{}, gateway.ZoneRoom{}, false
	}
	then, _ := target(&s, room, slot)
	return at, then, true
}

// Changes yields the id of the zone in force at from, then each change of zone before to with its instant, in order. Ids
// that no zone has are yielded like the rest. It yields nothing if no slot can be in force or to is not after from.
func Changes(s gateway.Schedule, from, to time.Time, loc *time.Location) iter.Seq2[time.Time, int] {
	return func(yield func(time.Time, int) bool) {
		at := from.In(loc)
		slot := inForce(s.Slots, minuteOfWeek(at))
		for slot >= 0 && at.Before(to) {
			id := s.Slots[slot].Zone
			if !yield(at, id) {
				return
			}
			at, slot = nextOther(s.Slots, at, func(slot int) bool { return s.Slots[slot].Zone != id })
		}
	}
}

// zone returns the first zone with that id.
func zone(s *gateway.Schedule, id int) (gateway.Zone, bool) {
	for _, z := range s.Zones {
		if z.ID == id {
			return z, true
		}
	}
	return gateway.Zone{ID: id}, false
}

// target returns what the slot asks of the room, or the nearest slot before it that asks anything.
func target(s *gateway.Schedule, room gateway.RoomID, slot int) (gateway.ZoneRoom, bool) {
	for range s.Slots {
		if slot < 0 {
			break
		}
		z, _ := zone(s, s.Slots[slot].Zone)
		for _, r := range z.Rooms {
			if r.Room == room && (r.Target != 0 || r.Order != "") {
				return r, true
			}
		}
		slot = inForce(s.Slots, (s.Slots[slot].Minute+week-1)%week)
	}
	return gateway.ZoneRoom{}, false
}
