package mqtt_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// embeddedBroker is the broker that the product itself brings, on loopback.
func embeddedBroker(t *testing.T) *broker.Broker {
	t.Helper()
	b, err := broker.New("127.0.0.1:0", silent)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b
}

func url(b *broker.Broker) string { return "mqtt://" + b.Address() }

// attach runs the adapter with those devices on a broker.
func attach(t *testing.T, b *broker.Broker, devices ...mqtt.Attached) *gatewaytest.House {
	t.Helper()
	return gatewaytest.Start(t, gateway.MQTTAdapter, mqtt.New(mqtt.Options{Embedded: b, Log: silent, Attached: devices}))
}

func relay(kind mqtt.Kind, topic string, lease time.Duration) mqtt.Attached {
	return mqtt.Attached{Name: "Boiler", Role: mqtt.RoleRelay, Kind: kind, Topic: topic,
		Circuit: gateway.Circuit{Rooms: []string{"Bath", "Bed"}, Heats: gateway.HeatsBoiler, Lease: lease}}
}

func switchTo(a mqtt.Attached, on bool) gateway.Command {
	return gateway.Command{Value: gateway.Flag(on), Why: "test", Point: gateway.Point{Adapter: gateway.MQTTAdapter, Of: string(a.ID()), Quantity: gateway.Relay}}
}

// told waits for the answer to a command.
func told(h *gatewaytest.House, id uint64) gateway.Outcome {
	return gatewaytest.Wait(h, func(o gateway.Outcome) bool { return o.ID == id })
}

// shows waits until the house is told that the relay stands so.
func shows(h *gatewaytest.House, a mqtt.Attached, on bool) {
	gatewaytest.Wait(h, func(r gateway.Reading) bool {
		return r.Device == a.ID() && r.Quantity == gateway.Relay && r.Value == gateway.Flag(on)
	})
}

func answers(h *gatewaytest.House, a mqtt.Attached) {
	gatewaytest.Wait(h, func(r gateway.Reach) bool { return r.Device == a.ID() && r.OK })
}

// leased is a fake relay that ends its lease itself.
type leased interface {
	On() bool
	WaitFor(bool)
	Weld(bool)
	Ends() time.Time
	Elapse()
}

// lease is longer than any of these tests: it runs out when the test lets it.
const lease = 2 * time.Minute

var fakes = map[mqtt.Kind]func(t *testing.T, url, topic string) leased{
	mqtt.Tasmota:     func(t *testing.T, url, topic string) leased { return mqtttest.Tasmota(t, url, topic, 1) },
	mqtt.Shelly:      func(t *testing.T, url, topic string) leased { return mqtttest.Shelly(t, url, topic, 1) },
	mqtt.Zigbee2MQTT: func(t *testing.T, url, topic string) leased { return mqtttest.Zigbee(t, url, topic, 1, false) },
}

func TestARelayIsSwitchedOnUnderALeaseThatItEndsItself(t *testing.T) {
	t.Parallel()
	for kind, fake := range fakes {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := embeddedBroker(t)
			w := watchEmbedded(t, b)
			device := fake(t, url(b), "boiler_1")
			a := relay(kind, "boiler_1", lease)
			h := attach(t, b, a)
			found := gatewaytest.Wait(h, func(f gateway.Found) bool { return f.Device == a.ID() })
			if found.Circuit == nil || found.Circuit.Lease != lease || len(found.Controls) != 1 || found.Controls[0].Quantity != gateway.Relay {
				t.Errorf("found as %+v", found)
			}
			shows(h, a, false) // read before anything is decided
			if device.On() {
				t.Error("it was switched on unasked")
			}
			switchOn(t, h, a)
			device.WaitFor(true)
			h.Stop() // the gateway dies
			if !device.On() {
				t.Error("a clean stop switched it off: the lease was to run out")
			}
			device.Elapse()
			device.WaitFor(false) // by its own clock
			if w.retained() {
				t.Error("an order was retained")
			}
		})
	}
}

