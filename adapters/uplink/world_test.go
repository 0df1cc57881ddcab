package uplink

import (
	"bytes"
	"context"
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
)

// instant is when these tests take place: the evening of the outage.
var instant = time.Date(2025, 10, 29, 17, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, s uplinktest.Settings) *uplinktest.World {
	t.Helper()
	w, err := uplinktest.New(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// in are the options of a prober that lives in that world.
func in(w *uplinktest.World) Options {
	return Options{
		URL: w.URL(), Resolvers: w.Resolvers(), SecondOpinion: w.SecondOpinion(),
		Witnesses: w.Witnesses(), Roots: w.Roots(), AllowLoopback: true,
		Purse: &thin{left: 1000},
	}
}

// climbOnce makes one climb. One that a busy machine spoilt is made again.
func climbOnce(t *testing.T, o Options, trust gateway.Trust) gateway.Probe {
	t.Helper()
	s, err := o.settings()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c := climber{settings: s, now: instant, trust: trust}
		if p := classify(c.observe(context.Background())); !p.Void {
			return p
		}
	}
	t.Fatal("this machine is too busy to look at a network")
	return gateway.Probe{}
}

// climbUntil makes a climb whose verdict the test expects; see climbUntilSo.
func climbUntil(t *testing.T, o Options, trust gateway.Trust, want gateway.Verdict) gateway.Probe {
	t.Helper()
	return climbUntilSo(t, o, trust, func(p gateway.Probe) bool { return p.Verdict == want })
}

// climbUntilSo makes a climb that finds what the test expects. Time-outs are part of what is tested, and a machine that is
// busy with other things can look like a silent vendor, or a silent witness; a wrong classifier is wrong each time.
func climbUntilSo(t *testing.T, o Options, trust gateway.Trust, expected func(gateway.Probe) bool) gateway.Probe {
	t.Helper()
	p := climbOnce(t, o, trust)
	for range 2 {
		if expected(p) {
			break
		}
		t.Logf("got %s at first: %s\n%s", p.Verdict, p.Why, strings.Join(p.Evidence, "\n"))
		p = climbOnce(t, o, trust)
	}
	return p
}

func TestFaultsOnRealSockets(t *testing.T) {
	secure := newWorld(t, uplinktest.Settings{TLS: true})
	plain := newWorld(t, uplinktest.Settings{})
	for _, c := range faultCases() {
		t.Run(c.name(), func(t *testing.T) {
			w := secure
			if c.plain {
				w = plain
			}
			breakWorld(t, w, c.faults...)
			if c.scope == nil {
				c.scope = scopeOf(c.want)
			}
			o := in(w)
			if c.change != nil {
				c.change(&o)
			}
			p := climbUntilSo(t, o, c.trust, func(p gateway.Probe) bool {
				return p.Verdict == c.want && slices.Equal(p.Scope, c.scope) && p.Witness == c.witness && strings.Contains(p.Why, c.why)
			})
			t.Logf("CATALOGUE | %s | %s %v | %d ms | %s", c.name(), p.Verdict, p.Scope, p.Took.Milliseconds(), p.Why)
			if p.Verdict != c.want || !slices.Equal(p.Scope, c.scope) || p.Witness != c.witness {
				t.Errorf("verdict %s %v witness %q, want %s %v %q\n%s\n%s", p.Verdict, p.Scope, p.Witness,
					c.want, c.scope, c.witness, p.Why, strings.Join(p.Evidence, "\n"))
			}
			if !strings.Contains(p.Why, c.why) {
				t.Errorf("why is %q, want it to say %q", p.Why, c.why)
			}
			if p.Took > 10*time.Second {
				t.Errorf("took %v", p.Took)
			}
		})
	}
}

func breakWorld(t *testing.T, w *uplinktest.World, faults ...uplinktest.Fault) {
	t.Helper()
	if err := w.Break(faults...); err != nil {
		t.Fatal(err)
	}
}

type faultCase struct {
	title   string
	faults  []uplinktest.Fault
	plain   bool // the vendor is spoken to without TLS
	trust   gateway.Trust
	change  func(*Options)
	want    gateway.Verdict
	scope   []gateway.Plane
	witness gateway.Answer
	why     string
}

func (c faultCase) name() string {
	parts := []string{}
	if c.title != "" {
		parts = append(parts, c.title)
	}
	for _, f := range c.faults {
		parts = append(parts, string(f))
	}
	if c.plain {
		parts = append(parts, "plain HTTP")
	}
	return strings.Join(parts, ", ")
}

func one(f ...uplinktest.Fault) []uplinktest.Fault { return f }

func noWitness(o *Options)       { o.Witnesses = []string{} }
func noSecondOpinion(o *Options) { o.SecondOpinion = []string{} }

func link(l Link) func(*Options) {
	return func(o *Options) { o.Link = func() Link { return l } }
}

func routed(router gateway.Answer) func(*Options) {
	return link(Link{Known: true, Interface: "eth0", Carrier: true, Route: true, Router: router})
}

func faultCases() []faultCase {
	const (
		ok, down, degraded = gateway.VerdictOK, gateway.VerdictCloudDown, gateway.VerdictDegraded
		hijack, captive    = gateway.VerdictHijack, gateway.VerdictCaptive
		resolver, clock    = gateway.VerdictResolver, gateway.VerdictClockWrong
		offline, self      = gateway.VerdictInternetDown, gateway.VerdictSelf
		lan                = gateway.VerdictLANDown
		yes, no, unknown   = gateway.Yes, gateway.No, gateway.NotKnown
		synced, guess      = gateway.TrustSynced, gateway.TrustGuess
	)
	read := []gateway.Plane{gateway.PlaneRead}
	cases := []faultCase{
		{title: "all well", want: ok, witness: unknown, why: "as it should"},
		{title: "all well", plain: true, want: ok, witness: unknown, why: "as it should"},

		{faults: one(uplinktest.NXDomain), want: down, witness: yes, why: "2 name servers say"},
		{faults: one(uplinktest.NXDomain), title: "no second opinion", change: noSecondOpinion, want: resolver, witness: yes, why: "no other confirms it"},
		{faults: one(uplinktest.NXDomain), title: "no witness", change: noWitness, want: down, witness: unknown, why: "internet or cloud"},
		{faults: one(uplinktest.EmptyAnswer), want: down, witness: yes, why: "empty answer"},
		{faults: one(uplinktest.ServFail), want: down, witness: yes, why: "SERVFAIL"},
		{faults: one(uplinktest.ServFail), plain: true, want: down, witness: yes, why: "SERVFAIL"},
		{faults: one(uplinktest.NamesFail), want: resolver, witness: yes, why: "Your name server"},
		{faults: one(uplinktest.NameRefused), want: resolver, witness: yes, why: "REFUSED"},
		{faults: one(uplinktest.NameSilent), want: down, witness: yes, why: "though it does for other names"},
		{faults: one(uplinktest.NamesSilent), want: resolver, witness: yes, why: "got no answer"},
		{faults: one(uplinktest.NamesSilent), title: "no witness", change: noWitness, want: offline, witness: unknown, why: "internet or cloud"},
		{faults: one(uplinktest.ResolverDead), want: resolver, witness: yes, why: "nobody serves names there"},
		{faults: one(uplinktest.ZeroAddress), want: hijack, witness: yes, why: "0.0.0.0, which is no address at all"},
		{faults: one(uplinktest.PrivateName), want: hijack, witness: yes, why: "a private address"},
		{faults: one(uplinktest.PrivateName, uplinktest.SickPage), want: captive, witness: yes, why: "portal.guest.test"},

		{faults: one(uplinktest.Refused), want: down, witness: yes, why: "was refused; your internet works: 5 of 5 witnesses"},
		{faults: one(uplinktest.Refused), plain: true, want: down, witness: yes, why: "refused"},
		{faults: one(uplinktest.BlackHole), want: down, witness: yes, why: "not answered"},
		{faults: one(uplinktest.BlackHole), title: "no witness", change: noWitness, want: down, witness: unknown, why: "internet or cloud"},
		{faults: one(uplinktest.InternetDown), want: offline, witness: no, why: "0 of 4 witnesses"},
		{faults: one(uplinktest.InternetDown), title: "no carrier", change: link(Link{Known: true}), want: lan, witness: no, why: "no cable and no Wi-Fi"},
		{faults: one(uplinktest.InternetDown), title: "no default route", change: link(Link{Known: true, Interface: "eth0", Carrier: true}), want: lan, witness: no, why: "no router"},
		{faults: one(uplinktest.InternetDown), title: "router silent", change: routed(no), want: lan, witness: no, why: "The router does not answer"},
		{faults: one(uplinktest.InternetDown), title: "router answers", change: routed(yes), want: offline, witness: no, why: "The router answers"},
		{faults: one(uplinktest.Refused), title: "odd routes", change: link(Link{Known: true}), want: down, witness: yes, why: "5 of 5"},
		{faults: one(uplinktest.Reset), want: down, witness: yes, why: "was cut off"},
		{faults: one(uplinktest.Reset), plain: true, want: down, witness: yes, why: "was cut off"},
		{faults: one(uplinktest.Hangup), want: down, witness: yes, why: "was closed while it was set up"},
		{faults: one(uplinktest.TLSSilent), want: down, witness: yes, why: "then says nothing"},

		{faults: one(uplinktest.WrongName), want: hijack, witness: yes, why: "a certificate for portal.guest.test"},
		{faults: one(uplinktest.WrongName, uplinktest.SickPage), want: captive, witness: yes, why: "sign-in"},
		{faults: one(uplinktest.UnknownCA), want: hijack, witness: yes, why: "unknown origin"},
		{faults: one(uplinktest.UnknownCA), title: "own trust store damaged", change: strangeRoots, want: self, witness: yes, why: "cannot verify anybody"},
		{faults: one(uplinktest.Expired), title: "clock synced", trust: synced, want: degraded, witness: yes, why: "let its certificate expire"},
		{faults: one(uplinktest.Expired), title: "clock a guess", trust: guess, want: clock, witness: yes, why: "nobody has confirmed"},
		{faults: one(uplinktest.NotYetValid), title: "clock synced", trust: synced, want: clock, witness: yes, why: "our clock is behind"},
		{faults: one(uplinktest.TLSAlert), want: down, witness: yes, why: "refuses the secure connection (internal error)"},
		{faults: one(uplinktest.PlainHTTP), want: hijack, witness: yes, why: "without encryption"},
		{faults: one(uplinktest.PlainHTTP, uplinktest.SickPage), want: captive, witness: yes, why: "sign-in"},

		{faults: one(uplinktest.Redirect), want: degraded, witness: yes, why: "leads to portal.guest.test"},
		{faults: one(uplinktest.Redirect), title: "no witness", plain: true, change: noWitness, want: captive, witness: unknown, why: "portal"},
		{faults: one(uplinktest.Redirect, uplinktest.SickPage), plain: true, want: captive, witness: yes, why: "sign-in"},
		{faults: one(uplinktest.HTML200), want: degraded, scope: read, witness: yes, why: "answers 200 with HTML"},
		{faults: one(uplinktest.Empty200), want: degraded, scope: read, witness: yes, why: "200 with nothing"},
		{faults: one(uplinktest.Truncated), want: degraded, scope: read, witness: yes, why: "truncated"},
		{faults: one(uplinktest.SlowHeaders), want: degraded, witness: yes, why: "does not answer in time"},
		{faults: one(uplinktest.Dribble), want: degraded, witness: yes, why: "does not finish"},
		{faults: one(uplinktest.QuotaUsed), want: gateway.VerdictRateLimited, witness: yes, why: "quota"},

		{faults: one(uplinktest.Portal), want: captive, witness: yes, why: "page.witness.test"},
		{faults: one(uplinktest.PortalDNS), want: captive, witness: yes, why: "no public address"},
		{faults: one(uplinktest.Redirect, uplinktest.NotYetValid), title: "two faults at once", trust: guess, want: clock, witness: yes, why: "our clock is behind"},
		{faults: one(uplinktest.Redirect, uplinktest.WrongName), title: "two faults at once", want: captive, witness: yes, why: "leads to portal.guest.test"},
	}
	for _, f := range one(uplinktest.Status500, uplinktest.Status502, uplinktest.Status503, uplinktest.Status504) {
		cases = append(cases, faultCase{faults: one(f), want: down, witness: yes, why: string(f)[:3] + " with HTML; your internet works"},
			faultCase{faults: one(f), plain: true, want: down, witness: yes, why: "5 of 5 witnesses answered"})
	}
	return append(cases, faultCase{faults: one(uplinktest.RetryAfter), want: down, witness: yes, why: "asks to wait 10 min"})
}

// strangeRoots is a trust store that knows none of the world's authorities.
func strangeRoots(o *Options) { o.Roots = x509.NewCertPool() }

func TestNoCredentialIsEverSent(t *testing.T) {
	for _, secure := range []bool{true, false} {
		w := newWorld(t, uplinktest.Settings{TLS: secure})
		o := in(w)
		o.Timeout = 700 * time.Millisecond
		o.URL = strings.Replace(w.URL(), "://", "://canaryuser:canarypassword@", 1) +
			"/canarypath?access_token=canarytoken&refresh_token=canary#canary"
		for _, c := range faultCases() {
			breakWorld(t, w, c.faults...)
			climbOnce(t, o, c.trust)
		}
		seen := w.Edge.Seen()
		if !bytes.Contains(seen, []byte("GET "+lookPath)) {
			t.Fatalf("the edge has seen no request, so this test sees nothing: %q", seen)
		}
		for _, secret := range []string{"canary", "uthorization", "ookie", "token", "Bearer", "client_", "password"} {
			if i := bytes.Index(seen, []byte(secret)); i >= 0 {
				t.Errorf("TLS %v: sent %q", secure, seen[max(0, i-80):min(len(seen), i+80)])
			}
		}
	}
}

func TestForgedAddressIsNeverDialled(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{})
	for _, answer := range []string{"127.0.0.1", "0.0.0.0", "10.1.2.3", "169.254.79.219", "::1", "fe80::1", "fd00::1"} {
		w.Home.Host("api.netatmo.test", netip.MustParseAddr(answer))
		before := w.Edge.Accepted()
		o := in(w)
		o.URL = strings.Replace(w.URL(), "http://", "https://", 1)
		o.AllowLoopback = false
		o.Witnesses, o.SecondOpinion = []string{}, []string{}
		o.Link = func() Link { return Link{} }
		p := climbUntil(t, o, gateway.TrustSynced, gateway.VerdictHijack)
		if p.Verdict != gateway.VerdictHijack {
			t.Errorf("%s: verdict %s, want hijack: %s", answer, p.Verdict, p.Why)
		}
		if after := w.Edge.Accepted(); after != before {
			t.Errorf("%s: was dialled", answer)
		}
	}
}

