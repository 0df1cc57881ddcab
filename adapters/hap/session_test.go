package hap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestConnectChecksWhoAnswers(t *testing.T) {
	a := newTestAccessory(t)
	other, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(*Pairing)
		want   error
	}{
		{"a controller that was removed", func(p *Pairing) { p.Controller = other }, ErrPairingRemoved},
		{"an accessory with another id", func(p *Pairing) { p.AccessoryID = "00:11:22:33:44:55" }, ErrOtherAccessory},
		{"an accessory with another key", func(p *Pairing) { p.AccessoryKey = other.Public() }, ErrOtherAccessory},
	} {
		pairing := a.pairing()
		test.change(&pairing)
		if s, err := Connect(within(t, 20*time.Second), a.address(), pairing, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, %v", test.name, s, err)
		}
	}
	if _, err := Connect(within(t, 20*time.Second), a.address(), Pairing{AccessoryID: "x"}, nil); err == nil {
		t.Error("half a pairing is enough")
	}
}

func TestConnectErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		hook func(byte, TLV) TLV
		want string
	}{
		{"busy", func(state byte, _ TLV) TLV { return errorTLV(state+1, ErrorBusy, 0) }, "busy"},
		{"a removed pairing at once", func(state byte, _ TLV) TLV { return errorTLV(2, ErrorAuthentication, 0) }, ErrPairingRemoved.Error()},
		{"no key", func(byte, TLV) TLV { return tlvOf(2) }, "Curve25519"},
		{"nothing sealed", func(byte, TLV) TLV { return tlvOf(2, Item{TagPublicKey, []byte(strings.Repeat("k", 32))}) }, "open PV-Msg02"},
	} {
		a := newTestAccessory(t)
		a.onVerify = test.hook
		_, err := Connect(within(t, 20*time.Second), "", a.pairing(), nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

// talk answers requests by method and path.
func talk(answers map[string]func(c *channel, r request) error) func(*channel, request) error {
	return func(c *channel, r request) error {
		if answer := answers[r.method+" "+r.path]; answer != nil {
			return answer(c, r)
		}
		return c.send(responseBytes(http.StatusNotFound, "", nil))
	}
}

func says(status int, body string) func(*channel, request) error {
	return func(c *channel, _ request) error { return c.send(responseBytes(status, contentJSON, []byte(body))) }
}

func TestSessionReadsAccessories(t *testing.T) {
	a := newTestAccessory(t)
	answer := ""
	status := http.StatusOK
	a.onTalk = func(c *channel, _ request) error { return c.send(responseBytes(status, contentJSON, []byte(answer))) }
	s := a.connect(nil)
	// Larger than many frames.
	answer = `{"accessories":[{"aid":1,"services":[{"iid":1,"type":"4A","characteristics":[{"iid":2,"type":"23","perms":["pr"],"format":"string","value":"` + strings.Repeat("x", 300_000) + `"}]}]}]}`
	list, err := s.Accessories(within(t, 20*time.Second))
	if err != nil || len(list) != 1 || len(list[0].Services[0].Characteristics[0].Value) != 300_002 {
		t.Fatalf("%d accessories, %v", len(list), err)
	}
	answer = `{"accessories":`
	if _, err := s.Accessories(within(t, 20*time.Second)); err == nil {
		t.Error("half a database is read")
	}
	answer, status = `{"status":-70407}`, http.StatusInternalServerError
	if _, err := s.Accessories(within(t, 20*time.Second)); !errors.Is(err, StatusOutOfResources) {
		t.Errorf("got %v", err)
	}
	if s.Err() != nil {
		t.Errorf("the session ended: %v", s.Err())
	}
}

func TestSessionEvents(t *testing.T) {
	a := newTestAccessory(t)
	event := func(c *channel, body string) error { return c.send(eventBytes([]byte(body))) }
	a.onTalk = func(c *channel, r request) error {
		return errors.Join(
			event(c, `{"characteristics":[{"aid":1,"iid":10,"value":21.5},{"aid":2,"iid":11,"value":true}]}`),
			event(c, `no JSON`),
			event(c, `{"characteristics":[]}`),
			c.send(responseBytes(http.StatusNoContent, "", nil)),
			event(c, `{"characteristics":[{"aid":1,"iid":10,"value":null}]}`),
		)
	}
	events := make(chan []Reading, 10)
	s := a.connect(func(readings []Reading) { events <- readings })
	if _, err := s.Subscribe(within(t, 20*time.Second), CharacteristicID{1, 10}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 2 {
		select {
		case readings := <-events:
			for _, reading := range readings {
				got = append(got, fmt.Sprintf("%s=%s", reading.ID, reading.Value))
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("only %v came", got)
		}
	}
	if text := strings.Join(got, " "); text != "1.10=21.5 2.11=true 1.10=" {
		t.Errorf("got %s", text)
	}
	if s.Err() != nil {
		t.Errorf("a broken event ended the session: %v", s.Err())
	}
}

func TestSessionEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		talk func(*channel, request) error
		want string
	}{
		{"when the accessory closes", func(c *channel, _ request) error { return errors.New("close") }, "the accessory closed the connection"},
		{"in the middle of a frame", func(c *channel, _ request) error {
			var out bytes.Buffer
			record := &channel{conn: &recorder{out: &out}, seal: c.seal, counter: c.counter}
			_ = record.send(responseBytes(200, contentJSON, []byte(`{"accessories":[]}`)))
			_, _ = c.conn.Write(out.Bytes()[:out.Len()/2])
			return errors.New("close")
		}, "unexpected EOF"},
		{"in the middle of a message", func(c *channel, _ request) error {
			_ = c.send([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"))
			return errors.New("close")
		}, "unexpected EOF"},
		{"on a frame out of order", func(c *channel, _ request) error {
			c.counter++
			return c.send(responseBytes(204, "", nil))
		}, "open frame 0"},
		{"on plain text", func(c *channel, _ request) error {
			_, err := c.conn.Write(responseBytes(204, "", nil))
			return err
		}, "a frame claims"},
		{"on what is no message", func(c *channel, _ request) error { return c.send([]byte("\x00\x01garbage\r\n\r\n")) }, "is not a status line"},
		{"on two answers", func(c *channel, r request) error {
			return errors.Join(c.send([]byte("EVENT/1.0 200 OK\r\n\r\n")), c.send(append(responseBytes(204, "", nil), responseBytes(204, "", nil)...)))
		}, "answered what was not asked"},
		{"on an endless body", func(c *channel, _ request) error {
			return c.send([]byte("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"))
		}, "too large"},
		{"on 470", says(statusUnverified, `{"status":-70401}`), "does not take this session for verified"},
		{"on 401", says(http.StatusUnauthorized, ""), "does not take this session for verified"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newTestAccessory(t)
			a.onTalk = test.talk
			s := a.connect(nil)
			_, _ = s.Accessories(within(t, 20*time.Second)) // some faults answer this one
			select {
			case <-s.Done():
			case <-time.After(20 * time.Second):
				t.Fatal("the session goes on")
			}
			if err := s.Err(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("it ended with %v, want %q", err, test.want)
			}
			if _, err := s.Read(within(t, 20*time.Second), CharacteristicID{1, 1}); !errors.Is(err, s.Err()) {
				t.Errorf("after the end a read gives %v", err)
			}
		})
	}
}

// recorder keeps what is written.
type recorder struct {
	net.Conn
	out *bytes.Buffer
}

func (r *recorder) SetWriteDeadline(time.Time) error { return nil }
func (r *recorder) Write(p []byte) (int, error)      { return r.out.Write(p) }

func TestATimedOutRequestEndsTheSession(t *testing.T) {
	a := newTestAccessory(t)
	asked := make(chan struct{}, 1)
	a.onTalk = func(*channel, request) error { asked <- struct{}{}; return nil }
	s := a.connect(nil)
	ctx, cancel := context.WithCancel(within(t, 20*time.Second))
	go func() {
		<-asked
		cancel()
	}()
	if _, err := s.Accessories(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	select {
	case <-s.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("a late answer would be taken for the next one's")
	}
	if err := s.Err(); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "no answer to GET /accessories") {
		t.Errorf("it ended with %v", err)
	}
}

func TestAContextThatEndsBeforeTheTurnHarmsNobody(t *testing.T) {
	a := newTestAccessory(t)
	asked, release := make(chan struct{}), make(chan struct{})
	a.onTalk = func(c *channel, _ request) error {
		asked <- struct{}{}
		<-release
		return c.send(responseBytes(200, contentJSON, []byte(`{"accessories":[]}`)))
	}
	s := a.connect(nil)
	first := make(chan error, 1)
	go func() {
		_, err := s.Accessories(within(t, 20*time.Second))
		first <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(within(t, 20*time.Second))
	second := make(chan error, 1)
	go func() {
		_, err := s.Accessories(ctx)
		second <- err
	}()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("the second request gives %v", err)
	}
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the first request gives %v", err)
	}
	if s.Err() != nil {
		t.Errorf("the session ended: %v", s.Err())
	}
}

func TestManyGoroutinesShareASession(t *testing.T) {
	a := newTestAccessory(t)
	a.onTalk = func(c *channel, r request) error {
		id, err := ParseCharacteristicID(r.query.Get("id"))
		if err != nil {
			return err
		}
		return errors.Join(
			c.send(eventBytes([]byte(`{"characteristics":[{"aid":9,"iid":9,"value":1}]}`))),
			c.send(responseBytes(200, contentJSON, []byte(fmt.Sprintf(`{"characteristics":[{"aid":%d,"iid":%d,"value":%d}]}`, id.AID, id.IID, id.IID)))))
	}
	var events sync.WaitGroup
	events.Add(400)
	s := a.connect(func([]Reading) { events.Done() })
	var group sync.WaitGroup
	for worker := range uint64(8) {
		group.Go(func() {
			for n := range uint64(50) {
				id := CharacteristicID{worker + 1, n + 1}
				got, err := s.Read(within(t, 60*time.Second), id)
				if err != nil || got[0].ID != id || string(got[0].Value) != fmt.Sprint(id.IID) {
					t.Errorf("%s: %v, %v", id, got, err)
					return
				}
			}
		})
	}
	group.Wait()
	if !t.Failed() {
		events.Wait()
	}
}

func TestSessionClose(t *testing.T) {
	a := newTestAccessory(t)
	asked := make(chan struct{}, 1)
	a.onTalk = func(*channel, request) error { asked <- struct{}{}; return nil }
	s := a.connect(nil)
	waiting := make(chan error, 1)
	go func() {
		_, err := s.Accessories(within(t, 20*time.Second))
		waiting <- err
	}()
	<-asked
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-waiting; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the request that waited gives %v", err)
	}
	if !errors.Is(s.Err(), net.ErrClosed) {
		t.Errorf("the session ended with %v", s.Err())
	}
}

// TestSessionsLeaveNothing opens and ends sessions in every way and then counts goroutines.
func TestSessionsLeaveNothing(t *testing.T) {
	a := newTestAccessory(t)
	a.onTalk = func(c *channel, r request) error {
		if r.path == "/accessories" {
			return errors.New("close")
		}
		return c.send(responseBytes(204, "", nil))
	}
	pairing := a.pairing()
	before := runtime.NumGoroutine()
	for i := range 20 {
		s, err := Connect(within(t, 60*time.Second), "", pairing, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			_, _ = s.Accessories(within(t, 20*time.Second))
			<-s.Done()
		}
		s.Close()
	}
	wrong := pairing
	wrong.AccessoryID = "x"
	if _, err := Connect(within(t, 20*time.Second), "", wrong, nil); !errors.Is(err, ErrOtherAccessory) {
		t.Error(err)
	}
	a.stop()
	for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before-1; runtime.Gosched() { // the listener is gone, too
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines instead of %d:\n%s", runtime.NumGoroutine(), before-1, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestIdentifyUnpaired(t *testing.T) {
	a := newTestAccessory(t)
	status, body := http.StatusNoContent, ""
	a.onPlain = func(c *channel, r request) bool {
		return r.method == "POST" && r.path == "/identify" && c.send(responseBytes(status, contentJSON, []byte(body))) == nil
	}
	if err := Identify(within(t, 20*time.Second), a.address()); err != nil {
		t.Error(err)
	}
	status, body = http.StatusBadRequest, `{"status":-70401}`
	if err := Identify(within(t, 20*time.Second), a.address()); !errors.Is(err, StatusPrivileges) {
		t.Errorf("a paired accessory gives %v", err)
	}
	if err := Identify(within(t, 20*time.Second), "127.0.0.1:1"); err == nil {
		t.Error("nobody is identified")
	}
}

func FuzzDecodeReadings(f *testing.F) {
	f.Add([]byte(`{"characteristics":[{"aid":1,"iid":10,"value":21.5},{"aid":2,"iid":11,"status":-70402}]}`))
	f.Add([]byte(`{"characteristics":[{"aid":1,"iid":10,"value":null}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		readings, err := decodeReadings(raw)
		if err != nil {
			return
		}
		for _, reading := range readings {
			if reading.Value != nil && !json.Valid(reading.Value) {
				t.Fatalf("%s gives the value %s", raw, reading.Value)
			}
		}
	})
}