// switchOn gives the order until the lease is confirmed, as the rules do.
func switchOn(t *testing.T, h *gatewaytest.House, a mqtt.Attached) {
	t.Helper()
	last := ""
	for range 20 {
		o := told(h, h.Send(switchTo(a, true)))
		if o.Err == "" {
			return
		}
		last = o.Err
		if o.Final {
			t.Fatal(o.Err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it is never switched on: %s", last)
}

// embeddedWatch notes what is kept on the embedded broker.
type embeddedWatch struct {
	t *testing.T
	b *broker.Broker
}

func watchEmbedded(t *testing.T, b *broker.Broker) embeddedWatch { return embeddedWatch{t, b} }

// retained reports whether a newcomer finds an order.
func (w embeddedWatch) retained() bool {
	found := false
	for _, filter := range []string{"cmnd/#", "+/rpc", "zigbee2mqtt/+/set"} {
		err := w.b.Subscribe(filter, func(_ string, _ []byte, retained bool) { found = found || retained })
		if err != nil {
			w.t.Error(err)
		}
	}
	return found
}

func TestARenewedLeaseLastsLonger(t *testing.T) {
	t.Parallel()
	for kind, fake := range fakes {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := embeddedBroker(t)
			device := fake(t, url(b), "boiler_2")
			a := relay(kind, "boiler_2", lease)
			h := attach(t, b, a)
			shows(h, a, false)
			switchOn(t, h, a)
			for range 3 {
				before := device.Ends()
				switchOn(t, h, a)
				if after := device.Ends(); before.IsZero() || !after.After(before) {
					t.Errorf("it was to go off at %v, and renewed at %v", before, after)
				}
			}
			if o := told(h, h.Send(switchTo(a, false))); o.Err != "" {
				t.Fatal(o.Err)
			}
			device.WaitFor(false)
		})
	}
}

func TestARelayThatCannotKeepALeaseIsRefused(t *testing.T) {
	tests := []struct {
		name string
		fake func(*testing.T, *broker.Broker) (leased, mqtt.Attached)
		want string
	}{
		{"tasmota that keeps another PulseTime", func(t *testing.T, b *broker.Broker) (leased, mqtt.Attached) {
			d := mqtttest.Tasmota(t, url(b), "old", 1)
			d.FixPulse(0)
			return d, relay(mqtt.Tasmota, "old", lease)
		}, "not confirmed yet"},
		{"shelly that ignores toggle_after", func(t *testing.T, b *broker.Broker) (leased, mqtt.Attached) {
			d := mqtttest.Shelly(t, url(b), "odd", 1)
			d.Forget()
			return d, relay(mqtt.Shelly, "odd", lease)
		}, "does not "}, // take auto_off, or count the time of an order: whichever shows first,
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := embeddedBroker(t)
			device, a := test.fake(t, b)
			h := attach(t, b, a)
			shows(h, a, false)
			o := told(h, h.Send(switchTo(a, true)))
			if !strings.Contains(o.Err, test.want) {
				t.Errorf("the answer is %q, want %q", o.Err, test.want)
			}
			device.WaitFor(false)
		})
	}
}

func TestAWrongStateIsSaid(t *testing.T) {
	for _, kind := range []mqtt.Kind{mqtt.Tasmota, mqtt.Shelly} {
		t.Run(string(kind), func(t *testing.T) {
			b := embeddedBroker(t)
			device := fakes[kind](t, url(b), "welded")
			a := relay(kind, "welded", lease)
			h := attach(t, b, a)
			shows(h, a, false)
			switchOn(t, h, a)
			device.Weld(true)
			if o := told(h, h.Send(switchTo(a, false))); !strings.Contains(o.Err, "told OFF and answers ON") {
				t.Errorf("the answer is %q", o.Err)
			}
		})
	}
}

