package uplink

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Options are the settings of the prober. The zero value probes Netatmo with the system's name servers
// and DefaultWitnesses.
type Options struct {
	// URL is the vendor's API; only scheme, host and port are used. Empty: https://api.netatmo.com.
	// http:// is for a host on this machine.
	URL string
	// Resolvers are the home's name servers, "address" or "address:port"; nil: the system's. A URL with
	// an address for a host needs none.
	Resolvers []string
	// SecondOpinion are name servers outside the home, asked only when the home's do not find the
	// vendor; nil: two public ones; empty: none.
	SecondOpinion []string
	// Witnesses tell "the internet is down" from "the cloud is down"; nil: DefaultWitnesses; empty:
	// none, and the verdict then says that it cannot tell. Each is one of
	//   example.org                        a name that the home's name server must find
	//   192.0.2.1:443                      a host and port that must accept a connection
	//   http://example.org/ok.txt success  a page that must have exactly that text; without a text its
	//                                      status must be 204
	Witnesses []string
	// Roots are the certificate authorities to trust; nil: the system's.
	Roots *x509.CertPool
	// AllowLoopback lets a name lead to this machine, for tests and the demonstration. Then nothing is
	// asked that is not named in these options. A URL with a loopback address implies it.
	AllowLoopback bool
	// Timeout is the longest a climb may take, in real time; 0: 2.8 s. Stages get parts of it.
	Timeout time.Duration
	// Link says how the way out of this machine looks; nil: what the kernel says, and nothing for a
	// vendor on this machine.
	Link func() Link
	// Purse pays for the requests to the API. Run needs one.
	Purse Purse
	// Dial connects in place of the network, for a simulated world; nil: the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// vendor is what people call the other end.
const vendor = "Netatmo"

const (
	vendorURL   = "https://api.netatmo.com"
	timeout     = 2800 * time.Millisecond // an answer later than 3 s is none for a person who waits
	defaultPort = "53"
)

// DefaultWitnesses returns the witnesses of a house that names none: five hosts of five operators, none
// of them with the vendor's hoster.
func DefaultWitnesses() []string {
	return []string{
		"debian.org", "wikipedia.org",
		"1.1.1.1:443", "9.9.9.9:443",
		"http://detectportal.firefox.com/success.txt success",
	}
}

// publicResolvers are run by two operators who have nothing to do with each other.
func publicResolvers() []string { return []string{"9.9.9.9", "1.1.1.1"} }

// Check says every fault in the options, each in one sentence, nil if there is none.
func (o Options) Check() error {
	_, err := o.settings()
	return err
}

// settings are Options understood, with every default filled in.
type settings struct {
	host      string     // name or address of the vendor
	address   netip.Addr // the vendor's, if the URL has one
	port      uint16
	secure    bool
	loopback  bool     // the vendor may be on this machine
	resolvers []string // nil: ask the system before each climb
	second    []string
	witnesses []witness
	roots     *x509.CertPool
	timeout   time.Duration
	link      func() Link
	purse     Purse
	dial      dialer
}

func (o Options) settings() (settings, error) {
	s := settings{roots: o.Roots, timeout: o.Timeout, loopback: o.AllowLoopback, link: o.Link, purse: o.Purse, dial: o.Dial}
	if s.dial == nil {
		s.dial = new(net.Dialer).DialContext
	}
	if s.timeout <= 0 {
		s.timeout = timeout
	}
	faults := []error{s.setURL(o.URL)}
	if s.loopback {
		faults = append(faults, s.stayHome(&o))
	}
	if o.SecondOpinion == nil {
		o.SecondOpinion = publicResolvers()
	}
	if o.Witnesses == nil {
		o.Witnesses = DefaultWitnesses()
	}
	if s.link == nil {
		s.link = systemLink
	}
	return s, errors.Join(append(faults, s.setHosts(o))...)
}

// setHosts reads the lists of hosts to ask.
func (s *settings) setHosts(o Options) error {
	var faults [2]error
	s.resolvers, faults[0] = servers("resolvers", o.Resolvers)
	s.second, faults[1] = servers("second opinion", o.SecondOpinion)
	all := faults[:]
	for i, text := range o.Witnesses {
		w, err := parseWitness(text)
		if err != nil {
			all = append(all, fmt.Errorf("witnesses[%d]: %w", i, err))
			continue
		}
		s.witnesses = append(s.witnesses, w)
	}
	return errors.Join(all...)
}

// stayHome replaces every default that would lead outside by none.
func (s *settings) stayHome(o *Options) error {
	for _, list := range []*[]string{&o.Resolvers, &o.SecondOpinion, &o.Witnesses} {
		if *list == nil {
			*list = []string{}
		}
	}
	if s.link == nil {
		s.link = func() Link { return Link{} }
	}
	if !s.address.IsValid() && len(o.Resolvers) == 0 {
		return fmt.Errorf("resolvers: nobody is named who knows %s on this machine; name one, or write its address", s.host)
	}
	return nil
}

func (s *settings) setURL(text string) error {
	if text == "" {
		text = vendorURL
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("url: %q is not a web address; expected one as in %s", text, vendorURL)
	}
	s.host, s.secure, s.port = u.Hostname(), u.Scheme == "https", 443
	if !s.secure {
		s.port = 80
	}
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("url: %q is not a port; expected 1 to 65535", u.Port())
		}
		s.port = uint16(n)
	}
	s.address, _ = netip.ParseAddr(s.host)
	if s.host == "localhost" {
		s.address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	s.loopback = s.loopback || s.address.IsLoopback()
	if !s.secure && !s.loopback {
		return fmt.Errorf("url: http:// is for a host on this machine; write https://%s", u.Host)
	}
	return nil
}

// servers gives each name server a port. No list stays no list, an empty one stays empty.
func servers(what string, list []string) ([]string, error) {
	if list == nil {
		return nil, nil
	}
	all := []string{}
	var faults []error
	for i, text := range list {
		if ap, err := netip.ParseAddrPort(text); err == nil && ap.Port() != 0 {
			all = append(all, ap.String())
			continue
		}
		if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
			all = append(all, net.JoinHostPort(a.String(), defaultPort))
			continue
		}
		faults = append(faults, fmt.Errorf("%s[%d]: %q is not an address; expected one as in 192.168.1.1 or 127.0.0.1:5353", what, i, text))
	}
	return all, errors.Join(faults...)
}
