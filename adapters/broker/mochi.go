package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/time/rate"
)

const (
	listenerName  = "door"
	housekeeping  = time.Minute
	neverResend   = 3600                // seconds between $SYS messages; as nobody calls Serve, there are none
	farewellTopic = "$SYS/farewell"     // no client can publish below $SYS
	maxKeepAlive  = 65535 / 3 * 2       // seconds; mochi's one and a half times it does not fit 16 bits beyond
	houseID       = mqtt.InlineClientId // of the process itself
)

// mochi is the engine that there is. Its Serve is never called: all that it does beyond accepting
// connections is to look through every retained message and client each second, which costs more than the
// messages of a house. What is needed of that, keepHouse does once a minute.
type mochi struct {
	house    house
	server   *mqtt.Server
	shelf    *shelf
	valve    *valve
	quiet    *complaints
	sequence atomic.Int64 // orders what waits for acknowledgement
	handlers atomic.Int64 // in-process subscriptions
	restored bool         // what was kept on disk is on the shelf

	// From start to stop.
	door *door
	done chan struct{}
	work sync.WaitGroup

	mu      sync.Mutex
	present map[string]*guest // by client id: who holds it
}

// guest is a visitor whom mochi serves.
type guest struct {
	*visitor
	client  *mqtt.Client // nil before CONNECT
	name    string       // proved by password or certificate; "": nobody asked
	hash    string       // of the password that it has shown; "": none
	pace    *rate.Limiter
	holds   bool      // its client id
	claims  []claim   // of the SUBSCRIBE being answered
	asked   uint16    // its id, if that had to be exchanged
	slowed  sync.Once // it was said that it is
	grumble sync.Once // one refusal is logged for each connection
}

func newMochi(h house) (*mochi, error) {
	m := &mochi{house: h, shelf: newShelf(h.limits), valve: newValve(), present: map[string]*guest{}, quiet: newComplaints()}
	m.server = mqtt.New(&mqtt.Options{
		Capabilities:           capabilities(h.limits),
		SysTopicResendInterval: neverResend,
		InlineClient:           true,
		// mochi logs whole packets, passwords included.
		Logger: slog.New(slog.DiscardHandler),
	})
	if err := m.server.AddHook(&hook{mochi: m}, nil); err != nil {
		return nil, err
	}
	return m, nil
}

func capabilities(l limits) *mqtt.Capabilities {
	c := mqtt.NewDefaultServerCapabilities()
	c.MaximumClients = int64(l.clients)
	c.MaximumMessageExpiryInterval = 0 // otherwise retained messages vanish after a day
	c.MaximumClientWritesPending = int32(l.queue)
	c.MaximumSessionExpiryInterval = uint32(l.session / time.Second)
	c.MaximumPacketSize = uint32(l.packet)
	c.MaximumInflight = uint16(l.queue)
	c.TopicAliasMaximum = 0 // 65535 aliases of 64 KiB each are too much
	return c
}

func (m *mochi) start(d *door) {
	m.door, m.done = d, make(chan struct{})
	m.restore()
	d.open(m.serve)
	m.work.Go(m.keepHouse)
}

func (m *mochi) clients() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.present)
}

func (m *mochi) counts() Counts {
	i := m.server.Info
	return Counts{int64(m.clients()), atomic.LoadInt64(&i.Subscriptions), atomic.LoadInt64(&i.Retained),
		atomic.LoadInt64(&i.MessagesReceived), atomic.LoadInt64(&i.MessagesSent), atomic.LoadInt64(&i.MessagesDropped)}
}

// serve is the life of one connection.
func (m *mochi) serve(v *visitor) {
	g := &guest{visitor: v, pace: rate.NewLimiter(rate.Limit(m.house.limits.rate), m.house.limits.burst)}
	defer m.leave(g)
	err := m.server.EstablishConnection(listenerName, g)
	if g.client != nil {
		m.house.log.Debug("MQTT client left", "client", brief(g.client.ID), "why", err)
	}
}

// leave gives the client id free, and ends the session if it was for this connection only. mochi panics at
// some malformed packets (a SUBSCRIBE of MQTT 5 that ends before its options), which must not cost anybody
// else anything, and forgets to clean up after a client that is gone before it was answered.
func (m *mochi) leave(g *guest) {
	if trouble := recover(); trouble != nil {
		m.house.log.Error("MQTT broker failed to serve a client", "from", g.RemoteAddr().String(),
			"why", trouble, "stack", string(debug.Stack()))
	}
	if !g.holds {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.present, g.client.ID)
	if m.remembered(g.client) == 0 {
		m.forget(g.client)
	}
}

func (m *mochi) publish(topic string, payload []byte, retain bool) error {
	if err := checkTopic(topic); err != nil {
		return fmt.Errorf("publish to %q: %w", brief(topic), err)
	}
	if retain {
		if err := m.shelf.fits(topic, len(payload)); err != nil {
			return fmt.Errorf("retain a message on %q: %w", topic, err)
		}
	}
	if err := m.server.Publish(topic, payload, retain, 0); err != nil {
		return fmt.Errorf("publish to %q: %w", topic, err)
	}
	return nil
}

func (m *mochi) subscribe(filter string, handler func(topic string, payload []byte, retained bool)) error {
	if err := checkFilter(filter); err != nil {
		return fmt.Errorf("subscribe to %q: %w", brief(filter), err)
	}
	if handler == nil {
		return errors.New("subscribe to " + filter + ": a handler is needed")
	}
	m.server.Topics.InlineSubscribe(mqtt.InlineSubscription{
		Subscription: packets.Subscription{Filter: filter, Identifier: int(m.handlers.Add(1))},
		Handler: func(_ *mqtt.Client, _ packets.Subscription, pk packets.Packet) {
			// Wildcards do not match the topics below $ (MQTT 3.1.1, 4.7.2).
			if pk.TopicName[0] != '$' || strings.HasPrefix(filter, "$") {
				handler(pk.TopicName, pk.Payload, false)
			}
		},
	})
	for _, topic := range m.shelf.matching(filter) {
		m.eachRetained(topic, func(pk packets.Packet) { handler(topic, pk.Payload, true) })
	}
	return nil
}

// stop takes leave. A mark travels through each client's queue behind all that waits there; a client
// whose mark has gone out, or who does not take it in time, is let go.
func (m *mochi) stop() {
	m.door.close()
	guests := m.guests()
	for _, g := range guests {
		m.server.Topics.Subscribe(g.client.ID, packets.Subscription{Filter: farewellTopic})
	}
	_ = m.server.Publish(farewellTopic, []byte{0}, false, 0)
	late := time.After(m.house.limits.parting)
	for _, g := range guests {
		select {
		case <-g.ended:
		case <-late:
			m.door.empty()
		}
	}
	m.door.empty()
	for _, g := range guests {
		m.server.Topics.Unsubscribe(farewellTopic, g.client.ID)
	}
	close(m.done)
	m.work.Wait()
	m.store(time.Now())
}

func (m *mochi) guests() (all []*guest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range m.present {
		all = append(all, g)
	}
	return all
}

// brief shortens what a stranger wrote, for the log.
func brief(text string) string {
	const enough = 64
	if len(text) > enough {
		return text[:enough] + "..."
	}
	return text
}
