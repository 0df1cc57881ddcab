package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

var quiet = slog.New(slog.DiscardHandler)

func TestContract(t *testing.T) {
	gatewaytest.Contract(t, "web", func(testing.TB) gateway.Adapter {
		return New(Options{Listen: "127.0.0.1:0", Vault: gatewaytest.NewVault(), Log: quiet})
	})
}

// start runs the server on loopback and returns its address.
func start(t *testing.T, o Options, more ...gatewaytest.Option) (*gatewaytest.House, string) {
	t.Helper()
	return startWith(t, o, func(*Adapter) {}, more...)
}

// startWith lets change alter how patient the server is, before it runs.
func startWith(t *testing.T, o Options, change func(*Adapter), more ...gatewaytest.Option) (*gatewaytest.House, string) {
	t.Helper()
	addresses := make(chan net.Addr, 1)
	o.Listen, o.Log = "127.0.0.1:0", quiet
	if o.Vault == nil {
		o.Vault = gatewaytest.NewVault()
	}
	o.Listening = func(a net.Addr) { addresses <- a }
	a := New(o)
	a.answers = gatewaytest.Patience // it is the test that decides about wishes, which may take it longer than a house
	change(a)
	h := gatewaytest.Start(t, "web", a, more...)
	select {
	case a := <-addresses:
		return h, a.String()
	case <-time.After(20 * time.Second):
		t.Fatal("nothing listens")
		return nil, ""
	}
}

func ask(t *testing.T, method, url, host string) (int, http.Header, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

func TestServes(t *testing.T) {
	h, address := start(t, Options{Version: "1", Stored: func() Stored { return Stored{Bytes: 4096, Flushes: 2, Writes: 3} },
		Backup: func() Backup { return Backup{State: time.Now().Add(-time.Hour)} }})
	h.Show(func(s gateway.State) gateway.State { s.Decided = 7; return s })
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, _, body := ask(t, "GET", "http://"+address+"/metrics", ""); strings.Contains(body, "veilleuse_decisions_total 7\n") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the State that was shown is not served")
		}
	}
	status, header, body := ask(t, "GET", "http://"+address+"/metrics", "")
	if status != 200 || header.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("%d %v", status, header)
	}
	values := parse(t, body)
	for name, want := range map[string]float64{"veilleuse_store_written_bytes_total": 4096, "veilleuse_store_flushes_total": 2, "veilleuse_store_writes_total": 3} {
		if values[name] != want {
			t.Errorf("%s is %v, want %v", name, values[name], want)
		}
	}
	if age := values[`veilleuse_backup_age_seconds{place="state"}`]; age < 3590 || age > 3700 {
		t.Errorf("the backup is %v s old", age)
	}
	if strings.Contains(body, `place="second"`) {
		t.Error("a second place without a backup is not absent")
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, header, body := ask(t, "GET", "http://"+address+path, ""); status != 200 || body != "ok\n" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s gives %d %q %v", path, status, body, header)
		}
	}
}

func TestBusyPortIsOneSentence(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	err = New(Options{Listen: taken.Addr().String(), Log: quiet}).Run(t.Context(), gateway.Port{})
	if err == nil || !strings.HasPrefix(err.Error(), "web.listen: the page cannot listen on "+taken.Addr().String()) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestCommandsAreAnswered(t *testing.T) {
	h, _ := start(t, Options{})
	id := h.Send(gateway.Command{Point: gateway.Point{Adapter: "web", Of: "x", Quantity: gateway.On}, Value: gateway.Flag(true)})
	if o := gatewaytest.Wait(h, func(o gateway.Outcome) bool { return o.ID == id }); o.Err == "" || !o.Final {
		t.Errorf("%+v", o)
	}
}

// guarded asks the routes themselves, so that a test can come from anywhere.
func guarded(a *Adapter, method, path, host, remote string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host, r.RemoteAddr = host, remote
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, r)
	return w
}

