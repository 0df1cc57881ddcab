// Package homekit is the bridge to the Home app: it shows the State as accessories and turns taps
// into wishes.
//
// A room that can be heated is a thermostat, whose automatic mode is the schedule; every other device
// is a sensor or a switch; Veilleuse itself is a contact that opens when the vendor's cloud is gone,
// a sensor that is occupied while the house is run from here, and switches for away, frost guard,
// hush, a drill, and an alarm that waits for an answer. What cannot be reached keeps its last value and
// says so by StatusActive and StatusFault. A house that is too big for one bridge has several. A camera that
// is reached on the LAN shows its picture, still and live, to two viewers at once; see package stream. There is no
// recording by Apple (HomeKit Secure Video).
//
// The protocol is adapters/hap; from github.com/brutella/hap come the characteristics' metadata, from
// github.com/brutella/dnssd the announcement, from github.com/pion/srtp and rtp the packets of live pictures.
package homekit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// Advertiser makes a bridge known on the LAN until ctx ends.
type Advertiser interface {
	Advertise(ctx context.Context, what Announcement) error
}

// Announcement is what is to be known of a bridge.
type Announcement struct {
	Name    string // as people see it while pairing
	ID      string // HomeKit id
	Port    int
	TXT     func() map[string]string // the record now
	Changed <-chan struct{}          // has a token whenever TXT may differ
	Seen    func(trouble string)     // is told after each look what is wrong with the record; "": nothing
}

// Options are the settings of the bridge.
type Options struct {
	Listen     string        // host:port; port 0 takes a free one
	Name       string        // as the Home app shows it while pairing
	Vault      gateway.Vault // must be there
	Advertiser Advertiser    // nil: nothing is announced
	Cameras    Cameras       // nil: cameras show no pictures
	Log        *slog.Logger
}

// Adapter is the bridge, or as many of them as the house needs.
type Adapter struct {
	options Options
	resets  chan chan error // asks Run to end its life, forget all controllers, and begin anew
	viewers *viewers
	serving atomic.Bool

	mu      sync.Mutex // guards the rest: writes come from the sessions' goroutines
	running bool
	bridges []*bridge
	writes  chan<- write
	ringed  map[gateway.DeviceID]float64
	said    map[string]bool
	fades   map[string]time.Time // when a reading of that accessory, shown as fresh, will be too old
}

// New makes the bridge.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Adapter{options: o, resets: make(chan chan error), viewers: newViewers(o.Cameras, o.Log)}
}

// Serving reports whether the Home app is answered. It may be called from any goroutine.
func (a *Adapter) Serving() bool { return a.serving.Load() }

// wishes that wait for the house; a person cannot tap faster.
const wishQueue = 64

// write is one thing that a controller asked for.
type write struct {
	key string
	ask gateway.Ask
}

// Run serves the Home app until ctx ends.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	a.runs(true)
	defer a.runs(false)
	var known *gateway.State
	for {
		var reset resetError
		if err := a.live(ctx, port, known); !errors.As(err, &reset) {
			return err
		}
		known = reset.known
		reset.done <- a.forget()
	}
}

func (a *Adapter) runs(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running = yes
}

// live is one life of the bridges, from opening their doors to closing them. known is the State that an earlier life was
// shown last, if there was one: it is shown again only when it has changed.
func (a *Adapter) live(ctx context.Context, port gateway.Port, known *gateway.State) error {
	writes := make(chan write, wishQueue)
	if err := a.load(writes); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", a.options.Listen)
	if err != nil {
		return fmt.Errorf("homekit.listen: %w; choose another port or end the program that has it", err)
	}
	a.mu.Lock()
	a.begin()
	a.mu.Unlock()
	bound := listener.Addr().String()
	a.bridges[0].address.Store(&bound)
	s, err := a.firstState(ctx, port, known)
	if err != nil || ctx.Err() != nil {
		listener.Close()
		return err
	}
	return a.serve(ctx, port, s, listener, writes)
}

// begin forgets what an earlier life has learnt of the State.
func (a *Adapter) begin() {
	a.ringed, a.said, a.fades = map[gateway.DeviceID]float64{}, map[string]bool{}, map[string]time.Time{}
}

// firstState waits for a State to begin with.
func (a *Adapter) firstState(ctx context.Context, port gateway.Port, known *gateway.State) (gateway.State, error) {
	if known != nil {
		return *known, nil
	}
	select {
	case s := <-port.Shown():
		return s, nil
	case done := <-a.resets:
		return gateway.State{}, resetError{done: done}
	case <-ctx.Done():
		return gateway.State{}, nil
	}
}

