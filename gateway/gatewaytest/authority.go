package gatewaytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority vouches for servers and clients of a test, by certificates that also stand in files: NAME.pem and NAME.key,
// its own as ca.pem and ca.key.
type Authority struct {
	// From and Until are how long a certificate holds whose template does not say so; zero: an hour back, and an hour on.
	From, Until time.Time

	t      testing.TB
	folder string
	own    tls.Certificate
	serial int64
}

// NewAuthority makes one that nobody trusts yet, and that holds as long as those it vouches for; change, if there is any,
// prepares it first.
func NewAuthority(t testing.TB, change ...func(*Authority)) *Authority {
	t.Helper()
	a := &Authority{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), t: t, folder: t.TempDir()}
	for _, c := range change {
		c(a)
	}
	a.own = a.Issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// Server makes a certificate for 127.0.0.1.
func (a *Authority) Server(name string) tls.Certificate {
	a.t.Helper()
	return a.Issue(name, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
}

// Client makes a certificate for a user.
func (a *Authority) Client(name string) tls.Certificate {
	a.t.Helper()
	return a.Issue(name, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

// Issue completes a template, signs it, and writes it and its key to files, in place of earlier ones of that name.
func (a *Authority) Issue(name string, template *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.serial++
	template.SerialNumber, template.Subject.CommonName = big.NewInt(a.serial), name
	if template.NotBefore.IsZero() {
		template.NotBefore, template.NotAfter = a.From, a.Until
	}
	parent, signer := a.own.Leaf, a.own.PrivateKey
	if parent == nil { // it is the authority's own
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".key", "PRIVATE KEY", private)
	a.write(name+".pem", "CERTIFICATE", raw)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}
}

func (a *Authority) write(file, kind string, content []byte) {
	a.t.Helper()
	// Brokers of others read them as users of their own.
	if err := os.WriteFile(a.File(file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o644); err != nil {
		a.t.Fatal(err)
	}
}

// File is where a file of the authority's stands: ca.pem, or NAME.pem and NAME.key.
func (a *Authority) File(name string) string { return filepath.Join(a.folder, name) }

// Roots trust the authority, and nobody else.
func (a *Authority) Roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(a.own.Leaf)
	return roots
}
