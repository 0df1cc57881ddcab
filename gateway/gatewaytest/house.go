// Package gatewaytest runs one adapter in a house whose decisions the test makes, and holds the
// contract that every adapter must pass.
package gatewaytest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Patience is how long a test waits for something that ought to happen at once. It is long because
// it is only ever waited out by a test that fails.
const Patience = time.Minute

// House is a Loop with one adapter in it. The test reads the facts that the adapter posts, shows it
// States and sends it commands.
type House struct {
	t      testing.TB
	facts  chan gateway.Event
	acts   chan func(gateway.State) (gateway.State, []gateway.Command)
	poke   chan struct{}
	cancel context.CancelFunc
	ended  chan struct{}
	next   uint64
}

// Option changes the Loop before it runs: its first State, its clock.
type Option func(*gateway.Loop)

// From lets the house begin with that State.
func From(s gateway.State) Option { return func(l *gateway.Loop) { l.State = s } }

// Start runs the adapter under that name until the test ends or Stop is called.
func Start(t testing.TB, name string, adapter gateway.Adapter, options ...Option) *House {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &House{
		t:      t,
		facts:  make(chan gateway.Event, 100_000),
		acts:   make(chan func(gateway.State) (gateway.State, []gateway.Command), 1),
		poke:   make(chan struct{}),
		cancel: cancel,
		ended:  make(chan struct{}),
	}
	loop := &gateway.Loop{Step: h.step, Every: time.Hour, Log: slog.New(slog.DiscardHandler)}
	for _, o := range options {
		o(loop)
	}
	loop.Attach(name, adapter)
	loop.Attach("test", director{h.poke})
	go func() { loop.Run(ctx); close(h.ended) }()
	t.Cleanup(h.Stop)
	return h
}

// director is the adapter through which the test acts.
type director struct{ poke chan struct{} }

// Run does what the test wants until ctx ends.
func (d director) Run(ctx context.Context, port gateway.Port) error {
	for {
		select {
		case <-d.poke:
			port.Post(gateway.Tick{})
		case <-ctx.Done():
			return nil
		}
	}
}

func (h *House) step(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
	if e.From == "test" {
		select {
		case act := <-h.acts:
			s, commands := act(s)
			s.Version++
			return s, commands
		default:
		}
	}
	if e.From != gateway.LoopName && e.From != "test" {
		select {
		case h.facts <- e:
		default:
		}
	}
	return s, nil
}

func (h *House) act(f func(gateway.State) (gateway.State, []gateway.Command)) {
	h.t.Helper()
	select {
	case h.acts <- f:
	case <-time.After(Patience):
		h.t.Fatal("the house does not take what the test does")
	}
	select {
	case h.poke <- struct{}{}:
	case <-time.After(Patience):
		h.t.Fatal("the house does not take what the test does")
	}
}

// Show lets change make the next State and shows it to the adapter.
func (h *House) Show(change func(gateway.State) gateway.State) {
	h.t.Helper()
	h.act(func(s gateway.State) (gateway.State, []gateway.Command) { return change(s), nil })
}

// Send gives the adapter a command and returns its id.
func (h *House) Send(c gateway.Command) uint64 {
	h.t.Helper()
	if c.ID == 0 {
		h.next++
		c.ID = h.next
	}
	h.act(func(s gateway.State) (gateway.State, []gateway.Command) { return s, []gateway.Command{c} })
	return c.ID
}

// Facts yields every fact the adapter posts, in order, its Health included.
func (h *House) Facts() <-chan gateway.Event { return h.facts }

// Wait returns the next fact of type F for which accept is true (nil: any), skipping all others.
// The test fails if none comes.
func Wait[F gateway.Fact](h *House, accept func(F) bool) F {
	h.t.Helper()
	timeout := time.After(Patience)
	for {
		select {
		case e := <-h.facts:
			if f, ok := e.Fact.(F); ok && (accept == nil || accept(f)) {
				return f
			}
		case <-timeout:
			var none F
			h.t.Fatalf("no such %T within %v", none, Patience)
			return none
		}
	}
}

// Stop stops the adapter and waits until it has ended.
func (h *House) Stop() {
	h.cancel()
	select {
	case <-h.ended:
	case <-time.After(Patience):
		h.t.Error("the adapter does not end")
	}
}
