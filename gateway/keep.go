package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Pauses before an adapter that ended by itself is run again. They grow while it keeps failing and
// begin anew once it has run for a while.
const (
	firstPause = time.Second
	longPause  = time.Minute
	goodRun    = time.Minute
	// settled is how long an adapter that failed must run before it is said to run again. One whose port is
	// taken fails at once each time, and that is no news each time.
	settled = 5 * time.Second
)

// keep runs an adapter until ctx ends, again after a pause whenever it ends by itself, and posts
// its health. A failure of one adapter stays there.
func keep(ctx context.Context, p part, port Port, log *slog.Logger) {
	pause := firstPause
	port.Post(Health{Adapter: p.name, Up: true})
	for first := true; ; first = false {
		began := port.Now()
		err := attend(ctx, p, port, first)
		if ctx.Err() != nil {
			if err != nil {
				log.Warn("adapter stopped badly", "adapter", p.name, "err", err)
			}
			return
		}
		if err == nil {
			err = fmt.Errorf("%s ended without a reason", p.name)
		}
		if port.Now().Sub(began) >= goodRun {
			pause = firstPause
		}
		port.Post(Health{Adapter: p.name, Why: err.Error()})
		if !port.Sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, longPause)
	}
}

// attend runs the adapter. That it runs again is posted once it has done so for a while.
func attend(ctx context.Context, p part, port Port, first bool) error {
	if first {
		return run(ctx, p, port)
	}
	ended := make(chan struct{})
	var teller sync.WaitGroup
	teller.Go(func() {
		select {
		case <-port.After(settled):
			port.Post(Health{Adapter: p.name, Up: true})
		case <-ended:
		}
	})
	err := run(ctx, p, port)
	close(ended)
	teller.Wait()
	return err
}

// run calls the adapter and turns a panic of its own goroutine into an error.
func run(ctx context.Context, p part, port Port) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%s broke: %v\n%s", p.name, broken, debug.Stack())
		}
	}()
	return p.adapter.Run(ctx, port)
}
