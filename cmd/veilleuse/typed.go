package main

import (
	"context"
	"os"
)

// typed is what a person types, until ctx ends: whoever is asked something may leave by Ctrl-C instead of an answer.
type typed struct {
	ctx  context.Context
	file *os.File
}

// Read reads what was typed. A reading that ctx has cut short is left behind, for the program is about to end.
func (t typed) Read(into []byte) (int, error) {
	type piece struct {
		bytes []byte
		err   error
	}
	came := make(chan piece, 1)
	room := make([]byte, len(into))
	go func() {
		n, err := t.file.Read(room)
		came <- piece{room[:n], err}
	}()
	select {
	case p := <-came:
		return copy(into, p.bytes), p.err
	case <-t.ctx.Done():
		return 0, context.Cause(t.ctx)
	}
}
