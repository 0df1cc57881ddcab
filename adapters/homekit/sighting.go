package homekit

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// sighting is one answer to the question who announces HomeKit accessories.
type sighting struct {
	network   string // interface that it was seen on
	name      string // of the instance
	id        string // HomeKit id
	port      int
	addresses []netip.Addr
	from      netip.Addr // who answered
}

// trouble is what is wrong with a bridge's record.
type trouble struct {
	what string // in words; "": nothing
	mend bool   // announcing it anew may help
}

// judge says what is wrong with the record of the bridge of that id and port, on a machine with those networks and
// addresses. A record that a reflector repeats has our own addresses: it is no other host's.
func judge(id string, port int, own []netip.Addr, networks []string, seen []sighting) trouble {
	isOwn := func(a netip.Addr) bool { return slices.Contains(own, a) }
	var names []string
	missing := map[string]bool{}
	for _, n := range networks {
		name, _, _ := strings.Cut(n, " ")
		missing[name] = true
	}
	for _, s := range seen {
		if !strings.EqualFold(s.id, id) {
			continue
		}
		switch {
		case len(s.addresses) > 0 && !slices.ContainsFunc(s.addresses, isOwn) && !isOwn(s.from):
			return trouble{what: fmt.Sprintf("another host, %s, announces the same HomeKit id %s: if that is a copy of this one's card or state, end one of the two", s.from, id)}
		case !isOwn(s.from):
			continue // repeated by a reflector
		case s.port != port:
			return trouble{fmt.Sprintf("its record on %s names port %d instead of %d", s.network, s.port, port), true}
		case len(s.addresses) == 0:
			return trouble{fmt.Sprintf("its record on %s names no address", s.network), true}
		}
		for _, a := range s.addresses {
			if !isOwn(a) {
				return trouble{fmt.Sprintf("its record on %s names %s, which is not an address of this machine", s.network, a), true}
			}
		}
		names = append(names, s.name)
		delete(missing, s.network)
	}
	for _, s := range seen {
		if !strings.EqualFold(s.id, id) && slices.Contains(names, s.name) && !isOwn(s.from) {
			return trouble{fmt.Sprintf("another host, %s, announces an accessory of the same name %q", s.from, s.name), true}
		}
	}
	for _, n := range networks {
		if name, _, _ := strings.Cut(n, " "); missing[name] {
			return trouble{fmt.Sprintf("its record does not come back on %s", name), true}
		}
	}
	return trouble{}
}

// addresses are those of the networks, as they are listed.
func addresses(networks []string) []netip.Addr {
	var all []netip.Addr
	for _, n := range networks {
		for _, word := range strings.Fields(n)[1:] {
			if prefix, err := netip.ParsePrefix(word); err == nil {
				all = append(all, prefix.Addr())
			}
		}
	}
	return all
}
