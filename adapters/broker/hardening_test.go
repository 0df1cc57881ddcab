package broker_test

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// One test for each way in which a broker was seen to fail its house.

// A subscriber that stops reading is cut off, which its will tells; the publisher goes on, and the others
// miss nothing. With mochi's defaults the publisher stands still for good at QoS 1.
func TestStalledSubscriberCostsOthersNothing(t *testing.T) {
	for _, qos := range []byte{0, 1} {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			const messages, ahead = 1500, 200
			b := brokertest.Start(t)
			good := join(t, b, "good")
			gone := listen(t, good, "stalled/status", 0)
			got := listen(t, good, "burst", qos)
			stalled := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "stalled",
				Will: &brokertest.Message{Topic: "stalled/status", Payload: []byte("offline")}})
			stalled.TakeLittle()
			stalled.Subscribe("burst", qos)

			// One alone would be slowed as a flood for a quarter of a minute; two are for longer than the stalled one is waited for.
			publishers := [...]paho.Client{join(t, b, "publisher"), join(t, b, "another publisher")}
			payload := bytes.Repeat([]byte{'x'}, 16<<10)
			var worst time.Duration
			for i := range messages {
				began := time.Now()
				finish(t, publishers[i%len(publishers)].Publish("burst", qos, false, payload))
				worst = max(worst, time.Since(began))
				if i >= ahead {
					next(t, got)
				}
			}
			for range ahead {
				next(t, got)
			}
			if m := next(t, gone); m.payload != "offline" {
				t.Errorf("the will says %q", m.payload)
			}
			t.Logf("%d of %d messages; the publisher waited %v at worst", messages, messages, worst)
		})
	}
}

// The process itself never waits for a client, not even for those two seconds.
func TestStalledSubscriberDoesNotHoldUpTheHouse(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Patience: time.Hour}))
	stalled := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "stalled"})
	stalled.TakeLittle()
	stalled.Subscribe("state/#", 1)
	payload := make([]byte, 16<<10)
	done := make(chan error, 1)
	go func() {
		for i := range 5000 { // 80 MB, more than any socket takes
			if err := b.Publish(fmt.Sprint("state/", i%100), payload, true); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(deadline):
		t.Fatal("Publish waits for a client")
	}
}

func TestSilentConnectionsAreDropped(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Introduction: 300 * time.Millisecond, Waiting: 100}))
	half := brokertest.Connect{ID: "slow"}.Bytes()
	for _, says := range []string{"", string(half[:1]), string(half[:len(half)-1])} {
		for range 20 {
			brokertest.Dial(t, b.Address()).Send([]byte(says))
		}
	}
	last := brokertest.Dial(t, b.Address())
	last.AwaitEnd()
	eventually(t, "all silent connections are gone", func() bool {
		waiting, inside := b.Connections()
		return waiting+inside == 0
	})
}

func TestStrangersAreSentAwayAtOnce(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Introduction: time.Hour}))
	for name, says := range map[string]string{
		"HTTP":                      "POST / HTTP/1.1\r\n",
		"a PUBLISH before CONNECT":  string(brokertest.Publish(4, 0, "a", []byte("b"), 0, false)),
		"a CONNECT without an end":  "\x10\xff\xff\xff\xff\xff",
		"a CONNECT that is too big": "\x10\xff\xff\x7f",
		"MQTT 9":                    "\x10\x0d\x00\x04MQTT\x09\x02\x00\x00\x00\x01a",
	} {
		t.Run(name, func(t *testing.T) {
			p := brokertest.Dial(t, b.Address())
			p.Send([]byte(says))
			p.AwaitEnd()
		})
	}
}

// When too many wait, the oldest goes: whoever introduces itself at once always gets in.
func TestConnectionsAreLimited(t *testing.T) {
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Introduction: time.Hour, Waiting: 8}))
	first := brokertest.Dial(t, b.Address())
	for range 40 {
		brokertest.Dial(t, b.Address())
	}
	first.AwaitEnd()
	join(t, b, "in time")
	eventually(t, "only eight wait", func() bool {
		waiting, inside := b.Connections()
		return waiting <= 8 && inside == 1
	})
}

