package uplink

import "net/netip"

// refused says why an address in an answer for a public name cannot be right; "" if it can. A client
// that follows 0.0.0.0 connects to its own machine, and one that follows a private address hands its
// credential to a box in the house.
func refused(a netip.Addr, loopback bool) string {
	a = a.Unmap().WithZone("")
	if a.IsLoopback() {
		if loopback {
			return ""
		}
		return "this machine itself"
	}
	if nat64.Contains(a) {
		b := a.As16()
		return refused(netip.AddrFrom4([4]byte(b[12:])), false)
	}
	for _, r := range reserved {
		if r.prefix.Contains(a) {
			return r.what
		}
	}
	if a.Is6() && !global.Contains(a) {
		return "not a public address"
	}
	return ""
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: a public IPv4 address inside
	global = netip.MustParsePrefix("2000::/3")     // RFC 4291: all public IPv6 addresses of today
)

// reserved are the blocks of IANA's special-purpose registries (RFC 6890) that no public name may have.
var reserved = []struct {
	prefix netip.Prefix
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "no address at all"},
	{netip.MustParsePrefix("::/128"), "no address at all"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "an address of the provider's own network"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "an address for examples"},
	{netip.MustParsePrefix("198.51.100.0/24"), "an address for examples"},
	{netip.MustParsePrefix("203.0.113.0/24"), "an address for examples"},
	{netip.MustParsePrefix("2001:db8::/32"), "an address for examples"},
	{netip.MustParsePrefix("198.18.0.0/15"), "an address for measurements"},
	{netip.MustParsePrefix("224.0.0.0/3"), "a group or reserved address"},
	{netip.MustParsePrefix("ff00::/8"), "a group address"},
	{netip.MustParsePrefix("2001::/32"), "a tunnel address"},
	{netip.MustParsePrefix("2002::/16"), "a tunnel address"},
}
