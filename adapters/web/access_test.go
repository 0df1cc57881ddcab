package web

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

const (
	home     = "192.168.1.7:50000"
	outside  = "203.0.113.9:5"
	rightful = "correct horse battery"
)

// door is an adapter that is asked without a network in between.
type doorOf struct {
	t *testing.T
	*Adapter
	handler http.Handler
}

func newDoor(t *testing.T, o Options) *doorOf {
	if o.Vault == nil {
		o.Vault = gatewaytest.NewVault()
	}
	o.Log = quiet
	a := New(o)
	a.newest.Store(&gateway.State{Version: 1})
	return &doorOf{t, a, a.handler()}
}

// request is one request from home, with what the test changes.
func (d *doorOf) request(method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "pi.local:7007", home
	if body != "" && !strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

func with(token string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookieName, Value: token}) }
}

func from(remote string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = remote }
}

// keyOf is the cookie that an answer sets.
func keyOf(w *httptest.ResponseRecorder) string {
	for _, c := range w.Result().Cookies() {
		if c.Name == cookieName {
			return c.Value
		}
	}
	return ""
}

// pathOf is a path that a route answers.
func pathOf(r route) string {
	return strings.NewReplacer("{$}", "", "{to...}", "home", "{number}", "1", "{id}", "AA:BB", "{step}", "netatmo").Replace(r.path)
}

// Every route but those meant to be open wants a sign-in, and none changes anything by a GET.
func TestEveryRouteWantsASignIn(t *testing.T) {
	open := map[string]bool{"GET /healthz": true, "GET /readyz": true, "GET /metrics": true, "GET /page.css": true, "GET /page.js": true, "GET /icon.svg": true,
		"GET /chart.css": true, "GET /pictures.css": true, "GET /pictures.js": true, "GET /acting.js": true, "GET /care.css": true, "GET /care.js": true,
		"GET /welcome": true, "POST /welcome": true, "GET /sign-in": true, "POST /sign-in": true,
		"GET /first.css": true, "GET /first.js": true, "GET /first/return": true}
	d := newDoor(t, Options{Wish: func(gateway.State, time.Time, string, []byte) (gateway.Ask, error) { panic("somebody wished") }})
	if err := d.lock.first(rightful); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range routes {
		path := pathOf(r)
		name := r.method + " " + path
		if seen[name] = true; open[name] != (r.access < signedIn) {
			t.Errorf("%s: access %d, and the test thinks otherwise", name, r.access)
		}
		if open[name] {
			continue
		}
		for _, cookie := range []string{"", "x", strings.Repeat("A", 43)} {
			w := d.request(r.method, path, "", with(cookie))
			location, door := w.Header().Get("Location"), "/sign-in"
			if r.method == "GET" && path != "/" {
				door += "?next=" + url.QueryEscape(path)
			}
			if !(w.Code == 401 || w.Code == 303 && location == door) || strings.Contains(w.Body.String(), "veilleuse_") {
				t.Errorf("%s with cookie %q: %d to %q: %.100s", name, cookie, w.Code, location, w.Body)
			}
		}
	}
	for name := range open {
		if !seen[name] {
			t.Errorf("%s is no route any more", name)
		}
	}
	// What is not in the table is nobody's.
	for _, path := range []string{"/api/", "/api/wish", "/do/", "/static/page.css", "/page.css/x", "/..%2f", "/api/state/"} {
		if w := d.request("GET", path, ""); w.Code != 404 && w.Code != 405 && w.Code/100 != 3 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// From outside of the home network nothing is shown but that it lives, signed in or not.
func TestHomeNetworkOnly(t *testing.T) {
	d := newDoor(t, Options{})
	w := d.request("POST", "/welcome", "password="+rightful+"&again="+rightful, from(outside))
	if w.Code != 403 || d.lock.isSet() {
		t.Fatalf("a stranger sets the first password: %d", w.Code)
	}
	w = d.request("POST", "/welcome", "password="+rightful+"&again="+rightful)
	key := keyOf(w)
	if w.Code != 303 || key == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, r := range routes {
		path := pathOf(r)
		if w := d.request(r.method, path, "", with(key), from(outside)); r.access != anybody && w.Code != 403 {
			t.Errorf("%s %s from outside: %d", r.method, path, w.Code)
		}
	}
}

// A home whose provider gives it public addresses of IPv6 is a home: its phones come with them. The next home is none.
func TestAHomeWithPublicAddresses(t *testing.T) {
	for _, try := range []struct {
		name, from, here string
		want             int
	}{
		{"a phone at home", "[2001:db8:1:2:aaaa::7]:50000", "[2001:db8:1:2::1]:7007", 200},
		{"the next home", "[2001:db8:1:3::7]:50000", "[2001:db8:1:2::1]:7007", 403},
		{"a stranger who asks a private address", "[2001:db8:1:2::7]:50000", "[fd00::1]:7007", 403},
		{"a neighbour of a public machine over IPv4", "203.0.113.9:50000", "203.0.113.9:7007", 403},
		{"the same in IPv6", "[::ffff:203.0.113.9]:50000", "[::ffff:203.0.113.9]:7007", 403},
		{"nobody knows where it was asked", "[2001:db8:1:2::7]:50000", "", 403},
	} {
		d := newDoor(t, Options{})
		w := d.request("GET", "/welcome", "", func(r *http.Request) {
			r.RemoteAddr = try.from
			if try.here != "" {
				here := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(try.here))
				*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(here)))
			}
		})
		if w.Code != try.want {
			t.Errorf("%s: %d %s", try.name, w.Code, w.Body)
		}
	}
}

