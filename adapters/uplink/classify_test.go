package uplink

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// seen builds an observation: a healthy climb of a well-connected house, then changed.
func seen(changes ...func(*observation)) observation {
	o := observation{
		host: "api.netatmo.com", secure: true, now: instant, trust: gateway.TrustSynced,
		link:  Link{Known: true, Interface: "eth0", Carrier: true, Route: true},
		names: []lookup{{server: "192.168.1.1:53", outcome: found, addresses: addresses("20.50.2.1"), took: 9 * time.Millisecond}},
		dials: []dial{{to: netip.MustParseAddrPort("20.50.2.1:443"), took: 20 * time.Millisecond}},
		shake: handshake{tried: true, trusted: true, named: true, subject: "api.netatmo.com", issuer: "Some CA",
			notBefore: instant.AddDate(0, -1, 0), notAfter: instant.AddDate(0, 2, 0)},
		reply: reply{asked: true, status: 403, content: refusal, code: 1, message: "Access token is missing"},
		took:  90 * time.Millisecond,
	}
	for _, change := range changes {
		change(&o)
	}
	return o
}

func addresses(list ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range list {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// The ways in which witnesses vote.
var (
	nameWitness = witness{text: "debian.org", kind: aName}
	doorWitness = witness{text: "9.9.9.9:443", kind: aDoor}
	pageWitness = witness{text: "http://page.example/ok", kind: aPage}
)

func votes(name, door, page gateway.Answer) func(*observation) {
	return func(o *observation) {
		o.votes = []vote{
			{of: nameWitness, yes: name == gateway.Yes},
			{of: doorWitness, yes: door == gateway.Yes},
			{of: pageWitness, yes: page == gateway.Yes, abstain: page == gateway.NotKnown},
		}
		if name == gateway.Yes {
			o.votes[0].servers = []string{"192.168.1.1:53"}
		}
	}
}

func allUp(o *observation)   { votes(gateway.Yes, gateway.Yes, gateway.Yes)(o) }
func allDown(o *observation) { votes(gateway.No, gateway.No, gateway.NotKnown)(o) }
func cached(o *observation)  { votes(gateway.Yes, gateway.No, gateway.No)(o) } // the router still knows names
func nobody(o *observation)  { o.votes = nil }
func portalPage(o *observation) {
	o.votes = append(o.votes, vote{of: pageWitness, altered: true, detail: "is redirected to portal.lan"})
}
func routerIs(a gateway.Answer) func(*observation) { return func(o *observation) { o.router = a } }
func trusting(t gateway.Trust) func(*observation)  { return func(o *observation) { o.trust = t } }

// stopsAt cuts the climb off below a rung.
func noNames(outcomes ...outcome) func(*observation) {
	return func(o *observation) {
		o.names = nil
		for i, out := range outcomes {
			o.names = append(o.names, lookup{server: []string{"192.168.1.1:53", "192.168.1.2:53"}[i], outcome: out})
		}
		noConnection()(o)
	}
}

func answers(list ...string) func(*observation) {
	return func(o *observation) {
		o.names[0].addresses = addresses(list...)
		noConnection()(o)
	}
}

func elseNames(out outcome) func(*observation) {
	return func(o *observation) {
		o.second = []lookup{{server: "9.9.9.9:53", outcome: out}}
		if out == found {
			o.second[0].addresses = addresses("20.50.2.1")
		}
	}
}

func noConnection(failures ...failure) func(*observation) {
	return func(o *observation) {
		o.dials = nil
		for _, f := range failures {
			o.dials = append(o.dials, dial{to: netip.MustParseAddrPort("20.50.2.1:443"), failure: f})
		}
		o.shake, o.reply = handshake{}, reply{}
	}
}

func noTLS(h handshake) func(*observation) {
	return func(o *observation) {
		h.tried = true
		o.shake, o.reply = h, reply{}
	}
}

func badCertificate(change func(*handshake)) func(*observation) {
	return func(o *observation) { change(&o.shake) }
}

func replies(r reply) func(*observation) {
	return func(o *observation) {
		r.asked = r.remembered == 0
		o.reply = r
	}
}

func plainHTTP(o *observation) { o.secure, o.shake = false, handshake{} }

func TestClassify(t *testing.T) {
	const (
		ok, down, degraded = gateway.VerdictOK, gateway.VerdictCloudDown, gateway.VerdictDegraded
		offline, lan       = gateway.VerdictInternetDown, gateway.VerdictLANDown
		resolver, hijack   = gateway.VerdictResolver, gateway.VerdictHijack
		captive, clock     = gateway.VerdictCaptive, gateway.VerdictClockWrong
		self, limited      = gateway.VerdictSelf, gateway.VerdictRateLimited
	)
	read := []gateway.Plane{gateway.PlaneRead}
	wrongName := func(h *handshake) { h.named, h.subject = false, "portal.lan" }
	unknownCA := func(h *handshake) { h.trusted = false }
	expired := func(h *handshake) { h.expired, h.notAfter = true, instant.AddDate(0, 0, -1) }
	future := func(h *handshake) { h.future, h.notBefore = true, instant.AddDate(1, 0, 0) }
	trustElsewhere := func(a gateway.Answer) func(*observation) { return func(o *observation) { o.sameTLS = a } }
	type changes = []func(*observation)

	for _, c := range []struct {
		name  string
		saw   changes
		want  gateway.Verdict
		scope []gateway.Plane
		why   string // a part of it
	}{
		{"healthy", nil, ok, nil, "as it should"},
		{"healthy though the kernel shows no default route", changes{func(o *observation) { o.link = Link{Known: true} }}, ok, nil, ""},
		{"healthy with the vendor's bare word of an error", changes{replies(reply{status: 400, content: refusal})}, ok, nil, ""},
		{"healthy with JSON", changes{replies(reply{status: 200, content: jsonText})}, ok, nil, ""},

		{"1 NXDOMAIN, two agree, witnesses up", changes{noNames(missing), elseNames(missing), allUp}, down, nil, "2 name servers"},
		{"1 NXDOMAIN of both the home's servers", changes{noNames(missing, missing), allUp}, down, nil, "2 name servers"},
		{"1 NXDOMAIN, the other finds it", changes{noNames(missing), elseNames(found), allUp}, resolver, nil, "9.9.9.9 finds it"},
		{"1 NXDOMAIN, nobody confirms", changes{noNames(missing), elseNames(noAnswer), allUp}, resolver, nil, "no other confirms"},
		{"1 NXDOMAIN for everything, world gone", changes{noNames(missing, missing), allDown}, offline, nil, "0 of 2"},
		{"2 empty, two agree", changes{noNames(empty), elseNames(empty), allUp}, down, nil, "empty answer"},
		{"2 empty, the other finds it", changes{noNames(empty), elseNames(found), allUp}, resolver, nil, ""},
		{"3 SERVFAIL, other names resolve", changes{noNames(servfail), allUp}, down, nil, "3 of 3"},
		{"3 SERVFAIL for all names, connections work", changes{noNames(servfail), votes(gateway.No, gateway.Yes, gateway.NotKnown)}, resolver, nil, "fails"},
		{"3 SERVFAIL, world gone", changes{noNames(servfail), allDown, routerIs(gateway.Yes)}, offline, nil, "The router answers"},
		{"3 SERVFAIL, router still knows other names, world gone", changes{noNames(servfail), cached}, offline, nil, "1 of 3"},
		{"3 SERVFAIL without witnesses", changes{noNames(servfail), nobody}, down, nil, "internet or cloud"},
		{"4 REFUSED", changes{noNames(notServed), allUp}, resolver, nil, "REFUSED"},
		{"4 REFUSED by a router that lost the internet", changes{noNames(notServed), allDown, routerIs(gateway.Yes)}, offline, nil, ""},
		{"4 REFUSED without witnesses", changes{noNames(notServed), nobody}, resolver, nil, ""},
		{"5 silent for all names, world gone", changes{noNames(noAnswer), allDown}, offline, nil, "silent"},
		{"5 silent for the vendor only", changes{noNames(noAnswer), allUp}, down, nil, "other names"},
		{"5 silent for all names, connections work", changes{noNames(noAnswer), votes(gateway.No, gateway.Yes, gateway.NotKnown)}, resolver, nil, ""},
		{"5 silent without witnesses", changes{noNames(noAnswer), nobody}, offline, nil, "internet or cloud"},
		{"6 resolver dead", changes{noNames(noServer), votes(gateway.No, gateway.Yes, gateway.NotKnown)}, resolver, nil, "nobody serves names"},
		{"6 resolver dead with the router", changes{noNames(noServer), allDown, routerIs(gateway.No)}, lan, nil, "router does not answer"},
		{"6 resolver out of reach", changes{noNames(noWay), allDown, routerIs(gateway.No)}, lan, nil, ""},
		{"6 resolver out of reach, connections work", changes{noNames(noWay), votes(gateway.No, gateway.Yes, gateway.NotKnown)}, resolver, nil, "no way to that name server"},
		{"7 answer 0.0.0.0", changes{answers("0.0.0.0"), allUp}, hijack, nil, "no address at all"},
		{"7 answers 0.0.0.0 and ::", changes{answers("0.0.0.0", "::"), allUp}, hijack, nil, ""},
		{"8 private answer", changes{answers("192.168.1.250"), allUp}, hijack, nil, "private address"},
		{"8 link-local answer", changes{answers("169.254.79.219"), allUp}, hijack, nil, "link-local"},
		{"8 private answer and a portal", changes{answers("10.0.0.1"), allUp, portalPage}, captive, nil, "portal.lan"},

		{"9 refused, witnesses up", changes{noConnection(denied), allUp}, down, nil, "was refused; your internet works: 3 of 3"},
		{"9 refused, world gone", changes{noConnection(denied), allDown}, offline, nil, ""},
		{"9 refused, 2 of 3 witnesses up", changes{noConnection(denied), votes(gateway.Yes, gateway.Yes, gateway.No)}, down, nil, "2 of 3"},
		{"10 black hole, witnesses up", changes{noConnection(silent), allUp}, down, nil, "not answered"},
		{"10 black hole, world gone", changes{noConnection(silent), cached}, offline, nil, ""},
		{"10 black hole without witnesses", changes{noConnection(silent), nobody}, down, nil, "internet or cloud"},
		{"10 black hole without witnesses, router gone", changes{noConnection(silent), nobody, routerIs(gateway.No)}, lan, nil, ""},
		{"11 no carrier", changes{noConnection(unreachable), allDown, func(o *observation) { o.link = Link{Known: true} }}, lan, nil, "no cable and no Wi-Fi"},
		{"11 carrier lost, route still there", changes{noNames(noWay), allDown, func(o *observation) { o.link.Carrier = false }}, lan, nil, "eth0"},
		{"11 no router", changes{noConnection(unreachable), allDown, func(o *observation) { o.link.Route = false }}, lan, nil, "no router"},
		{"11 router silent", changes{noConnection(unreachable), allDown, routerIs(gateway.No)}, lan, nil, "router does not answer"},
		{"11 router answers", changes{noConnection(unreachable), allDown, routerIs(gateway.Yes)}, offline, nil, "router answers"},
		{"11 unreachable without witnesses", changes{noConnection(unreachable), nobody}, offline, nil, ""},
		{"11 only the vendor's network is gone", changes{noConnection(unreachable, silent), allUp}, down, nil, ""},
		{"11 odd routing, witnesses up", changes{noConnection(silent), allUp, func(o *observation) { o.link.Route = false }}, down, nil, ""},
		{"12 reset", changes{noTLS(handshake{failure: reset}), allUp}, down, nil, "was cut off"},
		{"12 reset of everything", changes{noTLS(handshake{failure: reset}), allDown}, offline, nil, ""},
		{"12 reset before it stands", changes{noConnection(reset), allUp}, down, nil, "was cut off"},
		{"13 closed in the handshake", changes{noTLS(handshake{failure: closed}), allUp}, down, nil, "was closed"},
		{"14 TLS silent", changes{noTLS(handshake{failure: silent}), allUp}, down, nil, "says nothing"},

		{"15 wrong name", changes{badCertificate(wrongName), allUp}, hijack, nil, "portal.lan"},
		{"15 wrong name and a portal", changes{badCertificate(wrongName), allUp, portalPage}, captive, nil, ""},
		{"16 unknown CA, others verify", changes{badCertificate(unknownCA), allUp, trustElsewhere(gateway.Yes)}, hijack, nil, "unknown origin"},
		{"16 unknown CA, others do not verify either", changes{badCertificate(unknownCA), allUp, trustElsewhere(gateway.No)}, self, nil, "anybody's certificate"},
		{"16 unknown CA, nobody to compare with", changes{badCertificate(unknownCA), nobody}, hijack, nil, ""},
		{"16 no authorities at all", changes{badCertificate(func(h *handshake) { h.trusted, h.noRoots = false, true }), allUp}, self, nil, "ca-certificates"},
		{"17 expired, clock synced", changes{badCertificate(expired), allUp}, degraded, nil, "our clock is right"},
		{"17 expired, clock in holdover", changes{badCertificate(expired), allUp, trusting(gateway.TrustHoldover)}, degraded, nil, ""},
		{"17 expired, clock a guess", changes{badCertificate(expired), allUp, trusting(gateway.TrustGuess)}, clock, nil, "nobody has confirmed"},
		{"17 expired, clock not yet judged", changes{badCertificate(expired), allUp, trusting("")}, clock, nil, ""},
		{"18 not yet valid", changes{badCertificate(future), allUp}, clock, nil, "our clock is behind"},
		{"19 alert", changes{noTLS(handshake{failure: denied, alert: "handshake failure"}), allUp}, down, nil, "handshake failure"},
		{"20 plain HTTP", changes{noTLS(handshake{failure: garbled, plain: true}), allUp}, hijack, nil, "without encryption"},
		{"20 plain HTTP and a portal", changes{noTLS(handshake{failure: garbled, plain: true}), allUp, portalPage}, captive, nil, ""},

		{"21 redirect, verified", changes{replies(reply{status: 302, elsewhere: "status.example"}), allUp}, degraded, nil, "to status.example"},
		{"21 redirect, unverified", changes{plainHTTP, replies(reply{status: 302, elsewhere: "portal.lan"}), nobody}, captive, nil, "to portal.lan"},
		{"21 redirect, unverified, the page is as it should be", changes{plainHTTP, replies(reply{status: 302}), allUp}, degraded, nil, ""},
		{"22 500", changes{replies(reply{status: 500, content: page}), allUp}, down, nil, "500 with HTML; your internet works"},
		{"22 502", changes{replies(reply{status: 502, content: page}), allUp}, down, nil, "502"},
		{"22 503", changes{replies(reply{status: 503, content: page}), allUp}, down, nil, "503"},
		{"22 504", changes{replies(reply{status: 504, content: page}), allUp}, down, nil, "504"},
		{"22 500 with the vendor's own error", changes{replies(reply{status: 500, content: refusal, message: "MongoError"}), allUp}, down, nil, "500"},
		{"22 503, witnesses off, but its certificate is good", changes{replies(reply{status: 503, content: page}), allDown}, down, nil, "503"},
		{"22 503 unverified, world gone", changes{plainHTTP, replies(reply{status: 503, content: page}), allDown}, offline, nil, ""},
		{"22 503 without witnesses, its certificate is good", changes{replies(reply{status: 503, content: page}), nobody}, down, nil, "its certificate was verified"},
		{"22 503 unverified without witnesses", changes{plainHTTP, replies(reply{status: 503, content: page}), nobody}, down, nil, "internet or cloud"},
		{"23 503 with Retry-After", changes{replies(reply{status: 503, content: page, retryAfter: 10 * time.Minute}), allUp}, down, nil, "asks to wait 10 min"},
		{"23 not asked again yet", changes{replies(reply{status: 503, content: page, remembered: time.Minute}), allUp}, down, nil, "503"},
		{"24 200 with HTML", changes{replies(reply{status: 200, content: page}), allUp}, degraded, read, "200 with HTML"},
		{"25 200 with nothing", changes{replies(reply{status: 200, content: nothing}), allUp}, degraded, read, "nothing"},
		{"25 200 truncated", changes{replies(reply{status: 200, content: cut}), allUp}, degraded, read, "truncated"},
		{"27 slow headers", changes{replies(reply{failure: silent}), allUp}, degraded, nil, "in time"},
		{"27 dribbling body", changes{replies(reply{status: 200, failure: silent, inBody: true}), allUp}, degraded, nil, "does not finish"},
		{"27 cut off before an answer", changes{replies(reply{failure: reset}), allUp}, down, nil, "was cut off"},
		{"27 not HTTP", changes{replies(reply{failure: garbled}), allUp}, degraded, nil, "not HTTP"},
		{"31 429", changes{replies(reply{status: 429, content: refusal, code: 26}), allUp}, limited, nil, "quota"},
		{"31 403 with code 26", changes{replies(reply{status: 403, content: refusal, code: 26}), allUp}, limited, nil, "quota"},
		{"403 of an edge, not of the API", changes{replies(reply{status: 403, content: page}), allUp}, degraded, nil, "in place of its API"},
		{"511", changes{plainHTTP, replies(reply{status: 511, content: page}), nobody}, captive, nil, "sign-in"},

		{"captive, lets DNS through and nothing else", changes{noConnection(silent), votes(gateway.Yes, gateway.No, gateway.No), portalPage}, captive, nil, "portal.lan"},
		{"captive, but the vendor proves itself", changes{replies(reply{status: 503, content: page}), allUp, portalPage}, down, nil, ""},
		{"18 and 21: the vendor redirects, our clock is behind", changes{badCertificate(future), replies(reply{status: 302, elsewhere: "x.example"}), allUp}, clock, nil, ""},
		{"15, 18 and 21: a portal with a new certificate", changes{badCertificate(wrongName), badCertificate(future), replies(reply{status: 302, elsewhere: "portal.lan"}), allUp}, captive, nil, "to portal.lan"},
		{"16 and 17: forged and expired", changes{badCertificate(unknownCA), badCertificate(expired), allUp}, hijack, nil, ""},
		{"3 and 11: no carrier explains the name", changes{noNames(servfail), allDown, func(o *observation) { o.link = Link{Known: true} }}, lan, nil, ""},
		{"own stall", changes{noConnection(silent), allUp, func(o *observation) { o.own.late = 3 * time.Second }}, self, nil, "kept from running"},
		{"clock stepped", changes{func(o *observation) { o.own.step = -time.Hour }}, self, nil, "clock was moved by 60 min"},
		{"no file descriptors", changes{noConnection(starved), allUp, func(o *observation) { o.own.starved = true }}, self, nil, "does not let the program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := seen(c.saw...)
			p := classify(o)
			if c.scope == nil {
				c.scope = scopeOf(c.want)
			}
			if p.Verdict != c.want || !slices.Equal(p.Scope, c.scope) {
				t.Errorf("got %s %v, want %s %v: %s", p.Verdict, p.Scope, c.want, c.scope, p.Why)
			}
			if !strings.Contains(p.Why, c.why) {
				t.Errorf("why is %q, want it to say %q", p.Why, c.why)
			}
			checkWords(t, o, p)
		})
	}
}

// checkWords holds what is true of every probe.
func checkWords(t *testing.T, o observation, p gateway.Probe) {
	t.Helper()
	if p.Why == "" || strings.Contains(p.Why, "%!") || strings.ContainsAny(p.Why, "\n\r") {
		t.Errorf("why is not a sentence: %q", p.Why)
	}
	for _, e := range p.Evidence {
		if e == "" || strings.Contains(e, "%!") || strings.ContainsAny(e, "\n\r") {
			t.Errorf("evidence is not a fact: %q", e)
		}
	}
	if p.Verdict == gateway.VerdictCloudDown && p.Witness == gateway.No {
		t.Errorf("the cloud is blamed although the witnesses are down: %s", p.Why)
	}
	if p.Void != (o.void() != "") || p.Void && p.Verdict != gateway.VerdictSelf {
		t.Errorf("void is %v with verdict %s", p.Void, p.Verdict)
	}
	if again := classify(o); again.Verdict != p.Verdict || again.Why != p.Why || !slices.Equal(again.Evidence, p.Evidence) {
		t.Error("the same observation was judged differently")
	}
}

func TestFamilies(t *testing.T) {
	four := dial{to: netip.MustParseAddrPort("20.50.2.1:443"), took: 20 * time.Millisecond}
	six := dial{to: netip.MustParseAddrPort("[2603::1]:443"), pending: true, took: 400 * time.Millisecond}
	quick, gone, works := six, six, six
	quick.took = 50 * time.Millisecond
	gone.pending, gone.failure = false, unreachable
	works.pending = false
	for _, c := range []struct {
		name  string
		dials []dial
		want  string
	}{
		{"34 IPv6 black hole", []dial{four, six}, "IPv6 did not answer for 400 ms, IPv4 did"},
		{"not waited for long enough to tell", []dial{four, quick}, ""},
		{"a house without IPv6", []dial{four, gone}, ""},
		{"both work", []dial{four, works}, ""},
	} {
		p := classify(seen(func(o *observation) { o.dials = c.dials }))
		if p.Verdict != gateway.VerdictOK {
			t.Errorf("%s: verdict %s, want ok", c.name, p.Verdict)
		}
		if got := strings.Join(p.Evidence, "\n"); strings.Contains(got, "did not answer for") != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: evidence\n%s\nwant %q", c.name, got, c.want)
		}
	}
	slowly := four
	slowly.took = 300 * time.Millisecond
	p := classify(seen(func(o *observation) { o.dials = []dial{slowly} }))
	if !slices.ContainsFunc(p.Evidence, func(e string) bool { return strings.Contains(e, "slowly (300 ms)") }) {
		t.Errorf("a slow connection is not mentioned: %q", p.Evidence)
	}
}

