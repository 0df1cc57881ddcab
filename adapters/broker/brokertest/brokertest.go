// Package brokertest starts a broker on loopback for the tests of others, and talks to it as badly as real
// devices do.
package brokertest

import (
	"log/slog"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/broker"
)

// Start runs a broker on a free loopback port until the test ends. Its Address says where; its messages
// appear in the test's log.
func Start(t testing.TB, options ...broker.Option) *broker.Broker {
	t.Helper()
	b := New(t, "127.0.0.1:0", options...)
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b
}

// New makes a broker that the test starts itself.
func New(t testing.TB, listen string, options ...broker.Option) *broker.Broker {
	t.Helper()
	b, err := broker.New(listen, slog.New(slog.NewTextHandler(t.Output(), nil)), options...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
