package uplinktest

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

// Edge is a server on loopback with any fault that a server, or the way to it, can have. Behind it
// stands a handler, as the vendor's API stands behind the vendor's edge.
type Edge struct {
	address      netip.AddrPort
	api          http.Handler
	certificates map[Fault]*tls.Certificate // nil: no TLS
	elsewhere    string                     // where Redirect leads to

	mu       sync.Mutex
	faults   map[layer]Fault
	listener net.Listener // nil while the port is closed
	hole     *hole
	open     map[net.Conn]bool
	seen     bytes.Buffer // all that clients sent, as it came and deciphered
	broken   int          // how often Break was called
	accepted int

	server  *http.Server
	fit     chan net.Conn // connections for the server
	closing chan struct{}
	running sync.WaitGroup
}

// newEdge starts an edge. host is the name that its certificate is made out for; without an authority
// it speaks plain HTTP.
func newEdge(api http.Handler, host string, a *authority) (*Edge, error) {
	e := &Edge{
		api: api, faults: map[layer]Fault{}, open: map[net.Conn]bool{}, elsewhere: "http://portal.guest.test/login",
		fit: make(chan net.Conn), closing: make(chan struct{}),
	}
	if a != nil {
		var err error
		if e.certificates, err = a.certificates(host); err != nil {
			return nil, err
		}
	}
	var l net.Listener
	if err := loopback.Insist(func() (err error) {
		l, err = net.Listen("tcp", loopback.Address("127.0.0.1"))
		return err
	}); err != nil {
		return nil, fmt.Errorf("start edge: %w", err)
	}
	e.address = l.Addr().(*net.TCPAddr).AddrPort()
	e.server = &http.Server{Handler: http.HandlerFunc(e.serve), ErrorLog: log.New(io.Discard, "", 0)}
	e.running.Go(func() { e.server.Serve(ready{e}) })
	e.accept(l)
	return e, nil
}

// Address is where it listens.
func (e *Edge) Address() netip.AddrPort { return e.address }

// Accepted returns how many connections it has taken so far.
func (e *Edge) Accepted() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.accepted
}

// Seen returns all that clients have sent, both as it came and deciphered.
func (e *Edge) Seen() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Clone(e.seen.Bytes())
}

// Break gives the edge these faults, at most one each for connection, certificate and HTTP, in place of
// those it had; none mends it. Connections that are open are cut.
func (e *Edge) Break(faults ...Fault) error {
	set := map[layer]Fault{}
	for _, f := range faults {
		set[layers[f]] = f
	}
	e.mu.Lock()
	e.faults = set
	e.broken++
	for c := range e.open {
		c.Close()
	}
	e.mu.Unlock()
	return e.door(set[connection])
}

// door opens the port, closes it, or makes a hole of it.
func (e *Edge) door(f Fault) error {
	if f != Refused && f != BlackHole {
		return e.reopen()
	}
	e.shut()
	if f == Refused {
		return nil
	}
	var h *hole
	err := loopback.Insist(func() (err error) {
		h, err = dig(e.address)
		return err
	})
	e.mu.Lock()
	e.hole = h
	e.mu.Unlock()
	return err
}

func (e *Edge) shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener != nil {
		e.listener.Close()
		e.listener = nil
	}
	if e.hole != nil {
		e.hole.fillIn()
		e.hole = nil
	}
}

// reopen listens at the old port again if it was shut.
func (e *Edge) reopen() error {
	e.mu.Lock()
	isOpen := e.listener != nil
	e.mu.Unlock()
	if isOpen {
		return nil
	}
	e.shut()
	var l net.Listener
	if err := loopback.Insist(func() (err error) {
		l, err = net.Listen("tcp", e.address.String())
		return err
	}); err != nil {
		return fmt.Errorf("open %s again: %w", e.address, err)
	}
	e.accept(l)
	return nil
}

// Close ends the edge with all its connections.
func (e *Edge) Close() {
	close(e.closing)
	e.shut()
	e.server.Close()
	e.mu.Lock()
	for c := range e.open {
		c.Close()
	}
	e.mu.Unlock()
	e.running.Wait()
}

func (e *Edge) accept(l net.Listener) {
	e.mu.Lock()
	e.listener = l
	e.mu.Unlock()
	e.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			e.running.Go(func() { e.welcome(c) })
		}
	})
}

// welcome treats a new connection as the fault of the connection demands.
func (e *Edge) welcome(c net.Conn) {
	w := &watched{Conn: c, edge: e}
	f, ok := e.register(c)
	if !ok {
		c.Close()
		return
	}
	switch f {
	case Reset:
		c.(*net.TCPConn).SetLinger(0)
		w.Close()
	case Hangup:
		swallowHello(w)
		w.Close()
	case TLSSilent:
		for buffer := make([]byte, 1024); ; {
			if _, err := w.Read(buffer); err != nil {
				w.Close()
				return
			}
		}
	default:
		e.hand(w, f == PlainHTTP)
	}
}

