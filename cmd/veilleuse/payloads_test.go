package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// TestRandomPayloadsChangeNothingOutOfRange says a thousand random things on each topic that is read, to
// the whole way from the broker inside through the rules to the devices. Nothing crashes, no target leaves
// the range of floor and cap, no order is out of range or without its lease, and a room's own thermometer
// is heard all the while.
func TestRandomPayloadsChangeNothingOutOfRange(t *testing.T) {
	const each, atOnce, rate = 1000, 100, 600 // house and relays live so much faster than we do
	h, c, options := messagingHouse(t, `
mqtt: {listen: "127.0.0.1:0"}
relays:
  - {name: Boiler, kind: tasmota, topic: boiler, rooms: [Cellar], lease: 5m}
  - {name: Convector, kind: shelly, topic: convector, rooms: [Attic], lease: 5m}
  - {name: Floor, kind: zigbee2mqtt, topic: floor, rooms: [Bath], lease: 5m}
sensors:
  - {name: Thermometer, kind: plain, topic: cellar/temperature, room: Cellar}
  - {name: Attic, kind: shelly, topic: ht, room: Attic}
  - {name: Bath, kind: zigbee2mqtt, topic: th, room: Bath}
  - {name: Landing, kind: tasmota, topic: landing, room: Landing}
  - {name: Judge, kind: plain, topic: judge/temperature, room: Court}
valves:
  - {name: Valve, topic: trv, room: Bath}
`)
	h.mqtt = mqtt.New(options)
	judge := &payloadJudge{t: t, low: c.Home.FrostGuard, high: c.Home.Maximum}
	if err := h.broker.Subscribe("#", judge.hear); err != nil {
		t.Fatal(err)
	}
	if err := h.broker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.broker.Stop)
	boiler, convector := mqtttest.Tasmota(t, "mqtt://"+h.broker.Address(), "boiler", rate), mqtttest.Shelly(t, "mqtt://"+h.broker.Address(), "convector", rate)
	clock := newDemoClock(time.Date(2025, 10, 29, 18, 0, 0, 0, time.UTC), rate)
	loop := &gateway.Loop{Step: rules.Step, Log: slog.New(slog.DiscardHandler), Now: clock.Now, After: clock.After,
		State: gateway.State{Home: gateway.Home{FrostGuard: c.Home.FrostGuard, Maximum: c.Home.Maximum}}}
	loop.Attach(gateway.MQTTAdapter, h.mqtt)
	runUntilOver(t, loop)
	comesAbout(t, "the rooms are known", func() bool { return judge.knows("Cellar") && judge.knows("Bath") && judge.knows("Court") })

	random := rand.New(rand.NewPCG(3, 1000))
	said, worst := 0, time.Duration(0)
	for _, topic := range []string{
		"cellar/temperature", "veilleuse/room/own-cellar/set", "veilleuse/room/own-bath/set", "veilleuse/room/x/set", "veilleuse/home/set",
		"veilleuse/alarm/set", "veilleuse/device/zigbee2mqtt-trv/set", "veilleuse/device/tasmota-boiler/set",
		"veilleuse/status", "homeassistant/status",
		"tele/boiler/LWT", "tele/boiler/STATE", "stat/boiler/RESULT", "stat/boiler/POWER", "tele/landing/SENSOR",
		"convector/online", "convector/events/rpc", "convector/status/switch:0", "veilleuse-shelly-convector/rpc", "ht/events/rpc",
		"zigbee2mqtt/floor", "zigbee2mqtt/floor/availability", "zigbee2mqtt/bridge/state", "zigbee2mqtt/th", "zigbee2mqtt/trv",
		"veilleuse/room/own-cellar/set", "veilleuse/room/own-bath/set", "stat/boiler/RESULT", "zigbee2mqtt/floor", // once more: all is known now
	} {
		for i := range each {
			if err := h.broker.Publish(topic, randomPayload(random, topic), false); err != nil {
				t.Fatal(err)
			}
			said++
			if i%atOnce == atOnce-1 { // as fast as the house reads, so that everything is read
				worst = max(worst, judge.serves(h.broker.Publish, float64(10+said/atOnce%100)/10))
			}
		}
	}
	t.Logf("%d payloads; a reading among them took %v at worst; %d targets, %d orders, %d events were looked at",
		said, worst, judge.targets, judge.orders, judge.events)
	t.Logf("the relays heard %d and %d orders", len(boiler.Heard()), len(convector.Heard()))
	if judge.targets < 10 || judge.orders < 10 || judge.events < 10 {
		t.Error("too little was looked at for this test to mean anything")
	}
}

// payloadJudge looks at everything that the house publishes.
type payloadJudge struct {
	t                       *testing.T
	low, high               float64
	mu                      sync.Mutex
	names                   map[string]bool
	measured                float64 // by the thermometer that nobody disturbs
	targets, orders, events int
}

func (j *payloadJudge) knows(room string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.names[room]
}

