package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/time/rate"

	"github.com/veilleuse/veilleuse/gateway"
)

const (
	// A message that was not taken by a broker that seems to be there is sent again after a pause, which
	// grows while that goes on.
	firstPause, lastPause = time.Second, time.Minute
	// Home Assistant asks for a pause after its birth, random so that not all answer at once.
	shortestPause, longestPause = 200 * time.Millisecond, 2 * time.Second
	// Refusals are decisions, which are logged and shown: a flood of bad wishes must not wash away
	// everything else.
	refusalsAtOnce, refusalsPerSecond = 100, 2
	mostRetained                      = 256 // topics with a refused retained wish that are remembered
)

// session is one Run of the adapter.
type session struct {
	options Options
	adapter *Adapter
	port    gateway.Port
	log     *slog.Logger
	line    line
	view    *view
	devices *attachments
	calls   calls
	album   *album

	up       bool    // news says that the broker is there
	wanted   receipt // of the subscription under way; nil: none
	flight   receipt // of the message under way; nil: none
	flying   message
	pause    time.Duration
	retry    <-chan time.Time // nil: sending is not paused
	birth    <-chan time.Time // nil: Home Assistant has not asked
	trouble  map[string]bool  // what was complained of since all was well
	refusals *rate.Limiter
	unsaid   int               // refusals that were not posted
	retained map[string]string // topic -> retained wish that was refused
}

func newSession(a *Adapter, port gateway.Port) *session {
	o := a.options
	var announce *announcer
	if o.announces() {
		announce = newAnnouncer(o.Discovery, o.base(), o.Version)
		announce.pictures = o.Picture != nil
	}
	s := &session{
		options: o, adapter: a, port: port, log: o.Log.With("broker", o.name()),
		calls: calls{port: port}, view: newView(o.base(), announce, a.told),
		trouble:  make(map[string]bool),
		refusals: rate.NewLimiter(refusalsPerSecond, refusalsAtOnce), retained: make(map[string]string),
	}
	s.view.stored = o.Stored
	if o.Discovery == Homie {
		s.view.homie = newHomieFace(o.base(), s.view.board)
	}
	s.album = newAlbum(o.Picture)
	s.devices = newAttachments(o.Attached, port, s.view.board.command)
	if o.Embedded != nil {
		s.line = newEmbedded(o.Embedded, a.subscribed, a.hear)
	} else {
		s.line = newRemote(o, a.hear)
	}
	if o.isOpenToAll() {
		s.log.Warn("MQTT is used without a password: whoever else reaches the broker can steer the heating")
	}
	return s
}

// serve does one thing after the other until ctx ends. It waits for nothing else: what is sent reports
// back by its receipt.
func (s *session) serve(ctx context.Context) {
	defer s.album.running.Wait()
	s.devices.introduce(s.view.state)
	s.album.look(gateway.State{}, s.view.state)
	for {
		s.send()
		s.album.next(ctx)
		select {
		case <-ctx.Done():
			return
		case state := <-s.port.Shown():
			s.album.look(s.view.state, state)
			s.view.show(state)
			s.tellShown()
		case c := <-s.port.Commands():
			s.tell(c)
		case m := <-s.adapter.inbox:
			s.take(m)
		case n := <-s.line.news():
			s.notice(n)
		case <-done(s.flight):
			s.land()
		case <-done(s.wanted):
			s.subscribed()
		case <-s.devices.late:
			s.devices.lookForLate()
		case <-s.adapter.back.poke:
			s.view.takeStock(s.adapter.back.take())
		case t := <-s.album.taken:
			s.photograph(t)
		case <-s.album.wake: // the next is due
		case <-s.retry:
			s.retry = nil
		case <-s.birth:
			s.birth = nil
			s.view.showAll()
			s.album.again()
		}
	}
}

// done is the channel to wait on for a receipt; nil for none, on which a select waits for ever.
func done(r receipt) <-chan struct{} {
	if r == nil {
		return nil
	}
	return r.Done()
}

// notice is told that the broker was reached or lost.
func (s *session) notice(n news) {
	switch {
	case n.up:
		s.connected()
	case !s.line.ready(): // else the news of a loss has come after the next connection
		s.up = false
		s.devices.cutOff()
		s.calls.fail("the MQTT broker is not there")
		s.complain("MQTT broker is not there", n.err)
	}
}

// connected begins anew with a broker of which nothing is known.
func (s *session) connected() {
	if len(s.trouble) > 0 || !s.up {
		s.log.Info("MQTT broker is there")
	}
	clear(s.trouble)
	s.up, s.retry, s.pause = true, nil, firstPause
	if s.flight != nil { // it belonged to the connection before
		s.view.board.putBack(s.flying)
		s.flight = nil
	}
	s.album.again()
	s.view.board.orders = nil // meant for devices as they were
	s.wanted = s.line.subscribe(slices.Concat(s.options.filters(), s.adapter.back.filters(), s.devices.filters()))
	s.view.showAll()
}

// complain logs a failure the first time it happens in an outage. Digits do not count: a port that is
// another in each attempt would fill the log.
func (s *session) complain(what string, err error) {
	reason := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, fmt.Sprint(what, err))
	if !s.trouble[reason] {
		s.trouble[reason] = true
		s.log.Warn(what, "err", err)
	}
}

