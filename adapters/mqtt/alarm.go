package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// A test of the detectors lasts minutes; {"test":true} is one of the usual length.
const (
	shortestTest = time.Minute
	usualTest    = 5 * time.Minute
	longestTest  = 30 * time.Minute
)

// alarm reads {"hush":true}, {"acknowledge":true}, {"test":"5m","device":"<id>"} and {"test":false}.
func (r reader) alarm(w *wish) (gateway.Ask, error) {
	if length, ok := w.take("test"); ok {
		return r.test(length, w)
	}
	hush, hushes := w.take("hush")
	note, notes := w.take("acknowledge")
	if err := w.rest("hush, acknowledge, test"); err != nil {
		return nil, err
	}
	switch {
	case hushes && !notes && hush == gateway.Flag(true):
		return gateway.Hush{}, nil
	case notes && !hushes && note == gateway.Flag(true):
		return gateway.Acknowledge{}, nil
	}
	return nil, errors.New(`say {"hush":true} or {"acknowledge":true}; an alarm cannot be made or ended from here`)
}

// test reads for how long alarms are tests, and of which detector.
func (r reader) test(length gateway.Value, w *wish) (gateway.Ask, error) {
	form, named, err := w.word("device")
	if err != nil {
		return nil, err
	}
	if err := w.rest("test, device"); err != nil {
		return nil, err
	}
	id, known := r.devices[form]
	if named && !known {
		return nil, fmt.Errorf("there is no device %q", form)
	}
	switch length {
	case gateway.Flag(false):
		return gateway.EndTest{}, nil
	case gateway.Flag(true):
		return gateway.StartTest{Device: id, For: usualTest}, nil
	}
	d, err := duration(length.Word())
	switch {
	case err != nil:
		return nil, fmt.Errorf(`"test" is a time such as "5m", or false to end one, not %q`, length)
	case d < shortestTest || d > longestTest:
		return nil, fmt.Errorf("a test lasts between a minute and half an hour, not %v", d)
	}
	return gateway.StartTest{Device: id, For: d}, nil
}

// alarm fills in the page of the gravest alarm: how it stands, who answered, who was told when and by which path.
func alarm(o object, a gateway.Alarm) object {
	o = o.text("phase", string(a.Phase)).
		text("kind", string(a.Kind)).
		text("device", topicForm(string(a.Device))).
		text("name", a.Name).
		moment("since", a.Since).
		text("why", a.Why).
		moment("answered", a.Answered).
		text("answered_by", a.By).
		moment("ended", a.Ended)
	if len(a.Told) == 0 {
		return o
	}
	o = append(o.key("told"), '[')
	for i, d := range a.Told {
		if i > 0 {
			o = append(o, ',')
		}
		o = append(o, '{').
			count("step", uint64(max(d.Step, 0))).
			text("path", d.Path).
			moment("at", d.At).
			count("times", uint64(max(d.Times, 0))).
			moment("delivered", d.Delivered).
			text("by", d.By).
			text("error", d.Err).
			end()
	}
	return append(o, ']')
}

// test fills in when a detector was last tried, and after how many seconds each path brought news of that.
func test(o object, t gateway.DetectorTest) object {
	if t.At.IsZero() {
		return o
	}
	o = o.within("test").moment("at", t.At).text("by", t.By).within("heard")
	for _, h := range t.Heard {
		o = o.count(h.Path, uint64(max(h.At.Sub(t.At), 0)/time.Second))
	}
	return o.end().end()
}

// calls are the commands to tell MQTT of an alarm that are not answered yet: those whose State is not shown, and those
// whose page is on its way.
type calls struct {
	port    gateway.Port
	early   []gateway.Command
	waiting []gateway.Command
}

// answer says how a command has fared.
func (c *calls) answer(w gateway.Command, o gateway.Outcome) {
	o.ID, o.Point = w.ID, w.Point
	c.port.Post(o)
}

// fail answers everything that is under way.
func (c *calls) fail(why string) {
	for _, w := range c.waiting {
		c.answer(w, gateway.Outcome{Err: why})
	}
	c.waiting = nil
}

// tell has the alarm's page sent for a command, again if it was sent before.
func (s *session) tell(c gateway.Command) {
	switch {
	case c.Point.Quantity != gateway.Tell:
		s.devices.command(c, s.up)
	case !s.up:
		s.calls.answer(c, gateway.Outcome{Err: "the MQTT broker is not there"})
	default:
		s.calls.early = append(s.calls.early, c)
		s.tellShown()
	}
}

// tellShown posts the page once the view shows the State that a command belongs to.
func (s *session) tellShown() {
	shown := func(c gateway.Command) bool { return c.ID <= s.view.state.Commanded }
	if !slices.ContainsFunc(s.calls.early, shown) {
		return
	}
	for _, c := range s.calls.early {
		if shown(c) {
			s.calls.waiting = append(s.calls.waiting, c)
		}
	}
	s.calls.early = slices.DeleteFunc(s.calls.early, shown)
	s.view.board.post(s.view.alarm)
}

// tellLanded answers once the broker has the page as it is now.
func (s *session) tellLanded(m message, err error) {
	switch {
	case m.page != s.view.alarm || len(s.calls.waiting) == 0:
	case err != nil:
		s.calls.fail(err.Error())
	case !m.page.queued:
		for _, c := range s.calls.waiting {
			s.calls.answer(c, gateway.Outcome{By: "the broker " + s.options.name()})
		}
		s.calls.waiting = nil
	}
}
