package haptest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// memoryMost bounds what one end has not read yet.
const memoryMost = 4 << 20

// memoryConn is one end of a connection in memory. A Write never waits, as one to a socket with room in its buffer.
type memoryConn struct {
	network *Network
	address string // of the other end
	peer    *memoryConn

	mu       sync.Mutex
	waiting  []byte        // sent by the peer and not read yet
	news     chan struct{} // closed when one of the others changes; then replaced
	ended    error         // what a Read says when nothing is waiting
	closed   bool
	lost     bool // nothing comes or goes any more
	sent     int
	deadline time.Time
	alarm    *time.Timer
}

func newMemoryConn(n *Network, address string) *memoryConn {
	return &memoryConn{network: n, address: address, news: make(chan struct{})}
}

// tell wakes who reads. It needs the lock.
func (c *memoryConn) tell() {
	close(c.news)
	c.news = make(chan struct{})
}

// Read waits for bytes, the end, or the deadline.
func (c *memoryConn) Read(p []byte) (int, error) {
	for {
		c.mu.Lock()
		late := !c.deadline.IsZero() && !time.Now().Before(c.deadline)
		switch {
		case c.closed:
			c.mu.Unlock()
			return 0, net.ErrClosed
		case len(c.waiting) > 0 && !late:
			n := copy(p, c.waiting)
			c.waiting = c.waiting[n:]
			c.mu.Unlock()
			return n, nil
		case c.ended != nil:
			c.mu.Unlock()
			return 0, c.ended
		case late:
			c.mu.Unlock()
			return 0, errOutOfPatience
		}
		news := c.news
		c.mu.Unlock()
		<-news
	}
}

// Write hands the bytes to the other end.
func (c *memoryConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	closed, lost, ended := c.closed, c.lost, c.ended
	c.sent++
	c.mu.Unlock()
	switch {
	case closed:
		return 0, net.ErrClosed
	case lost:
		return len(p), nil // the kernel keeps it and tries again
	case ended != nil && !errors.Is(ended, io.EOF):
		return 0, ended
	}
	return c.peer.take(p)
}

func (c *memoryConn) take(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, &net.OpError{Op: "write", Net: "memory", Err: os.NewSyscallError("write", syscall.ECONNRESET)}
	case len(c.waiting)+len(p) > memoryMost:
		return 0, &net.OpError{Op: "write", Net: "memory", Err: os.ErrDeadlineExceeded}
	}
	c.waiting = append(c.waiting, p...)
	c.tell()
	return len(p), nil
}

// Close ends this end, and tells the other unless the line is lost.
func (c *memoryConn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return net.ErrClosed
	}
	c.closed = true
	if c.alarm != nil {
		c.alarm.Stop()
	}
	lost := c.lost
	c.tell()
	c.mu.Unlock()
	c.network.forget(c)
	if !lost {
		c.peer.end(io.EOF)
	}
	return nil
}

func (c *memoryConn) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.ended = why
		c.tell()
	}
}

// lose cuts the line without a word to either end; each learns of it by its keep-alive.
func (c *memoryConn) lose() {
	for _, end := range []*memoryConn{c, c.peer} {
		end.mu.Lock()
		first := !end.lost
		end.lost = true
		end.mu.Unlock()
		if first {
			time.AfterFunc(keepAliveNotices, func() {
				end.end(&net.OpError{Op: "read", Net: "memory", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)})
			})
		}
	}
}

func (c *memoryConn) writes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// LocalAddr is the name of this end.
func (c *memoryConn) LocalAddr() net.Addr { return memoryAddr(c.peer.address) }

// RemoteAddr is the address of the other end.
func (c *memoryConn) RemoteAddr() net.Addr { return memoryAddr(c.address) }

// SetDeadline bounds reads; writes never wait.
func (c *memoryConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline bounds reads.
func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alarm != nil {
		c.alarm.Stop()
		c.alarm = nil
	}
	c.deadline = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 && !c.closed {
		c.alarm = time.AfterFunc(wait, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.tell()
		})
	}
	c.tell()
	return nil
}

// SetWriteDeadline does nothing: a write never waits.
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }
