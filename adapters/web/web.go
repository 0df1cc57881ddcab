// Package web serves the house over HTTP: whether it lives (/healthz, /readyz) and its figures in the
// text format of Prometheus (/metrics).
//
// Nothing here can change anything: only GET is answered. The figures tell when people are at home, so
// they are given to this computer and the home's own network only (loopback, RFC 1918, RFC 4193,
// link-local). A request under a strange host name is refused: that is how a page somewhere on the
// internet would read the figures through the browser of somebody at home (DNS rebinding).
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Options are the settings of the server.
type Options struct {
	// Listen is the address, as in ":7007"; port 0 is any free one. Empty: ":7007".
	Listen string
	// Hosts are names under which it may be asked, beside addresses, localhost, names that end in .local
	// and the machine's own.
	Hosts []string
	// Version and Commit of the program, for build_info.
	Version, Commit string
	// Stored says what the store has written since the start; nil: not told.
	Stored func() Stored
	// Backup says when the newest backup was made, by the clock of the house; nil: not told.
	Backup func() Backup
	// Listening is called with the address each time that it listens; nil: nobody asks.
	Listening func(net.Addr)
	Log       *slog.Logger // nil: slog.Default()
}

// Stored is what was written to disk since the start.
type Stored struct {
	Bytes   uint64
	Flushes uint64 // times the disk was told to make it durable
	Writes  uint64 // changes of the database
}

// Backup is when the newest backup was made; zero: there is none.
type Backup struct {
	State  time.Time // in the state folder
	Second time.Time // in the second place
}

// Bounds of what a client can take up.
const (
	headTime   = 5 * time.Second
	answerTime = 10 * time.Second // to read a question, and again to take the answer
	idleTime   = time.Minute
	headSize   = 16 << 10 // bytes
	manyConns  = 32
)

// Adapter is the server. It takes no commands.
type Adapter struct {
	options Options
	hosts   map[string]bool
	started time.Time
	newest  atomic.Pointer[gateway.State]
}

// New returns the server. Nothing listens yet.
func New(o Options) *Adapter {
	if o.Listen == "" {
		o.Listen = ":7007"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	own, _ := os.Hostname() // without one, addresses still do
	return &Adapter{options: o, hosts: hostNames(own, o.Hosts), started: time.Now()}
}

// Run serves until ctx ends. An address that is taken is an error of one sentence.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	listener, err := net.Listen("tcp", a.options.Listen)
	if err != nil {
		return fmt.Errorf("web.listen: the page cannot listen on %s: %w; free that address or set another", a.options.Listen, err)
	}
	server := &http.Server{
		Handler:           a.routes(port.Now),
		ReadHeaderTimeout: headTime, ReadTimeout: answerTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headSize,
		ErrorLog:       slog.NewLogLogger(a.options.Log.Handler(), slog.LevelDebug),
		BaseContext:    func(net.Listener) context.Context { return ctx },
	}
	if a.options.Listening != nil {
		a.options.Listening(listener.Addr())
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(&limited{Listener: listener, most: manyConns}) }()
	for {
		select {
		case s := <-port.Shown():
			a.newest.Store(&s)
		case c := <-port.Commands():
			port.Post(gateway.Outcome{ID: c.ID, Point: c.Point, Err: "the page has nothing that can be set", Final: true})
		case err := <-served:
			server.Close()
			return fmt.Errorf("serve the page: %w", err)
		case <-ctx.Done():
			server.Close()
			<-served
			return nil
		}
	}
}

// limited is a listener that hangs up on whoever comes when too many are connected.
type limited struct {
	net.Listener
	most int32
	open atomic.Int32
}

// Accept waits for the next connection that there is room for.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.most {
			return &counted{Conn: conn, open: &l.open}, nil
		}
		l.open.Add(-1)
		conn.Close()
	}
}

// counted is a connection that makes room when it is closed.
type counted struct {
	net.Conn
	open   *atomic.Int32
	closed atomic.Bool
}

// Close closes the connection.
func (c *counted) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}
