package broker_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// A device that comes again before its old connection is given up must not be called offline by its own
// old will, nor lose its new subscriptions.
func TestSecondConnectionReplacesTheFirst(t *testing.T) {
	b := brokertest.Start(t)
	good := join(t, b, "good")
	status := listen(t, good, "device/status", 0)
	device := brokertest.Connect{ID: "device",
		Will: &brokertest.Message{Topic: "device/status", Payload: []byte("offline"), Retain: true}}
	const rounds = 50
	var last *brokertest.Peer
	for range rounds {
		last = brokertest.Join(t, b.Address(), device)
		last.Subscribe("device/command", 0)
		last.Publish("device/status", "online", 0, true)
		last.Ping()
	}
	for i := range rounds {
		if i > 0 {
			if m := next(t, status); m.payload != "offline" {
				t.Fatalf("round %d: %+v instead of the will", i, m)
			}
		}
		if m := next(t, status); m.payload != "online" {
			t.Fatalf("round %d: %+v after the device is back", i, m)
		}
	}
	if err := b.Publish("device/command", []byte("on"), false); err != nil {
		t.Fatal(err)
	}
	if _, payload := last.NextMessage(); payload != "on" {
		t.Errorf("the device got %q", payload)
	}
}

// Two devices with one name take turns; whoever came last is served.
func TestOneNameForMany(t *testing.T) {
	for _, version := range []byte{4, 5} {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			b := brokertest.Start(t)
			var work sync.WaitGroup
			for range 20 {
				work.Go(func() {
					p := brokertest.Dial(t, b.Address())
					p.Send(brokertest.Connect{ID: "twin", Version: version}.Bytes())
					p.Send(brokertest.Subscribe(version, 1, "to/twin", 0))
					_, _ = p.Receive() // CONNACK, or the end if the next twin was quick
				})
			}
			work.Wait()
			eventually(t, "one is left", func() bool {
				waiting, inside := b.Connections()
				return waiting == 0 && inside == 1 && b.Subscriptions("to/twin") == 1
			})
			last := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "twin", Version: version})
			last.Subscribe("to/twin", 0)
			if err := b.Publish("to/twin", []byte("hello"), false); err != nil {
				t.Fatal(err)
			}
			if _, payload := last.NextMessage(); payload != "hello" {
				t.Errorf("got %q", payload)
			}
		})
	}
}

func TestReplacedClientOfMQTT5IsTold(t *testing.T) {
	b := brokertest.Start(t)
	first := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "same", Version: 5})
	brokertest.Join(t, b.Address(), brokertest.Connect{ID: "same", Version: 5})
	const takenOver = 0x8e
	if p := first.Next(); p.Head != 0xe0 || len(p.Body) == 0 || p.Body[0] != takenOver {
		t.Errorf("got %+v", p)
	}
}

// What waits for an absent client comes in order, again and again until it is acknowledged. Mochi sends
// the messages of one second in random order.
func TestAbsentClientGetsMessagesInOrder(t *testing.T) {
	for _, version := range []byte{4, 5} {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			b := brokertest.Start(t)
			b.CountFrom(1<<16 - 50) // mochi compares the lower 16 bits only
			absent := brokertest.Connect{ID: "absent", Version: version, Resume: true, Remember: 100}
			p := brokertest.Join(t, b.Address(), absent)
			p.Subscribe("news", 1)
			p.Close()
			eventually(t, "it has gone", func() bool { _, inside := b.Connections(); return inside == 0 })
			publisher := join(t, b, "publisher")
			const messages = 200
			publish := func(from, to int) {
				for i := from; i < to; i++ {
					finish(t, publisher.Publish("news", 1, false, fmt.Sprint(i)))
				}
				eventually(t, "all messages wait", func() bool { return b.Pending("absent") == to })
			}
			publish(0, messages/2)
			for round := range 3 {
				p = brokertest.Join(t, b.Address(), absent)
				for i := range messages / 2 {
					if _, payload := p.NextMessage(); payload != fmt.Sprint(i) {
						t.Fatalf("round %d: message %d is %s", round, i, payload)
					}
				}
				p.Close()
			}
			publish(messages/2, messages)
			p = brokertest.Join(t, b.Address(), absent)
			for i := range messages {
				m, err := p.Next().Message(version)
				if err != nil || string(m.Payload) != fmt.Sprint(i) {
					t.Fatalf("message %d is %q (%v)", i, m.Payload, err)
				}
				p.Send(brokertest.Ack(m.ID))
			}
			p.Ping()
			p.Close()
			p = brokertest.Join(t, b.Address(), absent)
			p.Send([]byte{0xc0, 0})
			if packet := p.Next(); packet.Head != 0xd0 {
				t.Errorf("acknowledged messages come again: %+v", packet)
			}
		})
	}
}

// The id of a client's SUBSCRIBE has nothing to do with that of a message on its way to the client.
func TestSubscribeWithTheIDOfAMessage(t *testing.T) {
	b := brokertest.Start(t)
	absent := brokertest.Connect{ID: "absent", Resume: true}
	p := brokertest.Join(t, b.Address(), absent)
	p.Subscribe("news", 1)
	p.Close()
	eventually(t, "it has gone", func() bool { _, inside := b.Connections(); return inside == 0 })
	finish(t, join(t, b, "publisher").Publish("news", 1, false, "x"))
	p = brokertest.Join(t, b.Address(), absent)
	if m, _ := p.Next().Message(4); m.ID != 1 {
		t.Fatalf("the message has id %d, the test wants 1", m.ID)
	}
	p.Send(brokertest.Subscribe(4, 1, "more", 1))
	if answer := p.Next(); answer.Head != 0x90 || answer.Body[0] != 0 || answer.Body[1] != 1 || answer.Body[2] != 1 {
		t.Errorf("SUBACK is %+v", answer)
	}
}

