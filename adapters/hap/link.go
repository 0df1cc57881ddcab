package hap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// answerTimeout bounds one request, also where the caller's context has no end: a slow device needs some seconds
	// for SRP, and a battery device behind a bridge about ten to be woken.
	answerTimeout = 30 * time.Second
)

// keepAlive notices within 35 s that a device is gone without a word.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 20 * time.Second, Interval: 5 * time.Second, Count: 3}

// link is a connection to an accessory in plain text. Only one goroutine uses it.
type link struct {
	channel *channel
	host    string // for the Host header
}

// Dial opens the connection on which an accessory at host:port is talked with. Nil, which is what a program wants, is TCP
// with a keep-alive; a test may have a network in memory instead.
type Dial func(ctx context.Context, address string) (net.Conn, error)

func (d Dial) link(ctx context.Context, address string) (*link, error) {
	if d == nil {
		d = overTCP
	}
	conn, err := d(ctx, address)
	if err != nil {
		return nil, err // it says "dial tcp" and the address itself
	}
	return &link{newChannel(conn), hostHeader(address)}, nil
}

func overTCP(ctx context.Context, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAliveConfig: keepAlive}
	return dialer.DialContext(ctx, "tcp", address)
}

func (l *link) close() { l.channel.conn.Close() }

// ask sends a request and reads its answer. When ctx ends, or the answer takes too long, the connection is closed.
func (l *link) ask(ctx context.Context, method, target, contentType string, body []byte) (response, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, l.close)
	answer, err := l.roundTrip(method, target, contentType, body)
	if !stop() {
		return response{}, fmt.Errorf("no answer to %s %s: %w", method, target, context.Cause(ctx))
	}
	return answer, err
}

func (l *link) roundTrip(method, target, contentType string, body []byte) (response, error) {
	if err := l.channel.send(requestBytes(method, target, l.host, contentType, body)); err != nil {
		return response{}, fmt.Errorf("%s %s: %w", method, target, err)
	}
	answer, err := readResponse(l.channel.in, responseMax)
	if err == nil && answer.event {
		err = errors.New("an event came in plain text")
	}
	if err != nil {
		return response{}, fmt.Errorf("read answer to %s %s: %w", method, target, err)
	}
	return answer, nil
}

// exchange carries pairing messages to the path.
func (l *link) exchange(path string) Exchange {
	return func(ctx context.Context, message TLV) (TLV, error) {
		answer, err := l.ask(ctx, http.MethodPost, path, contentPairing, message.Encode())
		if err != nil {
			return nil, err
		}
		return pairingAnswer(path, answer)
	}
}

// pairingAnswer reads the TLV of an answer, which may also come with an HTTP error status.
func pairingAnswer(path string, answer response) (TLV, error) {
	items, err := DecodeTLV(answer.body)
	if answer.status != http.StatusOK && (err != nil || !items.Has(TagError)) {
		return nil, statusError("POST", path, answer)
	}
	return items, err
}

// statusError is the error of an answer whose HTTP status is the only thing to go by, beside perhaps a HAP status.
func statusError(method, target string, answer response) error {
	var body struct {
		Status Status `json:"status"`
	}
	if json.Unmarshal(answer.body, &body) == nil && body.Status != StatusOK {
		return fmt.Errorf("%s %s: HTTP status %d: %w", method, target, answer.status, body.Status)
	}
	return fmt.Errorf("%s %s: HTTP status %d", method, target, answer.status)
}

// Identify asks an accessory that is not paired to show itself, by a blink or a beep. A paired one refuses with
// StatusPrivileges.
func Identify(ctx context.Context, address string) error {
	l, err := Dial(nil).link(ctx, address)
	if err != nil {
		return fmt.Errorf("identify: %w", err)
	}
	defer l.close()
	answer, err := l.ask(ctx, http.MethodPost, "/identify", "", nil)
	if err != nil {
		return fmt.Errorf("identify: %w", err)
	}
	if answer.status != http.StatusNoContent && answer.status != http.StatusOK {
		return fmt.Errorf("identify: %w", statusError("POST", "/identify", answer))
	}
	return nil
}
