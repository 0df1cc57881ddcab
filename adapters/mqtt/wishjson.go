package mqtt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/gateway"
)

// wish is a JSON object whose values are numbers, flags and words. Whoever understands a key takes it
// out; what is left over was not understood.
type wish struct {
	keys   []string
	values []gateway.Value
}

// parse reads one JSON object and nothing else. A key that comes twice, a null or a list are refused,
// because nobody could say what was meant.
func parse(payload []byte) (*wish, error) {
	if !utf8.Valid(payload) {
		return nil, errors.New("a wish is JSON text in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New(`a wish is a JSON object, such as {"target":21.5}`)
	}
	w := &wish{}
	for d.More() {
		if err := w.member(d); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("this is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return w, nil
}

func (w *wish) member(d *json.Decoder) error {
	key, err := d.Token()
	if err != nil {
		return fmt.Errorf("this is not JSON: %w", err)
	}
	name, _ := key.(string) // the decoder lets nothing else be a key
	token, err := d.Token()
	if err != nil {
		return fmt.Errorf("this is not JSON: %w", err)
	}
	value, err := scalar(token)
	if err != nil {
		return fmt.Errorf("%q %w", name, err)
	}
	for _, other := range w.keys {
		if other == name {
			return fmt.Errorf("%q is there twice", name)
		}
	}
	w.keys, w.values = append(w.keys, name), append(w.values, value)
	return nil
}

func scalar(token json.Token) (gateway.Value, error) {
	switch t := token.(type) {
	case string:
		return gateway.Word(t), nil
	case bool:
		return gateway.Flag(t), nil
	case json.Number:
		n, err := strconv.ParseFloat(string(t), 64)
		if err != nil {
			return gateway.Value{}, fmt.Errorf("is too large a number: %s", t)
		}
		return gateway.Number(n), nil
	}
	return gateway.Value{}, errors.New("must be a number, a word, true or false")
}

// take removes a key and returns its value.
func (w *wish) take(key string) (gateway.Value, bool) {
	for i, k := range w.keys {
		if k == key {
			v := w.values[i]
			w.keys = append(w.keys[:i], w.keys[i+1:]...)
			w.values = append(w.values[:i], w.values[i+1:]...)
			return v, true
		}
	}
	return gateway.Value{}, false
}

// number takes a key whose value must be a number.
func (w *wish) number(key string) (float64, bool, error) {
	v, ok := w.take(key)
	n, isNumber := v.Number()
	if ok && (!isNumber || v == gateway.Flag(v.Yes())) {
		return 0, false, fmt.Errorf("%q must be a number, not %q", key, v)
	}
	return n, ok, nil
}

// word takes a key whose value must be a word.
func (w *wish) word(key string) (string, bool, error) {
	v, ok := w.take(key)
	if ok && v != gateway.Word(v.Word()) {
		return "", false, fmt.Errorf("%q must be a word in quotes, not %s", key, v)
	}
	return v.Word(), ok, nil
}

// rest complains of keys that nobody took.
func (w *wish) rest(expected string) error {
	if len(w.keys) == 0 {
		return nil
	}
	return fmt.Errorf("%q is not known here; expected %s", w.keys[0], expected)
}

// end is how long a wish is to hold: for a time, until an instant, for ever, or as long as is usual.
type end struct {
	lasting time.Duration
	until   time.Time
	forever bool
}

// end takes "for" and "until".
func (w *wish) end(now time.Time) (end, error) {
	lasting, hasFor, err := w.word("for")
	if err != nil {
		return end{}, err
	}
	until, hasUntil, err := w.word("until")
	if err != nil {
		return end{}, err
	}
	switch {
	case hasFor && hasUntil:
		return end{}, errors.New(`say "for" or "until", not both`)
	case hasFor:
		d, err := duration(lasting)
		return end{lasting: d}, err
	case hasUntil:
		t, err := instant(until, now)
		return end{until: t}, err
	}
	return end{}, nil
}

// none complains of an end where there can be none.
func (e end) none(mode string) error {
	if e != (end{}) {
		return fmt.Errorf(`%q has no end; leave out "for" and "until"`, mode)
	}
	return nil
}

// duration reads 90m, 2h, 1h30m or 14d.
func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		var n int
		if n, err = strconv.Atoi(days); err == nil {
			d = time.Duration(min(max(n, 0), 1000)) * 24 * time.Hour
		}
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf(`"for" is a time such as 90m, 2h or 14d, not %q`, text)
	case d < time.Second || d > farthest:
		return 0, fmt.Errorf(`"for" must be between a second and a year, not %q`, text)
	}
	return d, nil
}

func instant(text string, now time.Time) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil:
		return time.Time{}, fmt.Errorf(`"until" is a time such as 2026-01-31T18:00:00Z or 2026-01-31T19:00:00+01:00, not %q`, text)
	case !t.After(now):
		return time.Time{}, fmt.Errorf(`"until" %s is past`, text)
	case t.Sub(now) > farthest:
		return time.Time{}, fmt.Errorf(`"until" %s is more than a year ahead`, text)
	}
	return t, nil
}
