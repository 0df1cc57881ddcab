package homekit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// bridge is one accessory server: HomeKit takes 150 accessories at most from each, the bridge itself among them. Every
// bridge has an identity, a setup code, a port, pairings and ids of its own.
type bridge struct {
	number   int // from 1
	name     string
	store    hap.Store
	identity hap.ServerIdentity
	shelf    *catalogue
	server   *hap.Server
	fresh    bool // it was made just now, and nobody was told yet
	layout   bool // of what is published
	log      *slog.Logger

	before  []hap.Accessory // what the last run has shown, until something is; nil then
	knewOwn bool            // our own accessory was among it
	pending bool            // what is new could not be kept, and that was told
	tried   time.Time       // when it was last tried

	address   atomic.Pointer[string] // where it listens
	announced atomic.Pointer[string] // what is wrong with its record on the LAN; nil: not looked yet
}

// nameOf is what a bridge is called while it is paired: "Veilleuse", "Veilleuse 2".
func nameOf(name string, number int) string {
	if number == 1 {
		return name
	}
	return name + " " + strconv.Itoa(number)
}

// loadBridge reads a bridge, or makes it where the store has none of that number. Nothing is served yet.
func (a *Adapter) loadBridge(number int, writes chan<- write) (*bridge, error) {
	b := &bridge{number: number, name: nameOf(a.options.Name, number), store: a.store(number), log: a.options.Log}
	var err error
	if b.identity, err = loadIdentity(b.store); err != nil {
		return nil, err
	}
	if b.shelf, err = newCatalogue(b.store, b.itself()); err != nil {
		return nil, err
	}
	b.server, err = hap.NewServer(hap.ServerOptions{
		Identity: b.identity, Model: "Veilleuse", Store: b.store, Logger: b.log,
		Snapshot: func(ctx context.Context, wanted hap.SnapshotRequest) ([]byte, error) {
			return a.snapshot(ctx, b, wanted)
		},
		Write: func(ctx context.Context, _ string, requests []hap.WriteRequest) []hap.WriteResult {
			return a.take(ctx, b, requests, writes)
		},
	})
	return b, err
}

// itself is the accessory that every bridge has.
func (b *bridge) itself() model {
	m := model{name: "Veilleuse", maker: "Veilleuse", kind: "Bridge", serial: "veilleuse-bridge", services: []serviceModel{
		{kind: hap.ServiceProtocolInformation, points: []point{{kind: hap.CharacteristicVersion, value: hap.TextValue("1.1.0")}}},
	}}
	if b.number > 1 {
		m.name, m.serial = nameOf(m.name, b.number), m.serial+"-"+strconv.Itoa(b.number)
	}
	return m
}

// layoutAgain is how long a bridge waits at least before it tries again to keep what is new, in real time.
const layoutAgain = 2 * time.Second

// send shows what is new and the values that differ. What cannot be kept on the disk is not shown for now: the next start
// could give its ids to something else. That is no reason to hide the rest, alarms among it.
func (b *bridge) send(values []hap.Value) error {
	err := b.arrange(time.Now())
	if err != nil && b.before != nil { // nothing is shown yet: then what the last run has shown
		if b.resume() != nil {
			return err
		}
		b.before = nil
	}
	if pending := err != nil; pending != b.pending {
		b.pending = pending
		if pending {
			b.log.Warn("the Home app is not shown what is new, for it cannot be kept; the rest goes on", "bridge", b.name, "err", err)
		} else {
			b.log.Info("the Home app is shown what is new again", "bridge", b.name)
		}
	}
	if len(values) == 0 {
		return nil
	}
	if err := b.server.SetValues(values); err != nil && !b.pending {
		return err
	}
	return nil
}

// resume shows what the last run did. How our own accessory looked is not kept beside its ids: it looks the same in every run.
func (b *bridge) resume() error {
	all := b.before
	if own, ok := b.shelf.entries[ownKey]; ok && b.knewOwn {
		all = append(all, own.accessory)
	}
	return b.server.Resume(all)
}

// errWaits says that what is new could not be kept a moment ago.
var errWaits = errors.New("it is tried again soon")

