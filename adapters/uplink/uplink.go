// Package uplink climbs the ladder link, router, DNS, internet, edge, API and posts the lowest broken
// rung.
//
// One climb looks at the vendor the way a client does, but stage by stage, so that each fault is told
// from its neighbours: the name by raw DNS with its response code, the connection, the certificate
// judged by hand, one GET without any credential. Independent witnesses are asked only when the climb
// does not succeed at once, so that a healthy house troubles nobody but the vendor. What was seen is
// one record; what it means is the pure function classify over that record.
//
// This adapter owns no credential and sends none: the answer that says "the API lives" is the vendor's
// own JSON refusal.
package uplink

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Adapter is the prober. It takes no commands.
type Adapter struct{ options Options }

// New returns the prober; a fault in the options is what Run returns.
func New(o Options) *Adapter { return &Adapter{options: o} }

// Run probes and posts a gateway.Probe each time, at a pace that follows the State, until ctx ends.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	set, err := a.options.settings()
	if err != nil {
		return err
	}
	if set.purse == nil {
		return errors.New("the prober has no purse to pay its requests from")
	}
	r := rounds{set: set, port: port, finished: time.Now()}
	for {
		r.look()
		probe := r.probe(ctx)
		if ctx.Err() != nil {
			return nil
		}
		port.Post(probe)
		if !r.wait(ctx) {
			return nil
		}
	}
}

// rounds is what one Run remembers between its probes.
type rounds struct {
	set  settings
	port gateway.Port

	state    gateway.State
	away     int       // probes since authority became local
	void     bool      // the last probe counted for nothing
	finished time.Time // when the last probe ended, by package time
	memory   memory
}

// look takes the newest State if there is a newer one.
func (r *rounds) look() {
	select {
	case s := <-r.port.Shown():
		r.state = s
	default:
	}
}

// probe makes one climb and says what it means.
func (r *rounds) probe(ctx context.Context) gateway.Probe {
	now := r.port.Now()
	c := climber{settings: r.set, now: now, trust: r.state.Clock.Trust}
	c.instead = func() *memory { return r.instead(now) }
	o := c.observe(ctx)
	ended := time.Now()
	o.own.step = stepBetween(r.finished, ended)
	r.finished = ended
	if o.reply.asked {
		r.set.purse.Heed(now, o.reply.limited(), o.reply.retryAfter)
		r.port.Post(r.set.purse.Budget(now))
	}
	r.remember(now, o.reply)
	p := classify(o)
	r.void = p.Void
	return p
}

// wait sleeps until the next probe is due. A State that asks for a quicker pace shortens the sleep;
// however often the State changes, probes are never closer together than the quickest pace.
func (r *rounds) wait(ctx context.Context) bool {
	base, luck := r.port.Now(), rand.Float64()
	if r.state.Authority.Phase == gateway.Local {
		r.away++
	} else {
		r.away = 0
	}
	due := r.pause(base, luck)
	timer := r.port.After(due)
	for {
		select {
		case <-ctx.Done():
			return false
		case r.state = <-r.port.Shown():
			if sooner := r.pause(base, luck); sooner < due {
				due = sooner
				timer = r.port.After(max(0, due-r.port.Now().Sub(base)))
			}
		case <-timer:
			due = r.pause(base, luck)
			left := due - r.port.Now().Sub(base)
			if left <= 0 || left > due { // more than all of it: the clock was put back
				return true
			}
			timer = r.port.After(left)
		}
	}
}
