package mqtt

import (
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

// fuzzDialect hears two messages with an order between, and holds what no message may bring about: values
// that are none, and an order to switch on that nobody gave.
func fuzzDialect(f *testing.F, a Attached, topics []string, seeds ...string) {
	for i, s := range seeds {
		f.Add(uint8(i%len(topics)), s, false)
	}
	f.Fuzz(func(t *testing.T, topic uint8, payload string, retained bool) {
		d := speak(a)
		d.greet()
		m := heard{topic: topics[int(topic)%len(topics)], payload: []byte(payload), retained: retained}
		for _, orders := range [][]order{d.hear(m).orders, d.hear(m).orders, d.late().orders} {
			for _, o := range orders {
				if switchesOn(o) {
					t.Fatalf("%q brings about %v", payload, o)
				}
			}
		}
		_, _ = d.set(gateway.Command{Value: gateway.Flag(true)})
		r := d.hear(m)
		for _, s := range r.readings {
			if !s.value.Known() {
				t.Fatalf("%q gives an unknown %s", payload, s.quantity)
			}
		}
		if r.done && a.Role == RoleSensor {
			t.Fatalf("%q carries out an order to a sensor", payload)
		}
		if len(r.orders) > 8 {
			t.Fatalf("%q is answered by %d orders", payload, len(r.orders))
		}
	})
}

func switchesOn(o order) bool {
	t := parseTold([]byte(o.text))
	return o.text == "ON" || t.word("state") == "ON" || t.within("params").flag("on").Yes()
}

func fuzzRelay(kind Kind) Attached {
	return Attached{Name: "r", Role: RoleRelay, Kind: kind, Topic: "r", Command: "", Circuit: gateway.Circuit{Rooms: []string{"x"}, Lease: DefaultLease}}
}

func FuzzTasmota(f *testing.F) {
	fuzzDialect(f, fuzzRelay(Tasmota), []string{"stat/r/RESULT", "tele/r/LWT", "tele/r/SENSOR", "stat/r/POWER1", "tele/r/STATE"},
		`{"POWER":"ON"}`, "Online", `{"ENERGY":{"Power":[12,3]}}`, "OFF", `{"POWER1":"ON"}`, `{"PulseTime1":{"Set":1000,"Remaining":1000}}`)
}

func FuzzShelly(f *testing.F) {
	a := fuzzRelay(Shelly)
	fuzzDialect(f, a, []string{"r/events/rpc", "r/online", newShelly(a).source + "/rpc", "r/status/switch:0"},
		`{"method":"NotifyStatus","params":{"switch:0":{"output":true,"apower":1.5}}}`, "true", `{"id":2,"result":{"auto_off":false}}`, `{"output":false}`, "", "",
		`{"id":1,"error":{"code":-105,"message":"no"}}`)
}

func FuzzZigbee(f *testing.F) {
	fuzzDialect(f, fuzzRelay(Zigbee2MQTT), []string{"zigbee2mqtt/r", "zigbee2mqtt/r/availability", "zigbee2mqtt/bridge/state"},
		`{"state":"ON","veilleuse_on_time":{"onTime":8999},"last_seen":1761757200000}`, `{"state":"online"}`, "offline")
}

func FuzzZigbeeValve(f *testing.F) {
	a := fuzzRelay(Zigbee2MQTT)
	a.Role = RoleValve
	fuzzDialect(f, a, []string{"zigbee2mqtt/r"}, `{"occupied_heating_setpoint":21,"local_temperature":20,"window":"OPEN"}`)
}

func FuzzPlain(f *testing.F) {
	a := fuzzRelay(Plain)
	a.Key, a.Command = "a.b", "c"
	fuzzDialect(f, a, []string{"r"}, `{"a":{"b":"ON"}}`, "ON", `{"a":{"b":1}}`)
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{{"a/+", "a/b", true}, {"a/+", "a/b/c", false}, {"a/+", "a", false}, {"a", "a", true}, {"a/+/c", "a/b/c", true}, {"+", "a/b", false}} {
		if got := matches(c.filter, c.topic); got != c.want {
			t.Errorf("%s matches %s: %v", c.filter, c.topic, got)
		}
	}
}

func FuzzProfile(f *testing.F) {
	a := fuzzRelay("mine")
	a.Profile = &Profile{Name: "mine", Signs: []Sign{{Topic: "{topic}/status", Key: "s", Yes: "up", No: "down"}}, Ask: []Say{{Topic: "{topic}/get"}},
		Readings: []Extract{{Key: "*.t", Quantity: gateway.Temperature}, {Key: "door", Quantity: gateway.Contact, Yes: "open"}},
		Switch:   &Switch{State: Extract{Key: "relay"}, Topic: "{topic}/set", On: "ON", Off: "OFF", OnLeased: `{"state":"ON","for":{seconds}}`, Left: Extract{Topic: "{topic}/left"}, PerSecond: 1}}
	fuzzDialect(f, a, []string{"r", "r/status", "r/left"}, `{"relay":"ON","a":{"t":21},"door":"open"}`, "up", "899", `{"s":"down"}`)
}
