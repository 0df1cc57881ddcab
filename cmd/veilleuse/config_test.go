package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestGoodConfig(t *testing.T) {
	c, faults := readConfig("good.yaml", []byte(`
state: /tmp/v                    # where
home:
  id: 5e1
  frost_guard: 8
  maximum: 26.5
netatmo: {url: "http://127.0.0.1:9000", client_id: abc, client_secret_file: /s, budget_per_hour: 60}
uplink:
  witnesses: [one.example, "two.example:443"]
homekit:
  listen: ":0"
mqtt:
  broker: mqtts://host:8883
  discovery:
  pictures: true
accessories:
  - id: aa:bb:cc:dd:ee:ff
    address: 192.168.1.7:5001
    room: Bath
  - {id: "AA:BB:CC:DD:EE:01", siren: true}
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := defaults()
	want.State = "/tmp/v"
	want.Home = HomeConfig{ID: "5e1", FrostGuard: 8, Maximum: 26.5}
	want.Netatmo = NetatmoConfig{URL: "http://127.0.0.1:9000", ClientID: "abc", ClientSecretFile: "/s", BudgetPerHour: 60}
	want.Uplink.Witnesses = []string{"one.example", "two.example:443"}
	want.HomeKit.Listen = ":0"
	want.MQTT.Broker, want.MQTT.Discovery, want.MQTT.Pictures = "mqtts://host:8883", "", true
	want.Accessories = []AccessoryConfig{{ID: "AA:BB:CC:DD:EE:FF", Address: "192.168.1.7:5001", Room: "Bath"}, {ID: "AA:BB:CC:DD:EE:01", Siren: true}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("read\n%+v, want\n%+v", c, want)
	}
}

func TestEmptyConfigIsTheDefaults(t *testing.T) {
	for _, content := range []string{"", "# nothing yet\n", "home:\n"} {
		if c, faults := readConfig("x", []byte(content)); len(faults) > 0 || !reflect.DeepEqual(c, defaults()) {
			t.Errorf("%q gives %v, %+v", content, faults, c)
		}
	}
}

func TestBadConfig(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"unknown key", "statte: /x\n", `v.yaml:1:1: statte is no key of the configuration; did you mean state?`},
		{"key of another section", "frost_guard: 7\n", `v.yaml:1:1: frost_guard is no key of the configuration; did you mean home.frost_guard?`},
		{"unknown key inside", "home:\n  frost_gard: 7\n", `v.yaml:2:3: home.frost_gard is no key of the configuration; did you mean home.frost_guard?`},
		{"a word for a number", "home:\n  frost_guard: seven\n", `v.yaml:2:16: home.frost_guard: "seven" is not a number of °C`},
		{"a number in quotes", "home:\n  frost_guard: \"7\"\n", `v.yaml:2:16: home.frost_guard: "7" is not a number of °C`},
		{"out of range", "home:\n  maximum: 300\n", `v.yaml:2:12: home.maximum: 300 is out of range: 15 to 35 °C`},
		{"not a number at all", "home:\n  maximum: .nan\n", `v.yaml:2:12: home.maximum: ".nan" is not a number of °C`},
		{"floor above cap", "home:\n  frost_guard: 15\n  maximum: 15\n", `v.yaml: home.maximum is 15 °C and must lie above home.frost_guard, 15 °C`},
		{"plain http to the world", "netatmo:\n  url: http://api.netatmo.com\n", `v.yaml: netatmo.url: "http://api.netatmo.com" is not safe for your tokens; use https:// (http:// only for a loopback address, for tests)`},
		{"secret missing", "netatmo:\n  client_id: abc\n", `v.yaml: netatmo.client_secret_file is missing: netatmo.client_id needs the secret of the same application`},
		{"half a request", "netatmo:\n  budget_per_hour: 1.5\n", `v.yaml:2:20: netatmo.budget_per_hour: "1.5" is not a whole number of requests`},
		{"broker of an unknown kind", "mqtt:\n  broker: tcp://x:1883\n", `v.yaml: mqtt.broker "tcp://x:1883": expected mqtt://host:1883, mqtts://host:8883, unix:///path/of/socket or embedded`},
		{"broker open to the house without users", "mqtt:\n  listen: \":1883\"\n", `v.yaml: mqtt.listen: `},
		{"a second place for backups in clear", "backup:\n  second: /mnt/usb\n", `v.yaml: backup.key_file is missing: backups in backup.second must be encrypted`},
		{"a key of backups that is none", "backup:\n  key: x\n", `v.yaml:2:3: backup.key is no key of the configuration`},
		{"witness that is none", "uplink:\n  witnesses: [\"http://\"]\n", `v.yaml: uplink: `},
		{"address without port", "homekit:\n  listen: localhost\n", `v.yaml:2:11: homekit.listen: "localhost" is not an address as in :51826 or 127.0.0.1:1883`},
		{"name the Home app refuses", "homekit:\n  name: \"-\"\n", `v.yaml:2:9: homekit.name: "-" is not a name for the Home app: 3 to 25 letters, digits, blanks, and a letter or digit at both ends`},
		{"pictures neither sent nor not", "mqtt:\n  pictures: some\n", `v.yaml:2:13: mqtt.pictures: expected true or false, not "some"`},
		{"Homie as base", "mqtt:\n  base: homie\n  discovery: homie\n", `v.yaml: mqtt.discovery "homie": must differ from mqtt.base`},
		{"wildcard as base", "mqtt:\n  base: home/#x\n", `v.yaml:2:9: mqtt.base: "home/#x" is not a topic: no blanks, no + or #, no / at either end`},
		{"section as value", "home: 7\n", `v.yaml:1:7: home is a section: its keys stand below it, indented`},
		{"value as section", "state:\n  folder: x\n", `v.yaml:2:9: state: expected one value, not a section`},
		{"list as value", "state: [a]\n", `v.yaml:1:8: state: expected one value, not a list`},
		{"value as list", "uplink:\n  witnesses: a\n", `v.yaml:2:14: uplink.witnesses: expected a list, as in [a, b]`},
		{"twice", "state: a\nstate: b\n", `v.yaml:2:1: not YAML: mapping key "state" already defined at [1:1]`},
		{"accessory without id", "accessories:\n  - address: h:1\n", `item 1: id: "" is not a HomeKit id as in AA:BB:CC:DD:EE:FF (veilleuse discover lists them)`},
		{"accessory with a wrong key", "accessories:\n  - {id: \"AA:BB:CC:DD:EE:01\", port: 1}\n", `item 1: port is no key of an accessory; it has id, address, room and siren`},
		{"no YAML", "home: [\n", "v.yaml:"},
		{"only a word", "hello\n", `v.yaml:1:1: expected keys as in "state: /var/lib/veilleuse"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, faults := readConfig("v.yaml", []byte(test.content))
			got := strings.Join(faults, "\n")
			if !strings.Contains(got, test.want) || len(faults) != 1 || strings.Contains(got, "\n") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAllFaultsAreFound(t *testing.T) {
	_, faults := readConfig("v.yaml", []byte("a: 1\nhome:\n  b: 2\n  maximum: x\n"))
	if len(faults) != 3 {
		t.Errorf("%d faults found of 3: %v", len(faults), faults)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("home:\n  frost_guard: 7\n")
	f.Add("accessories:\n  - {id: x}\n")
	f.Add("a: &x [*x]\n")
	f.Fuzz(func(t *testing.T, content string) {
		c, faults := readConfig("f", []byte(content))
		if len(faults) == 0 && (c.Home.FrostGuard < 4 || c.Home.Maximum > 35) {
			t.Errorf("accepted a floor of %g and a cap of %g", c.Home.FrostGuard, c.Home.Maximum)
		}
	})
}

func TestNoResolversAreTheSystems(t *testing.T) {
	c, faults := readConfig("v.yaml", []byte("uplink:\n  resolvers: []\n  witnesses: []\n"))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if o := uplinkOptions(c, outside{}); o.Resolvers != nil || o.Witnesses == nil {
		t.Errorf("resolvers %#v, want nil for the system's; witnesses %#v, want none", o.Resolvers, o.Witnesses)
	}
	c.Uplink.Resolvers = []string{"192.0.2.1"}
	if o := uplinkOptions(c, outside{}); len(o.Resolvers) != 1 {
		t.Errorf("resolvers %#v, want the one that is named", o.Resolvers)
	}
}
