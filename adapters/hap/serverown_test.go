package hap

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Two viewers of a camera negotiate at the same time: each reads the answer to its own question, a third who asked nothing
// reads neither, and what belongs to a viewer ends with its connection.
func TestAnswersForTheWriterAlone(t *testing.T) {
	left := make(chan struct{})
	s := startServer(t, house(1), func(o *ServerOptions) {
		o.Write = func(ctx context.Context, controller string, writes []WriteRequest) []WriteResult {
			if !writes[0].From.IsLoopback() {
				t.Errorf("the write came from %v", writes[0].From)
			}
			if controller == "first" {
				context.AfterFunc(ctx, func() { close(left) })
			}
			return []WriteResult{{Value: DataValue([]byte(controller)), Own: true}}
		}
	})
	first, second, third := s.connect(s.pair("first", true)), s.connect(s.pair("second", false)), s.connect(s.pair("third", false))
	entry := fmt.Sprintf(`{"aid":2,"iid":%d,"value":"AQID"}`, iidEndpoints)
	for _, c := range []*strictClient{first, second} {
		if answer := c.put(entry); answer.status != http.StatusNoContent {
			t.Fatalf("status %d %s", answer.status, answer.body)
		}
	}
	reads := func(c *strictClient, want string) {
		t.Helper()
		answer := c.get(fmt.Sprintf("/characteristics?id=2.%d", iidEndpoints))
		var got struct {
			Characteristics []struct{ Value json.RawMessage }
		}
		if err := json.Unmarshal(answer.body, &got); err != nil || string(got.Characteristics[0].Value) != string(DataValue([]byte(want))) {
			t.Errorf("reads %s, want %q", answer.body, want)
		}
	}
	reads(first, "first")
	reads(second, "second")
	reads(third, "")
	first.close()
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("the context of a write outlives the connection")
	}
}
