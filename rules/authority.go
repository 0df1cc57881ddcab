package rules

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How long bad or good must hold. Time held decides, not samples; the counts only make sure that
// somebody looked often enough meanwhile. Figures: the outage study's detector (2.3), which made no
// false change in 840 simulated days; detector_test.go holds this one to that.
const (
	badCount    = 5                 // failures in a row, and
	badSpan     = 90 * time.Second  // seen over this long: the cloud is gone
	bothSpan    = 135 * time.Second // the same if probes and reads look: they begin to doubt sooner
	behindSpan  = 95 * time.Second  // the same for what fails behind an open door, where only reads looked before
	fastCount   = 3                 // the same when somebody waits and two different signs agree
	fastSpan    = 30 * time.Second
	homeSpan    = 3 * time.Minute // our own link: a daily reconnect of the line takes up to 2 min
	readCount   = 7               // reads that fail behind a door that is open now and then: a line
	readSpan    = 2 * time.Minute // that loses a third of everything looks like that for a while
	brownCount  = 9               // the same after another doubt was none a short while ago: such a line
	brownSpan   = 150 * time.Second
	brownLately = 10 * time.Minute
	goodCount   = 5                // good answers in a row, and
	firstHold   = 3 * time.Minute  // held this long: it is back
	longestHold = 30 * time.Minute // the hold doubles up to this while the cloud relapses
	forgiven    = 24 * time.Hour   // after a day without loss the hold is short again
	spread      = 2 * time.Minute  // homes do not all return at once
	staleView   = 20 * time.Minute // device data older than this is not a cloud that is back
	backToLocal = 2                // failures in a row that end a return
	lookOften   = 30 * time.Second // between two requests to read the cloud while it comes back
	lookSeldom  = 5 * time.Minute  // the same while its door opens but its calls still fail
)

// How long the house stays with us once it was taken over, so that a cloud that comes and goes does not
// pass it back and forth. At most one change an hour is the aim (outage study, 8). A clean outage is
// handed back soon: nothing tells it from the first half of a flap, so takeover, return and the next
// takeover may follow each other as quickly as the cloud does. From then on it has shown what it is:
//
//   - a cloud that was good for a while and failed again is believed only after half as long again as
//     its longest good time, so a steady flap of any period up to an hour gets the house never again;
//   - a loss within two hours of a return keeps the house for two hours. Whatever a cloud does, that
//     makes two changes in two hours after the first three, for a loss that is no relapse lies two
//     hours after a return;
//   - with good and bad of up to 5 min the first stay outlasts the first good time already.
const (
	shortStay = 10 * time.Minute // after a clean loss
	flapStay  = time.Hour        // after a loss in which the cloud came and went
	longStay  = 2 * time.Hour    // after a relapse
	relapse   = 2 * time.Hour    // a loss so soon after a return is one
	longFlap  = 90 * time.Minute // no good time needs to be longer than this

	young      = 20 * time.Minute // while an outage is no older, nobody knows whether it comes and goes,
	old        = 2 * time.Hour    // and one that is older comes back in pieces, on 29 October of 3 to 4 min:
	doubtHold  = 6 * time.Minute  // good must hold for this long
	longReturn = 10 * time.Minute // of it are looked at closely at most
)

// notLooked is why Netatmo is in charge before anybody has looked.
const notLooked = "started; Netatmo has not been looked at yet"

// advanceAuthority moves on who is in charge, by how long good or bad has held.
func (b *book) advanceAuthority() {
	if b.Authority.Drill {
		b.advanceDrill()
		return
	}
	switch b.Authority.Phase {
	case gateway.Watching:
		b.watch()
	case gateway.Suspect:
		b.doubt()
	case gateway.Local:
		b.await()
	case gateway.Returning:
		b.comeBack()
	}
}

// watch looks for a first failure, and forgives after a day without a loss.
func (b *book) watch() {
	c := &b.Cloud
	switch {
	case b.signInEnds():
		b.takeOver()
	case c.Bad > 0:
		b.enter(gateway.Suspect, "", c.Why)
	case c.Good > 0 && b.Authority.Why == notLooked:
		b.explain("Netatmo answers")
	case b.unanswered():
		b.enter(gateway.Suspect, "", "Netatmo has not answered a person's command in time")
	}
	if (c.Hold > firstHold || c.Flap > 0) && b.now.Sub(c.Returned) > forgiven {
		c.Hold, c.Flap = firstHold, 0
	}
}

