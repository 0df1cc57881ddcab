package hap

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

func TestRefusedWriteIsLoggedOnceWithItsReason(t *testing.T) {
	busy := false
	s := startServer(t, house(1), func(o *ServerOptions) {
		o.Write = func(_ context.Context, _ string, writes []WriteRequest) []WriteResult {
			results := make([]WriteResult, len(writes))
			for i := range results {
				if busy {
					results[i].Status = StatusBusy
				}
			}
			return results
		}
	})
	c := s.admin()
	for _, test := range []struct {
		what, entry string
		status      Status
		words       string
		lines       int // that name it, after this write
	}{
		{"out of range", `{"aid":2,"iid":11,"value":99}`, StatusInvalidValue, "99 is more than 30", 1},
		{"again", `{"aid":2,"iid":11,"value":99}`, StatusInvalidValue, "99 is more than 30", 1},
		{"off the step", `{"aid":2,"iid":12,"value":2}`, StatusInvalidValue, "2 is none of [0 1 3]", 1},
		{"read-only", `{"aid":2,"iid":10,"value":20}`, StatusReadOnly, "read-only", 1},
		{"not there", `{"aid":9,"iid":9,"value":20}`, StatusNoSuch, "no such characteristic", 1},
		{"without events", `{"aid":2,"iid":14,"ev":true}`, StatusNoEvents, "gives no events", 1},
	} {
		answer := c.put(test.entry)
		if want := fmt.Sprintf(`"status":%d`, test.status); !strings.Contains(string(answer.body), want) {
			t.Errorf("%s is answered %s", test.what, answer.body)
		}
		if got := strings.Count(s.log.String(), test.words); got != test.lines {
			t.Errorf("%s: the log has %d lines of it:\n%s", test.what, got, s.log)
		}
	}
	c.put(`{"aid":2,"iid":11,"value":21}`)
	if c.put(`{"aid":2,"iid":11,"value":99}`); strings.Count(s.log.String(), "99 is more than 30") != 2 {
		t.Errorf("after a good write the next refusal is no news:\n%s", s.log)
	}
	busy = true
	if answer := c.put(`{"aid":2,"iid":11,"value":22}`); !strings.Contains(string(answer.body), "-70403") || !strings.Contains(s.log.String(), "the device is busy") {
		t.Errorf("busy is answered %s; the log is\n%s", answer.body, s.log)
	}
	for aid := range 2 * refusalsKept { // ids that nobody has
		c.put(fmt.Sprintf(`{"aid":%d,"iid":1,"value":1}`, aid+100))
	}
	c.get("/accessories") // from here on the connection has nothing to do with them
	s.Server.mu.Lock()
	defer s.Server.mu.Unlock()
	for connection := range s.connections {
		if got := len(connection.refused); got > refusalsKept {
			t.Errorf("%d refusals are remembered", got)
		}
	}
}
