package hap

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long tests wait for what must come.
const patience = time.Minute

// testServer is a server on a loopback address that runs until the test ends.
type testServer struct {
	*Server
	t       testing.TB
	store   *memoryStore
	address string
	log     *logLines

	reach Dial   // how clients get there
	stop  func() // ends it and waits; may be called more than once

	mu    sync.Mutex
	wrote []WriteRequest
}

// logLines keeps what was logged, for tests about secrets and about lines that must be there.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// startServer serves the accessories. By default writes are noted and succeed; change may say otherwise.
func startServer(t testing.TB, accessories []Accessory, change func(*ServerOptions)) *testServer {
	t.Helper()
	return startServerOn(t, newMemoryStore(), accessories, change)
}

func startServerOn(t testing.TB, store *memoryStore, accessories []Accessory, change func(*ServerOptions)) *testServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, listener, nil, store, accessories, change)
}

// startServerInMemory is for a bubble, whose time passes as fast as nothing happens.
func startServerInMemory(t testing.TB, accessories []Accessory, change func(*ServerOptions)) *testServer {
	t.Helper()
	p := pipes{make(chan net.Conn), make(chan struct{}), &sync.Once{}}
	return serveOn(t, p, p.dial, newMemoryStore(), accessories, change)
}

// pipes is a listener in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   *sync.Once
}

func (p pipes) dial(context.Context, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func serveOn(t testing.TB, listener net.Listener, reach Dial, store *memoryStore, accessories []Accessory, change func(*ServerOptions)) *testServer {
	t.Helper()
	identity, err := LoadServerIdentity(store)
	if err != nil {
		t.Fatal(err)
	}
	s := &testServer{t: t, store: store, log: &logLines{}, reach: reach}
	options := ServerOptions{Identity: identity, Model: "Veilleuse", Store: store, Write: s.note, Logger: slog.New(slog.NewTextHandler(s.log, nil))}
	if change != nil {
		change(&options)
	}
	if s.Server, err = NewServer(options); err != nil {
		t.Fatal(err)
	}
	if err := s.SetAccessories(accessories); err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("the server does not end")
		}
	})
	t.Cleanup(s.stop)
	return s
}

func (s *testServer) note(_ context.Context, _ string, writes []WriteRequest) []WriteResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = append(s.wrote, writes...)
	return nil
}

// written lists what reached the callback, as "2.11=21".
func (s *testServer) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, write := range s.wrote {
		all = append(all, fmt.Sprintf("%s=%s", write.ID, write.Value))
	}
	return strings.Join(all, " ")
}

// set sets values written as "2.10=21.5".
func (s *testServer) set(assignments ...string) {
	s.t.Helper()
	var values []Value
	for _, assignment := range assignments {
		name, value, _ := strings.Cut(assignment, "=")
		id, err := ParseCharacteristicID(name)
		if err != nil {
			s.t.Fatal(err)
		}
		values = append(values, Value{id, json.RawMessage(value)})
	}
	if err := s.SetValues(values); err != nil {
		s.t.Error(err)
	}
}

// pair gives a new controller a pairing without the lengthy pair-setup.
func (s *testServer) pair(id string, admin bool) Pairing {
	s.t.Helper()
	identity, err := NewIdentity()
	if err != nil {
		s.t.Fatal(err)
	}
	identity.ID = id
	if err := s.door.pairer.add(controllerPairing{ID: id, Key: identity.Public(), Admin: admin}); err != nil {
		s.t.Fatal(err)
	}
	own := s.options.Identity
	return Pairing{AccessoryID: own.DeviceID, AccessoryKey: own.Public(), Address: s.address, Controller: identity}
}

