package haptest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Fault is a way in which an accessory fails.
type Fault int

// Faults, each with its occasion.
const (
	Reset           Fault = iota // a new connection is closed at once
	ZeroB                        // an SRP challenge begins with a zero byte
	DropAfterVerify              // the connection ends as soon as pair-verify is done
	WrongNonce                   // a message of a session cannot be opened
	HalfAnswer                   // half a message of a session leaves, then the connection ends
	Mute                         // a message of a session and all that follow it in that connection never leave
)

// faults are those that wait for their occasion, and the connections they fall on.
type faults struct {
	mu       sync.Mutex
	waiting  map[Fault]int
	refusals map[string]*refusal
	gate     chan struct{} // closed by release; nil: nothing is held
	open     map[*faultyConn]bool
	ever     int
}

type refusal struct {
	answer hap.PairingError
	times  int
}

func (f *faults) set(fault Fault, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		f.waiting = map[Fault]int{}
	}
	f.waiting[fault] = times
}

func (f *faults) refuse(path string, answer hap.PairingError, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refusals == nil {
		f.refusals = map[string]*refusal{}
	}
	f.refusals[path] = &refusal{answer, times}
}

// due tells whether this occasion is to be spoilt.
func (f *faults) due(fault Fault) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting[fault] == 0 {
		return false
	}
	f.waiting[fault]--
	return true
}

func (f *faults) refused(path string) (hap.PairingError, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.refusals[path]
	if r == nil || r.times == 0 {
		return hap.PairingError{}, false
	}
	r.times--
	return r.answer, true
}

func (f *faults) hold() (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gate := make(chan struct{})
	f.gate = gate
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.gate == gate {
			f.gate = nil
		}
		close(gate)
	})
}

func (f *faults) held() chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gate
}

func (f *faults) cutAll() {
	f.mu.Lock()
	var all []*faultyConn
	for c := range f.open {
		all = append(all, c)
	}
	f.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

func (f *faults) count() (open, ever int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.open), f.ever
}

// faultyListener hands the server connections that can fail.
type faultyListener struct {
	net.Listener
	faults *faults
}

// Accept returns the next connection, with the faults that are set.
func (l *faultyListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &faultyConn{Conn: conn, faults: l.faults, closed: make(chan struct{})}
		l.faults.add(c)
		if !l.faults.due(Reset) {
			return c, nil
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // the peer sees a reset
		}
		c.Close()
	}
}

func (f *faults) add(c *faultyConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[*faultyConn]bool{}
	}
	f.open[c] = true
	f.ever++
}

func (f *faults) remove(c *faultyConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, c)
}

// faultyConn is a connection at the accessory's end. The server writes each message with one Write, so a Write is a
// message here.
type faultyConn struct {
	net.Conn
	faults *faults
	once   sync.Once
	closed chan struct{}

	mu       sync.Mutex
	heard    []byte // plain text since the last answer
	verified bool
	mute     bool
}

// Close ends the connection once.
func (c *faultyConn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		close(c.closed)
		c.faults.remove(c)
		err = c.Conn.Close()
	})
	return err
}

// Read listens in while the connection is in plain text.
func (c *faultyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.verified {
		c.heard = append(c.heard, p[:n]...)
	}
	return n, err
}

// Write sends as the fault of the connection lets it.
func (c *faultyConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	plain := !c.verified
	c.mu.Unlock()
	if plain {
		return c.writePlain(p)
	}
	if gate := c.faults.held(); gate != nil {
		select {
		case <-gate:
		case <-c.closed:
		}
	}
	return c.writeSealed(p)
}

func (c *faultyConn) writeSealed(p []byte) (int, error) {
	c.mu.Lock()
	c.mute = c.mute || c.faults.due(Mute)
	mute := c.mute
	c.mu.Unlock()
	switch {
	case mute:
		return len(p), nil
	case c.faults.due(WrongNonce):
		p = bytes.Clone(p)
		p[2] ^= 1 // behind the length: what a receiver sees of a wrong nonce is a tag that does not fit
	case c.faults.due(HalfAnswer):
		n, _ := c.Conn.Write(p[:len(p)/2])
		c.Close()
		return n, io.ErrShortWrite
	}
	return c.Conn.Write(p)
}

// writePlain lets pairing messages through, or spoils them.
func (c *faultyConn) writePlain(p []byte) (int, error) {
	path, message, ok := c.pairingMessage(p)
	if !ok {
		return c.Conn.Write(p)
	}
	state, _ := message.Byte(hap.TagState)
	if spoilt := c.spoil(path, state, message); spoilt != nil {
		_, err := c.Conn.Write(spoilt)
		return len(p), err
	}
	done := path == "/pair-verify" && state == 4 && !message.Has(hap.TagError)
	c.mu.Lock()
	c.verified = done
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	if done && c.faults.due(DropAfterVerify) {
		c.Close()
	}
	return n, err
}

// pairingMessage takes the answer apart and finds the path that was asked.
func (c *faultyConn) pairingMessage(answer []byte) (path string, message hap.TLV, ok bool) {
	c.mu.Lock()
	line, _, _ := strings.Cut(string(c.heard), " HTTP/1.1")
	c.heard = nil
	c.mu.Unlock()
	path, ok = strings.CutPrefix(line, http.MethodPost+" ")
	if !ok || !strings.HasPrefix(path, "/pair-") {
		return "", nil, false
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil)
	if err != nil {
		return "", nil, false
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", nil, false
	}
	message, err = hap.DecodeTLV(body)
	return path, message, err == nil
}

// spoil returns another answer, or nil to leave it as it is.
func (c *faultyConn) spoil(path string, state byte, message hap.TLV) []byte {
	if state == 2 {
		if refused, ok := c.faults.refused(path); ok {
			return pairingResponse(refusalMessage(state, refused))
		}
	}
	if path == "/pair-setup" && state == 2 && message.Has(hap.TagPublicKey) && c.faults.due(ZeroB) {
		message.Get(hap.TagPublicKey)[0] = 0
		return pairingResponse(message)
	}
	return nil
}

func refusalMessage(state byte, refused hap.PairingError) hap.TLV {
	message := hap.TLV{{Tag: hap.TagState, Value: []byte{state}}, {Tag: hap.TagError, Value: []byte{refused.Code}}}
	if seconds := int(refused.Retry.Seconds()); seconds > 0 {
		message = append(message, hap.Item{Tag: hap.TagRetryDelay, Value: []byte{byte(seconds), byte(seconds >> 8)}})
	}
	return message
}

func pairingResponse(message hap.TLV) []byte {
	body := message.Encode()
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/pairing+tlv8\r\nContent-Length: %d\r\n\r\n", len(body))
	return append([]byte(head), body...)
}
