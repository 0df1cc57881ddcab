// Package broker is the embedded MQTT broker, for a house that has none of its own.
//
// It speaks MQTT 3.1, 3.1.1 and 5 (Home Assistant 2027.1 accepts nothing older than 5) and wraps
// github.com/mochi-mqtt/server/v2, hardened from outside so that no client can hold up, fill up or
// bring down the others:
//
//   - A client that stops reading is cut off after a second; others wait two seconds at most.
//   - A connection that does not introduce itself within ten seconds is dropped, the oldest first.
//   - Packets, clients, sessions, subscriptions and retained messages are all limited; a retained message
//     stays until it is replaced, and every subscriber has room for all of them.
//   - A client that publishes without end is slowed down, itself alone.
//   - What clients have retained is kept on disk over restarts if WithArchive says where, written at most
//     once in 20 minutes; what the process itself retains is not, as it publishes that again.
//   - An idle broker sleeps: one look a minute, whatever the number of topics.
//
// Two points of MQTT 5 differ: a will is sent at once, without its delay, and a client's receive maximum
// is not kept. There are no $SYS topics.
//
// It is closed by default: without users or certificates of clients it listens on this computer only, and a
// list of who may read and write what (WithAccess) forbids all that it does not allow. The files of users,
// access and certificates are read again when they have changed.
//
// Publish and Subscribe serve the process itself without a socket.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Broker is an MQTT broker within this process. Its methods may be called from several goroutines.
type Broker struct {
	listen string
	house  house
	engine engine

	mu   sync.Mutex
	door *door // nil while nobody is served
}

// engine is all that is asked of an MQTT implementation, so that it can be replaced.
type engine interface {
	// start serves those who come through the door, and returns at once.
	start(*door)
	// publish hands a message to the subscribers and keeps it if it is to be retained.
	publish(topic string, payload []byte, retain bool) error
	// subscribe calls the handler with what is retained, then with what comes.
	subscribe(filter string, handler func(topic string, payload []byte, retained bool)) error
	// clients is how many there are, without the process itself.
	clients() int
	counts() Counts
	// stop takes leave of everybody and returns when all that start began has ended.
	stop()
}

// house is what the broker was told about its guests.
type house struct {
	users        *users             // nil: everybody is welcome, without a name
	access       *followed[*access] // nil: everybody may read and write everything
	tls          *tls.Config
	certificates *CertificateFiles // for tls
	archive      *archive          // nil: retained messages end with the process
	wish         func(topic string) bool
	refused      func(topic string, payload []byte, why error) bool
	limits       limits
	log          *slog.Logger
}

// known reports whether nobody comes in without having proved who it is.
func (h *house) known() bool {
	return h.users != nil || h.certificates != nil && h.certificates.ClientCA != ""
}

// Option changes how a new broker behaves.
type Option func(*house) error

// FileError is what is wrong with a file that an option names: it may have been good when the house was set up.
type FileError struct {
	Key string // in the configuration
	Err error
}

// Error says where and what.
func (e FileError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap is the fault without its place.
func (e FileError) Unwrap() error { return e.Err }

// WithUsers lets only those in who know a password. The map leads from user names to bcrypt hashes, as
// HashPassword or "htpasswd -nB NAME" make them.
func WithUsers(hashes map[string]string) Option {
	return func(h *house) (err error) {
		h.users, err = newUsers(hashes)
		return err
	}
}

// WithUsersFile is WithUsers with a file: name:hash a line, as "htpasswd -nB NAME" prints it. The file is read
// again when it has changed, at the next login or within a minute; whoever is not in there any more, or
// under another password, is sent away.
func WithUsersFile(file string) Option {
	return func(h *house) (err error) {
		if h.users, err = usersOf(file); err != nil {
			return FileError{"mqtt.users_file", err}
		}
		return nil
	}
}

// WithAccess says who may read and write which topics, in a file in the words of Mosquitto's acl_file (see
// access). What it does not allow is forbidden, but to the process itself. The file is read again when it
// has changed, within a minute.
func WithAccess(file string) Option {
	return func(h *house) (err error) {
		if h.access, err = follow(func() (*access, error) { return readAccess(file) }, file); err != nil {
			return FileError{"mqtt.acl_file", err}
		}
		return nil
	}
}

// WithArchive keeps what clients have retained in a file over restarts.
func WithArchive(file string) Option {
	return func(h *house) error {
		h.archive = &archive{path: file}
		return nil
	}
}

// WithRefusals has the function called with each message of a client that is not passed on, and why; true
// means that it will be told of, so that the broker need not log it. The function must neither block nor
// keep the payload.
func WithRefusals(refused func(topic string, payload []byte, why error) bool) Option {
	return func(h *house) error {
		h.refused = refused
		return nil
	}
}

// WithTLS makes clients speak TLS. The configuration must know a certificate.
func WithTLS(config *tls.Config) Option {
	return func(h *house) error {
		if config == nil || len(config.Certificates) == 0 && config.GetCertificate == nil && config.GetConfigForClient == nil {
			return errors.New("MQTT over TLS needs a certificate and its key")
		}
		h.tls = config
		return nil
	}
}

// WithWishes says which topics carry wishes. A client's wish is passed on but never retained: one that
// asks for it is refused, because a wish kept for later would come true at the wrong time. Without this
// option, wishes are the topics whose last level is "set"; with nil, there are none.
func WithWishes(wish func(topic string) bool) Option {
	return func(h *house) error {
		h.wish = wish
		if wish == nil {
			h.wish = func(string) bool { return false }
		}
		return nil
	}
}

// New makes a broker that will listen on a TCP address, host:port; port 0 takes a free one. An address
// that others can reach needs WithUsers or the certificates of clients. The log gets one line for each change of state and each refusal,
// never a password.
func New(listen string, log *slog.Logger, options ...Option) (*Broker, error) {
	b := &Broker{listen: listen, house: house{wish: endsInSet, limits: usualLimits(), log: log}}
	for _, option := range options {
		if err := option(&b.house); err != nil {
			return nil, err
		}
	}
	if err := checkAddress(listen, b.house.known()); err != nil {
		return nil, fmt.Errorf("mqtt.listen: %w", err)
	}
	if err := b.house.secure(); err != nil {
		return nil, err
	}
	engine, err := newMochi(b.house)
	if err != nil {
		return nil, fmt.Errorf("prepare the MQTT broker: %w", err)
	}
	b.engine = engine
	return b, nil
}

// Run serves clients until the context ends, then returns nil; an address that cannot be had is an error
// at once. It may be called again afterwards: what was retained and subscribed is still there.
func (b *Broker) Run(ctx context.Context) error {
	if err := b.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	b.Stop()
	return nil
}

// Start opens the door to clients and returns. The error is one sentence that says why it cannot be
// opened; the broker may then be started again.
func (b *Broker) Start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.door != nil {
		return fmt.Errorf("listen for MQTT on %s: it is being done already", b.listen)
	}
	listener, err := net.Listen("tcp", b.listen)
	if err != nil {
		return explain(b.listen, err)
	}
	b.door = newDoor(listener, b.house)
	b.engine.start(b.door)
	b.house.log.Info("MQTT broker serves", "address", b.door.address(), "tls", b.house.tls != nil,
		"anonymous", !b.house.known())
	if host, _, _ := net.SplitHostPort(b.listen); b.house.tls == nil && !isLoopback(host) {
		b.house.log.Warn("MQTT broker without TLS: passwords cross the network readable for others", "address", b.door.address())
	}
	return nil
}