// open counts the server's connections and subscriptions.
func (s *testServer) open() (connections, subscriptions int) {
	s.Server.mu.Lock()
	defer s.Server.mu.Unlock()
	for c := range s.connections {
		c.queue.mu.Lock()
		subscriptions += len(c.queue.subscribed)
		c.queue.mu.Unlock()
	}
	return len(s.connections), subscriptions
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// strictClient is a controller that takes nothing amiss lightly: one goroutine, every byte in its place.
type strictClient struct {
	t      testing.TB
	link   *link
	events []string // heard and not yet asked for, each as "2.10=21.5 2.11=20"
}

// dial connects in plain text.
func (s *testServer) dial() *strictClient {
	s.t.Helper()
	l, err := s.reach.link(context.Background(), s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(l.close)
	return &strictClient{t: s.t, link: l}
}

// connect opens a session.
func (s *testServer) connect(pairing Pairing) *strictClient {
	s.t.Helper()
	c := s.dial()
	if err := c.verify(pairing); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// admin opens a session of a new admin.
func (s *testServer) admin() *strictClient {
	s.t.Helper()
	return s.connect(s.pair(fmt.Sprintf("admin %d", len(s.door.pairer.list())), true))
}

func (c *strictClient) verify(pairing Pairing) error {
	keys, err := PairVerifyOver(context.Background(), c.link.exchange("/pair-verify"), pairing)
	if err != nil {
		return err
	}
	return c.link.channel.encrypt(keys.ToController, keys.ToAccessory)
}

// receive reads the next message of either kind.
func (c *strictClient) receive() (response, error) {
	if err := c.link.channel.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return response{}, err
	}
	return readResponse(c.link.channel.in, responseMax)
}

// try sends a request and reads up to its answer; events on the way are kept.
func (c *strictClient) try(method, target, contentType, body string) (response, error) {
	if err := c.link.channel.send(requestBytes(method, target, c.link.host, contentType, []byte(body))); err != nil {
		return response{}, err
	}
	return c.answer()
}

func (c *strictClient) answer() (response, error) {
	for {
		message, err := c.receive()
		if err != nil || !message.event {
			return message, err
		}
		if err := c.keep(message); err != nil {
			return message, err
		}
	}
}

func (c *strictClient) keep(message response) error {
	readings, err := decodeReadings(message.body)
	if err != nil {
		return fmt.Errorf("event %q: %w", message.body, err)
	}
	var words []string
	for _, reading := range readings {
		words = append(words, fmt.Sprintf("%s=%s", reading.ID, reading.Value))
	}
	c.events = append(c.events, strings.Join(words, " "))
	return nil
}

// do is try for tests in which every request is answered.
func (c *strictClient) do(method, target, body string) response {
	c.t.Helper()
	contentType := ""
	if body != "" {
		contentType = contentJSON
	}
	answer, err := c.try(method, target, contentType, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, target, err)
	}
	return answer
}

func (c *strictClient) get(target string) response {
	c.t.Helper()
	return c.do(http.MethodGet, target, "")
}

// put writes entries such as `{"aid":2,"iid":11,"value":21}`.
func (c *strictClient) put(entries ...string) response {
	c.t.Helper()
	return c.do(http.MethodPut, "/characteristics", `{"characteristics":[`+strings.Join(entries, ",")+`]}`)
}

// subscribe asks for events of the characteristics.
func (c *strictClient) subscribe(ids ...CharacteristicID) {
	c.t.Helper()
	for part := range slices.Chunk(ids, 500) {
		var entries []string
		for _, id := range part {
			entries = append(entries, fmt.Sprintf(`{"aid":%d,"iid":%d,"ev":true}`, id.AID, id.IID))
		}
		if answer := c.put(entries...); answer.status != http.StatusNoContent {
			c.t.Fatalf("subscribe: status %d %s", answer.status, answer.body)
		}
	}
}

// event waits for the next event.
func (c *strictClient) event() string {
	c.t.Helper()
	if len(c.events) == 0 {
		message, err := c.receive()
		if err != nil {
			c.t.Fatalf("wait for an event: %v", err)
		}
		if !message.event {
			c.t.Fatalf("an answer of status %d to no question", message.status)
		}
		if err := c.keep(message); err != nil {
			c.t.Fatal(err)
		}
	}
	first := c.events[0]
	c.events = c.events[1:]
	return first
}

// pairing sends a pairing message and reads its answer.
func (c *strictClient) pairing(path string, message TLV) TLV {
	c.t.Helper()
	answer, err := c.try(http.MethodPost, path, contentPairing, string(message.Encode()))
	if err != nil {
		c.t.Fatalf("%s: %v", path, err)
	}
	if answer.status != http.StatusOK || answer.header.Get("Content-Type") != contentPairing {
		c.t.Fatalf("%s: status %d, %s", path, answer.status, answer.header)
	}
	items, err := DecodeTLV(answer.body)
	if err != nil {
		c.t.Fatalf("%s: %v", path, err)
	}
	return items
}

// closed waits for the server to close the connection, and fails if something else comes.
func (c *strictClient) closed() {
	c.t.Helper()
	if message, err := c.receive(); err == nil {
		c.t.Errorf("instead of the end came status %d %q", message.status, message.body)
	}
}

func (c *strictClient) close() { c.link.close() }
