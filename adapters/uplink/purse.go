package uplink

import (
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Purse pays for the requests to the vendor's API; one may serve all who ask the vendor. All times are
// the house's, and the methods may be called from any goroutine.
type Purse interface {
	// Probe spends one request and returns 0, or spends none and returns for how long none may go.
	Probe(now time.Time) time.Duration
	// Heed takes what the vendor said: whether our quota is used up, and for how long it wants to be
	// left alone, 0 if it does not say.
	Heed(now time.Time, limited bool, asked time.Duration)
	// Budget says what was spent.
	Budget(now time.Time) gateway.Budget
}

// The allowance of a prober that has no purse to share.
const (
	ownHour   = 60 // requests
	ownBurst  = 20 // of them at once
	coolFirst = 2 * time.Minute
	coolLast  = time.Hour
)

// allowance is the purse of a prober that is alone.
type allowance struct {
	mu    sync.Mutex
	fill  float64 // requests that may go now
	last  time.Time
	until time.Time     // nothing goes before: the vendor said so
	cool  time.Duration // the last cool-down
	hour  []time.Time   // requests in the last hour
	total int
}

func (a *allowance) Probe(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch gone := now.Sub(a.last); {
	case a.last.IsZero():
		a.fill = ownBurst
	case gone > 0:
		a.fill = min(ownBurst, a.fill+gone.Hours()*ownHour)
	}
	a.last = now
	if wait := a.until.Sub(now); wait > 0 && wait <= coolLast {
		return wait
	}
	if lack := 1 - a.fill; lack > 0 {
		return time.Duration(lack/ownHour*float64(time.Hour)) + 1
	}
	a.fill--
	a.total++
	a.hour = append(a.hour, now)
	return 0
}

func (a *allowance) Heed(now time.Time, limited bool, asked time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case asked > 0:
		a.until = now.Add(min(asked, longestWish))
	case limited:
		if now.Sub(a.until) > coolLast {
			a.cool = 0
		}
		a.cool = min(max(coolFirst, 2*a.cool), coolLast)
		a.until = now.Add(a.cool)
	}
}

func (a *allowance) Budget(now time.Time) gateway.Budget {
	a.mu.Lock()
	defer a.mu.Unlock()
	spent := 0
	for _, t := range a.hour {
		if now.Sub(t) < time.Hour {
			spent++
		}
	}
	a.hour = a.hour[len(a.hour)-spent:]
	return gateway.Budget{Spent: spent, Limit: ownHour, Total: a.total}
}