func TestPlainRelayAsTheUserAccepted(t *testing.T) {
	inBubbleWith(t, plainRelay(), func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		a := plainRelay()
		f.deliver("heating/pump/state", "heating/pump/state", "OFF", true)
		shows(h, a, false)
		answers := h.Send(switchTo(a, true))
		synctest.Wait()
		if got := f.taken(); !slices.ContainsFunc(got, func(p post) bool { return p == post{"heating/pump/set", "ON", false} }) {
			t.Errorf("sent %v", got)
		}
		f.deliver("heating/pump/state", "heating/pump/state", "ON", false)
		if o := told(h, answers); o.Err != "" {
			t.Error(o.Err)
		}
	})
}

func plainRelay() mqtt.Attached {
	a := relay(mqtt.Plain, "heating/pump/state", 0)
	a.Command = "heating/pump/set"
	return a
}

// inBubbleWith runs the adapter with a device on a fake broker, in the bubble's own time.
func inBubbleWith(t *testing.T, a mqtt.Attached, test func(*testing.T, *fakeBroker, *gatewaytest.House)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeBroker()
		h := gatewaytest.Start(t, gateway.MQTTAdapter, mqtt.New(mqtt.Options{Embedded: f, Log: silent, Attached: []mqtt.Attached{a}}))
		synctest.Wait()
		test(t, f, h)
		h.Stop()
	})
}

func TestASilentRelayIsAnsweredForInTime(t *testing.T) {
	inBubbleWith(t, plainRelay(), func(t *testing.T, _ *fakeBroker, h *gatewaytest.House) {
		began := time.Now()
		o := told(h, h.Send(switchTo(plainRelay(), true)))
		if took := time.Since(began); o.Err != "it gives no echo of its state" || o.Final || took < 10*time.Second || took >= 30*time.Second {
			t.Errorf("after %v: %+v", took, o)
		}
	})
}

func TestAZigbeeRelayWithoutTimerIsSwitchedOffAndRefused(t *testing.T) {
	a := relay(mqtt.Zigbee2MQTT, "cheap", lease)
	inBubbleWith(t, a, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		id := h.Send(switchTo(a, true))
		synctest.Wait()
		f.deliver("zigbee2mqtt/cheap", "zigbee2mqtt/cheap", `{"state":"ON","linkquality":99}`, false)
		f.taken()
		o := told(h, id)
		if !o.Final || !strings.Contains(o.Err, "ignores on_time") {
			t.Errorf("the answer is %+v", o)
		}
		synctest.Wait()
		if got := f.taken(); !slices.Contains(got, post{"zigbee2mqtt/cheap/set", `{"state":"OFF"}`, false}) {
			t.Errorf("it is left on: %v", got)
		}
		if o := told(h, h.Send(switchTo(a, true))); !o.Final {
			t.Errorf("asked again it says %+v", o)
		}
		if got := f.taken(); len(got) > 0 {
			t.Errorf("and sends %v", got)
		}
	})
}

func TestNothingElseCanBeSetThroughMQTT(t *testing.T) {
	inBubbleWith(t, plainRelay(), func(t *testing.T, _ *fakeBroker, h *gatewaytest.House) {
		c := switchTo(plainRelay(), true)
		c.Point.Quantity = gateway.On
		if o := told(h, h.Send(c)); !o.Final || o.Err == "" {
			t.Errorf("another quantity gives %+v", o)
		}
		c = switchTo(plainRelay(), true)
		c.Until = time.Now().Add(-time.Second)
		if o := told(h, h.Send(c)); o.Err != "it came too late" {
			t.Errorf("an order of yesterday gives %+v", o)
		}
	})
}

func TestADeviceNoLongerAttachedIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s gateway.State
		s.Devices = s.Devices.With("tasmota-old", gateway.Device{ID: "tasmota-old", Faces: []gateway.Face{{Adapter: gateway.MQTTAdapter}}}).
			With("v1", gateway.Device{ID: "v1", Faces: []gateway.Face{{Adapter: gateway.AccessoryAdapter}}})
		h := gatewaytest.Start(t, gateway.MQTTAdapter, mqtt.New(mqtt.Options{Embedded: newFakeBroker(), Log: silent}), gatewaytest.From(s))
		if g := gatewaytest.Wait[gateway.Gone](h, nil); g.Device != "tasmota-old" {
			t.Errorf("%s is gone", g.Device)
		}
		h.Stop()
	})
}

