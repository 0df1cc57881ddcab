package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// control is the adapter behind control.sock: it answers the verbs that ask a running daemon. The
// socket has mode 0600 in a folder of mode 0700; whoever can open it owns the house's state anyway.
type control struct {
	path   string
	spare  string // where it is served if the disk takes none; "": nowhere
	house  controlled
	newest atomic.Pointer[gateway.State]
}

// controlled is what the verbs can ask of the house.
type controlled interface {
	code() (codeReport, error)
	resetHome(context.Context) (codeReport, error)
	report(gateway.State) statusReport
	diagnose(context.Context, gateway.State) doctorReport
	drill(ctx context.Context, s gateway.State, after uint64, knocking bool) drillView
	discover(context.Context) ([]foundAccessory, error)
	pair(context.Context, pairRequest) (pairAnswer, error)
	unpair(context.Context, string) (string, error)
	login(json.RawMessage) error
	pack(now time.Time, dated bool) (packedBackup, error)
	makeBackup(now time.Time, dated bool) (madeBackup, error)
	packBundle(now time.Time, names bool) (packedBundle, error)
	password(string) error
	listening
	sharing
}

// Bounds of what a verb, or whoever claims to be one, can take up.
const (
	controlReads = 10 * time.Second // to send its question; the answer may take as long as it takes
	controlConns = 32
)

const socketMode = 0o600

// controlPatience is how long a verb may take: pairing with a small device needs many seconds.
const controlPatience = 2 * time.Minute

// Run serves the socket until ctx ends.
func (c *control) Run(ctx context.Context, port gateway.Port) error {
	listener, err := c.listen()
	if err != nil {
		return fmt.Errorf("control socket %s: %w", c.path, err)
	}
	server := &http.Server{Handler: c.routes(port), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: controlReads, IdleTimeout: controlReads,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- web.ServeCrowd(server, listener, controlConns, nil) }()
	for {
		select {
		case s := <-port.Shown():
			c.newest.Store(&s)
		case <-port.Commands():
		case err := <-served:
			return fmt.Errorf("control socket: %w", err)
		case <-ctx.Done():
			server.Close()
			<-served
			return nil
		}
	}
}

// errServed says that another daemon has the socket.
var errServed = errors.New("another veilleuse serves it")

// listen listens on the socket or, if the disk takes none, on the spare one: what is wrong must be told all the same.
func (c *control) listen() (net.Listener, error) {
	listener, err := listenUnix(c.path)
	if err == nil || errors.Is(err, errServed) || c.spare == "" {
		return listener, err
	}
	if spare, lacking := listenUnix(c.spare); lacking == nil {
		return spare, nil
	}
	return nil, err
}

// listenUnix listens on the socket, in place of one that a killed daemon left behind. A living
// daemon's socket is left alone.
func listenUnix(path string) (net.Listener, error) {
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, errServed
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := ownersOnly().Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil { // where the system did not take the mode from the descriptor
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// ownersOnly makes a socket that never exists with a wider mode: Linux gives its file the mode that the descriptor had before
// (unix_bind in net/unix/af_unix.c). The umask would be the whole process's, so that another goroutine's file got it, too.
func ownersOnly() *net.ListenConfig {
	return &net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { syscall.Fchmod(int(fd), socketMode) })
	}}
}

func (c *control) routes(port gateway.Port) http.Handler {
	mux := http.NewServeMux()
	c.drillRoutes(mux, port)
	mux.HandleFunc("GET /status", answer(c.shown(func(_ context.Context, s gateway.State) any { return c.house.report(s) })))
	mux.HandleFunc("GET /doctor", answer(c.shown(func(ctx context.Context, s gateway.State) any { return c.house.diagnose(ctx, s) })))
	mux.HandleFunc("GET /outages", answer(c.shown(func(_ context.Context, s gateway.State) any { return web.Outages(s) })))
	mux.HandleFunc("GET /upgrade-ready", answer(c.upgradeReady(port)))
	mux.HandleFunc("GET /code", answer(func(r *http.Request) (any, error) { return c.house.code() }))
	mux.HandleFunc("POST /pair-home", answer(func(r *http.Request) (any, error) { return c.house.resetHome(r.Context()) }))
	mux.HandleFunc("GET /discover", answer(func(r *http.Request) (any, error) { return c.house.discover(r.Context()) }))
	mux.HandleFunc("POST /pair", answer(asked(c.house.pair)))
	mux.HandleFunc("POST /unpair", answer(asked(c.house.unpair)))
	mux.HandleFunc("POST /login", answer(func(r *http.Request) (any, error) {
		var token json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&token); err != nil {
			return nil, fmt.Errorf("the request is not readable: %w", err)
		}
		return "done", c.house.login(token)
	}))
	mux.HandleFunc("POST /password", answer(func(r *http.Request) (any, error) {
		var password string
		if err := json.NewDecoder(r.Body).Decode(&password); err != nil {
			return nil, fmt.Errorf("the request is not readable: %w", err)
		}
		return "done", c.house.password(password)
	}))
	c.listenRoutes(mux)
	c.sharingRoutes(mux)
	c.backupRoutes(mux, port)
	c.bundleRoutes(mux, port)
	return mux
}

// asked makes a handler's work of a function that takes what the verb has sent.
func asked[Q, A any](do func(context.Context, Q) (A, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var question Q
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			return nil, fmt.Errorf("the request is not readable: %w", err)
		}
		return do(r.Context(), question)
	}
}

// errJustStarted says that there is no State yet.
var errJustStarted = errors.New("the house has only just started; ask again")

// shown answers with something made of the newest State.
func (c *control) shown(f func(context.Context, gateway.State) any) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		s := c.newest.Load()
		if s == nil {
			return nil, errJustStarted
		}
		return f(r.Context(), *s), nil
	}
}

// answer turns a function into a handler: its value as JSON, or its error as one sentence.
func answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		v, err := f(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
}
