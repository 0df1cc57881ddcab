package broker_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// Whoever subscribes while states change ends up with the newest of each topic.
func TestNobodyIsLeftWithAnOldState(t *testing.T) {
	const topics, rounds, subscribers = 20, 200, 30
	b := brokertest.Start(t)
	publish := func(round int) {
		for i := range topics {
			if err := b.Publish(fmt.Sprint("state/", i), []byte(fmt.Sprint(round)), true); err != nil {
				t.Error(err)
			}
		}
	}
	publish(0)
	var work sync.WaitGroup
	peers := make([]*brokertest.Peer, subscribers)
	for i := range peers {
		peers[i] = brokertest.Join(t, b.Address(), brokertest.Connect{ID: fmt.Sprint("peer ", i)})
		work.Go(func() {
			for step := 0; step < i; step++ {
				peers[i].Ping() // so that they begin at different moments
			}
			peers[i].Send(brokertest.Subscribe(4, 1, "state/+", 0))
		})
	}
	work.Go(func() {
		for round := 1; round <= rounds; round++ {
			publish(round)
		}
	})
	work.Wait()
	for n, p := range peers {
		newest := lastOfEach(t, p)
		for i := range topics {
			if got := newest[fmt.Sprint("state/", i)]; got != fmt.Sprint(rounds) {
				t.Errorf("subscriber %d believes that topic %d is %q", n, i, got)
			}
		}
	}
}

// lastOfEach reads all that is under way to a peer.
func lastOfEach(t *testing.T, p *brokertest.Peer) map[string]string {
	t.Helper()
	newest := map[string]string{}
	p.Send([]byte{0xc0, 0})
	for pong, ended := false, false; !pong || !ended; {
		packet := p.Next()
		switch packet.Head >> 4 {
		case 13:
			pong = true
			p.Send(brokertest.Publish(4, 0, "state/end", []byte("x"), 0, false)) // comes back behind everything
		case 3:
			m, err := packet.Message(4)
			if err != nil {
				t.Fatal(err)
			}
			newest[m.Topic] = string(m.Payload)
			ended = ended || pong && m.Topic == "state/end"
		}
	}
	return newest
}

func TestRetainedMessagesMatchFilters(t *testing.T) {
	b := brokertest.Start(t)
	for _, topic := range []string{"house", "house/1", "house/1/set-point", "other", "$internal/x"} {
		if err := b.Publish(topic, []byte("x"), true); err != nil {
			t.Fatal(err)
		}
	}
	for filter, want := range map[string]string{
		"house":             "house",
		"house/+":           "house/1",
		"house/#":           "house house/1 house/1/set-point",
		"#":                 "house house/1 house/1/set-point other",
		"+":                 "house other",
		"$internal/#":       "$internal/x",
		"nothing/#":         "",
		"$share/g/house":    "",
		"$share/g/house/#":  "",
		"house/1/set-point": "house/1/set-point",
	} {
		t.Run(filter, func(t *testing.T) {
			p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "c"})
			p.Subscribe(filter, 0)
			seen := map[string]bool{}
			p.Send([]byte{0xc0, 0})
			for packet := p.Next(); packet.Head != 0xd0; packet = p.Next() {
				m, _ := packet.Message(4)
				seen[m.Topic] = true
				if !m.Retain {
					t.Errorf("%s came without the retain flag", m.Topic)
				}
			}
			for topic := range strings.FieldsSeq(want) {
				if !seen[topic] {
					t.Errorf("%s is missing", topic)
				}
				delete(seen, topic)
			}
			for topic := range seen {
				t.Errorf("%s does not match", topic)
			}
		})
	}
}

