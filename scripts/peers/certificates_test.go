package peers

import (
	"crypto/tls"
	"crypto/x509"
)

// shown is the certificate that a server shows to somebody who trusts the authority.
func shown(address string, roots *x509.CertPool) (*x509.Certificate, error) {
	c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0], nil
}
