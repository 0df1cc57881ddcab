package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/veilleuse/veilleuse/rules"
	"github.com/veilleuse/veilleuse/rules/story"
)

// replayVerb runs a story through the rules and prints each decision with its why.
func replayVerb(_ context.Context, c console, args []string) error {
	o := newOptions("replay")
	rest, err := o.parse(args, 1)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(rest[0])
	if err != nil {
		return fmt.Errorf("the story cannot be read: %w", err)
	}
	s, err := story.Read(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", rest[0], err)
	}
	out := bufio.NewWriter(c.out)
	if err := s.Play(rules.Step, nil, out); err != nil {
		return fmt.Errorf("%s: %w", rest[0], err)
	}
	return out.Flush()
}
