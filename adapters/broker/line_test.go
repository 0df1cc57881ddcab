package broker

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A peer that takes nothing is given up when the patience is over, not at any deadline that others set.
func TestLineGivesUpInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		var log strings.Builder
		l := &line{Conn: near, patience: 2 * time.Second, log: slog.New(slog.NewTextHandler(&log, nil))}
		_ = l.SetDeadline(time.Now().Add(time.Hour))
		_ = l.SetWriteDeadline(time.Time{})
		began := time.Now()
		if _, err := l.Write([]byte("anybody?")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write says %v", err)
		}
		if waited := time.Since(began); waited != 2*time.Second {
			t.Errorf("Write waited %v", waited)
		}
		if _, err := l.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the line is not closed: Read says %v", err)
		}
		if !strings.Contains(log.String(), "does not read") {
			t.Errorf("the log says %q", log.String())
		}
	})
}

// What a client said before it broke the connection can still be read after a failed write.
func TestBrokenLineIsLeftToItsReader(t *testing.T) {
	broken := &brokenConn{}
	l := &line{Conn: broken, patience: time.Second}
	if _, err := l.Write([]byte("x")); err == nil {
		t.Fatal("Write does not fail")
	}
	if broken.closed {
		t.Error("the line was closed")
	}
}

type brokenConn struct {
	net.Conn
	closed bool
}

func (*brokenConn) Write([]byte) (int, error)        { return 0, io.ErrClosedPipe }
func (*brokenConn) SetWriteDeadline(time.Time) error { return nil }
func (b *brokenConn) Close() error                   { b.closed = true; return nil }
