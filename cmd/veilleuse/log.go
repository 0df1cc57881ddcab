package main

import (
	"io"
	"log/slog"
	"os"
)

// newLogHandler writes one line a record. Under journald, which stamps lines itself, times are left out.
func newLogHandler(out io.Writer) slog.Handler {
	options := &slog.HandlerOptions{}
	if os.Getenv("JOURNAL_STREAM") != "" {
		options.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	return slog.NewTextHandler(out, options)
}
