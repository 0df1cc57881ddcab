package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// certificate makes one for loopback, and what clients need to trust it.
func certificate(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}},
		&tls.Config{RootCAs: roots}
}

func TestTLS(t *testing.T) {
	server, trusting := certificate(t)
	b := brokertest.Start(t, broker.WithTLS(server), broker.WithUsers(map[string]string{"anna": quickHash(t, "right")}))
	options := paho.NewClientOptions().AddBroker("ssl://" + b.Address()).SetClientID("c").
		SetUsername("anna").SetPassword("right").SetTLSConfig(trusting).SetAutoReconnect(false)
	c := paho.NewClient(options)
	finish(t, c.Connect())
	defer c.Disconnect(0)
	got := listen(t, c, "a", 1)
	finish(t, c.Publish("a", 1, false, "in secret"))
	if m := next(t, got); m.payload != "in secret" {
		t.Errorf("got %+v", m)
	}
	plain := brokertest.Dial(t, b.Address())
	plain.Send(brokertest.Connect{ID: "plain", User: "anna", Password: "right"}.Bytes())
	plain.AwaitEnd()
}

// The guards hold beneath TLS, too: nobody stalls others or the end.
func TestTLSIsGuarded(t *testing.T) {
	server, trusting := certificate(t)
	b := brokertest.Start(t, broker.WithTLS(server),
		broker.WithLimits(broker.Limits{Introduction: time.Second, Patience: 500 * time.Millisecond}))
	handshakeOnly, err := tls.Dial("tcp", b.Address(), trusting)
	if err != nil {
		t.Fatal(err)
	}
	defer handshakeOnly.Close()
	silent := brokertest.Dial(t, b.Address())
	tcp := brokertest.Dial(t, b.Address())
	tcp.TakeLittle()
	stalled := brokertest.Over(t, tls.Client(tcp.Conn, &tls.Config{RootCAs: trusting.RootCAs, ServerName: "127.0.0.1"}))
	if code := stalled.Introduce(brokertest.Connect{ID: "stalled"}); code != 0 {
		t.Fatalf("refused with %d", code)
	}
	stalled.Subscribe("burst", 1)
	for range 2000 {
		if err := b.Publish("burst", make([]byte, 16<<10), false); err != nil {
			t.Fatal(err)
		}
	}
	silent.AwaitEnd()
	brokertest.Over(t, handshakeOnly).AwaitEnd()
	eventually(t, "all are gone", func() bool { waiting, inside := b.Connections(); return waiting+inside == 0 })
	b.Stop()
	eventually(t, "no goroutine is left", func() bool { return len(goroutines()) == 0 })
}

// authority makes certificates in files.
type authority struct {
	t       testing.TB
	folder  string
	cert    *x509.Certificate
	private *ecdsa.PrivateKey
	serial  int64
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t, folder: t.TempDir()}
	a.cert, a.private = a.make("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// make writes NAME.pem and NAME.key.
func (a *authority) make(name string, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.serial++
	template.SerialNumber, template.Subject.CommonName = big.NewInt(a.serial), name
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.private
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	put(a.t, a.file(name, "key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	put(a.t, a.file(name, "pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})))
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) file(name, kind string) string { return filepath.Join(a.folder, name+"."+kind) }

