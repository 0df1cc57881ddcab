package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
)

func TestGoodAttached(t *testing.T) {
	c, faults := readConfig("v.yaml", []byte(`
relays:
  - {name: Boiler, kind: tasmota, topic: tasmota_4F2A, rooms: [Living, 7], bypass: Hall valve, minimum_on: 5m}
  - name: Convector
    kind: shelly
    topic: shellyplus1-a8
    channel: 0
    rooms: [Study]
    heats: electric
    sensor: Study thermometer
    lease: 10m
  - {name: Pump, kind: plain, topic: p/state, command: p/set, rooms: [Cellar], without_lease: "I accept that it stays on if Veilleuse dies"}
sensors:
  - {name: Study thermometer, kind: plain, topic: s/study, key: a.b, room: Study}
valves:
  - {name: Hall valve, topic: hall_trv, room: Hall}
`))
	if len(faults) > 0 {
		t.Fatal(strings.Join(faults, "\n"))
	}
	got := c.attachedDevices()
	want := []mqtt.Attached{
		{Name: "Boiler", Role: mqtt.RoleRelay, Kind: mqtt.Tasmota, Topic: "tasmota_4F2A", Circuit: gateway.Circuit{
			Rooms: []string{"Living", "7"}, Heats: gateway.HeatsBoiler, Lease: 15 * time.Minute, MinimumOn: 5 * time.Minute, Bypass: "zigbee2mqtt-hall_trv"}},
		{Name: "Convector", Role: mqtt.RoleRelay, Kind: mqtt.Shelly, Topic: "shellyplus1-a8", Channel: "0", Circuit: gateway.Circuit{
			Rooms: []string{"Study"}, Heats: gateway.HeatsElectric, Lease: 10 * time.Minute, Sensor: "plain-s/study-sensor"}},
		{Name: "Pump", Role: mqtt.RoleRelay, Kind: mqtt.Plain, Topic: "p/state", Command: "p/set", Circuit: gateway.Circuit{
			Rooms: []string{"Cellar"}, Heats: gateway.HeatsRadiator}},
		{Name: "Study thermometer", Role: mqtt.RoleSensor, Kind: mqtt.Plain, Topic: "s/study", Key: "a.b", Room: "Study"},
		{Name: "Hall valve", Role: mqtt.RoleValve, Kind: mqtt.Zigbee2MQTT, Topic: "hall_trv", Room: "Hall"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read\n%+v, want\n%+v", got, want)
	}
}

func TestBadAttached(t *testing.T) {
	const relay = "relays:\n  - name: Boiler\n    kind: tasmota\n    topic: t\n    rooms: [Bath]\n"
	tests := []struct{ name, content, want string }{
		{"no list", "relays: boiler\n", "v.yaml:1:9: relays: expected a list, each item with name, kind and topic"},
		{"unknown key", relay + "    leash: 3m\n", "v.yaml:6:5: relays: item 1: leash is no key of a relay; it has name, kind,"},
		{"key of another role", "sensors:\n  - {name: a, kind: plain, topic: t, lease: 3m}\n", "v.yaml:2:38: sensors: item 1: lease is no key of a sensor"},
		{"unknown kind", "sensors:\n  - {name: a, kind: esphome, topic: t}\n", `sensors: item 1: kind: "esphome" is none of tasmota, shelly, zigbee2mqtt, plain`},
		{"no topic", "relays:\n  - name: a\n    kind: shelly\n    rooms: [b]\n", "relays: item 1: topic is missing: what the device's page calls MQTT prefix"},
		{"wildcard", "sensors:\n  - {name: a, kind: plain, topic: \"a/#\"}\n", `sensors: item 1: topic: "a/#" is not a topic`},
		{"no rooms", "relays:\n  - name: a\n    kind: shelly\n    topic: s\n", "relays: item 1: rooms is missing"},
		{"plain without the words", "relays:\n  - {name: a, kind: plain, topic: s, command: c, rooms: [b]}\n", "lease: a plain relay cannot switch off by itself; say without_lease:"},
		{"other words", relay + "    without_lease: yes\n", `v.yaml:6:20: relays: item 1: without_lease: these words are needed, exactly: "I accept that it stays on if Veilleuse dies"`},
		{"both", relay + "    lease: 5m\n    without_lease: \"I accept that it stays on if Veilleuse dies\"\n", "lease and without_lease exclude each other"},
		{"lease of a day", relay + "    lease: 24h\n", `v.yaml:6:12: relays: item 1: lease: "24h" is not a time from 1m0s to 1h0m0s`},
		{"heats what", relay + "    heats: pump\n", `v.yaml:6:12: relays: item 1: heats: "pump" is none of boiler, radiator, floor, electric`},
		{"channel", relay + "    channel: 9\n", `relays: item 1: channel: "9" is none of 1 to 8`},
		{"command where there is none", relay + "    command: c\n", "relays: item 1: command is for plain relays only"},
		{"room twice", "relays:\n  - {name: a, kind: tasmota, topic: t, rooms: [b, b]}\n", `relays: item 1: rooms: "b" is empty or named twice`},
		{"attached twice", relay + "  - name: Other\n    kind: tasmota\n    topic: t\n    rooms: [Bed]\n", "v.yaml:6:9: relays: item 2: Boiler is attached twice"},
		{"valve of another kind", "valves:\n  - {name: a, kind: shelly, topic: t}\n", "valves: item 1: kind: a valve by MQTT is understood from zigbee2mqtt or a profile, not from shelly"},
		{"below our own topics", "sensors:\n  - {name: a, kind: plain, topic: veilleuse/x}\n", "topic: veilleuse/x stands below mqtt.base, where Veilleuse itself speaks"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, faults := readConfig("v.yaml", []byte(test.content))
			got := strings.Join(faults, "\n")
			if !strings.Contains(got, test.want) || len(faults) != 1 || strings.Contains(got, "\n") || !strings.HasPrefix(got, "v.yaml:") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAllFaultsOfAnAttachedDeviceAreSaid(t *testing.T) {
	_, faults := readConfig("v.yaml", []byte("relays:\n  - {name: a, kind: tasmota, heats: x, lease: y}\n  - {kind: plain}\n"))
	if len(faults) < 5 {
		t.Errorf("%d faults are said: %v", len(faults), faults)
	}
}
