package netatmo

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// The vendor allows an application of one user 2 requests in 10 s, and a user 500 an hour.
const (
	spacing     = 5 * time.Second // one request each
	burst       = 2
	peopleShare = 0.2 // of the hour, kept for people's commands
	probeShare  = 0.4 // of the rest, for probes that only look whether the vendor is there
	outageHour  = 8   // requests in an hour of an outage, polls and probes together

	firstCoolDown = 2 * time.Minute // after a first 429; doubles with each further one
	longCoolDown  = time.Hour
	longRetry     = 30 * time.Minute // what the vendor asks for by Retry-After is obeyed up to this
)

// Purse spends the request quota: one bucket for everything that goes to the vendor, whoever sends it.
// Polls leave one request in it, so that a person's command hardly ever waits for the bucket to fill; a
// probe takes the last one, for it cannot wait. Its methods may be called from any goroutine; all take
// the house's time.
type Purse struct {
	limit int // an hour

	mu    sync.Mutex
	hour  []spent // requests in the last hour, oldest first
	total int
	fill  float64 // requests that may go at once
	last  time.Time
	until time.Time     // nothing goes before: the vendor said so
	cool  time.Duration // the last cool-down; 0 once an answer came
	tight bool          // we are in an outage
}

// spent is one request.
type spent struct {
	at    time.Time
	by    buyer
	tight bool // in an outage
}

// buyer is who asks for a request.
type buyer int

const (
	forPoll buyer = iota
	forProbe
	forPeople
)

// NewPurse returns a purse for so many requests an hour, people's commands included; 0: DefaultBudget.
func NewPurse(perHour int) *Purse {
	if perHour <= 0 {
		perHour = DefaultBudget
	}
	return &Purse{limit: perHour, fill: burst}
}

// Probe spends one request on a look at the vendor and returns 0, or spends none and returns for how
// long none may go.
func (p *Purse) Probe(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := p.lack(now, forProbe)
	if wait == 0 {
		p.pay(now, forProbe)
	}
	return wait
}

// Heed takes what the vendor said: whether our quota is used up (429, or 403 code 26), and for how
// long it wants to be left alone, 0 if it does not say.
func (p *Purse) Heed(now time.Time, limited bool, asked time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case asked > 0:
		p.until = now.Add(min(asked, longRetry))
	case limited:
		if now.Sub(p.until) > longCoolDown {
			p.cool = 0 // that was another time
		}
		p.cool = min(max(firstCoolDown, 2*p.cool), longCoolDown)
		p.until = now.Add(p.cool)
	}
}

// Budget says what was spent.
func (p *Purse) Budget(now time.Time) gateway.Budget {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(now)
	return gateway.Budget{Spent: len(p.hour), Limit: p.limit, Total: p.total}
}

// wait returns how long the next request has to wait; 0: it may go now.
func (p *Purse) wait(now time.Time, who buyer) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lack(now, who)
}

// lack is wait. mu is held.
func (p *Purse) lack(now time.Time, who buyer) time.Duration {
	p.turn(now)
	wait := max(0, p.until.Sub(now))
	need := 1.0
	if who == forPoll {
		need = burst
	}
	if lack := need - p.fill; lack > 0 {
		wait = max(wait, time.Duration(lack*float64(spacing))+1)
	}
	anybody := func(spent) bool { return true }
	if who == forPeople {
		return max(wait, p.full(now, p.limit, anybody))
	}
	wait = max(wait, p.full(now, p.forPolls(), anybody))
	if who == forProbe {
		wait = max(wait, p.full(now, p.forProbes(), func(s spent) bool { return s.by == forProbe }))
	}
	if p.tight {
		wait = max(wait, p.full(now, outageHour, func(s spent) bool { return s.tight && s.by != forPeople }))
	}
	return wait
}

// full returns how long it takes until fewer than allowed of the hour's requests of a kind are left.
func (p *Purse) full(now time.Time, allowed int, kind func(spent) bool) time.Duration {
	for _, s := range slices.Backward(p.hour) {
		if !kind(s) {
			continue
		}
		if allowed--; allowed == 0 {
			return s.at.Add(time.Hour).Sub(now) + 1
		}
	}
	return 0
}

// forPolls is how many of an hour's requests are not kept for people; at least 1.
func (p *Purse) forPolls() int { return max(1, int(float64(p.limit)*(1-peopleShare))) }

// forProbes is how many of those may be probes; at least 1.
func (p *Purse) forProbes() int { return max(1, int(float64(p.forPolls())*probeShare)) }

// take spends one request.
func (p *Purse) take(now time.Time, who buyer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pay(now, who)
}

func (p *Purse) pay(now time.Time, who buyer) {
	p.turn(now)
	p.fill = max(0, p.fill-1)
	p.hour = append(p.hour, spent{now, who, p.tight})
	p.total++
}

// turn brings the purse to the present. A clock that was set back makes the past look like the
// future: then it counts as now.
func (p *Purse) turn(now time.Time) {
	if gone := now.Sub(p.last); gone > 0 && !p.last.IsZero() {
		p.fill = min(burst, p.fill+float64(gone)/float64(spacing))
	}
	p.last = now
	for i, s := range p.hour {
		if s.at.After(now) {
			p.hour[i].at = now
		}
	}
	if p.until.After(now.Add(longCoolDown)) {
		p.until = now.Add(longCoolDown)
	}
	p.hour = slices.DeleteFunc(p.hour, func(s spent) bool { return !s.at.After(now.Add(-time.Hour)) })
}

// left is how many polls may still go within this hour.
func (p *Purse) left(now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(now)
	return p.forPolls() - len(p.hour)
}

// outage notes that an outage has begun or is over: in one, all houses ask at once, and each request
// is one too many.
func (p *Purse) outage(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tight = on
}

// answered ends the cool-downs.
func (p *Purse) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cool = 0
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
