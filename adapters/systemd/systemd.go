// Package systemd tells systemd, or another service manager that understands sd_notify(3), that the house
// serves, who is in charge, and that it lives.
//
// READY is said when every part that the people of the house rely upon serves, and for nothing beyond the house:
// neither the vendor nor the clock is waited for. A part that cannot serve, because another program has its port
// for instance, keeps the start from being complete, but the house goes on meanwhile: each sign of life extends
// the time for the start. A sign of life is given only if everything that must live has shown since the last one
// that it does; else the manager starts the program anew.
package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Part is something that must serve before the start is complete.
type Part struct {
	Name    string      // for people
	Adapter string      // whose health says why it does not serve
	Serves  func() bool // nil: it does when its adapter runs. Called from the adapter's goroutine, must not wait
}

// Pulse is something that must live.
type Pulse struct {
	Name  string        // for people
	Count func() uint64 // another number each time, at least once within half of the watchdog's time; must not wait
}

// Options are the settings of the adapter.
type Options struct {
	Manager Manager // with a Socket
	Parts   []Part
	Pulses  []Pulse
	// GoesOn reports whether the program goes on when Run ends, with a house that is built anew: the manager is not told that it
	// stops then. nil: it never does.
	GoesOn func() bool
	Log    *slog.Logger // nil: slog.Default()
}

// Adapter tells the service manager. It takes no commands.
type Adapter struct {
	options Options

	// What outlives one Run.
	newest  gateway.State
	shown   bool // newest is valid
	ready   bool // told
	status  string
	counted []uint64  // of the pulses, at the last sign of life
	lived   time.Time // when that was
	stuck   string    // what stands still, as it was logged
	lost    bool      // the manager could not be told, and that was logged
}

// New makes the adapter.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Adapter{options: o, counted: make([]uint64, len(o.Pulses)), lived: time.Now()}
}

// How often it looks whether all parts serve, until they do.
const (
	firstLook = 10 * time.Millisecond
	longLook  = time.Second
)

// Signs of life.
const (
	signs      = 6                // in the watchdog's time: a disk that fails is tried again only once a minute
	usualSigns = 30 * time.Second // without a watchdog, while the start is not complete
)

// Run tells the manager until ctx ends, and then that the house stops. A manager that cannot be told is tried
// again with the next message.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	pause := firstLook
	look := time.NewTimer(pause)
	defer look.Stop()
	life := time.NewTicker(a.limit() / signs)
	defer life.Stop()
	for {
		select {
		case a.newest = <-port.Shown():
			a.shown = true
			a.show()
		case <-look.C:
			a.show()
			if !a.ready {
				pause = min(2*pause, longLook)
				look.Reset(pause)
			}
		case now := <-life.C:
			a.live(now)
			a.show()
		case c := <-port.Commands():
			port.Post(gateway.Outcome{ID: c.ID, Point: c.Point, Err: "the service manager has nothing that can be set", Final: true})
		case <-ctx.Done():
			if a.options.GoesOn == nil || !a.options.GoesOn() {
				a.tell("STOPPING=1")
			}
			return nil
		}
	}
}

// limit is how long the house may give no sign of life.
func (a *Adapter) limit() time.Duration {
	if a.options.Manager.Watchdog > 0 {
		return a.options.Manager.Watchdog
	}
	return signs * usualSigns
}

// show tells what the manager does not know yet: that the start is complete, and who is in charge.
func (a *Adapter) show() {
	if !a.shown {
		return
	}
	missing := a.missing()
	status := oneLine(strings.Join(append([]string{charge(a.newest.Authority)}, missing...), "; "))
	ready := a.ready || len(missing) == 0
	var message []string
	if ready && !a.ready {
		message = append(message, "READY=1")
	}
	if status != a.status {
		message = append(message, "STATUS="+status)
	}
	if len(message) == 0 || !a.tell(message...) {
		return
	}
	if ready && !a.ready {
		a.options.Log.Info("the house serves: the start is complete")
	}
	a.ready, a.status = ready, status
}

// missing says of each part that does not serve why.
func (a *Adapter) missing() []string {
	var all []string
	for _, p := range a.options.Parts {
		health, known := a.newest.Health.Get(gateway.PointKey(p.Adapter))
		serves := known && health.Up
		if p.Serves != nil {
			serves = p.Serves()
		}
		switch {
		case serves:
		case known && !health.Up:
			all = append(all, fmt.Sprintf("%s does not serve: %s", p.Name, health.Why))
		default:
			all = append(all, p.Name+" does not serve yet")
		}
	}
	return all
}

// live gives a sign of life if everything lives.
func (a *Adapter) live(now time.Time) {
	counts := make([]uint64, len(a.options.Pulses))
	var still []string
	for i, p := range a.options.Pulses {
		counts[i] = p.Count()
		if counts[i] == a.counted[i] {
			still = append(still, p.Name)
		}
	}
	if len(still) > 0 {
		if now.Sub(a.lived) >= a.limit()/2 {
			a.sayStuck(strings.Join(still, " and "))
		}
		return
	}
	a.sayStuck("")
	message := []string{"WATCHDOG=1"}
	if !a.ready {
		message = append(message, fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", a.limit().Microseconds()))
	}
	if a.tell(message...) {
		a.counted, a.lived = counts, now
	}
}

// sayStuck logs what stands still, once.
func (a *Adapter) sayStuck(what string) {
	switch {
	case what == a.stuck:
		return
	case what == "":
		a.options.Log.Info("it goes on", "what", a.stuck)
	default:
		a.options.Log.Error("it stands still: if it stays so, the service manager starts the program anew", "what", what,
			"after", a.limit())
	}
	a.stuck = what
}

// tell sends variables to the manager and reports whether they got there.
func (a *Adapter) tell(variables ...string) bool {
	err := a.options.Manager.send(strings.Join(variables, "\n"))
	if lost := err != nil; lost != a.lost {
		a.lost = lost
		if lost {
			a.options.Log.Warn("the service manager is not told how the house stands", "err", err)
		} else {
			a.options.Log.Info("the service manager is told again how the house stands")
		}
	}
	return err == nil
}

// charge says who is in charge, and why.
func charge(a gateway.Authority) string {
	who := "Netatmo is in charge"
	switch a.Phase {
	case gateway.Suspect:
		who = "Netatmo is in charge, in doubt"
	case gateway.Local:
		who = "Veilleuse is in charge"
	case gateway.Returning:
		who = "Veilleuse is in charge, about to hand back"
	}
	if a.Drill {
		who += " (a drill)"
	}
	if a.Why != "" {
		who += ": " + a.Why
	}
	return who
}

// statusSize is how long a status may be, in bytes.
const statusSize = 300

// oneLine makes a text fit for a variable of one line: what strangers wrote into a reason must neither become a
// variable of its own nor be refused for being no UTF-8.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool {
		return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0
	}), " ")
	if len(text) <= statusSize {
		return text
	}
	return strings.ToValidUTF8(text[:statusSize-len("…")], "") + "…"
}
