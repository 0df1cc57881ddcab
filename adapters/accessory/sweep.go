package accessory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/grandcat/zeroconf"
)

// A sweep listens this long. Its resolver is used once: its sockets end with the sweep, it reports each instance only
// once, and never what changes later (homekit.md 9).
const (
	sweepTime   = 4 * time.Second
	sweepBuffer = 64
)

// sweep looks for HomeKit accessories by mDNS once.
func sweep(ctx context.Context) ([]Announced, error) {
	resolver, err := zeroconf.NewResolver(zeroconf.SelectIPTraffic(zeroconf.IPv4))
	if err != nil {
		return nil, fmt.Errorf("look for accessories by mDNS: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	entries := make(chan *zeroconf.ServiceEntry, sweepBuffer)
	if err := resolver.Browse(ctx, "_hap._tcp", "local.", entries); err != nil {
		cancel()
		for range entries { // it is closed when the resolver has ended
		}
		return nil, fmt.Errorf("look for accessories by mDNS: %w", err)
	}
	var all []Announced
	for e := range entries {
		at := slices.IndexFunc(e.AddrIPv4, mayBeAnothers)
		if at < 0 {
			continue
		}
		if found, ok := announced(e.Instance, e.AddrIPv4[at], e.Port, e.Text); ok {
			all = append(all, found)
		}
	}
	return all, nil
}
