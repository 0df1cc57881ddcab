package mqtt

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// dialect is how one attached device is spoken to and understood. It does no I/O and knows no clock, so
// that it can be tested message by message.
type dialect interface {
	// filters are the topics that the device speaks on.
	filters() []string
	// greet asks what the device is like, once it is there: its state, and whether it ends a lease itself.
	greet() []order
	// hear takes a message on one of the topics.
	hear(heard) report
	// set says what to send for a command, or why it cannot be.
	set(gateway.Command) ([]order, error)
	// drop forgets the command under way: nobody knows what has become of it.
	drop()
	// late is told that a command is not carried out in the time that it may take.
	late() report
}

// order is a message to a device. It is never retained: a broker would repeat it after its restart.
type order struct {
	topic, text string
	of          gateway.DeviceID // whose it is; set when it is sent
}

// report is what a message says.
type report struct {
	readings []said
	reach    gateway.Answer // does the device answer
	why      string         // if not
	orders   []order        // what to say in return
	done     bool           // the command under way is carried out
	fault    string         // the command under way is not, because
	final    bool           // with fault: asking again is useless
}

// said is one value that a device has told.
type said struct {
	quantity gateway.Quantity
	value    gateway.Value
	at       time.Time // zero: now
}

func (r *report) say(q gateway.Quantity, v gateway.Value) {
	if v.Known() {
		r.readings = append(r.readings, said{quantity: q, value: v})
	}
}

// fields of a JSON object from outside, whatever it may hold.
type told map[string]any

// parseTold reads one JSON object; nil if it is none.
func parseTold(payload []byte) told {
	var t told
	if len(payload) > longestMessage || json.Unmarshal(payload, &t) != nil {
		return nil
	}
	return t
}

// longestMessage is how many bytes of a message from a device are read. Shelly's full status has some
// thousands.
const longestMessage = 1 << 16

// within is an object inside the object; nil if there is none.
func (t told) within(key string) told {
	inner, _ := t[key].(map[string]any)
	return inner
}

// sortedKeys are the keys of an object in an order that does not change.
func sortedKeys(t told) []string { return slices.Sorted(maps.Keys(t)) }

// number is a number, or unknown. A list gives its first, as Tasmota lists its meters.
func (t told) number(key string) gateway.Value {
	v := t[key]
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	if n, ok := v.(float64); ok {
		return gateway.Number(n)
	}
	return gateway.Value{}
}

func (t told) word(key string) string {
	w, _ := t[key].(string)
	return w
}

// flag is a yes or no, or unknown.
func (t told) flag(key string) gateway.Value {
	if yes, ok := t[key].(bool); ok {
		return gateway.Flag(yes)
	}
	return gateway.Value{}
}

// find follows a path of keys with dots between them, in which * stands for any part of a key, and returns
// what stands at its ends.
func (t told) find(keys string) []any {
	first, rest, deeper := strings.Cut(keys, ".")
	var found []any
	for _, key := range sortedKeys(t) {
		if key != first && !like(key, first) {
			continue
		}
		if !deeper {
			found = append(found, t[key])
		} else if inner := t.within(key); inner != nil {
			found = append(found, inner.find(rest)...)
		}
	}
	return found
}

// like reports whether a key is like a word that may hold one *.
func like(key, word string) bool {
	before, after, starred := strings.Cut(word, "*")
	return starred && len(key) >= len(before)+len(after) && strings.HasPrefix(key, before) && strings.HasSuffix(key, after)
}

// scalarText is a word, a number or a truth as text; "" for anything else. A list gives its first, as
// Tasmota lists its meters.
func scalarText(v any) string {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// value is what a text says of the quantity.
func (e Extract) value(text string) gateway.Value {
	switch {
	case text == "":
	case e.Yes == "":
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return gateway.Number(n)
		}
	case text == e.Yes:
		return gateway.Flag(true)
	case text == e.No, e.No == "":
		return gateway.Flag(false)
	}
	return gateway.Value{}
}

// read takes what a table finds in a message for a role.
func (r *report) read(table []Extract, role Role, body told) {
	for _, e := range table {
		if !isFor(e.Roles, role) {
			continue
		}
		for _, v := range body.find(e.Key) {
			r.say(e.Quantity, e.value(scalarText(v)))
		}
	}
}

// onOff reads ON and OFF in the spellings that devices use; unknown for anything else.
func onOff(word string) gateway.Value {
	switch strings.ToUpper(strings.TrimSpace(word)) {
	case "ON", "1", "TRUE":
		return gateway.Flag(true)
	case "OFF", "0", "FALSE":
		return gateway.Flag(false)
	}
	return gateway.Value{}
}

// celsius is a temperature in °C, whichever unit it came in.
func celsius(v gateway.Value, fahrenheit bool) gateway.Value {
	n, ok := v.Number()
	if !ok {
		return gateway.Value{}
	}
	if fahrenheit {
		n = (n - 32) / 1.8
	}
	return gateway.Number(n)
}

func word(on bool) string {
	if on {
		return "ON"
	}
	return "OFF"
}

// matches reports whether a topic falls under a filter whose + stand for one level.
func matches(filter, topic string) bool {
	for {
		f, fRest, fMore := strings.Cut(filter, "/")
		t, tRest, tMore := strings.Cut(topic, "/")
		if f != "+" && f != t || fMore != tMore {
			return false
		}
		if !fMore {
			return true
		}
		filter, topic = fRest, tRest
	}
}

// Targets that valves take, °C.
const (
	coldestTarget = 5.0
	hottestTarget = 30.0
	targetStep    = 0.5
)

// finalError is why asking again is useless.
type finalError string

// Error is the sentence itself.
func (e finalError) Error() string { return string(e) }

// short is the beginning of what somebody else wrote, for a sentence of ours.
func short(text string) string {
	const most = 40
	text = strings.ToValidUTF8(text, "?")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
