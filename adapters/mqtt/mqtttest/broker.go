// Package mqtttest runs an MQTT broker on loopback for tests, and watches what is published there.
package mqtttest

import (
	"crypto/tls"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Broker is a broker in memory. What it retains is lost when it stops.
type Broker struct {
	t       testing.TB
	network string // tcp or unix
	address string
	options options
	mu      sync.Mutex
	server  *mochi.Server // nil: stopped
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
	b := &Broker{t: t, network: "tcp", address: "127.0.0.1:0"}
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
	if err := server.AddHook(&guard{options: b.options}, nil); err != nil {
		b.t.Fatal(err)
	}
	listener, err := net.Listen(b.network, b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.address = listener.Addr().String()
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

// Stop ends the broker and all connections.
func (b *Broker) Stop() {
	b.mu.Lock()
	server := b.server
	b.server = nil
	b.mu.Unlock()
	if server == nil {
		return
	}
	if err := server.Close(); err != nil {
		b.t.Error(err)
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

// Kick cuts the connection of a client without a word, as a dead network would; it reports whether there
// was one.
func (b *Broker) Kick(client string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.server.Clients.Get(client)
	if ok {
		c.Stop(net.ErrClosed)
	}
	return ok
}

// guard lets clients in, and lets them do nearly everything then.
type guard struct {
	mochi.HookBase
	options
}

func (*guard) ID() string { return "guard" }

func (*guard) Provides(what byte) bool {
	return what == mochi.OnConnectAuthenticate || what == mochi.OnACLCheck
}

func (g *guard) OnConnectAuthenticate(_ *mochi.Client, p packets.Packet) bool {
	return g.user == "" || string(p.Connect.Username) == g.user && string(p.Connect.Password) == g.password
}

func (g *guard) OnACLCheck(_ *mochi.Client, topic string, write bool) bool {
	return write || topic != g.denied
}
