package thermaltest

import "time"

// slot is what is wished at a minute since Monday 00:00.
type slot struct {
	comfort bool
	until   int // when it changes
	next    int // when comfort begins next
}

// comfortAt: workdays 06:30-08:30 and 17:00-22:30, weekends 07:30-23:00.
func comfortAt(minute int) bool {
	day, of := minute/1440%7, minute%1440
	if day >= 5 {
		return of >= 450 && of < 1380
	}
	return of >= 390 && of < 510 || of >= 1020 && of < 1350
}

func slotAt(minute int) slot {
	s := slot{comfort: comfortAt(minute)}
	for m := minute + 1; s.next == 0; m++ {
		now := comfortAt(m)
		if s.until == 0 && now != s.comfort {
			s.until = m
		}
		if now && !comfortAt(m-1) {
			s.next = m
		}
	}
	return s
}

// monday is where the bench's time begins.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func instant(minute int) time.Time { return monday.Add(time.Duration(minute) * time.Minute) }
