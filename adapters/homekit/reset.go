package homekit

import (
	"context"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// resetError ends a life of the bridges, since somebody wants them to forget all controllers.
type resetError struct {
	done  chan<- error
	known *gateway.State // the State that was shown last; nil: none was
}

// Error says why a life of the bridges ended.
func (resetError) Error() string { return "all controllers are to be forgotten" }

// askAgain is how often Reset looks whether the adapter runs.
const askAgain = 50 * time.Millisecond

// Reset makes every bridge forget its controllers, and gives it a new identity with a new setup code, as HAP wants after a
// reset: whoever had the old keys has nothing. Accessories keep their ids. It works before Run, too; while the bridges
// run their sessions end. The Home app does not notice: the old bridge is to be removed there.
func (a *Adapter) Reset(ctx context.Context) error {
	for {
		if idle, err := a.forgetIdle(); idle {
			return err
		}
		done := make(chan error, 1)
		select {
		case a.resets <- done:
			return <-done
		case <-ctx.Done():
			return fmt.Errorf("forget the controllers of the Home app: %w", ctx.Err())
		case <-time.After(askAgain): // it may have ended meanwhile
		}
	}
}

// forgetIdle forgets all controllers if the bridges do not run.
func (a *Adapter) forgetIdle() (idle bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running {
		return false, nil
	}
	return true, a.forgetAll()
}

func (a *Adapter) forget() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.forgetAll()
}

// forgetAll needs the lock, and that nothing is served.
func (a *Adapter) forgetAll() error {
	numbers, err := a.numbers()
	if err != nil {
		return err
	}
	for _, number := range numbers {
		if err := forget(a.store(number)); err != nil {
			return fmt.Errorf("forget the controllers of %s: %w", nameOf(a.options.Name, number), err)
		}
	}
	a.bridges = nil
	a.options.Log.Info("all controllers of the Home app are forgotten, and there is a new setup code", "bridges", len(numbers))
	return nil
}

// forget takes a bridge's pairings away before it gets a new identity: if the power fails in between, nobody is paired and
// the old code is still good.
func forget(store hap.Store) error {
	pairings, err := store.List(pairingPrefix)
	if err != nil {
		return err
	}
	for _, key := range pairings {
		if err := store.Delete(key); err != nil {
			return err
		}
	}
	identity, err := hap.NewServerIdentity()
	if err != nil {
		return err
	}
	return hap.SaveServerIdentity(store, identity)
}
