package rules

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How long bad or good must hold. Time held decides, not samples; the counts only make sure that
// somebody looked often enough meanwhile. Figures: the outage study's detector, which made no false
// change in 840 simulated days.
const (
	badCount    = 5                // failures in a row, and
	badSpan     = 90 * time.Second // held this long: the cloud is gone
	homeSpan    = 3 * time.Minute  // our own link: a daily reconnect of the line takes up to 2 min
	goodCount   = 5                // good answers in a row, and
	firstHold   = 3 * time.Minute  // held this long: it is back
	longestHold = 30 * time.Minute // the hold doubles up to this while the cloud relapses
	relapse     = time.Hour        // a loss so soon after a return is a relapse
	forgiven    = 24 * time.Hour   // after a day without loss the hold is short again
	spread      = 2 * time.Minute  // homes do not all return at once
	staleView   = 20 * time.Minute // device data older than this is not a cloud that is back
	callForgets = 20 * time.Minute // a failed call says nothing any more after this
	backToLocal = 2                // failures in a row that end a return
	lookOften   = 30 * time.Second // between two requests to read the cloud while it comes back
	lookSeldom  = 5 * time.Minute  // the same while its door opens but its calls still fail
)

// observeProbe takes the result of one climb of the ladder.
func (b *book) observeProbe(f gateway.Probe) {
	b.everything = true
	if f.Void {
		b.Cloud.FirstBad, b.Cloud.Bad = time.Time{}, 0 // we were late ourselves: nothing is proved
		return
	}
	if broken(b.Cloud.Probed) && !broken(f.Verdict) {
		b.Cloud.Called = "" // a call that failed while the door was shut says nothing about it now
	}
	b.Cloud.Probed, b.Cloud.Witness = f.Verdict, f.Witness
	b.weigh(f.Verdict, f.Scope, f.Why, f.Evidence)
}

// observeCall takes the outcome of a real call: what the vendor does with a request that matters.
func (b *book) observeCall(f gateway.Call) {
	if f.Plane == gateway.PlaneWrite && f.Verdict != gateway.VerdictOK {
		return // one refused write is that command's affair; its Outcome tells
	}
	b.everything = true
	b.Cloud.Called, b.Cloud.CalledWhy, b.Cloud.CalledAt = f.Verdict, f.Why, b.now
	if f.Verdict == gateway.VerdictUnknown {
		return
	}
	probed := b.Cloud.Probed
	if broken(f.Verdict) && broken(probed) {
		b.keepCount(true) // the probe's words and evidence say more
		return
	}
	if f.Verdict == gateway.VerdictOK && broken(probed) {
		probed = gateway.VerdictOK // a real answer beats a probe that came before it
		b.Cloud.Probed = probed
	}
	if probed == "" {
		probed = gateway.VerdictOK
	}
	b.weigh(probed, []gateway.Plane{f.Plane}, f.Why, nil)
}

// weigh joins what probes and calls say into one verdict, and keeps count of how long it has held.
func (b *book) weigh(probed gateway.Verdict, scope []gateway.Plane, why string, evidence []string) {
	verdict := probed
	called := b.Cloud.Called
	if b.now.Sub(b.Cloud.CalledAt) > callForgets {
		called = ""
	}
	if !broken(probed) && (broken(called) || called == gateway.VerdictRateLimited) {
		verdict, why = called, b.Cloud.CalledWhy
	}
	b.keepCount(broken(verdict))
	if verdict == gateway.VerdictOK {
		scope, why = nil, "Netatmo answers"
	}
	if verdict == b.Cloud.Verdict && why == b.Cloud.Why {
		return
	}
	if verdict != b.Cloud.Verdict {
		b.Cloud.Since = b.now
	}
	b.Cloud.Verdict, b.Cloud.Scope, b.Cloud.Why, b.Cloud.Evidence = verdict, scope, why, evidence
	b.changed = true
}

func (b *book) keepCount(bad bool) {
	c := &b.Cloud
	if bad {
		if c.Bad == 0 {
			c.FirstBad = b.now
		}
		c.Bad, c.LastBad, c.Good = c.Bad+1, b.now, 0
		return
	}
	if c.Good == 0 {
		c.FirstGood = b.now
	}
	c.Good, c.LastGood, c.Bad = c.Good+1, b.now, 0
}

// broken reports whether the verdict means that the vendor cannot serve this house. A used-up quota
// is not an outage, and our own fault proves nothing about others.
func broken(v gateway.Verdict) bool {
	return !slices.Contains([]gateway.Verdict{"", gateway.VerdictOK, gateway.VerdictUnknown, gateway.VerdictRateLimited, gateway.VerdictSelf}, v)
}

// ours reports whether the cause lies on this side of the vendor's door.
func ours(v gateway.Verdict) bool {
	return slices.Contains([]gateway.Verdict{gateway.VerdictInternetDown, gateway.VerdictLANDown, gateway.VerdictResolver, gateway.VerdictCaptive, gateway.VerdictHijack}, v)
}

