// Package web serves the house over HTTP: the page for people, the same as JSON with live events, its figures in the text format
// of Prometheus (/metrics), and whether it lives (/healthz, /readyz).
//
// All that there is stands in one table of routes. The house is shown to this computer and the home's own network only
// (loopback, RFC 1918, RFC 4193, link-local, the network of IPv6 in which it is asked), and but for figures and the way in only
// to browsers that are signed in with the one password, which the first visit sets. Nothing changes by a GET. A request under a strange host name is refused: that is
// how a page somewhere on the internet would read the house through the browser of somebody at home (DNS rebinding); so is
// what such a page sends here by itself.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/history"
	"github.com/veilleuse/veilleuse/gateway"
)

// Options are the settings of the server.
type Options struct {
	// Listen is the address, as in ":7007"; port 0 is any free one. Empty: ":7007".
	Listen string
	// Domains are those that the network gives to names without one, as in fritz.box: the machine is asked by its own name in
	// them, too, beside addresses, localhost, names that end in .local and the machine's own. nil: there are none.
	Domains func() []string
	// Version and Commit of the program, for build_info.
	Version, Commit string
	// Vault keeps the password and who is signed in. Needed.
	Vault gateway.Vault
	// Form is an id as it stands in the path of a wish; nil: as it is.
	Form func(id string) string
	// Wish reads what a person asks for: the JSON object that came for room/<id>, device/<id>, home or alarm. The error says in
	// one sentence what is wrong with it. nil: nothing can be wished.
	Wish func(s gateway.State, now time.Time, to string, body []byte) (gateway.Ask, error)
	// Outlook says what an outage now would find; nil: not told.
	Outlook func(gateway.State) *Outlook
	// Without says of a model what goes on without the cloud; nil: not told.
	Without func(model string) string
	// Stored says what the store has written since the start; nil: not told.
	Stored func() Stored
	// Backup says when the newest backup was made, by the clock of the house; nil: not told.
	Backup func() Backup
	// Pictures is what the page of pictures needs.
	Pictures Pictures
	// Care is what keeps the house: backups, pairings, the support bundle; nil: it cannot be done from the page.
	Care *Care
	// First is what the first run asks of the house; nil: there is none.
	First *First
	// RolledBack says that a newer program has failed its trial; nil: none has.
	RolledBack *RolledBack
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
	manyConns  = 64
)

// Adapter is the server. It takes commands to tell open pages of an alarm.
type Adapter struct {
	options   Options
	own       string  // the name of this machine, in small letters; "" if it has none
	pages     []route // to which the sign-in may lead
	started   time.Time
	newest    atomic.Pointer[gateway.State]
	port      atomic.Pointer[gateway.Port] // while it runs
	address   atomic.Pointer[string]
	lock      lock
	sessions  sessions
	patience  patience
	live      live
	calls     calls
	first     *firstRun
	wishing   chan struct{} // holds one: wishes are put one after the other
	answers   time.Duration // how long a wish waits for what is decided
	uploading sync.Mutex    // held while a file is taken in

	remembered atomic.Pointer[history.History] // the last 48 h
	recalled   bool                            // what was saved of them has been read
	saved      time.Time                       // when they were last saved, by the clock of the house
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
	a := &Adapter{options: o, own: strings.ToLower(strings.TrimSuffix(own, ".")), pages: forOnward(), started: time.Now(), lock: lock{vault: o.Vault}, sessions: sessions{vault: o.Vault},
		calls: calls{within: showsWithin, news: make(chan struct{}, 1)}, first: newFirstRun(o.Vault, o.First), wishing: make(chan struct{}, 1), answers: answerWithin}
	a.remembered.Store(&history.History{})
	return a
}

// Address is where the page listens, as host:port; "" before it does.
func (a *Adapter) Address() string {
	if at := a.address.Load(); at != nil {
		return *at
	}
	return ""
}

// Trust is how far the wall clock can be trusted, by the newest State; "" before there is any.
func (a *Adapter) Trust() gateway.Trust { return a.shown().Clock.Trust }

// shown is the newest State; the zero one before there is any.
func (a *Adapter) shown() gateway.State {
	if s := a.newest.Load(); s != nil {
		return *s
	}
	return gateway.State{}
}

// now is the time of the house.
func (a *Adapter) now() time.Time {
	if p := a.port.Load(); p != nil {
		return p.Now()
	}
	return time.Now()
}

// Run serves until ctx ends. An address that is taken is an error of one sentence.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	listener, err := net.Listen("tcp", a.options.Listen)
	if err != nil {
		return fmt.Errorf("web.listen: the page cannot listen on %s: %w; free that address or set another", a.options.Listen, err)
	}
	address := listener.Addr().String()
	a.address.Store(&address)
	a.port.Store(&port)
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: headTime, ReadTimeout: answerTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headSize,
		ErrorLog:       slog.NewLogLogger(a.options.Log.Handler(), slog.LevelDebug),
		BaseContext:    func(net.Listener) context.Context { return ctx },
	}
	if a.options.Listening != nil {
		a.options.Listening(listener.Addr())
	}
	a.recall()
	files, kept := make(chan []byte, 1), make(chan struct{})
	go func() { a.keep(files); close(kept) }()
	served := make(chan error, 1)
	go func() { served <- ServeCrowd(server, listener, manyConns, func(why error) { port.Post(crowded(why)) }) }()
	life, cancel := context.WithCancel(ctx)
	wait := a.first.live(life)
	err = a.attend(ctx, port, served, files)
	cancel()
	server.Close()
	wait()
	<-kept
	return err
}

// attend takes what the house shows and asks, until the server or the house ends.
func (a *Adapter) attend(ctx context.Context, port gateway.Port, served <-chan error, files chan<- []byte) error {
	defer a.takeLeave(ctx, port, files)
	var due <-chan time.Time // when calls are to be counted; nil: none waits
	look := port.After(history.Every)
	for {
		select {
		case s := <-port.Shown():
			a.newest.Store(&s)
			a.live.wake()
			a.calls.drop(s)
			a.past().Observe(s, port.Now())
		case <-look:
			look = port.After(history.Every)
			a.remember(port.Now(), files)
		case c := <-port.Commands():
			if c.Point.Quantity != gateway.Tell {
				port.Post(gateway.Outcome{ID: c.ID, Point: c.Point, Err: "the page has nothing that can be set", Final: true})
				continue
			}
			a.calls.take(c)
		case <-a.calls.news:
		case <-due:
			due = nil
		case err := <-served:
			return fmt.Errorf("serve the page: %w", err)
		case <-ctx.Done():
			return nil
		}
		if s := a.newest.Load(); s != nil && a.calls.ready(*s, time.Now()) {
			a.live.call()
			due = time.After(a.calls.within)
		}
		for _, o := range a.calls.outcomes(a.live.count(), time.Now()) {
			port.Post(o)
		}
	}
}

// crowded is what people are told when the page can accept no connection, and when it can again.
func crowded(why error) gateway.Notice {
	if why == nil {
		return gateway.Notice{What: "new connections get through again", Why: "the system has room for them again"}
	}
	return gateway.Notice{What: "no new connection gets through, neither to the page nor perhaps elsewhere", Why: why.Error() + "; alarms and heating go on; find out who holds so many connections open"}
}
