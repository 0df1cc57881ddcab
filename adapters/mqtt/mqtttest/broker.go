// Package mqtttest runs an MQTT broker on loopback for tests, and watches what is published there.
package mqtttest

import (
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

// Broker is a broker in memory. What it retains is lost when it stops.
type Broker struct {
	t       testing.TB
	network string // tcp or unix
	address string
	options options
	mu      sync.Mutex
	server  *mochi.Server // nil: stopped
	banned  string        // id of a client
	greeted map[*mochi.Client]bool
}

type options struct {
	tls            *tls.Config
	user, password string
	denied         string
}

// Option changes how the broker is run.
type Option func(*Broker)

// TLS lets it speak TLS only.
func TLS(config *tls.Config) Option { return func(b *Broker) { b.options.tls = config } }

// Password lets only that user in.
func Password(user, password string) Option {
	return func(b *Broker) { b.options.user, b.options.password = user, password }
}

// Deny lets nobody read that topic filter.
func Deny(filter string) Option { return func(b *Broker) { b.options.denied = filter } }

// Unix lets it listen on a socket file.
func Unix(path string) Option { return func(b *Broker) { b.network, b.address = "unix", path } }

// Start runs a broker on a free port until the test ends.
func Start(t testing.TB, options ...Option) *Broker {
	t.Helper()
	b := &Broker{t: t, network: "tcp", greeted: make(map[*mochi.Client]bool)}
	for _, o := range options {
		o(b)
	}
	b.Restart()
	t.Cleanup(b.Stop)
	return b
}

// Restart runs the broker again at the same address, with nothing retained.
func (b *Broker) Restart() {
	b.t.Helper()
	b.Stop()
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler), InlineClient: true})
	if err := server.AddHook(&guard{broker: b, options: b.options}, nil); err != nil {
		b.t.Fatal(err)
	}
	listener, err := b.listen()
	if err != nil {
		b.t.Fatal(err)
	}
	if b.options.tls != nil {
		listener = tls.NewListener(listener, b.options.tls)
	}
	if err := server.AddListener(listeners.NewNet("test", listener)); err != nil {
		b.t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.server = server
	b.mu.Unlock()
}

// listen opens the address that it has, or one that it has from now on.
func (b *Broker) listen() (net.Listener, error) {
	draws := b.address == ""
	var listener net.Listener
	err := loopback.Insist(func() (err error) {
		if draws {
			b.address = loopback.Address("127.0.0.1")
		}
		listener, err = net.Listen(b.network, b.address)
		return err
	})
	return listener, err
}

// Stop ends the broker and all connections.
func (b *Broker) Stop() {
	b.mu.Lock()
	server := b.server
	b.server = nil
	b.mu.Unlock()
	if server == nil {
		return
	}
	closed := make(chan error, 1)
	go func() { closed <- server.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			b.t.Error(err)
		}
	case <-time.After(Patience):
		b.t.Error("the broker does not stop")
	}
}

// Address is where it listens: host:port, or the path of the socket.
func (b *Broker) Address() string { return b.address }

// URL is the address for clients.
func (b *Broker) URL() string {
	switch {
	case b.network == "unix":
		return "unix://" + b.address
	case b.options.tls != nil:
		return "mqtts://" + b.address
	}
	return "mqtt://" + b.address
}

// Retained returns what clients have had retained, topic to payload.
func (b *Broker) Retained() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make(map[string]string)
	if b.server != nil {
		for topic, packet := range b.server.Topics.Retained.GetAll() {
			if !strings.HasPrefix(topic, "$SYS/") {
				all[topic] = string(packet.Payload)
			}
		}
	}
	return all
}

// WaitRetained waits until that payload is retained; the test fails if it never is.
func (b *Broker) WaitRetained(topic, payload string) {
	b.t.Helper()
	for deadline := time.Now().Add(Patience); b.Retained()[topic] != payload; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s shows %q for %v, want %q", topic, b.Retained()[topic], Patience, payload)
		}
	}
}

// Publish sends a message as if by a client that is always there.
func (b *Broker) Publish(topic, payload string, retain bool) {
	b.t.Helper()
	b.mu.Lock()
	server := b.server
	b.mu.Unlock()
	if err := server.Publish(topic, []byte(payload), retain, 1); err != nil {
		b.t.Error(err)
	}
}

// Kick cuts the connection of a client without a word, as a dead network would, and turns the client away
// until it is welcome again; it reports whether there was one, who had been let in and greeted: before that a broker
// knows of no last will.
func (b *Broker) Kick(client string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.banned = client
	c, ok := b.server.Clients.Get(client)
	ok = ok && b.greeted[c]
	if ok {
		c.Net.Conn.Close() // not Stop: that may look like a goodbye, after which there is no last will
	}
	return ok
}

// Welcome lets everybody in again.
func (b *Broker) Welcome() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.banned = ""
}

func (b *Broker) isBanned(client string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return client != "" && client == b.banned
}

// guard lets clients in, and lets them do nearly everything then.
type guard struct {
	mochi.HookBase
	broker *Broker
	options
}

// ID names the hook.
func (*guard) ID() string { return "guard" }

// Provides says which questions the hook answers.
func (*guard) Provides(what byte) bool {
	return what == mochi.OnConnectAuthenticate || what == mochi.OnACLCheck || what == mochi.OnSessionEstablished || what == mochi.OnDisconnect
}

// OnSessionEstablished notes that a client was greeted.
func (g *guard) OnSessionEstablished(c *mochi.Client, _ packets.Packet) {
	g.broker.mu.Lock()
	defer g.broker.mu.Unlock()
	g.broker.greeted[c] = true
}

// OnDisconnect forgets it.
func (g *guard) OnDisconnect(c *mochi.Client, _ error, _ bool) {
	g.broker.mu.Lock()
	defer g.broker.mu.Unlock()
	delete(g.broker.greeted, c)
}

// OnConnectAuthenticate says who is let in.
func (g *guard) OnConnectAuthenticate(c *mochi.Client, p packets.Packet) bool {
	if g.broker.isBanned(c.ID) {
		return false
	}
	return g.user == "" || string(p.Connect.Username) == g.user && string(p.Connect.Password) == g.password
}

// OnACLCheck says who may read and write what.
func (g *guard) OnACLCheck(_ *mochi.Client, topic string, write bool) bool {
	return write || topic != g.denied
}
