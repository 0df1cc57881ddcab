package broker

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// hook is where mochi asks: who may come in, what is passed on, what is kept.
type hook struct {
	mqtt.HookBase
	*mochi
}

// ID names the hook to mochi.
func (h *hook) ID() string { return "house" }

// Provides lists the questions that are answered here.
func (h *hook) Provides(b byte) bool {
	return slices.Contains([]byte{
		mqtt.OnConnect, mqtt.OnConnectAuthenticate, mqtt.OnSessionEstablish, mqtt.OnSessionEstablished,
		mqtt.OnACLCheck, mqtt.OnSubscribe, mqtt.OnSubscribed, mqtt.OnPacketProcessed,
		mqtt.OnPublish, mqtt.OnQosPublish, mqtt.OnRetainMessage, mqtt.OnWill,
		mqtt.OnPacketEncode, mqtt.OnPacketSent,
	}, b)
}

// guestOf is who is behind a client, nil for the house itself.
func guestOf(cl *mqtt.Client) *guest {
	g, _ := cl.Net.Conn.(*guest)
	return g
}

// OnConnect looks at a CONNECT packet before the password is.
func (h *hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	guestOf(cl).client = cl
	cl.State.Keepalive = min(cl.State.Keepalive, maxKeepAlive)
	// A message held back for a client's receive maximum is never released again, and looking for it can
	// lock mochi up (recursive read lock). So nothing is held back.
	cl.Properties.Props.ReceiveMaximum = 0
	cl.State.Inflight.ResetSendQuota(0)
	// The first message with an alias may be dropped, and those that follow then have no topic.
	cl.Properties.Props.TopicAliasMaximum = 0
	// Delayed wills would wait for the loop that never runs.
	cl.Properties.Will.WillDelayInterval = 0

	err := h.objection(cl, pk)
	if err == nil {
		return nil
	}
	h.refuse(cl, err)
	code := packets.ErrBadUsernameOrPassword // "not authorised" before MQTT 5
	if cl.Properties.ProtocolVersion >= 5 {
		code = packets.ErrNotAuthorized
	}
	_ = h.server.SendConnack(cl, code, false, nil)
	return err
}

// objection finds fault with a client's name or will, which mochi takes as they are.
func (h *hook) objection(cl *mqtt.Client, pk packets.Packet) error {
	if cl.ID == houseID || len(cl.ID) > maxTopicLength {
		return errors.New("this client id cannot be had")
	}
	if !pk.Connect.WillFlag {
		return nil
	}
	if !mqtt.IsValidFilter(pk.Connect.WillTopic, true) {
		return errors.New("nobody may publish to the topic of its will")
	}
	return h.improper(pk.Connect.WillTopic, pk.Connect.WillRetain)
}

// OnConnectAuthenticate lets those in who show a certificate or know a password, or everybody if there are
// neither.
func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, pk packets.Packet) bool {
	h.refresh()
	err := h.identify(cl, pk)
	if err == nil {
		err = h.mayBe(cl)
	}
	if err != nil {
		h.refuse(cl, err)
	}
	return err == nil
}

// identify finds out who a client is. A name that nobody has proved is none.
func (h *hook) identify(cl *mqtt.Client, pk packets.Packet) error {
	g := guestOf(cl)
	name, certified := g.certified()
	switch {
	case certified && name == "":
		return errors.New("the client's certificate has no common name, by which it would be known")
	case certified:
		g.name = name
	case h.house.users != nil:
		from, _ := netip.ParseAddrPort(cl.Net.Remote)
		l := login{string(pk.Connect.Username), pk.Connect.Password, from.Addr()}
		hash := h.house.users.hashOf(l.name)
		if err := h.house.users.admit(l, time.Now(), h.door.shut); err != nil {
			return err
		}
		g.name, g.hash = l.name, hash
	}
	cl.Properties.Username = []byte(g.name)
	return nil
}

