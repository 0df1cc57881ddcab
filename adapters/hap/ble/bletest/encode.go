package bletest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// shapes are the codes of the formats and the bytes that a value has, of HAP R2 table 7-51.
var shapes = map[hap.Format]struct {
	code byte
	size int
}{
	hap.FormatBool: {0x01, 1}, hap.FormatUint8: {0x04, 1}, hap.FormatUint16: {0x06, 2}, hap.FormatUint32: {0x08, 4},
	hap.FormatUint64: {0x0a, 8}, hap.FormatInt: {0x10, 4}, hap.FormatFloat: {0x14, 4},
	hap.FormatString: {0x19, 0}, hap.FormatData: {0x1b, 0}, hap.FormatTLV8: {0x1b, 0},
}

var unitCodes = map[string]uint16{"celsius": 0x272f, "arcdegrees": 0x2763, "percentage": 0x27ad, "lux": 0x2731, "seconds": 0x2703}

var propertyBits = map[hap.Perm]uint16{
	hap.PermRead: 0x10, hap.PermWrite: 0x20, hap.PermEvents: 0x80 | 0x100 | 0x200, hap.PermTimedWrite: 0x08,
	hap.PermAuthorization: 0x04, hap.PermHidden: 0x40,
}

// signature is what the accessory says of a characteristic.
func signature(p *point) []byte {
	var bits uint16
	for _, perm := range p.Perms {
		bits |= propertyBits[perm]
	}
	if p.service.Type == hap.ServicePairing && p.Type != hap.CharacteristicPairingPairings {
		bits |= 0x03 // readable and writable without a session
	}
	presentation := []byte{shapes[p.Format].code, 0}
	unit, ok := unitCodes[p.Unit]
	if !ok {
		unit = 0x2700
	}
	presentation = binary.LittleEndian.AppendUint16(presentation, unit)
	items := hap.TLV{
		{Tag: 0x04, Value: kindBytes(p.Type)},
		{Tag: 0x07, Value: binary.LittleEndian.AppendUint16(nil, uint16(p.service.IID))},
		{Tag: 0x06, Value: kindBytes(p.service.Type)},
		{Tag: 0x0a, Value: binary.LittleEndian.AppendUint16(nil, bits)},
		{Tag: 0x0c, Value: append(presentation, 1, 0, 0)},
	}
	if p.Description != "" {
		items = append(items, hap.Item{Tag: 0x0b, Value: []byte(p.Description)})
	}
	if p.MinValue != nil && p.MaxValue != nil {
		low, _ := encode(p.Format, hap.NumberValue(*p.MinValue))
		high, _ := encode(p.Format, hap.NumberValue(*p.MaxValue))
		items = append(items, hap.Item{Tag: 0x0d, Value: append(low, high...)})
	}
	if p.MinStep != nil {
		step, _ := encode(p.Format, hap.NumberValue(*p.MinStep))
		items = append(items, hap.Item{Tag: 0x0e, Value: step})
	}
	return items.Encode()
}

func serviceSignature(s hap.Service) []byte {
	var bits uint16
	if s.Primary {
		bits |= 1
	}
	if s.Hidden {
		bits |= 2
	}
	var linked []byte
	for _, iid := range s.Linked {
		linked = binary.LittleEndian.AppendUint16(linked, uint16(iid))
	}
	return hap.TLV{{Tag: 0x0f, Value: binary.LittleEndian.AppendUint16(nil, bits)}, {Tag: 0x10, Value: linked}}.Encode()
}

// kindBytes are the sixteen bytes of a type in reverse.
func kindBytes(kind hap.UUID) []byte {
	raw, err := hex.DecodeString(strings.ReplaceAll(kind.Long(), "-", ""))
	if err != nil {
		return make([]byte, 16)
	}
	slices.Reverse(raw)
	return raw
}

func deviceBytes(id string) ([]byte, error) { return hex.DecodeString(strings.ReplaceAll(id, ":", "")) }

// encode turns a value into its bytes.
func encode(format hap.Format, value json.RawMessage) ([]byte, error) {
	shape, ok := shapes[format]
	switch {
	case !ok:
		return nil, fmt.Errorf("format %s", format)
	case len(value) == 0 || string(value) == "null":
		return make([]byte, shape.size), nil
	case format == hap.FormatString:
		text, _ := hap.TextOf(value)
		return []byte(text), nil
	case shape.size == 0:
		text, _ := hap.TextOf(value)
		if raw, err := hex.DecodeString(text); err == nil {
			return raw, nil // recorded databases write data in hexadecimal digits
		}
		return base64.StdEncoding.DecodeString(text)
	}
	number, ok := hap.NumberOf(value)
	if on, isBool := hap.BoolOf(value); isBool && format == hap.FormatBool {
		number, ok = 0, true
		if on {
			number = 1
		}
	}
	if !ok {
		return nil, fmt.Errorf("%s is no value of format %s", value, format)
	}
	if format == hap.FormatFloat {
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(number))), nil
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(int64(number)))[:shape.size], nil
}

// decode turns bytes into a value.
func decode(format hap.Format, raw []byte) (json.RawMessage, error) {
	shape, ok := shapes[format]
	if !ok || shape.size != 0 && len(raw) != shape.size {
		return nil, fmt.Errorf("%d bytes for format %s", len(raw), format)
	}
	var wide [8]byte
	copy(wide[:], raw)
	whole := binary.LittleEndian.Uint64(wide[:])
	switch format {
	case hap.FormatBool:
		return hap.BoolValue(whole != 0), nil
	case hap.FormatFloat:
		return hap.NumberValue(float64(math.Float32frombits(uint32(whole)))), nil
	case hap.FormatInt:
		return hap.NumberValue(float64(int32(whole))), nil
	case hap.FormatString:
		return hap.TextValue(string(raw)), nil
	case hap.FormatData, hap.FormatTLV8:
		return hap.DataValue(raw), nil
	}
	return hap.NumberValue(float64(whole)), nil
}
