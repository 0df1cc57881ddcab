package hap

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Defaults of HAP R2 table 6-3.
const (
	maxLenDefault     = 64      // characters
	maxDataLenDefault = 2097152 // bytes
)

// stepTolerance is how far a number may be from its step, in steps: values travel through 32-bit floats.
const stepTolerance = 1e-3

// BoolValue writes a value of format bool.
func BoolValue(on bool) json.RawMessage {
	return strconv.AppendBool(nil, on)
}

// NumberValue writes a value of a numeric format. NaN and infinities have no JSON; the server refuses what comes of them.
func NumberValue(number float64) json.RawMessage {
	return strconv.AppendFloat(nil, number, 'f', -1, 64)
}

// TextValue writes a value of format string; bytes that are not UTF-8 become U+FFFD.
func TextValue(text string) json.RawMessage {
	raw, err := json.Marshal(text)
	if err != nil {
		return nil // a string always has its JSON
	}
	return raw
}

// DataValue writes a value of format data or tlv8.
func DataValue(data []byte) json.RawMessage {
	return json.RawMessage(`"` + base64.StdEncoding.EncodeToString(data) + `"`)
}

// integerRange is what each integer format can hold.
func integerRange(format Format) (low, high float64, ok bool) {
	switch format {
	case FormatUint8:
		return 0, math.MaxUint8, true
	case FormatUint16:
		return 0, math.MaxUint16, true
	case FormatUint32:
		return 0, math.MaxUint32, true
	case FormatUint64:
		return 0, 1 << 53, true // what a float64 holds exactly; larger ones are read as integers
	case FormatInt, "int32":
		return math.MinInt32, math.MaxInt32, true
	}
	return 0, 0, false
}

// normalise brings a value into its one form, so that equal values have equal bytes, or says why it cannot be a value
// of this characteristic. Nothing is ever cut or clamped.
func (c *Characteristic) normalise(raw json.RawMessage) (json.RawMessage, error) {
	switch c.Format {
	case FormatBool:
		on, ok := BoolOf(raw)
		if !ok {
			return nil, fmt.Errorf("%.40s is not true or false", raw)
		}
		return BoolValue(on), nil
	case FormatString:
		return c.normaliseText(raw)
	case FormatTLV8, FormatData:
		return c.normaliseData(raw)
	case FormatFloat:
		number, ok := NumberOf(raw)
		if !ok || math.IsInf(number, 0) {
			return nil, fmt.Errorf("%.40s is not a number", raw)
		}
		return NumberValue(number + 0), c.checkRange(number) // + 0 turns -0 into 0
	}
	return c.normaliseInteger(raw)
}

func (c *Characteristic) normaliseInteger(raw json.RawMessage) (json.RawMessage, error) {
	low, high, ok := integerRange(c.Format)
	if !ok {
		return nil, fmt.Errorf("format %q is unknown", c.Format)
	}
	if number, err := strconv.ParseUint(string(raw), 10, 64); err == nil && c.Format == FormatUint64 {
		// Beyond 2^53 a float64 would not hold it.
		return strconv.AppendUint(nil, number, 10), c.checkRange(float64(number))
	}
	number, ok := NumberOf(raw)
	if !ok || number != math.Trunc(number) {
		return nil, fmt.Errorf("%.40s is not a whole number", raw)
	}
	if number < low || number > high {
		return nil, fmt.Errorf("%.40s does not fit %s", raw, c.Format)
	}
	return NumberValue(number + 0), c.checkRange(number)
}

func (c *Characteristic) normaliseText(raw json.RawMessage) (json.RawMessage, error) {
	text, ok := TextOf(raw)
	if !ok {
		return nil, fmt.Errorf("%.40s is not a text", raw)
	}
	limit := c.MaxLen
	if limit == 0 {
		limit = maxLenDefault
	}
	if length := utf8.RuneCountInString(text); length > limit {
		return nil, fmt.Errorf("a text of %d characters is longer than %d", length, limit)
	}
	return TextValue(text), nil
}

func (c *Characteristic) normaliseData(raw json.RawMessage) (json.RawMessage, error) {
	text, ok := TextOf(raw)
	if !ok {
		return nil, fmt.Errorf("%.40s is not a text of base64", raw)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%.40s is not base64: %w", raw, err)
	}
	limit := c.MaxDataLen
	if limit == 0 {
		limit = maxDataLenDefault
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%d bytes are more than %d", len(data), limit)
	}
	return DataValue(data), nil
}

// checkRange holds a number against the limits of the characteristic.
func (c *Characteristic) checkRange(number float64) error {
	if c.MinValue != nil && number < *c.MinValue {
		return fmt.Errorf("%v is less than %v", number, *c.MinValue)
	}
	if c.MaxValue != nil && number > *c.MaxValue {
		return fmt.Errorf("%v is more than %v", number, *c.MaxValue)
	}
	if c.Format == FormatFloat {
		return nil
	}
	if len(c.ValidValues) > 0 && !slices.ContainsFunc(c.ValidValues, func(v int64) bool { return float64(v) == number }) {
		return fmt.Errorf("%v is none of %v", number, c.ValidValues)
	}
	if len(c.ValidRange) == 2 && (number < float64(c.ValidRange[0]) || number > float64(c.ValidRange[1])) {
		return fmt.Errorf("%v is outside of %v", number, c.ValidRange)
	}
	return nil
}

// checkStep holds a number that somebody wishes for against the step. Readings need not pass it: what a device
// measures may lie between two steps.
func (c *Characteristic) checkStep(normal json.RawMessage) error {
	number, ok := NumberOf(normal)
	if !ok || c.Format == FormatBool || c.MinStep == nil || *c.MinStep == 0 {
		return nil
	}
	start := 0.0
	if c.MinValue != nil {
		start = *c.MinValue
	}
	steps := (number - start) / *c.MinStep
	if math.Abs(steps-math.Round(steps)) > stepTolerance {
		return fmt.Errorf("%v is not in steps of %v from %v", number, *c.MinStep, start)
	}
	return nil
}

// checkMetadata finds limits that no value could keep.
func (c *Characteristic) checkMetadata() error {
	_, _, integer := integerRange(c.Format)
	known := []Format{FormatBool, FormatFloat, FormatString, FormatTLV8, FormatData}
	if !integer && !slices.Contains(known, c.Format) {
		return fmt.Errorf("format %q is unknown", c.Format)
	}
	for _, limit := range []*float64{c.MinValue, c.MaxValue, c.MinStep} {
		if limit != nil && (math.IsNaN(*limit) || math.IsInf(*limit, 0)) {
			return fmt.Errorf("limit %v is not a number", *limit)
		}
	}
	if c.MinValue != nil && c.MaxValue != nil && *c.MinValue > *c.MaxValue {
		return fmt.Errorf("the least value %v is above the greatest %v", *c.MinValue, *c.MaxValue)
	}
	if c.MinStep != nil && *c.MinStep < 0 {
		return errors.New("the step is negative")
	}
	if len(c.ValidRange) != 0 && len(c.ValidRange) != 2 {
		return errors.New("the range of valid values has not two ends")
	}
	return nil
}
