package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// FuzzForm holds that whatever a form brings becomes one JSON object without "to", or a reason.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"", "to=home&mode=away", "target=21,5", "target=NaN", "target=1e999", "a=1&a=2", "hush=true&%00=%ff", "to&to", "=&=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		body, err := wishOf(form)
		var wish map[string]any
		if err == nil && (json.Unmarshal(body, &wish) != nil || wish["to"] != nil) {
			t.Errorf("%q gives %s", text, body)
		}
		if n, number := wish["target"].(float64); err == nil && wish["target"] != nil && (!number || n != n) {
			t.Errorf("%q gives the target %v", text, wish["target"])
		}
	})
}

// FuzzRequest holds that no header decides more than it may: a language, an address, a host.
func FuzzRequest(f *testing.F) {
	f.Add("fr;q=0.9", "192.168.1.1:80", "pi.local")
	f.Add(";q=", "[fe80::1%eth0]:1", "[::1]:80")
	f.Add("en-", "@", ".local.evil.example")
	a := New(Options{Vault: gatewaytest.NewVault(), Log: quiet})
	f.Fuzz(func(t *testing.T, language, remote, host string) {
		if l := languageOf(&http.Request{Header: http.Header{"Accept-Language": {language}}}); l != english && l != french {
			t.Errorf("%q is language %d", language, l)
		}
		if private(remote) && !neighbourhood(remote).IsValid() {
			t.Errorf("%q is at home, and nowhere", remote)
		}
		if a.allowed(host) && strings.HasSuffix(strings.ToLower(host), ".example") {
			t.Errorf("%q is taken for this machine", host)
		}
	})
}

// FuzzNames holds that no name of a room or device gets out of its place in the page.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"", `"><script>`, "'", "&lt;", "%s%d%!", "\x00\xff", "</title>", "javascript:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		var p sheet
		p.put(`<b a="%s">%s</b>`, name, name)
		out := p.out.String()
		if strings.Count(out, "<") != 2 || strings.Count(out, `"`) != 2 || strings.Count(out, ">") != 2 {
			t.Errorf("%q gives %s", name, out)
		}
	})
}
