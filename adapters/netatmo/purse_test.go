package netatmo

import (
	"net/http"
	"sync"
	"testing"
	"time"
)

func TestPurseSpacesRequests(t *testing.T) {
	now := evening
	p := NewPurse(1000)
	if w := p.wait(now, forPoll); w != 0 {
		t.Fatalf("a full purse makes a poll wait %v", w)
	}
	p.take(now, forPoll)
	if w := p.wait(now, forPeople); w != 0 {
		t.Errorf("after one poll a person waits %v", w)
	}
	if w := p.wait(now, forPoll); w <= 0 || w > spacing+time.Millisecond {
		t.Errorf("after one poll the next waits %v, want about %v", w, spacing)
	}
	p.take(now, forPoll)
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
	p := NewPurse(10)
	for range 8 {
		now = now.Add(time.Minute)
		p.take(now, forPoll)
	}
	now = now.Add(time.Minute)
	if w := p.wait(now, forPoll); w < 51*time.Minute || w > 53*time.Minute {
		t.Errorf("a poll over its share waits %v, want until the first of the hour is over", w)
	}
	if w := p.wait(now, forPeople); w != 0 {
		t.Errorf("a person waits %v though a fifth is kept", w)
	}
	p.take(now, forPoll)
	p.take(now.Add(time.Minute), forPoll)
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
	p := NewPurse(0)
	for _, want := range []time.Duration{2, 4, 8, 16, 32, 60, 60} {
		p.Heed(now, true, 0)
		if w := p.wait(now, forPeople); w != want*time.Minute {
			t.Errorf("cool-down %v, want %v", w, want*time.Minute)
		}
		now = now.Add(want * time.Minute)
	}
	p.answered()
	p.Heed(now, true, 0)
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
	p := NewPurse(10)
	for range 8 {
		now = now.Add(time.Minute)
		p.take(now, forPoll)
	}
	p.Heed(now, true, 0)
	back := now.Add(-24 * time.Hour)
	if w := p.wait(back, forPoll); w > time.Hour+time.Second {
		t.Errorf("after the clock went back a day a poll waits %v, at most an hour is right", w)
	}
	if w := p.wait(back.Add(time.Hour+time.Second), forPoll); w != 0 {
		t.Errorf("an hour later it still waits %v", w)
	}
}

// Probes and polls are paid for by one purse: what one spends the other lacks.
func TestPurseIsOneForProbesAndPolls(t *testing.T) {
	now := evening
	p := NewPurse(0)
	if w := p.Probe(now); w != 0 {
		t.Fatalf("a full purse makes a probe wait %v", w)
	}
	if w := p.wait(now, forPoll); w <= 0 || w > spacing+time.Millisecond {
		t.Errorf("right after a probe a poll waits %v, want about %v", w, spacing)
	}
	if w := p.Probe(now); w != 0 {
		t.Errorf("a probe leaves one request to the next, but that waits %v", w)
	}
	if w := p.Probe(now); w <= 0 || w > spacing+time.Millisecond {
		t.Errorf("an empty purse lets a probe wait %v, want about %v", w, spacing)
	}
	if b := p.Budget(now); b.Spent != 2 || b.Limit != DefaultBudget || b.Total != 2 {
		t.Errorf("the budget shows %+v, want 2 requests of %d", b, DefaultBudget)
	}
	if b := p.Budget(now.Add(61 * time.Minute)); b.Spent != 0 || b.Total != 2 {
		t.Errorf("an hour later the budget shows %+v", b)
	}
}

func TestPurseKeepsMostForPolls(t *testing.T) {
	now := evening
	p := NewPurse(20) // 16 of them not for people
	probes := 0
	for range 50 {
		now = now.Add(time.Minute)
		if p.Probe(now) == 0 {
			probes++
		}
	}
	if probes != 6 {
		t.Errorf("%d probes within an hour, want 6 of 16", probes)
	}
	if w := p.wait(now, forPoll); w != 0 {
		t.Errorf("a poll waits %v for probes", w)
	}
	if w := p.Probe(now); w < 10*time.Minute || w > 12*time.Minute {
		t.Errorf("the next probe waits %v, want until the first is an hour old", w)
	}
}

func TestPurseIsTightInAnOutage(t *testing.T) {
	now := evening
	p := NewPurse(0)
	for range 30 { // before the outage
		now = now.Add(10 * time.Second)
		p.take(now, forPoll)
	}
	now = now.Add(time.Minute)
	p.outage(true)
	spent := 0
	for range 8*60 + 24 {
		now = now.Add(time.Minute)
		if p.Probe(now) == 0 {
			spent++
		}
		if p.wait(now, forPoll) == 0 {
			p.take(now, forPoll)
			spent++
		}
	}
	if spent < 64 || spent > 76 {
		t.Errorf("%d requests in 8 h 24 min by those who would ask each minute, want about 8 an hour", spent)
	}
	if w := p.wait(now.Add(2*spacing), forPeople); w != 0 {
		t.Errorf("a person waits %v in an outage", w)
	}
	p.outage(false)
	if w := p.wait(now.Add(2*spacing), forPoll); w != 0 {
		t.Errorf("after the outage a poll waits %v", w)
	}
}

func TestPurseHeedsWhatProbesAreTold(t *testing.T) {
	now := evening
	p := NewPurse(0)
	p.Heed(now, false, 10*time.Minute)
	if w := p.wait(now, forPoll); w != 10*time.Minute {
		t.Errorf("told to wait 10 min, a poll waits %v", w)
	}
	p.Heed(now, false, 5*time.Hour)
	if w := p.wait(now, forPeople); w != longRetry {
		t.Errorf("told to wait 5 h, a person waits %v, want %v", w, longRetry)
	}
	now = now.Add(24 * time.Hour)
	p.Heed(now, true, 0)
	if w := p.Probe(now); w != firstCoolDown {
		t.Errorf("after a used-up quota a probe waits %v, want %v", w, firstCoolDown)
	}
	p.Heed(now.Add(3*time.Hour), true, 0)
	if w := p.Probe(now.Add(3 * time.Hour)); w != firstCoolDown {
		t.Errorf("hours later another used-up quota costs %v, want %v again", w, firstCoolDown)
	}
}

func TestPurseServesManyAtOnce(t *testing.T) {
	p := NewPurse(0)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 100 {
				now := evening.Add(time.Duration(i*100+j) * time.Second)
				p.Probe(now)
				p.wait(now, forPoll)
				p.Heed(now, false, 0)
				p.Budget(now)
			}
		})
	}
	all.Wait()
	if b := p.Budget(evening.Add(800 * time.Second)); b.Spent == 0 || b.Spent > DefaultBudget {
		t.Errorf("the budget shows %+v", b)
	}
}
