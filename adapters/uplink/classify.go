package uplink

import (
	"fmt"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// A probe counts for nothing when this process was kept from running for longer than stalled, or when
// the wall clock was moved by more than stepped since the last one.
const (
	stalled = 2 * time.Second
	stepped = 30 * time.Second
)

// finding is a verdict before it is dressed up as a gateway.Probe.
type finding struct {
	verdict gateway.Verdict
	scope   []gateway.Plane
	why     string
}

// classify says what an observation means. It is pure.
func classify(o observation) gateway.Probe {
	f := judge(o)
	if f.scope == nil {
		f.scope = scopeOf(f.verdict)
	}
	return gateway.Probe{
		Verdict:  f.verdict,
		Scope:    f.scope,
		Why:      f.why,
		Evidence: evidence(o),
		Witness:  o.internet(),
		Void:     o.void() != "",
		Door:     o.connected() && (!o.secure || o.shake.verified()),
		Vouched:  o.reply.byCall,
		Took:     o.took,
	}
}

// scopeOf is what a fault affects that is not confined to a part: all that goes to the vendor. Nothing
// at all affects what is well, what is not known, and what is our own fault.
func scopeOf(v gateway.Verdict) []gateway.Plane {
	switch v {
	case gateway.VerdictOK, gateway.VerdictUnknown, gateway.VerdictSelf:
		return nil
	}
	return []gateway.Plane{gateway.PlaneRead, gateway.PlaneWrite, gateway.PlaneAuth, gateway.PlanePush}
}

// judge finds the lowest broken rung. The order matters: what proves more comes first, and a fault
// that explains another comes before it.
func judge(o observation) finding {
	switch {
	case o.void() != "":
		return finding{verdict: gateway.VerdictSelf, why: "This look does not count: " + o.void()}
	case o.wellAtTop():
		return finding{verdict: gateway.VerdictOK, why: vendor + " answers as it should"}
	case o.shake.verified():
		return judgeReply(o)
	case o.noLink() != "":
		return finding{verdict: gateway.VerdictLANDown, why: o.noLink()}
	case o.portal() != "":
		return finding{verdict: gateway.VerdictCaptive, why: "A portal wants a sign-in before it lets anything out: " + o.portal()}
	case !o.hasAddress():
		return judgeNames(o)
	case !o.connected():
		return judgeConnection(o)
	case o.shake.tried:
		return judgeHandshake(o)
	default:
		return judgeReply(o)
	}
}

// noLink says what is wrong with this machine's own link; "" if nothing, or if the world answers all
// the same.
func (o observation) noLink() string {
	l := o.link
	switch {
	case !l.Known || l.Route && l.Carrier || o.internet() == gateway.Yes:
		return ""
	case l.Route:
		return "This machine has no link: " + l.Interface + " has no carrier"
	case l.Carrier:
		return "This machine has no router: it has a link, but no way out of the home"
	default:
		return "This machine has no link: no cable and no Wi-Fi"
	}
}

// wellAtTop reports whether the API answered well, and over TLS if it is spoken to over TLS.
func (o observation) wellAtTop() bool {
	return o.reply.known() && o.reply.healthy() && (!o.secure || o.shake.verified())
}

// void says why the climb counts for nothing; "" if it counts.
func (o observation) void() string {
	switch {
	case o.own.late > stalled:
		return fmt.Sprintf("this program was kept from running for %s", span(o.own.late))
	case o.own.step > stepped || o.own.step < -stepped:
		return fmt.Sprintf("the clock was moved by %s meanwhile", span(o.own.step.Abs()))
	case o.own.starved:
		return "this machine does not let the program open connections"
	}
	return ""
}

// starved reports whether it was this machine that refused to try.
func (o observation) starved() bool {
	for _, d := range o.dials {
		if d.failure == starved {
			return !o.connected()
		}
	}
	return len(o.names) > 0 && decisive(o.names).outcome == notTried
}

// portal says how a portal shows itself; "" if there is none, or if the vendor has proved that the way
// to it is clear. Either a page is not what it must be, or every name leads to the same kind of
// private address; an ad blocker forges only some.
func (o observation) portal() string {
	if o.shake.verified() {
		return ""
	}
	forged, honest := "", false
	for _, v := range o.votes {
		switch {
		case v.altered:
			return v.of.text + " " + v.detail
		case v.private:
			forged = v.of.text + " and all other names have no public address"
		case v.of.kind == aName:
			honest = true
		}
	}
	if honest || len(o.names) == 0 || decisive(o.names).outcome != found || o.hasAddress() {
		return ""
	}
	return forged
}

func (o observation) hasAddress() bool { return len(o.dials) > 0 }

func (o observation) connected() bool {
	for _, d := range o.dials {
		if d.failure == none && !d.pending {
			return true
		}
	}
	return false
}

// connectionFailure sums up the attempts. The refusal of one address is the plainest word there is;
// unreachable is only what all of them were.
func (o observation) connectionFailure() failure {
	how := unreachable
	for _, d := range o.dials {
		switch d.failure {
		case denied, reset:
			return d.failure
		case unreachable:
		default:
			how = silent
		}
	}
	return how
}

// judgeConnection: no address of the vendor took a connection.
func judgeConnection(o observation) finding {
	switch o.connectionFailure() {
	case denied:
		return o.beyond("the connection to " + vendor + " was refused")
	case reset: // so soon that the connection never seemed to stand
		return o.beyond("the connection to " + vendor + " was cut off at once")
	case unreachable:
		return o.beyond(vendor + "'s address cannot be reached")
	default:
		return o.beyond("the connection to " + vendor + " was not answered")
	}
}

// beyond: something between us and the vendor's edge fails. The witnesses say on which side.
func (o observation) beyond(what string) finding {
	switch {
	case o.internet() == gateway.Yes:
		return finding{verdict: gateway.VerdictCloudDown, why: upper(what) + "; your internet works: " + o.count()}
	case o.internet() == gateway.No, o.router == gateway.No:
		return o.outside(what)
	case o.hasAddress() && !o.connected() && o.connectionFailure() == unreachable:
		return finding{verdict: gateway.VerdictInternetDown, why: upper(what) + eitherOne}
	}
	return finding{verdict: gateway.VerdictCloudDown, why: upper(what) + eitherOne}
}

const eitherOne = "; internet or cloud, that cannot be told without witnesses"

// outside: neither the vendor nor the witnesses answer. The router says on which side of it the fault is.
func (o observation) outside(what string) finding {
	if len(o.votes) > 0 {
		what += ", and " + o.count()
	}
	switch o.router {
	case gateway.No:
		return finding{verdict: gateway.VerdictLANDown, why: "The router does not answer, nor does anything behind it: " + what}
	case gateway.Yes:
		return finding{verdict: gateway.VerdictInternetDown, why: "The router answers, the internet does not: " + what}
	}
	return finding{verdict: gateway.VerdictInternetDown, why: "The internet does not answer: " + what}
}

// judgeHandshake: TLS failed, or it showed a certificate that is not the vendor's.
func judgeHandshake(o observation) finding {
	h := o.shake
	switch {
	case h.plain:
		return finding{verdict: gateway.VerdictHijack, why: "Somebody else answers in " + vendor + "'s name, without encryption"}
	case h.alert != "":
		return o.beyond(vendor + " refuses the secure connection (" + h.alert + ")")
	case h.failure == silent:
		return o.beyond(vendor + " takes the connection and then says nothing")
	case h.failure == garbled:
		return o.beyond("what answers at " + vendor + "'s address makes no sense")
	case h.failure != none:
		return o.beyond("the secure connection to " + vendor + " " + string(h.failure) + " while it was set up")
	case h.noRoots:
		return finding{verdict: gateway.VerdictSelf, why: "This machine has no certificate authorities; install ca-certificates"}
	case (!h.trusted || !h.named) && o.reply.status >= 300 && o.reply.status < 400:
		return finding{verdict: gateway.VerdictCaptive, why: "A portal answers in " + vendor + "'s name and leads" + elsewhereText(o.reply)}
	case !h.trusted && o.sameTLS == gateway.No:
		return finding{verdict: gateway.VerdictSelf,
			why: "This machine cannot verify anybody's certificate; its list of certificate authorities is damaged or too old"}
	case !h.trusted:
		return finding{verdict: gateway.VerdictHijack, why: "Somebody else answers in " + vendor + "'s name, with a certificate of unknown origin"}
	case !h.named:
		return finding{verdict: gateway.VerdictHijack, why: "Somebody else answers in " + vendor + "'s name, with a certificate for " + clean(h.subject)}
	case h.future:
		return finding{verdict: gateway.VerdictClockWrong,
			why: fmt.Sprintf("%s's certificate is valid only from %s on: our clock is behind", vendor, day(h.notBefore))}
	case o.trust == gateway.TrustSynced || o.trust == gateway.TrustHoldover:
		return finding{verdict: gateway.VerdictDegraded, why: fmt.Sprintf("%s let its certificate expire at %s; our clock is right", vendor, day(h.notAfter))}
	default:
		return finding{verdict: gateway.VerdictClockWrong,
			why: fmt.Sprintf("%s's certificate expired at %s by our clock, which nobody has confirmed", vendor, day(h.notAfter))}
	}
}

// judgeReply: the vendor's edge was reached and the API does not answer as it should.
func judgeReply(o observation) finding {
	r := o.reply
	switch {
	case r.blank():
		return finding{verdict: gateway.VerdictUnknown, why: "The way to " + vendor + " is open; its API is not asked for " + span(r.spared) + ", to spare our quota"}
	case r.failure == silent && r.inBody:
		return o.behind(gateway.VerdictDegraded, nil, "begins to answer and does not finish")
	case r.failure == silent:
		return o.behind(gateway.VerdictDegraded, nil, "takes the request and does not answer in time")
	case r.failure != none && r.failure != garbled:
		return o.behind(gateway.VerdictCloudDown, nil, "takes the request, but the connection "+string(r.failure)+" before an answer")
	case r.failure == garbled:
		return o.behind(gateway.VerdictDegraded, nil, "answers something that is not HTTP")
	case r.status == 511:
		return finding{verdict: gateway.VerdictCaptive, why: "A portal wants a sign-in before it lets anything out (status 511)"}
	case r.status == 429 && r.code == codeBusy:
		return o.behind(gateway.VerdictRateLimited, nil, "says that we ask too much at once")
	case r.limited():
		return o.behind(gateway.VerdictRateLimited, nil, "says that our quota is used up")
	case r.status >= 500:
		return o.behind(gateway.VerdictCloudDown, nil, fmt.Sprintf("answers %d with %s", r.status, r.content))
	case r.status >= 300 && r.status < 400:
		return o.redirected()
	case r.status >= 400:
		return o.behind(gateway.VerdictDegraded, nil, fmt.Sprintf("answers %d with %s in place of its API", r.status, r.content))
	default:
		return o.behind(gateway.VerdictDegraded, []gateway.Plane{gateway.PlaneRead}, fmt.Sprintf("answers %d with %s", r.status, r.content))
	}
}

// redirected: an API does not redirect. Without a certificate that proves the vendor it is a portal,
// unless a page that a portal would change is unchanged.
func (o observation) redirected() finding {
	proven := o.shake.verified()
	for _, v := range o.votes {
		proven = proven || v.of.kind == aPage && v.yes
	}
	if proven {
		return o.behind(gateway.VerdictDegraded, nil, "leads"+elsewhereText(o.reply)+" in place of its API")
	}
	return finding{verdict: gateway.VerdictCaptive, why: "A portal answers in " + vendor + "'s name and leads" + elsewhereText(o.reply)}
}

// behind: the fault lies behind the vendor's edge, unless what answered has proved nothing and the
// internet is gone.
func (o observation) behind(v gateway.Verdict, scope []gateway.Plane, what string) finding {
	if o.internet() == gateway.No {
		return o.outside("what answers in " + vendor + "'s name " + what)
	}
	why := vendor + " " + what
	if o.reply.retryAfter > 0 {
		why += fmt.Sprintf(" and asks to wait %s", span(min(o.reply.retryAfter, longestWish)))
	}
	switch {
	case len(o.votes) == 0 && o.internet() == gateway.NotKnown:
		why += eitherOne
	case o.internet() == gateway.Yes:
		why += "; your internet works: " + o.count()
	}
	return finding{verdict: v, scope: scope, why: why}
}

func elsewhereText(r reply) string {
	if r.elsewhere == "" {
		return " elsewhere"
	}
	return " to " + r.elsewhere
}

func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