// Stop sends what is queued, takes leave of all clients and returns when everything has ended, after half
// a second at most. Retained messages, sessions and in-process subscriptions are kept for the next Start.
// Stopping a broker that does not run does nothing.
func (b *Broker) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.door == nil {
		return
	}
	b.engine.stop()
	b.door = nil
	b.house.log.Info("MQTT broker stopped", "address", b.listen)
}

// Address is where the broker listens, host:port with the real port; "" while it does not.
func (b *Broker) Address() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.door == nil {
		return ""
	}
	return b.door.address()
}

// Clients is how many clients are connected, without the process itself.
func (b *Broker) Clients() int { return b.engine.clients() }

// Counts is how much the broker had to do since the program was started.
type Counts struct {
	Clients, Subscriptions, Retained, Received, Sent, Dropped int64 // the last three are messages
}

// Counts returns how much the broker had to do.
func (b *Broker) Counts() Counts { return b.engine.counts() }

// Stored returns what keeping retained messages has handed to the disk since the program was started: bytes, and how often
// it was told to make them durable.
func (b *Broker) Stored() (bytes, flushes uint64) {
	a := b.house.archive
	if a == nil {
		return 0, 0
	}
	return a.bytes.Load(), a.flushes.Load()
}

// Publish sends a message at QoS 0 to everybody who has subscribed, and keeps it for those who come later
// if it is to be retained; an empty retained one deletes. It never waits for a client, and works before
// Start and after Stop, too. The payload may be reused afterwards. Errors: the topic is not one to publish
// to, or too much is retained already.
func (b *Broker) Publish(topic string, payload []byte, retain bool) error {
	return b.engine.publish(topic, payload, retain)
}

// Subscribe has the handler called with each message on the topics that the filter matches: first those
// that are retained (retained is true; before Subscribe returns), then each new one, for the broker's
// lifetime. The handler runs within whoever publishes, perhaps on several goroutines at once: it must not
// block, nor keep or change the payload. It may call Publish, no other method. A message that arrives
// during Subscribe may come twice.
func (b *Broker) Subscribe(filter string, handler func(topic string, payload []byte, retained bool)) error {
	return b.engine.subscribe(filter, handler)
}

// checkAddress finds fault with an address before anybody tries to listen there.
func checkAddress(listen string, known bool) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen for MQTT on %q: this is not host:port, for example 127.0.0.1:1883", listen)
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		return fmt.Errorf("listen for MQTT on %q: the port must be a number from 0 to 65535", listen)
	}
	if !known && !isLoopback(host) {
		return fmt.Errorf("listen for MQTT on %q: others can reach this address, so the broker needs users with passwords"+
			" or clients with certificates; set some, or listen on 127.0.0.1 only", listen)
	}
	return nil
}

// isLoopback reports whether only this computer reaches a host. A name other than localhost counts as
// reachable, because what it stands for can change.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// explain turns a failed listen into a sentence that says what to do.
func explain(listen string, err error) error {
	why := "it cannot be had"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		why = "another program listens there (Mosquitto?); stop it, use it as the broker, or choose another address"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		why = "this computer has no such address; use one that it has, or 127.0.0.1"
	case errors.Is(err, syscall.EACCES):
		why = "ports below 1024 are not for everybody; choose a higher one"
	}
	return fmt.Errorf("listen for MQTT on %s: %s (%w)", listen, why, err)
}
