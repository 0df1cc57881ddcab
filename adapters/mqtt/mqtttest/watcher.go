package mqtttest

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Patience is how long a test waits for a message that ought to come at once.
const Patience = 20 * time.Second

// Message is what a Watcher has seen.
type Message struct {
	Topic, Payload string
	Retained       bool // it was there before the watcher
}

// Watcher is a client that notes all messages on its topics.
type Watcher struct {
	t        testing.TB
	client   paho.Client
	messages chan Message
	mu       sync.Mutex
	last     map[string]string
}

// Watch connects a client that subscribes to the filter, until the test ends. When it returns, the
// subscription holds.
func Watch(t testing.TB, broker *Broker, filter string) *Watcher {
	t.Helper()
	w := &Watcher{t: t, messages: make(chan Message, 100_000), last: make(map[string]string)}
	o := paho.NewClientOptions().AddBroker(broker.URL()).SetClientID(fmt.Sprintf("watcher-%p", w)).
		SetProtocolVersion(4).SetAutoReconnect(false)
	w.client = paho.NewClient(o)
	w.must(w.client.Connect())
	t.Cleanup(func() { w.client.Disconnect(100) })
	w.must(w.client.Subscribe(filter, 1, w.note))
	return w
}

func (w *Watcher) must(token paho.Token) {
	w.t.Helper()
	if !token.WaitTimeout(Patience) {
		w.t.Fatal("the broker does not answer")
	}
	if err := token.Error(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *Watcher) note(_ paho.Client, m paho.Message) {
	w.mu.Lock()
	w.last[m.Topic()] = string(m.Payload())
	w.mu.Unlock()
	w.messages <- Message{m.Topic(), string(m.Payload()), m.Retained()}
}

// Say publishes at QoS 1 and waits until the broker has it.
func (w *Watcher) Say(topic, payload string, retain bool) {
	w.t.Helper()
	w.must(w.client.Publish(topic, 1, retain, payload))
}

// Messages yields everything that was seen, in order.
func (w *Watcher) Messages() <-chan Message { return w.messages }

// Last returns the last payload of each topic.
func (w *Watcher) Last() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.last)
}

// Wait returns the next message that is accepted, skipping all others; the test fails if none comes.
func (w *Watcher) Wait(accept func(Message) bool) Message {
	w.t.Helper()
	timeout := time.After(Patience)
	for {
		select {
		case m := <-w.messages:
			if accept(m) {
				return m
			}
		case <-timeout:
			w.t.Fatalf("no such message within %v; last seen: %v", Patience, w.Last())
		}
	}
}

// WaitFor waits for a payload on a topic.
func (w *Watcher) WaitFor(topic, payload string) Message {
	w.t.Helper()
	return w.Wait(func(m Message) bool { return m.Topic == topic && m.Payload == payload })
}
