package homekit

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/brutella/dnssd"
)

// DNSSD announces the bridge as _hap._tcp by multicast DNS.
//
// github.com/brutella/dnssd is kept on a short lead: it never gets a context with a deadline, which
// makes it spin; each announcement has a map of its own; and because it notices neither a new address
// nor a late network, the announcement is made anew whenever the addresses change.
type DNSSD struct{ Log *slog.Logger }

// lookAgain is how often the addresses of this machine are looked at.
const lookAgain = time.Minute

// Advertise announces until ctx ends, and says goodbye then.
func (d DNSSD) Advertise(ctx context.Context, name string, port int, txt func() map[string]string, changed <-chan struct{}) error {
	for ctx.Err() == nil {
		networks := usable()
		if len(networks) == 0 {
			if !wait(ctx, changed) {
				return nil
			}
			continue
		}
		if err := d.announce(ctx, name, port, txt, changed, networks); err != nil {
			d.Log.Warn("the bridge could not be announced and will be again", "err", err)
			if !wait(ctx, changed) {
				return nil
			}
		}
	}
	return nil
}

// announce answers for the bridge until something about it changes.
func (d DNSSD) announce(ctx context.Context, name string, port int, txt func() map[string]string, changed <-chan struct{}, networks []string) error {
	text := txt()
	service, err := dnssd.NewService(dnssd.Config{Name: name, Type: "_hap._tcp", Port: port, Text: maps.Clone(text), Ifaces: names(networks)})
	if err != nil {
		return fmt.Errorf("announce %s: %w", name, err)
	}
	responder, err := dnssd.NewResponder()
	if err != nil {
		return fmt.Errorf("open multicast: %w", err)
	}
	if _, err := responder.Add(service); err != nil {
		return fmt.Errorf("announce %s: %w", name, err)
	}
	own, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- responder.Respond(own) }()
	defer stop()
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("answer multicast: %w", err)
		case <-changed:
		case <-time.After(lookAgain):
		case <-ctx.Done():
		}
		if ctx.Err() != nil || !maps.Equal(txt(), text) || !slices.Equal(networks, usable()) {
			break
		}
	}
	stop()
	select {
	case <-ended:
	case <-time.After(stopSoon): // its goodbye may be stuck on a dead network; it ends by itself then
	}
	return nil
}

// wait returns after a change or a while; false if ctx ended.
func wait(ctx context.Context, changed <-chan struct{}) bool {
	select {
	case <-changed:
	case <-time.After(lookAgain):
	case <-ctx.Done():
		return false
	}
	return true
}

// virtual are the beginnings of the names of interfaces that lead into containers and tunnels.
var virtual = []string{"docker", "br-", "veth", "virbr", "tun", "tap", "wg", "tailscale", "zt", "cni", "flannel"}

// usable lists the interfaces on which phones may be, each with its addresses.
func usable() []string {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var all []string
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || i.Flags&net.FlagMulticast == 0 ||
			slices.ContainsFunc(virtual, func(prefix string) bool { return strings.HasPrefix(i.Name, prefix) }) {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil || len(addresses) == 0 {
			continue
		}
		all = append(all, fmt.Sprint(i.Name, " ", addresses))
	}
	return all
}

func names(networks []string) []string {
	var all []string
	for _, n := range networks {
		name, _, _ := strings.Cut(n, " ")
		all = append(all, name)
	}
	return all
}
