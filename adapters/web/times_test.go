package web

import (
	"testing"
	"time"
)

// A time is told as short as it is clear: the hour of today, the day of this week, the date of this year, and the year of what is older.
func TestTimesAreAsLongAsTheyMustBe(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 1, 18, 0, 0, 0, zone)
	for at, want := range map[time.Time][2]string{
		now.Add(-5 * time.Hour):                         {"13:00", "13:00"},
		now.Add(-24 * time.Hour):                        {"Sat 18:00", "sam. 18:00"},
		now.AddDate(0, -1, 0):                           {"1 Oct 18:00", "1er oct. 18:00"},
		time.Date(2025, 10, 29, 16, 41, 0, 0, zone):     {"29 Oct 2025 16:41", "29 oct. 2025 16:41"},
		time.Date(2027, 10, 29, 16, 41, 0, 0, time.UTC): {"29 Oct 2027 18:41", "29 oct. 2027 18:41"},
	} {
		for _, in := range []lang{english, french} {
			p := &sheet{in: in, now: now, house: house{zone: zone}}
			if got := p.clock(at); got != want[in] {
				t.Errorf("%v: %q, want %q", at, got, want[in])
			}
		}
	}
}
