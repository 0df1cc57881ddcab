package hap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Accessory is one device of an accessory database (HAP R2 6.3.3). Accessory, Service and Characteristic are values
// that nobody changes once they are shown.
type Accessory struct {
	AID      uint64    `json:"aid"` // 1 is the bridge or the single device itself
	Services []Service `json:"services"`
}

// Service is one function of an accessory.
type Service struct {
	IID             uint64           `json:"iid"`
	Type            UUID             `json:"type"`
	Primary         bool             `json:"primary,omitempty"`
	Hidden          bool             `json:"hidden,omitempty"`
	Linked          []uint64         `json:"linked,omitempty"` // iids of services of the same accessory
	Characteristics []Characteristic `json:"characteristics"`
}

// Characteristic is one value of a service with what may be done to it. Absent limits are nil or empty.
type Characteristic struct {
	IID         uint64
	Type        UUID
	Perms       []Perm
	Format      Format
	Unit        string // "celsius", "percentage", "arcdegrees", "lux", "seconds"
	MinValue    *float64
	MaxValue    *float64
	MinStep     *float64
	MaxLen      int // characters of a string; 0: the default of 64
	MaxDataLen  int
	ValidValues []int64
	ValidRange  []int64 // lowest and highest of the valid values
	Description string
	// Value is the JSON value as it came, and nil where there is none: a write-only characteristic, or null.
	Value json.RawMessage
}

// Perm is what a paired controller may do with a characteristic (HAP R2 table 6-4).
type Perm string

// Permissions.
const (
	PermRead          Perm = "pr"
	PermWrite         Perm = "pw"
	PermEvents        Perm = "ev"
	PermTimedWrite    Perm = "tw" // every write must be a timed one
	PermWriteResponse Perm = "wr"
	PermHidden        Perm = "hd"
	PermAuthorization Perm = "aa"
)

// Format is the kind of a characteristic's value (HAP R2 table 6-5). Devices also write "int" and "int32" for one.
type Format string

// Formats.
const (
	FormatBool   Format = "bool"
	FormatUint8  Format = "uint8"
	FormatUint16 Format = "uint16"
	FormatUint32 Format = "uint32"
	FormatUint64 Format = "uint64"
	FormatInt    Format = "int"
	FormatFloat  Format = "float"
	FormatString Format = "string"
	FormatTLV8   Format = "tlv8"
	FormatData   Format = "data"
)

// Has tells whether the characteristic has this permission.
func (c Characteristic) Has(perm Perm) bool { return slices.Contains(c.Perms, perm) }

// Find returns the first characteristic of this type.
func (s Service) Find(kind UUID) (Characteristic, bool) {
	for _, c := range s.Characteristics {
		if c.Type == kind {
			return c, true
		}
	}
	return Characteristic{}, false
}

// Find returns the first service of this type.
func (a Accessory) Find(kind UUID) (Service, bool) {
	for _, s := range a.Services {
		if s.Type == kind {
			return s, true
		}
	}
	return Service{}, false
}

// DecodeAccessories reads an accessory database: the object that HAP wants, or the bare list that some dumps hold.
func DecodeAccessories(raw []byte) ([]Accessory, error) {
	var list []Accessory
	if trimmed := bytes.TrimLeft(raw, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fmt.Errorf("read accessories: %w", err)
		}
		return list, nil
	}
	var outer struct {
		Accessories *[]Accessory `json:"accessories"`
	}
	if err := json.Unmarshal(raw, &outer); err != nil {
		return nil, fmt.Errorf("read accessories: %w", err)
	}
	if outer.Accessories == nil {
		return nil, errors.New("read accessories: the list is missing")
	}
	return *outer.Accessories, nil
}

// EncodeAccessories writes an accessory database as HAP wants it.
func EncodeAccessories(list []Accessory) ([]byte, error) {
	if list == nil {
		list = []Accessory{}
	}
	raw, err := json.Marshal(map[string][]Accessory{"accessories": list})
	if err != nil {
		return nil, fmt.Errorf("write accessories: %w", err)
	}
	return raw, nil
}

// characteristicJSON is a Characteristic on the wire.
type characteristicJSON struct {
	IID         uint64          `json:"iid"`
	Type        UUID            `json:"type"`
	Perms       []Perm          `json:"perms"`
	Format      Format          `json:"format"`
	Value       json.RawMessage `json:"value,omitempty"`
	Unit        string          `json:"unit,omitempty"`
	MinValue    *float64        `json:"minValue,omitempty"`
	MaxValue    *float64        `json:"maxValue,omitempty"`
	MinStep     *float64        `json:"minStep,omitempty"`
	StepValue   *float64        `json:"stepValue,omitempty"` // how one maker spells minStep
	MaxLen      whole           `json:"maxLen,omitempty"`
	MaxDataLen  whole           `json:"maxDataLen,omitempty"`
	ValidValues []whole         `json:"valid-values,omitempty"`
	ValidRange  []whole         `json:"valid-values-range,omitempty"`
	Description string          `json:"description,omitempty"`
}

