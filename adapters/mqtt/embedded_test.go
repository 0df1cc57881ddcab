package mqtt_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

var silent = slog.New(slog.DiscardHandler)

// post is a message that the fake broker got.
type post struct {
	topic, payload string
	retain         bool
}

// fakeBroker is an embedded broker whose inside the test sees. It uses its buffers again, as a real one may.
type fakeBroker struct {
	mu       sync.Mutex
	posts    []post
	handlers map[string]func(string, []byte, bool)
	fail     error
	refused  string // topic that is never taken
}

func newFakeBroker() *fakeBroker {
	return &fakeBroker{handlers: make(map[string]func(string, []byte, bool))}
}

func (f *fakeBroker) Publish(topic string, payload []byte, retain bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if topic == f.refused {
		return errors.New("too much is retained already")
	}
	if f.fail == nil {
		f.posts = append(f.posts, post{topic, string(payload), retain})
	}
	return f.fail
}

func (f *fakeBroker) Subscribe(filter string, handler func(string, []byte, bool)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == nil {
		f.handlers[filter] = handler
	}
	return f.fail
}

func (f *fakeBroker) failWith(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// deliver hands a message to whoever subscribed to the filter.
func (f *fakeBroker) deliver(filter, topic, payload string, retained bool) {
	f.mu.Lock()
	handler := f.handlers[filter]
	f.mu.Unlock()
	buffer := []byte(payload)
	handler(topic, buffer, retained)
	for i := range buffer {
		buffer[i] = '!'
	}
}

// taken returns what was published since the last call.
func (f *fakeBroker) taken() []post {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.posts
	f.posts = nil
	return all
}

func topics(posts []post) string {
	var all []string
	for _, p := range posts {
		all = append(all, p.topic)
	}
	return strings.Join(all, " ")
}

// inBubble runs a house with an adapter on a fake broker, where time passes as fast as nothing happens.
func inBubble(t *testing.T, o mqtt.Options, test func(*testing.T, *fakeBroker, *gatewaytest.House)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeBroker()
		o.Embedded, o.Log = f, silent
		h := gatewaytest.Start(t, "mqtt", mqtt.New(o), gatewaytest.From(oneRoom()))
		synctest.Wait()
		test(t, f, h)
	})
}

// oneRoom is a house with one heated room and one device.
func oneRoom() gateway.State {
	var s gateway.State
	s.Home = gateway.Home{FrostGuard: 7, Maximum: 28}
	s.Rooms = s.Rooms.With("r1", gateway.Room{ID: "r1", Name: "Hall", Target: gateway.Aim{Value: gateway.Number(19), Mode: gateway.RoomSchedule}})
	s.Devices = s.Devices.With("70:ee", gateway.Device{ID: "70:ee", Name: "Station", Room: "r1"}.
		WithReading(gateway.Measure{Quantity: gateway.CO2, Value: gateway.Number(600), From: gateway.CloudAdapter}))
	return s
}

func warmer(celsius float64) func(gateway.State) gateway.State {
	return func(s gateway.State) gateway.State {
		r, _ := s.Rooms.Get("r1")
		r.Temperature = gateway.Measure{Quantity: gateway.Temperature, Value: gateway.Number(celsius)}
		s.Rooms = s.Rooms.With("r1", r)
		return s
	}
}

func TestEverythingIsPublishedThenOnlineThenOnlyChanges(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		all := f.taken()
		want := "veilleuse/authority veilleuse/cloud veilleuse/alarm veilleuse/home veilleuse/outage veilleuse/diagnostics veilleuse/room/r1 veilleuse/device/70-ee veilleuse/status"
		if got := topics(all); got != want {
			t.Errorf("first %s\nwant  %s", got, want)
		}
		if last := all[len(all)-1]; last.payload != "online" {
			t.Errorf("the last is %v", last)
		}
		for _, p := range all {
			if !p.retain {
				t.Errorf("%s is not retained", p.topic)
			}
		}
		h.Show(warmer(19.5))
		synctest.Wait()
		if got := f.taken(); len(got) != 1 || !strings.Contains(got[0].payload, `"temperature":19.5`) {
			t.Errorf("a changed room sends %v", got)
		}
		h.Show(warmer(19.5))
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if got := f.taken(); got != nil {
			t.Errorf("nothing new sends %v", got)
		}
		h.Stop()
		if got := f.taken(); len(got) != 1 || got[0] != (post{"veilleuse/status", "offline", true}) {
			t.Errorf("a clean stop sends %v", got)
		}
	})
}

