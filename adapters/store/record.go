package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"strconv"
)

// place is where a value lies: a bucket and a key in it.
type place struct{ bucket, key string }

// String names the place for people; a name out of a damaged file may be anything.
func (p place) String() string {
	name := p.bucket + "/" + p.key
	if quoted := strconv.Quote(name); len(quoted) > len(name)+2 {
		return quoted
	}
	return name
}

// record is one value with its age. A greater generation is the newer one, whichever place or file
// it was found in.
type record struct {
	generation uint64
	payload    []byte
}

// A stored value is
//
//	byte 0       version of this layout
//	bytes 1-4    CRC-32C over place, version, generation and payload, little endian
//	bytes 5-12   generation, little endian
//	bytes 13-    payload
//
// bbolt has no checksum of its own over its data pages: without this one, every fourth flipped bit
// gave a wrong value without any error. The place is part of the sum, so that a damaged page cannot
// pass one value off as another. Later versions keep bytes 0 to 4, so that "newer" and "damaged"
// can be told apart for ever.
const (
	recordVersion = 1
	headerSize    = 13
	maxPayload    = 8 << 20 // bytes; a house of 60 devices needs 10 000
)

var (
	errDamaged = errors.New("damaged")
	errNewer   = errors.New("written by a newer version of this program")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns the stored form of r at that place.
func (r record) encode(at place) []byte {
	data := make([]byte, headerSize, headerSize+len(r.payload))
	data[0] = recordVersion
	binary.LittleEndian.PutUint64(data[5:], r.generation)
	data = append(data, r.payload...)
	binary.LittleEndian.PutUint32(data[1:], checksum(at, data))
	return data
}

// decodeRecord reads what encode wrote at that place. The payload is a copy.
func decodeRecord(at place, data []byte) (record, error) {
	if len(data) < headerSize || len(data) > headerSize+maxPayload {
		return record{}, fmt.Errorf("%s: %w: %d bytes", at, errDamaged, len(data))
	}
	if binary.LittleEndian.Uint32(data[1:]) != checksum(at, data) {
		return record{}, fmt.Errorf("%s: %w: its checksum is wrong", at, errDamaged)
	}
	if data[0] != recordVersion {
		return record{}, fmt.Errorf("%s: %w", at, errNewer)
	}
	return record{
		generation: binary.LittleEndian.Uint64(data[5:]),
		payload:    append([]byte{}, data[headerSize:]...),
	}, nil
}

// checksum is the CRC of a stored value, its own bytes 1 to 4 left out.
func checksum(at place, data []byte) uint32 {
	sum := crc32.Update(0, castagnoli, []byte(at.bucket+"\x00"+at.key+"\x00"))
	sum = crc32.Update(sum, castagnoli, data[:1])
	return crc32.Update(sum, castagnoli, data[5:])
}

// seal stands for everything that is stored: how many values, the sum of what their headers hash to,
// and the transaction that wrote it. Checksums alone cannot tell that a value is an old one, which
// a page of the past that damage brought back would hold; the seal can.
type seal struct {
	transaction uint64
	count       uint64
	sum         uint64
}

// add takes a stored value into the seal.
func (s *seal) add(at place, data []byte) {
	h := fnv.New64a()
	h.Write([]byte(at.bucket + "\x00" + at.key + "\x00"))
	h.Write(data[:min(headerSize, len(data))])
	s.count++
	s.sum += h.Sum64()
}

func (s seal) encode() []byte {
	data := binary.LittleEndian.AppendUint64(nil, s.transaction)
	data = binary.LittleEndian.AppendUint64(data, s.count)
	return binary.LittleEndian.AppendUint64(data, s.sum)
}

func decodeSeal(data []byte) (seal, error) {
	if len(data) != 24 {
		return seal{}, fmt.Errorf("seal: %w: %d bytes", errDamaged, len(data))
	}
	return seal{
		transaction: binary.LittleEndian.Uint64(data),
		count:       binary.LittleEndian.Uint64(data[8:]),
		sum:         binary.LittleEndian.Uint64(data[16:]),
	}, nil
}
