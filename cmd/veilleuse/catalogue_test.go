package main

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
)

// tooSlow is how long a look at a fault may take: a later answer is none for a person who waits.
const tooSlow = 3 * time.Second

// TestCatalogue puts a whole house, with the two adapters that speak to the vendor and the real rules,
// before every fault of the outage study's catalogue, from real sockets. It prints a table:
//
//	go test ./cmd/veilleuse -run TestCatalogue$ -v
func TestCatalogue(t *testing.T) {
	if testing.Short() {
		t.Skip("the catalogue waits for many time-outs")
	}
	rows := catalogue()
	lines, wrong := make([]string, len(rows)), make([]string, len(rows))
	left := make([]int, len(rows))
	for i := range rows {
		left[i] = i
	}
	began := time.Now()
	for _, beside := range []int{10, 3, 1} { // time-outs are part of what is tested, and a busy machine looks like a silent vendor
		if time.Since(began) < triesAgain {
			tryFaults(t, rows, left, beside, lines, wrong)
			left = slices.DeleteFunc(left, func(i int) bool { return wrong[i] == "" })
		}
	}
	for _, i := range left {
		t.Errorf("%s %s: %s", rows[i].number, rows[i].name, wrong[i])
	}
	t.Log("\n" + strings.Join(lines, "\n"))
}

// triesAgain is for how long rows that failed in company are tried again with less of it.
const triesAgain = 4 * time.Minute

// tryFaults plays some of the rows, so many beside each other, and notes the line of each and what is wrong.
func tryFaults(t *testing.T, rows []fault, some []int, beside int, lines, wrong []string) {
	places := make(chan struct{}, beside)
	var all sync.WaitGroup
	for _, i := range some {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			lines[i], wrong[i] = tryFault(t, rows[i])
		})
	}
	all.Wait()
}

// tryFault plays one row and returns its line of the table, and what is wrong.
func tryFault(t *testing.T, f fault) (line, wrong string) {
	w, err := newCatalogueWorld(f)
	if err != nil {
		return "", err.Error()
	}
	defer w.close()
	if f.from {
		if err := w.breakNow(f); err != nil {
			return "", err.Error()
		}
	}
	w.start(t, f)
	if !f.from {
		if !w.healthy(20 * time.Second) {
			return "", fmt.Sprintf("never well: %+v", w.house.now().Cloud)
		}
		if err := w.breakNow(f); err != nil {
			return "", err.Error()
		}
	}
	if f.play != nil {
		f.play(w)
	}
	var e gateway.Event
	var s gateway.State
	found := eventually(20*time.Second, func() (ok bool) { e, s, ok = w.verdict(f); return ok })
	took := length(e)
	line = fmt.Sprintf("%-6s| %-58s| %-14s| %-8v| %5d ms| %s", f.number, f.name, s.Cloud.Verdict, s.Cloud.Scope, took.Milliseconds(), s.Cloud.Why)
	switch {
	case !found:
		return line, fmt.Sprintf("%s %v %q, want %s %v with %q\n%s\n%s", s.Cloud.Verdict, s.Cloud.Scope, s.Cloud.Why, f.want, f.scope, f.why,
			strings.Join(s.Cloud.Evidence, "\n"), w.story())
	case took > tooSlow:
		return line, fmt.Sprintf("took %v", took)
	}
	if !f.proven() && !f.plain {
		if secret := w.leaked(); secret != "" {
			return line, fmt.Sprintf("%s was sent to somebody who had not proved to be the vendor", secret)
		}
	}
	if f.check != nil {
		return line, f.check(w)
	}
	return line, ""
}

// story is what was posted since the fault, for a row that fails.
func (w *catalogueWorld) story() string {
	var text strings.Builder
	events, after := w.since()
	for i, e := range events {
		switch f := e.Fact.(type) {
		case gateway.Probe:
			fmt.Fprintf(&text, "probe %s %v void %v: %s", f.Verdict, f.Scope, f.Void, f.Why)
		case gateway.Call:
			fmt.Fprintf(&text, "call %s %s: %s", f.Plane, f.Verdict, f.Why)
		default:
			continue
		}
		fmt.Fprintf(&text, " -> %s %v\n", after[i].Cloud.Verdict, after[i].Cloud.Scope)
		if text.Len() > 2000 {
			break
		}
	}
	return text.String()
}

func oneFault(f ...uplinktest.Fault) []uplinktest.Fault { return f }

