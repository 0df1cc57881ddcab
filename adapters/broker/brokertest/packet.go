package brokertest

import (
	"encoding/binary"
	"errors"
)

// Connect is what a client says first. Zero fields are left out of the packet.
type Connect struct {
	ID        string
	Version   byte // 3, 4 (MQTT 3.1.1, also for 0) or 5
	Resume    bool // go on with an earlier session
	Remember  byte // with Version 5: seconds for which the session is to be kept, up to 127
	KeepAlive uint16
	User      string
	Password  string
	Will      *Message
}

// Message is something published.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
	ID      uint16 // of the packet, if QoS is not 0
}

func (c Connect) version() byte {
	if c.Version == 0 {
		return 4
	}
	return c.Version
}

// Bytes is the packet.
func (c Connect) Bytes() []byte {
	name := "MQTT"
	if c.Version == 3 {
		name = "MQIsdp"
	}
	body := append(text(name), c.version(), c.flags())
	body = binary.BigEndian.AppendUint16(body, c.KeepAlive)
	if c.Version == 5 {
		body = append(body, 5, 0x11, 0, 0, 0, c.Remember) // session expiry interval
	}
	body = append(body, text(c.ID)...)
	if c.Will != nil {
		body = append(body, properties(c.Version)...)
		body = append(body, text(c.Will.Topic)...)
		body = append(body, text(string(c.Will.Payload))...)
	}
	if c.User != "" {
		body = append(body, text(c.User)...)
	}
	if c.Password != "" {
		body = append(body, text(c.Password)...)
	}
	return Frame(0x10, body)
}

func (c Connect) flags() (flags byte) {
	if !c.Resume {
		flags |= 0x02
	}
	if c.Will != nil {
		flags |= 0x04 | c.Will.QoS<<3
		if c.Will.Retain {
			flags |= 0x20
		}
	}
	if c.User != "" {
		flags |= 0x80
	}
	if c.Password != "" {
		flags |= 0x40
	}
	return flags
}

// Subscribe is a SUBSCRIBE packet for one filter.
func Subscribe(version byte, id uint16, filter string, qos byte) []byte {
	body := append(binary.BigEndian.AppendUint16(nil, id), properties(version)...)
	return Frame(0x82, append(append(body, text(filter)...), qos))
}

// Publish is a PUBLISH packet; id is left out at QoS 0.
func Publish(version byte, id uint16, topic string, payload []byte, qos byte, retain bool) []byte {
	head := 0x30 | qos<<1
	if retain {
		head |= 1
	}
	body := text(topic)
	if qos > 0 {
		body = binary.BigEndian.AppendUint16(body, id)
	}
	body = append(body, properties(version)...)
	return Frame(head, append(body, payload...))
}

// Ack is a PUBACK packet.
func Ack(id uint16) []byte { return Frame(0x40, binary.BigEndian.AppendUint16(nil, id)) }

// Frame puts head and length before a body.
func Frame(head byte, body []byte) []byte {
	frame := []byte{head}
	length := len(body)
	for ; length > 127; length >>= 7 {
		frame = append(frame, byte(length)|128)
	}
	return append(append(frame, byte(length)), body...)
}

// Message reads a PUBLISH packet of a version; properties are skipped.
func (p Packet) Message(version byte) (m Message, err error) {
	m.QoS, m.Retain = p.Head>>1&3, p.Head&1 == 1
	rest := p.Body
	cut := func(n int) (part []byte) {
		if n > len(rest) {
			err = errors.New("PUBLISH packet is cut off")
			n = 0
		}
		part, rest = rest[:n], rest[n:]
		return part
	}
	if length := cut(2); err == nil {
		m.Topic = string(cut(int(binary.BigEndian.Uint16(length))))
	}
	if m.QoS > 0 {
		if id := cut(2); err == nil {
			m.ID = binary.BigEndian.Uint16(id)
		}
	}
	if version == 5 {
		if length := cut(1); err == nil {
			cut(int(length[0]))
		}
	}
	m.Payload = rest
	return m, err
}

func text(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// properties is an empty list of them, which MQTT 5 wants in most packets.
func properties(version byte) []byte {
	if version == 5 {
		return []byte{0}
	}
	return nil
}
