package mqtt_test

import (
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// secured is a broker that wants to see a certificate, and says so only to those who trust its own.
func secured(t *testing.T, a *gatewaytest.Authority) *mqtttest.Broker {
	return mqtttest.Start(t, mqtttest.TLS(&tls.Config{
		Certificates: []tls.Certificate{a.Server("broker")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.Roots()}))
}

// run runs an adapter and returns what it logs.
func run(t *testing.T, o mqtt.Options) *lines {
	log := &lines{new: make(chan struct{}, 1)}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	gatewaytest.Start(t, "mqtt", mqtt.New(o), gatewaytest.From(oneRoom()))
	return log
}

func TestTLSWithAClientCertificate(t *testing.T) {
	a := gatewaytest.NewAuthority(t)
	b := secured(t, a)
	a.Client("house")
	log := run(t, mqtt.Options{Broker: b.URL(), CAFile: a.File("ca.pem"), CertificateFile: a.File("house.pem"), KeyFile: a.File("house.key")})
	log.wait(t, "MQTT broker is there")
}

func TestTLSRefusesABrokerThatNobodyVouchesFor(t *testing.T) {
	a := gatewaytest.NewAuthority(t)
	b := secured(t, a)
	a.Client("house")
	log := run(t, mqtt.Options{Broker: b.URL(), CAFile: gatewaytest.NewAuthority(t).File("ca.pem"), CertificateFile: a.File("house.pem"), KeyFile: a.File("house.key")})
	log.wait(t, "certificate signed by unknown authority")
	if strings.Contains(log.String(), "is there\"") {
		t.Error("it was trusted all the same")
	}
}

func TestACertificateThatIsPutInPlaceLaterIsFound(t *testing.T) {
	a := gatewaytest.NewAuthority(t)
	b := secured(t, a)
	a.Client("house")
	later := filepath.Join(t.TempDir(), "ca.pem")
	log := run(t, mqtt.Options{Broker: b.URL(), CAFile: later, CertificateFile: a.File("house.pem"), KeyFile: a.File("house.key")})
	log.wait(t, "no such file")
	if err := os.Symlink(a.File("ca.pem"), later); err != nil {
		t.Fatal(err)
	}
	log.wait(t, "MQTT broker is there")
}

func TestUserAndPassword(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Password("joe", "open sesame"))
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := run(t, mqtt.Options{Broker: b.URL(), User: "joe", PasswordFile: file})
	log.wait(t, "not Authorized")
	if err := os.WriteFile(file, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log.wait(t, "MQTT broker is there") // without a restart
	if text := log.String(); strings.Contains(text, "sesame") || strings.Contains(text, "wrong") {
		t.Errorf("a password is logged:\n%s", text)
	}
}

func TestAMissingPasswordFileIsSaid(t *testing.T) {
	b := mqtttest.Start(t)
	log := run(t, mqtt.Options{Broker: b.URL(), User: "joe", PasswordFile: filepath.Join(t.TempDir(), "none")})
	log.wait(t, "read the MQTT password")
}

func TestAUnixSocket(t *testing.T) {
	folder, err := os.MkdirTemp("", "m") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	b := mqtttest.Start(t, mqtttest.Unix(filepath.Join(folder, "s")))
	run(t, mqtt.Options{Broker: b.URL()}).wait(t, "MQTT broker is there")
}

func TestWishesThatTheBrokerHoldsBackAreSaid(t *testing.T) {
	b := mqtttest.Start(t, mqtttest.Deny("veilleuse/home/set"))
	run(t, mqtt.Options{Broker: b.URL()}).wait(t, "does not let us read veilleuse/home/set")
}
