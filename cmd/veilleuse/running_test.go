package main

import (
	"context"
	"testing"
)

// runsToTheEnd runs a house until the test ends, where it must end well. The context that it returns ends when the house is to.
func runsToTheEnd(t testing.TB, run func(context.Context) error) context.Context {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the daemon ends with %v", err)
		}
	})
	return ctx
}
