package broker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

func TestRetainedMessagesAreLimited(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Topics: 10, Retained: 1000}))
	publisher := join(t, b, "publisher")
	all := listen(t, publisher, "#", 0)
	for i := range 12 {
		finish(t, publisher.Publish(fmt.Sprint("t/", i), 1, true, "x"))
	}
	for range 10 {
		next(t, all)
	}
	if n := b.Retained(); n != 10 {
		t.Errorf("%d messages are retained", n)
	}
	if err := b.Publish("one/more", []byte("x"), true); err == nil || !strings.Contains(err.Error(), "10 topics") {
		t.Errorf("the house may retain more: %v", err)
	}
	if err := b.Publish("t/1", make([]byte, 2000), true); err == nil || !strings.Contains(err.Error(), "limit is 1000") {
		t.Errorf("the house may retain 2000 bytes: %v", err)
	}
	finish(t, publisher.Publish("t/1", 1, true, ""))
	finish(t, publisher.Publish("one/more", 1, true, "x"))
	if m := next(t, all); m.topic != "t/1" || m.payload != "" {
		t.Errorf("got %+v", m)
	}
	if m := next(t, all); m.topic != "one/more" {
		t.Errorf("a topic that was freed cannot be used: %+v", m)
	}
}

func TestPacketsAreLimited(t *testing.T) {
	_, _, packet := broker.UsualLimits()
	b := brokertest.Start(t)
	all := listen(t, join(t, b, "good"), "big", 0)
	largest := packet - 1 - len("\x00\x03big")
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "big"})
	p.Publish("big", strings.Repeat("x", largest), 0, false)
	if m := next(t, all); len(m.payload) != largest {
		t.Errorf("got %d bytes", len(m.payload))
	}
	p.Publish("big", strings.Repeat("x", largest+1), 0, false)
	p.AwaitEnd()

	five := brokertest.Dial(t, b.Address())
	five.Send(brokertest.Connect{ID: "five", Version: 5}.Bytes())
	const told = "\x27\x00\x01\x00\x00" // maximum packet size, 64 KiB
	if answer := five.Next(); !strings.Contains(string(answer.Body), told) {
		t.Errorf("CONNACK of MQTT 5 does not tell the limit: %x", answer.Body)
	}
}

func TestClientsAreLimited(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Clients: 3}))
	var first paho.Client
	for i := range 3 {
		first = join(t, b, fmt.Sprint("client ", i))
	}
	const unavailable = 3
	if code := brokertest.Dial(t, b.Address()).Introduce(brokertest.Connect{ID: "fourth"}); code != unavailable {
		t.Errorf("the fourth client was answered with %d", code)
	}
	first.Disconnect(100)
	eventually(t, "there is room again", func() bool {
		return brokertest.Dial(t, b.Address()).Introduce(brokertest.Connect{ID: "fourth"}) == 0
	})
}

// Mochi keeps sessions of MQTT 3 for ever, and their subscriptions even longer.
func TestSessionsExpire(t *testing.T) {
	b := brokertest.Start(t)
	for id, c := range map[string]brokertest.Connect{
		"for an hour":      {Resume: true},
		"for two minutes":  {Version: 5, Resume: true, Remember: 120},
		"for this time":    {},
		"not beyond MQTT5": {Version: 5},
	} {
		c.ID = id
		p := brokertest.Join(t, b.Address(), c)
		p.Subscribe("a/topic", 1)
		p.Close()
	}
	left := func(n int) func() bool {
		return func() bool { return b.Sessions() == n && b.Subscriptions("a/topic") == n }
	}
	eventually(t, "two sessions are left", left(2))
	eventually(t, "all are absent", func() bool { waiting, inside := b.Connections(); return waiting+inside == 0 })
	for _, step := range []struct {
		later time.Duration
		left  int
	}{{time.Minute, 2}, {3 * time.Minute, 1}, {59 * time.Minute, 1}, {61 * time.Minute, 0}} {
		b.Sweep(time.Now().Add(step.later))
		if !left(step.left)() {
			t.Errorf("after %v: %d sessions and %d subscriptions, not %d",
				step.later, b.Sessions(), b.Subscriptions("a/topic"), step.left)
		}
	}
}

func TestSessionsAreLimited(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Sessions: 5}))
	for i := range 20 {
		p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: fmt.Sprint("visitor ", i), Resume: true})
		p.Subscribe("a/topic", 1)
		p.Close()
		eventually(t, "it has gone", func() bool { _, inside := b.Connections(); return inside == 0 })
	}
	if b.Sessions() > 5 || b.Subscriptions("a/topic") > 5 {
		t.Errorf("%d sessions and %d subscriptions are remembered", b.Sessions(), b.Subscriptions("a/topic"))
	}
}

func TestSubscriptionsAreLimited(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Topics: 3}))
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "greedy"})
	for i, want := range []byte{0, 0, 0, 0x80} {
		if code := p.Subscribe(fmt.Sprint("t/", i), 0); code != want {
			t.Errorf("subscription %d was answered with %#x", i+1, code)
		}
	}
	if code := p.Subscribe("t/2", 0); code != 0 {
		t.Errorf("the same filter again was answered with %#x", code)
	}
}

// Deep topics cost the index dearly.
func TestDeepTopicsAreRefused(t *testing.T) {
	b := brokertest.Start(t)
	all := listen(t, join(t, b, "good"), "#", 0)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "deep"})
	deep := strings.Repeat("a/", 1000)
	p.Publish(deep, "x", 1, true)
	if code := p.Subscribe(deep+"#", 0); code != 0x80 {
		t.Errorf("a deep filter was answered with %#x", code)
	}
	if code := p.Subscribe(strings.Repeat("a", 2000), 0); code != 0x80 {
		t.Errorf("a long filter was answered with %#x", code)
	}
	p.Publish("flat", "x", 0, false)
	if m := next(t, all); m.topic != "flat" {
		t.Errorf("got %+v", m)
	}
	if b.Retained() != 0 {
		t.Error("the deep topic is retained")
	}
}