func (a *authority) server(name string) *x509.Certificate {
	cert, _ := a.make(name, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return cert
}

// client is what somebody needs who trusts the authority; with a name, it shows a certificate.
func (a *authority) client(name string) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	c := &tls.Config{RootCAs: roots}
	if name != "" {
		a.make(name, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		own, err := tls.LoadX509KeyPair(a.file(name, "pem"), a.file(name, "key"))
		if err != nil {
			a.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c
}

// enter tries to connect with paho.
func enter(t testing.TB, b *broker.Broker, config *tls.Config, change ...func(*paho.ClientOptions)) (paho.Client, error) {
	t.Helper()
	options := paho.NewClientOptions().AddBroker("ssl://" + b.Address()).SetClientID("c").SetTLSConfig(config).
		SetAutoReconnect(false).SetConnectTimeout(deadline)
	for _, c := range change {
		c(options)
	}
	c := paho.NewClient(options)
	token := c.Connect()
	if !token.WaitTimeout(deadline) {
		t.Fatal("the broker does not answer")
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c, token.Error()
}

// A certificate does for a password; its name is the user whom the access list knows.
func TestClientCertificates(t *testing.T) {
	a := newAuthority(t)
	a.server("broker")
	files := broker.CertificateFiles{Certificate: a.file("broker", "pem"), Key: a.file("broker", "key"), ClientCA: a.file("ca", "pem")}
	list := put(t, filepath.Join(a.folder, "acl"), "user plug\ntopic readwrite own/plug\n")
	b := brokertest.Start(t, broker.WithCertificates(files), broker.WithAccess(list))

	c, err := enter(t, b, a.client("plug"))
	if err != nil {
		t.Fatal(err)
	}
	got := listen(t, c, "own/plug", 1)
	finish(t, c.Publish("own/other", 1, false, "denied"))
	finish(t, c.Publish("own/plug", 1, false, "allowed"))
	if m := next(t, got); m.payload != "allowed" {
		t.Errorf("got %+v", m)
	}
	stranger := a.client("")
	stranger.Certificates = newAuthority(t).client("plug").Certificates
	for name, config := range map[string]*tls.Config{"no certificate": a.client(""), "one of somebody else": stranger} {
		if _, err := enter(t, b, config, as("plug", "x")); err == nil {
			t.Errorf("%s is let in", name)
		}
	}
}

// With users, who has no certificate needs a password.
func TestCertificateOrPassword(t *testing.T) {
	a := newAuthority(t)
	a.server("broker")
	files := broker.CertificateFiles{Certificate: a.file("broker", "pem"), Key: a.file("broker", "key"), ClientCA: a.file("ca", "pem")}
	b := brokertest.Start(t, broker.WithCertificates(files), broker.WithUsers(map[string]string{"anna": quickHash(t, "right")}))
	if _, err := enter(t, b, a.client("plug")); err != nil {
		t.Errorf("by certificate: %v", err)
	}
	if _, err := enter(t, b, a.client(""), as("anna", "right")); err != nil {
		t.Errorf("by password: %v", err)
	}
	if _, err := enter(t, b, a.client(""), as("anna", "wrong")); err == nil {
		t.Error("with a wrong password somebody is let in")
	}
	if _, err := enter(t, b, a.client("")); err == nil {
		t.Error("with nothing somebody is let in")
	}
}

// A renewed certificate is shown at the next connection; one that does not fit its key is not taken.
func TestRenewedCertificateIsTaken(t *testing.T) {
	a := newAuthority(t)
	first := a.server("broker")
	b := brokertest.Start(t, broker.WithCertificates(broker.CertificateFiles{Certificate: a.file("broker", "pem"), Key: a.file("broker", "key")}))
	shown := func() *big.Int {
		t.Helper()
		c, err := tls.Dial("tcp", b.Address(), a.client(""))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber
	}
	stays, err := enter(t, b, a.client(""))
	if err != nil {
		t.Fatal(err)
	}
	if n := shown(); n.Cmp(first.SerialNumber) != 0 {
		t.Errorf("certificate %v, want %v", n, first.SerialNumber)
	}
	put(t, a.file("broker", "pem"), "half a certifi")
	if n := shown(); n.Cmp(first.SerialNumber) != 0 {
		t.Errorf("while it is being renewed: certificate %v, want %v", n, first.SerialNumber)
	}
	second := a.server("broker")
	if n := shown(); n.Cmp(second.SerialNumber) != 0 {
		t.Errorf("certificate %v, want %v", n, second.SerialNumber)
	}
	if !stays.IsConnected() {
		t.Error("who was there lost the connection")
	}
}

func TestBadCertificateFiles(t *testing.T) {
	a := newAuthority(t)
	a.server("broker")
	a.server("other")
	good := broker.CertificateFiles{Certificate: a.file("broker", "pem"), Key: a.file("broker", "key")}
	for want, files := range map[string]broker.CertificateFiles{
		"go together":                         {Certificate: good.Certificate},
		"needs both":                          {ClientCA: a.file("ca", "pem")},
		"private key does not match":          {Certificate: good.Certificate, Key: a.file("other", "key")},
		"no such file":                        {Certificate: a.file("none", "pem"), Key: good.Key},
		"mqtt.client_ca_file: ":               {Certificate: good.Certificate, Key: good.Key, ClientCA: a.file("none", "pem")},
		"broker.key holds no PEM certificate": {Certificate: good.Certificate, Key: good.Key, ClientCA: good.Key},
	} {
		if _, err := broker.New("127.0.0.1:0", slog.New(slog.DiscardHandler), broker.WithCertificates(files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v, want %s", files, err, want)
		}
	}
	// To be reached by others, clients must be known: TLS alone is not enough.
	if _, err := broker.New(":1883", slog.New(slog.DiscardHandler), broker.WithCertificates(good)); err == nil {
		t.Error("a broker for everybody")
	}
	good.ClientCA = a.file("ca", "pem")
	if _, err := broker.New(":1883", slog.New(slog.DiscardHandler), broker.WithCertificates(good)); err != nil {
		t.Error(err)
	}
}
