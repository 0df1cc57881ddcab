package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// CertificateFiles are PEM files for TLS.
type CertificateFiles struct {
	Certificate, Key string // the broker's own
	ClientCA         string // of those who may vouch for clients; "": clients are not asked for a certificate
}

// WithCertificates makes clients speak TLS. The files are read again when they have changed, at the next
// connection, so that a renewed certificate needs no restart. With a ClientCA, who shows a certificate of
// its making is let in without a password, under the certificate's common name; if there are no users,
// nobody else is.
func WithCertificates(files CertificateFiles) Option {
	return func(h *house) error {
		if files.Certificate == "" || files.Key == "" {
			return errors.New("mqtt.tls_certificate_file and mqtt.tls_key_file go together, and mqtt.client_ca_file needs both; name the files")
		}
		h.certificates = &files
		return nil
	}
}

// secure reads the certificates, once it is known whether there are users.
func (h *house) secure() error {
	if h.certificates == nil {
		return nil
	}
	files := *h.certificates
	names := []string{files.Certificate, files.Key}
	if files.ClientCA != "" {
		names = append(names, files.ClientCA)
	}
	onlyCertified := h.users == nil
	followed, err := follow(func() (*tls.Config, error) { return files.config(onlyCertified) }, names...)
	if err != nil {
		return err
	}
	log := h.log
	h.tls = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		config, _ := followed.look(log)
		return config, nil
	}}
	return nil
}

func (f CertificateFiles) config(onlyCertified bool) (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
	if err != nil {
		return nil, FileError{"mqtt.tls_certificate_file, mqtt.tls_key_file", err}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}}
	if f.ClientCA == "" {
		return config, nil
	}
	pem, err := readFile(f.ClientCA)
	if err != nil {
		return nil, FileError{"mqtt.client_ca_file", err}
	}
	config.ClientCAs = x509.NewCertPool()
	if !config.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, FileError{"mqtt.client_ca_file", fmt.Errorf("%s holds no PEM certificate", f.ClientCA)}
	}
	config.ClientAuth = tls.VerifyClientCertIfGiven
	if onlyCertified {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

// certified is the name in a visitor's certificate, if it has shown one that somebody vouches for.
func (v *visitor) certified() (name string, shown bool) {
	c, ok := v.Conn.(*tls.Conn)
	if !ok {
		return "", false
	}
	chains := c.ConnectionState().VerifiedChains
	if len(chains) == 0 {
		return "", false
	}
	return chains[0][0].Subject.CommonName, true
}
