package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// How paho is used. Its own queue is not: it sends what was published during an outage in no order, so
// that old values end up on the broker, and its receipts for QoS 0 mean nothing while there is no
// connection. Instead every page is sent anew on each connection, one after the other, each as soon as
// the one before has left.
const (
	keepAlive      = 15 * time.Second
	pingTimeout    = 5 * time.Second
	dialTimeout    = 5 * time.Second
	writeTimeout   = 2 * time.Second // a broker that reads nothing for so long is lost
	firstRetry     = time.Second
	longestRetry   = 2 * time.Second // a broker that is back is found within this
	retryJitter    = 500 * time.Millisecond
	goodbye        = 250 * time.Millisecond
	subscribeQoS   = 1
	statesQoS      = 0 // the connection keeps the order, and a lost one is followed by everything again
	lastWordQoS    = 1
	sureQoS        = 1 // the broker confirms that it has it: an alarm, an order to a relay
	mqttVersion    = 4 // MQTT 3.1.1
	defaultPort    = "1883"
	defaultTLSPort = "8883"
)

// remote is the line to a broker of the user's own.
type remote struct {
	options Options
	hear    func(heard)
	changes chan news
	client  paho.Client
	witness paho.Client     // whose last will is Homie's; nil: there is none
	ctx     context.Context // ends what waits for the network
	cancel  context.CancelFunc
	secret  error // why the password could not be read, for the attempt under way
	again   bool  // there was an attempt before
}

func newRemote(o Options, hear func(heard)) *remote {
	return &remote{options: o, hear: hear, changes: make(chan news, 8)}
}

func (r *remote) open() {
	// Not the adapter's context: the goodbye must still get through after that has ended.
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.client = paho.NewClient(r.clientOptions())
	r.client.Connect()
	if r.options.Discovery == Homie {
		r.witness = r.withLastWill(r.options.homieState(), homieLost)
	}
}

func (r *remote) clientOptions() *paho.ClientOptions {
	return paho.NewClientOptions().
		AddBroker(r.options.Broker).
		SetClientID(r.options.clientID()).
		SetProtocolVersion(mqttVersion).
		SetCleanSession(true). // a wish made while we are away shall not come true when we are back
		SetCredentialsProvider(r.credentials).
		SetCustomOpenConnectionFn(r.dial).
		SetStore(nowhere{}).
		SetBinaryWill(r.options.statusTopic(), []byte(offline), lastWordQoS, true).
		SetConnectRetry(true).
		SetConnectRetryInterval(firstRetry).
		SetAutoReconnect(true).
		SetMaxReconnectInterval(longestRetry).
		SetConnectTimeout(dialTimeout).
		SetWriteTimeout(writeTimeout).
		SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout).
		// paho would hand each message to a goroutine of its own, and of two wishes the older could win.
		// In order is safe because the handler never waits.
		SetOrderMatters(true).
		SetDefaultPublishHandler(r.received).
		SetConnectionNotificationHandler(r.noticed)
}

// withLastWill opens a second connection, which says and hears nothing: a connection has one last will only,
// and that of the first is the topic status.
func (r *remote) withLastWill(topic, text string) paho.Client {
	other := &remote{options: r.options, ctx: r.ctx} // with a password of its own under way
	client := paho.NewClient(other.clientOptions().
		SetClientID(r.options.clientID()+"-homie").
		SetBinaryWill(topic, []byte(text), lastWordQoS, true).
		SetConnectionNotificationHandler(func(paho.Client, paho.ConnectionNotification) {}))
	client.Connect()
	return client
}

func (r *remote) received(_ paho.Client, m paho.Message) {
	r.hear(heard{topic: m.Topic(), payload: m.Payload(), retained: m.Retained()})
}

func (r *remote) noticed(_ paho.Client, n paho.ConnectionNotification) {
	switch n := n.(type) {
	case paho.ConnectionNotificationConnected:
		r.tell(news{up: true})
	case paho.ConnectionNotificationLost:
		r.tell(news{err: n.Reason})
	case paho.ConnectionNotificationFailed:
		r.tell(news{err: n.Reason})
	}
}

func (r *remote) tell(n news) {
	select {
	case r.changes <- n:
	case <-r.ctx.Done():
	}
}

func (r *remote) news() <-chan news { return r.changes }
func (r *remote) ready() bool       { return r.client.IsConnectionOpen() }

func (r *remote) subscribe(filters []string) receipt {
	all := make(map[string]byte, len(filters))
	for _, f := range filters {
		all[f] = subscribeQoS
	}
	return subscription{r.client.SubscribeMultiple(all, nil).(*paho.SubscribeToken)}
}

