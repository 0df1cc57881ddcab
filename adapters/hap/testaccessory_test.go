package hap

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const testCode = "518-08-582"

// testAccessory is the smallest accessory that a controller can pair and talk with, written on the wire alone. Its hooks
// replace answers with faults.
type testAccessory struct {
	t        *testing.T
	listener net.Listener
	id       string
	key      ed25519.PrivateKey

	// Hooks. They are set before the first connection.
	onSetup  func(state byte, message TLV) TLV  // an answer instead of the right one, or nil
	onVerify func(state byte, message TLV) TLV  // likewise
	onTalk   func(c *channel, r request) error  // answers a verified request; nil: 204 to all
	garble   func(connection net.Conn) net.Conn // what lies between
	badB     int                                // so many challenges begin with a zero byte
	onPlain  func(c *channel, r request) (handled bool)

	mu       sync.Mutex
	paired   map[string]ed25519.PublicKey
	requests []request
	dials    int
	group    sync.WaitGroup
	open     map[net.Conn]bool
}

func newTestAccessory(t *testing.T) *testAccessory {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	key, err := newSigningKey()
	if err != nil {
		t.Fatal(err)
	}
	a := &testAccessory{t: t, listener: listener, id: "AA:BB:CC:DD:EE:FF", key: key, paired: map[string]ed25519.PublicKey{}, open: map[net.Conn]bool{}}
	a.group.Go(a.listen)
	t.Cleanup(a.stop)
	return a
}

func (a *testAccessory) address() string { return a.listener.Addr().String() }

func (a *testAccessory) stop() {
	a.listener.Close()
	a.mu.Lock()
	for conn := range a.open {
		conn.Close()
	}
	a.mu.Unlock()
	a.group.Wait()
}

func (a *testAccessory) listen() {
	for {
		conn, err := a.listener.Accept()
		if err != nil {
			return
		}
		a.mu.Lock()
		a.dials++
		a.open[conn] = true
		a.mu.Unlock()
		a.group.Go(func() {
			a.serve(conn)
			conn.Close()
			a.mu.Lock()
			delete(a.open, conn)
			a.mu.Unlock()
		})
	}
}

// testLink is one connection at the accessory's end.
type testLink struct {
	*channel
	srp      *srpServer
	srpKey   []byte
	secret   []byte
	own      []byte // our ephemeral public key
	peer     []byte
	verified bool
}

func (a *testAccessory) serve(conn net.Conn) {
	if a.garble != nil {
		conn = a.garble(conn)
	}
	l := &testLink{channel: newChannel(conn)}
	for {
		r, err := readRequest(l.in, 1<<20)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
				a.t.Logf("accessory: %v", err)
			}
			return
		}
		a.mu.Lock()
		a.requests = append(a.requests, r)
		a.mu.Unlock()
		if err := a.answer(l, r); err != nil {
			return
		}
	}
}

func (a *testAccessory) answer(l *testLink, r request) error {
	message, err := DecodeTLV(r.body)
	state, _ := message.Byte(TagState)
	switch {
	case a.onPlain != nil && !l.verified && a.onPlain(l.channel, r):
		return nil
	case r.path == "/pair-setup" && err == nil:
		return a.say(l, or(a.onSetup, state, message, func() TLV { return a.setup(l, state, message) }))
	case r.path == "/pair-verify" && err == nil:
		answer := or(a.onVerify, state, message, func() TLV { return a.verify(l, state, message) })
		if err := a.say(l, answer); err != nil || state != 3 || answer.Has(TagError) {
			return err
		}
		keys := sessionKeys(l.secret)
		l.verified = true
		return l.encrypt(keys.ToAccessory, keys.ToController)
	case !l.verified:
		return l.send(responseBytes(statusUnverified, contentJSON, []byte(`{"status":-70401}`)))
	case a.onTalk != nil:
		return a.onTalk(l.channel, r)
	}
	return l.send(responseBytes(http.StatusNoContent, "", nil))
}

func or(hook func(byte, TLV) TLV, state byte, message TLV, right func() TLV) TLV {
	if hook != nil {
		if answer := hook(state, message); answer != nil {
			return answer
		}
	}
	return right()
}

func (a *testAccessory) say(l *testLink, message TLV) error {
	return l.send(responseBytes(http.StatusOK, contentPairing, message.Encode()))
}

func (a *testAccessory) setup(l *testLink, state byte, message TLV) TLV {
	switch state {
	case 1:
		l.srp, _ = newSRPServer(testCode)
		public := bytes.Clone(l.srp.public)
		if a.badB > 0 {
			a.badB--
			public[0] = 0
		}
		return tlvOf(2, Item{TagSalt, l.srp.salt}, Item{TagPublicKey, public})
	case 3:
		proof, key, err := l.srp.verify(message.Get(TagPublicKey), message.Get(TagProof))
		if err != nil {
			return errorTLV(4, ErrorAuthentication, 0)
		}
		l.srpKey = key
		return tlvOf(4, Item{TagProof, proof}, Item{TagEncryptedData, []byte("an MFi proof")})
	}
	id, public, err := openSetupIdentity(roleController, nonceSetupM5, l.srpKey, message.Get(TagEncryptedData))
	if err != nil {
		return errorTLV(6, ErrorAuthentication, 0)
	}
	a.mu.Lock()
	a.paired[id] = public
	a.mu.Unlock()
	return tlvOf(6, Item{TagEncryptedData, sealSetupIdentity(roleAccessory, nonceSetupM6, l.srpKey, a.id, a.key)})
}

func (a *testAccessory) verify(l *testLink, state byte, message TLV) TLV {
	if state == 1 {
		own, err := newCurveKey()
		if err != nil {
			return errorTLV(2, ErrorUnknown, 0)
		}
		l.own, l.peer = own.PublicKey().Bytes(), message.Get(TagPublicKey)
		if l.secret, err = curveSecret(own, l.peer); err != nil {
			return errorTLV(2, ErrorAuthentication, 0)
		}
		sealed := sealVerifyIdentity(nonceVerifyM2, l.secret, l.own, l.peer, a.id, a.key)
		return tlvOf(2, Item{TagPublicKey, l.own}, Item{TagEncryptedData, sealed})
	}
	id, check, err := openVerifyIdentity(nonceVerifyM3, l.secret, message.Get(TagEncryptedData), l.peer, l.own)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil || check(a.paired[id]) != nil {
		return errorTLV(4, ErrorAuthentication, 0)
	}
	return tlvOf(4)
}

// pairing makes the accessory know a new controller without pair-setup.
func (a *testAccessory) pairing() Pairing {
	a.t.Helper()
	identity, err := NewIdentity()
	if err != nil {
		a.t.Fatal(err)
	}
	a.mu.Lock()
	a.paired[identity.ID] = identity.Public()
	a.mu.Unlock()
	return Pairing{AccessoryID: a.id, AccessoryKey: a.key.Public().(ed25519.PublicKey), Address: a.address(), Controller: identity}
}

// connect opens a session that is closed at the end of the test.
func (a *testAccessory) connect(onEvent func([]Reading)) *Session {
	a.t.Helper()
	s, err := Connect(within(a.t, 20*time.Second), "", a.pairing(), onEvent)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { s.Close() })
	return s
}

func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}
