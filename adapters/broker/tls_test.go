package broker_test

import (
	"crypto/tls"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// certificate is one for loopback, and what clients need to trust it.
func certificate(t testing.TB) (server, client *tls.Config) {
	ca := gatewaytest.NewAuthority(t)
	return &tls.Config{Certificates: []tls.Certificate{ca.Server("broker")}}, &tls.Config{RootCAs: ca.Roots()}
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
	for name, row := range map[string]struct {
		limits broker.Limits
		crowd  func(*testing.T, *broker.Broker, *tls.Config)
	}{
		"from those who say nothing":  {broker.Limits{Introduction: 300 * time.Millisecond}, silentOverTLS},
		"from those who read nothing": {broker.Limits{Patience: 500 * time.Millisecond}, stalledOverTLS},
	} {
		t.Run(name, func(t *testing.T) {
			server, trusting := certificate(t)
			b := brokertest.Start(t, broker.WithTLS(server), broker.WithLimits(row.limits))
			row.crowd(t, b, trusting)
			eventually(t, "all are gone", func() bool { waiting, inside := b.Connections(); return waiting+inside == 0 })
			b.Stop()
			eventually(t, "no goroutine is left", func() bool { return len(goroutines()) == 0 })
		})
	}
}

// silentOverTLS are two who introduce themselves never, the one after the handshake.
func silentOverTLS(t *testing.T, b *broker.Broker, trusting *tls.Config) {
	tcp := brokertest.Dial(t, b.Address())
	shaken := tls.Client(tcp.Conn, &tls.Config{RootCAs: trusting.RootCAs, ServerName: "127.0.0.1"})
	_ = shaken.Handshake() // on a busy machine its time may be over before
	silent := brokertest.Dial(t, b.Address())
	silent.AwaitEnd()
	brokertest.Over(t, shaken).AwaitEnd()
}

// stalledOverTLS is one who subscribes and then reads nothing more.
func stalledOverTLS(t *testing.T, b *broker.Broker, trusting *tls.Config) {
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
}

// trusting is what somebody needs who trusts the authority; with certificates, they are shown.
func trusting(a *gatewaytest.Authority, shown ...tls.Certificate) *tls.Config {
	return &tls.Config{RootCAs: a.Roots(), Certificates: shown}
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
	a := gatewaytest.NewAuthority(t)
	a.Server("broker")
	files := broker.CertificateFiles{Certificate: a.File("broker.pem"), Key: a.File("broker.key"), ClientCA: a.File("ca.pem")}
	list := put(t, a.File("acl"), "user plug\ntopic readwrite own/plug\n")
	b := brokertest.Start(t, broker.WithCertificates(files), broker.WithAccess(list))

	c, err := enter(t, b, trusting(a, a.Client("plug")))
	if err != nil {
		t.Fatal(err)
	}
	got := listen(t, c, "own/plug", 1)
	finish(t, c.Publish("own/other", 1, false, "denied"))
	finish(t, c.Publish("own/plug", 1, false, "allowed"))
	if m := next(t, got); m.payload != "allowed" {
		t.Errorf("got %+v", m)
	}
	stranger := trusting(a, gatewaytest.NewAuthority(t).Client("plug"))
	for name, config := range map[string]*tls.Config{"no certificate": trusting(a), "one of somebody else": stranger} {
		if _, err := enter(t, b, config, as("plug", "x")); err == nil {
			t.Errorf("%s is let in", name)
		}
	}
}

// With users, who has no certificate needs a password.
func TestCertificateOrPassword(t *testing.T) {
	a := gatewaytest.NewAuthority(t)
	a.Server("broker")
	files := broker.CertificateFiles{Certificate: a.File("broker.pem"), Key: a.File("broker.key"), ClientCA: a.File("ca.pem")}
	b := brokertest.Start(t, broker.WithCertificates(files), broker.WithUsers(map[string]string{"anna": quickHash(t, "right")}))
	if _, err := enter(t, b, trusting(a, a.Client("plug"))); err != nil {
		t.Errorf("by certificate: %v", err)
	}
	if _, err := enter(t, b, trusting(a), as("anna", "right")); err != nil {
		t.Errorf("by password: %v", err)
	}
	if _, err := enter(t, b, trusting(a), as("anna", "wrong")); err == nil {
		t.Error("with a wrong password somebody is let in")
	}
	if _, err := enter(t, b, trusting(a)); err == nil {
		t.Error("with nothing somebody is let in")
	}
}

// A renewed certificate is shown at the next connection; one that does not fit its key is not taken.
func TestRenewedCertificateIsTaken(t *testing.T) {
	a := gatewaytest.NewAuthority(t)
	first := a.Server("broker").Leaf
	b := brokertest.Start(t, broker.WithCertificates(broker.CertificateFiles{Certificate: a.File("broker.pem"), Key: a.File("broker.key")}))
	shown := func() *big.Int {
		t.Helper()
		c, err := tls.Dial("tcp", b.Address(), trusting(a))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber
	}
	stays, err := enter(t, b, trusting(a))
	if err != nil {
		t.Fatal(err)
	}
	if n := shown(); n.Cmp(first.SerialNumber) != 0 {
		t.Errorf("certificate %v, want %v", n, first.SerialNumber)
	}
	put(t, a.File("broker.pem"), "half a certifi")
	if n := shown(); n.Cmp(first.SerialNumber) != 0 {
		t.Errorf("while it is being renewed: certificate %v, want %v", n, first.SerialNumber)
	}
	second := a.Server("broker").Leaf
	if n := shown(); n.Cmp(second.SerialNumber) != 0 {
		t.Errorf("certificate %v, want %v", n, second.SerialNumber)
	}
	if !stays.IsConnected() {
		t.Error("who was there lost the connection")
	}
}

func TestBadCertificateFiles(t *testing.T) {
	a := gatewaytest.NewAuthority(t)
	a.Server("broker")
	a.Server("other")
	good := broker.CertificateFiles{Certificate: a.File("broker.pem"), Key: a.File("broker.key")}
	for want, files := range map[string]broker.CertificateFiles{
		"go together":                         {Certificate: good.Certificate},
		"needs both":                          {ClientCA: a.File("ca.pem")},
		"private key does not match":          {Certificate: good.Certificate, Key: a.File("other.key")},
		"no such file":                        {Certificate: a.File("none.pem"), Key: good.Key},
		"mqtt.client_ca_file: ":               {Certificate: good.Certificate, Key: good.Key, ClientCA: a.File("none.pem")},
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
	good.ClientCA = a.File("ca.pem")
	if _, err := broker.New(":1883", slog.New(slog.DiscardHandler), broker.WithCertificates(good)); err != nil {
		t.Error(err)
	}
}
