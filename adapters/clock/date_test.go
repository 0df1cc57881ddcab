package clock

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// newAuthority vouches for certificates of many years.
func newAuthority(t *testing.T) *gatewaytest.Authority {
	return gatewaytest.NewAuthority(t, func(a *gatewaytest.Authority) { a.From, a.Until = saved.AddDate(-30, 0, 0), saved.AddDate(30, 0, 0) })
}

// page is a web server on loopback whose certificate holds for three months.
type page struct {
	address string
	asked   atomic.Int32
}

// serve starts one at 127.0.0.N: each address is an operator of its own.
func serve(t *testing.T, ca *gatewaytest.Authority, ip, name string, from time.Time, answer func(w http.ResponseWriter)) *page {
	t.Helper()
	leaf := &x509.Certificate{NotBefore: from, NotAfter: from.AddDate(0, 3, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if parsed := net.ParseIP(name); parsed != nil {
		leaf.IPAddresses = []net.IP{parsed}
	} else {
		leaf.DNSNames = []string{name}
	}
	listener, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Skipf("this machine has no address %s on loopback: %v", ip, err)
	}
	p := &page{address: listener.Addr().String()}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		answer(w)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(name, leaf)}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return p
}

// says answers with that date.
func says(at time.Time) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Date", at.UTC().Format(http.TimeFormat))
		w.Header().Set("Location", "https://127.0.0.9/")
		w.WriteHeader(http.StatusMovedPermanently)
	}
}

func TestAskDate(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	truth := saved.Add(time.Hour)
	source := func() Machine { return Machine{Wall: time.Unix(0, 0), Boot: time.Minute} } // 1970: no certificate holds
	for _, c := range []struct {
		name string
		page *page
		want string // "": it is good
	}{
		{"good, and a redirect is not followed", serve(t, ca, "127.0.0.1", "127.0.0.1", saved.AddDate(0, -1, 0), says(truth)), ""},
		{"another's name", serve(t, ca, "127.0.0.1", "127.0.0.3", saved.AddDate(0, -1, 0), says(truth)), "has not proved who it is"},
		{"nobody vouches for it", serve(t, stranger, "127.0.0.1", "127.0.0.1", saved.AddDate(0, -1, 0), says(truth)), "has not proved who it is"},
		{"the date is after the certificate's end", serve(t, ca, "127.0.0.1", "127.0.0.1", saved.AddDate(0, -6, 0), says(truth)), "has not proved who it is"},
		{"the date is before the certificate's begin", serve(t, ca, "127.0.0.1", "127.0.0.1", saved.AddDate(0, 1, 0), says(truth)), "has not proved who it is"},
		{"no date", serve(t, ca, "127.0.0.1", "127.0.0.1", saved.AddDate(0, -1, 0), func(w http.ResponseWriter) { w.Header()["Date"] = nil }), "says no time"},
		{"nonsense", serve(t, ca, "127.0.0.1", "127.0.0.1", saved.AddDate(0, -1, 0), func(w http.ResponseWriter) { w.Header().Set("Date", "soon") }), "says no time"},
		{"endless headers", serve(t, ca, "127.0.0.1", "127.0.0.1", saved.AddDate(0, -1, 0), func(w http.ResponseWriter) {
			w.Header().Set("Date", truth.Format(http.TimeFormat))
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}), "ask 127.0.0.1"},
	} {
		d, err := askDate(t.Context(), c.page.address, ca.Roots(), source)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %+v, %v, want %q", c.name, d, err, c.want)
			}
			continue
		}
		if err != nil || !d.date.Equal(truth) || d.host != "127.0.0.1" {
			t.Errorf("%s: %+v, %v", c.name, d, err)
		}
		if c.page.asked.Load() != 1 {
			t.Errorf("%s: asked %d times", c.name, c.page.asked.Load())
		}
	}
}

func TestWeighDates(t *testing.T) {
	at := saved.Add(time.Hour)
	say := func(host string, off time.Duration) dated { return dated{host: host, date: at.Add(off), wall: at} }
	for _, c := range []struct {
		name   string
		heard  []dated
		proven bool
		single bool
		doubt  string
	}{
		{"nobody", nil, false, false, ""},
		{"one", []dated{say("debian.org", 0)}, false, true, ""},
		{"two agree", []dated{say("debian.org", 0), say("wikipedia.org", 5*time.Second)}, true, false, ""},
		{"two that are 6 s apart", []dated{say("debian.org", 0), say("wikipedia.org", 6*time.Second)}, false, false, "contradict"},
		{"two of one operator", []dated{say("debian.org", 0), say("www.debian.org", 0)}, false, false, "only web servers of one operator, debian.org, say"},
		{"two addresses of one operator", []dated{say("1.1.1.1", 0), say("1.0.0.1", 0)}, false, false, "only web servers of one operator, cloudflare.com, say"},
		{"three against one", []dated{say("9.9.9.9", time.Hour), say("debian.org", 0), say("wikipedia.org", 0), say("1.1.1.1", 0)}, true, false, ""},
		{"two against two", []dated{say("9.9.9.9", time.Hour), say("debian.org", 0), say("wikipedia.org", 0), say("1.1.1.1", time.Hour)}, false, false,
			"contradict each other about the time: 9.9.9.9 says 2026-01-14 20:00, debian.org says 2026-01-14 19:00"},
		{"two that live in the past", []dated{say("debian.org", -2*time.Hour), say("wikipedia.org", -2*time.Hour)}, false, false, ""},
		{"one in the past does not count", []dated{say("9.9.9.9", -2*time.Hour), say("debian.org", 0), say("wikipedia.org", 0)}, true, false, ""},
	} {
		got, doubt := weighDates(c.heard, saved)
		if (len(got) == 1 && got[0].Proven) != c.proven || (len(got) == 1 && !got[0].Proven) != c.single || !strings.Contains(doubt, c.doubt) || (doubt == "") != (c.doubt == "") {
			t.Errorf("%s: %+v, %q", c.name, got, doubt)
		}
	}
}

