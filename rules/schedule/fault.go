package schedule

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Faults returns a sentence for each thing in the timetable that cannot be followed: no slots at all, slots outside the
// week, slots that name a zone that does not exist. Schedules of the type "event" are without slots by nature.
func Faults(s gateway.Schedule) []string {
	var faults []string
	if len(s.Slots) == 0 {
		return []string{fmt.Sprintf("schedule %q has no slots, so it never says anything", s.Name)}
	}
	var unknown []int
	for i, slot := range s.Slots {
		if slot.Minute < 0 || slot.Minute >= week {
			faults = append(faults, fmt.Sprintf("slot %d of schedule %q begins at minute %d, outside the week (0 to %d), and is passed over",
				i+1, s.Name, slot.Minute, week-1))
			continue
		}
		if _, ok := zone(&s, slot.Zone); ok || slices.Contains(unknown, slot.Zone) {
			continue
		}
		unknown = append(unknown, slot.Zone)
		faults = append(faults, fmt.Sprintf("schedule %q names zone %d (first in slot %d, %s), but has no such zone",
			s.Name, slot.Zone, i+1, clock(slot.Minute)))
	}
	return faults
}

// clock writes a minute of the week for people: "Monday 05:45".
func clock(minute int) string {
	day := time.Weekday((minute/(24*60) + 1) % 7)
	return fmt.Sprintf("%s %02d:%02d", day, minute/60%24, minute%60)
}
