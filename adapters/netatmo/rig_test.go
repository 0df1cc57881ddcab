package netatmo

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// signedIn is a vault with a pair that the vendor has just given.
func signedIn(t testing.TB, c *netatmotest.Cloud) *memory {
	t.Helper()
	m := newMemory()
	signInto(t, c, m)
	return m
}

func signInto(t testing.TB, c *netatmotest.Cloud, m *memory) {
	t.Helper()
	token, err := ImportToken(strings.NewReader(string(c.Token())))
	if err != nil {
		t.Fatal(err)
	}
	if err := SaveToken(m, token); err != nil {
		t.Fatal(err)
	}
}

// wires connects the adapter to the fake without a network, so that a test's clock can be false.
type wires struct {
	conns  chan net.Conn
	closed chan struct{}
	cloud  *netatmotest.Cloud
}

func (w *wires) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wires) Close() error {
	close(w.closed)
	return nil
}

func (w *wires) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (w *wires) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	if w.cloud.Broken(netatmotest.Refused) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	select {
	case w.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rig is an adapter, its vendor and its house.
type rig struct {
	t     *testing.T
	cloud *netatmotest.Cloud
	vault *memory
	house *gatewaytest.House
	facts []gateway.Event
}

// inBubble runs a test in which time is false: it passes at once when everybody waits.
func inBubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(evening))
		test(t)
	})
}

// setup is what a test may change before its rig runs.
type setup struct {
	options netatmotest.Options
	adapter Options
	state   gateway.State
	vault   *memory                  // nil: signed in
	begin   func(*netatmotest.Cloud) // nil, or what happens at the vendor's before the adapter runs
}

func newRig(t *testing.T, change func(*setup)) *rig {
	t.Helper()
	var s setup
	if change != nil {
		change(&s)
	}
	r := &rig{t: t, cloud: netatmotest.New(s.options), vault: s.vault}
	if r.vault == nil {
		r.vault = signedIn(t, r.cloud)
	}
	if s.begin != nil {
		s.begin(r.cloud)
	}
	o := s.adapter
	o.URL, o.Vault, o.Dial = "http://127.0.0.1", r.vault, serveOnWires(t, r.cloud)
	if o.ClientID == "" {
		o.ClientID, o.ClientSecret = "client", "client-secret"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r.house = gatewaytest.Start(t, gateway.CloudAdapter, New(o), gatewaytest.From(s.state))
	t.Cleanup(r.house.Stop)
	return r
}

// serveOnWires serves the fake until the end of the test, and returns the way to it.
func serveOnWires(t *testing.T, cloud *netatmotest.Cloud) func(ctx context.Context, network, address string) (net.Conn, error) {
	w := &wires{conns: make(chan net.Conn), closed: make(chan struct{}), cloud: cloud}
	server := &http.Server{Handler: cloud}
	served := make(chan struct{})
	go func() { _ = server.Serve(w); close(served) }()
	t.Cleanup(func() {
		cloud.Close()
		_ = server.Close()
		<-served
	})
	return w.dial
}

// small is the setup of a home with a thermostat and valves only, for tests of many hours.
func small(s *setup) {
	s.options.Home = netatmotest.House()
	s.options.Home.Modules = s.options.Home.Modules[:5]
}

// pass lets time pass and gathers the facts.
func (r *rig) pass(d time.Duration) []gateway.Event {
	time.Sleep(d)
	synctest.Wait()
	var news []gateway.Event
	for {
		select {
		case e := <-r.house.Facts():
			news = append(news, e)
		default:
			r.facts = append(r.facts, news...)
			return news
		}
	}
}

// phase shows the house in another phase, with a verdict.
func (r *rig) phase(p gateway.Phase, v gateway.Verdict) {
	r.house.Show(func(s gateway.State) gateway.State {
		s.Authority.Phase, s.Cloud.Verdict = p, v
		return s
	})
	synctest.Wait()
}

// only returns the facts of one type.
func only[F gateway.Fact](events []gateway.Event) []F {
	var all []F
	for _, e := range events {
		if f, ok := e.Fact.(F); ok {
			all = append(all, f)
		}
	}
	return all
}

// last returns the newest reading of a device's quantity.
func last(events []gateway.Event, device string, q gateway.Quantity) (gateway.Reading, bool) {
	for _, e := range slices.Backward(events) {
		if f, ok := e.Fact.(gateway.Reading); ok && f.Device == gateway.DeviceID(device) && f.Quantity == q {
			return f, true
		}
	}
	return gateway.Reading{}, false
}

// bad returns the calls that tell against the vendor.
func bad(events []gateway.Event) []gateway.Call {
	return slices.DeleteFunc(only[gateway.Call](events), func(c gateway.Call) bool {
		return c.Verdict == gateway.VerdictOK || c.Verdict == gateway.VerdictUnknown
	})
}

// lonely is a session that a test drives by itself: there is a house, but nobody decides in it.
func lonely(t *testing.T, cloud *netatmotest.Cloud, vault *memory) (*session, func()) {
	t.Helper()
	w := &wires{conns: make(chan net.Conn), closed: make(chan struct{}), cloud: cloud}
	server := &http.Server{Handler: cloud}
	served := make(chan struct{})
	go func() { _ = server.Serve(w); close(served) }()
	o := Options{
		URL: "http://127.0.0.1", ClientID: "client", ClientSecret: "client-secret", Vault: vault, Dial: w.dial,
		Log: slog.New(slog.DiscardHandler),
	}
	ports := make(chan gateway.Port)
	house := gatewaytest.Start(t, gateway.CloudAdapter, lender{ports})
	s, err := New(o).session(<-ports)
	if err != nil {
		t.Fatal(err)
	}
	return s, func() {
		s.web.close()
		_ = server.Close()
		<-served
		house.Stop()
	}
}

// lender is an adapter that hands its port to a test.
type lender struct{ ports chan<- gateway.Port }

func (l lender) Run(ctx context.Context, port gateway.Port) error {
	l.ports <- port
	<-ctx.Done()
	return nil
}
