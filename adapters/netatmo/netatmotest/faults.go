package netatmotest

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Kind is a way in which the vendor can fail.
type Kind string

// The faults that have been seen, or that belong to a kind of outage that has.
const (
	TimeOut      Kind = "time-out"      // takes the request and never answers
	Unavailable  Kind = "unavailable"   // 503 with HTML (openHAB#10831)
	Empty        Kind = "empty"         // 200 with nothing (netatmo-exporter#59)
	HTML         Kind = "html"          // 200 with HTML (openHAB#13853)
	Truncated    Kind = "truncated"     // 200 with half of the answer
	NoBody       Kind = "no body"       // 200, status ok, and no body
	Stale        Kind = "stale"         // homestatus as it was when the fault began, with the present time
	Slow         Kind = "slow"          // answers after Fault.Delay of real time
	Dribble      Kind = "dribble"       // a byte each 100 ms of real time
	TooMany      Kind = "too many"      // 429 code 26, with Retry-After if it is set
	Concurrency  Kind = "concurrency"   // 429 code 11
	UsageReached Kind = "usage reached" // 403 code 26
	InvalidToken Kind = "invalid token" // 403 code 2 for a valid token (home-assistant#136245)
	InvalidGrant Kind = "invalid grant" // the token URL refuses every grant
	Mongo        Kind = "mongo"         // 500 code 0: the vendor's database is gone (pyatmo)
	Overloaded   Kind = "overloaded"    // 500 with the word too_many_connections
	ZeroHomes    Kind = "zero homes"    // homesdata lists none
	IgnoreWrites Kind = "ignore writes" // accepts what is set and does nothing
	LostAnswer   Kind = "lost answer"   // does what is asked, then breaks the connection
	Redirect     Kind = "redirect"      // 302 to another host
	Refused      Kind = "refused"       // nobody listens; needs Start
	Reset        Kind = "reset"         // resets every connection
)

// Fault is a fault that is on.
type Fault struct {
	Kind       Kind
	Paths      []string      // where; empty: everywhere, the token URL included
	Times      int           // after so many requests it mends itself; 0: it does not
	RetryAfter time.Duration // of TooMany and Unavailable; 0: none
	Delay      time.Duration // of Slow
}

// Break switches a fault on. Of several for one path the latest counts.
func (c *Cloud) Break(f Fault) {
	c.mu.Lock()
	if f.Kind == Stale {
		c.expire(c.options.Now())
		c.frozen = c.homeNow(c.options.Now())
	}
	c.faults = append(c.faults, f)
	c.changed()
	server := c.server
	if f.Kind == Refused && server != nil {
		c.server = nil
	} else {
		server = nil
	}
	c.mu.Unlock()
	if server != nil {
		_ = server.Close()
		c.serving.Wait()
	}
}

// Mend switches faults of a kind off; without kinds, all faults.
func (c *Cloud) Mend(kinds ...Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = slices.DeleteFunc(c.faults, func(f Fault) bool { return len(kinds) == 0 || slices.Contains(kinds, f.Kind) })
	c.changed()
	if c.address != "" && c.server == nil && !c.broken(Refused) {
		if err := c.listen(func() string { return c.address }); err != nil {
			panic(fmt.Sprintf("netatmotest: cannot listen on the same port again: %v", err))
		}
	}
}

// Broken reports whether a fault of that kind is on.
func (c *Cloud) Broken(k Kind) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken(k)
}

func (c *Cloud) broken(k Kind) bool {
	return slices.ContainsFunc(c.faults, func(f Fault) bool { return f.Kind == k })
}

// faultFor returns the fault for a path and counts down one that mends itself.
func (c *Cloud) faultFor(path string) (Fault, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, f := range slices.Backward(c.faults) {
		if len(f.Paths) > 0 && !slices.Contains(f.Paths, path) || !f.touches(path) {
			continue
		}
		if f.Times > 0 {
			if c.faults[i].Times--; c.faults[i].Times == 0 {
				c.faults = slices.Delete(c.faults, i, i+1)
			}
		}
		return f, true
	}
	return Fault{}, false
}