func TestWithoutTheBrokerNobodyIsReachedAndNoOrderWaits(t *testing.T) {
	b := mqtttest.Start(t)
	device := mqtttest.Tasmota(t, b.URL(), "far", 1)
	a := relay(mqtt.Tasmota, "far", lease)
	h := gatewaytest.Start(t, gateway.MQTTAdapter, mqtt.New(mqtt.Options{Broker: b.URL(), Log: silent, Attached: []mqtt.Attached{a}}))
	answers(h, a)
	shows(h, a, false)
	switchOn(t, h, a)
	b.Stop()
	gatewaytest.Wait(h, func(r gateway.Reach) bool {
		return r.Device == a.ID() && !r.OK && r.Why == "the MQTT broker is not there"
	})
	if o := told(h, h.Send(switchTo(a, false))); o.Err != "the MQTT broker is not there" || o.Final {
		t.Errorf("without a broker the answer is %+v", o)
	}
	if !device.On() {
		t.Error("the lease did not go on without the broker")
	}
}

func TestSensorsAndValves(t *testing.T) {
	sensor := func(kind mqtt.Kind, topic string) mqtt.Attached {
		return mqtt.Attached{Name: "x", Role: mqtt.RoleSensor, Kind: kind, Topic: topic, Room: "Bath"}
	}
	plain := sensor(mqtt.Plain, "sensors/bath")
	plain.Key = "t.inside"
	valve := sensor(mqtt.Zigbee2MQTT, "trv")
	valve.Role = mqtt.RoleValve
	tests := []struct {
		name            string
		device          mqtt.Attached
		filter, topic   string
		payload         string
		retained        bool
		want            string // quantity value, in the order of the report
		measuredBySince bool
	}{
		{"zigbee thermometer", sensor(mqtt.Zigbee2MQTT, "th"), "zigbee2mqtt/th", "zigbee2mqtt/th", `{"temperature":21.34,"humidity":44.7,"battery":88}`, false, "temperature=21.34 humidity=44.7 battery=88", false},
		{"zigbee smoke", sensor(mqtt.Zigbee2MQTT, "s"), "zigbee2mqtt/s", "zigbee2mqtt/s", `{"smoke":true,"battery_low":false}`, false, "smoke=yes low-battery=no", false},
		{"zigbee smoke that burnt before we came", sensor(mqtt.Zigbee2MQTT, "s"), "zigbee2mqtt/s", "zigbee2mqtt/s", `{"smoke":true,"temperature":30}`, true, "smoke=yes", false},
		{"zigbee carbon monoxide", sensor(mqtt.Zigbee2MQTT, "c"), "zigbee2mqtt/c", "zigbee2mqtt/c", `{"carbon_monoxide":true,"co":120}`, false, "co-level=120 co=yes", false},
		{"zigbee contact is true when closed", sensor(mqtt.Zigbee2MQTT, "w"), "zigbee2mqtt/w", "zigbee2mqtt/w", `{"contact":true}`, false, "contact=no", false},
		{"zigbee retained without a time", sensor(mqtt.Zigbee2MQTT, "th"), "zigbee2mqtt/th", "zigbee2mqtt/th", `{"temperature":21.3}`, true, "", false},
		{"zigbee retained with its time", sensor(mqtt.Zigbee2MQTT, "th"), "zigbee2mqtt/th", "zigbee2mqtt/th", `{"temperature":21.3,"last_seen":"2025-10-29T17:00:00Z"}`, true, "temperature=21.3", true},
		{"tasmota", sensor(mqtt.Tasmota, "lab"), "tele/lab/+", "tele/lab/SENSOR", `{"Time":"x","AM2301":{"Temperature":70.7,"Humidity":50.1,"DewPoint":51},"ESP32":{"Temperature":130},"TempUnit":"F"}`, false, "temperature=21.5 humidity=50.1", false},
		{"tasmota asked", sensor(mqtt.Tasmota, "lab"), "stat/lab/+", "stat/lab/STATUS10", `{"StatusSNS":{"DS18B20":{"Id":"3C01","Temperature":19.4},"TempUnit":"C"}}`, false, "temperature=19.4", false},
		{"shelly", sensor(mqtt.Shelly, "ht"), "ht/events/rpc", "ht/events/rpc", `{"src":"ht","method":"NotifyFullStatus","params":{"ts":1,"temperature:0":{"id":0,"tC":20.1,"tF":68.2},"humidity:0":{"id":0,"rh":51.2},"devicepower:0":{"battery":{"V":5.4,"percent":77}}}}`, false, "battery=77 humidity=51.2 temperature=20.1", false},
		{"shelly smoke", sensor(mqtt.Shelly, "sm"), "sm/events/rpc", "sm/events/rpc", `{"src":"sm","method":"NotifyStatus","params":{"smoke:0":{"id":0,"alarm":true,"mute":false}}}`, false, "smoke=yes", false},
		{"plain in JSON", plain, "sensors/bath", "sensors/bath", `{"t":{"inside":"18.5"}}`, false, "temperature=18.5", false},
		{"plain nonsense", sensor(mqtt.Plain, "p"), "p", "p", `NaN`, false, "", false},
		{"valve", valve, "zigbee2mqtt/trv", "zigbee2mqtt/trv", `{"local_temperature":19.5,"current_heating_setpoint":21,"pi_heating_demand":66,"position":40}`, false, "target=21 temperature=19.5 heating-request=66 position=40", false},
		{"valve that says 300", valve, "zigbee2mqtt/trv", "zigbee2mqtt/trv", `{"occupied_heating_setpoint":300,"local_temperature":19}`, false, "temperature=19", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubbleWith(t, test.device, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
				f.deliver(test.filter, test.topic, test.payload, test.retained)
				synctest.Wait()
				var got []string
				for len(h.Facts()) > 0 {
					e := <-h.Facts()
					r, ok := e.Fact.(gateway.Reading)
					if !ok {
						continue
					}
					got = append(got, string(r.Quantity)+"="+r.Value.String())
					if test.measuredBySince == r.Measured.IsZero() {
						t.Errorf("%s was measured at %v", r.Quantity, r.Measured)
					}
				}
				if strings.Join(got, " ") != test.want {
					t.Errorf("read %v, want %s", got, test.want)
				}
			})
		})
	}
}

