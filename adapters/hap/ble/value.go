package ble

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// formats are the formats of Bluetooth's presentation descriptor (HAP R2 table 7-51) and how many bytes
// a value has; 0: any number.
var formats = map[byte]struct {
	format hap.Format
	size   int
}{
	0x01: {hap.FormatBool, 1},
	0x04: {hap.FormatUint8, 1},
	0x06: {hap.FormatUint16, 2},
	0x08: {hap.FormatUint32, 4},
	0x0a: {hap.FormatUint64, 8},
	0x10: {hap.FormatInt, 4},
	0x14: {hap.FormatFloat, 4},
	0x19: {hap.FormatString, 0},
	0x1b: {hap.FormatData, 0},
}

// units are the units of Bluetooth's presentation descriptor, by HAP's names.
var units = map[uint16]string{
	0x272f: "celsius",
	0x2763: "arcdegrees",
	0x27ad: "percentage",
	0x2731: "lux",
	0x2703: "seconds",
}

// sizeOf is how many bytes a value of the format has; 0: any number.
func sizeOf(format hap.Format) int {
	for _, f := range formats {
		if f.format == format {
			return f.size
		}
	}
	return 0
}

// decodeValue turns the bytes of a value into its JSON. More bytes than the format has are left out, as
// in a notification, which always carries eight.
func decodeValue(format hap.Format, raw []byte) (json.RawMessage, error) {
	size := sizeOf(format)
	if len(raw) < size {
		return nil, fmt.Errorf("a value of format %s has %d bytes instead of %d", format, len(raw), size)
	}
	switch format {
	case hap.FormatBool:
		return hap.BoolValue(raw[0] != 0), nil
	case hap.FormatFloat:
		number := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, fmt.Errorf("%v is not a number", number)
		}
		return hap.NumberValue(shortest(number)), nil
	case hap.FormatInt:
		return hap.NumberValue(float64(int32(binary.LittleEndian.Uint32(raw)))), nil
	case hap.FormatUint8, hap.FormatUint16, hap.FormatUint32, hap.FormatUint64:
		return strconv.AppendUint(nil, littleEndian(raw[:size]), 10), nil
	case hap.FormatString:
		return hap.TextValue(string(raw)), nil
	}
	return hap.DataValue(raw), nil
}

// shortest is the number that people mean by a 32-bit float: 21.3 and not 21.299999237060547.
func shortest(number float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(number, 'g', -1, 32), 64)
	if err != nil {
		return number
	}
	return short
}

func littleEndian(raw []byte) uint64 {
	var wide [8]byte
	copy(wide[:], raw)
	return binary.LittleEndian.Uint64(wide[:])
}

// encodeValue turns the JSON of a value into its bytes.
func encodeValue(format hap.Format, value json.RawMessage) ([]byte, error) {
	size := sizeOf(format)
	switch format {
	case hap.FormatString:
		text, ok := hap.TextOf(value)
		if !ok {
			return nil, fmt.Errorf("%.40s is not a text", value)
		}
		return []byte(text), nil
	case hap.FormatData, hap.FormatTLV8:
		text, ok := hap.TextOf(value)
		raw, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			return nil, fmt.Errorf("%.40s is not base64", value)
		}
		return raw, nil
	case hap.FormatBool:
		on, ok := hap.BoolOf(value)
		if !ok {
			return nil, fmt.Errorf("%.40s is not true or false", value)
		}
		if on {
			return []byte{1}, nil
		}
		return []byte{0}, nil
	}
	number, ok := hap.NumberOf(value)
	if !ok || size == 0 {
		return nil, fmt.Errorf("%.40s is not a value of format %s", value, format)
	}
	if format == hap.FormatFloat {
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(number))), nil
	}
	if number != math.Trunc(number) || !fits(format, number) {
		return nil, fmt.Errorf("%v is not a value of format %s", number, format)
	}
	return binary.LittleEndian.AppendUint64(nil, uint64(int64(number)))[:size], nil
}

// fits tells whether an integer format can hold a whole number.
func fits(format hap.Format, number float64) bool {
	if format == hap.FormatInt {
		return number >= math.MinInt32 && number <= math.MaxInt32
	}
	return number >= 0 && number < math.Exp2(float64(8*min(sizeOf(format), 7)))
}
