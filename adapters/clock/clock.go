// Package clock says how far the wall clock can be trusted.
//
// A Raspberry Pi has no clock that runs without power: after a cut it starts from the time it saved
// last and is behind by the length of the cut. A schedule that trusts such a clock heats at night. On
// the other hand the kernel's own word is of little use alone: it calls a clock unsynchronised 8.9 h
// after the last time server answered, when it is seconds off, and in a virtual machine it always does.
// So the adapter weighs what the machine says, what hardware clock it has, what time servers on the LAN
// say, what two web servers say whose certificates hold, and carries what was once confirmed by the
// counter since boot, which nobody can set. It sets no clock: it says what the one there is, is worth.
package clock

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Options are the settings of the clock's judge. The zero value judges this machine and asks the router.
type Options struct {
	// Source says what the machine's clocks show; nil: this machine's own. A test or the demonstration
	// passes its own; then nobody is asked who is not named here.
	Source func() Machine
	// Floor is the newest time stored on disk: a clock that shows less is wrong. Zero: none.
	Floor time.Time
	// Servers are time servers (NTP), "host" or "host:port"; nil: the router; empty: none.
	Servers []string
	// Dates are web servers, "host" or "host:port", that are asked for their Date over HTTPS while no time
	// server keeps the clock in step: at least two operators, or none. DefaultDates are good ones.
	Dates []string
	// Roots vouch for the servers in Dates; nil: the system's.
	Roots *x509.CertPool
	// Confirm asks further sources. It must come back soon after its context has ended. nil: none.
	Confirm func(context.Context) []Sighting
}

// Machine is what the clocks of one machine show at one instant.
type Machine struct {
	Wall      time.Time
	Boot      time.Duration // since boot, suspended time included; nobody can set it
	Synced    bool          // a time server keeps the wall clock in step
	Error     time.Duration // with Synced: how far off it may be
	Confirmed time.Time     // when a time server was last heard in this boot, by the wall clock; zero: not known
	RTC       bool          // the wall clock was set at boot from a hardware clock that agrees with it
}

// Sighting is what one source outside the machine says the time is.
type Sighting struct {
	From   string        // for people
	Ahead  time.Duration // how far the source is ahead of our wall clock
	Error  time.Duration // how far off the source itself may be
	Proven bool          // it has proved who it is, so it needs no second one
}

// How often the clock is looked at, in the house's time.
const (
	every      = 5 * time.Minute
	everyGuess = time.Minute     // while a time server may come at any moment
	askAgain   = 5 * time.Minute // between questions to servers without an anchor
	askSeldom  = time.Hour       // with one
	askLimit   = 2 * time.Second // real time, for all servers together
	nudge      = 2 * time.Second // a step that is looked into at once
)

// longAgo is before any time at which this program can run.
var longAgo = time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)

// Adapter is the clock's judge. It takes no commands.
type Adapter struct{ options Options }

// New returns the judge.
func New(o Options) *Adapter { return &Adapter{options: o} }

// Run posts a gateway.Clock at the start and whenever the judgement changes, until ctx ends.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	if err := a.options.Check(); err != nil {
		return err
	}
	w := watch{Options: a.options, port: port, floor: a.options.Floor, glance: a.options.Source}
	if w.Source == nil {
		w.Source, w.glance = systemSource(), systemGlance()
		w.floor = later(w.Floor, buildTime())
		if w.Servers == nil {
			w.router = systemRouter
		}
	}
	var said gateway.Clock
	for {
		now := w.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if now != said || w.doubted {
			port.Post(now)
			said = now
		}
		if !w.sleep(ctx, now.Trust) {
			return nil
		}
	}
}

// watch is what one Run knows.
type watch struct {
	Options
	port   gateway.Port
	glance func() Machine // wall and boot alone: cheap enough for every State
	floor  time.Time
	router func() string // nil: not asked
	belief belief
	asked  time.Duration // when servers were last asked, since boot
	last   Machine

	doubted bool // the house saw the clock being set and waits to be told what it is worth
}

// look reads the machine's clocks, asks others if that helps, and judges.
func (w *watch) look(ctx context.Context) gateway.Clock {
	w.last = w.Source()
	next, verdict := w.belief.judge(w.last, w.floor)
	if verdict.Trust == gateway.TrustSynced || !w.mayAsk(next) {
		w.belief = next
		return verdict
	}
	w.asked = w.last.Boot
	sightings, doubt := w.ask(ctx)
	w.last = w.Source()
	w.belief, _ = w.belief.judge(w.last, w.floor)
	if doubt != "" {
		w.belief.doubt = doubt
	}
	w.belief = w.belief.hear(w.last, w.floor, sightings)
	w.belief, verdict = w.belief.judge(w.last, w.floor)
	return verdict
}

// mayAsk reports whether it is time to ask servers.
func (w *watch) mayAsk(b belief) bool {
	wait := askAgain
	if b.anchor.set {
		wait = askSeldom
	}
	return !w.belief.begun || w.last.Boot-w.asked >= wait || b.lost && !w.belief.lost
}

// sleep waits until the next look is due. A State that comes meanwhile is an opportunity to notice that
// the clock was moved, which makes it due at once.
func (w *watch) sleep(ctx context.Context, t gateway.Trust) bool {
	d := every
	if t == gateway.TrustGuess {
		d = everyGuess
	}
	due := w.port.After(d)
	w.doubted = false
	for {
		select {
		case <-ctx.Done():
			return false
		case <-due:
			return true
		case s := <-w.port.Shown():
			w.doubted = s.Clock.Trust == gateway.TrustGuess && t != gateway.TrustGuess
			if w.doubted || moved(w.last, w.glance()).Abs() > nudge {
				return true
			}
		}
	}
}

// ask asks all sources at once. One that does not answer says nothing; the doubt is what those said who
// contradict each other.
func (w *watch) ask(ctx context.Context) (sightings []Sighting, doubt string) {
	servers := slices.Clone(w.Servers)
	if w.router != nil {
		if r := w.router(); r != "" {
			servers = append(servers, r)
		}
	}
	answers := make([][]Sighting, len(servers)+2)
	var all sync.WaitGroup
	if len(w.Dates) > 0 {
		all.Go(func() { answers[len(servers)+1], doubt = askDates(ctx, w.Dates, w.Roots, w.Source, w.floor) })
	}
	short, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	for i, server := range servers {
		all.Go(func() {
			if s, err := query(short, withPort(server), w.Source, w.floor); err == nil {
				answers[i] = []Sighting{s}
			}
		})
	}
	if w.Confirm != nil {
		all.Go(func() { answers[len(servers)] = w.Confirm(short) })
	}
	all.Wait()
	return slices.Concat(answers...), doubt
}

// Check says every fault in the options, nil if there is none.
func (o Options) Check() error {
	for i, s := range o.Servers {
		if host, port, err := net.SplitHostPort(withPort(s)); err != nil || host == "" || port == "" {
			return fmt.Errorf("servers[%d]: %q is not a time server; expected one as in 192.168.1.1 or pool.ntp.org:123", i, s)
		}
	}
	return checkDates(o.Dates)
}

func withPort(server string) string {
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(server, "123")
}

// buildTime is the date of the source that this program was built from, as far as it knows.
func buildTime() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return longAgo
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			t, _ := time.Parse(time.RFC3339, s.Value)
			return later(t, longAgo)
		}
	}
	return longAgo
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
