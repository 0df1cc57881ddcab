package main

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
)

// key is one key of the configuration: where it stands and how its value is read.
type key struct {
	path string
	read func(*Config, ast.Node) error
}

// keys is every key there is, in the order of the README.
var keys = []key{
	{"state", text(func(c *Config) *string { return &c.State }, notEmpty)},
	{"home.id", text(func(c *Config) *string { return &c.Home.ID }, anyText)},
	{"home.frost_guard", number(func(c *Config) *float64 { return &c.Home.FrostGuard }, 4, 15, "°C")},
	{"home.maximum", number(func(c *Config) *float64 { return &c.Home.Maximum }, 15, 35, "°C")},
	{"netatmo.url", text(func(c *Config) *string { return &c.Netatmo.URL }, notEmpty)},
	{"netatmo.client_id", text(func(c *Config) *string { return &c.Netatmo.ClientID }, anyText)},
	{"netatmo.client_secret_file", text(func(c *Config) *string { return &c.Netatmo.ClientSecretFile }, anyText)},
	{"netatmo.budget_per_hour", whole(func(c *Config) *int { return &c.Netatmo.BudgetPerHour }, 20, 500, "requests")},
	{"uplink.witnesses", texts(func(c *Config) *[]string { return &c.Uplink.Witnesses })},
	{"uplink.resolvers", texts(func(c *Config) *[]string { return &c.Uplink.Resolvers })},
	{"clock.servers", texts(func(c *Config) *[]string { return &c.Clock.Servers })},
	{"clock.dates", texts(func(c *Config) *[]string { return &c.Clock.Dates })},
	{"homekit.listen", text(func(c *Config) *string { return &c.HomeKit.Listen }, address)},
	{"homekit.name", text(func(c *Config) *string { return &c.HomeKit.Name }, bridgeName)},
	{"mqtt.broker", text(func(c *Config) *string { return &c.MQTT.Broker }, notEmpty)},
	{"mqtt.listen", text(func(c *Config) *string { return &c.MQTT.Listen }, address)},
	{"mqtt.users_file", text(func(c *Config) *string { return &c.MQTT.UsersFile }, anyText)},
	{"mqtt.acl_file", text(func(c *Config) *string { return &c.MQTT.AccessFile }, anyText)},
	{"mqtt.tls_certificate_file", text(func(c *Config) *string { return &c.MQTT.TLS.Certificate }, anyText)},
	{"mqtt.tls_key_file", text(func(c *Config) *string { return &c.MQTT.TLS.Key }, anyText)},
	{"mqtt.client_ca_file", text(func(c *Config) *string { return &c.MQTT.TLS.ClientCA }, anyText)},
	{"mqtt.base", text(func(c *Config) *string { return &c.MQTT.Base }, topicLevel)},
	{"mqtt.discovery", text(func(c *Config) *string { return &c.MQTT.Discovery }, anyText)},
	{"mqtt.pictures", yesNo(func(c *Config) *bool { return &c.MQTT.Pictures })},
	{"mqtt.user", text(func(c *Config) *string { return &c.MQTT.User }, anyText)},
	{"mqtt.password_file", text(func(c *Config) *string { return &c.MQTT.PasswordFile }, anyText)},
	{"mqtt.ca_file", text(func(c *Config) *string { return &c.MQTT.CAFile }, anyText)},
	{"mqtt.certificate_file", text(func(c *Config) *string { return &c.MQTT.CertificateFile }, anyText)},
	{"mqtt.key_file", text(func(c *Config) *string { return &c.MQTT.KeyFile }, anyText)},
	{"web.listen", text(func(c *Config) *string { return &c.Web.Listen }, address)},
	{"backup.key_file", text(func(c *Config) *string { return &c.Backup.KeyFile }, anyText)},
	{"backup.second", text(func(c *Config) *string { return &c.Backup.Second }, anyText)},
	{"ear.microphone", text(func(c *Config) *string { return &c.Ear.Microphone }, microphone)},
	{"ear.room", text(func(c *Config) *string { return &c.Ear.Room }, anyText)},
	{"alarms.plan", alarmPlan},
	{"alarms.repeat", span(func(c *Config) *time.Duration { return &c.Alarms.Repeat }, 30*time.Second, 24*time.Hour)},
	{"guard.sensors", guardSensors},
	{"guard.exit", span(func(c *Config) *time.Duration { return &c.Guard.Exit }, 0, longestDelay)},
	{"guard.entry", span(func(c *Config) *time.Duration { return &c.Guard.Entry }, 0, longestDelay)},
	{"guard.sirens", span(func(c *Config) *time.Duration { return &c.Guard.Sirens }, 0, longestStep)},
	{"accessories", accessories},
	{"profiles", profileList},
	{"relays", attached(mqtt.RoleRelay)},
	{"sensors", attached(mqtt.RoleSensor)},
	{"valves", attached(mqtt.RoleValve)},
}

