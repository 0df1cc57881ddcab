package uplink

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// Link is how the way out of this machine looks to its kernel. The zero Link says that nobody knows.
type Link struct {
	Known     bool           // the kernel could be asked
	Interface string         // that the default route leads through; without one, any that has a carrier
	Carrier   bool           // a cable with somebody at its other end, or a Wi-Fi association
	Route     bool           // there is a default route
	Gateway   netip.Addr     // the router; zero if the route names none
	Router    gateway.Answer // does the router answer; NotKnown: it is asked when that matters
}

// The kernel's tables. They are read below /proc/self, which a sandboxed service still sees.
const (
	routes4    = "proc/self/net/route"
	routes6    = "proc/self/net/ipv6_route"
	neighbours = "proc/self/net/arp"
	interfaces = "sys/class/net"
)

const (
	routeUp     = 0x1   // RTF_UP
	routeReject = 0x200 // RTF_REJECT
)

// systemLink reads the state of this machine's link.
func systemLink() Link { return readLink(os.DirFS("/")) }

// readLink reads the link below a root of the file system. Where there are no such tables the Link is
// not known.
func readLink(root fs.FS) Link {
	four, err4 := fs.ReadFile(root, routes4)
	six, err6 := fs.ReadFile(root, routes6)
	if err4 != nil && err6 != nil {
		return Link{}
	}
	l := Link{Known: true}
	l.Interface, l.Gateway, l.Route = defaultRoute4(four)
	if !l.Route {
		l.Interface, l.Gateway, l.Route = defaultRoute6(six)
	}
	if l.Route {
		l.Carrier = carrier(root, l.Interface)
		return l
	}
	entries, _ := fs.ReadDir(root, interfaces)
	for _, e := range entries {
		if e.Name() != "lo" && carrier(root, e.Name()) {
			l.Interface, l.Carrier = e.Name(), true
			return l
		}
	}
	return l
}

// carrier reports whether the interface has one. One that says neither yes nor no counts as yes: only
// a plain no is evidence.
func carrier(root fs.FS, name string) bool {
	text, err := fs.ReadFile(root, interfaces+"/"+name+"/carrier")
	if err == nil {
		return strings.TrimSpace(string(text)) != "0"
	}
	state, err := fs.ReadFile(root, interfaces+"/"+name+"/operstate")
	return err != nil || strings.TrimSpace(string(state)) != "down"
}

// defaultRoute4 finds the default route in /proc/net/route: addresses are hexadecimal numbers in the
// machine's own byte order.
func defaultRoute4(table []byte) (name string, router netip.Addr, ok bool) {
	best := uint64(1 << 32)
	for fields := range rows(table, 8) {
		flags, err := strconv.ParseUint(fields[3], 16, 32)
		metric, err2 := strconv.ParseUint(fields[6], 10, 32)
		if err != nil || err2 != nil || flags&routeUp == 0 || flags&routeReject != 0 || metric >= best {
			continue
		}
		if fields[1] != "00000000" || fields[7] != "00000000" {
			continue
		}
		number, err := strconv.ParseUint(fields[2], 16, 32)
		if err != nil {
			continue
		}
		var raw [4]byte
		binary.NativeEndian.PutUint32(raw[:], uint32(number))
		name, router, ok, best = fields[0], netip.AddrFrom4(raw), true, metric
	}
	return name, unlessZero(router), ok
}

// defaultRoute6 finds the default route in /proc/net/ipv6_route.
func defaultRoute6(table []byte) (name string, router netip.Addr, ok bool) {
	for fields := range rows(table, 10) {
		flags, err := strconv.ParseUint(fields[8], 16, 32)
		if err != nil || flags&routeUp == 0 || flags&routeReject != 0 || fields[9] == "lo" {
			continue
		}
		if fields[0] != strings.Repeat("0", 32) || fields[1] != "00" {
			continue
		}
		raw, err := hex.DecodeString(fields[4])
		if err != nil || len(raw) != 16 {
			continue
		}
		router = netip.AddrFrom16([16]byte(raw))
		if router.IsLinkLocalUnicast() {
			router = router.WithZone(fields[9])
		}
		return fields[9], unlessZero(router), true
	}
	return "", netip.Addr{}, false
}

func unlessZero(a netip.Addr) netip.Addr {
	if !a.IsValid() || a.IsUnspecified() {
		return netip.Addr{}
	}
	return a
}

// neighbour says whether the kernel has the hardware address of a host on the link, by /proc/net/arp.
// A host that was just spoken to and has none is not there.
func neighbour(table []byte, host netip.Addr) gateway.Answer {
	for fields := range rows(table, 6) {
		if fields[0] != host.String() {
			continue
		}
		flags, err := strconv.ParseUint(strings.TrimPrefix(fields[2], "0x"), 16, 32)
		if err != nil {
			return gateway.NotKnown
		}
		if flags&0x2 != 0 { // ATF_COM: the entry is complete
			return gateway.Yes
		}
		return gateway.No
	}
	return gateway.NotKnown
}

// rows yields the fields of each line that has at least that many.
func rows(table []byte, fields int) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		lines := bufio.NewScanner(bytes.NewReader(table))
		for lines.Scan() {
			if f := strings.Fields(lines.Text()); len(f) >= fields && !yield(f) {
				return
			}
		}
	}
}
