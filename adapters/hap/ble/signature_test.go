package ble

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// temperature is what a thermostat says of its target, as captured fields of HAP R2 7.3.4.2 would be.
func temperature() hap.TLV {
	kind := []byte{0x91, 0x52, 0x76, 0xbb, 0x26, 0x00, 0x00, 0x80, 0x00, 0x10, 0x00, 0x00, 0x35, 0x00, 0x00, 0x00}
	service := slices.Clone(kind)
	service[12] = 0x4a
	return hap.TLV{
		{Tag: paramKind, Value: kind},
		{Tag: paramServiceID, Value: []byte{0x10, 0x01}},
		{Tag: paramServiceKind, Value: service},
		{Tag: paramProperties, Value: []byte{0xb0, 0x03}},
		{Tag: paramPresentation, Value: []byte{0x14, 0, 0x2f, 0x27, 1, 0, 0}},
		{Tag: paramRange, Value: []byte{0, 0, 0xe0, 0x40, 0, 0, 0xf0, 0x41}}, // 7 and 30
		{Tag: paramStep, Value: []byte{0, 0, 0, 0x3f}},
	}
}

func TestDecodeSignature(t *testing.T) {
	s, err := decodeSignature(12, temperature().Encode())
	if err != nil {
		t.Fatal(err)
	}
	if s.Type != hap.CharacteristicTargetTemperature || s.serviceKind != hap.ServiceThermostat || s.service != 0x110 || s.IID != 12 {
		t.Errorf("it is %s of service %d %s", s.Type, s.service, s.serviceKind)
	}
	if s.Format != hap.FormatFloat || s.Unit != "celsius" || *s.MinValue != 7 || *s.MaxValue != 30 || *s.MinStep != 0.5 {
		t.Errorf("format %s, unit %s, %v to %v in steps of %v", s.Format, s.Unit, *s.MinValue, *s.MaxValue, *s.MinStep)
	}
	if want := []hap.Perm{hap.PermRead, hap.PermWrite, hap.PermEvents}; !slices.Equal(s.Perms, want) || !s.away || !s.broadcasts {
		t.Errorf("permissions %v, away %v, broadcasts %v", s.Perms, s.away, s.broadcasts)
	}
}

func TestDecodeSignatureRefuses(t *testing.T) {
	for name, change := range map[string]func(hap.TLV) hap.TLV{
		"no type":    func(t hap.TLV) hap.TLV { return t[1:] },
		"a cut type": func(t hap.TLV) hap.TLV { t[0].Value = t[0].Value[:4]; return t },
		"no service": func(t hap.TLV) hap.TLV { return append(t[:2:2], t[3:]...) },
	} {
		if s, err := decodeSignature(12, change(temperature()).Encode()); err == nil {
			t.Errorf("%s gives %+v", name, s)
		}
	}
	if _, err := decodeSignature(12, []byte{1}); err == nil {
		t.Error("what is no TLV is taken for a signature")
	}
}

func TestSignatureWithoutAKnownFormatIsOfBytes(t *testing.T) {
	for name, change := range map[string]func(hap.TLV) hap.TLV{
		"none":       func(t hap.TLV) hap.TLV { return append(t[:4:4], t[5:]...) },
		"an unknown": func(t hap.TLV) hap.TLV { t[4].Value[0] = 0x77; return t },
	} {
		s, err := decodeSignature(12, change(temperature()).Encode())
		if err != nil || s.Format != hap.FormatData || s.MinValue != nil {
			t.Errorf("%s: %+v (%v)", name, s, err)
		}
	}
}

func FuzzSignature(f *testing.F) {
	f.Add(temperature().Encode())
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := decodeSignature(1, body)
		if err == nil && (s.Type == "" || s.Format == "") {
			t.Fatalf("a signature without type or format: %+v", s)
		}
		_, _, _, _ = decodeService(body)
	})
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		format hap.Format
		value  string
		raw    []byte
	}{
		{hap.FormatBool, "true", []byte{1}},
		{hap.FormatUint8, "200", []byte{200}},
		{hap.FormatUint16, "515", []byte{3, 2}},
		{hap.FormatUint32, "4294967295", []byte{255, 255, 255, 255}},
		{hap.FormatUint64, "72057594037927936", []byte{0, 0, 0, 0, 0, 0, 0, 1}},
		{hap.FormatInt, "-2", []byte{254, 255, 255, 255}},
		{hap.FormatFloat, "21.3", []byte{0x66, 0x66, 0xaa, 0x41}},
		{hap.FormatString, `"é"`, []byte{0xc3, 0xa9}},
		{hap.FormatData, `"AQI="`, []byte{1, 2}},
	} {
		got, err := decodeValue(c.format, c.raw)
		if err != nil || string(got) != c.value {
			t.Errorf("%s: %x is %s (%v), want %s", c.format, c.raw, got, err, c.value)
		}
		if c.format == hap.FormatUint64 {
			continue // larger than what JSON numbers hold exactly on their way out
		}
		if raw, err := encodeValue(c.format, json.RawMessage(c.value)); err != nil || string(raw) != string(c.raw) {
			t.Errorf("%s: %s is %x (%v), want %x", c.format, c.value, raw, err, c.raw)
		}
	}
}

func TestValuesThatAreNone(t *testing.T) {
	for _, c := range []struct {
		format hap.Format
		value  string
	}{
		{hap.FormatBool, `"on"`}, {hap.FormatUint8, "256"}, {hap.FormatUint8, "-1"}, {hap.FormatUint8, "1.5"},
		{hap.FormatInt, "3000000000"}, {hap.FormatFloat, `"warm"`}, {hap.FormatString, "5"}, {hap.FormatData, `"?"`}, {"odd", "1"},
	} {
		if raw, err := encodeValue(c.format, json.RawMessage(c.value)); err == nil {
			t.Errorf("%s: %s becomes %x", c.format, c.value, raw)
		}
	}
	for format, raw := range map[hap.Format][]byte{hap.FormatUint16: {1}, hap.FormatFloat: {0, 0, 0xc0, 0x7f}, hap.FormatBool: {}} {
		if value, err := decodeValue(format, raw); err == nil {
			t.Errorf("%s: %x becomes %s", format, raw, value)
		}
	}
}
