package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
)

// putSum gives data the checksum of what it holds.
func putSum(at place, data []byte) {
	binary.LittleEndian.PutUint32(data[1:], checksum(at, data))
}

func valuesOf(t *testing.T, data []byte) json.RawMessage {
	var file snapshotFile
	must(t, json.Unmarshal(data, &file))
	return file.Values
}

func TestRecordIsBoundToItsPlace(t *testing.T) {
	at := place{"vault/a", "key"}
	data := record{7, []byte("value")}.encode(at)
	got, err := decodeRecord(at, data)
	if err != nil || got.generation != 7 || string(got.payload) != "value" {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, elsewhere := range []place{{"vault/a", "kez"}, {"vault/b", "key"}, {"vault/", "akey"}} {
		if _, err := decodeRecord(elsewhere, data); !errors.Is(err, errDamaged) {
			t.Errorf("the value of %s passes for that of %s", at, elsewhere)
		}
	}
}

func TestEveryFlippedBitOfARecordIsNoticed(t *testing.T) {
	at := place{"vault/a", "key"}
	whole := record{7, []byte("the value of this key")}.encode(at)
	for bit := range len(whole) * 8 {
		data := bytes.Clone(whole)
		data[bit/8] ^= 1 << (bit % 8)
		if _, err := decodeRecord(at, data); !errors.Is(err, errDamaged) {
			t.Errorf("bit %d flipped: %v", bit, err)
		}
	}
	for cut := range len(whole) {
		if _, err := decodeRecord(at, whole[:cut]); !errors.Is(err, errDamaged) {
			t.Errorf("cut to %d bytes: %v", cut, err)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	at := place{"vault/a", "key"}
	f.Add(record{1, nil}.encode(at))
	f.Add(record{1 << 60, []byte("value")}.encode(at))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(at, data)
		if err == nil && !bytes.Equal(r.encode(at), data) {
			t.Errorf("%x is read as %+v and written as %x", data, r, r.encode(at))
		}
	})
}

func FuzzUnpack(f *testing.F) {
	packed, err := pack(houseOf(2).Lasting())
	must(f, err)
	f.Add(packed)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		lasting, err := unpack(data)
		if err != nil {
			return
		}
		again, err := pack(lasting)
		must(t, err)
		back, err := unpack(again)
		if err != nil || asJSON(t, back) != asJSON(t, lasting) {
			t.Errorf("what was read does not survive being written: %v", err)
		}
	})
}

func TestSnapshotNoticesEveryFlippedBit(t *testing.T) {
	content := map[place]record{
		{"vault/a", "token"}: {3, []byte("secret")},
		{"vault/a", "empty"}: {4, []byte{}},
		statePlace:           {5, []byte("state")},
	}
	whole, err := snapshot{began, content}.encode()
	must(t, err)
	back, err := decodeSnapshot(whole)
	must(t, err)
	if len(back.content) != 3 || string(back.content[statePlace].payload) != "state" || !back.written.Equal(began) {
		t.Fatalf("%+v", back)
	}
	for bit := range len(whole) * 8 {
		data := bytes.Clone(whole)
		data[bit/8] ^= 1 << (bit % 8)
		got, err := decodeSnapshot(data)
		if err != nil {
			continue
		}
		// The names of the fields are read whatever their case; nothing else may pass.
		again, err := snapshot{got.written, got.content}.encode()
		must(t, err)
		if !bytes.Equal(again, whole) {
			t.Errorf("bit %d flipped gives %+v", bit, got)
		}
	}
}

func FuzzDecodeSnapshot(f *testing.F) {
	whole, err := snapshot{began, map[place]record{{"vault/a", "token"}: {3, []byte("secret")}}}.encode()
	must(f, err)
	f.Add(whole)
	f.Add([]byte(`{"kind":"veilleuse snapshot","version":1,"written":"2025-10-29T15:41:00Z","crc32c":"00000000","values":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeSnapshot(data)
		if err != nil {
			return
		}
		again, err := s.encode()
		if err != nil {
			return // a time in the year 10000
		}
		if _, err := decodeSnapshot(again); err != nil {
			t.Errorf("what was read does not survive being written: %v", err)
		}
	})
}