// arrange makes ids durable before anybody sees them, then shows the new layout.
func (b *bridge) arrange(now time.Time) error {
	if !b.layout && !b.shelf.unsaved {
		return nil
	}
	if b.pending && now.Sub(b.tried) < layoutAgain {
		return errWaits
	}
	b.tried = now
	if err := b.shelf.save(); err != nil {
		return err
	}
	if b.layout {
		if err := b.server.SetAccessories(b.shelf.accessories()); err != nil {
			return err
		}
		b.layout, b.before = false, nil
	}
	return nil
}

// openAgain is how long a further bridge waits before it tries to open its door again.
const openAgain = time.Minute

// stay serves a further bridge until ctx ends. What is wrong with its door is no fault of the other bridges.
func (b *bridge) stay(ctx context.Context, first string, announce func(context.Context, *bridge, net.Listener)) {
	for told := false; ctx.Err() == nil; {
		listener, err := b.open(first)
		if err == nil {
			told = false
			own, stop := context.WithCancel(ctx)
			announced := make(chan struct{})
			go func() { announce(own, b, listener); close(announced) }()
			err = b.server.Serve(own, listener)
			stop()
			<-announced
		}
		if ctx.Err() != nil {
			return
		}
		if !told {
			b.log.Warn("a further bridge of the Home app is not served for now", "bridge", b.name, "err", err)
			told = true
		}
		select {
		case <-time.After(openAgain):
		case <-ctx.Done():
		}
	}
}

// portKey is where a further bridge keeps the port that it was given first.
const portKey = "port"

// portsTried is how many ports after the first bridge's are tried.
const portsTried = 100

// open listens where the bridge always listened, else on the next free port after that of the first bridge. The port that
// it was given first is what it comes back to: a stranger may have taken it for a while only.
func (b *bridge) open(first string) (net.Listener, error) {
	host, text, err := net.SplitHostPort(first)
	if err != nil {
		return nil, fmt.Errorf("homekit.listen: %w", err)
	}
	after, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("homekit.listen: port %q: %w", text, err)
	}
	kept, err := b.port()
	if err != nil {
		return nil, err
	}
	if listener := b.listen(host, kept); listener != nil {
		return listener, nil
	}
	for port := after + 1; port <= min(after+portsTried, 65535); port++ {
		listener := b.listen(host, port)
		if listener == nil {
			continue
		}
		if kept == 0 {
			err = b.store.Set(portKey, []byte(strconv.Itoa(port)))
		}
		if err != nil {
			listener.Close()
			return nil, fmt.Errorf("keep the port of %s: %w", b.name, err)
		}
		return listener, nil
	}
	return nil, fmt.Errorf("no port after %d is free for %s", after, b.name)
}

// port is the port that the bridge was given first, 0 for none yet.
func (b *bridge) port() (int, error) {
	kept, err := b.store.Get(portKey)
	if errors.Is(err, hap.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the port of %s: %w", b.name, err)
	}
	port, err := strconv.Atoi(string(kept))
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("the port of %s is kept as %.20q: restore a backup", b.name, kept)
	}
	return port, nil
}

// listen opens one port; nil where it is not to be had.
func (b *bridge) listen(host string, port int) net.Listener {
	if port == 0 {
		return nil
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil
	}
	bound := listener.Addr().String()
	b.address.Store(&bound)
	return listener
}

// part is the part of a store that belongs to one bridge. That of the first has no prefix, as it had when there was only
// one.
type part struct {
	hap.Store
	prefix string
}

// Get reads the bridge's own record of that key; ErrNotFound if there is none.
func (p part) Get(key string) ([]byte, error) { return p.Store.Get(p.prefix + key) }

// Set returns when the bridge's own record is durable.
func (p part) Set(key string, value []byte) error { return p.Store.Set(p.prefix+key, value) }

// Delete takes the bridge's own record of that key away.
func (p part) Delete(key string) error { return p.Store.Delete(p.prefix + key) }

// List gives the keys of the bridge's own records that begin so, as Get takes them.
func (p part) List(prefix string) ([]string, error) {
	keys, err := p.Store.List(p.prefix + prefix)
	for i := range keys {
		keys[i] = strings.TrimPrefix(keys[i], p.prefix)
	}
	return keys, err
}
