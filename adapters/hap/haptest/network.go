package haptest

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// What the network does to a connection whose other end is gone without a word: the kernel's keep-alive as package hap
// asks for it notices after 20 s and three probes 5 s apart.
const keepAliveNotices = 35 * time.Second

// connectTimeout is how long a dial to a host that swallows packets lasts, as package hap bounds it.
const connectTimeout = 10 * time.Second

// Network is a LAN in memory, for tests in a bubble of package synctest: addresses at which somebody listens, swallows
// packets, or is not. The zero Network is empty and ready.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*memoryListener
	silent    map[string]bool
	dials     []Dialled
	open      map[*memoryConn]bool // the dialling ends
}

// Dialled is one attempt to connect.
type Dialled struct {
	At      time.Time
	Address string
}

// Listen serves at the address, host:port, until the listener is closed.
func (n *Network) Listen(address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Net: "memory", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	if n.listeners == nil {
		n.listeners = map[string]*memoryListener{}
	}
	l := &memoryListener{network: n, address: address, arriving: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

// Dial is a hap.Dial.
func (n *Network) Dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	n.mu.Lock()
	n.dials = append(n.dials, Dialled{time.Now(), address})
	l, silent := n.listeners[address], n.silent[address]
	n.mu.Unlock()
	switch {
	case silent:
		<-ctx.Done()
		return nil, dialError(ctx.Err())
	case l == nil:
		return nil, dialError(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	near, far := newMemoryConn(n, address), newMemoryConn(n, "controller")
	near.peer, far.peer = far, near
	select {
	case l.arriving <- far:
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.open == nil {
			n.open = map[*memoryConn]bool{}
		}
		n.open[near] = true
		return near, nil
	case <-l.closed:
		return nil, dialError(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	case <-ctx.Done():
		return nil, dialError(ctx.Err())
	}
}

func dialError(err error) error { return &net.OpError{Op: "dial", Net: "memory", Err: err} }

// Swallow lets the address, or several, swallow all packets, as a host does that lost its power: dials time out, and who
// is connected learns nothing until its keep-alive has. With on false the host is there again.
func (n *Network) Swallow(on bool, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.silent == nil {
		n.silent = map[string]bool{}
	}
	for _, a := range addresses {
		n.silent[a] = on
		for c := range n.open {
			if on && c.address == a {
				c.lose()
			}
		}
	}
}

// Answers tells whether somebody listens at the address and packets get there.
func (n *Network) Answers(address string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listeners[address] != nil && !n.silent[address]
}

// Dials are all attempts to connect so far, in their order.
func (n *Network) Dials() []Dialled {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Dialled(nil), n.dials...)
}

// Sent is how many messages, one Write each, went to the address over all connections that are open now, and how many
// connections that are.
func (n *Network) Sent(address string) (messages, connections int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.open {
		if c.address == address {
			connections++
			messages += c.writes()
		}
	}
	return messages, connections
}

func (n *Network) forget(c *memoryConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, c)
}

// memoryListener is one address at which somebody listens.
type memoryListener struct {
	network  *Network
	address  string
	arriving chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

// Accept waits for the next connection.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.arriving:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close frees the address. What is connected stays.
func (l *memoryListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		defer l.network.mu.Unlock()
		if l.network.listeners[l.address] == l {
			delete(l.network.listeners, l.address)
		}
	})
	return nil
}

// Addr is the address.
func (l *memoryListener) Addr() net.Addr { return memoryAddr(l.address) }

type memoryAddr string

// Network is the name of the network.
func (memoryAddr) Network() string { return "memory" }

// String is host:port.
func (a memoryAddr) String() string { return string(a) }

// errOutOfPatience is the error of a read whose deadline has passed.
var errOutOfPatience error = fmt.Errorf("read memory: %w", os.ErrDeadlineExceeded)
