package uplink

import (
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
)

func TestOperator(t *testing.T) {
	for host, want := range map[string]string{
		"1.1.1.1": "cloudflare.com", "one.one.one.one": "cloudflare.com", "9.9.9.9": "quad9.net", "www.Debian.org.": "debian.org",
		"a.b.example.co.uk": "example.co.uk", "192.0.2.7": "192.0.2.0/24", "2001:db8:1:2::3": "2001:db8:1::/48", "::ffff:192.0.2.7": "192.0.2.0/24",
		"fe80::1%eth0": "fe80::/48", "localhost": "localhost",
	} {
		if got := operator(host); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func TestWeakWitnessesAreSaid(t *testing.T) {
	for _, c := range []struct {
		name      string
		witnesses []string
		want      string
	}{
		{"the defaults", nil, ""},
		{"none", []string{}, "a dead internet and a dead cloud look alike"},
		{"one", []string{"debian.org"}, "only debian.org"},
		{"one operator by name", []string{"debian.org", "www.debian.org", "http://deb.debian.org/x y"}, "one operator (debian.org)"},
		{"one operator by address", []string{"1.1.1.1:443", "1.0.0.1:443", "one.one.one.one"}, "one operator (cloudflare.com)"},
		{"two operators", []string{"1.1.1.1:443", "9.9.9.9:443"}, ""},
		{"nonsense, which Check refuses", []string{"1.1.1.1"}, ""},
	} {
		text := strings.Join(Options{Witnesses: c.witnesses}.Warnings(), "\n")
		if c.want == "" && text != "" || !strings.Contains(text, c.want) {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}

// A fault is judged all the same, and the evidence says what the verdict is worth.
func TestWeakWitnessesAreInTheEvidence(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	breakWorld(t, w, uplinktest.Refused)
	for _, c := range []struct {
		witnesses []string
		want      string
	}{
		{[]string{}, "witness: none is named"},
		{[]string{"one.witness.test", "two.witness.test"}, "one operator (witness.test)"},
	} {
		o := in(w)
		o.Witnesses = c.witnesses
		p := climbUntil(t, o, gateway.TrustSynced, gateway.VerdictCloudDown)
		if text := strings.Join(p.Evidence, "\n"); p.Verdict != gateway.VerdictCloudDown || !strings.Contains(text, c.want) {
			t.Errorf("%v: %s\n%s\nwant %q", c.witnesses, p.Verdict, text, c.want)
		}
	}
	breakWorld(t, w)
	o := in(w)
	o.Witnesses = []string{}
	if p := climbUntil(t, o, gateway.TrustSynced, gateway.VerdictOK); strings.Contains(strings.Join(p.Evidence, "\n"), "witness") {
		t.Errorf("while all is well nobody needs a witness: %v", p.Evidence)
	}
}
