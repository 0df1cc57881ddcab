package netatmo

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestReadAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		in     string
		err    string // "" = none
	}{
		{"good", 200, `{"status":"ok","body":{"a":1},"time_server":1559171003}`, ""},
		{"with a byte order mark", 200, "\xef\xbb\xbf{\"status\":\"ok\"}", ""},
		{"without a body", 200, `{"status":"ok"}`, ""},
		{"body is an empty list, as PHP writes an empty object", 200, `{"status":"ok","body":[]}`, ""},
		{"nothing", 200, "", "200 with nothing"},
		{"blanks", 200, " \n", "200 with nothing"},
		{"HTML", 200, "<!DOCTYPE html>", "200 with HTML"},
		{"HTML and 503", 503, "<html>", "503 with HTML"},
		{"cut", 200, `{"status":"ok","body":{"homes":[{"id`, "200 with a cut answer"},
		{"broken", 200, `{"status":ok}`, "200 with something other than JSON"},
		{"a list", 200, `[1,2]`, "200 with something other than JSON"},
		{"a word", 200, `"ok"`, "200 with something other than JSON"},
		{"a number", 502, `7`, "502 with something other than JSON"},
		{"error as an object", 403, `{"error":{"code":3,"message":"Access token expired"}}`, "403 code 3 Access token expired"},
		{"error as a word", 500, `{"error":"too_many_connections"}`, "500 too_many_connections"},
		{"error with a code that is a string", 403, `{"error":{"code":"26"}}`, "403 code 26"},
		{"error without a code", 400, `{"error":{"message":"odd"}}`, "400 odd"},
		{"error that says nothing", 400, `{"error":{}}`, "400 without a reason"},
		{"error of another shape", 400, `{"error":[1]}`, "400 without a reason"},
		{"error with a line break and a long text", 400, `{"error":{"code":1,"message":"a\nb` + strings.Repeat("x", 200) + `"}}`, "400 code 1 a b" + strings.Repeat("x", 117) + "…"},
		{"no error but a bad status", 418, `{"status":"ok"}`, "418 without a reason"},
		{"another status word", 200, `{"status":"failed"}`, "200 with status failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readAnswer(c.status, []byte(c.in))
			if c.err == "" && err != nil || c.err != "" && (err == nil || err.Error() != c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

func TestLooseValues(t *testing.T) {
	a := readObject([]byte(`{
		"n": 21.5, "ns": "21.5", "nc": "21,5", "nan": "NaN", "inf": "1e999", "nb": true, "no": {}, "nn": null,
		"t": " text ", "tn": 42, "big": 12345678901234567890,
		"y1": true, "y2": "on", "y3": 1, "f1": "off", "f2": 0, "f3": false, "odd": "maybe",
		"sec": 1559171003, "secs": "1559171003", "ms": 1559171003000, "zero": 0, "slip": 15607062321, "neg": -5,
		"list": [{"a":1}, 7, null, {"a":2}], "map": {"z":{"a":3}, "b":{"a":4}, "c":5}, "words": ["x", 7, null], "spaced": "x y"
	}`))
	for _, c := range []struct {
		key  string
		want float64
		ok   bool
	}{{"n", 21.5, true}, {"ns", 21.5, true}, {"nc", 21.5, true}, {"nan", 0, false}, {"inf", 0, false}, {"nb", 0, false}, {"no", 0, false}, {"nn", 0, false}, {"absent", 0, false}} {
		if got, ok := a.number(c.key); ok != c.ok || ok && got != c.want {
			t.Errorf("number %s: %v, %v", c.key, got, ok)
		}
	}
	for key, want := range map[string]string{"t": "text", "tn": "42", "big": "12345678901234567890", "y1": "", "list": "", "nn": ""} {
		if got := a.text(key); got != want {
			t.Errorf("text %s: %q, want %q", key, got, want)
		}
	}
	for key, want := range map[string][2]bool{"y1": {true, true}, "y2": {true, true}, "y3": {true, true}, "f1": {false, true}, "f2": {false, true}, "f3": {false, true}, "odd": {false, false}, "absent": {false, false}} {
		if yes, said := a.yes(key); yes != want[0] || said != want[1] {
			t.Errorf("yes %s: %v, %v", key, yes, said)
		}
	}
	right := time.Unix(1559171003, 0).UTC()
	for key, want := range map[string]time.Time{"sec": right, "secs": right, "ms": right, "zero": {}, "slip": {}, "neg": {}, "nn": {}} {
		if got := a.time(key); !got.Equal(want) {
			t.Errorf("time %s: %v, want %v", key, got, want)
		}
	}
	if got := a.objects("list"); len(got) != 2 || string(got[1]["a"]) != "2" {
		t.Errorf("list: %v", got)
	}
	if got := a.objects("map"); len(got) != 2 || string(got[0]["a"]) != "4" {
		t.Errorf("map: %v, want its objects in the order of the keys", got)
	}
	if got := a.texts("words"); len(got) != 2 || got[1] != "7" {
		t.Errorf("words: %v", got)
	}
	if got := a.texts("spaced"); len(got) != 2 {
		t.Errorf("spaced: %v", got)
	}
	if a.first("nn", "n") == nil || !json.Valid(a.first("nn", "n")) {
		t.Error("null hides the next key")
	}
}