func atVendor(kind netatmotest.Kind, paths ...string) []netatmotest.Fault {
	return []netatmotest.Fault{{Kind: kind, Paths: paths}}
}

func withLink(l uplink.Link) func(*uplink.Options) {
	return func(o *uplink.Options) { o.Link = func() uplink.Link { return l } }
}

func noWitness(o *uplink.Options) { o.Witnesses = []string{} }

// strangeRoots is a trust store that knows none of the world's authorities.
func strangeRoots(o *uplink.Options) { o.Roots = x509.NewCertPool() }

// reported is a fact of the cloud adapter about one plane.
func reported(plane gateway.Plane, verdict gateway.Verdict, why string) func(gateway.Event) bool {
	return func(e gateway.Event) bool {
		c, ok := e.Fact.(gateway.Call)
		return ok && c.Plane == plane && c.Verdict == verdict && strings.Contains(c.Why, why)
	}
}

func catalogue() []fault {
	return append(append(waysToTheVendor(), behindTheDoor()...), combinations()...)
}

// waysToTheVendor are the faults 1 to 25, 27 and 34: prober and calls both meet them.
func waysToTheVendor() []fault {
	const (
		down, degraded, hijack, resolver = gateway.VerdictCloudDown, gateway.VerdictDegraded, gateway.VerdictHijack, gateway.VerdictResolver
		captive, clock                   = gateway.VerdictCaptive, gateway.VerdictClockWrong
	)
	read := []gateway.Plane{gateway.PlaneRead}
	up := uplink.Link{Known: true, Interface: "eth0", Carrier: true, Route: true}
	answering, mute := up, up
	answering.Router, mute.Router = gateway.Yes, gateway.No
	return []fault{
		{number: "1", name: "NXDOMAIN, two name servers agree", world: oneFault(uplinktest.NXDomain), want: down, why: "2 name servers say"},
		{number: "1", name: "NXDOMAIN, nobody confirms it", world: oneFault(uplinktest.NXDomain), want: resolver, why: "no other confirms it",
			change: func(o *uplink.Options) { o.SecondOpinion = []string{} }},
		{number: "2", name: "empty DNS answer", world: oneFault(uplinktest.EmptyAnswer), want: down, why: "empty answer"},
		{number: "3", name: "SERVFAIL", world: oneFault(uplinktest.ServFail), want: down, why: "SERVFAIL"},
		{number: "4", name: "DNS refused", world: oneFault(uplinktest.NameRefused), want: resolver, why: "REFUSED"},
		{number: "5", name: "DNS silent for the vendor's name", world: oneFault(uplinktest.NameSilent), want: down, why: "though it does for other names"},
		{number: "5", name: "DNS silent, and all else", world: oneFault(uplinktest.InternetDown), want: gateway.VerdictInternetDown, why: "witnesses answered"},
		{number: "6", name: "name server dead", world: oneFault(uplinktest.ResolverDead), want: resolver, why: "nobody serves names there"},
		{number: "7", name: "DNS answer 0.0.0.0", world: oneFault(uplinktest.ZeroAddress), want: hijack, why: "0.0.0.0, which is no address at all"},
		{number: "8", name: "DNS answer private", world: oneFault(uplinktest.PrivateName), want: hijack, why: "a private address"},
		{number: "9", name: "connection refused", world: oneFault(uplinktest.Refused), want: down, why: "was refused; your internet works: 5 of 5"},
		{number: "10", name: "SYN black hole", world: oneFault(uplinktest.BlackHole), want: down, why: "not answered; your internet works"},
		{number: "10", name: "SYN black hole, no witness configured", world: oneFault(uplinktest.BlackHole), change: noWitness, want: down, why: "internet or cloud"},
		{number: "11", name: "no carrier", world: oneFault(uplinktest.InternetDown), change: withLink(uplink.Link{Known: true}),
			want: gateway.VerdictLANDown, why: "no cable and no Wi-Fi"},
		{number: "11", name: "router silent", world: oneFault(uplinktest.InternetDown), change: withLink(mute), want: gateway.VerdictLANDown, why: "router does not answer"},
		{number: "11", name: "router answers, nothing behind it", world: oneFault(uplinktest.InternetDown), change: withLink(answering),
			want: gateway.VerdictInternetDown, why: "The router answers"},
		{number: "12", name: "RST after accept", world: oneFault(uplinktest.Reset), want: down, why: "cut off"},
		{number: "13", name: "FIN in handshake", world: oneFault(uplinktest.Hangup), want: down, why: "was closed while it was set up"},
		{number: "14", name: "TLS never answers", world: oneFault(uplinktest.TLSSilent), want: down, why: "then says nothing"},
		{number: "15", name: "certificate for another name", world: oneFault(uplinktest.WrongName), want: hijack, why: "a certificate for portal.guest.test"},
		{number: "15", name: "the same, portal check altered", world: oneFault(uplinktest.WrongName, uplinktest.SickPage), want: captive, why: "sign-in"},
		{number: "16", name: "unknown authority", world: oneFault(uplinktest.UnknownCA), want: hijack, why: "unknown origin"},
		{number: "16", name: "unknown authority, all others' too", world: oneFault(uplinktest.UnknownCA), from: true, change: strangeRoots,
			want: gateway.VerdictSelf, why: "cannot verify anybody"},
		{number: "17", name: "certificate expired, clock trusted", world: oneFault(uplinktest.Expired), want: degraded, why: "let its certificate expire"},
		{number: "17", name: "certificate expired, clock a guess", world: oneFault(uplinktest.Expired), trust: gateway.TrustGuess, want: clock, why: "nobody has confirmed"},
		{number: "18", name: "certificate not yet valid", world: oneFault(uplinktest.NotYetValid), want: clock, why: "our clock is behind"},
		{number: "19", name: "TLS alert", world: oneFault(uplinktest.TLSAlert), want: down, why: "refuses the secure connection"},
		{number: "20", name: "plain HTTP on the TLS port", world: oneFault(uplinktest.PlainHTTP), want: hijack, why: "without encryption"},
		{number: "20", name: "the same, portal check altered", world: oneFault(uplinktest.PlainHTTP, uplinktest.SickPage), want: captive, why: "sign-in"},
		{number: "21", name: "302 elsewhere, verified", world: oneFault(uplinktest.Redirect), want: degraded, why: "leads to portal.guest.test"},
		{number: "21", name: "302 elsewhere, unverified, portal check altered", world: oneFault(uplinktest.Redirect, uplinktest.WrongName, uplinktest.SickPage),
			want: captive, why: "sign-in"},
		{number: "22", name: "500 with HTML", world: oneFault(uplinktest.Status500), want: down, why: "answers 500 with HTML; your internet works"},
		{number: "22", name: "502 with HTML", world: oneFault(uplinktest.Status502), want: down, why: "answers 502 with HTML; your internet works"},
		{number: "22", name: "503 with HTML", world: oneFault(uplinktest.Status503), want: down, why: "answers 503 with HTML; your internet works"},
		{number: "22", name: "504 with HTML", world: oneFault(uplinktest.Status504), want: down, why: "answers 504 with HTML; your internet works"},
		{number: "23", name: "503 with Retry-After", world: oneFault(uplinktest.RetryAfter), want: down, why: "asks to wait", either: true},
		{number: "24", name: "200 with HTML", world: oneFault(uplinktest.HTML200), want: degraded, scope: read, why: "200 with HTML", check: nothingLost},
		{number: "25", name: "200 with nothing", world: oneFault(uplinktest.Empty200), want: degraded, scope: read, why: "200 with nothing", check: nothingLost},
		{number: "25", name: "200 truncated", world: oneFault(uplinktest.Truncated), want: degraded, scope: read, why: "truncated", check: nothingLost},
		{number: "27", name: "slow headers", world: oneFault(uplinktest.SlowHeaders), want: degraded, why: "does not answer in time"},
		{number: "27", name: "dribbling body", world: oneFault(uplinktest.Dribble), want: degraded, why: "does not finish"},
		{number: "34", name: "IPv6 black hole, IPv4 fine", world: oneFault(uplinktest.SixHole), want: gateway.VerdictOK, told: func(e gateway.Event) bool {
			p, ok := e.Fact.(gateway.Probe)
			return ok && p.Verdict == gateway.VerdictOK && strings.Contains(strings.Join(p.Evidence, "\n"), "IPv6 did not answer")
		}},
	}
}

