package hap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPathsAndMethods(t *testing.T) {
	s := startServer(t, house(1), nil)
	plain, session := s.dial(), s.admin()
	tests := []struct {
		method, target      string
		unverified, allowed int
	}{
		{http.MethodGet, "/accessories", 470, 200},
		{http.MethodGet, "/characteristics?id=2.10", 470, 200},
		{http.MethodPut, "/characteristics", 470, 400},
		{http.MethodPut, "/prepare", 470, 400},
		{http.MethodPost, "/pairings", 470, 200},
		{http.MethodPost, "/resource", 470, 400},
		{http.MethodPost, "/accessories", 470, 405},
		{http.MethodGet, "/pairings", 470, 405},
		{http.MethodGet, "/pair-setup", 405, 405},
		{http.MethodGet, "/pair-verify", 405, 405},
		{http.MethodGet, "/identify", 405, 405},
		{http.MethodPost, "/identify", 400, 400},
		{http.MethodGet, "/", 404, 404},
		{http.MethodGet, "/accessories/", 404, 404},
		{http.MethodDelete, "/nothing", 404, 404},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			if got := plain.do(test.method, test.target, ""); got.status != test.unverified {
				t.Errorf("in plain text: status %d, want %d", got.status, test.unverified)
			}
			if got := session.do(test.method, test.target, ""); got.status != test.allowed {
				t.Errorf("in a session: status %d, want %d", got.status, test.allowed)
			}
		})
	}
	if got := plain.get("/accessories"); !strings.Contains(string(got.body), "-70401") {
		t.Errorf("the refusal says %s", got.body)
	}
}

func TestServeAccessories(t *testing.T) {
	list := house(3)
	s := startServer(t, list, nil)
	answer := s.admin().get("/accessories")
	want, err := EncodeAccessories(list)
	if err != nil {
		t.Fatal(err)
	}
	if answer.status != http.StatusOK || answer.header.Get("Content-Type") != contentJSON || !sameJSON(t, answer.body, want) {
		t.Errorf("got %d %s\n%s\nwant\n%s", answer.status, answer.header, answer.body, want)
	}
}

func TestServeIdentify(t *testing.T) {
	identified := make(chan struct{}, 1)
	s := startServer(t, house(1), func(o *ServerOptions) { o.Identify = func(context.Context) { identified <- struct{}{} } })
	c := s.dial()
	if answer := c.do(http.MethodPost, "/identify", ""); answer.status != http.StatusNoContent {
		t.Errorf("status %d", answer.status)
	}
	<-identified
	s.pair("admin", true)
	if answer := c.do(http.MethodPost, "/identify", ""); answer.status != http.StatusBadRequest || len(identified) > 0 {
		t.Errorf("once paired: status %d, %d calls", answer.status, len(identified))
	}
	silent := startServer(t, house(1), nil).dial()
	if answer := silent.do(http.MethodPost, "/identify", ""); answer.status != http.StatusNoContent {
		t.Errorf("without a callback: status %d", answer.status)
	}
}

