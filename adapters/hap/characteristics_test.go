package hap

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// text writes readings in short.
func text(readings []Reading) string {
	var parts []string
	for _, reading := range readings {
		parts = append(parts, fmt.Sprintf("%s=%s(%d)", reading.ID, reading.Value, int(reading.Status)))
	}
	return strings.Join(parts, " ")
}

func ids(pairs ...uint64) []CharacteristicID {
	var list []CharacteristicID
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, CharacteristicID{pairs[i], pairs[i+1]})
	}
	return list
}

func TestSessionRead(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"all, in the order asked", 200, `{"characteristics":[{"aid":2,"iid":11,"value":"x"},{"aid":1,"iid":10,"value":21.5}]}`, `1.10=21.5(0) 2.11="x"(0)`},
		{"one fails", 207, `{"characteristics":[{"aid":1,"iid":10,"status":-70402},{"aid":2,"iid":11,"value":0,"status":0}]}`, `1.10=(-70402) 2.11=0(0)`},
		{"one is left out", 200, `{"characteristics":[{"aid":1,"iid":10,"value":1}]}`, `1.10=1(0) 2.11=(-1)`},
		{"all fail with an error status", 400, `{"characteristics":[{"aid":1,"iid":10,"status":-70409},{"aid":2,"iid":11,"status":-70405}]}`, `1.10=(-70409) 2.11=(-70405)`},
		{"others come, too", 200, `{"characteristics":[{"aid":7,"iid":7,"value":7},{"aid":1,"iid":10,"value":1},{"aid":2,"iid":11,"value":null}]}`, `1.10=1(0) 2.11=(0)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newTestAccessory(t)
			a.onTalk = talk(map[string]func(*channel, request) error{"GET /characteristics": says(test.status, test.body)})
			got, err := a.connect(nil).Read(within(t, 20*time.Second), ids(1, 10, 2, 11)...)
			if err != nil || text(got) != test.want {
				t.Fatalf("got %s, %v", text(got), err)
			}
			if asked := a.requests[len(a.requests)-1].query.Get("id"); asked != "1.10,2.11" {
				t.Errorf("it asked for %s", asked)
			}
		})
	}
}

func TestSessionReadsOneTwice(t *testing.T) {
	a := newTestAccessory(t)
	for body, want := range map[string]string{
		`{"characteristics":[{"aid":1,"iid":10,"value":1},{"aid":1,"iid":10,"value":2}]}`: "1.10=1(0) 1.10=2(0)",
		`{"characteristics":[{"aid":1,"iid":10,"value":1}]}`:                              "1.10=1(0) 1.10=1(0)",
	} {
		a.onTalk = says(200, body)
		if got, err := a.connect(nil).Read(within(t, 20*time.Second), ids(1, 10, 1, 10)...); err != nil || text(got) != want {
			t.Errorf("got %s, %v, want %s", text(got), err, want)
		}
	}
}

func TestSessionReadFails(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   error
	}{
		{"with a status", 422, `{"status":-70410}`, StatusInvalidValue},
		{"with nothing", 500, ``, nil},
		{"with half an answer", 200, `{"characteristics":[`, nil},
		{"with a word for an id", 200, `{"characteristics":[{"aid":"1","iid":10}]}`, nil},
	} {
		a := newTestAccessory(t)
		a.onTalk = says(test.status, test.body)
		s := a.connect(nil)
		if got, err := s.Read(within(t, 20*time.Second), ids(1, 10)...); err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: got %s, %v", test.name, text(got), err)
		}
		if s.Err() != nil {
			t.Errorf("%s: the session ended: %v", test.name, s.Err())
		}
	}
}

// TestManyIDs makes sure that long lists are cut, and come back whole and in order.
func TestManyIDs(t *testing.T) {
	a := newTestAccessory(t)
	largest := 0
	a.onTalk = func(c *channel, r request) error {
		var wire valuesJSON
		if r.method == "PUT" {
			if err := json.Unmarshal(r.body, &wire); err != nil {
				return err
			}
			largest = max(largest, len(wire.Characteristics))
			return c.send(responseBytes(204, "", nil))
		}
		for _, name := range strings.Split(r.query.Get("id"), ",") {
			id, err := ParseCharacteristicID(name)
			if err != nil {
				return err
			}
			wire.Characteristics = append(wire.Characteristics, valueJSON{AID: id.AID, IID: id.IID, Value: jsonNumber(id.IID)})
		}
		largest = max(largest, len(wire.Characteristics))
		body, err := json.Marshal(wire)
		return errors.Join(err, c.send(responseBytes(200, contentJSON, body)))
	}
	s := a.connect(nil)
	var all []CharacteristicID
	for iid := range uint64(333) {
		all = append(all, CharacteristicID{1, iid + 1})
	}
	for name, got := range map[string]func() ([]Reading, error){
		"read":      func() ([]Reading, error) { return s.Read(within(t, 30*time.Second), all...) },
		"subscribe": func() ([]Reading, error) { return s.Subscribe(within(t, 30*time.Second), all...) },
	} {
		readings, err := got()
		if err != nil || len(readings) != len(all) || largest > 50 {
			t.Fatalf("%s: %d readings, at most %d a request, %v", name, len(readings), largest, err)
		}
		for i, reading := range readings {
			if reading.ID != all[i] || name == "read" && string(reading.Value) != fmt.Sprint(all[i].IID) {
				t.Fatalf("%s: reading %d is %s", name, i, text([]Reading{reading}))
			}
		}
	}
	for name, got := range map[string]func() ([]Reading, error){
		"read":      func() ([]Reading, error) { return s.Read(within(t, 30*time.Second)) },
		"subscribe": func() ([]Reading, error) { return s.Subscribe(within(t, 30*time.Second)) },
		"write":     func() ([]Reading, error) { return s.Write(within(t, 30*time.Second)) },
	} {
		if readings, err := got(); err != nil || len(readings) != 0 {
			t.Errorf("%s of nothing gives %v, %v", name, readings, err)
		}
	}
}

// jsonNumber writes a number as JSON.
func jsonNumber(n uint64) json.RawMessage { return json.RawMessage(fmt.Sprint(n)) }

func TestSessionWrite(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"done", 204, ``, `1.10=(0) 1.11=(0)`},
		{"one refused", 207, `{"characteristics":[{"aid":1,"iid":10,"status":0},{"aid":1,"iid":11,"status":-70404}]}`, `1.10=(0) 1.11=(-70404)`},
		{"only the refused one is named", 207, `{"characteristics":[{"aid":1,"iid":11,"status":-70410}]}`, `1.10=(0) 1.11=(-70410)`},
		{"all refused", 400, `{"characteristics":[{"aid":1,"iid":10,"status":-70402}]}`, `1.10=(-70402) 1.11=(-1)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newTestAccessory(t)
			a.onTalk = talk(map[string]func(*channel, request) error{"PUT /characteristics": says(test.status, test.body)})
			got, err := a.connect(nil).Write(within(t, 20*time.Second),
				Write{CharacteristicID{1, 10}, json.RawMessage("21.5")}, Write{CharacteristicID{1, 11}, json.RawMessage(`true`)})
			if err != nil || text(got) != test.want {
				t.Fatalf("got %s, %v", text(got), err)
			}
			last := a.requests[len(a.requests)-1]
			if body := string(last.body); body != `{"characteristics":[{"aid":1,"iid":10,"value":21.5},{"aid":1,"iid":11,"value":true}]}` || last.header.Get("Content-Type") != contentJSON {
				t.Errorf("it sent %s", body)
			}
		})
	}
	s := newTestAccessory(t).connect(nil)
	for _, value := range []string{"NaN", "", "1 2"} {
		if got, err := s.Write(within(t, 20*time.Second), Write{CharacteristicID{1, 10}, json.RawMessage(value)}); err == nil {
			t.Errorf("%q, which is no JSON value, gives %s", value, text(got))
		}
	}
}

