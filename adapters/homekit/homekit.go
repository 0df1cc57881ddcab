// Package homekit is the bridge to the Home app: it shows the State as accessories and turns taps
// into wishes.
//
// A room that can be heated is a thermostat, whose automatic mode is the schedule; every other device
// is a sensor or a switch; Veilleuse itself is a contact that opens when the vendor's cloud is gone,
// a sensor that is occupied while the house is run from here, and switches for away, frost guard,
// hush, a drill, and an alarm that waits for an answer. What cannot be reached keeps its last value and
// says so by StatusActive and StatusFault.
//
// The protocol is adapters/hap; from github.com/brutella/hap come the characteristics' metadata, from
// github.com/brutella/dnssd the announcement.
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

// Vault keeps identity, pairings and ids. Get of a missing key is an fs.ErrNotExist; Set returns when
// the value is durable.
type Vault interface {
	Get(key string) ([]byte, error)
	Set(key string, value []byte) error
	Delete(key string) error
	List(prefix string) ([]string, error)
}

// Advertiser makes the bridge known on the LAN until ctx ends. txt gives the record now; changed has a
// token whenever it differs.
type Advertiser interface {
	Advertise(ctx context.Context, name string, port int, txt func() map[string]string, changed <-chan struct{}) error
}

// Options are the settings of the bridge.
type Options struct {
	Listen     string     // host:port; port 0 takes a free one
	Name       string     // as the Home app shows it while pairing
	Vault      Vault      // must be there
	Advertiser Advertiser // nil: nothing is announced
	Log        *slog.Logger
}

// Adapter is the bridge.
type Adapter struct {
	options Options
	address atomic.Pointer[string]

	mu     sync.Mutex // guards the catalogue: writes come from the sessions' goroutines
	shelf  *catalogue
	server *hap.Server
	ringed map[gateway.DeviceID]float64
}

// New makes the bridge.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Adapter{options: o}
}

// Code is what the Home app needs to pair: the setup code, the content of its QR code, and where the
// bridge listens. It works before Run, too.
func (a *Adapter) Code() (code, uri, listen string, err error) {
	identity, err := a.identity()
	if err != nil {
		return "", "", "", err
	}
	listen = a.options.Listen
	if bound := a.address.Load(); bound != nil {
		listen = *bound
	}
	return string(identity.SetupCode), hap.SetupURI(hap.CategoryBridge, identity.SetupCode, identity.SetupID), listen, nil
}

// ID is the bridge's HomeKit id, by which it can be told from accessories on the LAN.
func (a *Adapter) ID() (string, error) {
	identity, err := a.identity()
	return identity.DeviceID, err
}

// Controllers is how many controllers are paired with the bridge: phones, home hubs, other programs.
func (a *Adapter) Controllers() (int, error) {
	keys, err := a.options.Vault.List("pairing/")
	return len(keys), err
}

// identity reads the bridge's identity, or makes it at the very first call; two calls at once must
// not make two.
func (a *Adapter) identity() (hap.ServerIdentity, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	identity, err := hap.LoadServerIdentity(shelved{a.options.Vault})
	if err != nil {
		return identity, fmt.Errorf("HomeKit identity: %w", err)
	}
	return identity, nil
}

// wishes that wait for the house; a person cannot tap faster.
const wishQueue = 64

// write is one thing that a controller asked for.
type write struct {
	key string
	ask gateway.Ask
}

// Run serves the Home app until ctx ends.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	store := shelved{a.options.Vault}
	identity, err := a.identity()
	if err != nil {
		return err
	}
	shelf, err := newCatalogue(store)
	if err != nil {
		return err
	}
	writes := make(chan write, wishQueue)
	server, err := hap.NewServer(hap.ServerOptions{
		Identity: identity, Model: "Veilleuse", Store: store, Logger: a.options.Log,
		Write: func(_ context.Context, _ string, requests []hap.WriteRequest) []hap.WriteResult {
			return a.take(requests, writes)
		},
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", a.options.Listen)
	if err != nil {
		return fmt.Errorf("homekit.listen: %w; choose another port or end the program that has it", err)
	}
	a.mu.Lock()
	a.shelf, a.server, a.ringed = shelf, server, map[gateway.DeviceID]float64{}
	a.mu.Unlock()
	bound := listener.Addr().String()
	a.address.Store(&bound)
	return a.serve(ctx, port, listener, writes)
}

// serve waits for the first State, then opens the door and follows the house.
func (a *Adapter) serve(ctx context.Context, port gateway.Port, listener net.Listener, writes <-chan write) error {
	var s gateway.State
	select {
	case s = <-port.Shown():
	case <-ctx.Done():
		return listener.Close()
	}
	if err := a.publish(gateway.State{}, s); err != nil {
		listener.Close()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var started sync.WaitGroup
	defer started.Wait()
	defer cancel()
	ended := make(chan error, 2)
	started.Go(func() { ended <- a.server.Serve(ctx, listener) })
	if a.options.Advertiser != nil {
		number := listener.Addr().(*net.TCPAddr).Port
		started.Go(func() {
			// A bridge that nobody can announce still serves those who know its address.
			if err := a.options.Advertiser.Advertise(ctx, a.options.Name, number, a.server.TXT, a.server.Changed()); err != nil && ctx.Err() == nil {
				a.options.Log.Warn("the bridge is not announced", "err", err)
			}
		})
	}
	return a.follow(ctx, port, s, writes, ended)
}

// follow shows each State and posts each wish.
func (a *Adapter) follow(ctx context.Context, port gateway.Port, s gateway.State, writes <-chan write, ended <-chan error) error {
	told := calls{port: port}
	pending := map[string]uint64{} // key of a written accessory -> last decision before the wish
	for {
		select {
		case next := <-port.Shown():
			a.settle(pending, next)
			if err := a.publish(s, next); err != nil {
				a.options.Log.Warn("the Home app could not be told", "err", err)
			}
			s = next
			told.shown(s)
		case w := <-writes:
			pending[w.key] = s.Decided
			port.Post(gateway.Wish{By: "Home app", Ask: w.ask})
		case c := <-port.Commands():
			told.take(c, s)
		case <-told.due:
			told.count(a, s)
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("serve the Home app: %w", err)
		case <-ctx.Done():
			return nil
		}
	}
}

// settle lets accessories whose wish has been decided show again what the State says.
func (a *Adapter) settle(pending map[string]uint64, s gateway.State) {
	for key, before := range pending {
		if s.Decided <= before {
			continue
		}
		delete(pending, key)
		a.mu.Lock()
		a.shelf.forget(key)
		a.mu.Unlock()
		a.refresh(key, s)
	}
}

// take answers a controller's writes at once; the house decides later.
func (a *Adapter) take(requests []hap.WriteRequest, writes chan<- write) []hap.WriteResult {
	results := make([]hap.WriteResult, len(requests))
	for i, request := range requests {
		a.mu.Lock()
		ask, key, ok := a.shelf.ask(request.ID, request.Value)
		a.mu.Unlock()
		if !ok {
			continue // units and the like: kept by the server, of no meaning here
		}
		select {
		case writes <- write{key, ask}:
		default:
			results[i].Status = hap.StatusBusy
		}
	}
	return results
}

// shelved is a Vault as adapters/hap wants its store.
type shelved struct{ Vault }

// Get turns the vault's word for "not there" into the protocol's.
func (s shelved) Get(key string) ([]byte, error) {
	value, err := s.Vault.Get(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", key, hap.ErrNotFound)
	}
	return value, err
}

// stopSoon is how long the goodbye on the network may take.
const stopSoon = 500 * time.Millisecond
