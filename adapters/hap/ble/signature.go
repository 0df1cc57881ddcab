package ble

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// signature is what an accessory says of one characteristic (HAP R2 7.3.4.1).
type signature struct {
	hap.Characteristic
	service     uint64 // instance id
	serviceKind hap.UUID
	away        bool // its changes move the state number while nobody is connected
	broadcasts  bool // it can tell its changes by notifications
}

// properties says which permission each bit of a characteristic's properties gives. Reads and writes
// that need no session are those of pairing.
var properties = []struct {
	bit  uint16
	perm hap.Perm
}{
	{propertySecureRead, hap.PermRead},
	{propertySecureWrite, hap.PermWrite},
	{propertyEvents, hap.PermEvents},
	{propertyTimedWrite, hap.PermTimedWrite},
	{propertyAuthorised, hap.PermAuthorization},
	{propertyHidden, hap.PermHidden},
}

// decodeSignature reads the body of the answer to a signature request.
func decodeSignature(iid uint64, body []byte) (signature, error) {
	items, err := hap.DecodeTLV(body)
	if err != nil {
		return signature{}, fmt.Errorf("signature of characteristic %d: %w", iid, err)
	}
	s := signature{Characteristic: hap.Characteristic{IID: iid, Description: string(items.Get(paramDescription))}}
	if s.Type, err = kindOf(items.Get(paramKind)); err != nil {
		return signature{}, fmt.Errorf("signature of characteristic %d: %w", iid, err)
	}
	if s.serviceKind, err = kindOf(items.Get(paramServiceKind)); err != nil {
		return signature{}, fmt.Errorf("signature of characteristic %d: service: %w", iid, err)
	}
	s.service, _ = items.Number(paramServiceID)
	bits, _ := items.Number(paramProperties)
	for _, p := range properties {
		if uint16(bits)&p.bit != 0 {
			s.Perms = append(s.Perms, p.perm)
		}
	}
	s.away, s.broadcasts = bits&propertyEventsAway != 0, bits&propertyBroadcasts != 0
	s.setPresentation(items.Get(paramPresentation))
	s.setLimits(items)
	return s, nil
}

// kindOf reads a type, whose sixteen bytes come in reverse.
func kindOf(raw []byte) (hap.UUID, error) {
	if len(raw) != 16 {
		return "", fmt.Errorf("a type has %d bytes instead of 16", len(raw))
	}
	b := slices.Clone(raw)
	slices.Reverse(b)
	return hap.ParseUUID(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

// setPresentation reads the format and unit of the value. Characteristics of a maker's own may have
// none that is known (home-assistant/core#76104); their values are bytes.
func (s *signature) setPresentation(raw []byte) {
	s.Format = hap.FormatData
	if len(raw) < 4 {
		return
	}
	if known, ok := formats[raw[0]]; ok {
		s.Format, s.Unit = known.format, units[binary.LittleEndian.Uint16(raw[2:])]
	}
}

// setLimits reads the range, the step and the valid values of numbers.
func (s *signature) setLimits(items hap.TLV) {
	size := sizeOf(s.Format)
	if size == 0 || s.Format == hap.FormatBool {
		return
	}
	if raw := items.Get(paramRange); len(raw) == 2*size {
		low, high := s.limit(raw[:size]), s.limit(raw[size:])
		s.MinValue, s.MaxValue = low, high
	}
	if raw := items.Get(paramStep); len(raw) == size {
		if step := s.limit(raw); step != nil && *step != 0 {
			s.MinStep = step
		}
	}
	for _, v := range items.Get(paramValidValues) {
		s.ValidValues = append(s.ValidValues, int64(v))
	}
	if raw := items.Get(paramValidRange); len(raw) == 2 {
		s.ValidRange = []int64{int64(raw[0]), int64(raw[1])}
	}
}

func (s *signature) limit(raw []byte) *float64 {
	value, err := decodeValue(s.Format, raw)
	if err != nil {
		return nil
	}
	number, ok := hap.NumberOf(value)
	if !ok {
		return nil
	}
	return &number
}

// decodeService reads what an accessory says of one service (HAP R2 7.3.4.13).
func decodeService(body []byte) (primary, hidden bool, linked []uint64, err error) {
	items, err := hap.DecodeTLV(body)
	if err != nil {
		return false, false, nil, fmt.Errorf("service signature: %w", err)
	}
	bits, _ := items.Number(paramServiceProperties)
	raw := items.Get(paramLinked)
	for i := 0; i+1 < len(raw); i += 2 {
		linked = append(linked, uint64(binary.LittleEndian.Uint16(raw[i:])))
	}
	return bits&servicePrimary != 0, bits&serviceHidden != 0, linked, nil
}
