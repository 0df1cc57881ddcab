// Package command runs programs of the user's own when an alarm asks for them.
//
// Only a program that the configuration names is ever run, by its full path and without arguments. Nothing of it comes
// from outside: what happened is one line on its standard input. It has a minute, then it is killed with everything that
// it has started. Its exit code is the proof: 0 is told.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Options are the settings of the adapter.
type Options struct {
	Programs []string      // by their full path; nothing else is run
	Patience time.Duration // how long one may run; 0: a minute
	Log      *slog.Logger
}

const (
	usualPatience = time.Minute
	lastBreath    = 2 * time.Second // for pipes that a killed program has left open
	mostOutput    = 200             // bytes of what a program complains of
)

// Adapter runs programs.
type Adapter struct{ options Options }

// New makes the adapter.
func New(o Options) *Adapter {
	if o.Patience <= 0 {
		o.Patience = usualPatience
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Adapter{options: o}
}

// call is one program for one alarm, as it was last asked for.
type call struct {
	command gateway.Command
	running bool
	outcome gateway.Outcome // of the last run; "" and not running: it went well
}

// end is how a program ended.
type end struct {
	command gateway.Command // as it was when the program began
	err     error
}

// Run runs programs until ctx ends; those that run then are killed. One that is asked for while it runs, or again for the
// same round after it went well, is not run twice.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	calls := map[string]*call{}
	ended := make(chan end)
	var running sync.WaitGroup
	defer running.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case c := <-port.Commands():
			if !a.take(calls, c, port) {
				continue
			}
			running.Go(func() {
				e := end{c, a.run(ctx, c)}
				select {
				case ended <- e:
				case <-ctx.Done():
				}
			})
		case e := <-ended:
			a.end(calls, e, port)
		}
	}
}

// take reports whether a command is to be run.
func (a *Adapter) take(calls map[string]*call, c gateway.Command, port gateway.Port) bool {
	if _, program, ok := strings.Cut(c.Point.Of, "/"); c.Point.Quantity != gateway.Tell || !ok || !slices.Contains(a.options.Programs, program) {
		port.Post(gateway.Outcome{ID: c.ID, Point: c.Point, Err: "the configuration names no such program", Final: true})
		return false
	}
	last := calls[c.Point.Of]
	switch {
	case last == nil:
	case last.running:
		last.command.ID = c.ID // whoever asks last is answered
		return false
	case last.command.Value == c.Value && last.outcome.Err == "":
		last.outcome.ID = c.ID
		port.Post(last.outcome)
		return false
	}
	if len(calls) >= mostCalls {
		clear(calls) // of alarms of long ago
	}
	calls[c.Point.Of] = &call{command: c, running: true}
	return true
}

// mostCalls is how many calls are remembered.
const mostCalls = 256

// end answers for a program that has ended.
func (a *Adapter) end(calls map[string]*call, e end, port gateway.Port) {
	point := e.command.Point
	o := gateway.Outcome{ID: e.command.ID, Point: point, By: "the program, exit code 0"}
	if e.err != nil {
		o.By, o.Err = "", e.err.Error()
		a.options.Log.Warn("a program of the alarm plan failed", "point", point.Of, "err", e.err)
	}
	if at := calls[point.Of]; at != nil {
		o.ID = at.command.ID
		at.running, at.outcome = false, o
	}
	port.Post(o)
}

// run runs the program to its end.
func (a *Adapter) run(ctx context.Context, c gateway.Command) error {
	ctx, cancel := context.WithTimeout(ctx, a.options.Patience)
	defer cancel()
	_, program, _ := strings.Cut(c.Point.Of, "/")
	said := &limited{}
	p := exec.CommandContext(ctx, program)
	p.Stdin, p.Stderr = strings.NewReader(c.Why+"\n"), said
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.Cancel = func() error { return syscall.Kill(-p.Process.Pid, syscall.SIGKILL) }
	p.WaitDelay = lastBreath
	err := p.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it ended well, and something that it started goes on
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s did not end within %v and was killed", program, a.options.Patience)
	case errors.As(err, &exit) && said.text.Len() > 0:
		return fmt.Errorf("%s ended with %w: %s", program, err, hush(strings.TrimSpace(strings.ToValidUTF8(said.text.String(), "?"))))
	}
	return fmt.Errorf("run %s: %w", program, err)
}

// hush takes the secrets of our environment, which the program was given, out of what it says: its words are shown to everybody
// who may know of the alarm.
func hush(text string) string {
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); len(value) >= shortestSecret && IsSecret(name) {
			text = strings.ReplaceAll(text, value, "["+name+"]")
		}
	}
	return text
}

// shortestSecret is the least length of what is taken out, in bytes.
const shortestSecret = 6

// IsSecret reports whether an environment variable is a secret, by its name: one that says where a file is, is none.
func IsSecret(name string) bool {
	name = strings.ToUpper(name)
	has := func(word string) bool { return strings.Contains(name, word) }
	return (has("TOKEN") || has("SECRET") || has("PASS") || has("KEY")) && !has("FILE") && !has("PATH") && !has("DIR")
}

// limited keeps the beginning of what is written to it.
type limited struct{ text bytes.Buffer }

// Write keeps the beginning and swallows the rest: a program is not to fail because it says much.
func (l *limited) Write(p []byte) (int, error) {
	l.text.Write(p[:min(len(p), mostOutput-l.text.Len())])
	return len(p), nil
}
