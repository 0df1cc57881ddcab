package hap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// Session is one verified connection to an accessory. Its methods may be called from any goroutine; one request is on
// its way at a time. A request that gets no answer ends the session, because a late answer would be taken for the next
// one's. A session that has ended stays so: Connect makes a new one.
type Session struct {
	link    *link
	onEvent func([]Reading)
	turn    chan struct{} // holds one token: who takes it may send a request
	ended   chan struct{} // closed by the reader as its last act
	mu      sync.Mutex
	waiting chan<- response // of the request that is on its way
	failure error           // why the session ended; the first reason counts
}

// Connect opens a session with the accessory of the pairing at address (host:port); an empty address means that of the
// pairing. onEvent, which may be nil, is called with the values of each event, one call at a time in the order of the
// wire; it must return soon and must not use the session. ctx bounds the opening alone. Errors that matter are
// ErrPairingRemoved and ErrOtherAccessory.
func Connect(ctx context.Context, address string, pairing Pairing, onEvent func([]Reading)) (*Session, error) {
	return Dial(nil).Connect(ctx, address, pairing, onEvent)
}

// Connect is the function [Connect] over the connection that d opens.
func (d Dial) Connect(ctx context.Context, address string, pairing Pairing, onEvent func([]Reading)) (*Session, error) {
	if address == "" {
		address = pairing.Address
	}
	l, err := d.link(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", pairing.AccessoryID, err)
	}
	keys, err := PairVerifyOver(ctx, l.exchange("/pair-verify"), pairing)
	if err == nil {
		err = l.channel.encrypt(keys.ToController, keys.ToAccessory)
	}
	if err != nil {
		l.close()
		return nil, fmt.Errorf("connect to %s at %s: %w", pairing.AccessoryID, address, err)
	}
	s := &Session{link: l, onEvent: onEvent, turn: make(chan struct{}, 1), ended: make(chan struct{})}
	s.turn <- struct{}{}
	go s.read() // only now: before the switch to encryption this goroutine was the reader
	return s, nil
}

// Done is closed when the session has ended, for whatever reason.
func (s *Session) Done() <-chan struct{} { return s.ended }

// Err tells why the session ended: nil while it goes on, net.ErrClosed after Close.
func (s *Session) Err() error {
	select {
	case <-s.ended:
	default:
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// Close ends the session and waits until its reader is gone. It must not be called from onEvent.
func (s *Session) Close() error {
	s.end(net.ErrClosed)
	<-s.ended
	return nil
}

// end makes the reader stop; only the first reason is kept.
func (s *Session) end(reason error) {
	s.mu.Lock()
	if s.failure == nil {
		s.failure = reason
	}
	s.mu.Unlock()
	s.link.close()
}

// read takes messages from the wire until it fails: events go to onEvent, answers to the request that waits.
func (s *Session) read() {
	defer close(s.ended)
	for {
		message, err := readResponse(s.link.channel.in, responseMax)
		if errors.Is(err, io.EOF) {
			err = errors.New("the accessory closed the connection")
		}
		if err == nil {
			err = s.take(message)
		}
		if err != nil {
			s.end(err)
			return
		}
	}
}

func (s *Session) take(message response) error {
	if message.event {
		// An event that cannot be read is no reason to lose the session: the next poll brings the value.
		if readings, err := decodeReadings(message.body); err == nil && s.onEvent != nil && len(readings) > 0 {
			s.onEvent(readings)
		}
		return nil
	}
	s.mu.Lock()
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	if waiting == nil {
		return errors.New("the accessory answered what was not asked")
	}
	waiting <- message // has room for one
	return nil
}

// request sends one request and waits for its answer.
func (s *Session) request(ctx context.Context, method, target, contentType string, body []byte) (response, error) {
	if err := s.takeTurn(ctx); err != nil {
		return response{}, fmt.Errorf("%s %s: %w", method, target, err)
	}
	defer s.giveTurn()
	return s.roundTrip(ctx, method, target, contentType, body)
}

func (s *Session) takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-s.turn:
		return nil
	case <-s.ended:
		return s.over()
	case <-ctx.Done():
		return ctx.Err() // the session goes on, nothing was sent
	}
}

func (s *Session) giveTurn() { s.turn <- struct{}{} }

func (s *Session) over() error { return fmt.Errorf("the session has ended: %w", s.Err()) }

// roundTrip belongs to who has the turn.
func (s *Session) roundTrip(ctx context.Context, method, target, contentType string, body []byte) (response, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		s.end(fmt.Errorf("no answer to %s %s: %w", method, target, context.Cause(ctx)))
	})
	defer stop()
	answers := make(chan response, 1)
	s.mu.Lock()
	s.waiting = answers
	s.mu.Unlock()
	if err := s.link.channel.send(requestBytes(method, target, s.link.host, contentType, body)); err != nil {
		s.end(err)
	}
	select {
	case answer := <-answers:
		return answer, s.checkVerified(method, target, answer)
	case <-s.ended:
	}
	select {
	case answer := <-answers: // the last word before the connection was closed
		return answer, s.checkVerified(method, target, answer)
	default:
		return response{}, fmt.Errorf("%s %s: %w", method, target, s.over())
	}
}

// checkVerified ends the session where the accessory treats it as one without pair-verify (hap-nodejs says 470,
// brutella/hap 401).
func (s *Session) checkVerified(method, target string, answer response) error {
	if answer.status != statusUnverified && answer.status != http.StatusUnauthorized {
		return nil
	}
	err := fmt.Errorf("the accessory does not take this session for verified: %w", statusError(method, target, answer))
	s.end(err)
	return err
}

// Accessories reads the whole accessory database with all values.
func (s *Session) Accessories(ctx context.Context) ([]Accessory, error) {
	answer, err := s.request(ctx, http.MethodGet, "/accessories", "", nil)
	if err != nil {
		return nil, err
	}
	if answer.status != http.StatusOK {
		return nil, statusError(http.MethodGet, "/accessories", answer)
	}
	return DecodeAccessories(answer.body)
}

// decodeReadings reads the body of an event or of an answer.
func decodeReadings(body []byte) ([]Reading, error) {
	var wire valuesJSON
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, fmt.Errorf("read characteristics: %w", err)
	}
	readings := make([]Reading, 0, len(wire.Characteristics))
	for _, entry := range wire.Characteristics {
		reading := Reading{ID: CharacteristicID{entry.AID, entry.IID}, Value: present(entry.Value)}
		if entry.Status != nil {
			reading.Status = *entry.Status
		}
		readings = append(readings, reading)
	}
	return readings, nil
}
