package broker

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	connectByte = 0x10        // first byte of a CONNECT packet, with which every client must begin
	acceptPause = time.Second // before the next try when the system has no connection to give
	acceptTold  = time.Minute // for which that must not have happened before it is told again
)

// door receives connections: it guards each with a line, sends those away who do not introduce
// themselves, and knows everybody who is in.
type door struct {
	listener net.Listener
	tls      *tls.Config
	limits   limits
	log      *slog.Logger

	work sync.WaitGroup // the accepting goroutine, and one for each visitor
	shut chan struct{}  // closed: nobody comes in any more

	mu      sync.Mutex
	closed  bool
	waiting []*visitor // have not introduced themselves; the oldest first
	inside  map[*visitor]struct{}
}

// visitor is one connection, plain or TLS.
type visitor struct {
	net.Conn        // the line, or TLS upon it
	line     *line  // below
	first    []byte // read already, to see whether it is MQTT
	ended    chan struct{}
}

func newDoor(listener net.Listener, h house) *door {
	return &door{listener: listener, tls: h.tls, limits: h.limits, log: h.log,
		shut: make(chan struct{}), inside: map[*visitor]struct{}{}}
}

func (d *door) address() string { return d.listener.Addr().String() }

// open lets visitors in. Each is given to serve on a goroutine of its own as soon as it has begun to speak
// MQTT; when serve returns, its connection is closed.
func (d *door) open(serve func(*visitor)) {
	d.work.Go(func() {
		for failed := (time.Time{}); ; {
			connection, err := d.listener.Accept()
			switch {
			case err == nil:
				d.welcome(connection, serve)
			case errors.Is(err, net.ErrClosed):
				return
			default:
				if time.Since(failed) > acceptTold { // out of descriptors, say
					d.log.Warn("MQTT broker cannot accept connections for now", "why", err)
				}
				failed = time.Now()
				if !d.pause() {
					return
				}
			}
		}
	})
}

// pause waits a moment and reports whether the door is still open.
func (d *door) pause() bool {
	select {
	case <-d.shut:
		return false
	case <-time.After(acceptPause):
		return true
	}
}

// welcome gives a connection its line and a goroutine. When too many wait already, the oldest goes.
func (d *door) welcome(connection net.Conn, serve func(*visitor)) {
	line := &line{Conn: connection, patience: d.limits.patience, log: d.log}
	v := &visitor{Conn: line, line: line, ended: make(chan struct{})}
	if d.tls != nil {
		v.Conn = tls.Server(line, d.tls)
	}
	_ = line.SetReadDeadline(time.Now().Add(d.limits.introduction))
	if !d.enqueue(v) {
		connection.Close()
		return
	}
	d.work.Go(func() {
		defer close(v.ended)
		defer d.forget(v)
		defer v.Close()
		if v.speaksMQTT() {
			serve(v)
		}
	})
}

func (d *door) enqueue(v *visitor) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	if len(d.waiting) >= d.limits.waiting {
		oldest := d.waiting[0]
		d.waiting = d.waiting[1:]
		oldest.line.Conn.Close()
	}
	d.waiting = append(d.waiting, v)
	return true
}

// admit notes that a visitor has introduced itself. One that was sent away before stays outside.
func (d *door) admit(v *visitor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if place := slices.Index(d.waiting, v); place >= 0 {
		d.waiting = slices.Delete(d.waiting, place, place+1)
		d.inside[v] = struct{}{}
	}
}

func (d *door) forget(v *visitor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.inside, v)
	if place := slices.Index(d.waiting, v); place >= 0 {
		d.waiting = slices.Delete(d.waiting, place, place+1)
	}
}

// close lets nobody in any more and sends those away who wait; those who are in may stay.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	close(d.shut)
	d.listener.Close()
	for _, v := range d.waiting {
		v.line.Conn.Close()
	}
}

// empty sends everybody away and returns when they have gone.
func (d *door) empty() {
	d.mu.Lock()
	for v := range d.inside {
		v.line.Conn.Close()
	}
	d.mu.Unlock()
	d.work.Wait()
}

// speaksMQTT reads the first byte. Until then a connection costs little more than its socket, and what
// follows is read under the same deadline.
func (v *visitor) speaksMQTT() bool {
	first := make([]byte, 1)
	if n, err := v.Conn.Read(first); err != nil || n == 0 || first[0] != connectByte {
		return false
	}
	v.first = first
	return true
}

// Read returns what was read to see whether it is MQTT, then the rest.
func (v *visitor) Read(p []byte) (int, error) {
	if len(v.first) > 0 {
		n := copy(p, v.first)
		v.first = v.first[n:]
		return n, nil
	}
	return v.Conn.Read(p)
}