// mayBe says why somebody who is known must not come in as this client: nobody pushes a user with
// other rights out, and nobody leaves a will that it could not publish.
func (h *hook) mayBe(cl *mqtt.Client) error {
	g := guestOf(cl)
	h.mu.Lock()
	holder := h.present[cl.ID]
	h.mu.Unlock()
	if h.house.access != nil && holder != nil && holder.name != g.name {
		return errors.New("the client id is another user's, who is here; choose another id")
	}
	if topic := cl.Properties.Will.TopicName; topic != "" && !h.may(cl, topic, true) {
		return fmt.Errorf("the access list does not let it publish its will to %s", brief(topic))
	}
	return nil
}

// OnSessionEstablish waits until the client id is free. If the door has sent the visitor away meanwhile,
// mochi finds the connection closed when it answers.
func (h *hook) OnSessionEstablish(cl *mqtt.Client, _ packets.Packet) {
	g := guestOf(cl)
	h.door.admit(g.visitor)
	h.enter(g)
}

// OnSessionEstablished notes that the client is in.
func (h *hook) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	h.house.log.Debug("MQTT client came", "client", brief(cl.ID), "from", cl.Net.Remote)
}

// OnACLCheck is asked of filters that somebody subscribes to, and of each message on its way to a client.
// What a client publishes is looked at in OnPublish: here a refusal would end an older client's connection.
func (h *hook) OnACLCheck(cl *mqtt.Client, topic string, write bool) bool {
	return write || h.mayRead(cl, topic)
}

// OnSubscribe empties the filters that go too far, which mochi then refuses.
func (h *hook) OnSubscribe(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	g := guestOf(cl)
	g.claims = h.claims(cl, pk)
	room := h.house.limits.topics - cl.State.Subscriptions.Len()
	for i, sub := range pk.Filters {
		if checkFilter(sub.Filter) == nil && !h.mayRead(cl, sub.Filter) {
			h.refuse(cl, fmt.Errorf("the access list lets it read nothing of %s", brief(sub.Filter)))
		}
		if _, again := cl.State.Subscriptions.Get(sub.Filter); !again {
			room--
		}
		if checkFilter(sub.Filter) != nil || room < 0 {
			pk.Filters[i].Filter = ""
		}
	}
	// mochi keeps the ids of both directions in one table and refuses a SUBSCRIBE whose id happens to be
	// that of a message under way to the client. Id 0 is nobody's; OnPacketEncode puts the real one back.
	if _, clash := cl.State.Inflight.Get(pk.PacketID); clash {
		g.asked, pk.PacketID = pk.PacketID, 0
	}
	return pk
}

// OnSubscribed looks what is retained for the subscriptions that mochi has granted. From here on, what
// comes new reaches the client without.
func (h *hook) OnSubscribed(cl *mqtt.Client, _ packets.Packet, codes []byte) {
	g := guestOf(cl)
	for i := range g.claims {
		if c := &g.claims[i]; c.owed && codes[i] <= packets.CodeGrantedQos2.Code {
			c.topics = h.shelf.matching(c.Filter)
		}
	}
}

// OnPacketProcessed hands out what is retained, once SUBACK has been sent.
func (h *hook) OnPacketProcessed(cl *mqtt.Client, pk packets.Packet, _ error) {
	if pk.FixedHeader.Type != packets.Subscribe {
		return
	}
	g := guestOf(cl)
	h.settle(cl, g.claims)
	g.claims = nil
}

// OnPacketEncode completes packets that were exchanged on their way to a client.
func (h *hook) OnPacketEncode(cl *mqtt.Client, pk packets.Packet) packets.Packet {
	switch {
	case pk.FixedHeader.Type == packets.Connack:
		pk.Properties.MaximumPacketSize = uint32(h.house.limits.packet) // for MQTT 5
	case pk.FixedHeader.Type == packets.Suback && pk.PacketID == 0:
		pk.PacketID = guestOf(cl).asked
	case pk.TopicName == farewellTopic:
		// The mark behind the last message. Before MQTT 5 a server has no word for it and sends an answer
		// to a ping that was not asked for, which does no harm.
		pk.FixedHeader = packets.FixedHeader{Type: packets.Pingresp}
		if pk.ProtocolVersion >= 5 {
			pk.FixedHeader.Type, pk.ReasonCode = packets.Disconnect, packets.ErrServerShuttingDown.Code
		}
	}
	return pk
}

