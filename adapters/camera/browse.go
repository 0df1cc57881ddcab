package camera

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/grandcat/zeroconf"
)

// Announced is a camera that said on the LAN where it is. Anybody can say so: it is a hint.
type Announced struct {
	Hardware string // its hardware address, however spelt
	Address  netip.AddrPort
}

// Cameras announce themselves under this service, with their hardware address in a TXT entry
// (pyatmo#354).
const (
	service       = "_netatmo-lcomm._tcp"
	hardwareEntry = "mac_address="
	sweepTime     = 4 * time.Second
)

// Sweep listens for some seconds for cameras that announce themselves by mDNS. Each call has sockets of
// its own: the library's resolver must not be used twice, and must be read to its end.
func Sweep(ctx context.Context) ([]Announced, error) { return sweep(ctx) }

func sweep(ctx context.Context, more ...zeroconf.ClientOption) ([]Announced, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	resolver, err := zeroconf.NewResolver(append([]zeroconf.ClientOption{zeroconf.SelectIPTraffic(zeroconf.IPv4)}, more...)...)
	if err != nil {
		return nil, fmt.Errorf("look for cameras by mDNS: %w", err)
	}
	entries := make(chan *zeroconf.ServiceEntry, 64)
	asking := resolver.Browse(ctx, service, "local.", entries)
	var all []Announced
	for e := range entries { // closed when ctx ends, or when asking failed
		if len(all) < 4*maxCameras {
			all = append(all, announcedIn(e)...)
		}
	}
	if asking != nil {
		return all, fmt.Errorf("look for cameras by mDNS: %w", asking)
	}
	return all, nil
}

// announcedIn reads one entry. Those without a hardware address are probes or others' devices.
func announcedIn(e *zeroconf.ServiceEntry) []Announced {
	var all []Announced
	for _, text := range e.Text {
		if len(text) < len(hardwareEntry) || !strings.EqualFold(text[:len(hardwareEntry)], hardwareEntry) {
			continue
		}
		hardware := text[len(hardwareEntry):]
		if len(hexOnly(hardware)) != 12 || e.Port < 0 || e.Port > 65535 {
			continue
		}
		for _, ip := range e.AddrIPv4 {
			if a, ok := netip.AddrFromSlice(ip); ok {
				all = append(all, Announced{hardware, netip.AddrPortFrom(a.Unmap(), uint16(e.Port))})
			}
		}
	}
	return all
}

// findPause is the least time between two looks around, in the house's time.
const findPause = 10 * time.Second

// find looks around the LAN when a camera is missed, once for all that are, and tells them.
func (h *household) find() {
	a := h.adapter
	complained := false
	for {
		select {
		case <-h.look:
		case <-h.ctx.Done():
			return
		}
		list, err := a.options.Browse(h.ctx)
		if err != nil && h.ctx.Err() == nil && !complained {
			a.options.Log.Warn("missing cameras cannot be looked for", "err", err)
		}
		complained = err != nil
		a.mu.Lock()
		for _, u := range a.running {
			replace(u.announced, list)
		}
		a.mu.Unlock()
		if !h.port.Sleep(h.ctx, findPause) {
			return
		}
	}
}