// doubt ends with the first good answer, or when bad has held.
func (b *book) doubt() {
	c, since := b.Cloud, b.Authority.Since
	switch {
	case b.confirmed(), b.signInEnds():
		b.takeOver()
	case c.Bad == 0 && (!c.LastGood.Before(since) || b.now.Sub(since) >= badSpan):
		b.enter(gateway.Watching, "", "Netatmo answers")
	}
}

// await waits for good answers. That the cloud comes and goes meanwhile is no news: the house stays
// where it is, and people were told once. While the return is far off the cloud is not read for it.
func (b *book) await() {
	c := b.Cloud
	switch {
	case c.Good == 0:
		b.explain(c.Why)
	case !b.signedIn():
		if b.held() {
			b.enter(gateway.Watching, "Netatmo answers again", c.Why)
		}
	case b.now.Before(b.earliest().Add(-b.closely())):
		b.explain("Netatmo answers, but it has come and gone: if it stays, the house is handed back at " + b.clock(b.earliest()))
	case b.now.Sub(c.FirstGood) >= b.jitter():
		b.enter(gateway.Returning, "", "Netatmo answers again: it is read first, nothing is written there")
	}
}

// explain changes the reason for the present phase.
func (b *book) explain(why string) {
	if b.Authority.Why != why && !b.now.Equal(b.Authority.Since) {
		b.Authority.Why, b.changed = why, true
	}
}

// comeBack hands the house back once good has held and the cloud was read, or breaks the return off.
// How long it was good is remembered then, and the next time it has to be good for longer.
func (b *book) comeBack() {
	c := &b.Cloud
	switch {
	case c.Bad >= backToLocal:
		b.enter(gateway.Local, "", "the return is broken off: "+c.Why)
	case b.held() && b.seen():
		b.handBack()
	}
}

// confirmed reports whether bad has held long enough: the cloud is gone. What was seen must span the
// time, not only have begun that long ago: a fault that lasts no longer than the span is never taken
// for more. Without a word of the witnesses the line to the world may be what fails, and it gets as
// long as a fault of our own. Who waits gets a quicker verdict if two different signs agree.
func (b *book) confirmed() bool {
	c := b.Cloud
	span, count := badSpan, badCount
	switch {
	case ours(c.Verdict), c.Own, !b.witnessed():
		span = homeSpan
	case c.Opened:
		span, count = readSpan, readCount
	case b.someoneWaits() && b.hardSigns() >= 2:
		span, count = fastSpan, fastCount
	case c.FirstBad.Sub(c.Doubted) < brownLately:
		span, count = brownSpan, brownCount
	case c.Behind:
		span = behindSpan
	case !c.Read.At.Before(c.FirstBad): // both looked, which is found out sooner
		span = bothSpan
	}
	return c.Bad >= count && c.LastBad.Sub(c.FirstBad) >= span
}

// witnessed reports whether the internet is known to be there: independent hosts say so, or the
// vendor's own door was seen open.
func (b *book) witnessed() bool {
	probed := b.probed()
	return b.Cloud.Probe.Witness == gateway.Yes || probed != "" && !broken(probed)
}

// hardSigns counts the kinds of hard evidence in the present window of failures: a probe, a read, a
// command.
func (b *book) hardSigns() int {
	c, signs := b.Cloud, 0
	since := func(at time.Time) bool { return !at.Before(c.FirstBad) }
	if hard(b.probed()) && since(c.ProbedAt) {
		signs++
	}
	if hard(c.Read.Verdict) && since(c.Read.At) {
		signs++
	}
	if hard(c.Write.Verdict) && since(c.Write.At) || b.toldInVain() {
		signs++
	}
	return signs
}

// someoneWaits reports whether an alarm sounds, or the cloud has not carried out what a person asked.
func (b *book) someoneWaits() bool {
	return b.Alarm().Phase == gateway.Sounding || b.toldInVain()
}

// held reports whether good has held long enough, the last of it looked at closely, and the house has
// stayed here long enough.
func (b *book) held() bool {
	watched := b.Authority.Phase != gateway.Returning || b.now.Sub(b.Authority.Since) >= b.closely()
	return b.Cloud.Good >= goodCount && watched && !b.now.Before(b.earliest())
}

