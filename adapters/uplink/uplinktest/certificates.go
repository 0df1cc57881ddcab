package uplinktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

// authority signs certificates for the world.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// The certificates are good from 2000 to 2099, for a house may live in any of these years.
var (
	longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	farOff  = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
)

func newAuthority(name string) (authority, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, fmt.Errorf("make authority: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: longAgo, NotAfter: farOff, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return authority{}, fmt.Errorf("make authority: %w", err)
	}
	parsed, err := x509.ParseCertificate(raw)
	return authority{parsed, private}, err
}

// sign makes a certificate for one host name or address.
func (a authority) sign(host string, from, until time.Time) (tls.Certificate, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: host},
		NotBefore: from, NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &private.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: private}, nil
}

// certificates are the good one of a host and its faulty sisters.
func (a authority) certificates(host string) (map[Fault]*tls.Certificate, error) {
	stranger, err := newAuthority("Nobody You Know")
	if err != nil {
		return nil, err
	}
	all := map[Fault]*tls.Certificate{}
	for _, c := range []struct {
		fault       Fault
		by          authority
		host        string
		from, until time.Time
	}{
		{"", a, host, longAgo, farOff},
		{WrongName, a, "portal.guest.test", longAgo, farOff},
		{UnknownCA, stranger, host, longAgo, farOff},
		{Expired, a, host, longAgo, longAgo.AddDate(1, 0, 0)},
		{NotYetValid, a, host, farOff.AddDate(-1, 0, 0), farOff},
	} {
		made, err := c.by.sign(c.host, c.from, c.until)
		if err != nil {
			return nil, err
		}
		all[c.fault] = &made
	}
	return all, nil
}
