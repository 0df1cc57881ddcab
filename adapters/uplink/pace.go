package uplink

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// The pace, in the house's time. In a model of 840 days 120 s and 15 s with five failures in a row and
// a witness gave no false switch, found an outage after 154 s (median), and cost 30 probes an hour. The cloud
// is read as often: the probes fall between the reads, so that somebody looks at it every minute.
const (
	healthyPause = 120 * time.Second
	longestPause = 150 * time.Second // however often calls go there: they do not climb the ladder
	afterCall    = 60 * time.Second  // halfway to the next read
	suspectPause = 15 * time.Second
	firstLocal   = 60 * time.Second // longest pause at the start of an outage; doubles
	lastLocal    = 300 * time.Second
)

// Requests to the API itself are scarcer than probes: the vendor counts them, and in an outage all
// gateways of the world ask at once.
const (
	firstGap    = 5 * time.Minute // between requests while local
	lastGap     = 20 * time.Minute
	vouches     = 90 * time.Second // for so long a call that was answered proves that the API lives
	goodFor     = 20 * time.Minute // for so long a good answer is believed if no request may go
	longestWish = 30 * time.Minute // a Retry-After beyond this is not believed
)

// pause returns how long to wait after a probe that ended at an instant. luck in [0,1) spreads many houses.
func (r *rounds) pause(ended time.Time, luck float64) time.Duration {
	s := r.state
	switch {
	case s.Authority.Phase == gateway.Local:
		longest := min(firstLocal<<min(r.away, 8), lastLocal)
		if s.Cloud.Good > 0 { // what nobody has looked at does not count for the return
			longest = min(longest, vouches)
		}
		return suspectPause + time.Duration(luck*float64(longest-suspectPause))
	case s.Authority.Phase == gateway.Returning:
		return suspectPause + time.Duration(luck*float64(suspectPause))
	case s.Authority.Phase == gateway.Suspect, s.Cloud.Bad > 0, r.void:
		return suspectPause
	case answered(s) && calledAt(s).Add(afterCall).After(ended):
		return min(max(calledAt(s).Add(afterCall).Sub(ended), suspectPause), longestPause)
	}
	return healthyPause
}

// memory is the API's last answer.
type memory struct {
	reply reply
	at    time.Time     // house time
	gap   time.Duration // between requests while local
}

// standsFor returns the answer to go on with instead of asking, or nil: the vendor asked us to wait,
// or we are local and asked a short while ago. A call that was answered since makes a bad one void.
func (m memory) standsFor(now time.Time, s gateway.State) *memory {
	wait := min(m.reply.retryAfter, longestWish)
	if s.Authority.Phase == gateway.Local {
		wait = max(wait, m.gap)
	}
	if age := now.Sub(m.at); age < 0 || age >= wait || !m.reply.healthy() && answered(s) && calledAt(s).After(m.at) {
		return nil
	}
	return &m
}

// answered reports whether the vendor's last word to a real call was an answer.
func answered(s gateway.State) bool { return s.Cloud.Read.Verdict == gateway.VerdictOK }

// calledAt is when that word came.
func calledAt(s gateway.State) time.Time { return s.Cloud.Read.At }

// vouched returns an answer that stands for a call which another adapter made a moment ago, or nil:
// to ask again would cost a request and tell less. A house in doubt asks all the same.
func vouched(now time.Time, s gateway.State) *memory {
	age := now.Sub(calledAt(s))
	calm := s.Authority.Phase == gateway.Watching && s.Cloud.Bad == 0 || s.Authority.Phase == gateway.Returning
	if !calm || !answered(s) || age < 0 || age > vouches {
		return nil
	}
	return &memory{reply: reply{status: 200, content: jsonText, byCall: true}, at: calledAt(s)}
}

// instead returns the answer to go on with instead of asking. If the purse is empty, that is the last
// one, however it was; a good one is not believed for ever, nor against a call that failed since.
func (r *rounds) instead(now time.Time) *memory {
	if m := r.memory.standsFor(now, r.state); m != nil {
		return m
	}
	if m := vouched(now, r.state); m != nil {
		return m
	}
	wait := r.set.purse.Probe(now)
	if wait == 0 {
		return nil
	}
	m := r.memory
	overtaken := calledAt(r.state).After(m.at) && !answered(r.state)
	if age := now.Sub(m.at); m.at.IsZero() || age < 0 || m.reply.healthy() && (age > goodFor || overtaken) {
		m = memory{at: now}
	}
	m.reply.spared = wait
	return &m
}

// remember keeps an answer. While local the gap between requests grows, for good answers too: what
// keeps us local then is that calls fail, and they cost requests as well.
func (r *rounds) remember(now time.Time, got reply) {
	if !got.asked {
		return
	}
	gap := time.Duration(0)
	if r.state.Authority.Phase == gateway.Local {
		gap = min(max(firstGap, r.memory.gap*3/2), lastGap)
	}
	r.memory = memory{reply: got, at: now, gap: gap}
}
