package netatmo

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// DefaultURL is the vendor's API.
const DefaultURL = "https://api.netatmo.com"

// CheckURL reads the base address of the vendor's API; "" is [DefaultURL]. Plain http is allowed for
// a loopback address only, for every request carries a token.
func CheckURL(text string) (*url.URL, error) {
	if text == "" {
		text = DefaultURL
	}
	base, err := url.Parse(text)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("netatmo.url %q is not an address: expected one as in %s", text, DefaultURL)
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("netatmo.url has more than a host and a path: expected an address as in " + DefaultURL)
	}
	if base.Scheme != "https" && (base.Scheme != "http" || !isLoopback(base.Hostname())) {
		return nil, fmt.Errorf("netatmo.url %q would send the sign-in unprotected: http is for a loopback address only, use https", text)
	}
	base.Path = strings.TrimRight(base.Path, "/")
	return base, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// wrongAddress is a name of the vendor's that points to where the vendor cannot be: at this
// machine (an ad blocker's 0.0.0.0), at the LAN (a captive portal), at no host at all.
type wrongAddress struct{ address netip.Addr }

// Error says where the name points to.
func (w wrongAddress) Error() string {
	return fmt.Sprintf("the vendor's name points to %s, which is not on the internet", w.address)
}

// publicOnly refuses, before a connection is made, every address that is not on the public
// internet. It is a net.Dialer.Control.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %q: not an address", address)
	}
	if !isPublic(at.Addr()) {
		return wrongAddress{at.Addr()}
	}
	return nil
}

// loopbackOnly is the counterpart for a vendor on loopback, that is for tests and the demonstration.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %q: not an address", address)
	}
	switch {
	case at.Addr().Unmap().IsLoopback():
		return nil
	case isPublic(at.Addr()):
		return fmt.Errorf("dial %q: not a loopback address", address)
	}
	return wrongAddress{at.Addr()}
}

// notPublic are the networks that package netip does not tell from public ones.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // of the internet provider
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("fec0::/10"),
}

// embedding are the IPv6 networks whose last (or, for 6to4, third to sixth) bytes are an IPv4 address.
var (
	nat64    = netip.MustParsePrefix("64:ff9b::/96")
	sixToFor = netip.MustParsePrefix("2002::/16")
)

func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	bytes := a.As16()
	switch {
	case nat64.Contains(a):
		return isPublic(netip.AddrFrom4([4]byte(bytes[12:16])))
	case sixToFor.Contains(a):
		return isPublic(netip.AddrFrom4([4]byte(bytes[2:6])))
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