// serve opens the doors and follows the house.
func (a *Adapter) serve(ctx context.Context, port gateway.Port, s gateway.State, listener net.Listener, writes <-chan write) error {
	if err := a.publish(gateway.State{}, s, port.Now()); err != nil {
		listener.Close()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var started sync.WaitGroup
	defer a.viewers.running.Wait() // their controllers have left by then
	defer started.Wait()
	defer cancel()
	ended := make(chan error, 1)
	first := a.bridges[0]
	started.Go(func() { ended <- first.server.Serve(ctx, listener) })
	started.Go(func() { a.announce(ctx, first, listener) })
	f := follower{adapter: a, port: port, state: s, writes: writes, ended: ended, opened: 1}
	f.open = func(b *bridge) {
		started.Go(func() { b.stay(ctx, listener.Addr().String(), a.announce) })
	}
	a.serving.Store(true)
	defer a.serving.Store(false)
	return f.run(ctx)
}

// announce makes a bridge known on the LAN. One that nobody can announce still serves those who know its address.
func (a *Adapter) announce(ctx context.Context, b *bridge, listener net.Listener) {
	if a.options.Advertiser == nil {
		return
	}
	err := a.options.Advertiser.Advertise(ctx, Announcement{
		Name: b.name, ID: b.identity.DeviceID, Port: listener.Addr().(*net.TCPAddr).Port,
		TXT: b.server.TXT, Changed: b.server.Changed(), Seen: func(trouble string) { b.announced.Store(&trouble) },
	})
	if err != nil && ctx.Err() == nil {
		a.options.Log.Warn("the bridge is not announced", "bridge", b.name, "err", err)
	}
}

// follower shows each State and posts each wish.
type follower struct {
	adapter *Adapter
	port    gateway.Port
	state   gateway.State
	writes  <-chan write
	ended   <-chan error
	open    func(*bridge)
	opened  int // bridges whose doors are open
}

func (f *follower) run(ctx context.Context) error {
	a := f.adapter
	told := calls{port: f.port}
	ages := f.port.After(ageEvery)
	pending := map[string]uint64{} // key of a written accessory -> last decision before the wish
	for {
		f.openNew()
		select {
		case next := <-f.port.Shown():
			a.settle(pending, next, f.port.Now())
			if err := a.publish(f.state, next, f.port.Now()); err != nil {
				a.options.Log.Warn("the Home app could not be told", "err", err)
			}
			f.state = next
			told.shown(next)
		case <-ages:
			ages = f.port.After(ageEvery)
			if err := a.age(f.state, f.port.Now()); err != nil {
				a.options.Log.Warn("the Home app could not be told", "err", err)
			}
		case w := <-f.writes:
			if w.key != "" {
				pending[w.key] = f.state.Decided
			}
			f.port.Post(gateway.Wish{By: "Home app", Ask: w.ask})
		case <-a.viewers.news:
			for key := range a.viewers.changed() {
				a.refresh(key, f.state, f.port.Now())
			}
		case c := <-f.port.Commands():
			told.take(c, f.state)
		case <-told.due:
			told.count(a, f.state)
		case done := <-a.resets:
			known := f.state
			return resetError{done, &known}
		case err := <-f.ended:
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("serve the Home app: %w", err)
		case <-ctx.Done():
			return nil
		}
	}
}

// openNew opens the doors of bridges that were made since, and tells people once of each.
func (f *follower) openNew() {
	f.adapter.mu.Lock()
	all := f.adapter.bridges
	f.adapter.mu.Unlock()
	for ; f.opened < len(all); f.opened++ {
		b := all[f.opened]
		f.open(b)
		if b.fresh {
			f.port.Post(gateway.Notice{What: fmt.Sprintf("the Home app needs a second code: %s serves what %s has no room for", b.name, all[f.opened-1].name),
				Why: "HomeKit takes 150 accessories from one bridge; veilleuse code shows all codes"})
		}
	}
}

// settle lets accessories whose wish has been decided show again what the State says.
func (a *Adapter) settle(pending map[string]uint64, s gateway.State, now time.Time) {
	for key, before := range pending {
		if s.Decided <= before {
			continue
		}
		delete(pending, key)
		a.mu.Lock()
		if _, b := a.entry(key); b != nil {
			b.shelf.forget(key)
		}
		a.mu.Unlock()
		a.refresh(key, s, now)
	}
}

// take answers a controller's writes at once; the house decides later. ctx ends with the controller's
// connection.
func (a *Adapter) take(ctx context.Context, b *bridge, requests []hap.WriteRequest, writes chan<- write) []hap.WriteResult {
	results := make([]hap.WriteResult, len(requests))
	for i, request := range requests {
		a.mu.Lock()
		ask, key, ok := b.shelf.ask(request.ID, request.Value)
		view, viewed := b.shelf.view(request.ID)
		a.mu.Unlock()
		if viewed {
			results[i] = a.viewers.write(ctx, view, request)
			continue
		}
		w := write{key, ask}
		switch ask.(type) {
		case nil:
			if ok {
				results[i].Status = hap.StatusUnreachable
			}
			continue // units and the like: kept by the server, of no meaning here
		case gateway.Refused:
			results[i].Status, w.key = hap.StatusNotAllowedNow, ""
		}
		select {
		case writes <- w:
		default:
			results[i].Status = hap.StatusBusy
		}
	}
	return results
}

// shelved is a Vault as adapters/hap wants its store.
type shelved struct{ gateway.Vault }

// Get turns the vault's word for "not there" into the protocol's.
func (s shelved) Get(key string) ([]byte, error) {
	value, err := s.Vault.Get(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", key, hap.ErrNotFound)
	}
	return value, err
}