// Mochi's defaults delete retained messages after 24 hours.
func TestRetainedMessagesStay(t *testing.T) {
	b := brokertest.Start(t)
	publisher := join(t, b, "publisher")
	finish(t, publisher.Publish("by/client", 1, true, "kept"))
	if err := b.Publish("by/house", []byte("kept"), true); err != nil {
		t.Fatal(err)
	}
	b.Sweep(time.Now().Add(400 * 24 * time.Hour))
	got := listen(t, join(t, b, "late"), "by/#", 0)
	for range 2 {
		if m := next(t, got); m.payload != "kept" || !m.retained {
			t.Errorf("got %+v", m)
		}
	}
}

// MQTT 5 clients may say when a message is to vanish, though.
func TestRetainedMessagesVanishOnRequest(t *testing.T) {
	b := brokertest.Start(t)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "p", Version: 5})
	const expiresIn9s = "\x05\x02\x00\x00\x00\x09"
	p.Send(brokertest.Frame(0x31, []byte("\x00\x05brief"+expiresIn9s+"on fire")))
	p.Ping()
	b.Sweep(time.Now())
	if b.Retained() != 1 {
		t.Fatal("the message is not retained")
	}
	b.Sweep(time.Now().Add(time.Minute))
	if b.Retained() != 0 {
		t.Error("the message has not vanished")
	}
}

// There is no store: what a publisher says before clients can come is there when they do, after a
// restart, too. After a crash nothing is, so publishers publish everything at start.
func TestRestartKeepsWhatIsInMemory(t *testing.T) {
	b := brokertest.New(t, "127.0.0.1:0")
	for i := range 300 {
		if err := b.Publish(fmt.Sprint("room/", i), []byte("early"), true); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
		got := listen(t, join(t, b, "late"), "room/#", 0)
		for range 300 {
			next(t, got)
		}
		b.Stop()
	}
}

// Mochi's bolt hook writes 3.6 GB a day while idle, so no storage hook may come near this package.
func TestNothingIsStored(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no source found", err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if strings.Contains(i.Path.Value, "/hooks") || strings.Contains(i.Path.Value, "bbolt") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}

// A subscriber's queue has room for everything that can be retained, twice.
func TestNewSubscriberGetsEverythingRetained(t *testing.T) {
	topics, queue, _ := broker.UsualLimits()
	if queue < 2*topics {
		t.Fatalf("a queue of %d is too short for %d retained topics", queue, topics)
	}
	b := brokertest.Start(t)
	for i := range topics {
		if err := b.Publish(fmt.Sprint("t/", i), []byte("state"), true); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	got := listen(t, join(t, b, "new"), "t/#", 1)
	for len(seen) < topics {
		seen[next(t, got).topic] = true
	}
}

// Mochi's $SYS messages stop the world each second to measure it.
func TestNoSysTopics(t *testing.T) {
	b := brokertest.Start(t)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "curious"})
	p.Subscribe("$SYS/#", 0)
	p.Ping()
	if n := b.Retained(); n != 0 {
		t.Errorf("%d topics are retained", n)
	}
}

// With a keep-alive time of 43691 s and more, mochi's deadline overflows to the past.
func TestLongKeepAlive(t *testing.T) {
	b := brokertest.Start(t)
	for _, seconds := range []uint16{0, 43690, 43691, 65535} {
		brokertest.Join(t, b.Address(), brokertest.Connect{ID: fmt.Sprint(seconds), KeepAlive: seconds}).Ping()
	}
}

func TestSilentClientIsGivenUp(t *testing.T) {
	b := brokertest.Start(t)
	gone := listen(t, join(t, b, "good"), "status", 0)
	brokertest.Join(t, b.Address(), brokertest.Connect{ID: "silent", KeepAlive: 1,
		Will: &brokertest.Message{Topic: "status", Payload: []byte("offline")}})
	next(t, gone)
}

// A client that is half gone in the middle of a packet takes nothing with it.
func TestHalfPackets(t *testing.T) {
	b := brokertest.Start(t)
	all := listen(t, join(t, b, "good"), "#", 0)
	whole := brokertest.Publish(4, 7, "a/topic", []byte("payload"), 1, true)
	for cut := 1; cut < len(whole); cut++ {
		p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: fmt.Sprint("half ", cut)})
		p.Send(whole[:cut])
		if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, p)
	}
	if err := b.Publish("whole", nil, false); err != nil {
		t.Fatal(err)
	}
	if m := next(t, all); m.topic != "whole" {
		t.Errorf("got %+v", m)
	}
}
