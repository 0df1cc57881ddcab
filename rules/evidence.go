package rules

import (
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How long evidence speaks.
const (
	callForgets  = 20 * time.Minute // a probe or a call says nothing any more after this
	readDue      = 5 * time.Minute  // the cloud is read every 2 min: without an answer for longer, reads fail
	signInMargin = 10 * time.Minute // before the access token ends the house is taken over
	lookedAt     = 90 * time.Second // a good answer vouches for this long: in an outage one looks seldom
	lateTick     = 2 * time.Second  // a program that is kept from running proves nothing about others
	clockStep    = 30 * time.Second // nor does one whose clock was moved
	asleep       = 40 * time.Second // between two events while in doubt: a tick comes each 10 s at least
)

// observeTick voids what was seen while the program did not run as it should.
func (b *book) observeTick(f gateway.Tick) {
	b.quietly = b.steady && !b.everything
	b.everything = true
	if f.Late > lateTick {
		b.void()
	}
}

// observeClockStep voids the window when the wall clock was set, or when nothing at all happened for
// long in the middle of a doubt: the machine slept.
func (b *book) observeClockStep(off time.Duration, certain bool, passed time.Duration) {
	switch {
	case certain && off.Abs() > clockStep:
		b.void()
		b.Cloud.Good, b.Cloud.FirstGood = 0, time.Time{}
	case passed > asleep && b.Authority.Phase == gateway.Suspect:
		b.void()
	}
}

// void drops the window of failures: nothing in it is proved. The doubt stays, so that the next look
// comes soon.
func (b *book) void() { b.Cloud.Bad, b.Cloud.FirstBad = 0, time.Time{} }

// observeProbe takes the result of one climb of the ladder.
func (b *book) observeProbe(f gateway.Probe) {
	b.everything = true
	if f.Void || f.Verdict == gateway.VerdictSelf {
		b.void() // we were late, or are at fault, ourselves
	}
	if f.Void {
		return
	}
	c := &b.Cloud
	if broken(b.probed()) && !broken(f.Verdict) && c.Read.Verdict != gateway.VerdictAuthRevoked {
		c.Read = gateway.Service{At: c.Read.At} // a call that failed while the door was shut says nothing about it now
	}
	c.Probe, c.ProbedAt = f, b.now
	v := b.view()
	silent := f.Verdict == gateway.VerdictSelf || f.Verdict == gateway.VerdictUnknown
	switch opened := !broken(f.Verdict); {
	case silent && b.saysItself() && c.Bad >= toldTwice:
		b.keepCount(true)
	case silent:
	case opened && b.fails(c.Read):
		c.Opened = true // an open door says nothing of a read that failed behind it: the next read does
	default:
		b.keepCount(v.bad)
	}
	b.show(v)
}

// observeCall takes the outcome of a real call: what the vendor does with a request that matters.
func (b *book) observeCall(f gateway.Call) {
	b.everything = true
	c := &b.Cloud
	if !f.Expires.IsZero() {
		c.SignIn = f.Expires
	}
	s := b.plane(f.Plane)
	if s == nil || f.Verdict == gateway.VerdictUnknown {
		return
	}
	since := s.Since
	if s.Verdict != f.Verdict || b.now.Sub(s.At) > callForgets {
		since = b.now
	}
	*s = gateway.Service{Verdict: f.Verdict, Why: f.Why, At: b.now, Since: since}
	answered := f.Verdict == gateway.VerdictOK
	if answered && f.Plane == gateway.PlaneRead {
		if c.Auth.Verdict == gateway.VerdictAuthRevoked {
			c.Auth = gateway.Service{}
		}
		if broken(b.probed()) { // a real answer beats a probe that came before it
			c.Probe.Verdict, c.Probe.Scope, c.Probe.Why, c.ProbedAt = gateway.VerdictOK, nil, f.Why, b.now
		}
	}
	v := b.view()
	switch {
	case f.Plane == gateway.PlaneRead:
		b.keepCount(v.bad)
	case f.Plane == gateway.PlaneAuth && v.bad:
		b.keepCount(true)
	case f.Plane == gateway.PlaneWrite && hard(f.Verdict) && c.Bad == 0:
		b.keepCount(true) // a doubt, no more: whether it is the write alone, reads and probes tell
	}
	b.show(v)
}

// plane is what is known of one plane.
func (b *book) plane(p gateway.Plane) *gateway.Service {
	switch p {
	case gateway.PlaneRead:
		return &b.Cloud.Read
	case gateway.PlaneWrite:
		return &b.Cloud.Write
	case gateway.PlaneAuth:
		return &b.Cloud.Auth
	case gateway.PlanePush:
		return &b.Cloud.Push
	}
	return nil
}

// probed is the verdict of the last probe while it still speaks.
func (b *book) probed() gateway.Verdict {
	if b.now.Sub(b.Cloud.ProbedAt) > callForgets {
		return ""
	}
	return b.Cloud.Probe.Verdict
}

// fails reports whether the last calls on a plane were of no use. A revoked sign-in stays revoked
// until somebody signs in; everything else is forgotten.
func (b *book) fails(s gateway.Service) bool {
	return broken(s.Verdict) && (s.Verdict == gateway.VerdictAuthRevoked || b.now.Sub(s.At) <= callForgets)
}

// authBlocks reports whether a sign-in that cannot be renewed keeps the house from being served: the
// access token is about to end, or nothing could be read since.
func (b *book) authBlocks() bool {
	c := b.Cloud
	if !b.fails(c.Auth) {
		return false
	}
	read := c.Read.Verdict == gateway.VerdictOK && b.now.Sub(c.Read.At) <= readDue
	return c.Auth.Verdict == gateway.VerdictAuthRevoked || !read || b.signInEnds()
}

// signInEnds reports whether the access token is about to end and cannot be renewed.
func (b *book) signInEnds() bool {
	c := b.Cloud
	return b.fails(c.Auth) && !c.SignIn.IsZero() && !b.now.Before(c.SignIn.Add(-signInMargin))
}

// view is probes and calls in one: what is broken, what that affects, and whether it means that the
// vendor cannot serve this house.
type view struct {
	verdict  gateway.Verdict
	scope    []gateway.Plane
	why      string
	evidence []string
	bad      bool
}

// view joins what is known. A cause hides its consequences: while the ladder is broken, nothing is said
// of what fails above. A call that fails proves only that it failed, not why; that the cloud is down
// takes a probe, which has asked witnesses.
func (b *book) view() view {
	c := b.Cloud
	probed := b.probed()
	switch {
	case broken(probed):
		return view{probed, c.Probe.Scope, c.Probe.Why, c.Probe.Evidence, true}
	case b.fails(c.Auth) && c.Auth.Verdict == gateway.VerdictAuthRevoked:
		return view{gateway.VerdictAuthRevoked, []gateway.Plane{gateway.PlaneAuth}, c.Auth.Why, b.calls(), true}
	case b.fails(c.Read):
		verdict, why := c.Read.Verdict, c.Read.Why
		if b.saysItself() {
			return view{verdict, b.failing(), why + "; the way there is open", b.calls(), true}
		}
		if probed != "" && (hard(verdict) || ours(verdict) && verdict != gateway.VerdictHijack) {
			verdict = gateway.VerdictDegraded
		}
		return view{verdict, b.failing(), why, b.calls(), true}
	case b.authBlocks():
		return view{c.Auth.Verdict, b.failing(), c.Auth.Why, b.calls(), true}
	case c.Read.Verdict == gateway.VerdictRateLimited && b.now.Sub(c.Read.At) <= callForgets:
		return view{gateway.VerdictRateLimited, nil, c.Read.Why, b.calls(), false}
	case probed == gateway.VerdictRateLimited:
		return view{probed, c.Probe.Scope, c.Probe.Why, c.Probe.Evidence, false}
	case b.fails(c.Auth):
		return view{gateway.VerdictDegraded, b.failing(), c.Auth.Why, b.calls(), false}
	case b.fails(c.Write):
		return view{gateway.VerdictDegraded, b.failing(), c.Write.Why, b.calls(), false}
	case b.fails(c.Push):
		return view{gateway.VerdictDegraded, b.failing(), c.Push.Why, b.calls(), false}
	case probed == "" && c.Read.Verdict == "" || probed == gateway.VerdictSelf || probed == gateway.VerdictUnknown:
		return view{verdict: c.Probe.Verdict, scope: c.Probe.Scope, why: c.Probe.Why, evidence: c.Probe.Evidence}
	}
	return view{verdict: gateway.VerdictOK, evidence: c.Probe.Evidence}
}

// saysItself reports whether a read failed at the vendor's own servers, which may not be asked again just
// now, be it that they want us to wait: a look since has found the way there open and the internet up, and
// could not ask the API. Then the read is the last word.
func (b *book) saysItself() bool {
	c := b.Cloud
	return b.fails(c.Read) && hard(c.Read.Verdict) && b.probed() == gateway.VerdictUnknown &&
		c.Probe.Witness == gateway.Yes && !c.ProbedAt.Before(c.Read.At)
}

// toldTwice is how many failures it takes until the looks that follow count for the last one: a single
// answer, be it that we are to wait for long, takes no house over.
const toldTwice = 2

// failing lists the planes that fail.
func (b *book) failing() []gateway.Plane {
	var list []gateway.Plane
	for _, p := range []gateway.Plane{gateway.PlaneRead, gateway.PlaneWrite, gateway.PlaneAuth, gateway.PlanePush} {
		if b.fails(*b.plane(p)) {
			list = append(list, p)
		}
	}
	return list
}

// calls is the evidence of the calls that fail, one a line, then that of the last probe.
func (b *book) calls() []string {
	var list []string
	for _, p := range []gateway.Plane{gateway.PlaneRead, gateway.PlaneWrite, gateway.PlaneAuth, gateway.PlanePush} {
		if s := *b.plane(p); s.Verdict != "" && s.Verdict != gateway.VerdictOK {
			list = append(list, "call ("+string(p)+"): "+s.Why+", at "+b.clock(s.At))
		}
	}
	return append(list, b.Cloud.Probe.Evidence...)
}

// show puts a view into the State if a reader could see a difference.
func (b *book) show(v view) {
	c := &b.Cloud
	if v.verdict == "" {
		return
	}
	since := c.Since
	if v.verdict != c.Verdict {
		since = b.now
	}
	why := b.sentence(v, since)
	witness := c.Probe.Witness
	if v.verdict == c.Verdict && why == c.Why && slices.Equal(v.scope, c.Scope) && witness == c.Witness {
		return
	}
	c.Verdict, c.Scope, c.Since, c.Why, c.Evidence, c.Witness = v.verdict, v.scope, since, why, v.evidence, witness
	b.changed = true
}

// keepCount keeps count of how long good or bad has held: time, not samples, decides.
func (b *book) keepCount(bad bool) {
	c := &b.Cloud
	if bad {
		if c.Bad == 0 {
			c.FirstBad, c.Own, c.Opened, c.Behind = b.now, false, false, c.Probe.Vouched
		}
		c.Behind = c.Behind && c.Probe.Door
		c.Own = c.Own || ours(b.probed())
		c.Bad, c.LastBad, c.Good = c.Bad+1, b.now, 0
		if c.Bad == backToLocal || c.Bad == 1 && b.Authority.Phase == gateway.Local {
			b.noteFlap() // one lost answer is no flap where answers come often
		}
		return
	}
	switch unseen := b.now.Sub(c.LastGood) - lookedAt; {
	case c.Good == 0:
		c.FirstGood, c.Unseen = b.now, 0
	case unseen > 0:
		c.Unseen += unseen // nobody knows how it was meanwhile
	}
	if c.Bad >= backToLocal {
		c.Doubted = b.now
	}
	c.Good, c.LastGood, c.Bad = c.Good+1, b.now, 0
}

// noteFlap remembers how long it was good between two losses, while we are in charge: who comes and
// goes is believed only after longer than that.
func (b *book) noteFlap() {
	c := &b.Cloud
	if b.inCharge() && !b.Authority.Drill && c.FirstGood.After(b.Authority.Taken) {
		c.Flap = max(c.Flap, c.FirstBad.Sub(c.FirstGood)-c.Unseen)
	}
}

// broken reports whether the verdict means that something does not work. A used-up quota is not an
// outage, and our own fault proves nothing about others.
func broken(v gateway.Verdict) bool {
	return !slices.Contains([]gateway.Verdict{"", gateway.VerdictOK, gateway.VerdictUnknown, gateway.VerdictRateLimited, gateway.VerdictSelf}, v)
}

// hard reports whether a verdict comes of a server that is not there or says so itself.
func hard(v gateway.Verdict) bool { return v == gateway.VerdictCloudDown }

// ours reports whether the cause lies on this side of the vendor's door.
func ours(v gateway.Verdict) bool {
	return slices.Contains([]gateway.Verdict{gateway.VerdictInternetDown, gateway.VerdictLANDown, gateway.VerdictResolver, gateway.VerdictCaptive, gateway.VerdictHijack}, v)
}
