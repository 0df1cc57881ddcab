package accessory

import (
	"context"
	"errors"
	"fmt"
)

// errandsMax is how many errands may wait for one accessory.
const errandsMax = 8

// errand is something that a person has done in the session that there is, between two requests of ours: an accessory
// takes no second connection kindly.
type errand struct {
	ctx  context.Context
	do   func(context.Context, session) error
	done chan error // has room for one
}

// inSession has something done in the session with the accessory and waits for it.
func (k *keeper) inSession(ctx context.Context, do func(context.Context, session) error) error {
	e := errand{ctx: ctx, do: do, done: make(chan error, 1)}
	if err := k.accept(e); err != nil {
		return err
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s has not answered: %w", k.title(), ctx.Err())
	}
}

// accept queues an errand. While the accessory is gone it is refused at once, as commands are.
func (k *keeper) accept(e errand) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case !k.live && (k.hopeless || k.failures > 0):
		return k.silent(k.why)
	case len(k.errands) >= errandsMax:
		return fmt.Errorf("too much is being asked of %s: wait a moment", k.record.title())
	}
	k.errands = append(k.errands, e)
	k.nudge()
	return nil
}

// silent says that the accessory does not answer, and why. It needs the lock.
func (k *keeper) silent(why string) error {
	return fmt.Errorf("%s does not answer: %s", k.record.title(), why)
}

// dismiss answers the errands that wait, and will not be run. It needs the lock.
func (k *keeper) dismiss(why string) {
	for _, e := range k.errands {
		e.done <- k.silent(why)
	}
	k.errands = nil
}

// nextErrand takes the first errand for which somebody still waits.
func (k *keeper) nextErrand() (errand, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.errands) > 0 {
		e := k.errands[0]
		k.errands = k.errands[1:]
		if e.ctx.Err() == nil {
			return e, true
		}
	}
	return errand{}, false
}

// runErrands runs what waits. Its error is one of the session.
func (v *visit) runErrands(ctx context.Context) error {
	for {
		e, ok := v.nextErrand()
		if !ok {
			return nil
		}
		err := e.do(ctx, v.session)
		if v.session.Err() == nil {
			e.done <- err
			continue
		}
		if err != nil {
			err = errors.New(v.title() + " does not answer: " + reason(err))
		}
		e.done <- err
		return v.session.Err()
	}
}