// send hands the broker the next message, if it has taken the one before.
func (s *session) send() {
	for s.up && s.flight == nil && s.retry == nil && s.line.ready() {
		m, ok := s.view.next()
		if !ok {
			return
		}
		s.flying, s.flight = m, s.line.send(m)
		select {
		case <-s.flight.Done():
			s.land()
		default:
		}
	}
}

// land learns how the message under way has fared.
func (s *session) land() {
	err := s.flight.Error()
	s.flight = nil
	s.tellLanded(s.flying, err)
	if err == nil {
		return
	}
	s.view.board.putBack(s.flying)
	if s.flying.order {
		s.devices.undelivered(s.flying.of, err)
	}
	s.retry = time.After(s.pause)
	s.pause = min(2*s.pause, lastPause)
	s.complain("MQTT broker does not take "+s.flying.topic, err)
}

func (s *session) subscribed() {
	if err := s.wanted.Error(); err != nil {
		s.complain("wishes over MQTT do not reach us", err)
	}
	s.wanted = nil
	s.devices.greet()
}

// leave says goodbye, unless the broker takes nothing any more: then its last word is our last will.
func (s *session) leave() {
	var last []message
	if s.view.homie != nil {
		last = append(last, message{topic: s.options.homieState(), text: []byte(homieDisconnected), retain: true})
	}
	last = append(last, message{topic: s.options.statusTopic(), text: []byte(offline), retain: true})
	if s.flight != nil {
		select {
		case <-s.flight.Done():
		case <-time.After(goodbye):
			s.line.close(nil)
			return
		}
	}
	s.line.close(last)
}

// take handles a message from the broker.
func (s *session) take(m heard) {
	if missed := s.adapter.missed.Swap(0); missed > 0 {
		s.refuse(gateway.Refused{Text: fmt.Sprintf("%d messages", missed), Why: "they came faster than they can be read"})
	}
	switch {
	case m.refused != nil:
		s.refuse(gateway.Refused{Text: s.view.reader(s.port.Now()).quote(m), Why: m.refused.Error()})
	case m.topic == s.options.statusTopic():
		s.contradict(m)
	case s.options.announces() && m.topic == s.options.birthTopic():
		s.born(m)
	case s.view.homie != nil && m.topic == s.options.homieState():
		s.deny(m)
	case s.view.homie != nil && strings.HasPrefix(m.topic, homieTopics):
		s.hearHomie(m)
	case s.devices.hear(m):
	case len(m.payload) > 0: // else somebody deletes a retained wish
		s.hear(m)
	}
}

// contradict says online again when somebody else says offline: the last will of an earlier connection,
// which a broker may find only after the next one has begun.
func (s *session) contradict(m heard) {
	if string(m.payload) == offline {
		s.view.board.post(s.view.status)
	}
}

// deny says how the root device of Homie stands when its last will says that it is lost.
func (s *session) deny(m heard) {
	if place := s.view.homie.places[s.view.homie.root]; place != nil && string(m.payload) == homieLost {
		s.view.board.post(place.state)
	}
}

// hearHomie tells the house of a wish on a set topic of Homie.
func (s *session) hearHomie(m heard) {
	if len(m.payload) == 0 {
		return
	}
	ours, err := s.view.homie.wish(s.options.base(), m)
	if m.retained {
		err = errRetained
	}
	switch {
	case err == nil:
		s.hear(ours)
	case !m.retained || s.isNew(m):
		s.refuse(gateway.Refused{Text: s.view.reader(s.port.Now()).quote(m), Why: err.Error()})
	}
}

// hear tells the house of a wish, or of a message that is none.
func (s *session) hear(m heard) {
	ask := s.view.reader(s.port.Now()).read(m)
	refused, bad := ask.(gateway.Refused)
	switch {
	case !bad:
		s.port.Post(gateway.Wish{By: "MQTT", Ask: ask})
	case !m.retained || s.isNew(m):
		s.refuse(refused)
	}
}

// isNew reports whether a retained wish was not seen before: the broker repeats it on each connection.
func (s *session) isNew(m heard) bool {
	if s.retained[m.topic] == string(m.payload) || len(s.retained) >= mostRetained {
		return false
	}
	s.retained[m.topic] = string(m.payload)
	return true
}

// refuse tells the house of a wish that was not understood, unless there are too many of them.
func (s *session) refuse(r gateway.Refused) {
	if !s.refusals.Allow() {
		s.unsaid++
		return
	}
	if s.unsaid > 0 {
		r.Why += fmt.Sprintf(" (%d others were refused before without a word)", s.unsaid)
		s.unsaid = 0
	}
	s.port.Post(gateway.Wish{By: "MQTT", Ask: r})
}

// born answers Home Assistant's birth. A retained one is old: what it asks for was sent on connection.
func (s *session) born(m heard) {
	if string(m.payload) == online && !m.retained && s.birth == nil {
		s.birth = time.After(shortestPause + rand.N(longestPause-shortestPause))
	}
}
