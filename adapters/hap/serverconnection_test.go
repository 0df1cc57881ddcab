package hap

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A listener that fails for good is an error; one that fails now and then is not.
func TestServeWithFailingListener(t *testing.T) {
	s := startServer(t, house(1), nil)
	second, err := NewServer(s.options)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.SetAccessories(house(1)); err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := &tiredListener{Listener: inner, failures: 3}
	ended := make(chan error, 1)
	go func() { ended <- second.Serve(t.Context(), listener) }()
	s.address = inner.Addr().String()
	if answer := s.dial().get("/accessories"); answer.status != statusUnverified {
		t.Errorf("status %d", answer.status)
	}
	inner.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v, want %v", err, net.ErrClosed)
		}
	case <-time.After(patience):
		t.Error("still serving")
	}
}

type tiredListener struct {
	net.Listener
	failures int
}

func (l *tiredListener) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, errors.New("accept: too many open files")
	}
	return l.Listener.Accept()
}

// Whatever goes on, the server ends soon and leaves nothing running.
func TestServeEnds(t *testing.T) {
	before := runtime.NumGoroutine()
	hang := make(chan struct{})
	s := startServer(t, house(1), func(o *ServerOptions) {
		o.Write = func(ctx context.Context, _ string, _ []WriteRequest) []WriteResult {
			close(hang)
			<-ctx.Done() // a device that does not answer
			return []WriteResult{{Status: StatusTimedOut}}
		}
	})
	idle, busy, plain := s.admin(), s.admin(), s.dial()
	idle.subscribe(CharacteristicID{2, iidSmoke})
	plain.start()
	var writing sync.WaitGroup
	writing.Go(func() {
		// The answer may be lost with the connection.
		_, _ = busy.try(http.MethodPut, "/characteristics", contentJSON, `{"characteristics":[{"aid":2,"iid":11,"value":21}]}`)
	})
	<-hang
	start := time.Now()
	s.stop()
	t.Logf("ended after %s", time.Since(start))
	writing.Wait()
	idle.closed()
	plain.closed()
	if connections, _ := s.open(); connections != 0 {
		t.Errorf("%d connections are left", connections)
	}
	eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+1 })
}

// A controller that takes nothing more must not hold up the end: the connection is cut after a moment.
func TestServeEndsDespiteAStuckController(t *testing.T) {
	s := startServer(t, house(AccessoriesMax-1), nil)
	stuck := s.admin()
	for range 400 {
		if err := stuck.link.channel.conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		request := requestBytes(http.MethodGet, "/accessories", "x", "", nil)
		request, stuck.link.channel.counter = appendFrames(nil, stuck.link.channel.seal, stuck.link.channel.counter, request)
		if _, err := stuck.link.channel.conn.Write(request); err != nil {
			break // both directions are full
		}
	}
	start := time.Now()
	s.stop()
	if took := time.Since(start); took > sendTimeout/2 {
		t.Errorf("ended after %s", took)
	}
}

func TestConnectionClose(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.dial()
	if err := c.link.channel.send([]byte("GET /accessories HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if answer, err := c.answer(); err != nil || answer.status != statusUnverified {
		t.Errorf("status %d, error %v", answer.status, err)
	}
	c.closed()
}

func TestMalformedMessages(t *testing.T) {
	s := startServer(t, house(1), nil)
	tests := []struct {
		name, bytes string
		status      int
	}{
		{"no HTTP", "hello\r\n\r\n", 400},
		{"bad header", "GET / HTTP/1.1\r\nno header\r\n\r\n", 400},
		{"bad length", "POST /pair-setup HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
		{"too long a body", "POST /pair-setup HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", 413},
		{"too long a body for a stranger", "POST /pair-setup HTTP/1.1\r\nContent-Length: 5000\r\n\r\n", 413},
		{"too long a head", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 200_000), 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := s.dial()
			if err := c.link.channel.send([]byte(test.bytes)); err != nil {
				t.Fatal(err)
			}
			answer, err := c.answer()
			if err != nil && test.status != 413 || err == nil && answer.status != test.status {
				t.Errorf("status %d, error %v, want %d", answer.status, err, test.status)
			}
			c.closed()
		})
	}
	c := s.admin()
	if _, err := c.link.channel.conn.Write(make([]byte, 100)); err != nil { // frames that nobody sealed
		t.Fatal(err)
	}
	if _, err := c.answer(); err == nil {
		c.closed()
	}
}

// Strangers can fill all places; those with a pairing still get in, and sessions are not disturbed.
func TestCrowdOfStrangers(t *testing.T) {
	const places = 4
	s := startServer(t, house(1), func(o *ServerOptions) { o.Connections = places })
	session := s.admin()
	for range 3 * places {
		s.dial().get("/accessories")
	}
	if connections, _ := s.open(); connections > places {
		t.Errorf("%d connections, more than %d", connections, places)
	}
	late := s.admin()
	for _, c := range []*strictClient{session, late} {
		if answer := c.get("/accessories"); answer.status != http.StatusOK {
			t.Errorf("status %d", answer.status)
		}
	}
}

// Whoever has begun to speak keeps the place against strangers who say nothing, however many come.
func TestCrowdOfTheSilent(t *testing.T) {
	const places = 4
	s := startServer(t, house(1), func(o *ServerOptions) { o.Connections = places })
	speaks := s.dial()
	want := speaks.get("/accessories").status
	for range 3 * places {
		s.dial()
	}
	s.dial().get("/accessories") // all those before it have been let in
	if answer := speaks.get("/accessories"); answer.status != want || want == http.StatusOK {
		t.Errorf("status %d, then %d", want, answer.status)
	}
}

// With all places taken by sessions, one that was silent for a while makes room, and one in use does not.
func TestCrowdOfSessions(t *testing.T) {
	const places = 3
	s := startServer(t, house(1), func(o *ServerOptions) { o.Connections = places })
	var sessions []*strictClient
	for range places {
		sessions = append(sessions, s.admin())
	}
	s.dial().closed()
	s.Server.mu.Lock()
	for c := range s.connections {
		if c.controller == "admin 1" {
			c.heard = time.Now().Add(-2 * crowdedIdle)
		}
	}
	s.Server.mu.Unlock()
	late := s.admin()
	sessions[1].closed()
	for _, c := range []*strictClient{sessions[0], sessions[2], late} {
		if answer := c.get("/accessories"); answer.status != http.StatusOK {
			t.Errorf("status %d", answer.status)
		}
	}
}
