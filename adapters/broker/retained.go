package broker

import (
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Retained messages are stored by mochi but handed out here: mochi reads its index without the lock under
// which it is changed, drops what exceeds the subscriber's queue, and may send an old message after a
// newer one.

// claim is a subscription being answered that is owed what is retained.
type claim struct {
	packets.Subscription
	owed   bool
	topics []string // what was retained when the subscription began
}

// claims notes what a SUBSCRIBE packet may claim, and keeps mochi from handing it out.
func (m *mochi) claims(cl *mqtt.Client, pk packets.Packet) (all []claim) {
	const ifNew, never = 1, 2 // retain handling of MQTT 5; 0: always
	for i, sub := range pk.Filters {
		_, again := cl.State.Subscriptions.Get(sub.Filter)
		owed := !mqtt.IsSharedFilter(sub.Filter) && sub.RetainHandling != never && !(sub.RetainHandling == ifNew && again)
		all = append(all, claim{Subscription: sub, owed: owed})
		pk.Filters[i].RetainHandling = never
	}
	return all
}

// settle hands a client what its granted subscriptions are owed. It writes past the queue, on the
// goroutine that reads from the client, so that only the client itself has to wait.
func (m *mochi) settle(cl *mqtt.Client, claims []claim) {
	for _, c := range claims {
		for _, topic := range c.topics {
			if !m.mayRead(cl, topic) {
				continue
			}
			m.eachRetained(topic, func(pk packets.Packet) {
				if !c.NoLocal || pk.Origin != cl.ID {
					m.hand(cl, c.Subscription, pk)
				}
			})
		}
	}
}

// eachRetained calls give with the message that a topic retains, and again if it was replaced meanwhile:
// who has got the newer one already, as a subscriber, must not be left with the older one.
func (m *mochi) eachRetained(topic string, give func(packets.Packet)) {
	for turn := m.shelf.turnOf(topic); turn != 0; {
		pk, ok := m.server.Topics.Retained.Get(topic)
		if ok && (pk.Expiry == 0 || pk.Expiry > time.Now().Unix()) {
			give(pk)
		}
		before := turn
		if turn = m.shelf.turnOf(topic); turn == before {
			return
		}
	}
}

// hand sends a client a retained message.
func (m *mochi) hand(cl *mqtt.Client, sub packets.Subscription, pk packets.Packet) {
	out := pk.Copy(false)
	out.FixedHeader.Qos = min(out.FixedHeader.Qos, sub.Qos)
	if sub.Identifier > 0 {
		out.Properties.SubscriptionIdentifier = []int{sub.Identifier}
	}
	if out.FixedHeader.Qos > 0 {
		id, err := cl.NextPacketID()
		if err != nil {
			return
		}
		out.PacketID = uint16(id)
		out.Created = m.sequence.Add(1)
		cl.State.Inflight.Set(out)
	}
	_ = cl.WritePacket(out)
}

// vanish deletes retained messages of MQTT 5 whose time has come. Others stay until they are replaced.
func (m *mochi) vanish(now time.Time) {
	for _, topic := range m.shelf.expired(now.Unix()) {
		m.server.Topics.RetainMessage(packets.Packet{TopicName: topic})
		m.shelf.put(topic, 0, 0, false)
	}
}

// restore puts what was kept over the restart back, once.
func (m *mochi) restore() {
	a := m.house.archive
	if a == nil || m.restored {
		return
	}
	m.restored = true
	now := time.Now()
	a.log, a.written = m.house.log, now
	for _, k := range a.load() {
		switch {
		case checkTopic(k.Topic) != nil, len(k.Payload) == 0, k.QoS > 2, m.house.wish(k.Topic):
		case k.End != 0 && k.End <= now.Unix():
		case m.shelf.turnOf(k.Topic) != 0: // the house was quicker
		case m.shelf.fits(k.Topic, len(k.Payload)) != nil:
		default:
			m.server.Topics.RetainMessage(packets.Packet{
				FixedHeader: packets.FixedHeader{Type: packets.Publish, Retain: true, Qos: k.QoS},
				TopicName:   k.Topic, Payload: k.Payload, Expiry: k.End, Origin: restoredOrigin, Created: now.Unix(), ProtocolVersion: 5})
			m.shelf.put(k.Topic, len(k.Payload), k.End, false)
		}
	}
	_, a.turn = m.shelf.lentTopics()
}

// restoredOrigin is who published what was kept: no client can be called so.
const restoredOrigin = "\x00kept"

// storeIfDue writes what clients retain if that has changed and the memory card has rested long enough.
func (m *mochi) storeIfDue(now time.Time) {
	if a := m.house.archive; a != nil {
		if _, turn := m.shelf.lentTopics(); a.due(turn, now) {
			m.store(now)
		}
	}
}

// store writes what clients retain, if that has changed.
func (m *mochi) store(now time.Time) {
	a := m.house.archive
	if a == nil {
		return
	}
	topics, turn := m.shelf.lentTopics()
	if turn == a.turn {
		return
	}
	var all []kept
	for _, topic := range topics {
		if pk, ok := m.server.Topics.Retained.Get(topic); ok {
			all = append(all, kept{Topic: topic, Payload: pk.Payload, QoS: pk.FixedHeader.Qos, End: pk.Expiry})
		}
	}
	a.save(all, turn, now)
}