// behindTheDoor are the faults that only real calls meet.
func behindTheDoor() []fault {
	const degraded, limited = gateway.VerdictDegraded, gateway.VerdictRateLimited
	return []fault{
		{number: "26", name: "200 with zero homes", vendor: atVendor(netatmotest.ZeroHomes), rate: 600, want: degraded,
			scope: []gateway.Plane{gateway.PlaneRead}, why: "homesdata", check: nothingLost},
		{number: "28", name: "access token expired", life: 20 * time.Minute, rate: 600, want: gateway.VerdictOK, check: renewedOnce,
			told: reported(gateway.PlaneAuth, gateway.VerdictOK, "token")},
		{number: "29", name: "invalid_grant, twice, 10 min apart", play: func(w *catalogueWorld) { w.cloud.Revoke() }, rate: 600,
			want: gateway.VerdictAuthRevoked, scope: []gateway.Plane{gateway.PlaneAuth}, why: "log in again"},
		{number: "30", name: "token endpoint 503, API fine", vendor: atVendor(netatmotest.Unavailable, "/oauth2/token"), life: 20 * time.Minute, rate: 600,
			want: degraded, scope: []gateway.Plane{gateway.PlaneAuth}, why: "503"},
		{number: "31", name: "429 code 26", world: oneFault(uplinktest.QuotaUsed), want: limited, either: true},
		{number: "31", name: "403 code 26", vendor: atVendor(netatmotest.UsageReached), want: limited, either: true},
		{number: "31", name: "429 code 11", vendor: atVendor(netatmotest.Concurrency), want: limited, either: true},
		{number: "32", name: "writes accepted, without effect", vendor: atVendor(netatmotest.IgnoreWrites), play: wishForWarmth,
			told: reported(gateway.PlaneWrite, degraded, "does not show")},
		{number: "33", name: "events silent, reads fine", vendor: atVendor(netatmotest.Unavailable, "/api/getevents"), rate: 600, want: degraded,
			scope: []gateway.Plane{gateway.PlanePush}, why: "getevents"},
	}
}