// subscription is a receipt that knows what the broker has denied.
type subscription struct{ *paho.SubscribeToken }

const subscriptionDenied = 0x80 // MQTT 3.1.1, 3.9.3

// Error is why the broker did not grant all of it; nil: it did.
func (s subscription) Error() error {
	if err := s.SubscribeToken.Error(); err != nil {
		return err
	}
	for filter, code := range s.Result() {
		if code == subscriptionDenied {
			return fmt.Errorf("the broker does not let us read %s: allow it in the broker's access list", filter)
		}
	}
	return nil
}

func (r *remote) send(m message) receipt {
	qos := byte(statesQoS)
	if m.sure {
		qos = sureQoS
	}
	return r.client.Publish(m.topic, qos, m.retain, m.text)
}

func (r *remote) close(last []message) {
	for _, last := range last {
		if !r.ready() {
			break
		}
		// The broker must have it before we leave: a goodbye takes the last will back.
		r.client.Publish(last.topic, lastWordQoS, last.retain, last.text).WaitTimeout(goodbye)
	}
	if r.witness != nil {
		r.witness.Disconnect(0)
	}
	r.client.Disconnect(uint(goodbye / time.Millisecond))
	r.cancel()
}

// credentials is asked by paho before each attempt, so that a password changed on disk needs no restart.
func (r *remote) credentials() (user, password string) {
	user, password, r.secret = r.options.credentials()
	return user, password
}

// dial opens the connection. Certificates are read each time, for the same reason.
func (r *remote) dial(broker *url.URL, _ paho.ClientOptions) (net.Conn, error) {
	if r.secret != nil {
		return nil, r.secret
	}
	if err := r.jitter(); err != nil {
		return nil, err
	}
	var c net.Conn
	var err error
	dialer := net.Dialer{Timeout: dialTimeout}
	switch broker.Scheme {
	case "unix":
		c, err = dialer.DialContext(r.ctx, "unix", broker.Path)
	case "mqtts":
		var config *tls.Config
		if config, err = r.options.tls(); err != nil {
			return nil, err
		}
		secure := tls.Dialer{NetDialer: &dialer, Config: config}
		c, err = secure.DialContext(r.ctx, "tcp", withPort(broker, defaultTLSPort))
	default:
		c, err = dialer.DialContext(r.ctx, "tcp", withPort(broker, defaultPort))
	}
	if err != nil {
		return nil, err
	}
	return &hasty{Conn: c, release: context.AfterFunc(r.ctx, func() { c.Close() })}, nil
}

// jitter waits for a moment before every attempt but the first: a broker that has just started again shall
// not have all its clients at the door in the same instant.
func (r *remote) jitter() error {
	if !r.again {
		r.again = true
		return nil
	}
	select {
	case <-time.After(rand.N(retryJitter)):
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

func withPort(broker *url.URL, port string) string {
	if p := broker.Port(); p != "" {
		port = p
	}
	return net.JoinHostPort(broker.Hostname(), port)
}

// nowhere is paho's store of what it would send again on the next connection: nothing, ever. Besides, paho
// goes through its store while new messages are being sent already, and changes them under way.
type nowhere struct{}

// Open has nothing to read.
func (nowhere) Open() {}

// Put forgets the message at once.
func (nowhere) Put(string, packets.ControlPacket) {}

// Get finds nothing.
func (nowhere) Get(string) packets.ControlPacket { return nil }

// All is empty: after a new connection nothing old is sent again.
func (nowhere) All() []string { return nil }

// Del has nothing to delete.
func (nowhere) Del(string) {}

// Close has nothing to keep.
func (nowhere) Close() {}

// Reset has nothing to throw away.
func (nowhere) Reset() {}

// hasty is a connection on which no write lasts long. paho limits only some of its writes; one of the
// others, to a broker that has stopped reading, would hold up everything behind it for ever.
type hasty struct {
	net.Conn
	release func() bool // ends the wait for the end of the adapter, which closes it, too
}

// Write sends within the time that it is given.
func (h *hasty) Write(p []byte) (int, error) {
	if err := h.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	n, err := h.Conn.Write(p)
	if err == nil {
		err = h.SetWriteDeadline(time.Time{}) // one left behind would wake the process for nothing
	}
	return n, err
}

// Close closes the connection, which the end of the adapter need not do any more.
func (h *hasty) Close() error {
	h.release()
	return h.Conn.Close()
}
