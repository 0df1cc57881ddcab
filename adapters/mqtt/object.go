package mqtt

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/gateway"
)

// object is a JSON object under construction. It is appended to by hand because it is made for every
// reading: the order of the keys is the order of the calls, so an unchanged page has unchanged bytes,
// and a buffer that is used again costs no memory. A value that is not known leaves no key.
type object []byte

// begin starts an object in the buffer of an older one.
func begin(buffer []byte) object { return append(object(buffer[:0]), '{') }

// end closes the object.
func (o object) end() object { return append(o, '}') }

func (o object) key(key string) object {
	if o[len(o)-1] != '{' {
		o = append(o, ',')
	}
	o = append(o, '"')
	o = append(o, key...) // our own words: nothing in them needs escaping
	return append(o, '"', ':')
}

// within begins an object inside the object; inner must be closed by end.
func (o object) within(key string) object { return append(o.key(key), '{') }

// text adds a string unless it is empty.
func (o object) text(key, s string) object {
	if s == "" {
		return o
	}
	return appendText(o.key(key), s)
}

// texts adds a list of strings, empty or not.
func texts[S ~string](o object, key string, list []S) object {
	o = append(o.key(key), '[')
	for i, s := range list {
		if i > 0 {
			o = append(o, ',')
		}
		o = appendText(o, string(s))
	}
	return append(o, ']')
}

// flag adds true or false.
func (o object) flag(key string, yes bool) object { return strconv.AppendBool(o.key(key), yes) }

// count adds a whole number.
func (o object) count(key string, n uint64) object { return strconv.AppendUint(o.key(key), n, 10) }

// moment adds a time as RFC 3339 in UTC, to the second, unless it is zero.
func (o object) moment(key string, t time.Time) object {
	if t.IsZero() {
		return o
	}
	o = append(o.key(key), '"')
	o = t.UTC().AppendFormat(o, time.RFC3339)
	return append(o, '"')
}

// value adds a number, true or false, or a string, unless the value is unknown.
func (o object) value(key string, v gateway.Value) object {
	if !v.Known() {
		return o
	}
	o = o.key(key)
	if n, ok := v.Number(); !ok {
		return appendText(o, v.Word())
	} else if v != gateway.Flag(v.Yes()) {
		return appendNumber(o, n)
	}
	return strconv.AppendBool(o, v.Yes())
}

// appendNumber writes n with three decimals at most: what is behind them is noise of computing, and
// would publish an unchanged temperature again.
func appendNumber(b []byte, n float64) []byte {
	if math.Abs(n) < 1e12 {
		n = math.Round(n*1000)/1000 + 0 // + 0 turns -0 into 0
	}
	return strconv.AppendFloat(b, n, 'f', -1, 64)
}

func appendText(b []byte, s string) []byte {
	if isPlain(s) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	quoted, err := json.Marshal(s)
	if err != nil { // a string can always be marshalled
		return append(b, '"', '"')
	}
	return append(b, quoted...)
}

// isPlain reports whether s stands in JSON as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return utf8.ValidString(s)
}