func TestADecisionIsAnEventNotRetained(t *testing.T) {
	inBubble(t, mqtt.Options{Base: "my/home"}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.taken()
		h.Show(func(s gateway.State) gateway.State {
			s.Decided++
			s.Decisions = append(s.Decisions, gateway.Decision{Number: s.Decided, Kind: "mode", What: "away", Why: "somebody asked"})
			return s
		})
		synctest.Wait()
		want := post{"my/home/event", `{"number":1,"kind":"mode","what":"away","why":"somebody asked"}`, false}
		if got := f.taken(); len(got) != 1 || got[0] != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestHomeAssistantsBirthIsAnsweredWithEverything(t *testing.T) {
	inBubble(t, mqtt.Options{Discovery: "homeassistant"}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		all := topics(f.taken())
		for _, want := range []string{"homeassistant/device/veilleuse/config", "homeassistant/device/veilleuse-room-r1/config",
			"homeassistant/device/veilleuse-device-70-ee/config", "veilleuse/status"} {
			if !strings.Contains(all, want) {
				t.Errorf("%s is missing in %s", want, all)
			}
		}
		for range 2 { // it may be born twice
			f.deliver("homeassistant/status", "homeassistant/status", "online", false)
		}
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if got := f.taken(); got != nil {
			t.Errorf("answered without a pause: %v", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := topics(f.taken()); got != all {
			t.Errorf("answered with %s\nwant %s", got, all)
		}
		f.deliver("homeassistant/status", "homeassistant/status", "offline", false)
		f.deliver("homeassistant/status", "homeassistant/status", "online", true)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := f.taken(); got != nil {
			t.Errorf("neither its end nor an old birth is to be answered, got %v", got)
		}
	})
}

func TestARemovedDeviceIsTakenBack(t *testing.T) {
	inBubble(t, mqtt.Options{Discovery: "homeassistant"}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.taken()
		h.Show(func(s gateway.State) gateway.State { s.Devices = s.Devices.Without("70:ee"); return s })
		synctest.Wait()
		h.Show(func(s gateway.State) gateway.State { s.At = s.At.Add(time.Minute); return s })
		synctest.Wait()
		got := f.taken()
		got = slices.DeleteFunc(got, func(p post) bool { return p.topic == "veilleuse/diagnostics" })
		if topics(got) != "homeassistant/device/veilleuse-device-70-ee/config veilleuse/device/70-ee" {
			t.Errorf("got %v", got)
		}
		for _, p := range got {
			if p.payload != "" || !p.retain {
				t.Errorf("%v does not delete", p)
			}
		}
	})
}

func TestABrokerThatFailsIsTriedAgain(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.taken()
		f.failWith(errors.New("out of order"))
		h.Show(warmer(20))
		synctest.Wait()
		h.Show(warmer(21))
		time.Sleep(10 * time.Minute)
		f.failWith(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := f.taken(); len(got) != 1 || !strings.Contains(got[0].payload, `"temperature":21`) {
			t.Errorf("got %v, want the newest state once", got)
		}
	})
}

func TestOneTopicThatIsNotTakenDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeBroker()
		f.refused = "veilleuse/cloud"
		gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Embedded: f, Log: silent}), gatewaytest.From(oneRoom()))
		time.Sleep(time.Hour)
		synctest.Wait()
		want := "veilleuse/authority veilleuse/alarm veilleuse/home veilleuse/outage veilleuse/diagnostics veilleuse/room/r1 veilleuse/device/70-ee veilleuse/status"
		if got := topics(f.taken()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestWishesReachTheHouse(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.deliver("veilleuse/room/+/set", "veilleuse/room/r1/set", `{"target":21}`, false)
		got := gatewaytest.Wait[gateway.Wish](h, nil)
		if want := (gateway.Wish{By: "MQTT", Ask: gateway.SetTarget{Room: "r1", Target: 21}}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		f.deliver("veilleuse/room/+/set", "veilleuse/room/r1/set", `{"target":99}`, false)
		got = gatewaytest.Wait[gateway.Wish](h, nil)
		if refused, ok := got.Ask.(gateway.Refused); !ok || got.By != "MQTT" || refused.Text != `room/r1/set {"target":99}` {
			t.Errorf("got %+v", got)
		}
	})
}

