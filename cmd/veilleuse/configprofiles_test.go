package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
)

const esphome = `profiles:
  - name: esphome
    availability: {topic: "{topic}/status", yes: online, no: offline}
    ask: {topic: "{topic}/get"}
    state: {topic: "{topic}/relay", key: state, on: "on", off: "off"}
    command: {topic: "{topic}/relay/set", on: "on", off: "off", leased: "on,{seconds}"}
    left: {topic: "{topic}/relay", key: left, per_second: 1000, ask: {topic: "{topic}/left/get"}}
    readings:
      - {topic: "{topic}/t", quantity: temperature}
      - {key: door, quantity: contact, yes: open, no: shut}
    target: {key: target, command: "{topic}/target/set", payload: "{value}"}
`

func TestAProfileOfTheUsersOwn(t *testing.T) {
	for name, content := range map[string]string{
		"before the devices": esphome + "relays:\n  - {name: Pump, kind: esphome, topic: esp1, rooms: [Bath]}\n",
		"behind them":        "relays:\n  - {name: Pump, kind: esphome, topic: esp1, rooms: [Bath]}\n" + esphome,
	} {
		t.Run(name, func(t *testing.T) {
			c, faults := readConfig("v.yaml", []byte(content+"valves:\n  - {name: V, kind: esphome, topic: esp2, room: Bath}\nsensors:\n  - {name: S, kind: esphome, topic: esp3, room: Bath}\n"))
			if len(faults) > 0 {
				t.Fatal(strings.Join(faults, "\n"))
			}
			want := &mqtt.Profile{
				Name:     "esphome",
				Signs:    []mqtt.Sign{{Topic: "{topic}/status", Yes: "online", No: "offline", Why: "its availability topic says that it is not there"}},
				Ask:      []mqtt.Say{{Topic: "{topic}/get"}},
				Readings: []mqtt.Extract{{Topic: "{topic}/t", Quantity: gateway.Temperature}, {Key: "door", Quantity: gateway.Contact, Yes: "open", No: "shut"}},
				Switch: &mqtt.Switch{State: mqtt.Extract{Topic: "{topic}/relay", Key: "state", Yes: "on", No: "off"},
					Topic: "{topic}/relay/set", On: "on", Off: "off", OnLeased: "on,{seconds}",
					Left: mqtt.Extract{Topic: "{topic}/relay", Key: "left"}, PerSecond: 1000, AskLeft: &mqtt.Say{Topic: "{topic}/left/get"}, Timer: "its lease"},
				Setpoint: &mqtt.Setpoint{Keys: []string{"target"}, Topic: "{topic}/target/set", Payload: "{value}"},
			}
			for _, a := range c.attachedDevices() {
				if !reflect.DeepEqual(a.Profile, want) {
					t.Errorf("%s has the profile\n%+v, want\n%+v", a.Name, a.Profile, want)
				}
			}
		})
	}
}

func TestBadProfiles(t *testing.T) {
	const head = "profiles:\n  - name: mine\n"
	const relay = head + "    state: {topic: \"{topic}\"}\n    command: {topic: \"{topic}/set\", on: \"ON\", off: \"OFF\"}\n"
	tests := []struct{ name, content, want string }{
		{"no list", "profiles: mine\n", "v.yaml:1:11: profiles: expected a list, each item with name"},
		{"unknown key", head + "    commands: x\n", "v.yaml:3:5: profiles: item 1: commands is no key of a profile; it has ask, availability, command,"},
		{"unknown key inside", head + "    command: {topics: x}\n", "v.yaml:3:15: profiles: item 1: command: topics is no key of command; it has leased, off, on, topic"},
		{"no name", "profiles:\n  - readings: [{quantity: temperature}]\n", `v.yaml:2:13: profiles: item 1: name: "" is not a name`},
		{"a name of ours", "profiles:\n  - name: shelly\n    readings: [{quantity: temperature}]\n", "profiles: item 1: name: shelly is there already"},
		{"twice", head + "    readings: [{quantity: temperature}]\n  - name: mine\n    readings: [{quantity: temperature}]\n", "v.yaml:4:9: profiles: item 2: name: mine is there twice"},
		{"nothing in it", head, "profiles: item 1: readings, command or target is missing"},
		{"all devices are one", head + "    command: {topic: pump/set, on: \"ON\", off: \"OFF\"}\n", "command.topic: {topic} is missing, which tells one device from another"},
		{"an unknown place", head + "    readings: [{topic: \"{host}/t\", quantity: temperature}]\n", "readings item 1: topic: {host} is none of {topic}, {channel}, {_channel}, {/channel}"},
		{"a wildcard", head + "    readings: [{topic: \"{topic}/#\", quantity: temperature}]\n", "is not a topic: no + or #"},
		{"availability nowhere", head + "    readings: [{quantity: temperature}]\n    availability: {yes: a, no: b}\n", "availability.topic is missing"},
		{"no words", head + "    command: {topic: \"{topic}/set\"}\n", "command: on and off are missing"},
		{"a lease without its time", relay + "    left: {key: left}\n", "command.leased is missing"},
		{"a lease that nobody can read back", head + "    command: {topic: \"{topic}/set\", on: a, off: b, leased: \"a {seconds}\"}\n", "left is missing: where the device shows what is left of its time; a lease that cannot be read back is none"},
		{"leased without seconds", head + "    command: {topic: \"{topic}/set\", on: a, off: b, leased: a}\n    left: {key: left}\n", "command.leased: {seconds} is missing"},
		{"counts in nothing", relay + "    left: {key: left, per_second: 0}\n", `v.yaml:5:35: profiles: item 1: left: per_second: "0" is not how many`},
		{"an unknown quantity", head + "    readings: [{quantity: heat}]\n", `readings item 1: quantity: "heat" is none of battery, co,`},
		{"a lock", head + "    readings: [{quantity: lock, yes: a}]\n", `quantity: "lock" is none of`},
		{"a flag without words", head + "    readings: [{quantity: smoke}]\n", "readings item 1: yes is missing: the word for smoke"},
		{"a number with words", head + "    readings: [{quantity: temperature, yes: warm}]\n", "yes and no are for what is true or false"},
		{"a target without value", head + "    target: {command: \"{topic}/set\", payload: x}\n", "target.payload: {value} is missing"},
		{"a relay without a lease", relay + "relays:\n  - {name: a, kind: mine, topic: t, rooms: [b]}\n", "v.yaml:6:5: relays: item 1: lease: profile mine has no command.leased"},
		{"not what the profile is for", relay + "sensors:\n  - {name: a, kind: mine, topic: t, room: b}\n", "sensors: item 1: kind: profile mine says nothing of a sensor; it needs readings"},
		{"below our own topics", head + "    readings: [{topic: \"veilleuse/{topic}\", quantity: temperature}]\nsensors:\n  - {name: a, kind: mine, topic: t, room: b}\n", "veilleuse/t stands below mqtt.base"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, faults := readConfig("v.yaml", []byte(test.content))
			got := strings.Join(faults, "\n")
			if !strings.Contains(got, test.want) || len(faults) != 1 || !strings.HasPrefix(got, "v.yaml:") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
