package broker

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"time"
)

// line is a TCP connection for which nobody waits long: a write that takes longer than the patience fails
// and ends it. MQTT implementations write under locks that publishers need, and set no such limit.
type line struct {
	net.Conn
	patience time.Duration
	log      *slog.Logger
}

// Write sends everything in time or closes the line, for half a packet is of no use to anybody. A line that
// the other end has broken is left to its reader, who may find last words there.
func (l *line) Write(p []byte) (int, error) {
	_ = l.Conn.SetWriteDeadline(time.Now().Add(l.patience))
	n, err := l.Conn.Write(p)
	switch {
	case err == nil:
		// A deadline left behind would wake the process for nothing.
		_ = l.Conn.SetWriteDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		l.Conn.Close()
		l.log.Warn("MQTT client does not read and is cut off", "from", l.RemoteAddr().String())
	}
	return n, err
}

// SetDeadline limits reading only: it carries the client's keep-alive time, which may be hours.
func (l *line) SetDeadline(t time.Time) error { return l.Conn.SetReadDeadline(t) }

// SetWriteDeadline does nothing: Write sets its own.
func (l *line) SetWriteDeadline(time.Time) error { return nil }
