package hap

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestNormalise(t *testing.T) {
	float := Characteristic{Format: FormatFloat, MinValue: new(-40.0), MaxValue: new(60.0), MinStep: new(0.1)}
	percent := Characteristic{Format: FormatUint8, MinValue: new(0.0), MaxValue: new(100.0)}
	mode := Characteristic{Format: FormatUint8, ValidValues: []int64{0, 1, 3}}
	span := Characteristic{Format: FormatUint8, ValidRange: []int64{2, 4}}
	text := Characteristic{Format: FormatString, MaxLen: 5}
	data := Characteristic{Format: FormatData, MaxDataLen: 4}
	format := func(f Format) Characteristic { return Characteristic{Format: f} }
	tests := []struct {
		name   string
		meta   Characteristic
		raw    string
		want   string
		reason string
	}{
		{"float", float, "21.50", "21.5", ""},
		{"float with exponent", float, "2.15e1", "21.5", ""},
		{"negative float", float, "-7.5", "-7.5", ""},
		{"no negative zero", float, "-0", "0", ""},
		{"least", float, "-40", "-40", ""},
		{"most", float, "60", "60", ""},
		{"below", float, "-40.1", "", "less than -40"},
		{"above", float, "60.1", "", "more than 60"},
		{"a reading between two steps", float, "21.37", "21.37", ""},
		{"NaN", float, "NaN", "", "not a number"},
		{"infinity", float, "+Inf", "", "not a number"},
		{"what has no float64", float, "1e999", "", "not a number"},
		{"text for float", float, `"21"`, "", "not a number"},
		{"null for float", float, "null", "", "not a number"},
		{"nothing for float", float, "", "", "not a number"},
		{"list for float", float, "[1]", "", "not a number"},

		{"bool", format(FormatBool), "true", "true", ""},
		{"bool as 1", format(FormatBool), "1", "true", ""},
		{"bool as 0", format(FormatBool), "0", "false", ""},
		{"bool as 2", format(FormatBool), "2", "", "not true or false"},
		{"bool as text", format(FormatBool), `"true"`, "", "not true or false"},

		{"whole", percent, "50", "50", ""},
		{"whole written as float", percent, "50.0", "50", ""},
		{"true for whole", percent, "true", "1", ""},
		{"fraction", percent, "50.5", "", "not a whole number"},
		{"above the limit", percent, "101", "", "more than 100"},
		{"above the format", format(FormatUint8), "256", "", "does not fit uint8"},
		{"below the format", format(FormatUint8), "-1", "", "does not fit uint8"},
		{"uint16", format(FormatUint16), "65535", "65535", ""},
		{"above uint16", format(FormatUint16), "65536", "", "does not fit"},
		{"uint32", format(FormatUint32), "4294967295", "4294967295", ""},
		{"int", format(FormatInt), "-2147483648", "-2147483648", ""},
		{"below int", format(FormatInt), "-2147483649", "", "does not fit"},
		{"int32, as some write", format("int32"), "-5", "-5", ""},
		{"uint64", format(FormatUint64), "18446744073709551615", "18446744073709551615", ""},
		{"above uint64", format(FormatUint64), "18446744073709551616", "", "does not fit"},
		{"unknown format", format("complex"), "1", "", "unknown"},
		{"valid value", mode, "3", "3", ""},
		{"none of the valid values", mode, "2", "", "none of"},
		{"in the valid range", span, "4", "4", ""},
		{"outside of the valid range", span, "5", "", "outside of"},

		{"text", text, `"Küche"`, `"Küche"`, ""},
		{"text with escapes", text, `"K\u00fcche"`, `"Küche"`, ""},
		{"text too long", text, `"Bureau"`, "", "longer than 5"},
		{"text of 64 without a limit", format(FormatString), `"` + strings.Repeat("x", 64) + `"`, `"` + strings.Repeat("x", 64) + `"`, ""},
		{"text of 65 without a limit", format(FormatString), `"` + strings.Repeat("x", 65) + `"`, "", "longer than 64"},
		{"number for text", text, "5", "", "not a text"},
		{"true for text", text, "true", "", "not a text"},

		{"data", data, `"AQID"`, `"AQID"`, ""},
		{"no data", data, `""`, `""`, ""},
		{"too much data", data, `"AQIDBAU="`, "", "more than 4"},
		{"data that is none", data, `"@@"`, "", "not base64"},
		{"number for data", data, "5", "", "not a text"},
		{"tlv8", format(FormatTLV8), `"BgEB"`, `"BgEB"`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.meta.normalise(json.RawMessage(test.raw))
			switch {
			case test.reason == "" && (err != nil || string(got) != test.want):
				t.Errorf("got %s, error %v, want %s", got, err, test.want)
			case test.reason != "" && (err == nil || !strings.Contains(err.Error(), test.reason)):
				t.Errorf("got %s, error %v, want one with %q", got, err, test.reason)
			}
		})
	}
}

