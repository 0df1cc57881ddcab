package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// cellar is a house without a cloud: one room, one thermometer, one relay that does what it is told and ends
// its lease.
type cellar struct {
	t       *testing.T
	step    gateway.Step
	state   gateway.State
	now     time.Time
	on      bool
	until   time.Time // when the relay switches off by itself
	orders  []gateway.Command
	watched time.Duration // that the relay was on
}

func newCellar(t *testing.T, step gateway.Step, circuit gateway.Circuit) *cellar {
	c := &cellar{t: t, step: step, now: time.Date(2025, 1, 10, 12, 0, 0, 0, time.UTC)}
	c.state.Home.FrostGuard, c.state.Home.Maximum = 7, 28
	c.take("clock", gateway.Clock{Trust: gateway.TrustSynced})
	c.take(gateway.MQTTAdapter, gateway.Found{Device: "boiler", Name: "Boiler", Circuit: &circuit, Controls: []gateway.Control{{Quantity: gateway.Relay}}})
	c.take(gateway.MQTTAdapter, gateway.Found{Device: "t1", Name: "Thermometer", RoomName: "Cellar"})
	c.show(false)
	return c
}

func boiler(rooms ...string) gateway.Circuit {
	return gateway.Circuit{Rooms: rooms, Heats: gateway.HeatsBoiler, Lease: 15 * time.Minute}
}

func (c *cellar) take(from string, f gateway.Fact) {
	c.t.Helper()
	next, commands := c.step(c.state, gateway.Event{At: c.now, From: from, Fact: f})
	c.state = next
	for _, o := range commands {
		c.orders = append(c.orders, o)
		c.until = o.Until
		c.show(o.Value.Yes())
	}
}

func (c *cellar) show(on bool) {
	c.on = on
	c.take(gateway.MQTTAdapter, gateway.Reading{Device: "boiler", Quantity: gateway.Relay, Value: gateway.Flag(on)})
}

func (c *cellar) measure(celsius float64) {
	c.take(gateway.MQTTAdapter, gateway.Reading{Device: "t1", Quantity: gateway.Temperature, Value: gateway.Number(celsius)})
}

// live lets time pass in ticks, with a reading every five minutes.
func (c *cellar) live(length time.Duration, celsius func() float64) {
	for end, next := c.now.Add(length), c.now; c.now.Before(end); c.now = c.now.Add(10 * time.Second) {
		if !c.now.Before(next) {
			c.measure(celsius())
			next = c.now.Add(5 * time.Minute)
		}
		if c.on && !c.until.IsZero() && !c.now.Before(c.until) {
			c.show(false)
		}
		c.take(gateway.LoopName, gateway.Tick{})
		if c.on {
			c.watched += 10 * time.Second
		}
	}
}

func constant(celsius float64) func() float64 { return func() float64 { return celsius } }

func (c *cellar) wish(celsius float64) {
	c.take("homekit", gateway.Wish{By: "test", Ask: gateway.SetTarget{Room: "own-cellar", Target: celsius, Forever: true}})
}

func (c *cellar) decided(kind, words string) bool {
	for _, d := range c.state.Decisions {
		if d.Kind == kind && strings.Contains(d.What+d.Why, words) {
			return true
		}
	}
	return false
}

func TestFloorAndCapHoldUnderAMadController(t *testing.T) {
	t.Run("that never heats", func(t *testing.T) {
		c := newCellar(t, rules.StepUnder(false), boiler("Cellar"))
		c.wish(20)
		c.live(30*time.Minute, constant(15))
		if c.on {
			t.Fatal("the controller inside is not the mad one")
		}
		c.live(30*time.Minute, constant(6.5))
		if !c.on {
			t.Error("the relay is off in a room of 6.5 °C")
		}
		c.live(30*time.Minute, constant(7.6))
		if c.on {
			t.Error("the frost floor does not end half a kelvin above")
		}
	})
	t.Run("that always heats", func(t *testing.T) {
		c := newCellar(t, rules.StepUnder(true), boiler("Cellar"))
		c.wish(20)
		c.live(30*time.Minute, constant(19))
		if !c.on {
			t.Fatal("the controller inside is not the mad one")
		}
		c.live(17*time.Minute, constant(23.5))
		if c.on || !c.decided("alarm", "too far") {
			t.Errorf("the relay is on: %v after 17 min at 23.5 °C; decided %v", c.on, c.state.Decisions)
		}
		c.live(time.Hour, constant(20))
		if c.on {
			t.Error("it heats again before the room has cooled down")
		}
		c.live(10*time.Minute, constant(19.3))
		if !c.on {
			t.Error("it never heats again")
		}
	})
	t.Run("that always heats a room without a target", func(t *testing.T) {
		c := newCellar(t, rules.StepUnder(true), boiler("Cellar"))
		c.live(time.Hour, constant(15))
		if len(c.orders) > 0 {
			t.Errorf("nobody asked for %v", c.orders)
		}
	})
}

