package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// Pauses before an adapter that ended by itself is run again. They grow while it keeps failing and
// begin anew once it has run for a while.
const (
	firstPause = time.Second
	longPause  = time.Minute
	goodRun    = time.Minute
)

// keep runs an adapter until ctx ends, again after a pause whenever it ends by itself, and posts
// its health. A failure of one adapter stays there.
func keep(ctx context.Context, p part, port Port, log *slog.Logger) {
	pause := firstPause
	for {
		began := port.Now()
		port.Post(Health{Adapter: p.name, Up: true})
		err := run(ctx, p, port)
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

// run calls the adapter and turns a panic of its own goroutine into an error.
func run(ctx context.Context, p part, port Port) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%s broke: %v\n%s", p.name, broken, debug.Stack())
		}
	}()
	return p.adapter.Run(ctx, port)
}
