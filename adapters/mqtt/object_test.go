package mqtt

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestObject(t *testing.T) {
	paris := time.FixedZone("CET", 3600)
	tests := []struct {
		name, want string
		object     object
	}{
		{"empty", `{}`, begin(nil)},
		{"what is unknown is absent", `{}`, begin(nil).text("a", "").moment("b", time.Time{}).value("c", gateway.Value{})},
		{"values", `{"n":19.4,"zero":0,"yes":true,"no":false,"word":"auto"}`, begin(nil).
			value("n", gateway.Number(19.4)).value("zero", gateway.Number(0)).
			value("yes", gateway.Flag(true)).value("no", gateway.Flag(false)).value("word", gateway.Word("auto"))},
		{"numbers without noise", `{"a":19.4,"b":0,"c":-3.125,"d":1000000000000000}`, begin(nil).
			value("a", gateway.Number(19.400000000000002)).value("b", gateway.Number(math.Copysign(0, -1))).
			value("c", gateway.Number(-3.1251)).value("d", gateway.Number(1e15))},
		{"times in UTC to the second", `{"t":"2026-01-31T17:30:05Z"}`, begin(nil).
			moment("t", time.Date(2026, 1, 31, 18, 30, 5, 999, paris))},
		{"strings", `{"plain":"Hall détecteur","odd":"a\"b\\c\n\u0001"}`, begin(nil).
			text("plain", "Hall détecteur").text("odd", "a\"b\\c\n\x01")},
		{"lists and objects", `{"none":[],"two":["read","write"],"in":{"n":7},"after":false}`, texts(texts(begin(nil),
			"none", []string(nil)), "two", []gateway.Plane{gateway.PlaneRead, gateway.PlaneWrite}).
			within("in").count("n", 7).end().flag("after", false)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(test.object.end()); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestObjectUsesItsBufferAgain(t *testing.T) {
	buffer := make([]byte, 0, 1024)
	allocs := testing.AllocsPerRun(100, func() {
		begin(buffer).text("name", "Livingroom").value("v", gateway.Number(19.4)).moment("at", evening).flag("x", true).end()
	})
	if allocs != 0 {
		t.Errorf("%v allocations for one object, want none", allocs)
	}
}

// Whatever devices are called, what is made of it must be JSON that says the same.
func FuzzObject(f *testing.F) {
	f.Add("Livingroom", 19.4)
	f.Add("\xff\u2028<script>\"\\", -0.00049)
	f.Add("\x00\x7f", math.MaxFloat64)
	f.Fuzz(func(t *testing.T, text string, number float64) {
		o := begin(nil).text("text", text).value("number", gateway.Number(number)).end()
		var got map[string]any
		if err := json.Unmarshal(o, &got); err != nil {
			t.Fatalf("%q is not JSON: %v", o, err)
		}
		marshalled, _ := json.Marshal(text)
		var want any
		json.Unmarshal(marshalled, &want)
		if text != "" && got["text"] != want {
			t.Errorf("text %q became %q", text, got["text"])
		}
		if n, ok := got["number"].(float64); gateway.Number(number).Known() && (!ok || math.Abs(n-number) > 0.0006+math.Abs(number)*1e-12) {
			t.Errorf("number %v became %v", number, got["number"])
		}
	})
}
