package netatmo

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// attributes is one JSON object of the vendor, read key by key. The vendor writes a number as a
// string, an empty object as a list, an id without quotes; a key of another shape than asked for
// counts as absent, so that one odd field never costs the whole answer.
type attributes map[string]json.RawMessage

// readObject returns nil if raw is not a JSON object.
func readObject(raw json.RawMessage) attributes {
	var a attributes
	if json.Unmarshal(raw, &a) != nil {
		return nil
	}
	return a
}

// first returns the value of the first of the keys that is there and not null.
func (a attributes) first(keys ...string) json.RawMessage {
	for _, k := range keys {
		if raw, ok := a[k]; ok && string(raw) != "null" {
			return raw
		}
	}
	return nil
}

// text returns a string, or the digits of a number; "" for anything else.
func (a attributes) text(keys ...string) string { return textOf(a.first(keys...)) }

func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return strings.TrimSpace(s)
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// number returns a number, or the number that a string spells.
func (a attributes) number(keys ...string) (float64, bool) { return numberOf(a.first(keys...)) }

func numberOf(raw json.RawMessage) (float64, bool) {
	n, err := strconv.ParseFloat(strings.Replace(textOf(raw), ",", ".", 1), 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// yes returns a boolean, or the one that a word or a number stands for; said is false if none does.
func (a attributes) yes(keys ...string) (yes, said bool) { return yesOf(a.first(keys...)) }

func yesOf(raw json.RawMessage) (yes, said bool) {
	var b bool
	if raw != nil && json.Unmarshal(raw, &b) == nil {
		return b, true
	}
	switch strings.ToLower(textOf(raw)) {
	case "on", "true", "yes", "1":
		return true, true
	case "off", "false", "no", "0":
		return false, true
	}
	return false, false
}

// Instants outside of these bounds are slips of the vendor's; a published answer says the year 2464.
const (
	firstInstant = 946_684_800   // 2000
	lastInstant  = 4_102_444_800 // 2100
)

// time returns an instant given in seconds since 1970, in milliseconds if so large; the zero time
// for 0, null, and what cannot be.
func (a attributes) time(keys ...string) time.Time {
	n, ok := a.number(keys...)
	if ok && n >= firstInstant*1000 && n <= lastInstant*1000 {
		n /= 1000
	}
	if !ok || n < firstInstant || n > lastInstant {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}

// object returns nil if there is none under that key.
func (a attributes) object(keys ...string) attributes { return readObject(a.first(keys...)) }

// objects returns the objects of a list, or of a map in the order of its keys, leaving out all that
// is no object.
func (a attributes) objects(keys ...string) []attributes {
	return objectsOf(a.first(keys...))
}

func objectsOf(raw json.RawMessage) []attributes {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		byKey := readObject(raw)
		for _, k := range slices.Sorted(maps.Keys(byKey)) {
			list = append(list, byKey[k])
		}
	}
	var all []attributes
	for _, element := range list {
		if o := readObject(element); o != nil {
			all = append(all, o)
		}
	}
	return all
}

// texts returns the words of a list, or of one string with blanks between them.
func (a attributes) texts(keys ...string) []string {
	raw := a.first(keys...)
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return strings.Fields(textOf(raw))
	}
	var all []string
	for _, element := range list {
		if t := textOf(element); t != "" {
			all = append(all, t)
		}
	}
	return all
}
