package mqtt_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

// rooms is a house with n rooms.
func rooms(n int) gateway.State {
	s := oneRoom()
	for i := range n {
		s = warmed(s, i, 18)
	}
	return s
}

func roomID(i int) gateway.RoomID { return gateway.RoomID(fmt.Sprintf("room-%03d", i)) }

func warmed(s gateway.State, i int, celsius float64) gateway.State {
	s.Rooms = s.Rooms.With(roomID(i), gateway.Room{ID: roomID(i), Name: fmt.Sprint("Room ", i),
		Temperature: gateway.Measure{Quantity: gateway.Temperature, Value: gateway.Number(celsius)}})
	return s
}

func start(t *testing.T, b *mqtttest.Broker, s gateway.State) *gatewaytest.House {
	t.Helper()
	return gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Broker: b.URL(), Discovery: "homeassistant", Log: silent}), gatewaytest.From(s))
}

// isOnline is for a watcher that came late.
func isOnline(m mqtttest.Message) bool {
	return m.Topic == "veilleuse/status" && m.Payload == "online"
}

// goesOnline is for a watcher that was there before. A broker may give it the retained message as well.
func goesOnline(m mqtttest.Message) bool { return isOnline(m) && !m.Retained }

func TestOnlineMeansThatEverythingIsThere(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "#")
	start(t, b, rooms(100))
	w.Wait(goesOnline)
	all := w.Last()
	for i := range 100 {
		if topic := "veilleuse/room/" + string(roomID(i)); !strings.Contains(all[topic], `"temperature":18`) {
			t.Fatalf("online before %s: %q", topic, all[topic])
		}
	}
	for _, topic := range []string{"veilleuse/authority", "veilleuse/cloud", "veilleuse/alarm", "veilleuse/device/70-ee",
		"homeassistant/device/veilleuse/config", "homeassistant/device/veilleuse-room-r1/config", "homeassistant/device/veilleuse-device-70-ee/config"} {
		if all[topic] == "" {
			t.Errorf("online before %s", topic)
		}
	}
	if kept := b.Retained(); !maps.Equal(kept, all) {
		t.Errorf("%d topics are retained, %d were published", len(kept), len(all))
	}
}

