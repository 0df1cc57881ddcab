package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
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

// mostKept is how much of the log is kept in memory, in bytes; half of it is forgotten when it is reached.
const mostKept = 128 << 10

// lastLines keeps the newest lines of the log, for somebody who asks for help, and passes them on.
type lastLines struct {
	out  io.Writer
	mu   sync.Mutex
	kept []byte
}

// Write takes one line, as a handler of slog writes it.
func (l *lastLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	if !bytes.HasPrefix(line, []byte("time=")) { // where journald stamps lines nobody else does
		l.kept = append(time.Now().UTC().AppendFormat(l.kept, time.RFC3339), ' ')
	}
	l.kept = append(l.kept, line...)
	if len(l.kept) > mostKept {
		_, newer, _ := bytes.Cut(l.kept[len(l.kept)-mostKept/2:], []byte("\n"))
		l.kept = append(l.kept[:0], newer...)
	}
	l.mu.Unlock()
	return l.out.Write(line)
}

// text is what is kept, oldest line first. Of a nil log it is empty.
func (l *lastLines) text() string {
	if l == nil {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.kept)
}
