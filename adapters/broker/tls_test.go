package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
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