// combinations are two faults at once, and what looks like a fault of the vendor and is none.
func combinations() []fault {
	return []fault{
		{number: "21+18", name: "302 and certificate not yet valid", world: oneFault(uplinktest.Redirect, uplinktest.NotYetValid), trust: gateway.TrustGuess,
			want: gateway.VerdictClockWrong, why: "our clock is behind"},
		{number: "18+31", name: "clock wrong and rate-limited", world: oneFault(uplinktest.QuotaUsed, uplinktest.NotYetValid), trust: gateway.TrustGuess,
			want: gateway.VerdictClockWrong, why: "our clock is behind"},
		{number: "portal", name: "captive portal that lets DNS through", world: oneFault(uplinktest.Portal), want: gateway.VerdictCaptive, why: "page.witness.test"},
		{number: "portal", name: "captive portal that answers all names", world: oneFault(uplinktest.PortalDNS), want: gateway.VerdictCaptive, why: "no public address"},
		{number: "6+9", name: "vendor refuses, and the portal check is altered", world: oneFault(uplinktest.Refused, uplinktest.SickPage), want: gateway.VerdictCaptive,
			why: "sign-in"},
		{number: "relay", name: "the home's relay off line, API fine", play: func(w *catalogueWorld) { w.cloud.SetOffline(netatmotest.Relay, true) },
			want: gateway.VerdictOK, told: func(e gateway.Event) bool {
				r, ok := e.Fact.(gateway.Reach)
				return ok && !r.OK && strings.Contains(r.Why, "the vendor cannot reach")
			}, check: stillWell},
	}
}

func wishForWarmth(w *catalogueWorld) {
	w.house.tell(gateway.Wish{By: "test", Ask: gateway.SetTarget{Room: netatmotest.LivingRoom, Target: 23, For: time.Hour}})
}

// nothingLost holds that no bad answer makes the house forget.
func nothingLost(w *catalogueWorld) string {
	s := w.house.now()
	if s.Home.ID != netatmotest.HouseID || len(s.Home.Schedules) == 0 || s.Rooms.Len() < 4 || s.Devices.Len() < 5 {
		return fmt.Sprintf("the house has forgotten: %q, %d schedules, %d rooms, %d devices", s.Home.ID, len(s.Home.Schedules), s.Rooms.Len(), s.Devices.Len())
	}
	return ""
}

func renewedOnce(w *catalogueWorld) string {
	if n := w.cloud.Count("/oauth2/token"); n != 1 {
		return fmt.Sprintf("%d refreshes, want 1", n)
	}
	return stillWell(w)
}

// stillWell holds that nobody blames the vendor.
func stillWell(w *catalogueWorld) string {
	_, after := w.since()
	for _, s := range after {
		if s.Cloud.Verdict != gateway.VerdictOK && s.Cloud.Verdict != gateway.VerdictUnknown {
			return fmt.Sprintf("the verdict is %s: %s", s.Cloud.Verdict, s.Cloud.Why)
		}
	}
	return ""
}