// The machine starts in 1970 or three days behind, without a time server. Two web servers show which
// clocks are worth something and say in words which are not.
func TestWebServersConfirm(t *testing.T) {
	ca := newAuthority(t)
	truth := saved.Add(3 * 24 * time.Hour)
	one := serve(t, ca, "127.0.0.1", "127.0.0.1", saved.AddDate(0, -1, 0), says(truth))
	other := serve(t, ca, "127.0.0.2", "127.0.0.2", saved.AddDate(0, -1, 0), says(truth.Add(time.Second)))
	liar := serve(t, ca, "127.0.0.2", "127.0.0.2", saved.AddDate(0, -1, 0), says(truth.Add(20*24*time.Hour)))
	for _, c := range []struct {
		name  string
		wall  time.Time
		pages []string
		want  gateway.Trust
		why   string
	}{
		{"right", truth, []string{one.address, other.address}, holdover, "127.0.0.1 and 127.0.0.2 confirmed the clock"},
		{"ten minutes behind", truth.Add(-10 * time.Minute), []string{one.address, other.address}, holdover, "the clock may be off by up to 30 min"},
		{"three days behind", saved.Add(time.Second), []string{one.address, other.address}, guess, "127.0.0.1 and 127.0.0.2 say that the clock is 3 days behind"},
		{"1970", time.Unix(30, 0), []string{one.address, other.address}, guess, "1970-01-01 00:00, which is over: it was 2026-01-14 18:00 when this house was last seen; 127.0.0.1 and 127.0.0.2 say that the clock is 56 years behind"},
		{"they contradict each other", truth, []string{one.address, liar.address}, guess, "web servers contradict each other about the time: 127.0.0.1 says 2026-01-17 18:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			machine := &hand{m: Machine{Wall: c.wall, Boot: time.Minute}}
			h := gatewaytest.Start(t, "clock", New(Options{Source: machine.read, Floor: saved, Dates: c.pages, Roots: ca.Roots()}))
			if got := gatewaytest.Wait[gateway.Clock](h, nil); got.Trust != c.want || !strings.Contains(got.Why, c.why) {
				t.Errorf("%+v, want %s, saying %q", got, c.want, c.why)
			}
		})
	}
}

func TestWebServersAreNotAskedWhileATimeServerIsHeard(t *testing.T) {
	ca := newAuthority(t)
	one := serve(t, ca, "127.0.0.1", "127.0.0.1", saved.AddDate(0, -1, 0), says(saved))
	other := serve(t, ca, "127.0.0.2", "127.0.0.2", saved.AddDate(0, -1, 0), says(saved))
	machine := &hand{m: Machine{Wall: saved.Add(time.Hour), Boot: time.Hour, Synced: true}}
	h := gatewaytest.Start(t, "clock", New(Options{Source: machine.read, Floor: saved, Dates: []string{one.address, other.address}, Roots: ca.Roots()}))
	gatewaytest.Wait(h, trust(synced))
	h.Stop()
	if n := one.asked.Load() + other.asked.Load(); n != 0 {
		t.Errorf("web servers were asked %d times", n)
	}
}

// A house that saw its clock being set trusts it no longer until it is told anew, the same or not.
func TestDoubtOfTheHouseIsAnswered(t *testing.T) {
	machine := &hand{m: Machine{Wall: saved.Add(time.Hour), Boot: time.Hour, Synced: true, Error: time.Millisecond}}
	h := gatewaytest.Start(t, "clock", New(Options{Source: machine.read, Floor: saved}))
	first := gatewaytest.Wait[gateway.Clock](h, nil)
	h.Show(func(s gateway.State) gateway.State {
		s.Clock = gateway.Clock{Trust: guess, Why: "it was put back by 60 min and is being looked at"}
		return s
	})
	if again := gatewaytest.Wait[gateway.Clock](h, nil); again != first {
		t.Errorf("%+v, want %+v again", again, first)
	}
}

func TestSilentWebServerDelaysNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts nobody
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got, doubt := askDates(ctx, []string{listener.Addr().String()}, nil, systemSource(), saved); got != nil || doubt != "" {
		t.Errorf("%+v, %q", got, doubt)
	}
}

func TestCheckDates(t *testing.T) {
	for _, c := range []struct {
		dates []string
		want  string
	}{
		{nil, ""},
		{DefaultDates(), ""},
		{[]string{"debian.org:8443", "[2620:fe::fe]:443"}, ""},
		{[]string{"2620:fe::fe", "debian.org"}, ""},
		{[]string{"debian.org"}, "no second operator"},
		{[]string{"debian.org", "www.debian.org"}, "no second operator"},
		{[]string{"debian.org", "https://wikipedia.org/"}, `dates[1]: "https://wikipedia.org/" is not a web server`},
		{[]string{"debian.org", ""}, `dates[1]: "" is not`},
		{strings.Split(strings.Repeat("a.example,b.test,", 5), ","), "is not a web server"},
		{[]string{"a.a", "b.b", "c.c", "d.d", "e.e", "f.f", "g.g", "h.h", "i.i"}, "at most 8"},
	} {
		err := Options{Dates: c.dates}.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.dates, err, c.want)
		}
	}
}
