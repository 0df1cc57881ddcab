package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
)

// tryVerb is a verb of no interest to people: it opens a database file to see whether that can be done.
const tryVerb = "try-database"

// tryPatience is how long bbolt may take over a file; a house has to be up within ten seconds.
const tryPatience = 5 * time.Second

// exitBroken is the exit code of a trial that has found something.
const exitBroken = 3

// afterAccident returns how the store is to try its database: in a process of its own if the last daemon did not end
// as it should, by its socket that still lies there; else not at all, since a start is to be quick.
func afterAccident(state string) func(path string) error {
	if _, err := os.Lstat(filepath.Join(state, "control.sock")); err != nil {
		return nil
	}
	return func(path string) error {
		self, err := os.Executable()
		if err != nil {
			return nil
		}
		return try(self, path)
	}
}

// try runs the trial. That it could not be run at all says nothing about the file.
func try(program, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), tryPatience)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, tryVerb, path).Output()
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return errors.New("bbolt hangs over it")
	case !errors.As(err, &ended):
		return nil
	case ended.ExitCode() == exitBroken:
		return fmt.Errorf("bbolt says: %.200s", out)
	}
	return errors.New("bbolt crashes over it")
}

func tryDatabase(c console, path string) int {
	if err := store.Try(path); err != nil {
		fmt.Fprintln(c.out, err)
		return exitBroken
	}
	return exitWell
}