// A queued message of MQTT 5 that has expired does not come late.
func TestExpiredMessagesDoNotComeLate(t *testing.T) {
	b := brokertest.Start(t)
	absent := brokertest.Connect{ID: "absent", Version: 5, Resume: true, Remember: 100}
	p := brokertest.Join(t, b.Address(), absent)
	p.Subscribe("valve/#", 1)
	p.Close()
	eventually(t, "it has gone", func() bool { _, inside := b.Connections(); return inside == 0 })
	publisher := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "publisher", Version: 5})
	publisher.Send(brokertest.Frame(0x32, []byte("\x00\x07valve/1\x00\x01\x05\x02\x00\x00\x00\x09open")))
	publisher.Send(brokertest.Publish(5, 2, "valve/2", []byte("shut"), 1, false))
	publisher.Ping()
	b.Sweep(time.Now().Add(30 * time.Second))
	p = brokertest.Join(t, b.Address(), absent)
	if topic, _ := p.NextMessage(); topic != "valve/2" {
		t.Errorf("got %s", topic)
	}
}

// A will of MQTT 5 does not wait for the loop that never runs.
func TestDelayedWillIsSentAtOnce(t *testing.T) {
	b := brokertest.Start(t)
	status := listen(t, join(t, b, "good"), "status", 0)
	p := brokertest.Dial(t, b.Address())
	const delay1h = "\x05\x18\x00\x00\x0e\x10"
	p.Send(brokertest.Frame(0x10, []byte("\x00\x04MQTT\x05\x06\x00\x00\x05\x11\x00\x00\x00\x7f\x00\x01d"+delay1h+"\x00\x06status\x00\x07offline")))
	if answer := p.Next(); answer.Head != 0x20 || answer.Body[1] != 0 {
		t.Fatalf("CONNACK is %+v", answer)
	}
	p.Close()
	if m := next(t, status); m.payload != "offline" {
		t.Errorf("got %+v", m)
	}
}

// Mochi stops sending for good to a client of MQTT 5 that fell behind its receive maximum once.
func TestReceiveMaximumDoesNotSilenceAClient(t *testing.T) {
	b := brokertest.Start(t)
	p := brokertest.Dial(t, b.Address())
	p.Send(brokertest.Frame(0x10, []byte("\x00\x04MQTT\x05\x02\x00\x00\x03\x21\x00\x02\x00\x01r")))
	p.Next()
	p.Send(brokertest.Subscribe(5, 1, "n", 1))
	p.Next()
	publisher := join(t, b, "publisher")
	const messages = 50
	for range messages {
		finish(t, publisher.Publish("n", 1, false, "x"))
	}
	for i := range messages {
		m, err := p.Next().Message(5)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		p.Send(brokertest.Ack(m.ID))
	}
}

// An alias for a topic would be lost with the message that carries it, so none are used.
func TestTopicsAreNotAliased(t *testing.T) {
	b := brokertest.Start(t)
	p := brokertest.Dial(t, b.Address())
	p.Send(brokertest.Frame(0x10, []byte("\x00\x04MQTT\x05\x02\x00\x00\x03\x22\x00\x09\x00\x01r")))
	p.Next()
	p.Send(brokertest.Subscribe(5, 1, "n", 0))
	p.Next()
	for range 3 {
		if err := b.Publish("n", []byte("x"), false); err != nil {
			t.Fatal(err)
		}
		if body := string(p.Next().Body); body != "\x00\x01n\x00x" {
			t.Errorf("PUBLISH is %q", body)
		}
	}
}

// Mochi panics at a SUBSCRIBE of MQTT 5 that ends before its options.
func TestCutOffSubscribeHarmsNobody(t *testing.T) {
	b := brokertest.Start(t)
	good := join(t, b, "good")
	got := listen(t, good, "a", 1)
	for range 3 {
		p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "bad", Version: 5})
		p.Subscribe("a", 1)
		p.Send(brokertest.Frame(0x82, []byte("\x00\x02\x00\x00\x01b")))
		p.AwaitEnd()
	}
	eventually(t, "its session is gone", func() bool { return b.Sessions() == 1 && b.Subscriptions("a") == 1 })
	finish(t, good.Publish("a", 2, false, "well"))
	if m := next(t, got); m.payload != "well" {
		t.Errorf("got %+v", m)
	}
}

// Nobody can take the name under which the process itself publishes.
func TestReservedNames(t *testing.T) {
	b := brokertest.Start(t)
	for _, version := range []byte{4, 5} {
		if code := brokertest.Dial(t, b.Address()).Introduce(brokertest.Connect{ID: "inline", Version: version}); code == 0 {
			t.Error("the name of the house was given away")
		}
	}
	got := listen(t, join(t, b, "good"), "a", 0)
	if err := b.Publish("a", []byte("well"), false); err != nil {
		t.Fatal(err)
	}
	next(t, got)
}

// Sessions survive the housekeeping while their clients are there, however long.
func TestSweepSparesThosePresent(t *testing.T) {
	b := brokertest.Start(t)
	c := join(t, b, "here")
	got := listen(t, c, "a", 1)
	b.Sweep(time.Now().Add(1000 * time.Hour))
	finish(t, c.Publish("a", 1, false, "x"))
	next(t, got)
}