func TestSessionTimedWrite(t *testing.T) {
	a := newTestAccessory(t)
	prepared, written := prepareJSON{}, valuesJSON{}
	prepare := says(200, `{"status":0}`)
	a.onTalk = talk(map[string]func(*channel, request) error{
		"PUT /prepare": func(c *channel, r request) error {
			return errors.Join(json.Unmarshal(r.body, &prepared), prepare(c, r))
		},
		"PUT /characteristics": func(c *channel, r request) error {
			written = valuesJSON{}
			return errors.Join(json.Unmarshal(r.body, &written), c.send(responseBytes(http.StatusNoContent, "", nil)))
		},
	})
	s := a.connect(nil)
	write := Write{CharacteristicID{1, 10}, json.RawMessage("1")}
	var last uint64
	for range 20 {
		got, err := s.TimedWrite(within(t, 20*time.Second), 2500*time.Millisecond, write)
		if err != nil || text(got) != "1.10=(0)" {
			t.Fatalf("got %s, %v", text(got), err)
		}
		if written.PID == nil || *written.PID != prepared.PID || prepared.TTL != 2500 || prepared.PID == last || prepared.PID >= 1<<53 {
			t.Fatalf("prepared %+v, written %+v", prepared, written)
		}
		last = prepared.PID
	}
	written = valuesJSON{}
	prepare = says(200, `{"status":-70411}`)
	if _, err := s.TimedWrite(within(t, 20*time.Second), time.Second, write); !errors.Is(err, StatusNotAuthorized) || written.PID != nil {
		t.Errorf("a refused preparation gives %v and the write %+v", err, written)
	}
	prepare = says(400, ``)
	if _, err := s.TimedWrite(within(t, 20*time.Second), time.Second, write); err == nil || written.PID != nil {
		t.Errorf("a failed preparation gives %v and the write %+v", err, written)
	}
	if _, err := s.TimedWrite(within(t, 20*time.Second), time.Microsecond, write); err == nil {
		t.Error("a write within no time")
	}
}

func TestSessionSubscribe(t *testing.T) {
	a := newTestAccessory(t)
	a.onTalk = says(207, `{"characteristics":[{"aid":1,"iid":10,"status":-70406},{"aid":1,"iid":11,"status":0}]}`)
	got, err := a.connect(nil).Subscribe(within(t, 20*time.Second), ids(1, 10, 1, 11)...)
	if err != nil || text(got) != "1.10=(-70406) 1.11=(0)" {
		t.Fatalf("got %s, %v", text(got), err)
	}
	if body := string(a.requests[len(a.requests)-1].body); body != `{"characteristics":[{"aid":1,"iid":10,"ev":true},{"aid":1,"iid":11,"ev":true}]}` {
		t.Errorf("it sent %s", body)
	}
}
