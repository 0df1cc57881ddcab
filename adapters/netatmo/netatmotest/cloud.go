package netatmotest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

// Options are the settings of a Cloud.
type Options struct {
	Now           func() time.Time  // the vendor's clock; nil: time.Now
	Home          Home              // zero: House()
	Others        []json.RawMessage // further homes of the account, as homesdata without home_id lists them
	ClientID      string            // "": client
	ClientSecret  string            // "": client-secret
	TokenLife     time.Duration     // of an access token; 0: 3 h
	PerTenSeconds int               // requests a user may make; 0: 50
	PerHour       int               // requests a user may make; 0: 500
	Denied        []string          // paths for which the sign-in lacks the scope, /api/getevents
}

// Cloud is the vendor. It is an http.Handler; Start serves it on loopback. All methods may be called
// at any time from any goroutine.
type Cloud struct {
	options Options

	mu       sync.Mutex
	home     Home
	mode     string    // schedule, away, hg
	modeEnd  time.Time // zero: none
	holds    map[string]hold
	offline  map[string]bool // relays and cameras that the vendor cannot reach
	silent   map[string]time.Time
	events   []Event
	tokens   tokens
	requests []Request
	raw      map[string]Raw
	faults   []Fault
	frozen   json.RawMessage // what homestatus said when Stale began
	mended   chan struct{}   // closed when the faults change

	address  string
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
}

// hold is a room's set point that outranks the schedule.
type hold struct {
	mode   string // manual, max, off, hg
	target float64
	order  string // of a pilot wire
	start  time.Time
	end    time.Time // zero: none
}

// New returns a vendor with one account, to which nobody has signed in yet.
func New(o Options) *Cloud {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Home.ID == "" {
		o.Home = House()
	}
	if o.ClientID == "" {
		o.ClientID, o.ClientSecret = "client", "client-secret"
	}
	if o.TokenLife == 0 {
		o.TokenLife = 3 * time.Hour
	}
	if o.PerTenSeconds == 0 {
		o.PerTenSeconds = 50
	}
	if o.PerHour == 0 {
		o.PerHour = 500
	}
	return &Cloud{
		options: o, home: o.Home, mode: "schedule", holds: make(map[string]hold), offline: make(map[string]bool),
		silent: make(map[string]time.Time), raw: make(map[string]Raw), mended: make(chan struct{}), tokens: newTokens(),
	}
}

// Start serves the vendor on a loopback port and returns its URL.
func (c *Cloud) Start() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.listen(func() string { return loopback.Address("127.0.0.1") }); err != nil {
		return "", err
	}
	c.address = c.listener.Addr().String()
	return "http://" + c.address, nil
}

// URL is the address of the API, "" before Start.
func (c *Cloud) URL() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.address == "" {
		return ""
	}
	return "http://" + c.address
}

// listen opens the port that address names.
func (c *Cloud) listen(address func() string) error {
	if err := loopback.Insist(func() (err error) {
		c.listener, err = net.Listen("tcp", address())
		return err
	}); err != nil {
		return fmt.Errorf("listen for the fake vendor: %w", err)
	}
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second}
	server, listener := c.server, resetting{c.listener, c}
	c.serving.Go(func() { _ = server.Serve(listener) })
	return nil
}

// Close ends the service and every request under way.
func (c *Cloud) Close() {
	c.mu.Lock()
	c.faults = nil
	c.changed()
	server := c.server
	c.server, c.listener = nil, nil
	c.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
	c.serving.Wait()
}

// changed wakes the requests that a fault holds. mu is held.
func (c *Cloud) changed() {
	close(c.mended)
	c.mended = make(chan struct{})
}

// Request is one request as it came in.
type Request struct {
	At     time.Time // by the vendor's clock
	Method string
	Path   string
	Form   map[string][]string // query and form
	Body   []byte
	Access string // the token it carried
	Status int    // answered; 0: none
}

// Requests returns all requests since the start, the oldest first.
func (c *Cloud) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Request(nil), c.requests...)
}

// Count returns how many requests there were for a path, "" for all.
func (c *Cloud) Count(path string) int {
	n := 0
	for _, r := range c.Requests() {
		if path == "" || r.Path == path {
			n++
		}
	}
	return n
}

// Raw is an answer given verbatim.
type Raw struct {
	Status int    // 0: 200
	Type   string // "": application/json
	Body   []byte
}

// Serve makes the vendor answer a path with r, whoever asks, until Unserve.
func (c *Cloud) Serve(path string, r Raw) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw[path] = r
}

// Unserve ends Serve.
func (c *Cloud) Unserve(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.raw, path)
}
