package hap

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Defects 5 and 6: timed writes work, and one that is late or unknown is not carried out.
func TestTimedWrites(t *testing.T) {
	prepare := func(c *strictClient, ttl, pid int) {
		c.t.Helper()
		answer := c.do(http.MethodPut, "/prepare", fmt.Sprintf(`{"ttl":%d,"pid":%d}`, ttl, pid))
		if answer.status != http.StatusOK || !sameJSON(c.t, answer.body, []byte(`{"status":0}`)) {
			c.t.Fatalf("prepare: %d %s", answer.status, answer.body)
		}
	}
	unlock := func(c *strictClient, pid int) response {
		c.t.Helper()
		return c.do(http.MethodPut, "/characteristics", fmt.Sprintf(`{"characteristics":[{"aid":2,"iid":13,"value":1}],"pid":%d}`, pid))
	}
	tests := []struct {
		name    string
		play    func(c *strictClient) response
		status  Status
		written string
	}{
		{"in time", func(c *strictClient) response { prepare(c, 60_000, 7); return unlock(c, 7) }, StatusOK, "2.13=1"},
		{"too late", func(c *strictClient) response {
			prepare(c, 1, 7)
			time.Sleep(20 * time.Millisecond)
			return unlock(c, 7)
		}, StatusInvalidValue, ""},
		{"no time at all", func(c *strictClient) response { prepare(c, 0, 7); return unlock(c, 7) }, StatusInvalidValue, ""},
		{"endless time", func(c *strictClient) response {
			c.do(http.MethodPut, "/prepare", `{"ttl":18446744073709551615,"pid":7}`)
			return unlock(c, 7)
		}, StatusOK, "2.13=1"},
		{"another pid", func(c *strictClient) response { prepare(c, 60_000, 7); return unlock(c, 8) }, StatusInvalidValue, ""},
		{"never prepared", func(c *strictClient) response { return unlock(c, 7) }, StatusInvalidValue, ""},
		{"good for one write only", func(c *strictClient) response {
			prepare(c, 60_000, 7)
			unlock(c, 7)
			return unlock(c, 7)
		}, StatusInvalidValue, "2.13=1"},
		{"a later one replaces an earlier one", func(c *strictClient) response {
			prepare(c, 60_000, 7)
			prepare(c, 60_000, 8)
			return unlock(c, 7)
		}, StatusInvalidValue, ""},
		{"prepared, but the write does not say so", func(c *strictClient) response {
			prepare(c, 60_000, 7)
			return c.put(`{"aid":2,"iid":13,"value":1}`)
		}, StatusInvalidValue, ""},
		{"an ordinary characteristic too late", func(c *strictClient) response {
			prepare(c, 0, 7)
			return c.do(http.MethodPut, "/characteristics", `{"characteristics":[{"aid":2,"iid":11,"value":21}],"pid":7}`)
		}, StatusInvalidValue, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := startServer(t, house(1), nil)
			answer := test.play(s.admin())
			switch {
			case test.status == StatusOK && answer.status != http.StatusNoContent:
				t.Errorf("status %d %s, want 204", answer.status, answer.body)
			case test.status != StatusOK && !strings.Contains(string(answer.body), fmt.Sprintf(`"status":%d`, test.status)):
				t.Errorf("status %d %s, want one of %d", answer.status, answer.body, test.status)
			}
			if got := s.written(); got != test.written {
				t.Errorf("the callback got %q, want %q", got, test.written)
			}
		})
	}
}

func TestMalformedPrepare(t *testing.T) {
	c := startServer(t, house(1), nil).admin()
	for _, body := range []string{``, `{}`, `{"ttl":5}`, `{"pid":5}`, `{"ttl":-1,"pid":5}`, `[]`} {
		if answer := c.do(http.MethodPut, "/prepare", body); answer.status != http.StatusBadRequest {
			t.Errorf("%q: status %d", body, answer.status)
		}
	}
}