func TestOnlyWhatChangesIsSentAndEventsAreNotRetained(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/#")
	h := start(t, b, rooms(20))
	w.Wait(goesOnline)
	h.Show(func(s gateway.State) gateway.State {
		s.Decided++
		s.Decisions = []gateway.Decision{{Number: s.Decided, Kind: "mode", What: "away", Why: "somebody asked"}}
		return warmed(s, 7, 21.5)
	})
	var got []string
	w.Wait(func(m mqtttest.Message) bool {
		if !m.Retained {
			got = append(got, m.Topic)
		}
		return m.Topic == "veilleuse/event"
	})
	if want := []string{"veilleuse/room/room-007", "veilleuse/event"}; !slices.Equal(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
	if _, kept := b.Retained()["veilleuse/event"]; kept {
		t.Error("an event is retained")
	}
}

// The trap that was measured in paho: after an outage 45 of 50 retained topics were stale.
func TestAfterAnOutageAnEmptiedBrokerShowsTheNewestOfEverything(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	h := start(t, b, rooms(50))
	w.Wait(goesOnline)

	b.Stop()
	for celsius := 19.0; celsius <= 24; celsius++ { // each topic changes several times meanwhile
		h.Show(func(s gateway.State) gateway.State {
			for i := range 50 {
				s = warmed(s, i, celsius)
			}
			return s
		})
	}
	h.Show(func(s gateway.State) gateway.State { // and one room goes for good
		s.Rooms = s.Rooms.Without(roomID(49))
		return s
	})
	failAttempts(t, b.Address(), 3) // it stays away for a while
	b.Restart()
	mqtttest.Watch(t, b, "veilleuse/status").Wait(isOnline)

	kept := b.Retained()
	for i := range 49 {
		if topic := "veilleuse/room/" + string(roomID(i)); !strings.Contains(kept[topic], `"temperature":24`) {
			t.Errorf("%s is stale: %s", topic, kept[topic])
		}
	}
	if text, ok := kept["veilleuse/room/room-049"]; ok {
		t.Errorf("a room that is gone shows %s", text)
	}
	if kept["homeassistant/device/veilleuse/config"] == "" || kept["veilleuse/authority"] == "" {
		t.Error("not everything was published again")
	}
	// It is alive, not merely caught up.
	again := mqtttest.Watch(t, b, "veilleuse/room/room-003")
	h.Show(func(s gateway.State) gateway.State { return warmed(s, 3, 12.5) })
	again.Wait(func(m mqtttest.Message) bool { return strings.Contains(m.Payload, `"temperature":12.5`) })
}

func TestABrokerThatComesLaterIsFound(t *testing.T) {
	b := mqtttest.Start(t)
	b.Stop()
	h := start(t, b, rooms(3))
	h.Show(func(s gateway.State) gateway.State { return warmed(s, 1, 22) })
	b.Restart()
	mqtttest.Watch(t, b, "veilleuse/status").Wait(isOnline)
	if got := b.Retained()["veilleuse/room/room-001"]; !strings.Contains(got, `"temperature":22`) {
		t.Errorf("got %s", got)
	}
}

func TestTheLastWillSaysOffline(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	start(t, b, rooms(1))
	w.Wait(goesOnline)
	if !b.Kick("veilleuse") {
		t.Fatal("the adapter is not there under its client id")
	}
	w.WaitFor("veilleuse/status", "offline")
	b.Welcome()
	w.Wait(goesOnline)
}

func TestHomieHasALastWillOfItsOwn(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "homie/#")
	h := gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Broker: b.URL(), Discovery: mqtt.Homie, Log: silent}), gatewaytest.From(rooms(1)))
	w.WaitFor("homie/5/veilleuse/$state", "ready")
	for !b.Kick("veilleuse-homie") { // it connects beside the first
		b.Welcome()
		time.Sleep(time.Millisecond)
	}
	w.WaitFor("homie/5/veilleuse/$state", "lost")
	w.WaitFor("homie/5/veilleuse/$state", "ready") // for we are still there
	b.Welcome()
	w.Say("homie/5/veilleuse-room-r1/thermostat/target/set", "21", false)
	if got := gatewaytest.Wait[gateway.Wish](h, nil); got.Ask != (gateway.SetTarget{Room: "r1", Target: 21}) {
		t.Errorf("a wish by Homie gives %+v", got)
	}
	w.Say("homie/5/veilleuse-room-r1/thermostat/target/set", "warm", false)
	if got := gatewaytest.Wait[gateway.Wish](h, nil); !strings.Contains(fmt.Sprint(got.Ask), "expected a number") {
		t.Errorf("a wish that is none gives %+v", got)
	}
	h.Stop()
	w.WaitFor("homie/5/veilleuse/$state", "disconnected")
}

func TestALastWillThatComesTooLateIsContradicted(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	start(t, b, rooms(1))
	w.Wait(goesOnline)
	for range 3 {
		w.Say("veilleuse/status", "offline", true)
		b.WaitRetained("veilleuse/status", "online")
	}
}

func TestACleanStopSaysOffline(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	h := start(t, b, rooms(1))
	w.Wait(goesOnline)
	h.Stop()
	w.WaitFor("veilleuse/status", "offline")
	if got := b.Retained()["veilleuse/status"]; got != "offline" {
		t.Errorf("retained is %q", got)
	}
}

func TestHomeAssistantsBirthBringsEverythingAgain(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "#")
	start(t, b, rooms(2))
	w.Wait(goesOnline)
	before := w.Last()
	w.Say("homeassistant/status", "online", false)
	seen := make(map[string]string)
	w.Wait(func(m mqtttest.Message) bool {
		if m.Topic != "homeassistant/status" && !m.Retained {
			seen[m.Topic] = m.Payload
		}
		return goesOnline(m)
	})
	if !maps.Equal(seen, before) {
		t.Errorf("%d topics come again of %d", len(seen), len(before))
	}
}

func TestWishesComeInTheOrderTheyWereMade(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	h := start(t, b, rooms(1))
	w.Wait(goesOnline)
	for i := range 100 {
		w.Say("veilleuse/room/r1/set", fmt.Sprintf(`{"target":%d,"for":"%dm"}`, 10+i%10, i+1), false)
	}
	for i := range 100 {
		got := gatewaytest.Wait[gateway.Wish](h, nil)
		want := gateway.SetTarget{Room: "r1", Target: float64(10 + i%10), For: time.Duration(i+1) * time.Minute}
		if got.Ask != want || got.By != "MQTT" {
			t.Fatalf("number %d is %+v, want %+v", i, got, want)
		}
	}
}

