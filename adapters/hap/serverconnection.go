package hap

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// unverifiedIdle is how long a connection without session may be silent; people type setup codes meanwhile.
	unverifiedIdle = 2 * time.Minute
	// messageTimeout is how long a message may take to arrive once it has begun.
	messageTimeout = 30 * time.Second
	// crowdedIdle is how long a session must have been silent to be closed for a newcomer when all places are taken.
	crowdedIdle = time.Minute
	// verifyPause is how long a controller may take between the two questions of pair-verify; it computes some milliseconds.
	verifyPause = 2 * time.Second
	// requestBodyMax is enough for a subscription to everything that a full bridge has.
	requestBodyMax = 512 << 10
	// strangerBodyMax is enough for every message of pair-setup, the longest of which has some 500 bytes.
	strangerBodyMax = 4 << 10
)

// connection is one controller's connection. The goroutine in run reads and answers; a second one sends events once the
// controller is verified.
type connection struct {
	server  *Server
	channel *channel
	queue   *eventQueue
	senders sync.WaitGroup

	turn     chan struct{} // holds a token while a question is answered, or events are sent
	answered time.Time     // of the last answer; whoever has the turn uses it

	// Only the reading goroutine uses these.
	dialogue *Dialogue
	prepared *preparedWrite
	refused  map[CharacteristicID]Status          // writes whose refusal was told
	own      map[CharacteristicID]json.RawMessage // what writes led to for this connection alone

	// Guarded by the server's lock.
	controller string // pairing id of the verified controller, empty before
	heard      time.Time
	asked      bool // something whole
}

// answer is what a request leads to.
type answer struct {
	status      int
	contentType string
	body        []byte
	then        func(context.Context) error // what comes once the answer has left; an error ends the connection
}

func newConnection(s *Server, conn net.Conn) *connection {
	c := &connection{
		server: s, channel: newChannel(conn), queue: newEventQueue(), turn: make(chan struct{}, 1), heard: time.Now(),
		refused: map[CharacteristicID]Status{}, own: map[CharacteristicID]json.RawMessage{},
	}
	c.dialogue = s.door.Dialogue(conn.RemoteAddr().String())
	c.dialogue.entered = c.setController
	return c
}

// converse serves one connection until it ends.
func (s *Server) converse(ctx context.Context, conn net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newConnection(s, conn)
	if s.options.SendTimeout > 0 {
		c.channel.timeout = s.options.SendTimeout
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// A failure here only means that a vanished controller is noticed later.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: 30 * time.Second, Count: 4})
	}
	defer c.close()
	if !s.admit(c) {
		s.log.Debug("HomeKit connection refused: all places are taken", "address", conn.RemoteAddr())
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	err := c.run(ctx)
	stop()
	cancel()
	c.close()
	c.senders.Wait()
	s.leave(c, err)
}

// admit counts the connection in. A crowded server closes the connection that it misses least: one without a session,
// else one silent for a while.
func (s *Server) admit(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.connections) >= s.options.Connections {
		idlest := s.idlest()
		if idlest == nil || idlest.controller != "" && time.Since(idlest.heard) < crowdedIdle {
			return false
		}
		delete(s.connections, idlest)
		idlest.close()
	}
	s.connections[c] = struct{}{}
	return true
}

// idlest is the connection silent for the longest time, of those without a session if there are any. One that is in the middle of
// pair-verify goes after them: a controller is not sent away between two questions for strangers who say nothing.
func (s *Server) idlest() *connection {
	var idlest *connection
	for c := range s.connections {
		if idlest == nil || c.missedLessThan(idlest) {
			idlest = c
		}
	}
	return idlest
}

func (c *connection) missedLessThan(other *connection) bool {
	if unverified := c.controller == ""; unverified != (other.controller == "") {
		return unverified
	}
	if speaks := c.speaks(); speaks != other.speaks() {
		return !speaks
	}
	return c.heard.Before(other.heard)
}

// speaks reports whether somebody without a session is about to get one, as far as that can be seen.
func (c *connection) speaks() bool { return c.asked && time.Since(c.heard) < verifyPause }

func (s *Server) leave(c *connection, err error) {
	c.dialogue.End()
	s.mu.Lock()
	delete(s.connections, c)
	s.mu.Unlock()
	if c.controller != "" {
		s.log.Info("HomeKit controller disconnected", "controller", c.controller, "reason", farewell(err))
	}
}

func farewell(err error) string {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return "closed"
	}
	return err.Error()
}