func TestAThermostatByRelayKeepsARoomWarm(t *testing.T) {
	c := newCellar(t, rules.Step, boiler("Cellar"))
	c.wish(20)
	room, outside := 18.0, 2.0
	var coldest, hottest = 99.0, 0.0
	began, day := c.now, 24*time.Hour
	if racing {
		day /= 2
	}
	c.live(day, func() float64 {
		heat := 0.0
		if c.on {
			heat = 4.0 // K/h
		}
		room += (heat - (room-outside)/12) / 12
		if c.now.Sub(began) > 6*time.Hour {
			coldest, hottest = min(coldest, room), max(hottest, room)
		}
		return room
	})
	if coldest < 19 || hottest > 21.5 {
		t.Errorf("the room went from %.1f to %.1f °C, wished are 20", coldest, hottest)
	}
	renewed := 0
	for _, o := range c.orders {
		if o.Value.Yes() {
			renewed++
		}
	}
	if renewed < 10 {
		t.Errorf("only %d orders to switch on in %v", renewed, day)
	}
}

func TestRoomsThatTheConfigurationNamesAreJoinedWithTheCloudsOfThatName(t *testing.T) {
	c := newCellar(t, rules.Step, boiler("Cellar", "Attic"))
	c.wish(20)
	c.take(gateway.CloudAdapter, gateway.Plan{Home: "h", Rooms: []gateway.PlanRoom{{ID: "4711", Name: "Cellar"}}})
	if _, still := c.state.Rooms.Get("own-cellar"); still {
		t.Error("two rooms of one name are left")
	}
	room, _ := c.state.Rooms.Get("4711")
	if room.Override.Target != 20 || len(room.Devices) != 1 || room.Devices[0] != "t1" {
		t.Errorf("the room is %+v", room)
	}
	if _, ok := c.state.Rooms.Get("own-attic"); !ok {
		t.Error("a room that the cloud does not have is gone")
	}
}

func TestWhatIsLearntWakesNobodyAndOutlivesARestart(t *testing.T) {
	c := newCellar(t, rules.Step, boiler("Cellar"))
	c.measure(19)
	c.take(gateway.LoopName, gateway.Tick{})
	version, kept := c.state.Version, c.state.KeptAt
	for range 14 {
		c.now = c.now.Add(time.Minute)
		before, _ := c.state.Memories.Get("own-cellar")
		c.take(gateway.LoopName, gateway.Tick{})
		if after, _ := c.state.Memories.Get("own-cellar"); before == after {
			t.Fatal("a minute was not learnt from")
		}
	}
	if c.state.Version != version || !c.state.KeptAt.Equal(kept) {
		t.Errorf("learning made version %d of %d, kept at %v", c.state.Version, version, c.state.KeptAt)
	}
	c.now = c.now.Add(time.Minute)
	c.take(gateway.LoopName, gateway.Tick{})
	text, err := json.Marshal(c.state.Lasting())
	if err != nil {
		t.Fatal(err)
	}
	lasting, err := gateway.ReadLasting(text)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := c.state.Kept.Get("own-cellar")
	saved, _ := json.Marshal(before)
	c.state = lasting.State()
	c.state.Home.FrostGuard, c.state.Home.Maximum = 7, 28
	after, _ := c.state.Memories.Get("own-cellar")
	if again, _ := json.Marshal(after); string(again) != string(saved) {
		t.Errorf("the memory comes back as %.100s, was %.100s", again, saved)
	}
	c.now = c.now.Add(time.Minute)
	c.take(gateway.LoopName, gateway.Tick{}) // and is understood
	if m, _ := c.state.Memories.Get("own-cellar"); m.Value() == gateway.MemoryText(saved) {
		t.Error("the memory from disk was not read")
	}
	if len(c.orders) > 0 {
		t.Errorf("before the relay was read again it is told %v", c.orders)
	}
}

// attached adds relays to a house with many rooms.
func attached(s gateway.State, relays int) gateway.State {
	for i := range relays {
		id := gateway.DeviceID(fmt.Sprint("boiler", i))
		circuit := boiler(fmt.Sprint("room", 2*i), fmt.Sprint("room", 2*i+1))
		for _, f := range []gateway.Fact{
			gateway.Found{Device: id, Name: string(id), Circuit: &circuit, Controls: []gateway.Control{{Quantity: gateway.Relay}}},
			gateway.Reading{Device: id, Quantity: gateway.Relay, Value: gateway.Flag(false)},
		} {
			s, _ = rules.Step(s, gateway.Event{At: s.At, From: gateway.MQTTAdapter, Fact: f})
		}
	}
	return s
}

func TestAQuietTickWithRelaysChangesNothing(t *testing.T) {
	s := attached(house(200), 4)
	for range 30 { // the first minutes may switch something
		s, _ = rules.Step(s, gateway.Event{At: s.At.Add(30 * time.Second), From: gateway.LoopName, Fact: gateway.Tick{}})
	}
	version := s.Version
	s, commands := rules.Step(s, gateway.Event{At: s.At.Add(2 * time.Second), From: gateway.LoopName, Fact: gateway.Tick{}})
	if s.Version != version || len(commands) > 0 {
		t.Errorf("a quiet tick gives version %d after %d and commands %v", s.Version, version, commands)
	}
}

func BenchmarkStepTickWithRelays(b *testing.B) {
	s := attached(house(200), 4)
	at := s.At
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(2 * time.Second)
		s, _ = rules.Step(s, gateway.Event{At: at, From: gateway.LoopName, Fact: gateway.Tick{}})
	}
}
