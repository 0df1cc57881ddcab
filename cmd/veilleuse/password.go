package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// longestLine bounds what the verb reads of a password, in bytes; the page takes less.
const longestLine = 1 << 10

// passwordVerb sets another password for the page, or forgets it. It works without a daemon, too: whoever can use the state
// folder owns the house anyway.
func passwordVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("password")
	forget := o.set.Bool("forget", false, "")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	config, _, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	password, said := "", "the password is forgotten; whoever opens the page next on the home network sets a new one"
	if !*forget {
		if password, err = readPassword(c); err != nil {
			return err
		}
		said = "the page has another password, and everybody is signed out"
	}
	var done string
	err = askDaemon(ctx, config.State, "POST", "/password", password, &done)
	if errors.Is(err, errNoDaemon) {
		err = withHouse(config, func(h *house) error { return h.password(password) })
	}
	if err == nil {
		fmt.Fprintln(c.out, said)
	}
	return err
}

// readPassword reads one line.
func readPassword(c console) (string, error) {
	fmt.Fprint(c.err, "new password for the page (it shows while you type): ")
	line, err := bufio.NewReader(io.LimitReader(c.in, longestLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("no password was given; --forget forgets the one that is set")
	}
	return line, nil
}

// password sets another password for the page; "" forgets it.
func (h *house) password(password string) error { return h.page.SetPassword(password) }
