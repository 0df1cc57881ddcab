package netatmo

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// errand is one kind of regular question.
type errand int

// The errands, the more urgent first.
const (
	topology errand = iota // homesdata: rooms, devices, schedules, the home's mode
	status                 // homestatus: what holds and what is measured
	stations               // getstationsdata
	coaches                // gethomecoachsdata
	events                 // getevents
	cameras                // each camera's LAN address, one camera a time
	errandCount
)

// How often each is asked.
//
// homestatus is both the mirror and the detector. With 120 s and 15 s once suspicious an outage is
// found after 154 s (p95 209 s) for 30 requests an hour, with 300 s after 228 s (p95 382 s) for 12
// (simulated, 60 runs of 14 days with a lossy link); 60 s gains 17 s for another 30 requests. People who act in the
// vendor's app see it here within 2 min. Topology, stations, coaches and events together add 22 an
// hour, so that a home with everything stays below one request a minute.
const (
	statusHealthy   = 2 * time.Minute
	statusSuspect   = 15 * time.Second
	statusThrifty   = time.Minute      // when suspicion lasts until little of the hour is left
	littleLeft      = 12               // polls: as many as finding an outage takes, probes included
	statusLocal     = 5 * time.Minute  // at least; full jitter on top, up to
	statusLocalMost = 15 * time.Minute // this
	statusReturning = time.Minute
	topologyEvery   = 15 * time.Minute
	topologyRetry   = time.Minute      // while none was ever read
	weatherEvery    = 10 * time.Minute // a station itself measures no more often
	eventsEvery     = 10 * time.Minute
	emptyEvery      = 3 * time.Hour // for a kind that this account does not have
	cameraEvery     = 3 * time.Hour // the vendor renews a camera's address about as often
	returnWithin    = 15 * time.Second
	lookWithin      = 20 * time.Second  // when the rules want a look while it returns
	catchUpWithin   = 100 * time.Second // what was left alone in an outage, once it is over
	afterWrite      = 30 * time.Second  // then a write ought to show
)

// jitters, as a share of the pause either way, so that gateways do not ask in step.
const (
	littleJitter = 0.1
	muchJitter   = 0.5 // on the return of the vendor, when a herd asks
)

// pause returns how long to wait from one run of an errand to the next, or false if it is not run
// in that phase. left is how many polls may still go within the hour, luck is uniform in [0, 1).
func pause(e errand, phase gateway.Phase, left int, luck float64) (time.Duration, bool) {
	if e == status {
		return statusPause(phase, left, luck), true
	}
	if phase == gateway.Suspect || phase == gateway.Local {
		return 0, false
	}
	if phase == gateway.Returning && e != topology {
		return 0, false
	}
	switch e {
	case topology:
		return spread(topologyEvery, littleJitter, luck), true
	case stations, coaches:
		return spread(weatherEvery, littleJitter, luck), true
	case events:
		return spread(eventsEvery, littleJitter, luck), true
	}
	return spread(cameraEvery, littleJitter, luck), true
}

func statusPause(phase gateway.Phase, left int, luck float64) time.Duration {
	switch phase {
	case gateway.Suspect:
		if left < littleLeft {
			return statusThrifty
		}
		return statusSuspect
	case gateway.Local:
		return statusLocal + time.Duration(luck*float64(statusLocalMost-statusLocal))
	case gateway.Returning:
		return spread(statusReturning, muchJitter, luck)
	}
	return spread(statusHealthy, littleJitter, luck)
}

// spread returns d times 1-jitter to 1+jitter.
func spread(d time.Duration, jitter, luck float64) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*luck))
}

// stretch is by how much pauses grow if the budget is too small for them.
func stretch(p *Purse) float64 {
	const pollsAnHour = 56 // a home with everything
	return max(1, pollsAnHour/float64(p.forPolls()-p.forProbes()))
}

// round is when each errand is run next.
type round struct {
	next [errandCount]time.Time // zero: not in this phase
	last [errandCount]time.Time
}

// first returns the errand that is due soonest and when; of those due by now the most urgent.
func (r *round) first(now time.Time) (errand, time.Time) {
	best := errandCount
	for e := range errandCount {
		at := r.next[e]
		if at.IsZero() {
			continue
		}
		if !at.After(now) {
			return e, at
		}
		if best == errandCount || at.Before(r.next[best]) {
			best = e
		}
	}
	if best == errandCount {
		return best, time.Time{}
	}
	return best, r.next[best]
}

// hasten runs an errand no later than at.
func (r *round) hasten(e errand, at time.Time) {
	if r.next[e].IsZero() || at.Before(r.next[e]) {
		r.next[e] = at
	}
}

// enter plans anew for a phase that has just begun. What is overdue after an outage is spread, for it is
// overdue everywhere.
func (r *round) enter(phase gateway.Phase, now time.Time, left int, luck func() float64) {
	fresh := r.last == [errandCount]time.Time{}
	for e := range errandCount {
		d, runs := pause(e, phase, left, luck())
		switch {
		case !runs:
			r.next[e] = time.Time{}
		case phase == gateway.Returning:
			r.next[e] = now.Add(time.Duration(luck() * float64(returnWithin)))
		case phase == gateway.Local:
			r.next[e] = now.Add(d)
		case !fresh && e > status && r.last[e].Add(d).Before(now):
			r.next[e] = now.Add(time.Duration(luck() * float64(catchUpWithin)))
		case r.last[e].IsZero():
			r.next[e] = now
		default:
			r.next[e] = r.last[e].Add(d)
		}
	}
	if phase == gateway.Returning { // the home's mode first, so that the first view is whole
		r.next[status] = r.next[topology].Add(1)
	}
}

// done plans the next run of an errand that was just run.
func (r *round) done(e errand, at time.Time, d time.Duration, runs bool) {
	r.last[e] = at
	r.next[e] = time.Time{}
	if runs {
		r.next[e] = at.Add(d)
	}
}

// move shifts the whole plan, after the clock was set back.
func (r *round) move(d time.Duration) {
	for _, times := range []*[errandCount]time.Time{&r.next, &r.last} {
		for e, t := range times {
			if !t.IsZero() {
				times[e] = t.Add(d)
			}
		}
	}
}