// The page of somebody else makes a browser at home ask for nothing here: not by a form, not by a script.
func TestForeignPagesAreRefused(t *testing.T) {
	d := newDoor(t, Options{})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, r := range routes {
		if r.method == "GET" {
			continue
		}
		path := pathOf(r)
		for name, foreign := range map[string]func(*http.Request){
			"another site":        header("Sec-Fetch-Site", "cross-site"),
			"a neighbour":         header("Sec-Fetch-Site", "same-site"),
			"another origin":      header("Origin", "http://evil.example"),
			"another port":        header("Origin", "http://pi.local:8123"),
			"an origin withheld":  header("Origin", "null"),
			"a name of elsewhere": func(r *http.Request) { r.Host = "evil.example" },
		} {
			if w := d.request(r.method, path, "to=home&mode=away", with(key), foreign); w.Code != 403 && w.Code != 421 {
				t.Errorf("%s %s from %s: %d", r.method, path, name, w.Code)
			}
		}
	}
	own := d.request("POST", "/sign-out", "x=1", with(key), header("Origin", "http://pi.local:7007"))
	if own.Code != 303 {
		t.Errorf("our own form over plain HTTP: %d %s", own.Code, own.Body)
	}
}

// Whatever the answer, a browser is told to load nothing from elsewhere and to run nothing that stands in the page.
func TestEveryAnswerIsGuarded(t *testing.T) {
	d := newDoor(t, Options{})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	for _, r := range routes {
		if strings.Contains(r.path, "live") {
			continue // they do not end
		}
		path := pathOf(r)
		w := d.request(r.method, path, "", with(key))
		h := w.Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s %s: %v", r.method, path, h)
		}
		for _, inline := range []string{" style=", "<style", " onclick=", "javascript:", "<script>", "http://", "https://"} {
			if body := w.Body.String(); strings.Contains(h.Get("Content-Type"), "html") && strings.Contains(body, inline) {
				t.Errorf("%s %s: the page has %q", r.method, path, inline)
			}
		}
	}
}

// A body that is too large is not read to its end.
func TestBodiesAreBounded(t *testing.T) {
	d := newDoor(t, Options{Wish: func(gateway.State, time.Time, string, []byte) (gateway.Ask, error) { panic("it was read") }})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	for _, r := range routes {
		if r.method != "POST" {
			continue
		}
		path := pathOf(r)
		body := &counting{}
		q := httptest.NewRequest("POST", path, body)
		q.Host, q.RemoteAddr = "pi.local", home
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		with(key)(q)
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, q)
		if body.read > 16<<10 || w.Code == 200 {
			t.Errorf("%s: %d bytes were read, answer %d", path, body.read, w.Code)
		}
	}
}

// counting is a body without an end.
type counting struct{ read int }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	c.read += len(p)
	return len(p), nil
}