// UnmarshalJSON reads what devices write, which is not always what HAP wants.
func (c *Characteristic) UnmarshalJSON(raw []byte) error {
	var wire characteristicJSON
	if err := json.Unmarshal(raw, &wire); err != nil {
		return err
	}
	if wire.Type == "" {
		return fmt.Errorf("characteristic %d has no type", wire.IID)
	}
	if wire.MinStep == nil {
		wire.MinStep = wire.StepValue
	}
	*c = Characteristic{
		IID: wire.IID, Type: wire.Type, Perms: orNil(wire.Perms), Format: wire.Format, Unit: wire.Unit,
		MinValue: wire.MinValue, MaxValue: wire.MaxValue, MinStep: wire.MinStep,
		MaxLen: int(wire.MaxLen), MaxDataLen: int(wire.MaxDataLen),
		ValidValues: wholes[int64](wire.ValidValues), ValidRange: wholes[int64](wire.ValidRange),
		Description: wire.Description, Value: present(wire.Value),
	}
	return nil
}

// MarshalJSON writes what HAP wants: a readable characteristic has a value, be it null.
func (c Characteristic) MarshalJSON() ([]byte, error) {
	wire := characteristicJSON{
		IID: c.IID, Type: c.Type, Perms: c.Perms, Format: c.Format, Value: c.Value, Unit: c.Unit,
		MinValue: c.MinValue, MaxValue: c.MaxValue, MinStep: c.MinStep,
		MaxLen: whole(c.MaxLen), MaxDataLen: whole(c.MaxDataLen),
		ValidValues: wholes[whole](c.ValidValues), ValidRange: wholes[whole](c.ValidRange),
		Description: c.Description,
	}
	if wire.Perms == nil {
		wire.Perms = []Perm{}
	}
	if wire.Value == nil && c.Has(PermRead) {
		wire.Value = json.RawMessage("null")
	}
	return json.Marshal(wire)
}

// UnmarshalJSON reads what devices write: flags may be 0 and 1.
func (s *Service) UnmarshalJSON(raw []byte) error {
	var wire struct {
		IID             uint64           `json:"iid"`
		Type            UUID             `json:"type"`
		Primary         json.RawMessage  `json:"primary"`
		Hidden          json.RawMessage  `json:"hidden"`
		Linked          []uint64         `json:"linked"`
		Characteristics []Characteristic `json:"characteristics"`
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return err
	}
	if wire.Type == "" {
		return fmt.Errorf("service %d has no type", wire.IID)
	}
	primary, _ := BoolOf(wire.Primary)
	hidden, _ := BoolOf(wire.Hidden)
	*s = Service{wire.IID, wire.Type, primary, hidden, orNil(wire.Linked), orNil(wire.Characteristics)}
	return nil
}

// whole is an integer that devices may write as 3 or 3.0.
type whole int64

// UnmarshalJSON takes a whole number in any of the ways in which accessories write one.
func (w *whole) UnmarshalJSON(raw []byte) error {
	number, ok := NumberOf(raw)
	if !ok || number != float64(int64(number)) {
		return fmt.Errorf("%.40s is not a whole number", raw)
	}
	*w = whole(number)
	return nil
}

func wholes[To, From ~int64](list []From) []To {
	var out []To
	for _, number := range list {
		out = append(out, To(number))
	}
	return out
}

// orNil makes an empty list the same as a missing one.
func orNil[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// present is nil for a value that is null or not there.
func present(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	return raw
}

// BoolOf reads a value of format bool, which devices write as true and false or as 1 and 0.
func BoolOf(raw json.RawMessage) (value, ok bool) {
	switch string(raw) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// NumberOf reads a numeric value; true and false count as 1 and 0.
func NumberOf(raw json.RawMessage) (value float64, ok bool) {
	if on, ok := BoolOf(raw); ok {
		if on {
			value = 1
		}
		return value, true
	}
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false // keeps out "NaN" and "Inf", which ParseFloat takes
	}
	value, err := strconv.ParseFloat(string(raw), 64)
	return value, err == nil
}

// TextOf reads a value of format string.
func TextOf(raw json.RawMessage) (value string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return value, json.Unmarshal(raw, &value) == nil
}
