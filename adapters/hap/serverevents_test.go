package hap

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What the callback sets itself counts more than what was asked for, and the writer hears of it.
func TestCallbackSetsAnotherValue(t *testing.T) {
	var s *testServer
	s = startServer(t, house(1), func(o *ServerOptions) {
		o.Write = func(context.Context, string, []WriteRequest) []WriteResult {
			s.set("2.11=19")
			return nil
		}
	})
	c := s.admin()
	c.subscribe(CharacteristicID{2, iidTarget})
	if answer := c.put(`{"aid":2,"iid":11,"value":25}`); answer.status != http.StatusNoContent {
		t.Fatalf("status %d %s", answer.status, answer.body)
	}
	if got := c.event(); got != "2.11=19" {
		t.Errorf("event %q, want 2.11=19", got)
	}
	if read := c.get("/characteristics?id=2.11"); !strings.Contains(string(read.body), `"value":19`) {
		t.Errorf("the value is %s", read.body)
	}
}

func TestEventsReachTheOthers(t *testing.T) {
	s := startServer(t, house(2), nil)
	writer, listener, stranger := s.admin(), s.admin(), s.admin()
	for _, c := range []*strictClient{writer, listener} {
		c.subscribe(CharacteristicID{2, iidTarget}, CharacteristicID{2, iidSmoke}, CharacteristicID{2, iidButton})
	}
	writer.put(`{"aid":2,"iid":11,"value":25}`)
	if got := listener.event(); got != "2.11=25" {
		t.Errorf("the listener heard %q, want 2.11=25", got)
	}
	// The smoke alarm comes after whatever the writer might have heard of its own write.
	s.set("2.28=1")
	for name, c := range map[string]*strictClient{"writer": writer, "listener": listener} {
		if got := c.event(); got != "2.28=1" {
			t.Errorf("the %s heard %q, want 2.28=1", name, got)
		}
	}
	s.set("2.22=0", "2.22=0")
	for range 2 {
		if got := listener.event(); got != "2.22=0" {
			t.Errorf("the listener heard %q, want both presses", got)
		}
	}
	stranger.get("/characteristics?id=2.11")
	if len(stranger.events) > 0 {
		t.Errorf("who did not subscribe heard %q", stranger.events)
	}
}

// Controllers are known that lose an event between their question and its answer.
func TestEventsComeAfterTheAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		takes  time.Duration // to answer
		before int           // events before the answer
	}{
		"an answer that comes soon": {answerPatience / 4, 0},
		"an answer that takes long": {3 * answerPatience, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s *testServer
				s = startServerInMemory(t, house(1), func(o *ServerOptions) {
					o.Write = func(context.Context, string, []WriteRequest) []WriteResult {
						s.set("2.28=1")
						<-time.After(test.takes)
						return nil
					}
				})
				c := s.admin()
				c.subscribe(CharacteristicID{2, iidSmoke})
				c.put(`{"aid":2,"iid":11,"value":25}`)
				answered := time.Now()
				if len(c.events) != test.before {
					t.Errorf("%d events came before the answer, want %d", len(c.events), test.before)
				}
				if got := c.event(); got != "2.28=1" {
					t.Errorf("heard %q, want the smoke", got)
				}
				if pause := time.Since(answered); test.before == 0 && pause < answerPause {
					t.Errorf("the event came %v after the answer", pause)
				}
			})
		})
	}
}

func TestNoEventWithoutChange(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.admin()
	c.subscribe(CharacteristicID{2, iidSmoke}, CharacteristicID{2, iidCurrent})
	s.set("2.28=0", "2.10=19.5", "2.10=19.50", "2.28=1")
	if got := c.event(); got != "2.28=1" {
		t.Errorf("heard %q, want only the change", got)
	}
}

func TestUnsubscribe(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.admin()
	c.subscribe(CharacteristicID{2, iidSmoke}, CharacteristicID{2, iidMotion})
	if answer := c.put(`{"aid":2,"iid":28,"ev":false}`); answer.status != http.StatusNoContent {
		t.Fatalf("status %d", answer.status)
	}
	s.set("2.28=1", "2.20=true")
	if got := c.event(); got != "2.20=true" {
		t.Errorf("heard %q, want only the motion", got)
	}
}

func TestSetValues(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.admin()
	c.subscribe(CharacteristicID{2, iidMotion})
	id := func(iid uint64) CharacteristicID { return CharacteristicID{2, iid} }
	nan := 0.0
	nan /= nan
	err := s.SetValues([]Value{
		{id(iidCurrent), NumberValue(nan)}, {id(iidBattery), NumberValue(101)}, {id(99), NumberValue(1)},
		{id(iidMotion), BoolValue(true)}, {id(iidTarget), NumberValue(7.3)},
	})
	for _, want := range []string{"2.10: NaN is not a number", "2.24: 101 is more than 100", "2.99: there is no such"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if got := c.event(); got != "2.20=true" {
		t.Errorf("heard %q: one bad value must not hold up the others", got)
	}
	// Defects 12 and 13: the whole is still readable, and nothing was clamped.
	if answer := c.get("/accessories"); answer.status != http.StatusOK || len(answer.body) == 0 {
		t.Errorf("accessories: status %d, %d bytes", answer.status, len(answer.body))
	}
	read := c.get("/characteristics?id=2.10,2.24,2.11")
	want := `{"characteristics":[{"aid":2,"iid":10,"value":19.5},{"aid":2,"iid":24,"value":80},{"aid":2,"iid":11,"value":7.3}]}`
	if !sameJSON(t, read.body, []byte(want)) {
		t.Errorf("the values are %s, want %s", read.body, want)
	}
	if err := s.SetValues([]Value{{id(iidCurrent), NumberValue(-7.5)}}); err != nil {
		t.Error(err)
	}
	if read := c.get("/characteristics?id=2.10"); !strings.Contains(string(read.body), "-7.5") {
		t.Errorf("frost became %s", read.body)
	}
	if err := s.SetValues([]Value{{id(iidCurrent), nil}}); err != nil {
		t.Error(err)
	}
	if read := c.get("/characteristics?id=2.10"); !strings.Contains(string(read.body), `-70402`) {
		t.Errorf("nothing to show became %s", read.body)
	}
}
