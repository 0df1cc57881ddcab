package mqtt_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// Whoever listens while the connection is cut again and again sees no topic go back to an older value, and
// no event before or after its turn. What was on its way in a cut may come twice, one after the other.
func TestNothingIsPublishedOutOfOrder(t *testing.T) {
	const changes, cuts, topics = 600, 3, 5
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/#")
	h := start(t, b, rooms(topics))
	w.Wait(goesOnline)
	for n := 1; n <= changes; n++ {
		h.Show(func(s gateway.State) gateway.State {
			s.Decided++
			s.Decisions = append(s.Decisions, gateway.Decision{Number: s.Decided, Kind: "test", What: fmt.Sprint(n)})
			s.Decisions = s.Decisions[max(0, len(s.Decisions)-gateway.MaxDecisions):]
			return warmed(s, n%topics, 20+float64(n)/100)
		})
		if n%(changes/cuts) == changes/cuts/2 {
			if !b.Kick("veilleuse") {
				t.Error("there was no connection to cut")
			}
			b.Welcome()
		}
		if n%(changes/cuts) == 0 { // through no connection but a new one
			waitForWarmth(t, b, n%topics, 20+float64(n)/100)
		}
	}
	newest, back, counted := map[string]float64{}, 0, 0
	w.Wait(func(m mqtttest.Message) bool {
		var page struct{ Number, Temperature float64 }
		if json.Unmarshal([]byte(m.Payload), &page) != nil {
			return false // status
		}
		counted++
		now := page.Temperature
		if m.Topic == "veilleuse/event" {
			now = page.Number
		}
		if now < newest[m.Topic] {
			back++
			t.Errorf("%s goes back from %v to %v", m.Topic, newest[m.Topic], now)
		}
		newest[m.Topic] = max(newest[m.Topic], now)
		return m.Topic == "veilleuse/event" && page.Number == changes
	})
	t.Logf("%d messages, %d out of order, %d cuts", counted, back, cuts)
}

// waitForWarmth waits until the broker holds that temperature of a room.
func waitForWarmth(t *testing.T, b *mqtttest.Broker, room int, celsius float64) {
	t.Helper()
	topic := "veilleuse/room/" + string(roomID(room))
	for late := time.Now().Add(mqtttest.Patience); ; time.Sleep(time.Millisecond) {
		var page struct{ Temperature float64 }
		if json.Unmarshal([]byte(b.Retained()[topic]), &page) == nil && page.Temperature == celsius {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%s shows %s, want %v °C", topic, b.Retained()[topic], celsius)
		}
	}
}

// After a cut everything is there again within five seconds, jitter included.
func TestBackWithinFiveSecondsOfACut(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	start(t, b, rooms(50))
	w.Wait(goesOnline)
	worst := time.Duration(0)
	for range 3 {
		began := time.Now()
		b.Kick("veilleuse")
		b.Welcome()
		w.Wait(func(m mqtttest.Message) bool { return m.Payload == "offline" })
		w.Wait(goesOnline)
		worst = max(worst, time.Since(began))
	}
	if worst > 5*time.Second {
		t.Errorf("it took %v", worst)
	}
	t.Logf("%v at worst", worst)
}

// A wish that the embedded broker does not pass on is told of with its text, like any other.
func TestAWishThatTheBrokerRefusesIsToldOf(t *testing.T) {
	var adapter *mqtt.Adapter
	b, err := broker.New("127.0.0.1:0", silent, broker.WithRefusals(func(topic string, payload []byte, why error) bool {
		return adapter.Refused(topic, payload, why)
	}))
	if err != nil {
		t.Fatal(err)
	}
	adapter = mqtt.New(mqtt.Options{Embedded: b, Log: silent})
	h := gatewaytest.Start(t, "mqtt", adapter, gatewaytest.From(oneRoom()))
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	w := pahoAt(t, url(b))
	w.Publish("veilleuse/room/r1/set", 1, true, `{"target":29}`).WaitTimeout(mqtttest.Patience)
	if got := gatewaytest.Wait[gateway.Wish](h, nil).Ask.(gateway.Refused); got.Text != `room/r1/set {"target":29}` || !strings.Contains(got.Why, "must not be retained") {
		t.Errorf("told %+v", got)
	}
	if adapter.Refused("elsewhere/set", nil, fmt.Errorf("x")) || adapter.Refused("veilleuse/room/r1", nil, fmt.Errorf("x")) {
		t.Error("what is no wish for us is taken")
	}
	if !adapter.Refused("veilleuse/room/r1/set", []byte(`{"target":30}`), fmt.Errorf("not for you")) {
		t.Error("a wish is not taken")
	}
	got := gatewaytest.Wait[gateway.Wish](h, nil)
	if want := (gateway.Refused{Text: `room/r1/set {"target":30}`, Why: "not for you"}); got.Ask != want {
		t.Errorf("told %+v, want %+v", got.Ask, want)
	}
}

// pahoAt is a client of the broker.
func pahoAt(t *testing.T, url string) paho.Client {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(url).SetClientID("somebody"))
	if token := c.Connect(); !token.WaitTimeout(mqtttest.Patience) || token.Error() != nil {
		t.Fatal("the broker does not answer")
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}
