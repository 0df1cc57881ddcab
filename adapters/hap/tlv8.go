package hap

import "fmt"

// Tag names one item of a pairing payload. The numbers are those of HAP R2 table 5-6; other TLV8 payloads, such as
// those of cameras and of Bluetooth LE, give them meanings of their own.
type Tag byte

// Tags of pair-setup, pair-verify and pairings (HAP R2 table 5-6).
const (
	TagMethod        Tag = 0x00
	TagIdentifier    Tag = 0x01
	TagSalt          Tag = 0x02
	TagPublicKey     Tag = 0x03
	TagProof         Tag = 0x04
	TagEncryptedData Tag = 0x05
	TagState         Tag = 0x06
	TagError         Tag = 0x07
	TagRetryDelay    Tag = 0x08 // seconds, little endian
	TagCertificate   Tag = 0x09
	TagSignature     Tag = 0x0a
	TagPermissions   Tag = 0x0b // 0 user, 1 admin
	TagFlags         Tag = 0x13
	TagSeparator     Tag = 0xff
)

// fragmentMax is the largest value that fits one fragment; a longer value goes on in the next one (HAP R2 14.1).
const fragmentMax = 255

// Item is one tagged value of any length.
type Item struct {
	Tag   Tag
	Value []byte
}

// TLV is a sequence of items in their order on the wire, separators included.
type TLV []Item

// DecodeTLV reads a TLV8 payload strictly: a cut item, a separator with a value, and two items of one tag in a row
// without a separator are errors. Values are copies.
func DecodeTLV(payload []byte) (TLV, error) {
	var items TLV
	open := false // the last fragment was full, so the next of its tag continues it
	for at := 0; at < len(payload); {
		if len(payload)-at < 2 {
			return nil, fmt.Errorf("TLV byte %d: the item ends before its length", at)
		}
		tag, size := Tag(payload[at]), int(payload[at+1])
		if len(payload)-at-2 < size {
			return nil, fmt.Errorf("TLV byte %d: the item of tag %#02x ends after %d of %d bytes", at, byte(tag),
				len(payload)-at-2, size)
		}
		value := payload[at+2 : at+2+size]
		last := len(items) - 1
		switch {
		case tag == TagSeparator && size > 0:
			return nil, fmt.Errorf("TLV byte %d: a separator holds %d bytes instead of none", at, size)
		case last < 0 || items[last].Tag != tag || tag == TagSeparator:
			items = append(items, Item{tag, append([]byte{}, value...)})
		case open:
			items[last].Value = append(items[last].Value, value...)
		default:
			return nil, fmt.Errorf("TLV byte %d: two items of tag %#02x without a separator", at, byte(tag))
		}
		open = size == fragmentMax
		at += 2 + size
	}
	return items, nil
}

// Encode writes the items in their order, cut into fragments. Two neighbours of the same tag are kept apart by a
// separator, which readers need in order to tell them from fragments.
func (t TLV) Encode() []byte {
	var out []byte
	for i, item := range t {
		if i > 0 && item.Tag == t[i-1].Tag && item.Tag != TagSeparator {
			out = append(out, byte(TagSeparator), 0)
		}
		out = appendItem(out, item)
	}
	return out
}

func appendItem(out []byte, item Item) []byte {
	value := item.Value
	for len(value) > fragmentMax {
		out = append(append(out, byte(item.Tag), fragmentMax), value[:fragmentMax]...)
		value = value[fragmentMax:]
	}
	return append(append(out, byte(item.Tag), byte(len(value))), value...)
}

// Get returns the value of the first item with this tag, and nil where there is none.
func (t TLV) Get(tag Tag) []byte {
	for _, item := range t {
		if item.Tag == tag {
			return item.Value
		}
	}
	return nil
}

// Has tells whether an item with this tag is there, be its value empty or not.
func (t TLV) Has(tag Tag) bool {
	for _, item := range t {
		if item.Tag == tag {
			return true
		}
	}
	return false
}

// Byte returns the value of the first item with this tag where it is a single byte.
func (t TLV) Byte(tag Tag) (value byte, ok bool) {
	raw := t.Get(tag)
	if len(raw) != 1 {
		return 0, false
	}
	return raw[0], true
}

// Number returns the value of the first item with this tag as a little-endian integer of one to eight bytes.
func (t TLV) Number(tag Tag) (value uint64, ok bool) {
	raw := t.Get(tag)
	if len(raw) == 0 || len(raw) > 8 {
		return 0, false
	}
	for i := len(raw) - 1; i >= 0; i-- {
		value = value<<8 | uint64(raw[i])
	}
	return value, true
}

// Split cuts a list at its separators; empty parts are left out.
func (t TLV) Split() []TLV {
	var parts []TLV
	start := 0
	for i := 0; i <= len(t); i++ {
		if i < len(t) && t[i].Tag != TagSeparator {
			continue
		}
		if i > start {
			parts = append(parts, t[start:i])
		}
		start = i + 1
	}
	return parts
}
