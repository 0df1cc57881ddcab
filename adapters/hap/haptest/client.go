package haptest

import (
	"bufio"
	"context"
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Client is a controller that forgives nothing: a frame out of order, an event inside a response, a status that is
// missing or out of place, and every other slip of the accessory is an error, after which the Client is of no more use.
// Its frames and messages are written anew, apart from those of package hap. One goroutine uses it.
type Client struct {
	conn    net.Conn
	in      *bufio.Reader
	seal    cipher.AEAD // nil in plain text
	counter uint64
	events  []Message // came while an answer was awaited
	failure error
}

// Message is a response or an event of an accessory.
type Message struct {
	Event  bool
	Status int
	Header http.Header
	Body   []byte
}

// Dial connects in plain text.
func Dial(ctx context.Context, address string) (*Client, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &Client{conn: conn, in: bufio.NewReader(conn)}, nil
}

// Connect dials and verifies.
func Connect(ctx context.Context, address string, pairing hap.Pairing) (*Client, error) {
	c, err := Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := c.Verify(ctx, pairing); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Verify runs pair-verify and switches to encryption.
func (c *Client) Verify(ctx context.Context, pairing hap.Pairing) error {
	keys, err := hap.PairVerifyOver(ctx, c.Exchange("/pair-verify"), pairing)
	if err != nil {
		return err
	}
	if c.in.Buffered() > 0 {
		return errors.New("the accessory spoke before it was asked, across the switch to encryption")
	}
	write, err := chacha20poly1305.New(keys.ToAccessory[:])
	if err != nil {
		return err
	}
	read, err := chacha20poly1305.New(keys.ToController[:])
	if err != nil {
		return err
	}
	c.seal, c.in = write, bufio.NewReader(&strictFrames{source: c.conn, open: read})
	return nil
}

// Exchange carries pairing messages to the path, such as "/pair-setup" or "/pairings".
func (c *Client) Exchange(path string) hap.Exchange {
	return func(ctx context.Context, message hap.TLV) (hap.TLV, error) {
		answer, err := c.Do(ctx, http.MethodPost, path, contentPairing, message.Encode())
		if err != nil {
			return nil, err
		}
		if answer.Status != http.StatusOK || answer.Header.Get("Content-Type") != contentPairing {
			return nil, fmt.Errorf("%s: status %d, %q", path, answer.Status, answer.Header.Get("Content-Type"))
		}
		return hap.DecodeTLV(answer.Body)
	}
}

const (
	contentPairing = "application/pairing+tlv8"
	contentJSON    = "application/hap+json"
)

// Request writes a request message; body may be nil.
func Request(method, target, contentType string, body []byte) []byte {
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: test\r\n", method, target)
	if body != nil {
		head += fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	return append([]byte(head+"\r\n"), body...)
}

// Do sends a request and waits for its answer. Events that come meanwhile are kept for Event.
func (c *Client) Do(ctx context.Context, method, target, contentType string, body []byte) (Message, error) {
	if err := c.Send(ctx, Request(method, target, contentType, body)); err != nil {
		return Message{}, err
	}
	for {
		message, err := c.receive(ctx)
		if err != nil {
			return Message{}, fmt.Errorf("%s %s: %w", method, target, err)
		}
		if !message.Event {
			return message, c.check(checkAnswer(method, target, message))
		}
		c.events = append(c.events, message)
	}
}

// Get asks for a target and Put writes a JSON body to it.
func (c *Client) Get(ctx context.Context, target string) (Message, error) {
	return c.Do(ctx, http.MethodGet, target, "", nil)
}

// Put sends body as JSON.
func (c *Client) Put(ctx context.Context, target, body string) (Message, error) {
	return c.Do(ctx, http.MethodPut, target, contentJSON, []byte(body))
}

// Event waits for the next event. An answer to nothing is an error.
func (c *Client) Event(ctx context.Context) (Message, error) {
	if len(c.events) > 0 {
		first := c.events[0]
		c.events = c.events[1:]
		return first, nil
	}
	message, err := c.receive(ctx)
	if err == nil && !message.Event {
		err = c.check(errors.New("the accessory answered what was not asked"))
	}
	return message, err
}

// Send writes the pieces of one or more messages with a single Write, each piece as a frame of its own if it fits; in
// plain text they just follow each other.
func (c *Client) Send(ctx context.Context, pieces ...[]byte) error {
	if c.failure != nil {
		return c.failure
	}
	defer c.limit(ctx)()
	var out []byte
	for _, piece := range pieces {
		if c.seal == nil {
			out = append(out, piece...)
			continue
		}
		for len(piece) > 0 {
			n := min(len(piece), frameMax)
			out = c.appendFrame(out, piece[:n])
			piece = piece[n:]
		}
	}
	_, err := c.conn.Write(out)
	return c.check(err)
}

func (c *Client) appendFrame(out, piece []byte) []byte {
	head := binary.LittleEndian.AppendUint16(nil, uint16(len(piece)))
	out = c.seal.Seal(append(out, head...), nonce(c.counter), piece, head)
	c.counter++
	return out
}

// receive reads one message and holds it against the rules for messages.
func (c *Client) receive(ctx context.Context) (Message, error) {
	if c.failure != nil {
		return Message{}, c.failure
	}
	defer c.limit(ctx)()
	message, err := readStrictly(c.in)
	return message, c.check(err)
}

// check remembers the first failure.
func (c *Client) check(err error) error {
	if c.failure == nil {
		c.failure = err
	}
	return err
}

// limit makes reads and writes end with ctx.
func (c *Client) limit(ctx context.Context) (release func()) {
	_ = c.conn.SetDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

const frameMax = 1024

func nonce(counter uint64) []byte {
	n := make([]byte, 12)
	binary.LittleEndian.PutUint64(n[4:], counter)
	return n
}

// strictFrames opens frames in order and refuses empty ones.
type strictFrames struct {
	source  io.Reader
	open    cipher.AEAD
	counter uint64
	rest    []byte
}

// Read returns what came in frames, and fails at one that a strict controller would not take.
func (f *strictFrames) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		var err error
		if f.rest, err = f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func (f *strictFrames) next() ([]byte, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(f.source, head); err != nil {
		return nil, err
	}
	size := int(binary.LittleEndian.Uint16(head))
	if size == 0 || size > frameMax {
		return nil, fmt.Errorf("frame %d has %d bytes", f.counter, size)
	}
	body := make([]byte, size+chacha20poly1305.Overhead)
	if _, err := io.ReadFull(f.source, body); err != nil {
		return nil, fmt.Errorf("frame %d ends early: %w", f.counter, io.ErrUnexpectedEOF)
	}
	plain, err := f.open.Open(nil, nonce(f.counter), body, head)
	if err != nil {
		return nil, fmt.Errorf("frame %d is out of order or changed: %w", f.counter, err)
	}
	f.counter++
	return plain, nil
}

// Values reads the entries of a /characteristics answer or of an event.
func (m Message) Values() ([]Entry, error) {
	var body struct{ Characteristics []Entry }
	if len(m.Body) == 0 {
		return nil, nil
	}
	err := json.Unmarshal(m.Body, &body)
	return body.Characteristics, err
}

// Entry is one characteristic of an answer or event; what was not there is nil.
type Entry struct {
	AID, IID *uint64
	Value    json.RawMessage
	Status   *int
}
