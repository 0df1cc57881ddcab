package peers

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// cable is a TCP line to an address. It counts its connections and can be cut.
type cable struct {
	address  string // where it begins
	far      string
	listener net.Listener

	mu    sync.Mutex
	dials []time.Time
	open  map[net.Conn]bool
	cuts  int // connections still to be cut as soon as pair-verify is over
}

func layCable(t *testing.T, far string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{address: l.Addr().String(), far: far, listener: l, open: map[net.Conn]bool{}}
	go c.accept()
	t.Cleanup(func() { l.Close(); c.cut() })
	return c
}

func (c *cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		go c.carry(near)
	}
}

// carry passes on both ways until one end closes.
func (c *cable) carry(near net.Conn) {
	defer near.Close()
	c.mu.Lock()
	c.dials = append(c.dials, time.Now())
	short := c.cuts > 0
	if short {
		c.cuts--
	}
	c.mu.Unlock()
	far, err := net.DialTimeout("tcp", c.far, patience)
	if err != nil {
		return
	}
	defer far.Close()
	c.enter(near, far)
	defer c.leave(near, far)
	go func() {
		_, _ = io.Copy(far, near) // an end that is gone ends the other
		far.Close()
		near.Close()
	}()
	if short {
		cutAfterVerify(near, far)
		return
	}
	_, _ = io.Copy(near, far)
}

// cutAfterVerify passes two answers in plain text, M2 and M4 of pair-verify, and then no more.
func cutAfterVerify(near io.Writer, far io.Reader) {
	buffer := make([]byte, 64<<10)
	for answers := 0; answers < 2; {
		n, err := far.Read(buffer)
		if err != nil {
			return
		}
		answers += bytes.Count(buffer[:n], []byte("HTTP/1.1 "))
		if _, err := near.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (c *cable) enter(ends ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range ends {
		c.open[end] = true
	}
}

func (c *cable) leave(ends ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range ends {
		delete(c.open, end)
	}
}

// cut breaks every connection.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for end := range c.open {
		end.Close()
	}
}

// cutNext breaks the connection, and so many of the next as soon as pair-verify is over.
func (c *cable) cutNext(connections int) {
	c.mu.Lock()
	c.cuts = connections
	c.mu.Unlock()
	c.cut()
}

// dialled says how often it was connected since then, and how many cuts are left.
func (c *cable) dialled(since time.Time) (dials, cuts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.dials {
		if !at.Before(since) {
			dials++
		}
	}
	return dials, c.cuts
}