// hold is how long good must hold.
func (b *book) hold() time.Duration {
	hold := max(b.Cloud.Hold, min(b.Cloud.Flap*3/2, longFlap))
	if age := b.now.Sub(b.Authority.Taken); age < young || age >= old {
		hold = max(hold, doubtHold)
	}
	return hold
}

// closely is how long a return is: in it the cloud is looked at as often as in a doubt, which costs
// requests; before it seldom, so that a short loss may go unseen.
func (b *book) closely() time.Duration { return min(b.hold(), longReturn) }

// earliest is when the house is handed back if the cloud stays good.
func (b *book) earliest() time.Time {
	c, a := b.Cloud, b.Authority
	good := c.FirstGood.Add(b.hold() + c.Unseen)
	stay := shortStay
	switch {
	case !c.Returned.IsZero() && a.Taken.Sub(c.Returned) < relapse:
		stay = longStay
	case c.Flap > 0:
		stay = flapStay
	}
	if ends := a.Taken.Add(stay); ends.After(good) {
		return ends
	}
	return good
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
	c := &b.Cloud
	switch again := !c.Returned.IsZero() && b.now.Sub(c.Returned) < relapse; {
	case again:
		c.Hold = min(2*c.Hold, longestHold)
		c.Flap = max(c.Flap, c.FirstBad.Sub(c.Returned)+firstHold)
	case c.FirstBad.Sub(c.Doubted) < flapStay/2: // it had come and gone before it went
		c.Flap = c.FirstBad.Sub(c.Doubted)
	default:
		c.Flap = 0
	}
	b.Authority.Taken, b.Authority.Lost = b.now, c.FirstBad
	if c.Bad == 0 { // the sign-in ends: nothing has failed yet that was needed
		b.Authority.Lost = b.now
	}
	c.Good = 0
	b.freeze()
	what := "Netatmo is gone"
	switch {
	case c.Verdict == gateway.VerdictAuthRevoked:
		what = "nobody is signed in at Netatmo any more"
	case b.signInEnds():
		what = "the sign-in at Netatmo ends at " + b.clock(c.SignIn) + " and cannot be renewed"
	}
	b.enter(gateway.Local, what+": the house is run from here", c.Why)
}

// freeze keeps the last good picture of the cloud, for the merge at the end. What was written over the LAN
// in the doubt before, and may still show, stays known as ours.
func (b *book) freeze() {
	b.Home.Base = b.Home.Cloud
	for id, r := range b.Rooms.All() {
		r.Base, r.Strays, r.Own, r.Disagrees = r.Cloud, false, gateway.Value{}, time.Time{}
		if !r.Moved || b.now.Sub(r.Written.At).Abs() > b.usual() {
			r.Moved, r.Written = false, gateway.Aim{}
		}
		b.Rooms = b.Rooms.With(id, r)
	}
}

// seen reports whether the cloud was read since it came back, with device data that is not stale.
func (b *book) seen() bool {
	c := b.Cloud
	return c.Viewed.After(b.Authority.Since) && (c.Fresh.IsZero() || b.now.Sub(c.Fresh) < staleView)
}

// jitter spreads the return of many homes over two minutes: the same home in the same outage always
// waits as long, so that it needs no dice.
func (b *book) jitter() time.Duration {
	h := fnv.New64a()
	fmt.Fprint(h, b.Home.ID, b.Authority.Lost.Unix())
	return time.Duration(h.Sum64() % uint64(spread))
}

// lookWants asks the cloud to be read while it comes back, so that the return rests on a real answer.
func (b *book) lookWants() {
	c, a := b.Cloud, b.Authority
	opened := a.Phase == gateway.Local && !a.Drill && b.probed() != "" && !broken(b.probed()) && c.Good == 0
	if !opened && a.Phase != gateway.Returning || !b.signedIn() || c.Auth.Verdict == gateway.VerdictAuthRevoked {
		return
	}
	every := lookOften
	if opened || b.fails(c.Read) {
		every = lookSeldom
	}
	atOnce := a.Drill && !c.Read.At.After(a.Since) // the cloud was never away
	if !atOnce && (b.now.Sub(c.Viewed) < every || b.now.Sub(c.Read.At) < every) {
		return
	}
	slot, why := b.now.Truncate(every).UTC().Format(time.RFC3339), "Netatmo may be back"
	if a.Drill {
		why = "the house is about to be handed back"
	}
	b.want(want{point: gateway.CloudPoint(b.Home.ID, gateway.Look), value: gateway.Word(slot), why: why, once: true})
}
