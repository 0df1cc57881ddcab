package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"
)

// shakeHands speaks TLS on conn and judges the certificate by hand, because the library stops at the
// first fault and we want to know all of them. Nothing but one GET without credential ever goes over
// the connection, whatever the judgement.
func shakeHands(ctx context.Context, conn net.Conn, host string, roots *x509.CertPool, now time.Time) (*tls.Conn, handshake) {
	began := time.Now()
	secured := tls.Client(conn, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	err := secured.HandshakeContext(ctx)
	h := handshake{tried: true, took: time.Since(began)}
	if err != nil {
		h.failure, h.alert, h.plain = handshakeFailure(err)
		return nil, h
	}
	h.judge(secured.ConnectionState().PeerCertificates, host, roots, now)
	return secured, h
}

// handshakeFailure reads the error of a handshake that was not completed.
func handshakeFailure(err error) (f failure, alert string, plain bool) {
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return garbled, "", string(record.RecordHeader[:]) == "HTTP/"
	}
	// crypto/tls gives an alert of the other side as net.OpError{Op: "remote error"}, not as a type
	// that says which alert.
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return denied, strings.TrimPrefix(op.Err.Error(), "tls: "), false
	}
	return failureOf(err), "", false
}

// judge fills in what is right and what is wrong about a chain of certificates.
func (h *handshake) judge(chain []*x509.Certificate, host string, roots *x509.CertPool, now time.Time) {
	if len(chain) == 0 {
		return
	}
	leaf := chain[0]
	h.subject, h.issuer = nameOf(leaf), leaf.Issuer.CommonName
	h.notBefore, h.notAfter = leaf.NotBefore, leaf.NotAfter
	h.named = leaf.VerifyHostname(host) == nil
	h.expired, h.future = now.After(leaf.NotAfter), now.Before(leaf.NotBefore)

	err := verify(chain, roots, now)
	if err == nil {
		h.trusted = true
		return
	}
	h.noRoots = errors.As(err, &x509.SystemRootsError{})
	h.trusted = verify(chain, roots, leaf.NotBefore.Add(time.Minute)) == nil ||
		verify(chain, roots, leaf.NotAfter.Add(-time.Minute)) == nil
	if h.trusted && !h.future { // if not the leaf, then one further up the chain
		h.expired = true
	}
}

func verify(chain []*x509.Certificate, roots *x509.CertPool, at time.Time) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at})
	return err
}

func nameOf(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return c.Subject.CommonName
}
