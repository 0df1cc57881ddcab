package uplink

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestEvidence(t *testing.T) {
	for _, c := range []struct {
		name string
		saw  []func(*observation)
		want string
	}{
		{"all well", nil, `
link: default route through eth0
name: api.netatmo.com is 20.50.2.1, says 192.168.1.1 (9 ms)
connection: 20.50.2.1:443 answered (20 ms)
certificate: for api.netatmo.com by Some CA, 2025-09-29 17:00 to 2025-12-29 17:00 (0 ms)
API: status 403 with the vendor's JSON error 1 "Access token is missing" (0 ms)`},
		{"503 a while ago", []func(*observation){replies(reply{status: 503, content: page, retryAfter: 10 * time.Minute, remembered: 3 * time.Minute}), func(o *observation) {
			o.votes = []vote{{of: doorWitness, yes: true, detail: "accepts a connection", took: 12 * time.Millisecond}}
		}}, `
link: default route through eth0
name: api.netatmo.com is 20.50.2.1, says 192.168.1.1 (9 ms)
connection: 20.50.2.1:443 answered (20 ms)
certificate: for api.netatmo.com by Some CA, 2025-09-29 17:00 to 2025-12-29 17:00 (0 ms)
API: status 503 with HTML, asks to wait 10 min, 3 min ago; not asked again yet
witness: connection 9.9.9.9:443 accepts a connection (12 ms)`},
		{"SERVFAIL and a silent second", []func(*observation){noNames(servfail, noAnswer), elseNames(missing), routerIs(gateway.Yes)}, `
link: default route through eth0
link: the router answers
name: api.netatmo.com could not be looked up (SERVFAIL), says 192.168.1.1 (0 ms)
name: api.netatmo.com got no answer, says 192.168.1.2 (0 ms)
name: api.netatmo.com does not exist (NXDOMAIN), says 9.9.9.9 (0 ms)`},
		{"forged certificate, clock off", []func(*observation){
			func(o *observation) {
				o.link, o.names = Link{}, nil
				o.shake.trusted, o.shake.named, o.shake.future, o.sameTLS = false, false, true, gateway.Yes
				o.shake.subject = "portal\n.lan"
				o.reply = reply{asked: true, status: 302, content: nothing, elsewhere: "portal.lan", date: instant.Add(26 * time.Hour)}
			}}, `
connection: 20.50.2.1:443 answered (20 ms)
certificate: for portal .lan by Some CA, 2025-09-29 17:00 to 2025-12-29 17:00 (0 ms)
certificate: no known authority stands behind it
certificate: it is not made out for api.netatmo.com
certificate: it is not yet valid, by our clock 2025-10-29 17:00
certificate: those of other hosts can be verified here
API: status 302 with nothing, leads to portal.lan, its clock is 26 h from ours (0 ms)`},
		{"TLS silent after a slow connection", []func(*observation){noTLS(handshake{failure: silent, took: 1400 * time.Millisecond}), func(o *observation) {
			o.link, o.names = Link{Known: true, Interface: "eth0", Carrier: true}, nil
			o.dials = []dial{
				{to: netip.MustParseAddrPort("20.50.2.1:443"), took: 600 * time.Millisecond},
				{to: netip.MustParseAddrPort("20.50.2.2:443"), failure: denied, took: 10 * time.Millisecond},
				{to: netip.MustParseAddrPort("20.50.2.3:443"), pending: true},
			}
		}}, `
link: eth0 has a carrier, but there is no default route
connection: 20.50.2.1:443 answered slowly (600 ms)
connection: 20.50.2.2:443 refused (10 ms)
certificate: the handshake did not answer (1.4 s)`},
	} {
		got := "\n" + strings.Join(evidence(seen(c.saw...)), "\n")
		if got != c.want {
			t.Errorf("%s:%s\n\nwant:%s", c.name, got, c.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 12 * time.Millisecond: "12 ms", 1400 * time.Millisecond: "1.4 s", 10 * time.Minute: "10 min",
		90 * time.Minute: "90 min", 26 * time.Hour: "26 h", 60 * 24 * time.Hour: "60 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
