package hap

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	frameMax   = 1024 // plain bytes in one frame (HAP R2 6.5.2)
	frameHead  = 2    // little-endian length of the plain bytes, authenticated
	frameTrail = chacha20poly1305.Overhead
)

// CounterNonce is a counter in the last eight of a nonce's twelve bytes (HAP R2 6.5.2 and 7.4.7.3).
func CounterNonce(counter uint64) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSize)
	binary.LittleEndian.PutUint64(nonce[4:], counter)
	return nonce
}

// appendFrames seals the message into as many frames as it needs and returns the counter of the next one.
func appendFrames(out []byte, aead cipher.AEAD, counter uint64, message []byte) ([]byte, uint64) {
	for len(message) > 0 {
		size := min(len(message), frameMax)
		head := binary.LittleEndian.AppendUint16(nil, uint16(size))
		out = append(out, head...)
		out = aead.Seal(out, CounterNonce(counter), message[:size], head)
		message = message[size:]
		counter++
	}
	return out, counter
}

// frameReader gives the plain bytes of a stream of frames. Messages may span frames and share them. After its first
// error it gives only that one: a stream with a bad frame has no safe continuation.
type frameReader struct {
	source  io.Reader
	aead    cipher.AEAD
	counter uint64
	sealed  [frameHead + frameMax + frameTrail]byte
	plain   []byte // read from the wire, not yet given out
	failure error
}

func newFrameReader(source io.Reader, key Key) *frameReader {
	return &frameReader{source: source, aead: key.AEAD()}
}

// Read returns what the frames hold, opened.
func (r *frameReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.plain) == 0 && r.failure == nil {
		r.plain, r.failure = r.next()
	}
	if len(r.plain) == 0 {
		return 0, r.failure
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// next reads and opens one frame. The end of the stream between two frames is io.EOF.
func (r *frameReader) next() ([]byte, error) {
	head := r.sealed[:frameHead]
	if _, err := io.ReadFull(r.source, head); err != nil {
		return nil, err
	}
	size := int(binary.LittleEndian.Uint16(head))
	if size > frameMax {
		return nil, fmt.Errorf("a frame claims %d bytes, more than %d", size, frameMax)
	}
	body := r.sealed[frameHead : frameHead+size+frameTrail]
	if _, err := io.ReadFull(r.source, body); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	plain, err := r.aead.Open(body[:0], CounterNonce(r.counter), body, head)
	if err != nil {
		return nil, fmt.Errorf("open frame %d: %w", r.counter, err)
	}
	r.counter++
	return plain, nil
}

// sendTimeout is how long one message may take to leave unless the channel says otherwise; a peer that stops reading
// must not hold us.
const sendTimeout = 10 * time.Second

// channel is one HAP connection: plain text at first, frames after encrypt. One goroutine reads from in and calls
// encrypt; any goroutine may send.
type channel struct {
	conn    net.Conn
	timeout time.Duration // of one send
	in      *bufio.Reader // what the reading goroutine reads messages from; replaced by encrypt
	raw     *bufio.Reader // the bytes as they come; what is left in it at the switch is read as frames

	sending sync.Mutex
	seal    cipher.AEAD // nil while in plain text
	counter uint64
	broken  error // set by the first failed send
}

func newChannel(conn net.Conn) *channel {
	raw := bufio.NewReader(conn)
	return &channel{conn: conn, timeout: sendTimeout, in: raw, raw: raw}
}

// encrypt switches both directions to frames. It belongs to the goroutine that reads, after the last plain message was
// read and sent; nobody else may be reading at that moment.
func (c *channel) encrypt(read, write Key) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.seal != nil {
		return errors.New("the connection is encrypted already")
	}
	c.in = bufio.NewReader(newFrameReader(c.raw, read))
	c.seal = write.AEAD()
	return nil
}

// send writes one whole message with a single Write. After a failure the connection is closed, since the peer may have
// half a message, and every later send fails alike.
func (c *channel) send(message []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.broken != nil {
		return c.broken
	}
	if c.seal != nil {
		frames := (len(message) + frameMax - 1) / frameMax
		sealed := make([]byte, 0, len(message)+frames*(frameHead+frameTrail))
		message, c.counter = appendFrames(sealed, c.seal, c.counter, message)
	}
	if err := c.write(message); err != nil {
		c.broken = fmt.Errorf("send: %w", err)
		c.conn.Close()
	}
	return c.broken
}

func (c *channel) write(message []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	_, err := c.conn.Write(message)
	return err
}