func text(at func(*Config) *string, valid func(string) error) func(*Config, ast.Node) error {
	return func(c *Config, n ast.Node) error {
		s, err := stringOf(n)
		if err == nil {
			err = valid(s)
		}
		if err == nil {
			*at(c) = s
		}
		return err
	}
}

func texts(at func(*Config) *[]string) func(*Config, ast.Node) error {
	return func(c *Config, n ast.Node) error {
		list, ok := n.(*ast.SequenceNode)
		if !ok {
			return fmt.Errorf("expected a list, as in [a, b]")
		}
		all := []string{}
		for _, v := range list.Values {
			s, err := stringOf(v)
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		*at(c) = all
		return nil
	}
}

func number(at func(*Config) *float64, least, most float64, unit string) func(*Config, ast.Node) error {
	return func(c *Config, n ast.Node) error {
		f, err := strconv.ParseFloat(n.GetToken().Value, 64)
		if err != nil || !isNumber(n) {
			return fmt.Errorf("%s is not a number of %s", shown(n), unit)
		}
		if f < least || f > most {
			return fmt.Errorf("%g is out of range: %g to %g %s", f, least, most, unit)
		}
		*at(c) = f
		return nil
	}
}

func whole(at func(*Config) *int, least, most int, unit string) func(*Config, ast.Node) error {
	return func(c *Config, n ast.Node) error {
		i, err := strconv.Atoi(n.GetToken().Value)
		if err != nil || !isNumber(n) {
			return fmt.Errorf("%s is not a whole number of %s", shown(n), unit)
		}
		if i < least || i > most {
			return fmt.Errorf("%d is out of range: %d to %d %s", i, least, most, unit)
		}
		*at(c) = i
		return nil
	}
}

func yesNo(at func(*Config) *bool) func(*Config, ast.Node) error {
	return func(c *Config, n ast.Node) error {
		yes, err := flagOf(n)
		if err == nil {
			*at(c) = yes
		}
		return err
	}
}

func isNumber(n ast.Node) bool {
	return n.Type() == ast.IntegerType || n.Type() == ast.FloatType
}

// stringOf takes text, and also what YAML reads as a number or a truth: a person who writes an id of
// digits means the digits.
func stringOf(n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.NullNode:
		return "", nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", fmt.Errorf("expected one value, not %s", shown(n))
}

// shown is a node as a person would recognise it, on one line.
func shown(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a section"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	}
	return strconv.Quote(n.GetToken().Value)
}

func anyText(string) error { return nil }

func notEmpty(s string) error {
	if s == "" {
		return fmt.Errorf("it must not be empty")
	}
	return nil
}

// microphone refuses what arecord would take for an option, and what no ALSA device is called.
func microphone(s string) error {
	if strings.HasPrefix(s, "-") || strings.ContainsAny(s, "\x00\n") {
		return fmt.Errorf("%q is no microphone: expected an ALSA device as in default or plughw:1,0 (arecord -L lists them), or the path of a file or pipe", s)
	}
	return nil
}

func address(s string) error {
	_, port, err := net.SplitHostPort(s)
	if n, wrong := strconv.Atoi(port); err != nil || wrong != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q is not an address as in :51826 or 127.0.0.1:1883", s)
	}
	return nil
}

var (
	nameShape  = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} '.-]{1,23}[\p{L}\p{N}]$`)
	levelShape = regexp.MustCompile(`^[^+#/\s]+(/[^+#/\s]+)*$`)
	idShape    = regexp.MustCompile(`^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$`)
)

func bridgeName(s string) error {
	if !nameShape.MatchString(s) {
		return fmt.Errorf("%q is not a name for the Home app: 3 to 25 letters, digits, blanks, and a letter or digit at both ends", s)
	}
	return nil
}

func topicLevel(s string) error {
	if !levelShape.MatchString(s) {
		return fmt.Errorf("%q is not a topic: no blanks, no + or #, no / at either end", s)
	}
	return nil
}

func homeKitID(s string) error {
	if !idShape.MatchString(s) {
		return fmt.Errorf("%q is not a HomeKit id as in AA:BB:CC:DD:EE:FF (veilleuse discover lists them)", s)
	}
	return nil
}
