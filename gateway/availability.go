package gateway

import (
	"cmp"
	"slices"
	"time"
)

// Day is how the vendor did on one day in UTC, in seconds.
type Day struct {
	Date    string `json:"date"`             // 2025-10-29
	Watched int    `json:"watched"`          // in which the vendor could be judged
	Broken  int    `json:"broken,omitempty"` // of them: it did not serve this house, by its own fault
	Ours    int    `json:"ours,omitempty"`   // beside them: the fault lay on this side of its door, so that it could not be judged
}

// MaxDays is how many days the availability goes back.
const MaxDays = 366

// Watch is what was seen of the vendor and is not yet in the days. It is kept apart because it changes
// with every tick, the days only every quarter of an hour.
type Watch struct {
	Date    string        `json:"date,omitempty"` // of the day it belongs to
	Watched time.Duration `json:"watched,omitempty"`
	Broken  time.Duration `json:"broken,omitempty"`
	Ours    time.Duration `json:"ours,omitempty"`
	Since   time.Time     `json:"since,omitzero"` // of the oldest of it
	At      time.Time     `json:"-"`              // up to when; what passes while Veilleuse does not run is not watched
}

// Empty reports whether nothing was seen.
func (w Watch) Empty() bool { return w.Watched == 0 && w.Ours == 0 }

// WithWatch returns the days, oldest first, with what was seen added to the day that it belongs to. Days that are
// too long ago fall out. The list that came in is not changed.
func WithWatch(days []Day, w Watch) []Day {
	if w.Empty() {
		return days
	}
	at, found := slices.BinarySearchFunc(days, w.Date, func(d Day, date string) int { return cmp.Compare(d.Date, date) })
	all := make([]Day, 0, len(days)+1)
	all = append(all, days[:at]...)
	today := Day{Date: w.Date}
	if found {
		today = days[at]
		days = days[1:]
	}
	today.Watched += seconds(w.Watched)
	today.Broken += seconds(w.Broken)
	today.Ours += seconds(w.Ours)
	all = append(append(all, today), days[at:]...)
	return all[max(0, len(all)-MaxDays):]
}

func seconds(d time.Duration) int { return int(d.Round(time.Second) / time.Second) }

// Availability is the vendor's over some days.
type Availability struct {
	Watched, Broken, Ours time.Duration // see Day
}

// Share is the share of the time watched in which the vendor served, 0 to 1; false if nothing was
// watched.
func (a Availability) Share() (float64, bool) {
	if a.Watched <= 0 {
		return 0, false
	}
	return min(max(1-a.Broken.Seconds()/a.Watched.Seconds(), 0), 1), true
}

// Availability sums up the last so many days in UTC, today included. Drills, faults on this side of the
// vendor's door, and times in which Veilleuse did not run are not in it.
func (s State) Availability(days int) Availability {
	first := s.At.UTC().AddDate(0, 0, 1-days).Format(time.DateOnly)
	last := s.At.UTC().Format(time.DateOnly)
	var a Availability
	for _, d := range s.Days {
		if d.Date >= first && d.Date <= last {
			a.Watched += time.Duration(d.Watched) * time.Second
			a.Broken += time.Duration(d.Broken) * time.Second
			a.Ours += time.Duration(d.Ours) * time.Second
		}
	}
	if w := s.Watch; w.Date >= first && w.Date <= last {
		a.Watched, a.Broken, a.Ours = a.Watched+w.Watched, a.Broken+w.Broken, a.Ours+w.Ours
	}
	return a
}