func TestWhoIsAnswered(t *testing.T) {
	a := New(Options{Domains: func() []string { return []string{"lan", "Home.Example."} }, Vault: gatewaytest.NewVault(), Log: quiet})
	a.own = "pi.fritz.box"
	a.newest.Store(&gateway.State{})
	for _, c := range []struct {
		method, path, host, remote string
		want                       int
	}{
		{"GET", "/metrics", "192.168.1.2:7007", home, 200},
		{"GET", "/metrics", "[fd00::2]:7007", "[fd00::7]:5", 200},
		{"GET", "/metrics", "[::1]", "[::1]:5", 200},
		{"GET", "/metrics", "fe80::1", "[fe80::7%eth0]:5", 200},
		{"GET", "/metrics", "10.0.0.2", "[::ffff:10.0.0.3]:5", 200},
		{"GET", "/metrics", "172.16.0.1", "172.31.255.255:5", 200},
		{"GET", "/metrics", "169.254.1.1", "169.254.3.3:5", 200},
		{"GET", "/metrics", "localhost:7007", "127.0.0.1:5", 200},
		{"GET", "/metrics", "LOCALHOST", home, 200},
		{"GET", "/metrics", "pi:7007", home, 200},
		{"GET", "/metrics", "pi.fritz.box", home, 200},
		{"GET", "/metrics", "pi.local.:7007", home, 200},
		{"GET", "/metrics", "pi.lan:7007", home, 200},
		{"GET", "/metrics", "PI.home.example", home, 200},
		{"GET", "/healthz", "203.0.113.7", "203.0.113.9:5", 200},

		{"GET", "/metrics", "203.0.113.7", "203.0.113.9:5", 403},
		{"GET", "/metrics", "192.168.1.2", "172.32.0.1:5", 403},
		{"GET", "/metrics", "192.168.1.2", "[2001:db8::1]:5", 403},
		{"GET", "/metrics", "192.168.1.2", "100.64.0.1:5", 403},
		{"GET", "/metrics", "192.168.1.2", "", 403},
		{"GET", "/metrics", "192.168.1.2", "@", 403},

		{"GET", "/metrics", "evil.example", home, 421},
		{"GET", "/metrics", "evil.lan", home, 421},
		{"GET", "/metrics", "pi.evil.example", home, 421},
		{"GET", "/metrics", "pi.", home, 200},
		{"GET", "/metrics", "pi..", home, 421},
		{"GET", "/metrics", "fritz.box", home, 421},
		{"GET", "/metrics", "evil.example:7007", home, 421},
		{"GET", "/metrics", "local", home, 421},
		{"GET", "/metrics", ".local", home, 421},
		{"GET", "/metrics", "evil.local.example", home, 421},
		{"GET", "/metrics", "localhost.evil.example", home, 421},
		{"GET", "/metrics", "192.168.1.2.evil.example", home, 421},
		{"GET", "/healthz", "evil.example", home, 421},
		{"GET", "/metrics", "", home, 421},

		{"POST", "/metrics", "pi", home, 405},
		{"HEAD", "/healthz", "pi", home, 405},
		{"OPTIONS", "/metrics", "pi", home, 405},
		{"GET", "/", "pi", home, 303},
		{"GET", "/metrics/x", "pi", home, 404},
	} {
		w := guarded(a, c.method, c.path, c.host, c.remote)
		h := w.Header()
		if w.Code != c.want {
			t.Errorf("%s %s of %q from %q: %d %s, want %d", c.method, c.path, c.host, c.remote, w.Code, w.Body, c.want)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") == "" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s of %q: headers %v", c.method, c.path, c.host, h)
		}
		if w.Code != 200 && strings.Contains(w.Body.String(), "veilleuse_") {
			t.Errorf("%s %s of %q from %q: refused, and figures are given", c.method, c.path, c.host, c.remote)
		}
	}
}

func TestReadyOnceTheHouseIsKnown(t *testing.T) {
	a := New(Options{Vault: gatewaytest.NewVault(), Log: quiet})
	if w := guarded(a, "GET", "/readyz", "localhost", "127.0.0.1:1"); w.Code != 503 || !strings.Contains(w.Body.String(), "only just started") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := guarded(a, "GET", "/healthz", "localhost", "127.0.0.1:1"); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	parse(t, guarded(a, "GET", "/metrics", "localhost", "127.0.0.1:1").Body.String())
}

// pipes is a listener whose connections the test makes.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, errors.New("closed")
	}
	return c, nil
}
func (pipes) Close() error   { return nil }
func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

func TestConnectionsAreBounded(t *testing.T) {
	p := pipes{make(chan net.Conn, 8)}
	c := &crowd{Listener: p, most: 2, places: map[net.Conn]*place{}}
	comes := func() (mine, theirs net.Conn) {
		mine, other := net.Pipe()
		t.Cleanup(func() { mine.Close() })
		p.conns <- other
		theirs, err := c.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return mine, theirs
	}
	_, first := comes()
	second, _ := comes()
	c.worth(first, asking)
	_, third := comes()
	if _, err := second.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("who has asked nothing does not give way: %v", err)
	}
	c.worth(first, staying)
	c.worth(third, staying)
	mine, other := net.Pipe()
	p.conns <- other
	close(p.conns)
	c.Accept()
	if _, err := mine.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a newcomer is not hung up on while those stay who follow the house: %v", err)
	}
	c.leave(first)
	c.leave(first) // twice makes room once
	if len(c.places) != 1 {
		t.Errorf("%d are open, want 1", len(c.places))
	}
}

// A client that sends nothing holds nobody up, and the end of the house does not wait for it.
func TestIdleClientDoesNotDelayTheEnd(t *testing.T) {
	h, address := start(t, Options{})
	var open atomic.Int32
	for range 5 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /metrics HTTP/1.1\r\nHost: local")
		open.Add(1)
	}
	if status, _, _ := ask(t, "GET", "http://"+address+"/healthz", ""); status != 200 {
		t.Errorf("%d", status)
	}
	h.Stop()
}

func TestHugeHeaderIsRefused(t *testing.T) {
	_, address := start(t, Options{})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil && answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%s", answer.Status)
	}
}
