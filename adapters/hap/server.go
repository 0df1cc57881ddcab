package hap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxConnections is how many connections a Server has at once unless it is told otherwise. HAP R2 6.2.3 wants eight;
	// phones that left the Wi-Fi hold on to theirs for a while.
	MaxConnections = 32
	// drainTime is how long a stopping server lets answers leave before it cuts the connections.
	drainTime = 300 * time.Millisecond
	// keepAliveIdle is long, in order not to wake phones.
	keepAliveIdle = 10 * time.Minute
)

// ServerOptions say what a Server is and whom it asks. Identity and Store are needed. The callbacks are called from many
// goroutines at once and must return soon, at the latest when their context ends; they may call the Server's methods.
type ServerOptions struct {
	Identity ServerIdentity
	Model    string // `md` of the TXT record
	Category int    // what the Home app shows while pairing; 0 counts as CategoryBridge
	Store    Store

	// Write carries out what a controller asks for, all writes of one request together. It answers one result for each,
	// or nil where all went well. A write that went well becomes the value of the characteristic, unless Write has set
	// another one itself by SetValues. A nil Write takes everything that is valid. The context outlives the call: it ends
	// with the controller's connection.
	Write func(ctx context.Context, controller string, writes []WriteRequest) []WriteResult
	// Snapshot answers a camera's picture as JPEG. Nil: there are no cameras.
	Snapshot func(ctx context.Context, wanted SnapshotRequest) ([]byte, error)
	// Identify is asked by people who want to see which accessory this is before they pair it.
	Identify func(ctx context.Context)

	Logger      *slog.Logger  // nil: silence
	Connections int           // most at once; 0 counts as MaxConnections
	SendTimeout time.Duration // how long one message may take to leave; 0 counts as 10 s
}

// CategoryBridge is the category of a bridge (HAP R2 table 13-1).
const CategoryBridge = 2

// WriteRequest is what a controller wants a characteristic to become. Its value fits the characteristic's metadata.
type WriteRequest struct {
	ID       CharacteristicID
	Value    json.RawMessage
	Remote   bool   // asked for from outside the home
	AuthData string // base64, for characteristics that want it
	// From is the other end of the connection by which it came, with its zone if the address is link-local. The zero
	// address: the connection has none.
	From netip.Addr
}

// WriteResult is what came of a WriteRequest.
type WriteResult struct {
	Status Status
	// Value is the answer of a characteristic with write response, and nil where the written value says it all.
	Value json.RawMessage
	// Own says that Value is for the writer's connection alone, which may read it again until it ends: what the others
	// read stays as it was, and nobody is told.
	Own bool
}

// Value is a new value of a characteristic. A nil Value says that there is nothing to show, which controllers see as
// StatusUnreachable.
type Value struct {
	ID    CharacteristicID
	Value json.RawMessage
}

// SnapshotRequest is a wish for a camera's picture; width and height are in pixels.
type SnapshotRequest struct {
	AID           uint64
	Width, Height int
}

// Server is the accessory end of the protocol: one bridge or device. Its methods are safe for concurrent use and wait
// for no controller.
type Server struct {
	options  ServerOptions
	log      *slog.Logger
	door     *Door
	database atomic.Pointer[database]
	changed  chan struct{} // holds one token

	changing sync.Mutex // one change of accessories at a time

	mu            sync.Mutex // guards the rest, and keeps the events of each characteristic in order
	configuration configuration
	connections   map[*connection]struct{}
}