// advanceAuthority moves on who is in charge, by how long good or bad has held.
func (b *book) advanceAuthority() {
	if b.Authority.Drill {
		b.advanceDrill()
		return
	}
	c := b.Cloud
	switch b.Authority.Phase {
	case gateway.Watching:
		if c.Bad > 0 {
			b.enter(gateway.Suspect, "doubt", c.Why)
		}
		if c.Hold > firstHold && b.now.Sub(c.Returned) > forgiven {
			b.Cloud.Hold = firstHold
		}
	case gateway.Suspect:
		switch {
		case c.Bad == 0:
			b.enter(gateway.Watching, "", "Netatmo answers again")
		case b.confirmed():
			b.takeOver()
		}
	case gateway.Local:
		if c.Good > 0 && b.now.Sub(c.FirstGood) >= b.jitter() && b.signedIn() {
			b.enter(gateway.Returning, "Netatmo answers again: it is read first, nothing is written there", c.Why)
		}
		if c.Good > 0 && !b.signedIn() && b.held() {
			b.enter(gateway.Watching, "Netatmo answers again", c.Why)
		}
	case gateway.Returning:
		switch {
		case c.Bad >= backToLocal:
			b.Cloud.Hold = min(2*c.Hold, longestHold)
			b.enter(gateway.Local, "the return is broken off: Netatmo fails again", c.Why)
		case b.held() && b.seen():
			b.handBack()
		}
	}
}

// confirmed reports whether bad has held long enough: the cloud is gone.
func (b *book) confirmed() bool {
	span := badSpan
	if ours(b.Cloud.Verdict) {
		span = homeSpan
	}
	return b.Cloud.Bad >= badCount && b.now.Sub(b.Cloud.FirstBad) >= span
}

// enter changes the phase. With an empty what the change is shown but not worth a line.
func (b *book) enter(p gateway.Phase, what, why string) {
	b.Authority.Phase, b.Authority.Since, b.Authority.Why = p, b.now, b.marked(why)
	b.changed, b.everything, b.quietly = true, true, false
	if what != "" && p != gateway.Suspect {
		b.decide(gateway.Decision{Kind: "authority", What: what, Why: why})
	}
}

// takeOver begins an outage.
func (b *book) takeOver() {
	c := b.Cloud
	if !c.Returned.IsZero() && b.now.Sub(c.Returned) < relapse {
		b.Cloud.Hold = min(2*c.Hold, longestHold)
	}
	b.Authority.Lost = c.FirstBad
	b.freeze()
	b.enter(gateway.Local, "Netatmo is gone: the house is run from here", fmt.Sprintf("%s, for %v", c.Why, b.now.Sub(c.FirstBad).Round(time.Second)))
}

// freeze keeps the last good picture of the cloud, for the merge at the end.
func (b *book) freeze() {
	b.Home.Base = b.Home.Cloud
	for id, r := range b.Rooms.All() {
		r.Base, r.Moved, r.Strays = r.Cloud, false, false
		r.Written, r.Disagrees = gateway.Aim{}, time.Time{}
		b.Rooms = b.Rooms.With(id, r)
	}
}

// held reports whether good has held long enough.
func (b *book) held() bool {
	return b.Cloud.Good >= goodCount && b.now.Sub(b.Cloud.FirstGood) >= b.Cloud.Hold
}

// seen reports whether the cloud was read since it came back, with device data that is not stale.
func (b *book) seen() bool {
	c := b.Cloud
	return c.Viewed.After(b.Authority.Since) && (c.Fresh.IsZero() || b.now.Sub(c.Fresh) < staleView)
}

// jitter spreads the return of many homes over two minutes: the same home in the same outage always
// waits as long, so that it needs no dice.
func (b *book) jitter() time.Duration {
	h := fnv.New32a()
	fmt.Fprint(h, b.Home.ID, b.Authority.Lost.Unix())
	return time.Duration(h.Sum32()) % spread
}

// lookWants asks the cloud to be read while it comes back, so that the return rests on a real answer.
func (b *book) lookWants() {
	c := b.Cloud
	back := b.Authority.Phase == gateway.Local && !b.Authority.Drill && c.Probed != "" && !broken(c.Probed) || b.Authority.Phase == gateway.Returning
	if !back || !b.signedIn() {
		return
	}
	every := lookOften
	if broken(c.Called) {
		every = lookSeldom
	}
	atOnce := b.Authority.Drill && !b.Cloud.CalledAt.After(b.Authority.Since) // the cloud was never away
	if !atOnce && (b.now.Sub(c.Viewed) < every || b.now.Sub(c.CalledAt) < every) {
		return
	}
	slot, why := b.now.Truncate(every).UTC().Format(time.RFC3339), "Netatmo may be back"
	if b.Authority.Drill {
		why = "the house is about to be handed back"
	}
	b.want(want{point: gateway.CloudPoint(b.Home.ID, gateway.Look), value: gateway.Word(slot), why: why, once: true})
}
