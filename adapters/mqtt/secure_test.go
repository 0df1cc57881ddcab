package mqtt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/mqtt/mqtttest"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	var der []byte
	der, a.key = a.sign(&x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "test authority"}})
	a.cert, _ = x509.ParseCertificate(der)
	a.file = a.pem("CERTIFICATE", der)
	return a
}

func (a *authority) sign(c *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	parent, parentKey := a.cert, a.key
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

func (a *authority) pem(kind string, der []byte) string {
	a.t.Helper()
	name := filepath.Join(a.t.TempDir(), "pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return name
}

// identity is a certificate and its key in files.
func (a *authority) identity(usage x509.ExtKeyUsage) (cert, key string) {
	der, private := a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), ExtKeyUsage: []x509.ExtKeyUsage{usage},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.pem("CERTIFICATE", der), a.pem("PRIVATE KEY", raw)
}

// secured is a broker that wants to see a certificate, and says so only to those who trust its own.
func (a *authority) secured() *mqtttest.Broker {
	cert, key := a.identity(x509.ExtKeyUsageServerAuth)
	own, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		a.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return mqtttest.Start(a.t, mqtttest.TLS(&tls.Config{
		Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}))
}

// run runs an adapter and returns what it logs.
func run(t *testing.T, o mqtt.Options) *lines {
	log := &lines{new: make(chan struct{}, 1)}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	gatewaytest.Start(t, "mqtt", mqtt.New(o), gatewaytest.From(oneRoom()))
	return log
}

func TestTLSWithAClientCertificate(t *testing.T) {
	a := newAuthority(t)
	b := a.secured()
	cert, key := a.identity(x509.ExtKeyUsageClientAuth)
	log := run(t, mqtt.Options{Broker: b.URL(), CAFile: a.file, CertificateFile: cert, KeyFile: key})
	log.wait(t, "MQTT broker is there")
}

func TestTLSRefusesABrokerThatNobodyVouchesFor(t *testing.T) {
	a := newAuthority(t)
	b := a.secured()
	cert, key := a.identity(x509.ExtKeyUsageClientAuth)
	log := run(t, mqtt.Options{Broker: b.URL(), CAFile: newAuthority(t).file, CertificateFile: cert, KeyFile: key})
	log.wait(t, "certificate signed by unknown authority")
	if strings.Contains(log.String(), "is there\"") {
		t.Error("it was trusted all the same")
	}
}

func TestACertificateThatIsPutInPlaceLaterIsFound(t *testing.T) {
	a := newAuthority(t)
	b := a.secured()
	cert, key := a.identity(x509.ExtKeyUsageClientAuth)
	later := filepath.Join(t.TempDir(), "ca.pem")
	log := run(t, mqtt.Options{Broker: b.URL(), CAFile: later, CertificateFile: cert, KeyFile: key})
	log.wait(t, "no such file")
	if err := os.Symlink(a.file, later); err != nil {
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