// swallowHello reads a client's first TLS record whole: closing with bytes unread would be a reset.
func swallowHello(c net.Conn) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(c, head); err == nil {
		io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint16(head[3:])))
	}
}

// register notes a new connection; false if the edge is being closed.
func (e *Edge) register(c net.Conn) (Fault, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.closing:
		return "", false
	default:
	}
	e.accepted++
	e.open[c] = true
	return e.faults[connection], true
}

// hand gives a connection to the HTTP server, through TLS if the edge speaks it.
func (e *Edge) hand(c net.Conn, plain bool) {
	if e.certificates != nil && !plain {
		w := &watched{edge: e, deciphers: true}
		w.Conn = tls.Server(c, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return e.choose(w) }})
		c = w
	}
	select {
	case e.fit <- c:
	case <-e.closing:
		c.Close()
	}
}

// choose picks the certificate that a connection shows, by the fault of the moment.
func (e *Edge) choose(w *watched) (*tls.Certificate, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w.shown = e.broken
	if e.faults[certificate] == TLSAlert {
		return nil, errors.New("no certificate today")
	}
	return e.certificates[e.faults[certificate]], nil
}

// maxSeen is how many bytes of what clients send are kept.
const maxSeen = 4 << 20

// watched keeps what the client sends.
type watched struct {
	net.Conn
	edge      *Edge
	deciphers bool
	shown     int // what broken was when it showed its certificate; guarded by the edge's lock
}

// Read has the edge keep what it reads.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.edge.mu.Lock()
	defer w.edge.mu.Unlock()
	// What still comes out of a connection that was cut by Break was sent to whoever had proved itself before.
	late := w.deciphers && w.shown != w.edge.broken
	if !late && w.edge.seen.Len() < maxSeen {
		w.edge.seen.Write(p[:n])
	}
	return n, err
}

// Close ends the connection, which the edge forgets.
func (w *watched) Close() error {
	w.edge.mu.Lock()
	delete(w.edge.open, w.Conn)
	w.edge.mu.Unlock()
	return w.Conn.Close()
}

// ready is the listener of the HTTP server.
type ready struct{ edge *Edge }

// Accept returns the next connection that the edge hands on.
func (r ready) Accept() (net.Conn, error) {
	select {
	case c := <-r.edge.fit:
		return c, nil
	case <-r.edge.closing:
		return nil, net.ErrClosed
	}
}

// Close does nothing: the edge closes itself.
func (r ready) Close() error { return nil }

// Addr is where the edge listens.
func (r ready) Addr() net.Addr { return net.TCPAddrFromAddrPort(r.edge.address) }

const htmlPage = "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Our services aren't available right now</body></html>"

var statuses = map[Fault]int{Status500: 500, Status502: 502, Status503: 503, Status504: 504, RetryAfter: 503, HTML200: 200}

// serve answers as the fault of HTTP demands, or lets the API answer.
func (e *Edge) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	f := e.faults[http1]
	e.mu.Unlock()
	switch f {
	case "":
		e.api.ServeHTTP(w, r)
	case Redirect:
		http.Redirect(w, r, e.elsewhere, http.StatusFound)
	case QuotaUsed:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTooManyRequests)
		w.Write([]byte(`{"error":{"code":26,"message":"Maximum api usage reached"}}`))
	case Empty200:
		w.Header().Set("Content-Type", "application/json")
	case Truncated:
		truncate(w)
	case SlowHeaders:
		e.stall(r, time.Hour)
	case Dribble:
		e.dribble(w, r)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if f == RetryAfter {
			w.Header().Set("Retry-After", "600")
		}
		w.WriteHeader(statuses[f])
		w.Write([]byte(htmlPage))
	}
}

// truncate promises more than it sends.
func truncate(w http.ResponseWriter) {
	c, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	buffer.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"body\":{\"homes\":[{\"id\":")
	buffer.Flush()
	c.Close()
}

// dribble sends a byte each 100 ms, so that only a deadline for the whole ends it.
func (e *Edge) dribble(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for range 600 {
		if _, err := w.Write([]byte(" ")); err != nil {
			return
		}
		http.NewResponseController(w).Flush()
		if !e.stall(r, 100*time.Millisecond) {
			return
		}
	}
}

// stall waits; false if the client or the edge went away meanwhile.
func (e *Edge) stall(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
	case <-e.closing:
	}
	return false
}