// serves has the undisturbed thermometer speak and waits until its room shows it.
func (j *payloadJudge) serves(publish func(string, []byte, bool) error, celsius float64) time.Duration {
	j.t.Helper()
	began := time.Now()
	if err := publish("judge/temperature", fmt.Append(nil, celsius), false); err != nil {
		j.t.Fatal(err)
	}
	comesAbout(j.t, "a reading is shown", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.measured == celsius
	})
	return time.Since(began)
}

func (j *payloadJudge) hear(topic string, payload []byte, _ bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case strings.HasPrefix(topic, "veilleuse/room/") && !strings.HasSuffix(topic, "/set"):
		j.room(payload)
	case topic == "veilleuse/event":
		j.events++
	case strings.HasPrefix(topic, "cmnd/boiler/Power"), topic == "convector/rpc", topic == "zigbee2mqtt/floor/set", topic == "zigbee2mqtt/trv/set":
		j.order(topic, string(payload))
	}
}

func (j *payloadJudge) room(payload []byte) {
	var page struct {
		Name        string
		Target      *float64
		Temperature *float64
	}
	if err := json.Unmarshal(payload, &page); err != nil {
		j.t.Errorf("a room's page is %q", payload)
		return
	}
	if j.names == nil {
		j.names = map[string]bool{}
	}
	j.names[page.Name] = true
	if page.Target != nil {
		j.targets++
		if !(*page.Target >= j.low && *page.Target <= j.high) {
			j.t.Errorf("the target of %s is %v", page.Name, *page.Target)
		}
	}
	if page.Name == "Court" && page.Temperature != nil {
		j.measured = *page.Temperature
	}
}

// order holds what no order may do: switch on without a lease, or ask a valve for what no room may have.
func (j *payloadJudge) order(topic, payload string) {
	j.orders++
	var o struct {
		State  string
		OnTime *float64 `json:"on_time"`
		Target *float64 `json:"occupied_heating_setpoint"`
		Other  *float64 `json:"current_heating_setpoint"`
		Method string
		Params struct {
			On    bool
			After *float64 `json:"toggle_after"`
		}
	}
	_ = json.Unmarshal([]byte(payload), &o) // Tasmota's are words
	if o.State == "ON" && (o.OnTime == nil || *o.OnTime != 300) || o.Method == "Switch.Set" && o.Params.On && (o.Params.After == nil || *o.Params.After != 300) {
		j.t.Errorf("%s is told %s, without its lease", topic, payload)
	}
	for _, target := range []*float64{o.Target, o.Other} {
		if target != nil && !(*target >= j.low && *target <= j.high) {
			j.t.Errorf("%s is told %s", topic, payload)
		}
	}
}

// Words that are understood, of people's wishes and of devices.
var (
	wishWords = []string{"target", "target", "target", "mode", "mode", "for", "until", "schedule", "drill", "guard", "bypass",
		"siren", "position", "lock", "hush", "acknowledge", "test", "device"}
	deviceWords = []string{"state", "state", "local_temperature", "occupied_heating_setpoint", "current_heating_setpoint", "temperature", "humidity",
		"smoke", "carbon_monoxide", "last_seen", "veilleuse_on_time", "onTime", "POWER", "POWER1", "PulseTime1", "Set", "Remaining", "AM2301",
		"Temperature", "id", "result", "params", "switch:0", "output", "timer_duration", "auto_off", "auto_off_delay", "error", "code", "temperature:0", "tC"}
)

// randomPayload is rubbish, or JSON with words that are understood and values that often are not.
func randomPayload(random *rand.Rand, topic string) []byte {
	if random.IntN(8) == 0 {
		noise := make([]byte, random.IntN(64))
		for i := range noise {
			noise[i] = byte(random.IntN(256))
		}
		return noise
	}
	if random.IntN(6) == 0 {
		return []byte(randomValue(random))
	}
	if strings.HasSuffix(topic, "/set") {
		return []byte(randomObject(random, wishWords, 0))
	}
	return []byte(randomObject(random, deviceWords, 3))
}

func randomObject(random *rand.Rand, keys []string, depth int) string {
	var parts []string
	for range random.IntN(4) {
		value := randomValue(random)
		if depth > 0 && random.IntN(3) == 0 {
			value = randomObject(random, keys, depth-1)
		}
		parts = append(parts, fmt.Sprintf("%q:%s", keys[random.IntN(len(keys))], value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func randomValue(random *rand.Rand) string {
	values := []string{"true", "false", "null", "[]", "[21.5]", "{}", "-1e308", "1e309", "NaN", "-273.15", "0", "6.9", "7", "21.5", "28", "28.1", "300", "65535",
		`""`, `"ON"`, `"OFF"`, "ON", "OFF", "Online", "Offline", `"online"`, "offline", `"away"`, `"schedule"`, `"manual"`, `"max"`, `"frost"`, `"off"`, `"2h"`,
		`"-5m"`, `"9999999h"`, `"2026-01-31T18:00:00Z"`, `"\u0000"`, `"` + strings.Repeat("x", 300) + `"`, strings.Repeat("[", 200)}
	return values[random.IntN(len(values))]
}
