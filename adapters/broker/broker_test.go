package broker_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

// What users of the broker within the process ask of it.
var _ interface {
	Publish(topic string, payload []byte, retain bool) error
	Subscribe(filter string, handler func(topic string, payload []byte, retained bool)) error
	Run(ctx context.Context) error
} = (*broker.Broker)(nil)

func TestNewFindsFault(t *testing.T) {
	hash := map[string]string{"anna": quickHash(t, "secret")}
	for name, row := range map[string]struct {
		listen  string
		options []broker.Option
		says    string
	}{
		"no port":                 {"127.0.0.1", nil, `"127.0.0.1": this is not host:port`},
		"port out of range":       {"127.0.0.1:99999", nil, "a number from 0 to 65535"},
		"port by name":            {"127.0.0.1:mqtt", nil, "a number from 0 to 65535"},
		"all interfaces":          {":1883", nil, "needs users with passwords"},
		"all IPv4 interfaces":     {"0.0.0.0:1883", nil, "needs users with passwords"},
		"the LAN":                 {"192.168.1.2:1883", nil, "needs users with passwords"},
		"a name":                  {"raspberrypi:1883", nil, "needs users with passwords"},
		"no users after all":      {":1883", []broker.Option{broker.WithUsers(nil)}, "no users"},
		"a password, not hashed":  {":1883", []broker.Option{broker.WithUsers(map[string]string{"anna": "secret"})}, `user "anna"`},
		"a user without a name":   {":1883", []broker.Option{broker.WithUsers(map[string]string{"": hash["anna"]})}, "a name"},
		"TLS without certificate": {"127.0.0.1:0", []broker.Option{broker.WithTLS(&tls.Config{})}, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := broker.New(row.listen, slog.New(slog.DiscardHandler), row.options...)
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Fatalf("got %v, not a word of %q", err, row.says)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Error("the error tells a password")
			}
		})
	}
	for _, listen := range []string{"127.0.0.1:0", "127.9.9.9:1883", "localhost:1883", "[::1]:1883", "[::ffff:127.0.0.1]:0"} {
		if _, err := broker.New(listen, slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	}
	if _, err := broker.New(":1883", slog.New(slog.DiscardHandler), broker.WithUsers(hash)); err != nil {
		t.Error(err)
	}
}

func TestStartSaysWhyItCannotListen(t *testing.T) {
	first := brokertest.Start(t)
	second := brokertest.New(t, first.Address())
	for range 2 {
		err := second.Start()
		if err == nil || !strings.Contains(err.Error(), "another program listens there") {
			t.Fatalf("got %v", err)
		}
	}
	if err := second.Run(t.Context()); err == nil {
		t.Error("Run took an address that is in use")
	}
	join(t, first, "not disturbed")
	if err := first.Start(); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("started twice: %v", err)
	}
	first.Stop()
	if err := loopback.Insist(second.Start); err != nil { // another process may sit on it for a moment
		t.Errorf("the address is free again, but: %v", err)
	}
	second.Stop()
	hash := quickHash(t, "x")
	elsewhere := brokertest.New(t, "192.0.2.1:1883", broker.WithUsers(map[string]string{"a": hash}))
	if err := elsewhere.Start(); err == nil || !strings.Contains(err.Error(), "no such address") {
		t.Errorf("got %v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	b := brokertest.New(t, "127.0.0.1:0")
	if b.Address() != "" {
		t.Error("it has an address before it runs")
	}
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx) }()
		eventually(t, "it listens", func() bool { return b.Address() != "" })
		stalled := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "stalled"})
		stalled.TakeLittle()
		stalled.Subscribe("#", 1)
		for range 3000 {
			if err := b.Publish("a", make([]byte, 16<<10), false); err != nil {
				t.Fatal(err)
			}
		}
		brokertest.Dial(t, b.Address())
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(deadline):
			t.Fatal("Run does not end")
		}
		eventually(t, "no goroutine is left", func() bool { return len(goroutines()) == 0 })
	}
	b.Stop() // once more, for nothing
}

