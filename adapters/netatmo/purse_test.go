package netatmo

import (
	"net/http"
	"testing"
	"time"
)

func TestPurseSpacesRequests(t *testing.T) {
	now := evening
	p := newPurse(1000)
	if w := p.wait(now, forPoll); w != 0 {
		t.Fatalf("a full purse makes a poll wait %v", w)
	}
	p.take(now)
	if w := p.wait(now, forPeople); w != 0 {
		t.Errorf("after one poll a person waits %v", w)
	}
	if w := p.wait(now, forPoll); w <= 0 || w > spacing+time.Millisecond {
		t.Errorf("after one poll the next waits %v, want about %v", w, spacing)
	}
	p.take(now)
	if w := p.wait(now, forPeople); w <= 0 || w > spacing+time.Millisecond {
		t.Errorf("an empty purse makes a person wait %v", w)
	}
	if w := p.wait(now.Add(spacing), forPeople); w != 0 {
		t.Errorf("5 s later a person still waits %v", w)
	}
	if w := p.wait(now.Add(time.Hour), forPoll); w != 0 {
		t.Errorf("an hour later a poll waits %v", w)
	}
}

func TestPurseKeepsAFifthForPeople(t *testing.T) {
	now := evening
	p := newPurse(10)
	for range 8 {
		now = now.Add(time.Minute)
		p.take(now)
	}
	now = now.Add(time.Minute)
	if w := p.wait(now, forPoll); w < 51*time.Minute || w > 53*time.Minute {
		t.Errorf("a poll over its share waits %v, want until the first of the hour is over", w)
	}
	if w := p.wait(now, forPeople); w != 0 {
		t.Errorf("a person waits %v though a fifth is kept", w)
	}
	p.take(now)
	p.take(now.Add(time.Minute))
	now = now.Add(2 * time.Minute)
	if w := p.wait(now, forPeople); w <= 0 {
		t.Error("a person may go over the whole budget")
	}
	if w := p.wait(now.Add(time.Hour), forPeople); w != 0 {
		t.Errorf("an hour later a person waits %v", w)
	}
}

func TestCoolDownDoubles(t *testing.T) {
	now := evening
	p := newPurse(0)
	for _, want := range []time.Duration{2, 4, 8, 16, 32, 60, 60} {
		p.limited(now, nil)
		if w := p.wait(now, forPeople); w != want*time.Minute {
			t.Errorf("cool-down %v, want %v", w, want*time.Minute)
		}
		now = now.Add(want * time.Minute)
	}
	p.answered()
	p.limited(now, nil)
	if w := p.wait(now, forPeople); w != 2*time.Minute {
		t.Errorf("after an answer the cool-down is %v, want 2 min again", w)
	}
}

func TestRetryAfter(t *testing.T) {
	date := func(d time.Duration) string { return evening.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		name, header, date string
		want               time.Duration
		ok                 bool
	}{
		{"absent", "", "", 0, false},
		{"seconds", "90", "", 90 * time.Second, true},
		{"at least a second", "0", "", time.Second, true},
		{"at most half an hour", "86400", "", 30 * time.Minute, true},
		{"so large that it would overflow", "9999999999999", "", 30 * time.Minute, true},
		{"negative", "-5", "", 0, false},
		{"a date", date(10 * time.Minute), "", 10 * time.Minute, true},
		{"a date by the vendor's own clock", date(10 * time.Minute), date(9 * time.Minute), time.Minute, true},
		{"a date gone by", date(-time.Hour), "", time.Second, true},
		{"nonsense", "soon", "", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			if c.header != "" {
				h.Set("Retry-After", c.header)
			}
			if c.date != "" {
				h.Set("Date", c.date)
			}
			if got, ok := retryAfter(h, evening); got != c.want || ok != c.ok {
				t.Errorf("got %v, %v, want %v, %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func TestPurseOutlivesAClockSetBack(t *testing.T) {
	now := evening
	p := newPurse(10)
	for range 8 {
		now = now.Add(time.Minute)
		p.take(now)
	}
	p.limited(now, nil)
	back := now.Add(-24 * time.Hour)
	if w := p.wait(back, forPoll); w > time.Hour+time.Second {
		t.Errorf("after the clock went back a day a poll waits %v, at most an hour is right", w)
	}
	if w := p.wait(back.Add(time.Hour+time.Second), forPoll); w != 0 {
		t.Errorf("an hour later it still waits %v", w)
	}
}