func TestAValveTakesItsTargetByTheNameThatItUses(t *testing.T) {
	valve := mqtt.Attached{Name: "Valve", Role: mqtt.RoleValve, Kind: mqtt.Zigbee2MQTT, Topic: "trv", Room: "Bath"}
	inBubbleWith(t, valve, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		c := gateway.Command{Value: gateway.Number(21.5), Why: "test", Point: gateway.Point{Adapter: gateway.MQTTAdapter, Of: string(valve.ID()), Quantity: gateway.Target}}
		if o := told(h, h.Send(c)); o.Err == "" || o.Final {
			t.Errorf("before it has spoken: %+v", o)
		}
		f.deliver("zigbee2mqtt/trv", "zigbee2mqtt/trv", `{"occupied_heating_setpoint":19}`, false)
		synctest.Wait()
		f.taken()
		id := h.Send(c)
		synctest.Wait()
		if got := f.taken(); !slices.Contains(got, post{"zigbee2mqtt/trv/set", `{"occupied_heating_setpoint":21.5}`, false}) {
			t.Errorf("sent %v", got)
		}
		f.deliver("zigbee2mqtt/trv", "zigbee2mqtt/trv", `{"occupied_heating_setpoint":21.5}`, false)
		if o := told(h, id); o.Err != "" {
			t.Error(o.Err)
		}
		c.Value = gateway.Number(300)
		if o := told(h, h.Send(c)); !o.Final || !strings.Contains(o.Err, "300 is no temperature for a valve") {
			t.Errorf("300 °C gives %+v", o)
		}
	})
}