// touches reports whether a fault changes anything on that path. What the vendor thinks (Stale,
// IgnoreWrites) is not in the answer but behind it.
func (f Fault) touches(path string) bool {
	token := path == "/oauth2/token"
	switch f.Kind {
	case Stale, IgnoreWrites:
		return false
	case ZeroHomes:
		return path == "/api/homesdata"
	case InvalidGrant:
		return token
	case InvalidToken, UsageReached, NoBody:
		return !token
	}
	return true
}

// play carries out a fault that is more than another answer; it reports whether it did.
func (c *Cloud) play(w http.ResponseWriter, r *http.Request, f Fault, answer func() answer) bool {
	switch f.Kind {
	case TimeOut:
		c.wait(r, 0)
		panic(http.ErrAbortHandler)
	case Slow:
		c.wait(r, f.Delay)
		return false
	case Reset, Refused:
		reset(w)
		return true
	case LostAnswer:
		answer()
		reset(w)
		return true
	case Truncated:
		body := answer().body
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(200)
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	case Dribble:
		c.dribble(w, r, answer().body)
		return true
	}
	return false
}

// wait holds a request until its client gives up, the faults change, or d of real time has passed.
func (c *Cloud) wait(r *http.Request, d time.Duration) {
	c.mu.Lock()
	mended := c.mended
	c.mu.Unlock()
	var after <-chan time.Time
	if d > 0 {
		after = time.After(d)
	}
	select {
	case <-r.Context().Done():
	case <-mended:
	case <-after:
	}
}

func (c *Cloud) dribble(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	for i := range body {
		if _, err := w.Write(body[i : i+1]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		c.wait(r, 100*time.Millisecond)
		if r.Context().Err() != nil {
			return
		}
	}
}

// spoil returns the answer of a fault that stands in the place of the right one: what was asked is
// not done.
func spoil(f Fault) (answer, bool) {
	after := func(a answer) answer {
		if f.RetryAfter > 0 {
			a.header["Retry-After"] = strconv.Itoa(int(f.RetryAfter / time.Second))
		}
		return a
	}
	switch f.Kind {
	case Unavailable:
		return after(html(503)), true
	case Empty:
		return answer{status: 200}, true
	case HTML:
		return html(200), true
	case NoBody:
		return jsonAnswer(200, map[string]any{"status": "ok"}), true
	case TooMany:
		return after(fail(429, 26, "Maximum api usage reached")), true
	case Concurrency:
		return fail(429, 11, "Failed to enter concurrency limited section"), true
	case UsageReached:
		return fail(403, 26, "User usage reached"), true
	case InvalidToken:
		return fail(403, 2, "Invalid access token"), true
	case InvalidGrant:
		return jsonAnswer(400, map[string]any{"error": "invalid_grant"}), true
	case Mongo:
		return fail(500, 0, "failed to connect to server [localhost:27020] on first connect"), true
	case Overloaded:
		return jsonAnswer(500, map[string]any{"error": "too_many_connections"}), true
	case ZeroHomes:
		return jsonAnswer(200, map[string]any{"status": "ok", "body": map[string]any{"homes": []any{}}}), true
	case Redirect:
		return answer{status: 302, header: map[string]string{"Location": "http://portal.invalid/"}}, true
	}
	return answer{}, false
}

// reset breaks the connection under a request without a goodbye.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	abort(conn)
}

func abort(conn net.Conn) {
	if tcp, isTCP := conn.(*net.TCPConn); isTCP {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// resetting resets new connections while Reset is on everywhere.
type resetting struct {
	net.Listener
	cloud *Cloud
}

// Accept returns the next connection that is not cut off at once.
func (l resetting) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || !l.cloud.resetsAll() {
			return conn, err
		}
		abort(conn)
	}
}

func (c *Cloud) resetsAll() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.faults, func(f Fault) bool { return f.Kind == Reset && len(f.Paths) == 0 })
}
