package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/clock"
	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

// Who tests must not ask the world for the time.
func TestWhoIsAskedForTheTime(t *testing.T) {
	for _, c := range []struct {
		name, content  string
		servers, dates []string
	}{
		{"nothing is said", "", nil, clock.DefaultDates()},
		{"none", "clock:\n  servers: []\n  dates: []\n", []string{}, []string{}},
		{"named", "clock:\n  servers: [192.168.1.1]\n  dates: [a.example, b.test]\n", []string{"192.168.1.1"}, []string{"a.example", "b.test"}},
		{"a test", "netatmo:\n  url: http://127.0.0.1:9000\n", []string{}, nil},
		{"a test by name", "netatmo:\n  url: http://localhost:9000\n", []string{}, nil},
		{"a test that names some outside", "netatmo:\n  url: https://127.0.0.1:9000\nclock:\n  dates: [a.example, b.test]\n", []string{}, nil},
		{"a test that names its own", "netatmo:\n  url: http://127.0.0.1:9000\nclock:\n  servers: [127.0.0.1:1123]\n  dates: [127.0.0.1:1, 127.0.0.2:2]\n",
			[]string{"127.0.0.1:1123"}, []string{"127.0.0.1:1", "127.0.0.2:2"}},
	} {
		config, faults := readConfig("x.yaml", []byte(c.content))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		o := clockOptions(config)
		if !slices.Equal(o.Servers, c.servers) || (o.Servers == nil) != (c.servers == nil) || !slices.Equal(o.Dates, c.dates) {
			t.Errorf("%s: servers %q, dates %q, want %q, %q", c.name, o.Servers, o.Dates, c.servers, c.dates)
		}
	}
}

func TestBadClockConfig(t *testing.T) {
	for content, want := range map[string]string{
		"clock:\n  dates: [debian.org]\n":                                     "clock: dates: debian.org has no second operator beside it",
		"clock:\n  dates: [debian.org, \"https://wikipedia.org/\"]\n":         `clock: dates[1]: "https://wikipedia.org/" is not a web server`,
		"netatmo:\n  url: http://127.0.0.1:1\nclock:\n  dates: [a.example]\n": "clock: dates: a.example has no second operator",
		"clock:\n  servers: [\":123\"]\n":                                     `clock: servers[0]: ":123" is not a time server`,
		"clock:\n  dates: debian.org\n":                                       "expected a list",
	} {
		_, faults := readConfig("x.yaml", []byte(content))
		if err := faultError(faults); len(faults) == 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, faults, want)
		}
	}
}

func TestStatusSaysHowFarOffTheClockMayBe(t *testing.T) {
	for bound, want := range map[time.Duration]string{
		0: "clock: holdover (why)\n", time.Second: "clock: holdover, within 1 s (why)\n",
		40 * time.Millisecond: "within 1 s", 30 * time.Minute: "within 30 min",
	} {
		var out bytes.Buffer
		printStatus(&out, report(gateway.State{Clock: gateway.Clock{Trust: gateway.TrustHoldover, Bound: bound, Why: "why"}}, notes.Notes{}))
		if !strings.Contains(out.String(), want) {
			t.Errorf("%v gives\n%s", bound, out.String())
		}
	}
}
