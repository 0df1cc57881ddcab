// Package uplinktest is a small internet on loopback that can break in every way that adapter uplink
// tells apart: name servers, the vendor's edge in front of an API, and witnesses.
package uplinktest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Settings say what kind of world it is. The zero value is a plain HTTP vendor whose API answers every
// request as Netatmo answers one without token.
type Settings struct {
	Host string       // name of the vendor; empty: api.netatmo.test
	API  http.Handler // what stands behind the edge
	TLS  bool         // the vendor is spoken to over TLS
}

// World is the internet: a name server at home, another one outside, the vendor, and witnesses of
// three kinds.
type World struct {
	Home   *Resolver // the home's name server
	Public *Resolver // one outside the home
	Edge   *Edge     // the vendor's

	host  string
	tls   bool
	roots *x509.CertPool
	doors []*Edge
	page  *Edge
	six   *hole // at the edge's port, by IPv6
}

var here = netip.AddrFrom4([4]byte{127, 0, 0, 1})

const (
	defaultHost = "api.netatmo.test"
	firstName   = "one.witness.test"
	secondName  = "two.witness.test"
	pageHost    = "page.witness.test"
	pageText    = "success"
)

// New builds a world in which all is well. Close it.
func New(s Settings) (*World, error) {
	w := &World{host: s.Host, tls: s.TLS, roots: x509.NewCertPool()}
	if w.host == "" {
		w.host = defaultHost
	}
	if s.API == nil {
		s.API = http.HandlerFunc(Refuse)
	}
	if err := w.build(s.API); err != nil {
		w.Close()
		return nil, err
	}
	for _, name := range []string{firstName, secondName, pageHost} {
		w.call(name, here)
	}
	w.call(w.host, here)
	return w, nil
}

// call gives a name its addresses, everywhere.
func (w *World) call(name string, addresses ...netip.Addr) {
	w.Home.Host(name, addresses...)
	w.Public.Host(name, addresses...)
}

func (w *World) build(api http.Handler) error {
	a, err := newAuthority("The World's Authority")
	if err != nil {
		return err
	}
	w.roots.AddCert(a.certificate)
	if w.Home, err = NewResolver(); err != nil {
		return err
	}
	if w.Public, err = NewResolver(); err != nil {
		return err
	}
	signer := &a
	if !w.tls {
		signer = nil
	}
	if w.Edge, err = newEdge(api, w.host, signer); err != nil {
		return err
	}
	for range 2 {
		door, err := newEdge(http.NotFoundHandler(), "127.0.0.1", &a)
		if err != nil {
			return err
		}
		w.doors = append(w.doors, door)
	}
	w.page, err = newEdge(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, pageText) }), pageHost, nil)
	return err
}

// Refuse answers as Netatmo's API does to a caller without token.
func Refuse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	w.Write([]byte(`{"error":{"code":1,"message":"Access token is missing"}}`))
}

// URL is the vendor's address, by name.
func (w *World) URL() string {
	scheme := "http"
	if w.tls {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s:%d", scheme, w.host, w.Edge.address.Port())
}

// Resolvers are the home's name servers, as option of the prober.
func (w *World) Resolvers() []string { return []string{w.Home.Address()} }

// SecondOpinion are the name servers outside, as option of the prober.
func (w *World) SecondOpinion() []string { return []string{w.Public.Address()} }

// Witnesses are the witnesses, as option of the prober.
func (w *World) Witnesses() []string {
	list := []string{firstName, secondName}
	for _, d := range w.doors {
		list = append(list, d.address.String())
	}
	return append(list, fmt.Sprintf("http://%s:%d/ok.txt %s", pageHost, w.page.address.Port(), pageText))
}

// Roots are the authorities that the world trusts.
func (w *World) Roots() *x509.CertPool { return w.roots }

// Client returns an HTTP client that lives in this world: it finds names by the home's name server and
// meets every fault on its way. It keeps no connection open.
func (w *World) Client() *http.Client {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, w.Home.Address())
	}}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.DialContext = (&net.Dialer{Resolver: resolver, Timeout: 5 * time.Second}).DialContext
	transport.DisableKeepAlives = true
	transport.TLSClientConfig = &tls.Config{RootCAs: w.roots}
	return &http.Client{Transport: transport}
}

// Break gives the world these faults in place of those it had; none mends all.
func (w *World) Break(faults ...Fault) error {
	if err := w.mend(); err != nil {
		return err
	}
	var atEdge []Fault
	for _, f := range faults {
		switch layers[f] {
		case names:
			if err := w.breakNames(f); err != nil {
				return err
			}
		case world:
			more, err := w.breakWorld(f)
			if err != nil {
				return err
			}
			atEdge = append(atEdge, more...)
		case connection, certificate, http1:
			atEdge = append(atEdge, f)
		default:
			return fmt.Errorf("break: there is no fault %q", f)
		}
	}
	return w.Edge.Break(atEdge...)
}

func (w *World) mend() error {
	if w.six != nil {
		w.six.fillIn()
		w.six = nil
		w.call(w.host, here)
	}
	for _, r := range []*Resolver{w.Home, w.Public} {
		if err := r.Break("", ""); err != nil {
			return err
		}
		if err := r.Break(w.host, ""); err != nil {
			return err
		}
	}
	for _, e := range append(w.doors, w.page) {
		if err := e.Break(); err != nil {
			return err
		}
	}
	return nil
}

// breakNames: what the vendor's own entry suffers is the same everywhere; what the home's name server
// suffers is not.
func (w *World) breakNames(f Fault) error {
	switch f {
	case ResolverDead, NamesFail, NamesSilent:
		return w.Home.Break("", f)
	case NXDomain, EmptyAnswer, ServFail, NameSilent:
		if err := w.Public.Break(w.host, f); err != nil {
			return err
		}
	}
	return w.Home.Break(w.host, f)
}

func (w *World) breakWorld(f Fault) ([]Fault, error) {
	switch f {
	case InternetDown:
		for _, e := range append(w.doors, w.page) {
			if err := e.Break(BlackHole); err != nil {
				return nil, err
			}
		}
		for _, r := range []*Resolver{w.Home, w.Public} {
			if err := r.Break("", NamesSilent); err != nil {
				return nil, err
			}
		}
		return []Fault{BlackHole}, nil
	case SixHole:
		var err error
		w.six, err = dig(netip.AddrPortFrom(netip.IPv6Loopback(), w.Edge.address.Port()))
		w.call(w.host, here, netip.IPv6Loopback())
		return nil, err
	case PortalDNS:
		return nil, w.Home.Break("", PortalDNS)
	case Portal:
		return []Fault{WrongName}, w.page.Break(Redirect)
	default:
		return nil, w.page.Break(Redirect)
	}
}

// Close ends the world and waits until it has.
func (w *World) Close() {
	if w.six != nil {
		w.six.fillIn()
	}
	for _, r := range []*Resolver{w.Home, w.Public} {
		if r != nil {
			r.Close()
		}
	}
	edges := append(w.doors, w.page, w.Edge)
	for _, e := range edges {
		if e != nil {
			e.Close()
		}
	}
}