func TestWishesOverTheWire(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	h := start(t, b, rooms(1))
	w.Wait(goesOnline)
	refused := gateway.Refused{}
	for topic, test := range map[string]struct {
		wish string
		want gateway.Ask
	}{
		"home/set":       {`{"mode":"away"}`, gateway.SetMode{Mode: gateway.HomeAway}},
		"alarm/set":      {`{"hush":true}`, gateway.Hush{}},
		"room/r1/set":    {`{"target":35}`, refused},
		"device/xyz/set": {`{"siren":true}`, refused},
		"room/r2/set":    {strings.Repeat("x", 100_000), refused},
	} {
		w.Say("veilleuse/"+topic, test.wish, false)
		got := gatewaytest.Wait[gateway.Wish](h, nil)
		if _, isRefused := got.Ask.(gateway.Refused); test.want == refused && !isRefused || test.want != refused && got.Ask != test.want {
			t.Errorf("%s: got %+v, want %+v", topic, got.Ask, test.want)
		}
	}
}

func TestARetainedWishIsNotCarriedOutAfterARestart(t *testing.T) {
	b := mqtttest.Start(t)
	b.Publish("veilleuse/home/set", `{"mode":"away"}`, true)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	h := start(t, b, rooms(1))
	w.Wait(goesOnline)
	w.Say("veilleuse/alarm/set", `{"hush":true}`, false)
	for i, want := range []bool{true, false} { // first the retained one
		got := gatewaytest.Wait[gateway.Wish](h, nil)
		if r, refused := got.Ask.(gateway.Refused); refused != want || refused && !strings.Contains(r.Why, "retained") {
			t.Errorf("number %d: %+v", i, got)
		}
	}
}

// lines collects what is logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	new  chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.new <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) wait(t *testing.T, words string) {
	t.Helper()
	timeout := time.After(mqtttest.Patience)
	for !strings.Contains(l.String(), words) {
		select {
		case <-l.new:
		case <-timeout:
			t.Fatalf("%q is not logged:\n%s", words, l)
		}
	}
}

func TestEachChangeOfTheConnectionIsOneLine(t *testing.T) {
	b := mqtttest.Start(t)
	w := mqtttest.Watch(t, b, "veilleuse/status")
	log := &lines{new: make(chan struct{}, 1)}
	gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Broker: b.URL(), Log: slog.New(slog.NewTextHandler(log, nil))}), gatewaytest.From(rooms(1)))
	w.Wait(goesOnline)
	b.Stop()
	failAttempts(t, b.Address(), 3)
	b.Restart()
	mqtttest.Watch(t, b, "veilleuse/status").Wait(isOnline)
	log.wait(t, "MQTT broker is there")
	text := log.String()
	if there := strings.Count(text, "MQTT broker is there"); there != 2 {
		t.Errorf("%d times there", there)
	}
	said := make(map[string]bool)
	for line := range strings.Lines(text) {
		_, why, gone := strings.Cut(line, "MQTT broker is not there")
		if !gone {
			continue
		}
		why = strings.Map(withoutDigits, why) // each attempt has another port
		if said[why] {
			t.Errorf("an outage is told of twice for one reason:\n%s", text)
		}
		said[why] = true
	}
	if len(said) == 0 {
		t.Errorf("an outage is not told of:\n%s", text)
	}
}

func withoutDigits(r rune) rune {
	if unicode.IsDigit(r) {
		return -1
	}
	return r
}

// failAttempts hangs up on the next n who connect.
func failAttempts(t *testing.T, address string, n int) {
	t.Helper()
	var l net.Listener
	if err := loopback.Insist(func() (err error) { l, err = net.Listen("tcp", address); return err }); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(mqtttest.Patience))
	for range n {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
}

func TestContractRemote(t *testing.T) {
	b := mqtttest.Start(t)
	gatewaytest.Contract(t, "mqtt", func(t testing.TB) gateway.Adapter {
		return mqtt.New(mqtt.Options{Broker: b.URL(), Discovery: "homeassistant", Log: silent})
	})
}

func TestContractWithoutABroker(t *testing.T) {
	b := mqtttest.Start(t)
	b.Stop()
	gatewaytest.Contract(t, "mqtt", func(t testing.TB) gateway.Adapter {
		return mqtt.New(mqtt.Options{Broker: b.URL(), Log: silent})
	})
}
