package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// rolledBackName is the variable by which /usr/lib/veilleuse/upgrade tells the previous program that it serves in place
// of a newer one.
const rolledBackName = "VEILLEUSE_ROLLED_BACK"

// readRolledBack reads the four words of the variable. It is nil if nothing was rolled back, or if they make no sense.
func readRolledBack(text string) (*web.RolledBack, error) {
	if text == "" {
		return nil, nil
	}
	words := strings.Fields(text)
	if len(words) == 4 {
		if at, err := time.Parse(time.RFC3339, words[3]); err == nil {
			return &web.RolledBack{Failed: words[0], Serving: words[1], Reason: words[2], At: at}, nil
		}
	}
	return nil, fmt.Errorf("%s is %.80q: it has to be two versions, a reason and a time", rolledBackName, text)
}

// rolledBackWords say in two parts for people that a newer program has failed. A script of a newer version may know
// more reasons.
func rolledBackWords(r *web.RolledBack) (what, why string) {
	switch r.Reason {
	case "exited":
		why = "it ended by itself"
	case "crashed":
		why = "it crashed"
	case "hung":
		why = "it gave no sign of life"
	case "never-ready":
		why = "it did not become ready"
	case "mute":
		why = "it did not answer"
	case "damage":
		why = "it found the database damaged"
	case "asked":
		why = "somebody asked for it"
	default:
		why = "it failed its trial"
	}
	return "version " + r.Failed + " was taken back, and " + r.Serving + " serves again", why + "; the next newer version is tried by itself"
}

// rollback is an adapter that lets the house know of it once, however often it is started while that is so.
type rollback struct{ *web.RolledBack }

// Run tells it and takes no commands.
func (r rollback) Run(ctx context.Context, port gateway.Port) error {
	select {
	case s := <-port.Shown():
		what, why := rolledBackWords(r.RolledBack)
		if !slices.ContainsFunc(s.Decisions, func(d gateway.Decision) bool { return d.What == what && !d.At.Before(r.At) }) {
			port.Post(gateway.Notice{What: what, Why: why})
		}
	case <-ctx.Done():
	}
	<-ctx.Done()
	return nil
}

// printRolledBack says so in a status.
func printRolledBack(out io.Writer, r *web.RolledBack) {
	if r != nil {
		what, why := rolledBackWords(r)
		fmt.Fprintf(out, "upgrade: %s since %s: %s\n", what, clockOf(r.At), why)
	}
}
