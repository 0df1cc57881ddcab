package homekit

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// DNSSD announces a bridge as _hap._tcp by multicast DNS, looks whether its record comes back as a phone would see it,
// and announces it anew where that mends what is wrong.
type DNSSD struct {
	Log *slog.Logger

	lan lan // nil: that of this machine
}

// lan is what DNSSD needs of the machine.
type lan interface {
	// networks lists the interfaces on which phones may be, each by its name and addresses.
	networks() []string
	// announce answers for a bridge on those networks until stop is called, which returns soon; ended yields once
	// if it cannot any more.
	announce(what Announcement, text map[string]string, networks []string) (stop func(), ended <-chan error, err error)
	// look asks once who announces HomeKit accessories there.
	look(ctx context.Context, networks []string) ([]sighting, error)
}

const (
	// networksEvery is how often the interfaces and addresses of this machine are looked at. dnssd notices neither a new
	// address nor a late network.
	networksEvery = 10 * time.Second
	// lookFirst is how long an announcement may need: it is probed for a second, and said twice.
	lookFirst = 5 * time.Second
	// lookEvery is how often a record is looked for that was well the last time. Every accessory on the LAN answers.
	lookEvery = 5 * time.Minute
	// lookTwice is the pause before what is wrong is believed: a packet may get lost.
	lookTwice = 3 * time.Second
	// A record that stays wrong is announced anew ever more seldom.
	mendFirst, mendLast = 10 * time.Second, 10 * time.Minute
)

// Advertise announces until ctx ends, and says goodbye then.
func (d DNSSD) Advertise(ctx context.Context, what Announcement) error {
	w := watch{Announcement: what, lan: d.lan, log: d.Log, pause: mendFirst}
	if w.lan == nil {
		w.lan = machine{}
	}
	for ctx.Err() == nil {
		networks := w.lan.networks()
		if len(networks) == 0 {
			w.tell("there is no network on which a phone could be")
			w.wait(ctx, networksEvery)
			continue
		}
		if err := w.keep(ctx, networks); err != nil && ctx.Err() == nil {
			w.tell("it could not be announced: " + err.Error())
			w.wait(ctx, w.later())
		}
	}
	return nil
}

// watch is one record and how it fares.
type watch struct {
	Announcement
	lan   lan
	log   *slog.Logger
	told  string        // what was wrong at the last look
	doubt bool          // something was wrong at the last look, which may have been a lost packet
	pause time.Duration // before the record is announced anew
}

// keep announces the bridge and watches its record until it is to be announced anew, or ctx ends.
func (w *watch) keep(ctx context.Context, networks []string) error {
	text := w.TXT()
	stop, ended, err := w.lan.announce(w.Announcement, maps.Clone(text), networks)
	if err != nil {
		return err
	}
	defer stop()
	look, anew := time.After(lookFirst), (<-chan time.Time)(nil)
	networksAgain := time.NewTicker(networksEvery)
	defer networksAgain.Stop()
	w.doubt = false
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("answer multicast: %w", err)
		case <-ctx.Done():
			return nil
		case <-anew:
			return nil
		case <-look:
			var next time.Duration
			next, anew = w.look(ctx, networks, anew)
			look = time.After(next)
		case <-w.Changed:
		case <-networksAgain.C:
		}
		if !maps.Equal(w.TXT(), text) || !slices.Equal(networks, w.lan.networks()) {
			return nil
		}
	}
}

// look judges the record as it is seen. It says when to look again, and when the record is to be announced anew: as was
// said before, or nil for not at all.
func (w *watch) look(ctx context.Context, networks []string, before <-chan time.Time) (next time.Duration, anew <-chan time.Time) {
	found := w.examine(ctx, networks)
	switch {
	case ctx.Err() != nil:
		return lookEvery, nil
	case found.what == "":
		w.pause, w.doubt = mendFirst, false
		w.tell("")
		return lookEvery, nil
	case !w.doubt && before == nil:
		w.doubt = true
		return lookTwice, nil
	}
	w.tell(found.what)
	if found.mend && before == nil {
		before = time.After(w.later())
	}
	return lookEvery, before
}

// examine looks on the networks that have an IPv4 address; the others are announced on, and nobody looks there.
func (w *watch) examine(ctx context.Context, networks []string) trouble {
	var visible []string
	for _, n := range networks {
		if slices.ContainsFunc(addresses([]string{n}), netip.Addr.Is4) {
			visible = append(visible, n)
		}
	}
	if len(visible) == 0 {
		return trouble{what: "nobody could look for its record: this machine has no IPv4 address"}
	}
	seen, err := w.lan.look(ctx, visible)
	if err != nil {
		return trouble{what: "nobody could look for its record: " + err.Error()}
	}
	return judge(w.ID, w.Port, addresses(networks), visible, seen)
}

// later is the pause before the next attempt; each is longer than the one before.
func (w *watch) later() time.Duration {
	pause := w.pause
	w.pause = min(2*w.pause, mendLast)
	return pause
}

// tell says what is wrong with the record, or that nothing is; the log only hears what is new.
func (w *watch) tell(trouble string) {
	if w.Seen != nil {
		w.Seen(trouble)
	}
	switch {
	case trouble == w.told:
	case trouble == "":
		w.log.Info("the bridge is found by mDNS again", "bridge", w.Name)
	default:
		w.log.Warn("phones may not find the bridge", "bridge", w.Name, "why", trouble)
	}
	w.told = trouble
}

// wait returns after a change of the record, or after d.
func (w *watch) wait(ctx context.Context, d time.Duration) {
	select {
	case <-w.Changed:
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// virtual are the beginnings of the names of interfaces that lead into containers and tunnels.
var virtual = []string{"docker", "br-", "veth", "virbr", "tun", "tap", "wg", "tailscale", "zt", "cni", "flannel"}

// networks lists the interfaces of this machine on which phones may be, each with its addresses.
func (machine) networks() []string {
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
		found, err := i.Addrs()
		if err != nil || len(found) == 0 {
			continue
		}
		words := []string{i.Name}
		for _, a := range found {
			words = append(words, a.String())
		}
		all = append(all, strings.Join(words, " "))
	}
	return all
}