func TestCheckStep(t *testing.T) {
	tests := []struct {
		name string
		meta Characteristic
		raw  string
		ok   bool
	}{
		{"on a step", Characteristic{Format: FormatFloat, MinValue: new(7.0), MinStep: new(0.5)}, "21.5", true},
		{"beside a step", Characteristic{Format: FormatFloat, MinValue: new(7.0), MinStep: new(0.5)}, "21.3", false},
		{"steps begin at the least value", Characteristic{Format: FormatFloat, MinValue: new(0.25), MinStep: new(0.5)}, "0.75", true},
		{"a float that went through 32 bits", Characteristic{Format: FormatFloat, MinStep: new(0.1)}, "21.100000381469727", true},
		{"many steps from zero", Characteristic{Format: FormatFloat, MinStep: new(0.1)}, "99.9", true},
		{"no step", Characteristic{Format: FormatFloat}, "21.37", true},
		{"step of zero", Characteristic{Format: FormatFloat, MinStep: new(0.0)}, "21.37", true},
		{"whole steps", Characteristic{Format: FormatUint8, MinStep: new(5.0)}, "15", true},
		{"beside whole steps", Characteristic{Format: FormatUint8, MinStep: new(5.0)}, "16", false},
		{"texts have none", Characteristic{Format: FormatString, MinStep: new(5.0)}, `"x"`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.meta.checkStep(json.RawMessage(test.raw)); (err == nil) != test.ok {
				t.Errorf("error %v, want it to be right: %t", err, test.ok)
			}
		})
	}
}

func TestCheckMetadata(t *testing.T) {
	tests := []struct {
		name string
		meta Characteristic
		ok   bool
	}{
		{"plain", Characteristic{Format: FormatBool}, true},
		{"with limits", Characteristic{Format: FormatFloat, MinValue: new(5.0), MaxValue: new(30.0), MinStep: new(0.5)}, true},
		{"no format", Characteristic{}, false},
		{"strange format", Characteristic{Format: "int128"}, false},
		{"limit NaN", Characteristic{Format: FormatFloat, MinValue: new(math.NaN())}, false},
		{"limit infinite", Characteristic{Format: FormatFloat, MaxValue: new(math.Inf(1))}, false},
		{"limits crossed", Characteristic{Format: FormatFloat, MinValue: new(30.0), MaxValue: new(5.0)}, false},
		{"step backwards", Characteristic{Format: FormatFloat, MinStep: new(-1.0)}, false},
		{"half a range", Characteristic{Format: FormatUint8, ValidRange: []int64{1}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.meta.checkMetadata(); (err == nil) != test.ok {
				t.Errorf("error %v, want it to be right: %t", err, test.ok)
			}
		})
	}
}

func TestValueWriters(t *testing.T) {
	tests := []struct {
		name string
		got  json.RawMessage
		want string
	}{
		{"true", BoolValue(true), "true"},
		{"false", BoolValue(false), "false"},
		{"whole", NumberValue(3), "3"},
		{"fraction", NumberValue(-7.25), "-7.25"},
		{"small", NumberValue(1e-7), "0.0000001"},
		{"text", TextValue(`a "b" é`), `"a \"b\" é"`},
		{"broken text", TextValue("a\xff"), `"a` + "\ufffd" + `"`},
		{"data", DataValue([]byte{1, 2, 3}), `"AQID"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want, got any
			if err := json.Unmarshal(test.got, &got); err != nil {
				t.Fatalf("%s is no JSON: %v", test.got, err)
			}
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("got %s, want %s", test.got, test.want)
			}
		})
	}
	float := Characteristic{Format: FormatFloat}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got, err := float.normalise(NumberValue(v)); err == nil {
			t.Errorf("%v became %s", v, got)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	formats := []Format{FormatBool, FormatUint8, FormatUint16, FormatUint32, FormatUint64, FormatInt, FormatFloat,
		FormatString, FormatTLV8, FormatData}
	for i := range formats {
		for _, seed := range []string{"1", "-0.5", "true", `"text"`, `"AQID"`, "null", "1e999", `"\ud800"`, "18446744073709551615"} {
			f.Add(i, seed)
		}
	}
	f.Fuzz(func(t *testing.T, format int, raw string) {
		c := Characteristic{Format: formats[uint(format)%uint(len(formats))], MaxLen: 20, MaxDataLen: 20}
		normal, err := c.normalise(json.RawMessage(raw))
		if err != nil {
			return
		}
		if !json.Valid(normal) {
			t.Fatalf("%q became %q, which is no JSON", raw, normal)
		}
		again, err := c.normalise(normal)
		if err != nil || string(again) != string(normal) {
			t.Fatalf("%q became %q, then %q, error %v", raw, normal, again, err)
		}
		if c.Format != FormatData && c.Format != FormatTLV8 {
			return
		}
		text, _ := TextOf(normal)
		if data, err := base64.StdEncoding.DecodeString(text); err != nil || len(data) > 20 {
			t.Fatalf("%q became %d bytes, error %v", raw, len(data), err)
		}
	})
}
