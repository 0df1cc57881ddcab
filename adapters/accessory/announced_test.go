package accessory

import (
	"net"
	"strings"
	"testing"
)

func TestAnnouncements(t *testing.T) {
	host := net.IPv4(192, 168, 1, 20)
	for _, test := range []struct {
		name     string
		instance string
		txt      []string
		want     Announced
		none     bool
	}{
		{"a relay as logged in public", `Netatmo\ Relay`, // core issue 17853: upper-case keys, a NUL behind the model
			[]string{"C#=5", "S#=1", "md=Netatmo Relay\x00", "id=12:34:56:20:D0:C5", "pv=1.1", "ci=2", "ff=1", "sf=1", "na_tkn=x"},
			Announced{ID: "12:34:56:20:d0:c5", Name: "Netatmo Relay", Model: "Netatmo Relay", Category: 2, Features: 1, Configuration: 5}, false},
		{"the same as the resolver hands it out", `Netatmo\ Relay`,
			[]string{"c#=5", `md=Netatmo\ Relay\000`, "id=12:34:56:20:d0:c5", "ci=2", "ff=1", "sf=0"},
			Announced{ID: "12:34:56:20:d0:c5", Name: "Netatmo Relay", Model: "Netatmo Relay", Category: 2, Paired: true, Features: 1, Configuration: 5}, false},
		{"a name in another script", `Caf\195\169\.`, []string{"id=12:34:56:20:d0:c5", "sf=1"},
			Announced{ID: "12:34:56:20:d0:c5", Name: "Café."}, false},
		{"no flag says nothing about a pairing", "x", []string{"id=12:34:56:20:d0:c5"}, Announced{ID: "12:34:56:20:d0:c5", Name: "x"}, false},
		{"of two entries the first counts", "x", []string{"id=12:34:56:20:d0:c5", "ID=00:00:00:00:00:01"}, Announced{ID: "12:34:56:20:d0:c5", Name: "x"}, false},
		{"a probe without content", "x", nil, Announced{}, true},
		{"an id that is none", "x", []string{"id=hello"}, Announced{}, true},
		{"numbers that are none", "x", []string{"id=12:34:56:20:d0:c5", "c#=-1", "ci=99999999999", "sf=x"},
			Announced{ID: "12:34:56:20:d0:c5", Name: "x", Paired: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := announced(test.instance, host, 5001, test.txt)
			if ok == test.none {
				t.Fatalf("got %+v, %v", got, ok)
			}
			if !test.none {
				test.want.Address = "192.168.1.20:5001"
			}
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
	for _, host := range []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "224.0.0.251", "ff02::fb", "255.255.255.255"} {
		if _, ok := announced("x", net.ParseIP(host), 5001, []string{"id=12:34:56:20:d0:c5"}); ok {
			t.Errorf("an accessory at %s would be dialled", host)
		}
	}
	if _, ok := announced("x", nil, 5001, []string{"id=12:34:56:20:d0:c5"}); ok {
		t.Error("an accessory without an address is of no use")
	}
}

func FuzzAnnounced(f *testing.F) {
	f.Add(`Netatmo\ Relay`, "C#=5\nmd=Netatmo Relay\x00\nid=12:34:56:20:D0:C5\nff=1\nsf=1", 5001)
	f.Add(`\`, "id", 0)
	f.Add(`a\1`, "=\nid=123456007df1\nsf=255\nff=256\nc#=65536", 70000)
	f.Fuzz(func(t *testing.T, instance, txt string, port int) {
		a, ok := announced(instance, net.IPv4(10, 0, 0, 1), port, strings.Split(txt, "\n"))
		if !ok {
			return
		}
		if !hardwareID.MatchString(a.ID) || a.ID != normalID(a.ID) || port < 1 || port > 65535 {
			t.Errorf("%+v is taken for an accessory", a)
		}
		if strings.ContainsRune(a.Model, 0) && strings.Trim(a.Model, "\x00") != a.Model || a.Configuration < 0 || a.Category < 0 {
			t.Errorf("%+v is not cleaned", a)
		}
	})
}