// NewServer reads what the store holds of an earlier run. It fails where the store fails, and never begins anew instead.
func NewServer(options ServerOptions) (*Server, error) {
	if options.Store == nil {
		return nil, errors.New("a HomeKit server needs a store")
	}
	if err := options.Identity.check(); err != nil {
		return nil, fmt.Errorf("HomeKit identity: %w", err)
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Category == 0 {
		options.Category = CategoryBridge
	}
	if options.Connections == 0 {
		options.Connections = MaxConnections
	}
	door, err := NewDoor(options.Identity, options.Store, options.Logger)
	if err != nil {
		return nil, err
	}
	configuration, err := loadConfiguration(options.Store)
	if err != nil {
		return nil, err
	}
	return &Server{
		options: options, log: options.Logger, door: door, configuration: configuration,
		changed: make(chan struct{}, 1), connections: map[*connection]struct{}{},
	}, nil
}

// SetAccessories replaces the accessories, also while sessions are open: they stay, and their subscriptions to what is
// still there too. The configuration number goes up, and is stored, only where the layout without the values differs.
// The list belongs to the server from then on and must not be changed. After an error, which names every fault, nothing
// has changed.
func (s *Server) SetAccessories(accessories []Accessory) error {
	next, err := newDatabase(accessories)
	if err != nil {
		return fmt.Errorf("publish accessories: %w", err)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	configuration := s.currentConfiguration()
	newer := configuration.raise(next.layout)
	if newer {
		if err := configuration.save(s.options.Store); err != nil {
			return fmt.Errorf("publish accessories: %w", err)
		}
	}
	s.swap(next, configuration)
	if newer {
		s.log.Info("HomeKit accessories changed", "accessories", len(accessories), "configuration", configuration.Number)
		s.notify()
	}
	return nil
}

// Resume shows accessories as an earlier run did, under the configuration number of that time, and stores nothing: for a
// start at which the store takes nothing. It fails if none were ever shown.
func (s *Server) Resume(accessories []Accessory) error {
	next, err := newDatabase(accessories)
	if err != nil {
		return fmt.Errorf("resume accessories: %w", err)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	configuration := s.currentConfiguration()
	if configuration.Number == 0 {
		return errors.New("resume accessories: none were ever shown")
	}
	s.swap(next, configuration)
	return nil
}

func (s *Server) swap(next *database, configuration configuration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configuration = configuration
	last := s.database.Swap(next)
	for c := range s.connections {
		c.queue.keep(next.givesEvents)
	}
	if last == nil {
		return
	}
	for id, p := range next.points {
		if before := last.points[id]; before != nil && p.differs(before) {
			s.publish(p, p.known(), nil)
		}
	}
}

// SetValues sets many values at once and tells the controllers of those that changed. A value that cannot be is refused
// and named in the error; the others count all the same.
func (s *Server) SetValues(values []Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	database := s.database.Load()
	if database == nil {
		return errors.New("set HomeKit values: there are no accessories yet")
	}
	var faults []error
	for _, value := range values {
		if err := s.setValue(database, value); err != nil {
			faults = append(faults, fmt.Errorf("set HomeKit value %s: %w", value.ID, err))
		}
	}
	return errors.Join(faults...)
}

func (s *Server) setValue(database *database, value Value) error {
	p := database.points[value.ID]
	if p == nil {
		return StatusNoSuch
	}
	normal := value.Value
	if normal != nil {
		var err error
		if normal, err = p.meta.normalise(normal); err != nil {
			return err
		}
	}
	if p.set(normal) {
		s.publish(p, normal, nil)
	}
	return nil
}

// publish queues an event for every connection but that of the writer. It needs the lock.
func (s *Server) publish(p *point, value json.RawMessage, writer *connection) {
	for c := range s.connections {
		if c != writer {
			c.queue.publish(event{p.id, value}, p.how)
		}
	}
}

// Paired tells whether a controller may open sessions.
func (s *Server) Paired() bool { return s.door.Paired() }

// Unpair removes all pairings and ends their sessions, so that the server can be paired anew.
func (s *Server) Unpair() error {
	gone, err := s.door.pairer.removeAll()
	s.closeSessions(gone)
	if err != nil {
		return fmt.Errorf("unpair HomeKit: %w", err)
	}
	s.log.Info("HomeKit unpaired", "controllers", len(gone))
	return nil
}

// Changed gives a token when TXT may have changed. It has one reader.
func (s *Server) Changed() <-chan struct{} { return s.changed }

func (s *Server) notify() {
	select {
	case s.changed <- struct{}{}:
	default: // a token is there already
	}
}

// Serve accepts connections until ctx ends or the listener fails for good. It owns the listener, returns when all
// connections have ended, and is called once, after the first SetAccessories.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	defer listener.Close()
	if s.database.Load() == nil {
		return errors.New("serve HomeKit: there are no accessories yet")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	var running sync.WaitGroup
	err := s.accept(ctx, listener, &running)
	cancel()
	cut := time.AfterFunc(drainTime, s.closeAll)
	defer cut.Stop()
	running.Wait()
	return err
}

func (s *Server) accept(ctx context.Context, listener net.Listener, running *sync.WaitGroup) error {
	const pauseMin, pauseMax = 5 * time.Millisecond, time.Second
	pause := pauseMin
	for {
		conn, err := listener.Accept()
		if err == nil {
			pause = pauseMin
			running.Go(func() { s.converse(ctx, conn) })
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accept HomeKit connection: %w", err)
		}
		if pause == pauseMin { // out of file descriptors, say: it passes
			s.log.Warn("HomeKit cannot accept connections for now", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
			pause = min(2*pause, pauseMax)
		}
	}
}

func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.connections {
		c.close()
	}
}