func TestResource(t *testing.T) {
	picture := strings.Repeat("\xff\xd8picture", 8000)
	s := startServer(t, house(1), func(o *ServerOptions) {
		o.Snapshot = func(ctx context.Context, wanted SnapshotRequest) ([]byte, error) {
			if _, bounded := ctx.Deadline(); !bounded {
				return nil, errors.New("no deadline")
			}
			if wanted != (SnapshotRequest{AID: 2, Width: 640, Height: 360}) && wanted.AID != BridgeAID {
				return nil, fmt.Errorf("no camera for %+v", wanted)
			}
			return []byte(picture), nil
		}
	})
	c := s.admin()
	tests := []struct {
		name, body string
		status     int
		kind, want string
	}{
		{"picture", `{"resource-type":"image","image-width":640,"image-height":360,"aid":2}`, 200, "image/jpeg", picture},
		{"of the device itself", `{"resource-type":"image","image-width":640,"image-height":360}`, 200, "image/jpeg", picture},
		{"no such camera", `{"resource-type":"image","image-width":640,"image-height":360,"aid":3}`, 207, contentJSON, `{"status":-70402}`},
		{"no picture", `{"resource-type":"sound","aid":2}`, 400, contentJSON, `{"status":-70410}`},
		{"no JSON", `picture, please`, 400, contentJSON, `{"status":-70410}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := c.do(http.MethodPost, "/resource", test.body)
			if got.status != test.status || got.header.Get("Content-Type") != test.kind || string(got.body) != test.want {
				t.Errorf("got %d %s %.60q", got.status, got.header, got.body)
			}
		})
	}
	bare := startServer(t, house(1), nil).admin()
	if answer := bare.do(http.MethodPost, "/resource", `{"resource-type":"image","aid":2}`); answer.status != http.StatusNotFound {
		t.Errorf("without cameras: status %d", answer.status)
	}
}

func TestTXT(t *testing.T) {
	store := newMemoryStore()
	s := startServerOn(t, store, house(1), nil)
	id := s.options.Identity
	want := map[string]string{"pv": "1.1", "s#": "1", "ff": "0", "sf": "1", "ci": "2", "md": "Veilleuse", "id": id.DeviceID,
		"c#": "1", "sh": SetupHash(id.SetupID, id.DeviceID)}
	got := s.TXT()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got["c#"] = "99"
	if s.TXT()["c#"] != "1" {
		t.Error("two callers share a map")
	}
	if want := SetupURI(2, id.SetupCode, id.SetupID); s.SetupURI() != want {
		t.Errorf("setup URI %s, want %s", s.SetupURI(), want)
	}
}

func TestConfigurationNumber(t *testing.T) {
	store := newMemoryStore()
	number := func(s *testServer) string { return s.TXT()["c#"] }
	steps := []struct {
		name        string
		accessories func() []Accessory
		want        string
	}{
		{"first", func() []Accessory { return house(1) }, "1"},
		{"restart", func() []Accessory { return house(1) }, "1"},
		{"other values", func() []Accessory {
			list := house(1)
			list[1].Services[1].Characteristics[0].Value = NumberValue(25)
			return list
		}, "1"},
		{"a device more", func() []Accessory { return house(2) }, "2"},
		{"new firmware", func() []Accessory { return append(house(1), device(3, "2.0")) }, "3"},
		{"back again", func() []Accessory { return house(2) }, "4"},
	}
	for _, step := range steps {
		s := startServerOn(t, store, step.accessories(), nil)
		if got := number(s); got != step.want {
			t.Errorf("%s: c#=%s, want %s", step.name, got, step.want)
		}
		s.stop()
	}
	store.values[configurationKey] = []byte(`{"number":65535,"layout":"x"}`)
	if got := number(startServerOn(t, store, house(1), nil)); got != "1" {
		t.Errorf("after 65535 comes %s", got)
	}
}

func TestSetAccessoriesFails(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.admin()
	before := c.get("/accessories").body
	if err := s.SetAccessories(house(2)[1:]); err == nil {
		t.Error("a house without a bridge was taken")
	}
	s.store.failOn("set", configurationKey)
	if err := s.SetAccessories(house(2)); !errors.Is(err, errDisk) {
		t.Errorf("error %v, want %v", err, errDisk)
	}
	if after := c.get("/accessories").body; string(after) != string(before) || s.TXT()["c#"] != "1" {
		t.Errorf("something changed: c#=%s", s.TXT()["c#"])
	}
}

func TestAccessoriesChangeWhileSessionsLive(t *testing.T) {
	s := startServer(t, house(2), nil)
	c := s.admin()
	for len(s.Changed()) > 0 {
		<-s.Changed()
	}
	kept, lost, late := CharacteristicID{2, iidSmoke}, CharacteristicID{3, iidSmoke}, CharacteristicID{4, iidSmoke}
	c.subscribe(kept, lost)
	next := append(house(1), device(4, "1.0"))
	next[1].Services[5].Characteristics[0].Value = NumberValue(1)
	if err := s.SetAccessories(next); err != nil {
		t.Fatal(err)
	}
	if got := c.event(); got != "2.28=1" {
		t.Errorf("the change that came with the new accessories is heard as %q", got)
	}
	select {
	case <-s.Changed():
	case <-time.After(patience):
		t.Error("nobody was told that the TXT record changed")
	}
	if got := s.TXT()["c#"]; got != "2" {
		t.Errorf("c#=%s, want 2", got)
	}
	c.subscribe(late)
	read := c.get("/characteristics?id=2.28,3.28,4.28&ev=1")
	want := `{"characteristics":[{"aid":2,"iid":28,"value":1,"ev":true,"status":0},{"aid":3,"iid":28,"status":-70409},
		{"aid":4,"iid":28,"value":0,"ev":true,"status":0}]}`
	if !sameJSON(t, read.body, []byte(want)) {
		t.Errorf("got %s, want %s", read.body, want)
	}
	if _, subscriptions := s.open(); subscriptions != 2 {
		t.Errorf("%d subscriptions, want 2", subscriptions)
	}
	if err := s.SetValues([]Value{{lost, NumberValue(1)}}); !errors.Is(err, StatusNoSuch) {
		t.Errorf("error %v, want %v", err, StatusNoSuch)
	}
	s.set("4.28=1")
	if got := c.event(); got != "4.28=1" {
		t.Errorf("heard %q", got)
	}
}

func TestServeWithoutAccessories(t *testing.T) {
	store := newMemoryStore()
	identity, err := LoadServerIdentity(store)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServer(ServerOptions{Identity: identity, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetValues([]Value{{CharacteristicID{1, 5}, TextValue("x")}}); err == nil {
		t.Error("values were set of nothing")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), listener); err == nil {
		t.Error("served nothing")
	}
}

func TestNewServerWithoutItsNeeds(t *testing.T) {
	identity, err := NewServerIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string]ServerOptions{
		"no store": {Identity: identity}, "no identity": {Store: newMemoryStore()},
	} {
		if _, err := NewServer(options); err == nil {
			t.Errorf("%s: started", name)
		}
	}
}

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