// remote is the address of the controller, without its port; the zero one where the network has no such thing.
func (c *connection) remote() netip.Addr {
	if tcp, ok := c.channel.conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// close ends the connection from any goroutine.
func (c *connection) close() { _ = c.channel.conn.Close() }

// run reads and answers until the connection or ctx ends.
func (c *connection) run(ctx context.Context) error {
	for {
		r, err := c.read(ctx)
		if err != nil {
			c.complain(err)
			return err
		}
		c.touch()
		a, err := c.answer(ctx, r)
		if a.then != nil {
			err = errors.Join(err, a.then(ctx)) // also when the answer got lost: the pairing is gone all the same
		}
		if err != nil {
			return err
		}
		if strings.EqualFold(r.header.Get("Connection"), "close") {
			return nil
		}
	}
}

// answer sends the answer to a request, and events after it.
func (c *connection) answer(ctx context.Context, r request) (answer, error) {
	c.turn <- struct{}{}
	a := c.dispatch(ctx, r)
	err := c.channel.send(responseBytes(a.status, a.contentType, a.body))
	c.answered = time.Now()
	<-c.turn
	return a, err
}

// read waits for a request and reads it whole. Whoever ends ctx sets the deadline afterwards, so it is looked at after
// each change of the deadline.
func (c *connection) read(ctx context.Context) (request, error) {
	patience, bodyMax := time.Time{}, requestBodyMax
	if c.controller == "" {
		patience, bodyMax = time.Now().Add(unverifiedIdle), strangerBodyMax
	}
	if err := c.setReadDeadline(ctx, patience); err != nil {
		return request{}, err
	}
	if _, err := c.channel.in.Peek(1); err != nil {
		return request{}, err
	}
	if err := c.setReadDeadline(ctx, time.Now().Add(messageTimeout)); err != nil {
		return request{}, err
	}
	return readRequest(c.channel.in, bodyMax)
}

func (c *connection) setReadDeadline(ctx context.Context, deadline time.Time) error {
	if err := c.channel.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	return ctx.Err()
}

// complain tells the peer that its message made no sense, unless there is nobody to tell.
func (c *connection) complain(err error) {
	var network net.Error
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if cut || errors.Is(err, context.Canceled) || errors.As(err, &network) {
		return
	}
	status := http.StatusBadRequest
	if errors.Is(err, errTooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	_ = c.channel.send(responseBytes(status, "", nil)) // the connection ends anyway
}

func (c *connection) touch() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.heard, c.asked = time.Now(), true
}

// secure switches to encryption once the last plain answer has left, and begins to send events.
func (c *connection) secure(ctx context.Context, keys SessionKeys) error {
	if err := c.channel.encrypt(keys.ToAccessory, keys.ToController); err != nil {
		return err
	}
	c.server.log.Info("HomeKit controller connected", "controller", c.controller, "address", c.channel.conn.RemoteAddr())
	c.senders.Go(func() {
		if err := c.queue.run(ctx, c.sendEvents); err != nil {
			c.close()
		}
	})
	return nil
}

func (c *connection) setController(controller string) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.controller = controller
}

// How long events make way for an answer, and for how long after it the controller is left alone. Controllers are known
// that lose an event which comes between their question and its answer, or together with the answer (hap-controller
// 0.10.2, request in http-connection.js); HAP-NodeJS holds events back as well.
const (
	answerPatience = 100 * time.Millisecond // a picture may take longer than an alarm can wait
	answerPause    = 10 * time.Millisecond
)

// sendEvents sends a batch when no question is being answered, if there is such a moment soon.
func (c *connection) sendEvents(batch []event) error {
	if c.rest() {
		defer func() { <-c.turn }()
	}
	return c.channel.send(eventBytes(appendEvents(nil, batch)))
}

// rest waits until the controller has had its answer, and a moment for itself. It reports whether it took the turn,
// which it does not when the answer takes too long.
func (c *connection) rest() bool {
	patience := time.NewTimer(answerPatience)
	defer patience.Stop()
	for {
		select {
		case c.turn <- struct{}{}:
		case <-patience.C:
			return false
		}
		wait := answerPause - time.Since(c.answered)
		if wait <= 0 {
			return true
		}
		<-c.turn
		select {
		case <-time.After(wait):
		case <-patience.C:
			return false
		}
	}
}

// appendEvents writes the body of an event message.
func appendEvents(out []byte, batch []event) []byte {
	out = append(out, `{"characteristics":[`...)
	for i, change := range batch {
		out = append(append(out, comma(i)...), `{"aid":`...)
		out = strconv.AppendUint(out, change.id.AID, 10)
		out = strconv.AppendUint(append(out, `,"iid":`...), change.id.IID, 10)
		out = append(append(out, `,"value":`...), change.value...)
		out = append(out, '}')
	}
	return append(out, `]}`...)
}

// closeSessions ends the sessions of controllers whose pairing is gone, and tells whoever announces us.
func (s *Server) closeSessions(controllers []string) {
	if len(controllers) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.connections {
		for _, controller := range controllers {
			if c.controller == controller {
				c.close()
			}
		}
	}
	s.notify()
}

// jsonAnswer writes the body as JSON.
func jsonAnswer(status int, body any) answer {
	raw, err := json.Marshal(body)
	if err != nil {
		return answer{status: http.StatusInternalServerError}
	}
	return answer{status: status, contentType: contentJSON, body: raw}
}

// statusAnswer is an answer that is a status alone.
func statusAnswer(code int, status Status) answer {
	return jsonAnswer(code, map[string]Status{"status": status})
}
