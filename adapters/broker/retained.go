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
		m.shelf.put(topic, 0, 0)
	}
}
