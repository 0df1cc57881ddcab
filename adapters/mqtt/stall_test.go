package mqtt_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// sloth is a broker that greets its first guest and then reads nothing any more. Later guests are served
// well enough.
type sloth struct {
	net.Listener
	topics  chan string // what later guests publish
	greeted chan struct{}
}

func newSloth(t *testing.T) *sloth {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sloth{l, make(chan string, 100_000), make(chan struct{})}
	t.Cleanup(func() { l.Close() })
	go s.serve()
	return s
}

func (s *sloth) serve() {
	asleep, err := s.Accept()
	if err != nil {
		return
	}
	defer asleep.Close()
	asleep.(*net.TCPConn).SetReadBuffer(4096)
	if _, err := packets.ReadPacket(asleep); err != nil {
		return
	}
	packets.NewControlPacket(packets.Connack).Write(asleep)
	close(s.greeted)
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		go s.attend(c)
	}
}

func (s *sloth) attend(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		p, err := packets.ReadPacket(r)
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *packets.ConnectPacket:
			packets.NewControlPacket(packets.Connack).Write(c)
		case *packets.PublishPacket:
			s.topics <- p.TopicName + " " + string(p.Payload)
			if p.Qos == 1 {
				ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
				ack.MessageID = p.MessageID
				ack.Write(c)
			}
		}
	}
}

// talkative is a house with more to say than any socket can hold back.
func talkative(target float64) gateway.State {
	s := oneRoom()
	why := strings.Repeat("because ", 8<<10)
	for i := range 300 {
		s.Rooms = s.Rooms.With(roomID(i), gateway.Room{ID: roomID(i),
			Target: gateway.Aim{Value: gateway.Number(target), Mode: gateway.RoomManual, Why: why}})
	}
	return s
}

func TestABrokerThatStopsReadingIsLeftAndTheNewestIsSent(t *testing.T) {
	t.Parallel() // it waits most of the time
	broker := newSloth(t)
	h := gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Broker: "mqtt://" + broker.Addr().String(), Log: silent}), gatewaytest.From(talkative(19)))
	<-broker.greeted
	h.Show(func(gateway.State) gateway.State { return talkative(21) })
	newest := make(map[string]bool)
	deadline := time.After(9 * mqtttest.Patience) // twenty megabytes are under way
	for {
		select {
		case seen := <-broker.topics:
			topic, text, _ := strings.Cut(seen, " ")
			newest[topic] = strings.Contains(text, `"target":21`)
			if topic == "veilleuse/status" {
				for i := range 300 {
					if topic := "veilleuse/room/" + string(roomID(i)); !newest[topic] {
						t.Errorf("%s is missing or stale", topic)
					}
				}
				return
			}
		case <-deadline:
			t.Fatal("the adapter waits for a broker that reads nothing")
		}
	}
}

func TestTheAdapterEndsSoonWhileABrokerStands(t *testing.T) {
	broker := newSloth(t)
	h := gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Broker: "mqtt://" + broker.Addr().String(), Log: silent}), gatewaytest.From(talkative(19)))
	<-broker.greeted
	for i := range 3 { // it takes changes and messages at once although nobody reads what it sends
		h.Show(func(gateway.State) gateway.State { return talkative(float64(i)) })
		h.Send(gateway.Command{Point: gateway.Point{Adapter: "mqtt"}})
		gatewaytest.Wait[gateway.Outcome](h, nil)
	}
	told := time.Now()
	h.Stop()
	if took := time.Since(told); took > 3*time.Second { // a second is the promise; a busy machine gets more
		t.Errorf("it took %v", took)
	}
}

func TestTheAdapterEndsSoonWhileABrokerSaysNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	met := make(chan net.Conn, 8)
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			met <- c
		}
	}()
	h := gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Broker: "mqtt://" + l.Addr().String(), Log: silent}))
	c := <-met
	told := time.Now()
	h.Stop()
	if took := time.Since(told); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	c.SetDeadline(time.Now().Add(mqtttest.Patience))
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("the connection stays: %v", err)
	}
}
