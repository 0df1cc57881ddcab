package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/gateway"
)

// lacking stands in for an adapter that could not be made because a file that the configuration names cannot be used:
// the supervisor shows why, and the rest of the house goes on. The zero value lacks nothing.
type lacking struct{ err error }

// lackingOf takes a fault for what an adapter lacks if it is that of a file beside the configuration. It hands any other on.
func lackingOf(err error) (lacking, error) {
	if err != nil && !unreadable(err) {
		return lacking{}, err
	}
	return lacking{err}, nil
}

// Run says at once what is lacking.
func (l lacking) Run(context.Context, gateway.Port) error {
	return fmt.Errorf("%w; mend that, then restart veilleuse", l.err)
}

// or is the adapter, unless it is lacking.
func (l lacking) or(a gateway.Adapter) gateway.Adapter {
	if l.err != nil {
		return l
	}
	return a
}

// unreadable reports whether a fault is that of a file beside the configuration. Such a file may be lost or damaged by a card,
// an update, a hand: that stops what needs it, never the heating and the alarms.
func unreadable(err error) bool {
	var file *fs.PathError
	var content broker.FileError
	return errors.As(err, &file) || errors.As(err, &content)
}