// wishes returns those posted so far.
func wishes(h *gatewaytest.House) (all []gateway.Wish) {
	for {
		select {
		case e := <-h.Facts():
			if w, ok := e.Fact.(gateway.Wish); ok {
				all = append(all, w)
			}
		default:
			return all
		}
	}
}

func TestARetainedWishIsRefusedOnce(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		say := func(payload string) int {
			f.deliver("veilleuse/alarm/set", "veilleuse/alarm/set", payload, true)
			synctest.Wait()
			all := wishes(h)
			for _, w := range all {
				if _, ok := w.Ask.(gateway.Refused); !ok {
					t.Errorf("it came true: %+v", w)
				}
			}
			return len(all)
		}
		for i, want := range []int{1, 0, 0} {
			if got := say(`{"hush":true}`); got != want {
				t.Errorf("time %d: refused %d times, want %d", i, got, want)
			}
		}
		if got := say(`{"hush":false}`); got != 1 {
			t.Errorf("another one is refused %d times, want once", got)
		}
	})
}

func TestAnEmptyMessageIsNoWish(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.deliver("veilleuse/alarm/set", "veilleuse/alarm/set", "", false)
		synctest.Wait()
		if got := wishes(h); got != nil {
			t.Errorf("got %v", got)
		}
	})
}

func TestAFloodOfBadWishesIsCut(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		for range 40 {
			for range 25 {
				f.deliver("veilleuse/room/+/set", "veilleuse/room/r1/set", `rubbish`, false)
			}
			synctest.Wait()
		}
		if got := len(wishes(h)); got != 100 {
			t.Errorf("%d of 1000 refusals in an instant are shown, want 100", got)
		}
		f.deliver("veilleuse/room/+/set", "veilleuse/room/r1/set", `{"target":21}`, false)
		synctest.Wait()
		if got := wishes(h); len(got) != 1 || got[0].Ask != (gateway.SetTarget{Room: "r1", Target: 21}) {
			t.Errorf("a good wish among them becomes %v", got)
		}
		time.Sleep(time.Second)
		f.deliver("veilleuse/room/+/set", "veilleuse/room/r1/set", `rubbish`, false)
		synctest.Wait()
		got := wishes(h)
		if len(got) != 1 || !strings.Contains(got[0].Ask.(gateway.Refused).Why, "(900 others were refused") {
			t.Errorf("later: %v", got)
		}
	})
}

func TestMessagesThatCannotBeReadInTimeAreCounted(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		release := make(chan struct{})
		go h.Show(func(s gateway.State) gateway.State { <-release; return s }) // the house stands still
		synctest.Wait()
		for range 1000 { // the broker must not be held up by that
			f.deliver("veilleuse/alarm/set", "veilleuse/alarm/set", `{"hush":true}`, false)
		}
		close(release)
		synctest.Wait()
		hushes, lost := 0, false
		for _, w := range wishes(h) {
			switch a := w.Ask.(type) {
			case gateway.Hush:
				hushes++
			case gateway.Refused:
				lost = strings.Contains(a.Text, "messages") && strings.Contains(a.Why, "faster")
			}
		}
		if hushes < 256 || hushes == 1000 || !lost {
			t.Errorf("%d of 1000 arrived, loss was told: %v", hushes, lost)
		}
	})
}

func TestACommandIsAnsweredForGood(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		id := h.Send(gateway.Command{Point: gateway.Point{Adapter: "mqtt", Of: "x", Quantity: gateway.On}})
		got := gatewaytest.Wait[gateway.Outcome](h, nil)
		if got.ID != id || got.Err == "" || !got.Final {
			t.Errorf("got %+v", got)
		}
	})
}

func TestWrongOptionsEndTheRunWithAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Broker: "http://example.org", Log: silent}))
		got := gatewaytest.Wait(h, func(f gateway.Health) bool { return !f.Up })
		if !strings.Contains(got.Why, "mqtt.broker") {
			t.Errorf("got %q", got.Why)
		}
	})
}

func TestContractEmbedded(t *testing.T) {
	gatewaytest.Contract(t, "mqtt", func(testing.TB) gateway.Adapter {
		return mqtt.New(mqtt.Options{Embedded: newFakeBroker(), Discovery: "homeassistant", Log: silent})
	})
}