func TestWitnessesAreLeftAloneWhileAllIsWell(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	o := in(w)
	o.Timeout = 20 * time.Second // so that a busy machine does not look like a slow vendor
	for range 5 {
		if p := climbOnce(t, o, gateway.TrustSynced); p.Verdict != gateway.VerdictOK {
			t.Fatalf("%s: %s", p.Verdict, p.Why)
		}
	}
	if n := w.Home.Asked("one.witness.test"); n != 0 {
		t.Errorf("a witness was asked for %d times", n)
	}
	if n := w.Public.Asked("api.netatmo.test"); n != 0 {
		t.Errorf("the second opinion was asked for %d times", n)
	}
}

func TestDeadFamilyIsToldButBlamesNobody(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	if err := w.Break(uplinktest.SixHole); err != nil {
		t.Skip("this machine has no IPv6 on loopback: ", err)
	}
	p := climbUntil(t, in(w), gateway.TrustSynced, gateway.VerdictOK)
	if p.Verdict != gateway.VerdictOK {
		t.Errorf("verdict %s: %s", p.Verdict, p.Why)
	}
	if text := strings.Join(p.Evidence, "\n"); !strings.Contains(text, "IPv6 did not answer for") {
		t.Errorf("evidence says nothing of IPv6:\n%s", text)
	}
	t.Logf("CATALOGUE | IPv6 black hole | %s | %d ms | %s", p.Verdict, p.Took.Milliseconds(), p.Evidence)
}

