package brokertest

import (
	"bytes"
	"testing"
)

func TestFrame(t *testing.T) {
	for length, head := range map[int]string{0: "\x10\x00", 127: "\x10\x7f", 128: "\x10\x80\x01", 16384: "\x10\x80\x80\x01"} {
		frame := Frame(0x10, make([]byte, length))
		if !bytes.HasPrefix(frame, []byte(head)) || len(frame) != len(head)+length {
			t.Errorf("%d bytes begin with %x", length, frame[:4])
		}
	}
}

func TestConnectBytes(t *testing.T) {
	will := &Message{Topic: "t", Payload: []byte("w"), QoS: 1, Retain: true}
	for want, c := range map[string]Connect{
		"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a":                         {ID: "a"},
		"\x10\x0f\x00\x06MQIsdp\x03\x00\x00\x3c\x00\x01a":                       {ID: "a", Version: 3, Resume: true, KeepAlive: 60},
		"\x10\x13\x00\x04MQTT\x05\x02\x00\x00\x05\x11\x00\x00\x00\x09\x00\x01a": {ID: "a", Version: 5, Remember: 9},
		"\x10\x13\x00\x04MQTT\x04\xc2\x00\x00\x00\x01a\x00\x01u\x00\x01p":       {ID: "a", User: "u", Password: "p"},
		"\x10\x13\x00\x04MQTT\x04\x2e\x00\x00\x00\x01a\x00\x01t\x00\x01w":       {ID: "a", Will: will},
	} {
		if got := string(c.Bytes()); got != want {
			t.Errorf("%+v\nis  %q,\nnot %q", c, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	for _, version := range []byte{3, 4, 5} {
		for qos := range byte(3) {
			raw := Publish(version, 7, "a/b", []byte("hello"), qos, qos == 1)
			m, err := Packet{raw[0], raw[2:]}.Message(version)
			if err != nil || m.Topic != "a/b" || string(m.Payload) != "hello" || m.QoS != qos || m.Retain != (qos == 1) {
				t.Errorf("version %d: %+v, %v", version, m, err)
			}
			if (m.ID == 7) != (qos > 0) {
				t.Errorf("version %d, QoS %d: id %d", version, qos, m.ID)
			}
		}
	}
}

// FuzzMessage reads anything without a crash.
func FuzzMessage(f *testing.F) {
	f.Add(byte(5), byte(0x32), []byte("\x00\x01a\x00\x01\x00x"))
	f.Add(byte(4), byte(0x30), []byte("\x00\x09a"))
	f.Add(byte(5), byte(0x32), []byte("\x00\x01a"))
	f.Fuzz(func(t *testing.T, version, head byte, body []byte) {
		m, err := Packet{head, body}.Message(version)
		if err == nil && len(m.Topic)+len(m.Payload) > len(body) {
			t.Errorf("%+v out of %x", m, body)
		}
	})
}
