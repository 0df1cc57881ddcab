package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// messagingHouse is the part of a house that speaks MQTT, of a configuration as a person writes it.
func messagingHouse(t *testing.T, configuration string) (*house, Config, mqtt.Options) {
	t.Helper()
	c, faults := readConfig("v.yaml", []byte(configuration))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	c.State = t.TempDir()
	h := new(house)
	options, err := h.messages(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h, c, options
}

// runUntilOver runs a loop until the test is over, or until what it returns is called, which waits for the end.
func runUntilOver(t *testing.T, loop *gateway.Loop) (die func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { loop.Run(ctx); close(ended) }()
	die = func() { cancel(); <-ended }
	t.Cleanup(die)
	return die
}

// TestARoomIsHeatedByARelayThatOutlivesTheGateway is the whole way: the configuration as a person writes it,
// the broker inside, a relay with Tasmota's firmware, a thermometer, a wish over MQTT. Then the gateway dies.
// House and relay live 60 times faster than we do.
func TestARoomIsHeatedByARelayThatOutlivesTheGateway(t *testing.T) {
	t.Parallel() // it waits most of the time
	const rate = 60
	h, c, options := messagingHouse(t, `
mqtt: {listen: "127.0.0.1:0"}
relays:
  - {name: Boiler, kind: tasmota, topic: boiler, rooms: [Cellar], lease: 5m}
sensors:
  - {name: Thermometer, kind: plain, topic: cellar/temperature, room: Cellar}
`)
	if err := h.broker.Start(); err != nil { // it goes on when the gateway dies
		t.Fatal(err)
	}
	t.Cleanup(h.broker.Stop)
	device := mqtttest.Tasmota(t, "mqtt://"+h.broker.Address(), "boiler", rate)

	clock := newDemoClock(time.Date(2025, 10, 29, 18, 0, 0, 0, time.UTC), rate)
	var seen atomic.Value // the newest page of the room
	if err := h.broker.Subscribe("veilleuse/room/own-cellar", func(_ string, payload []byte, _ bool) { seen.Store(string(payload)) }); err != nil {
		t.Fatal(err)
	}
	first := gateway.State{Home: gateway.Home{FrostGuard: c.Home.FrostGuard, Maximum: c.Home.Maximum}}
	loop := &gateway.Loop{Step: rules.Step, State: first, Log: slog.New(slog.DiscardHandler), Now: clock.Now, After: clock.After}
	loop.Attach(gateway.MQTTAdapter, mqtt.New(options))
	die := runUntilOver(t, loop)

	say := func(topic, payload string) {
		if err := h.broker.Publish(topic, []byte(payload), false); err != nil {
			t.Fatal(err)
		}
	}
	comesAbout(t, "the room is known", func() bool { page, _ := seen.Load().(string); return page != "" })
	say("cellar/temperature", "18.5")
	say("veilleuse/room/own-cellar/set", `{"target":21,"for":"10h"}`)
	device.WaitFor(true)
	orders := func() (on int) {
		for _, o := range device.Heard() {
			if o == "cmnd/boiler/Power1 ON" {
				on++
			}
		}
		return on
	}
	comesAbout(t, "three renewals, more than the lease lasts", func() bool { return orders() >= 4 })
	if !device.On() {
		t.Errorf("the lease is not renewed; heard %q", device.Heard())
	}
	die()
	if !device.On() {
		t.Error("a clean stop switches the boiler off")
	}
	began := time.Now()
	device.WaitFor(false)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("without a gateway it stays on for %v, promised are 5 s", took)
	}
}

// comesAbout waits for something that ought to happen soon.
func comesAbout(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(fmt.Sprint(what, ": never"))
		}
	}
}
