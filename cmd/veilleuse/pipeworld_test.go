package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
	"github.com/veilleuse/veilleuse/rules"
)

// pipeWorld is the vendor and one witness behind pipes in place of a network, so that a test's clock
// can be false: hours pass at once when everybody waits.
type pipeWorld struct {
	server *http.Server
	served chan struct{}
	closed chan struct{}
	conns  chan net.Conn

	mu     sync.Mutex
	door   door
	knocks []time.Time // every attempt to reach the vendor by HTTP, and every request that came through
}

// door is how the way to the vendor stands.
type door int

const (
	open door = iota
	shut
	hole // nothing comes back
)

const doorWitness = "192.0.2.1:443"

func newPipeWorld(t testing.TB, vendor http.Handler) *pipeWorld {
	t.Helper()
	w := &pipeWorld{served: make(chan struct{}), closed: make(chan struct{}), conns: make(chan net.Conn)}
	w.server = &http.Server{Handler: http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.knocks = append(w.knocks, time.Now())
		w.mu.Unlock()
		vendor.ServeHTTP(a, r)
	})}
	go func() { _ = w.server.Serve(w); close(w.served) }()
	return w
}

func (w *pipeWorld) close() {
	_ = w.server.Close()
	<-w.served
}

// Accept, Close and Addr make it a listener.
func (w *pipeWorld) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *pipeWorld) Close() error   { close(w.closed); return nil }
func (w *pipeWorld) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (w *pipeWorld) set(d door) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.door = d
}

// dial connects as the network would. The witness takes every connection.
func (w *pipeWorld) dial(ctx context.Context, network, address string) (net.Conn, error) {
	near, far := net.Pipe()
	if address == doorWitness {
		far.Close()
		return near, nil
	}
	w.mu.Lock()
	d := w.door
	w.mu.Unlock()
	switch d {
	case shut:
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	case hole:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	select {
	case w.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// requests are the times of the requests since then.
func (w *pipeWorld) requests(from time.Time) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []time.Time
	for _, k := range w.knocks {
		if !k.Before(from) {
			all = append(all, k)
		}
	}
	return all
}

// signedIn is a vault with a pair of tokens that the vendor has just given.
func signedIn(t testing.TB, cloud *netatmotest.Cloud) *gatewaytest.Vault {
	t.Helper()
	token, err := netatmo.ImportToken(strings.NewReader(string(cloud.Token())))
	if err != nil {
		t.Fatal(err)
	}
	v := gatewaytest.NewVault()
	if err := netatmo.SaveToken(v, token); err != nil {
		t.Fatal(err)
	}
	return v
}

// watchedHouse is a house whose every event a test can see: the real rules, with the two adapters that
// speak to the vendor.
type watchedHouse struct {
	cancel context.CancelFunc
	ended  chan struct{}
	person chan gateway.Fact

	mu     sync.Mutex
	state  gateway.State
	events []gateway.Event
	after  []gateway.State // after each of them
}

// startHouse runs a house with these settings of its adapters until the test ends or stop is called.
func startHouse(prober uplink.Options, cloud netatmo.Options, change func(*gateway.Loop)) *watchedHouse {
	cloud.Purse = netatmo.NewPurse(cloud.BudgetPerHour)
	prober.Purse = cloud.Purse
	cloud.ClientID, cloud.ClientSecret, cloud.Log = "client", "client-secret", slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	h := &watchedHouse{cancel: cancel, ended: make(chan struct{})}
	loop := &gateway.Loop{Step: h.step, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(loop)
	}
	h.person = make(chan gateway.Fact)
	loop.Attach("person", person(h.person))
	loop.Attach("uplink", uplink.New(prober))
	loop.Attach(gateway.CloudAdapter, netatmo.New(cloud))
	go func() { loop.Run(ctx); close(h.ended) }()
	return h
}

func (h *watchedHouse) step(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
	next, commands := rules.Step(s, e)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = next
	if _, tick := e.Fact.(gateway.Tick); !tick {
		h.events, h.after = append(h.events, e), append(h.after, next)
	}
	return next, commands
}

func (h *watchedHouse) now() gateway.State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

func (h *watchedHouse) stop() {
	h.cancel()
	<-h.ended
}

// person is an adapter that posts what a test tells it.
type person chan gateway.Fact

func (p person) Run(ctx context.Context, port gateway.Port) error {
	for {
		select {
		case f := <-p:
			port.Post(f)
		case <-ctx.Done():
			return nil
		}
	}
}

// tell posts a fact as a person's or the clock's.
func (h *watchedHouse) tell(f gateway.Fact) { h.person <- f }
