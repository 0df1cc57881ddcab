package schedule

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// minuteOfWeek returns the minutes since Monday 00:00 that the wall clock shows, 0 to 10079.
func minuteOfWeek(local time.Time) int {
	day := (int(local.Weekday()) + 6) % 7 // Monday = 0
	hour, minute, _ := local.Clock()
	return (day*24+hour)*60 + minute
}

// inForce returns the index of the slot that rules at a minute of the week, or -1 if no slot lies in the week.
func inForce(slots []gateway.Slot, minute int) int {
	found, youngest := -1, week
	for i, s := range slots {
		if s.Minute < 0 || s.Minute >= week {
			continue
		}
		age := minute - s.Minute
		if age < 0 {
			age += week
		}
		if age <= youngest { // equal: the later one in the list
			found, youngest = i, age
		}
	}
	return found
}

// following returns the index of the slot that takes over next after a minute of the week, and in how many minutes: 1 to
// 10080. Some slot must lie in the week.
func following(slots []gateway.Slot, minute int) (slot, wait int) {
	wait = week
	for i, s := range slots {
		if s.Minute < 0 || s.Minute >= week {
			continue
		}
		until := s.Minute - minute
		if until <= 0 {
			until += week
		}
		if until <= wait {
			slot, wait = i, until
		}
	}
	return slot, wait
}

// nextOther returns the first instant after local at which a slot is in force that is other, and its index; -1 if no slot
// is. While the offset from UTC stands still, wall clock and true time run side by side and minutes can be added. Where it
// changes, the wall clock is read again.
func nextOther(slots []gateway.Slot, local time.Time, other func(slot int) bool) (time.Time, int) {
	const periods = 1000 // of one offset; two or three are needed, this only bounds the loop
	for range periods {
		at, slot := nextByClock(slots, local, other)
		_, end := local.ZoneBounds()
		if slot < 0 || end.IsZero() || at.Before(end) {
			return at, slot
		}
		local = end
		if slot := inForce(slots, minuteOfWeek(local)); other(slot) {
			return local, slot
		}
	}
	return time.Time{}, -1
}

// nextByClock is nextOther for a clock whose offset never changes: it goes once round the week from slot to slot.
func nextByClock(slots []gateway.Slot, local time.Time, other func(slot int) bool) (time.Time, int) {
	start := local.Add(-time.Duration(local.Second())*time.Second - time.Duration(local.Nanosecond()))
	minute := minuteOfWeek(local)
	for passed := 0; passed < week; {
		slot, wait := following(slots, (minute+passed)%week)
		passed += wait
		if other(slot) {
			return start.Add(time.Duration(passed) * time.Minute), slot
		}
	}
	return time.Time{}, -1
}
