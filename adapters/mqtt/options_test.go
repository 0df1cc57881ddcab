package mqtt

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestCheckFindsFault(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		want    string // part of the error; "": none
	}{
		{"plain", Options{Broker: "mqtt://broker.lan:1883"}, ""},
		{"default port", Options{Broker: "mqtt://broker.lan"}, ""},
		{"an IPv6 address", Options{Broker: "mqtt://[fd00::1]:1883/"}, ""},
		{"TLS", Options{Broker: "mqtts://broker.lan:8883", CertificateFile: "a", KeyFile: "b"}, ""},
		{"a socket", Options{Broker: "unix:///run/mosquitto/mosquitto.sock"}, ""},
		{"levels in base and prefix", Options{Broker: "mqtt://h", Base: "home/heating", Discovery: "ha/discovery"}, ""},
		{"no broker", Options{}, "expected mqtt://host:1883"},
		{"another protocol", Options{Broker: "http://broker.lan"}, `mqtt.broker "http://broker.lan": expected`},
		{"no scheme", Options{Broker: "broker.lan:1883"}, "expected mqtt://"},
		{"a relative socket", Options{Broker: "unix://mosquitto.sock"}, "expected mqtt://"},
		{"a path", Options{Broker: "mqtt://broker.lan/mqtt"}, "expected mqtt://"},
		{"a password in the address", Options{Broker: "mqtt://joe:secret@broker.lan"}, "leave user name and password out"},
		{"a password in a broken address", Options{Broker: "mqtt://joe:secret@broker.lan:port"}, "mqtt.broker is no address"},
		{"a wildcard", Options{Broker: "mqtt://h", Base: "house/#"}, `mqtt.base "house/#": + and #`},
		{"a slash first", Options{Broker: "mqtt://h", Base: "/house"}, "leave out the slash"},
		{"a slash last", Options{Broker: "mqtt://h", Discovery: "homeassistant/"}, `mqtt.discovery "homeassistant/": leave out`},
		{"the broker's own topics", Options{Broker: "mqtt://h", Base: "$SYS"}, "belong to the broker"},
		{"both the same", Options{Broker: "mqtt://h", Discovery: "veilleuse"}, "must differ from mqtt.base"},
		{"half an identity", Options{Broker: "mqtts://h", KeyFile: "b"}, "go together"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.options.Check()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %q", err, test.want)
			case err != nil && strings.Contains(err.Error(), "secret"):
				t.Errorf("the password is in the message: %v", err)
			}
		})
	}
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCredentials(t *testing.T) {
	tests := []struct {
		name, user, file     string
		wantUser, wantSecret string
		fails                bool
	}{
		{"none", "", "-", "", "", false},
		{"a name alone", "joe", "-", "joe", "", false},
		{"name and file", "joe", "pass:word \nmore", "joe", "pass:word ", false},
		{"both in the file", "", "joe:pass:word\r\n", "joe", "pass:word", false},
		{"no name at all", "", "password\n", "", "", true},
		{"an empty name", "", ":password\n", "", "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := Options{User: test.user}
			if test.file != "-" {
				o.PasswordFile = file(t, test.file)
			}
			user, secret, err := o.credentials()
			if user != test.wantUser || secret != test.wantSecret || (err != nil) != test.fails {
				t.Errorf("got %q, %q, %v", user, secret, err)
			}
			if err != nil && strings.Contains(err.Error(), "password\n") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
	if _, _, err := (Options{PasswordFile: "/nowhere/password"}).credentials(); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestTLSNeedsRealFiles(t *testing.T) {
	rubbish := file(t, "rubbish")
	for name, o := range map[string]Options{
		"a missing CA":           {CAFile: "/nowhere/ca.pem"},
		"a CA that is none":      {CAFile: rubbish},
		"a missing identity":     {CertificateFile: "/nowhere/cert.pem", KeyFile: "/nowhere/key.pem"},
		"an identity not in PEM": {CertificateFile: rubbish, KeyFile: rubbish},
	} {
		if _, err := o.tls(); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}

func TestClientIDStaysTheSame(t *testing.T) {
	for want, o := range map[string]Options{
		"veilleuse":              {},
		"veilleuse-home-heating": {Base: "home/heating"},
		"mine":                   {Base: "home", ClientID: "mine"},
	} {
		if got := o.clientID(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOpenToAll(t *testing.T) {
	for address, want := range map[string]bool{
		"mqtt://broker.lan": true, "mqtt://192.168.1.4:1883": true, "mqtt://localhost": false,
		"mqtt://127.0.0.1:1883": false, "mqtt://[::1]": false, "unix:///run/mosquitto.sock": false,
	} {
		if got := (Options{Broker: address}).isOpenToAll(); got != want {
			t.Errorf("%s: %v", address, got)
		}
		if (Options{Broker: address, User: "joe"}).isOpenToAll() {
			t.Errorf("%s with a user counts as open", address)
		}
	}
}

func TestABrokerOpenToAllIsWarnedOf(t *testing.T) {
	for address, want := range map[string]bool{"mqtt://192.0.2.1": true, "mqtt://127.0.0.1": false} {
		var log strings.Builder
		o := Options{Broker: address, Log: slog.New(slog.NewTextHandler(&log, nil))}
		newSession(New(o), gateway.Port{})
		if got := strings.Contains(log.String(), "without a password"); got != want {
			t.Errorf("%s: warned %v", address, got)
		}
	}
}
