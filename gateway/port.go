package gateway

import (
	"context"
	"time"
)

// Adapter is exactly one outside system.
type Adapter interface {
	// Run serves the outside system until ctx ends; then it returns soon, with everything ended
	// that it had started. An error before that is reported, and Run is called again after a pause.
	Run(ctx context.Context, port Port) error
}

// Port is all that an adapter sees of the house.
type Port struct {
	loop     *Loop
	name     string
	ctx      context.Context
	commands chan Command
	shown    chan State
}

// Post tells the house a fact, stamped with the present time. It waits for the Loop, which never
// waits itself, and gives up when the adapter is being stopped.
func (p Port) Post(f Fact) {
	select {
	case p.loop.inbox <- Event{At: p.loop.now(), From: p.name, Fact: f}:
	case <-p.ctx.Done():
	}
}

// Commands yields the commands addressed to this adapter. One that is not taken is dropped in
// time: it will be asked again.
func (p Port) Commands() <-chan Command { return p.commands }

// Shown yields the newest State whenever it has changed. A slow reader skips the past.
func (p Port) Shown() <-chan State { return p.shown }

// Now is the time of the house. Adapters use it for what they say and plan in the house's time;
// time-outs of their own protocols use package time.
func (p Port) Now() time.Time { return p.loop.now() }

// After yields once when d has passed in the house's time.
func (p Port) After(d time.Duration) <-chan time.Time { return p.loop.after(d) }

// Sleep waits for d in the house's time, or until ctx ends; it reports whether d has passed.
func (p Port) Sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-p.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