func TestTwoNameServers(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	for _, c := range []struct {
		name          string
		first, second uplinktest.Fault
		want          gateway.Verdict
	}{
		{"first denies, second knows", uplinktest.NXDomain, "", gateway.VerdictResolver},
		{"first is empty, second knows", uplinktest.EmptyAnswer, "", gateway.VerdictResolver},
		{"first blocks, second knows", uplinktest.ZeroAddress, "", gateway.VerdictHijack},
		{"first silent, second knows", uplinktest.NameSilent, "", gateway.VerdictOK},
		{"first fails, second knows", uplinktest.ServFail, "", gateway.VerdictOK},
		{"first dead, second knows", uplinktest.ResolverDead, "", gateway.VerdictOK},
		{"both deny", uplinktest.NXDomain, uplinktest.NXDomain, gateway.VerdictCloudDown},
		{"first denies, second empty", uplinktest.NXDomain, uplinktest.EmptyAnswer, gateway.VerdictCloudDown},
		{"both refuse", uplinktest.NameRefused, uplinktest.NameRefused, gateway.VerdictResolver},
	} {
		t.Run(c.name, func(t *testing.T) {
			breakWorld(t, w)
			breakResolver(t, w.Home, c.first)
			breakResolver(t, w.Public, c.second)
			o := in(w)
			o.Resolvers, o.SecondOpinion = []string{w.Home.Address(), w.Public.Address()}, []string{}
			p := climbUntil(t, o, gateway.TrustSynced, c.want)
			if p.Verdict != c.want {
				t.Errorf("verdict %s, want %s: %s\n%s", p.Verdict, c.want, p.Why, strings.Join(p.Evidence, "\n"))
			}
		})
	}
}

func breakResolver(t *testing.T, r *uplinktest.Resolver, f uplinktest.Fault) {
	t.Helper()
	if err := r.Break("api.netatmo.test", f); err != nil {
		t.Fatal(err)
	}
}