func TestWithinTheProcess(t *testing.T) {
	b := brokertest.New(t, "127.0.0.1:0")
	if err := b.Publish("room/1", []byte("19.5"), true); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish("event", []byte("nobody hears it"), false); err != nil {
		t.Fatal(err)
	}
	got := make(chan message, 100)
	if err := b.Subscribe("#", func(topic string, payload []byte, retained bool) {
		got <- message{topic, string(payload), retained}
	}); err != nil {
		t.Fatal(err)
	}
	if m := next(t, got); m != (message{"room/1", "19.5", true}) {
		t.Errorf("got %+v", m)
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	if err := b.Publish("$internal/x", []byte("not for #"), false); err != nil {
		t.Fatal(err)
	}
	finish(t, join(t, b, "phone").Publish("room/1/target", 1, true, "21"))
	if m := next(t, got); m != (message{"room/1/target", "21", false}) {
		t.Errorf("got %+v", m)
	}
	payload := []byte("20.0")
	if err := b.Publish("room/1", payload, true); err != nil {
		t.Fatal(err)
	}
	copy(payload, "gone")
	if m := next(t, got); m != (message{"room/1", "20.0", false}) {
		t.Errorf("got %+v", m)
	}
	late := listen(t, join(t, b, "late"), "room/1", 0)
	if m := next(t, late); m.payload != "20.0" {
		t.Errorf("the payload was not copied: %+v", m)
	}
}

// A handler may answer with a message of its own.
func TestHandlerMayPublish(t *testing.T) {
	b := brokertest.Start(t)
	if err := b.Subscribe("ask/+", func(topic string, payload []byte, _ bool) {
		if err := b.Publish("answer/"+topic, payload, true); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	c := join(t, b, "c")
	got := listen(t, c, "answer/#", 0)
	finish(t, c.Publish("ask/1", 1, false, "?"))
	if m := next(t, got); m.topic != "answer/ask/1" || m.payload != "?" {
		t.Errorf("got %+v", m)
	}
}

func TestBadTopicsWithinTheProcess(t *testing.T) {
	b := brokertest.New(t, "127.0.0.1:0")
	for _, topic := range []string{"", "a/+", "#", "a\x00b", "\xff", strings.Repeat("a", 2000), strings.Repeat("/", 40)} {
		if err := b.Publish(topic, nil, false); err == nil {
			t.Errorf("published to %.20q", topic)
		}
	}
	ignore := func(string, []byte, bool) {}
	for _, filter := range []string{"", "a/#/b", "a#", "+a", "a/b+", "\xff", strings.Repeat("/", 40)} {
		if err := b.Subscribe(filter, ignore); err == nil {
			t.Errorf("subscribed to %.20q", filter)
		}
	}
	if err := b.Subscribe("a", nil); err == nil {
		t.Error("subscribed with nothing")
	}
	for _, filter := range []string{"#", "+", "a/+/b/#", "/", "$SYS/x"} {
		if err := b.Subscribe(filter, ignore); err != nil {
			t.Error(err)
		}
	}
}

// All at once, from all sides: for the race detector.
func TestManyAtOnce(t *testing.T) {
	b := brokertest.Start(t)
	var work sync.WaitGroup
	heard := make(chan message, 10000)
	if err := b.Subscribe("client/#", func(topic string, _ []byte, _ bool) { heard <- message{topic: topic} }); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		work.Go(func() {
			c := join(t, b, fmt.Sprint("client ", i))
			got := listen(t, c, "house/#", byte(i%3))
			for n := range 20 {
				finish(t, c.Publish(fmt.Sprintf("client/%d/%d", i, n), byte(i%3), n%2 == 0, "x"))
			}
			// TCP throws away what it has not sent when a client leaves without having read everything.
			finish(t, c.Publish("last/word", 1, false, "all has arrived"))
			next(t, got)
			c.Disconnect(10)
		})
		work.Go(func() {
			for n := range 100 {
				if err := b.Publish(fmt.Sprintf("house/%d/%d", i, n), []byte("y"), true); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	for range 8 * 20 {
		next(t, heard)
	}
}

// Messages that are queued when the broker stops still go out, then clients are told.
func TestStopTakesLeave(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Parting: deadline})) // a busy machine may need more than usual
	lost := make(chan error, 1)
	c := join(t, b, "subscriber", func(o *paho.ClientOptions) {
		o.SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
	})
	got := listen(t, c, "#", 1)
	five := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "five", Version: 5})
	five.Subscribe("#", 1)
	const messages = 500
	for i := range messages {
		if err := b.Publish(fmt.Sprint("last/", i), []byte("words"), true); err != nil {
			t.Fatal(err)
		}
	}
	b.Stop()
	for i := range messages {
		if m := next(t, got); m.topic != fmt.Sprint("last/", i) {
			t.Fatalf("message %d is %+v", i, m)
		}
		five.NextMessage()
	}
	const shuttingDown = 0x8b
	if p := five.Next(); p.Head != 0xe0 || len(p.Body) == 0 || p.Body[0] != shuttingDown {
		t.Errorf("MQTT 5 is told %+v", p)
	}
	five.AwaitEnd()
	select {
	case <-lost:
	case <-time.After(deadline):
		t.Error("the client was not told")
	}
	select {
	case m := <-got:
		t.Errorf("the client got %+v", m)
	default:
	}
}

func TestStopForgetsNobody(t *testing.T) {
	b := brokertest.Start(t)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "faithful", Resume: true})
	p.Subscribe("a", 1)
	b.Stop()
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	finish(t, join(t, b, "publisher").Publish("a", 1, false, "meanwhile"))
	p = brokertest.Join(t, b.Address(), brokertest.Connect{ID: "faithful", Resume: true})
	if _, payload := p.NextMessage(); payload != "meanwhile" {
		t.Errorf("got %q", payload)
	}
}

func TestAddressIsTheRealOne(t *testing.T) {
	b := brokertest.Start(t)
	_, port, err := net.SplitHostPort(b.Address())
	if err != nil || port == "0" {
		t.Errorf("address %q: %v", b.Address(), err)
	}
}
