package hap

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestReadCharacteristics(t *testing.T) {
	s := startServer(t, house(2), nil)
	c := s.admin()
	c.subscribe(CharacteristicID{2, iidCurrent})
	tests := []struct {
		name, query string
		status      int
		body        string
	}{
		{"one", "id=2.10", 200, `{"characteristics":[{"aid":2,"iid":10,"value":19.5}]}`},
		{"several accessories, in the order asked", "id=3.10,2.12,1.5", 200, `{"characteristics":[
			{"aid":3,"iid":10,"value":19.5},{"aid":2,"iid":12,"value":3},{"aid":1,"iid":5,"value":"Bridge"}]}`},
		{"every kind of value", "id=2.20,2.15,2.14,2.26", 200, `{"characteristics":[{"aid":2,"iid":20,"value":false},
			{"aid":2,"iid":15,"value":"Salon"},{"aid":2,"iid":14,"value":""},{"aid":2,"iid":26,"value":18446744073709551615}]}`},
		{"a press is over when it is read", "id=2.22", 200, `{"characteristics":[{"aid":2,"iid":22,"value":null}]}`},
		{"with type", "id=2.10&type=1", 200, `{"characteristics":[{"aid":2,"iid":10,"value":19.5,"type":"11"}]}`},
		{"with permissions", "id=2.11&perms=1", 200, `{"characteristics":[{"aid":2,"iid":11,"value":20,"perms":["pr","pw","ev"]}]}`},
		{"with subscription", "id=2.10,2.11,2.14&ev=1", 200, `{"characteristics":[{"aid":2,"iid":10,"value":19.5,"ev":true},
			{"aid":2,"iid":11,"value":20,"ev":false},{"aid":2,"iid":14,"value":""}]}`},
		{"with metadata", "id=2.11&meta=1", 200, `{"characteristics":[{"aid":2,"iid":11,"value":20,"format":"float",
			"unit":"celsius","minValue":7,"maxValue":30,"minStep":0.5}]}`},
		{"with metadata of a text", "id=2.15&meta=1", 200, `{"characteristics":[{"aid":2,"iid":15,"value":"Salon","format":"string","maxLen":16}]}`},
		{"flags of 0 ask for nothing", "id=2.10&type=0&perms=0&ev=0&meta=0", 200, `{"characteristics":[{"aid":2,"iid":10,"value":19.5}]}`},
		{"one of two does not exist", "id=2.10,9.9", 207, `{"characteristics":[{"aid":2,"iid":10,"value":19.5,"status":0},
			{"aid":9,"iid":9,"status":-70409}]}`},
		{"write-only", "id=2.2", 207, `{"characteristics":[{"aid":2,"iid":2,"status":-70405}]}`},
		{"nothing to show", "id=2.25,2.24", 207, `{"characteristics":[{"aid":2,"iid":25,"status":-70402},
			{"aid":2,"iid":24,"value":80,"status":0}]}`},
		{"no such, with metadata", "id=9.9&meta=1&type=1&perms=1&ev=1", 207, `{"characteristics":[{"aid":9,"iid":9,"status":-70409}]}`},
		{"no id", "meta=1", 400, `{"status":-70410}`},
		{"half an id", "id=2", 400, `{"status":-70410}`},
		{"no number", "id=2.x", 400, `{"status":-70410}`},
		{"empty id in a list", "id=2.10,", 400, `{"status":-70410}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := c.get("/characteristics?" + test.query)
			if answer.status != test.status || !sameJSON(t, answer.body, []byte(test.body)) {
				t.Errorf("got %d %s, want %d %s", answer.status, answer.body, test.status, test.body)
			}
			if got := answer.header.Get("Content-Type"); got != contentJSON {
				t.Errorf("content type %q", got)
			}
		})
	}
}

// Controllers ask for everything at once, also of a full bridge.
func TestReadEverythingAtOnce(t *testing.T) {
	list := house(AccessoriesMax - 1)
	ids := everything(list)
	var names []string
	for _, id := range ids {
		names = append(names, id.String())
	}
	answer := startServer(t, list, nil).admin().get("/characteristics?id=" + strings.Join(names, ","))
	readings, err := decodeReadings(answer.body)
	if err != nil || len(readings) != len(ids) {
		t.Errorf("status %d, %d of %d values, error %v", answer.status, len(readings), len(ids), err)
	}
}

func TestWriteCharacteristics(t *testing.T) {
	tests := []struct {
		name, entry string
		status      Status
		written     string // what reaches the callback
	}{
		{"a number", `{"aid":2,"iid":11,"value":21.5}`, StatusOK, "2.11=21.5"},
		{"a number written otherwise", `{"aid":2,"iid":11,"value":21.50}`, StatusOK, "2.11=21.5"},
		{"the value that it has already", `{"aid":2,"iid":11,"value":20}`, StatusOK, "2.11=20"},
		{"a valid value", `{"aid":2,"iid":12,"value":1}`, StatusOK, "2.12=1"},
		{"a text", `{"aid":2,"iid":15,"value":"Küche"}`, StatusOK, `2.15="Küche"`},
		{"a write-only characteristic", `{"aid":2,"iid":2,"value":true}`, StatusOK, "2.2=true"},
		{"true as 1", `{"aid":2,"iid":2,"value":1}`, StatusOK, "2.2=true"},
		{"the frost guard is not clamped", `{"aid":2,"iid":11,"value":7}`, StatusOK, "2.11=7"},
		{"below the least", `{"aid":2,"iid":11,"value":6.5}`, StatusInvalidValue, ""},
		{"above the most", `{"aid":2,"iid":11,"value":999}`, StatusInvalidValue, ""},
		{"between two steps", `{"aid":2,"iid":11,"value":21.3}`, StatusInvalidValue, ""},
		{"no valid value", `{"aid":2,"iid":12,"value":2}`, StatusInvalidValue, ""},
		{"fraction for a whole", `{"aid":2,"iid":12,"value":1.5}`, StatusInvalidValue, ""},
		{"negative for an unsigned", `{"aid":2,"iid":12,"value":-1}`, StatusInvalidValue, ""},
		{"number for a text", `{"aid":2,"iid":15,"value":5}`, StatusInvalidValue, ""},
		{"text too long", `{"aid":2,"iid":15,"value":"a room with a long name"}`, StatusInvalidValue, ""},
		{"text for a number", `{"aid":2,"iid":11,"value":"21"}`, StatusInvalidValue, ""},
		{"list for a number", `{"aid":2,"iid":11,"value":[21]}`, StatusInvalidValue, ""},
		{"object for a number", `{"aid":2,"iid":11,"value":{"a":1}}`, StatusInvalidValue, ""},
		{"null", `{"aid":2,"iid":11,"value":null}`, StatusInvalidValue, ""},
		{"tlv8 that is none", `{"aid":2,"iid":14,"value":"@"}`, StatusInvalidValue, ""},
		{"read-only", `{"aid":2,"iid":10,"value":21}`, StatusReadOnly, ""},
		{"no such accessory", `{"aid":9,"iid":11,"value":21}`, StatusNoSuch, ""},
		{"no such characteristic", `{"aid":2,"iid":99,"value":21}`, StatusNoSuch, ""},
		{"timed write without prepare", `{"aid":2,"iid":13,"value":1}`, StatusInvalidValue, ""},
		{"subscription to a timed-write characteristic", `{"aid":2,"iid":13,"ev":true}`, StatusOK, ""},
		{"subscription to what gives no events", `{"aid":2,"iid":14,"ev":true}`, StatusNoEvents, ""},
		{"end of a subscription to what gives no events", `{"aid":2,"iid":14,"ev":false}`, StatusNoEvents, ""},
		{"subscription to what does not exist", `{"aid":9,"iid":9,"ev":true}`, StatusNoSuch, ""},
		{"subscription as 1", `{"aid":2,"iid":10,"ev":1}`, StatusOK, ""},
		{"subscription of an odd kind", `{"aid":2,"iid":10,"ev":"yes"}`, StatusInvalidValue, ""},
		{"value and subscription", `{"aid":2,"iid":11,"value":22,"ev":true}`, StatusOK, "2.11=22"},
		{"value, but subscription refused", `{"aid":2,"iid":14,"value":"","ev":true}`, StatusNoEvents, ""},
		{"neither", `{"aid":2,"iid":11}`, StatusInvalidValue, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := startServer(t, house(1), nil)
			c := s.admin()
			alone := c.put(test.entry)
			if test.status == StatusOK {
				if alone.status != http.StatusNoContent || len(alone.body) > 0 {
					t.Errorf("got %d %s, want 204 and nothing", alone.status, alone.body)
				}
			} else {
				want := fmt.Sprintf(`"status":%d`, test.status)
				if alone.status != http.StatusMultiStatus || !strings.Contains(string(alone.body), want) {
					t.Errorf("got %d %s, want 207 with %s", alone.status, alone.body, want)
				}
			}
			if got := s.written(); got != test.written {
				t.Errorf("the callback got %q, want %q", got, test.written)
			}
		})
	}
}

// One failing value must not fail a batch, and every entry of a 207 has its status.
func TestWriteBatchWithFaults(t *testing.T) {
	s := startServer(t, house(2), func(o *ServerOptions) {
		o.Write = func(_ context.Context, _ string, writes []WriteRequest) []WriteResult {
			results := make([]WriteResult, len(writes))
			for i, write := range writes {
				if write.ID.AID == 3 {
					results[i].Status = StatusUnreachable
				}
			}
			return results
		}
	})
	c := s.admin()
	answer := c.put(`{"aid":2,"iid":11,"value":21}`, `{"aid":2,"iid":11,"value":99}`, `{"aid":3,"iid":11,"value":22}`,
		`{"aid":2,"iid":12,"value":1}`, `{"aid":7,"iid":7,"value":1}`, `{"aid":3,"iid":10,"ev":true}`)
	want := `{"characteristics":[{"aid":2,"iid":11,"status":0},{"aid":2,"iid":11,"status":-70410},{"aid":3,"iid":11,"status":-70402},
		{"aid":2,"iid":12,"status":0},{"aid":7,"iid":7,"status":-70409},{"aid":3,"iid":10,"status":0}]}`
	if answer.status != http.StatusMultiStatus || !sameJSON(t, answer.body, []byte(want)) {
		t.Errorf("got %d %s, want 207 %s", answer.status, answer.body, want)
	}
	read := c.get("/characteristics?id=2.11,2.12,3.11")
	want = `{"characteristics":[{"aid":2,"iid":11,"value":21},{"aid":2,"iid":12,"value":1},{"aid":3,"iid":11,"value":20}]}`
	if !sameJSON(t, read.body, []byte(want)) {
		t.Errorf("afterwards the values are %s, want %s", read.body, want)
	}
}

func TestMalformedWrites(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.admin()
	for name, body := range map[string]string{
		"no JSON": `{"characteristics":[`, "another JSON": `[1]`, "no entries": `{"characteristics":[]}`, "nothing": ``,
		"no aid": `{"characteristics":[{"iid":11,"value":21}]}`, "aid as text": `{"characteristics":[{"aid":"2","iid":11,"value":21}]}`,
		"negative iid":           `{"characteristics":[{"aid":2,"iid":-11,"value":21}]}`,
		"one of two without iid": `{"characteristics":[{"aid":2,"iid":11,"value":21},{"aid":2,"value":21}]}`,
	} {
		if answer := c.do(http.MethodPut, "/characteristics", body); answer.status != http.StatusBadRequest {
			t.Errorf("%s: status %d %s", name, answer.status, answer.body)
		}
	}
	if got := s.written(); got != "" {
		t.Errorf("the callback got %q: a request half understood must not be half applied", got)
	}
}

func TestWriteResponse(t *testing.T) {
	s := startServer(t, house(1), func(o *ServerOptions) {
		o.Write = func(_ context.Context, _ string, writes []WriteRequest) []WriteResult {
			results := make([]WriteResult, len(writes))
			for i, write := range writes {
				if write.ID.IID == iidEndpoints {
					results[i].Value = DataValue([]byte("answer"))
				}
			}
			return results
		}
	})
	c := s.admin()
	answer := c.put(`{"aid":2,"iid":14,"value":"AQID","r":true}`, `{"aid":2,"iid":11,"value":21}`, `{"aid":2,"iid":12,"value":1,"r":true}`)
	want := `{"characteristics":[{"aid":2,"iid":14,"status":0,"value":"YW5zd2Vy"},{"aid":2,"iid":11,"status":0},{"aid":2,"iid":12,"status":0,"value":1}]}`
	if answer.status != http.StatusMultiStatus || !sameJSON(t, answer.body, []byte(want)) {
		t.Errorf("got %d %s, want 207 %s", answer.status, answer.body, want)
	}
	if read := c.get("/characteristics?id=2.14"); !strings.Contains(string(read.body), `"YW5zd2Vy"`) {
		t.Errorf("reading back gives %s", read.body)
	}
}

func TestCallbackWithTooFewOrImpossibleResults(t *testing.T) {
	s := startServer(t, house(1), func(o *ServerOptions) {
		o.Write = func(context.Context, string, []WriteRequest) []WriteResult {
			return []WriteResult{{Value: TextValue("no number")}}
		}
	})
	answer := s.admin().put(`{"aid":2,"iid":11,"value":25}`, `{"aid":2,"iid":12,"value":1}`)
	want := `{"characteristics":[{"aid":2,"iid":11,"status":-70402},{"aid":2,"iid":12,"status":-70402}]}`
	if !sameJSON(t, answer.body, []byte(want)) {
		t.Errorf("got %s, want %s", answer.body, want)
	}
}

func TestWriteWithoutCallback(t *testing.T) {
	s := startServer(t, house(1), func(o *ServerOptions) { o.Write = nil })
	c := s.admin()
	if answer := c.put(`{"aid":2,"iid":11,"value":25}`); answer.status != http.StatusNoContent {
		t.Errorf("status %d %s", answer.status, answer.body)
	}
	if read := c.get("/characteristics?id=2.11"); !strings.Contains(string(read.body), `"value":25`) {
		t.Errorf("the value is %s", read.body)
	}
}

func TestCallbackLearnsWhoAsks(t *testing.T) {
	asked := make(chan string, 1)
	s := startServer(t, house(1), func(o *ServerOptions) {
		o.Write = func(_ context.Context, controller string, writes []WriteRequest) []WriteResult {
			asked <- fmt.Sprintf("%s %+v", controller, writes)
			return nil
		}
	})
	c := s.connect(s.pair("the phone", true))
	c.put(`{"aid":2,"iid":11,"value":25,"remote":true,"authData":"AQID"}`)
	if got, want := <-asked, "the phone [{ID:2.11 Value:[50 53] Remote:true AuthData:AQID From:127.0.0.1}]"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}
