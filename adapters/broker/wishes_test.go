package broker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

func TestRetainedWishesAreRefused(t *testing.T) {
	for _, version := range []byte{3, 4, 5} {
		for _, qos := range []byte{0, 1, 2} {
			t.Run(fmt.Sprintf("version %d QoS %d", version, qos), func(t *testing.T) {
				b := brokertest.Start(t)
				wishes := make(chan message, 10)
				if err := b.Subscribe("house/+/set", func(topic string, payload []byte, retained bool) {
					wishes <- message{topic, string(payload), retained}
				}); err != nil {
					t.Fatal(err)
				}
				p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "phone", Version: version})
				p.Publish("house/1/set", "stale", qos, true)
				if qos > 0 {
					acknowledged(t, p, version, qos)
				}
				p.Publish("house/1/set", "fresh", 0, false)
				if m := next(t, wishes); m != (message{"house/1/set", "fresh", false}) {
					t.Errorf("got %+v", m)
				}
				p.Publish("house/1", "state", 0, true)
				p.Ping()
				if n := b.Retained(); n != 1 {
					t.Errorf("%d messages are retained", n)
				}
			})
		}
	}
}

// acknowledged checks that a refused message does not come again: MQTT 5 is told, others believe it done.
func acknowledged(t *testing.T, p *brokertest.Peer, version, qos byte) {
	t.Helper()
	ack := p.Next()
	want := byte(0x40)
	if qos == 2 {
		want = 0x50
	}
	if ack.Head != want || ack.Body[1] != 1 {
		t.Fatalf("acknowledged with %+v", ack)
	}
	const notAuthorised = 0x87
	if told := len(ack.Body) > 2 && ack.Body[2] == notAuthorised; told != (version == 5 && qos == 1) {
		t.Errorf("the client was told: %v", told)
	}
}

func TestWishesCanBeNamed(t *testing.T) {
	b := brokertest.Start(t, broker.WithWishes(func(topic string) bool { return strings.HasPrefix(topic, "cmnd/") }))
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "phone"})
	p.Publish("cmnd/lamp", "on", 0, true)
	p.Publish("house/1/set", "21", 0, true)
	p.Ping()
	if n := b.Retained(); n != 1 {
		t.Errorf("%d messages are retained", n)
	}
}

func TestNoWishes(t *testing.T) {
	b := brokertest.Start(t, broker.WithWishes(nil))
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "phone"})
	p.Publish("house/1/set", "21", 0, true)
	p.Ping()
	if n := b.Retained(); n != 1 {
		t.Errorf("%d messages are retained", n)
	}
}

func TestWillsAreLookedAt(t *testing.T) {
	for name, row := range map[string]struct {
		will brokertest.Message
		code byte
		says byte // to MQTT 5
	}{
		"a state":             {brokertest.Message{Topic: "device/status", Retain: true}, 0, 0},
		"a wish":              {brokertest.Message{Topic: "device/set"}, 0, 0},
		"a retained wish":     {brokertest.Message{Topic: "device/set", Retain: true}, 5, 0x87},
		"a wildcard":          {brokertest.Message{Topic: "device/#"}, 5, 0x87},
		"what is not a topic": {brokertest.Message{Topic: "$SYS/broker/uptime"}, 5, 0x87},
		"a deep topic":        {brokertest.Message{Topic: strings.Repeat("a/", 100)}, 5, 0x87},
	} {
		t.Run(name, func(t *testing.T) {
			b := brokertest.Start(t)
			row.will.Payload = []byte("off")
			for version, want := range map[byte]byte{4: row.code, 5: row.says} {
				p := brokertest.Dial(t, b.Address())
				code := p.Introduce(brokertest.Connect{ID: "device", Version: version, Will: &row.will})
				if code != want {
					t.Errorf("MQTT %d: CONNACK says %#x, not %#x", version, code, want)
				}
				if code != 0 {
					p.AwaitEnd()
				}
			}
		})
	}
}

// A will must not be the way around the limit.
func TestWillsAreNotRetainedBeyondTheLimit(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Topics: 3}))
	got := listen(t, join(t, b, "good"), "status/#", 0)
	for i := range 6 {
		will := brokertest.Message{Topic: fmt.Sprint("status/", i), Payload: []byte("offline"), Retain: true}
		brokertest.Join(t, b.Address(), brokertest.Connect{ID: fmt.Sprint("device ", i), Will: &will}).Close()
		if i < 3 {
			next(t, got)
			continue
		}
	}
	if n := b.Retained(); n != 3 {
		t.Errorf("%d messages are retained", n)
	}
}