func TestWitnessVote(t *testing.T) {
	const yes, no, unknown = gateway.Yes, gateway.No, gateway.NotKnown
	name, door, site := vote{of: nameWitness}, vote{of: doorWitness}, vote{of: pageWitness}
	well := func(v vote) vote { v.yes = true; return v }
	away := func(v vote) vote { v.abstain = true; return v }
	for _, c := range []struct {
		title string
		votes []vote
		want  gateway.Answer
	}{
		{"none configured", nil, unknown},
		{"three of three", []vote{well(name), well(door), well(site)}, yes},
		{"two of three", []vote{well(name), well(door), site}, yes},
		{"one of three: a cached name", []vote{well(name), door, site}, no},
		{"one of three: a door that a proxy opens", []vote{well(name), door, site, away(site)}, no},
		{"connections work, names do not, so no page", []vote{name, well(door), away(site)}, yes},
		{"connections work, names do not, a page at an address fails", []vote{name, well(door), site}, no},
		{"one host of a kind is enough", []vote{name, well(name), door, well(door)}, yes},
		{"one kind only, yes", []vote{door, well(door)}, yes},
		{"one kind only, no", []vote{door, door}, no},
		{"only a page whose name is not found", []vote{away(site)}, unknown},
	} {
		o := observation{votes: c.votes}
		if got := o.internet(); got != c.want {
			t.Errorf("%s: %q, want %q", c.title, got, c.want)
		}
	}
}