// A retained message is as certain as it was published, at most as certain as was asked for.
func TestRetainedQualityOfService(t *testing.T) {
	b := brokertest.Start(t)
	publisher := join(t, b, "publisher")
	for qos := range byte(3) {
		finish(t, publisher.Publish(fmt.Sprint("q/", qos), qos, true, "x"))
	}
	for asked := range byte(3) {
		p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: fmt.Sprint("asks for ", asked)})
		p.Send(brokertest.Subscribe(4, 1, "q/+", asked))
		ids := map[uint16]bool{}
		for got := 0; got < 3; {
			packet := p.Next()
			if packet.Head>>4 != 3 {
				continue
			}
			got++
			m, err := packet.Message(4)
			if want := min(asked, m.Topic[2]-'0'); err != nil || m.QoS != want {
				t.Errorf("%s came at QoS %d, not %d (%v)", m.Topic, m.QoS, want, err)
			}
			if m.QoS > 0 && (m.ID == 0 || ids[m.ID]) {
				t.Errorf("packet id %d twice", m.ID)
			}
			ids[m.ID] = true
		}
	}
}

// An unacknowledged retained message comes again to a client that resumes its session.
func TestRetainedMessageIsRepeated(t *testing.T) {
	b := brokertest.Start(t)
	finish(t, join(t, b, "publisher").Publish("a", 1, true, "x"))
	client := brokertest.Connect{ID: "c", Resume: true}
	p := brokertest.Join(t, b.Address(), client)
	p.Subscribe("a", 1)
	p.NextMessage()
	p.Close()
	eventually(t, "it has gone", func() bool { _, inside := b.Connections(); return inside == 1 })
	p = brokertest.Join(t, b.Address(), client)
	if topic, payload := p.NextMessage(); topic != "a" || payload != "x" {
		t.Errorf("got %s %s", topic, payload)
	}
}

// MQTT 5 subscribers may say whether they want what is retained: always, if the subscription is new, never.
func TestRetainHandling(t *testing.T) {
	for name, row := range map[string]struct {
		options byte
		got     []int // messages after the first, and after the second SUBSCRIBE
	}{
		"always":       {0x00, []int{1, 1}},
		"if it is new": {0x10, []int{1, 0}},
		"never":        {0x20, []int{0, 0}},
		"not my own":   {0x04, []int{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			b := brokertest.Start(t)
			p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "c", Version: 5})
			p.Publish("a", "x", 0, true)
			for n, want := range row.got {
				p.Send(brokertest.Subscribe(5, uint16(n+1), "a", row.options))
				p.Send([]byte{0xc0, 0})
				got := 0
				for packet := p.Next(); packet.Head != 0xd0; packet = p.Next() {
					if packet.Head>>4 == 3 {
						got++
					}
				}
				if got != want {
					t.Errorf("SUBSCRIBE %d brought %d messages, not %d", n+1, got, want)
				}
			}
		})
	}
}

// MQTT 5 subscribers may number their subscriptions.
func TestSubscriptionIdentifier(t *testing.T) {
	b := brokertest.Start(t)
	if err := b.Publish("a", []byte("x"), true); err != nil {
		t.Fatal(err)
	}
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "c", Version: 5})
	p.Send(brokertest.Frame(0x82, []byte("\x00\x01\x02\x0b\x07\x00\x01a\x00")))
	p.Next()
	for range 2 {
		if body := string(p.Next().Body); body != "\x00\x01a\x02\x0b\x07x" {
			t.Errorf("PUBLISH is %q", body)
		}
		if err := b.Publish("a", []byte("x"), false); err != nil {
			t.Fatal(err)
		}
	}
}

// However much is retained, nothing is left out, because a new subscriber's queue is not involved.
func TestShortQueueLeavesNothingOut(t *testing.T) {
	const topics = 500
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Queue: 10, Topics: topics}))
	for i := range topics {
		if err := b.Publish(fmt.Sprint("t/", i), make([]byte, 1000), true); err != nil {
			t.Fatal(err)
		}
	}
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "slow"})
	p.Send(brokertest.Subscribe(4, 1, "#", 0))
	for range topics {
		p.NextMessage()
	}
}
