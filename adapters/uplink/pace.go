package uplink

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// The pace, in the house's time. In a model of 840 days 120 s and 15 s with five failures in a row and
// a witness gave no false switch, found an outage after 154 s (median), and cost 30 probes an hour.
const (
	healthyPause = 120 * time.Second
	suspectPause = 15 * time.Second
	firstLocal   = 60 * time.Second // longest pause at the start of an outage; doubles
	lastLocal    = 300 * time.Second
)

// Requests to the API itself are scarcer than probes: the vendor counts them, and in an outage all
// gateways of the world ask at once.
const (
	burst       = 20.0 // requests that may be made at once
	perHour     = 60.0
	firstGap    = 5 * time.Minute // between requests while local
	lastGap     = 10 * time.Minute
	longestWish = 30 * time.Minute // a Retry-After beyond this is not believed
)

// pause returns how long to wait after a probe that ended at base. luck in [0,1) spreads many houses.
func (r *rounds) pause(base time.Time, luck float64) time.Duration {
	s := r.state
	p := healthyPause
	switch {
	case s.Authority.Phase == gateway.Local:
		longest := min(firstLocal<<min(r.away, 8), lastLocal)
		p = suspectPause + time.Duration(luck*float64(longest-suspectPause))
	case s.Authority.Phase == gateway.Returning:
		p = suspectPause + time.Duration(luck*float64(suspectPause))
	case s.Authority.Phase == gateway.Suspect, s.Cloud.Bad > 0, r.void:
		p = suspectPause
	}
	return max(p, r.untilToken(base))
}

// untilToken returns how long the allowance of requests needs to hold one again.
func (r *rounds) untilToken(now time.Time) time.Duration {
	missing := 1 - r.tokensLeft(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / perHour * float64(time.Hour))
}

func (r *rounds) tokensLeft(now time.Time) float64 {
	gained := max(0, now.Sub(r.tokensAt).Hours()*perHour)
	return min(burst, r.tokens+gained)
}

func (r *rounds) spend(now time.Time) {
	r.tokens = max(0, r.tokensLeft(now)-1)
	r.tokensAt = now
}

// memory is the API's last answer, if it was a bad one.
type memory struct {
	reply reply
	at    time.Time     // house time
	gap   time.Duration // between requests while local
}

// standsFor returns the answer to go on with instead of asking, or nil: the vendor asked us to wait,
// or we are local and asked a short while ago.
func (m memory) standsFor(now time.Time, local bool) *memory {
	wait := min(m.reply.retryAfter, longestWish)
	if local {
		wait = max(wait, m.gap)
	}
	if age := now.Sub(m.at); age < 0 || age >= wait {
		return nil
	}
	return &m
}

// remember keeps a bad answer. While local the gap between requests grows.
func (r *rounds) remember(now time.Time, got reply) {
	if !got.asked {
		return
	}
	if got.healthy() {
		r.memory = memory{}
		return
	}
	gap := time.Duration(0)
	if r.state.Authority.Phase == gateway.Local {
		gap = min(max(firstGap, r.memory.gap*3/2), lastGap)
	}
	r.memory = memory{reply: got, at: now, gap: gap}
}
