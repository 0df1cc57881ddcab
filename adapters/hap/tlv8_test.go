package hap

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeTLV(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 300)
	full := bytes.Repeat([]byte{8}, 255)
	for _, test := range []struct {
		name string
		raw  []byte
		want TLV
	}{
		{"nothing", nil, nil},
		{"the example of HAP R2 14.1.2", []byte("\x06\x01\x03\x01\x05hello"), TLV{{TagState, []byte{3}}, {TagIdentifier, []byte("hello")}}},
		{"an empty value", []byte{0, 0}, TLV{{TagMethod, []byte{}}}},
		{"fragments become one value", append(append([]byte{3, 255}, long[:255]...), append([]byte{3, 45}, long[255:]...)...), TLV{{TagPublicKey, long}}},
		{"a full fragment ends at another tag", append(append([]byte{3, 255}, full...), 6, 1, 2), TLV{{TagPublicKey, full}, {TagState, []byte{2}}}},
		{"a full fragment may be closed by an empty one", append(append([]byte{3, 255}, full...), 3, 0), TLV{{TagPublicKey, full}}},
		{"separators keep their places", []byte{1, 1, 'a', 0xff, 0, 1, 1, 'b'}, TLV{{TagIdentifier, []byte("a")}, {TagSeparator, []byte{}}, {TagIdentifier, []byte("b")}}},
		{"separators in a row", []byte{0xff, 0, 0xff, 0}, TLV{{TagSeparator, []byte{}}, {TagSeparator, []byte{}}}},
		{"an unknown tag is kept", []byte{0x77, 1, 1}, TLV{{0x77, []byte{1}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := DecodeTLV(test.raw)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Fatalf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestDecodeTLVRefuses(t *testing.T) {
	for _, test := range []struct {
		name, raw, want string
	}{
		{"a tag alone", "\x06", "TLV byte 0: the item ends before its length"},
		{"a cut value", "\x06\x01\x01\x01\x05ab", "TLV byte 3: the item of tag 0x01 ends after 2 of 5 bytes"},
		{"a separator with a value", "\xff\x01a", "TLV byte 0: a separator holds 1 bytes instead of none"},
		{"twins", "\x01\x01a\x01\x01b", "TLV byte 3: two items of tag 0x01 without a separator"},
		{"a fragment after a short one", "\x03\xff" + strings.Repeat("a", 255) + "\x03\x01b\x03\x01c", "TLV byte 260: two items of tag 0x03 without a separator"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := DecodeTLV([]byte(test.raw)); err == nil || err.Error() != test.want {
				t.Fatalf("got %v, %v, want the error %q", got, err, test.want)
			}
		})
	}
}

func TestEncodeTLV(t *testing.T) {
	for _, size := range []int{0, 1, 254, 255, 256, 510, 511, 4000} {
		want := TLV{{TagState, []byte{1}}, {TagProof, bytes.Repeat([]byte{9}, size)}, {TagSeparator, []byte{}}, {TagProof, []byte{1}}}
		got, err := DecodeTLV(want.Encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d bytes came back as %v, %v", size, got, err)
		}
	}
	if got := (TLV{{TagProof, make([]byte, 256)}}).Encode(); len(got) != 256+4 || got[1] != 255 || got[257] != byte(TagProof) || got[258] != 1 {
		t.Errorf("256 bytes are encoded as % x", got)
	}
	twins := TLV{{TagIdentifier, []byte("a")}, {TagIdentifier, []byte("b")}}
	if got := twins.Encode(); string(got) != "\x01\x01a\xff\x00\x01\x01b" {
		t.Errorf("two items of one tag are encoded as %q, without a separator", got)
	}
}

func TestTLVAccess(t *testing.T) {
	message := TLV{{TagState, []byte{4}}, {TagRetryDelay, []byte{0x10, 0x0e}}, {TagProof, []byte{}}, {TagSalt, make([]byte, 9)}}
	if state, ok := message.Byte(TagState); !ok || state != 4 {
		t.Errorf("state %d, %t", state, ok)
	}
	if _, ok := message.Byte(TagRetryDelay); ok {
		t.Error("two bytes count as one")
	}
	if seconds, ok := message.Number(TagRetryDelay); !ok || seconds != 3600 {
		t.Errorf("delay %d, %t", seconds, ok)
	}
	for _, tag := range []Tag{TagProof, TagSalt, TagError} {
		if value, ok := message.Number(tag); ok {
			t.Errorf("tag %d counts as the number %d", tag, value)
		}
	}
	if !message.Has(TagProof) || message.Has(TagError) || message.Get(TagError) != nil {
		t.Error("an empty item or a missing one is not told apart")
	}
}

func TestTLVSplit(t *testing.T) {
	separator := Item{Tag: TagSeparator}
	a, b := Item{TagIdentifier, []byte("a")}, Item{TagIdentifier, []byte("b")}
	for _, test := range []struct {
		name string
		list TLV
		want []TLV
	}{
		{"nothing", nil, nil},
		{"one", TLV{a, b}, []TLV{{a, b}}},
		{"two", TLV{a, separator, b}, []TLV{{a}, {b}}},
		{"separators at the ends and in a row", TLV{separator, a, separator, separator, b, separator}, []TLV{{a}, {b}}},
	} {
		if got := test.list.Split(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func FuzzDecodeTLV(f *testing.F) {
	f.Add([]byte("\x06\x01\x03\x01\x05hello"))
	f.Add(append([]byte{3, 255}, make([]byte, 255)...))
	f.Add([]byte{1, 0, 0xff, 0, 1, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		items, err := DecodeTLV(raw)
		if err != nil {
			return
		}
		again, err := DecodeTLV(items.Encode())
		if err != nil || !reflect.DeepEqual(again, items) {
			t.Fatalf("% x was read as %v and came back as %v, %v", raw, items, again, err)
		}
	})
}
