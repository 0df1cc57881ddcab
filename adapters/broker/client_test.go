package broker_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// deadline is how long anything in these tests may take on a busy machine.
const deadline = 30 * time.Second

// message is what a client got.
type message struct {
	topic, payload string
	retained       bool
}

// join connects a well-behaved client. It stays away once it has lost its connection.
func join(t testing.TB, b *broker.Broker, id string, change ...func(*paho.ClientOptions)) paho.Client {
	t.Helper()
	options := paho.NewClientOptions().AddBroker("tcp://" + b.Address()).SetClientID(id).
		SetAutoReconnect(false).SetOrderMatters(true)
	for _, c := range change {
		c(options)
	}
	c := paho.NewClient(options)
	finish(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// finish waits for what a client was told to do.
func finish(t testing.TB, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(deadline) {
		t.Fatal("the broker does not answer")
	}
	if err := token.Error(); err != nil {
		t.Fatal(err)
	}
}

// listen subscribes and returns what arrives.
func listen(t testing.TB, c paho.Client, filter string, qos byte) <-chan message {
	t.Helper()
	got := make(chan message, 20000)
	finish(t, c.Subscribe(filter, qos, func(_ paho.Client, m paho.Message) {
		got <- message{m.Topic(), string(m.Payload()), m.Retained()}
	}))
	return got
}

// next waits for one message.
func next(t testing.TB, from <-chan message) message {
	t.Helper()
	select {
	case m := <-from:
		return m
	case <-time.After(deadline):
		t.Fatal("no message")
		return message{}
	}
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// goroutines returns the stacks of those that run code of the broker or of mochi.
func goroutines() (stacks []string) {
	buffer := make([]byte, 4<<20)
	for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(stack, "mochi-mqtt") || strings.Contains(stack, "adapters/broker.(*") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

func TestClientsAreCounted(t *testing.T) {
	b := brokertest.Start(t)
	if n := b.Clients(); n != 0 {
		t.Errorf("%d clients before anybody came", n)
	}
	first := join(t, b, "first")
	join(t, b, "second")
	if c := b.Counts(); c.Clients != 2 {
		t.Errorf("%+v is counted", c)
	}
	if n := b.Clients(); n != 2 {
		t.Errorf("%d clients, want 2", n)
	}
	first.Disconnect(100)
	eventually(t, "one client is left", func() bool { return b.Clients() == 1 })
}
