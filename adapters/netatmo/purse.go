package netatmo

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The vendor allows an application of one user 2 requests in 10 s, and a user 500 an hour.
const (
	spacing     = 5 * time.Second // one request each
	burst       = 2
	peopleShare = 0.2 // of the hour, kept for people's commands

	firstCoolDown = 2 * time.Minute // after a first 429; doubles with each further one
	longCoolDown  = time.Hour
	longRetry     = 30 * time.Minute // what the vendor asks for by Retry-After is obeyed up to this
)

// purse spends the request quota: one bucket for everything that goes to the vendor. A poll leaves
// one request in it, so that a person's command never waits for the bucket to fill.
type purse struct {
	limit int // an hour

	hour  []time.Time // requests in the last hour, oldest first
	total int
	fill  float64 // requests that may go at once
	last  time.Time
	until time.Time     // nothing goes before: the vendor said so
	cool  time.Duration // the last cool-down; 0 once an answer came
}

// buyer is who asks for a request.
type buyer bool

const (
	forPoll   buyer = false
	forPeople buyer = true
)

func newPurse(limit int) *purse {
	if limit <= 0 {
		limit = DefaultBudget
	}
	return &purse{limit: limit, fill: burst}
}

// wait returns how long the next request has to wait; 0: it may go now.
func (p *purse) wait(now time.Time, who buyer) time.Duration {
	p.turn(now)
	wait := max(0, p.until.Sub(now))
	need := 1.0
	if who == forPoll {
		need = burst
	}
	if lack := need - p.fill; lack > 0 {
		wait = max(wait, time.Duration(lack*float64(spacing))+1)
	}
	allowed := p.limit
	if who == forPoll {
		allowed = p.forPolls()
	}
	if over := len(p.hour) - allowed; over >= 0 {
		wait = max(wait, p.hour[over].Add(time.Hour).Sub(now)+1)
	}
	return wait
}

// forPolls is how many of an hour's requests are not kept for people; at least 1.
func (p *purse) forPolls() int { return max(1, int(float64(p.limit)*(1-peopleShare))) }

// take spends one request.
func (p *purse) take(now time.Time) {
	p.turn(now)
	p.fill = max(0, p.fill-1)
	p.hour = append(p.hour, now)
	p.total++
}

// turn brings the purse to the present. A clock that was set back makes the past look like the
// future: then it counts as now.
func (p *purse) turn(now time.Time) {
	if gone := now.Sub(p.last); gone > 0 && !p.last.IsZero() {
		p.fill = min(burst, p.fill+float64(gone)/float64(spacing))
	}
	p.last = now
	for i, t := range p.hour {
		if t.After(now) {
			p.hour[i] = now
		}
	}
	if p.until.After(now.Add(longCoolDown)) {
		p.until = now.Add(longCoolDown)
	}
	old, _ := slices.BinarySearchFunc(p.hour, now.Add(-time.Hour), func(t, edge time.Time) int {
		return t.Compare(edge.Add(1))
	})
	p.hour = slices.Delete(p.hour, 0, old)
}

// share is how much of the polls' hour is spent: 0 to 1, more if people spent it.
func (p *purse) share(now time.Time) float64 {
	p.turn(now)
	return float64(len(p.hour)) / float64(p.forPolls())
}

// answered ends the cool-downs.
func (p *purse) answered() { p.cool = 0 }

// limited begins a cool-down after the vendor's 429 or 403 code 26.
func (p *purse) limited(now time.Time, header http.Header) {
	if asked, ok := retryAfter(header, now); ok {
		p.until = now.Add(asked)
		return
	}
	p.cool = min(max(firstCoolDown, 2*p.cool), longCoolDown)
	p.until = now.Add(p.cool)
}

// rest obeys the Retry-After of any other answer, if it has one.
func (p *purse) rest(now time.Time, header http.Header) {
	if asked, ok := retryAfter(header, now); ok {
		p.until = now.Add(asked)
	}
}

// retryAfter reads the header's seconds or date, between 1 s and longRetry.
func retryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	text := header.Get("Retry-After")
	if text == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		if seconds < 0 {
			return 0, false
		}
		return min(max(time.Duration(min(seconds, 1<<20))*time.Second, time.Second), longRetry), true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date // the vendor's own clock
	}
	return min(max(at.Sub(now), time.Second), longRetry), true
}
