package history

import "time"

// Day is what was written to disk on one day in UTC.
type Day struct {
	Date    string `json:"date"` // 2025-10-29
	Bytes   uint64 `json:"bytes"`
	Flushes uint64 `json:"flushes"`
	Seconds uint32 `json:"counted_s"` // for how long it was counted; less than a day where Veilleuse did not run, or ended without a word
}

// Count adds to the present day what was written since the last call; bytes and flushes are those since the start of the program.
func (h *History) Count(bytes, flushes uint64, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.day(now.UTC().Format(time.DateOnly))
	if bytes >= h.bytes && flushes >= h.flushes {
		d.Bytes, d.Flushes = d.Bytes+bytes-h.bytes, d.Flushes+flushes-h.flushes
	}
	if passed := now.Sub(h.counted); !h.counted.IsZero() && passed > 0 && passed < time.Hour {
		d.Seconds = min(d.Seconds+uint32(passed.Seconds()), 24*60*60)
	}
	h.bytes, h.flushes, h.counted = bytes, flushes, now
}

// day is the entry of a date, a new one if there is none. The oldest gives way.
func (h *History) day(date string) *Day {
	for i := range h.days {
		if h.days[i].Date == date {
			return &h.days[i]
		}
	}
	h.days = append(h.days, Day{Date: date})
	at := len(h.days) - 1
	for ; at > 0 && h.days[at-1].Date > date; at-- {
		h.days[at], h.days[at-1] = h.days[at-1], h.days[at]
	}
	if len(h.days) > mostDays {
		h.days = append(h.days[:0], h.days[1:]...)
		at = max(0, at-1)
	}
	return &h.days[at]
}

// Days are the last ones on which something was counted, oldest first, at most 30.
func (h *History) Days() []Day {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Day{}, h.days...)
}
