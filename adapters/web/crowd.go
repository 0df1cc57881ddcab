package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// ServeCrowd serves HTTP on the listener to at most so many connections at once, until the server is closed. When all
// places are taken, a newcomer gets that of whoever is missed least: who has asked nothing yet or nothing more, else
// whose question is being answered, of these the one for the longest time. Who follows the house live keeps the
// place. So people get in however many strangers connect and say nothing, or speak one byte at a time.
//
// refused is told why no connection can be accepted, once, and nil when one can again; it may be nil, and must not wait.
func ServeCrowd(server *http.Server, listener net.Listener, most int, refused func(error)) error {
	c := &crowd{Listener: listener, most: most, refused: refused, places: map[net.Conn]*place{}}
	next := server.Handler
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, crowdKey{}, func(v value) { c.worth(conn, v) })
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			c.leave(conn)
		}
	}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		worth(r, asking)
		defer worth(r, waiting)
		next.ServeHTTP(w, r)
	})
	return server.Serve(c)
}

// crowd is a listener that knows who is connected.
type crowd struct {
	net.Listener
	most    int
	refused func(error)
	failed  time.Time // when accepting failed last; zero: it works. The goroutine that accepts uses it alone

	mu     sync.Mutex
	places map[net.Conn]*place
}

// settled is for how long connections must have been accepted before all is well again.
const settled = 30 * time.Second

// place is what a connection is worth, and since when.
type place struct {
	value value
	since time.Time
}

// value is how much a connection would be missed.
type value int

const (
	waiting value = iota // it has asked nothing yet, or nothing more
	asking               // its question is being answered
	staying              // it follows the house
)

type crowdKey struct{}

// worth says what the connection of a request is worth from now on.
func worth(r *http.Request, v value) {
	if tell, ok := r.Context().Value(crowdKey{}).(func(value)); ok { // else it is not from a crowd, as in a test of a handler
		tell(v)
	}
}

func (c *crowd) worth(conn net.Conn, v value) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.places[conn]; p != nil {
		p.value, p.since = v, time.Now()
	}
}

func (c *crowd) leave(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.places, conn)
}

// Accept waits for the next connection that there is room for.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		c.tell(err, time.Now())
		if err != nil {
			return nil, err
		}
		if c.admit(conn) {
			return conn, nil
		}
		conn.Close()
	}
}

// tell says once that no connection can be accepted, and once that it is over: at the edge one is accepted now and then.
func (c *crowd) tell(err error, now time.Time) {
	known := !c.failed.IsZero()
	switch {
	case errors.Is(err, net.ErrClosed):
		return
	case err != nil:
		c.failed = now
	case known && now.Sub(c.failed) >= settled:
		c.failed = time.Time{}
	}
	if c.refused != nil && known == c.failed.IsZero() {
		c.refused(err)
	}
}

// admit gives a connection a place; false if there is none.
func (c *crowd) admit(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.places) >= c.most {
		least := c.least()
		if c.places[least].value == staying {
			return false
		}
		delete(c.places, least)
		least.Close()
	}
	c.places[conn] = &place{since: time.Now()}
	return true
}

// least is who is missed least; somebody is there. It needs the lock.
func (c *crowd) least() (conn net.Conn) {
	var least *place
	for one, p := range c.places {
		if least == nil || p.value < least.value || p.value == least.value && p.since.Before(least.since) {
			conn, least = one, p
		}
	}
	return conn
}