// OnPacketSent lets a client go once the mark has reached it.
func (h *hook) OnPacketSent(cl *mqtt.Client, pk packets.Packet, _ []byte) {
	if pk.TopicName == farewellTopic {
		guestOf(cl).Close()
	}
}

// OnPublish passes a client's message on, or drops it with an acknowledgement: before MQTT 5 there is no
// other way to refuse one (MQTT 3.1.1, 3.3.5).
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	h.slowDown(cl, len(pk.Payload))
	err := h.objectionTo(cl, pk)
	if err == nil {
		err = h.valve.pass(len(pk.Payload), h.clients(), h.door.shut)
	}
	if errors.Is(err, errNoMemory) {
		h.relieve()
	}
	if err == nil {
		return pk, nil
	}
	if told := h.house.refused; told == nil || !told(pk.TopicName, pk.Payload, err) {
		h.refuse(cl, err)
	}
	if cl.Properties.ProtocolVersion >= 5 && pk.FixedHeader.Qos == 1 {
		return pk, packets.ErrNotAuthorized
	}
	return pk, packets.CodeSuccessIgnore
}

// objectionTo says why a client's message is not passed on, or nil.
func (h *hook) objectionTo(cl *mqtt.Client, pk packets.Packet) error {
	if err := h.improper(pk.TopicName, pk.FixedHeader.Retain); err != nil {
		return err
	}
	if !h.may(cl, pk.TopicName, true) {
		return fmt.Errorf("the access list does not let %s write to %s", nameOf(cl), brief(pk.TopicName))
	}
	if !pk.FixedHeader.Retain {
		return nil
	}
	return h.shelf.fits(pk.TopicName, len(pk.Payload))
}

// slowDown has a client wait that publishes faster than it may for long; a message counts once more for each kilobyte. Nobody
// else waits: messages are read on a goroutine of the client's own.
func (h *hook) slowDown(cl *mqtt.Client, size int) {
	g := guestOf(cl)
	wait := g.pace.ReserveN(time.Now(), min(1+size>>10, h.house.limits.burst)).Delay()
	if wait <= 0 {
		return
	}
	g.slowed.Do(func() {
		h.house.log.Warn("MQTT client is slowed down", "client", brief(cl.ID), "user", brief(g.name),
			"why", fmt.Sprintf("it publishes more than %d messages or kilobytes a second", h.house.limits.rate))
	})
	select {
	case <-time.After(wait):
	case <-h.door.shut:
	}
}

// improper says why a client must not publish to a topic, or nil.
func (h *hook) improper(topic string, retain bool) error {
	if err := checkTopic(topic); err != nil {
		return err
	}
	if retain && h.house.wish(topic) {
		return errors.New("a wish on " + topic + " must not be retained; publish it without the retain flag")
	}
	return nil
}

// OnWill sends a will that cannot be retained any more as an ordinary message.
func (h *hook) OnWill(_ *mqtt.Client, will mqtt.Will) (mqtt.Will, error) {
	will.Retain = will.Retain && h.shelf.fits(will.TopicName, len(will.Payload)) == nil
	return will, nil
}

// OnRetainMessage keeps account of what is retained.
func (h *hook) OnRetainMessage(cl *mqtt.Client, pk packets.Packet, _ int64) {
	h.shelf.put(pk.TopicName, len(pk.Payload), pk.Expiry, cl.Net.Inline)
}

// OnQosPublish numbers the messages that wait for a client's acknowledgement, see resume.
func (h *hook) OnQosPublish(cl *mqtt.Client, pk packets.Packet, _ int64, _ int) {
	if pk.FixedHeader.Type == packets.Publish {
		pk.Created = h.sequence.Add(1)
		cl.State.Inflight.Set(pk)
	}
}

// refuse logs why a client is refused, once for each connection and not too often for all of them.
func (h *hook) refuse(cl *mqtt.Client, why error) {
	guestOf(cl).grumble.Do(func() {
		unsaid, say := h.quiet.allow()
		if !say {
			return
		}
		if unsaid > 0 {
			why = fmt.Errorf("%w (%d others were refused before without a word)", why, unsaid)
		}
		h.house.log.Warn("MQTT broker refuses", "client", brief(cl.ID), "user", brief(string(cl.Properties.Username)),
			"from", cl.Net.Remote, "why", why)
	})
}
