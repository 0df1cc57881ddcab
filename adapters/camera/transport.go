package camera

import (
	"bytes"
	"errors"
)

// An MPEG transport stream (ISO/IEC 13818-1) is read by this file alone, for little of it is needed:
// one program, of it the H.264 pictures with their times. The libraries for it would not leave room in
// the program for anything else on the smallest board.

// accessUnit is one picture of H.264 as it comes out of a stream.
type accessUnit struct {
	shown   int64    // when, in 1/90000 s; 33 bits
	decoded int64    // the same of decoding; pictures come in this order
	units   [][]byte // NAL units without start codes
	key     bool     // decoding can begin here
}

const (
	packetSize  = 188
	syncByte    = 0x47
	tableMax    = 1024 // bytes of a section of a program table (2.4.4)
	h264Stream  = 0x1b
	h265Stream  = 0x24
	noPID       = -1
	maxPictures = 2000  // in a segment; a minute at 30 a second
	maxUnits    = 20000 // in a segment
)

var (
	errNoStream  = errors.New("its stream is no MPEG transport stream")
	errNoVideo   = errors.New("there is no H.264 video in its stream")
	errH265      = errors.New("its stream is H.265, which the Home app does not take")
	errManyUnits = errors.New("a segment of its stream has too many parts")
)

// readSegment takes a segment of a transport stream apart. Each segment has the tables that are needed
// to read it (RFC 8216 3.2). The pictures share no memory with the segment.
func readSegment(segment []byte) ([]accessUnit, error) {
	if len(segment) < packetSize || segment[0] != syncByte {
		return nil, errNoStream
	}
	t := transport{tablePID: noPID, videoPID: noPID}
	for len(segment) >= packetSize {
		if segment[0] != syncByte {
			return nil, errNoStream
		}
		if err := t.packet(segment[:packetSize]); err != nil {
			return nil, err
		}
		segment = segment[packetSize:]
	}
	if err := t.endPES(); err != nil {
		return nil, err
	}
	if err := t.endPicture(); err != nil {
		return nil, err
	}
	if len(t.pictures) == 0 {
		return nil, errNoVideo
	}
	return t.pictures, nil
}

// transport is what was read of a segment so far.
type transport struct {
	programs, streams table // the two tables that lead to the video
	tablePID          int
	videoPID          int

	pes      []byte // the packet of the video that is being put together
	picture  accessUnit
	data     []byte // of the picture, as it came
	pictures []accessUnit
	units    int
}

// packet reads one packet (2.4.3.2).
func (t *transport) packet(p []byte) error {
	const failed, start, scrambled, adaptation, content = 0x80, 0x40, 0xc0, 0x20, 0x10
	pid := int(p[1]&0x1f)<<8 | int(p[2])
	begins := p[1]&start != 0
	payload := p[4:]
	if p[3]&adaptation != 0 {
		skip := 1 + int(payload[0])
		if skip > len(payload) {
			return nil
		}
		payload = payload[skip:]
	}
	if p[1]&failed != 0 || p[3]&scrambled != 0 || p[3]&content == 0 || len(payload) == 0 {
		return nil
	}
	switch pid {
	case 0:
		t.readPrograms(t.programs.add(payload, begins))
	case t.tablePID:
		return t.readStreams(t.streams.add(payload, begins))
	case t.videoPID:
		if begins {
			if err := t.endPES(); err != nil {
				return err
			}
		} else if t.pes == nil {
			return nil // its beginning was in an earlier segment
		}
		t.pes = append(t.pes, payload...)
	}
	return nil
}

// table puts a section of a program table together, which may lie in several packets.
type table struct{ data []byte }

// add takes a packet's payload and returns the section once it is whole, without its checksum: TCP has
// seen to that.
func (s *table) add(payload []byte, begins bool) []byte {
	const header, checksum = 3, 4
	if begins {
		skip := 1 + int(payload[0])
		if skip > len(payload) {
			return nil
		}
		s.data, payload = nil, payload[skip:]
	} else if s.data == nil {
		return nil
	}
	if len(s.data) > tableMax {
		return nil
	}
	s.data = append(s.data, payload...)
	if len(s.data) < header {
		return nil
	}
	size := header + (int(s.data[1]&0x0f)<<8 | int(s.data[2]))
	if len(s.data) < size || size < header+checksum {
		return nil
	}
	whole := s.data[:size-checksum]
	s.data = nil
	return whole
}

// readPrograms finds the first program in the table of programs (2.4.4.3).
func (t *transport) readPrograms(section []byte) {
	const header, entry = 8, 4
	for at := header; at+entry <= len(section); at += entry {
		if section[at] != 0 || section[at+1] != 0 { // 0: where the network describes itself
			t.tablePID = int(section[at+2]&0x1f)<<8 | int(section[at+3])
			return
		}
	}
}

// readStreams finds the video in the table of a program's streams (2.4.4.8).
func (t *transport) readStreams(section []byte) error {
	const header, entry = 12, 5
	if len(section) < header {
		return nil
	}
	at := header + (int(section[10]&0x0f)<<8 | int(section[11]))
	for at+entry <= len(section) {
		switch section[at] {
		case h264Stream:
			t.videoPID = int(section[at+1]&0x1f)<<8 | int(section[at+2])
			return nil
		case h265Stream:
			return errH265
		}
		at += entry + (int(section[at+3]&0x0f)<<8 | int(section[at+4]))
	}
	return nil
}

// endPES reads the packetised elementary stream packet that is whole now (2.4.3.6). One with a time
// begins a picture; one without goes on with the last.
func (t *transport) endPES() error {
	const header, shownToo, decodedToo = 9, 0x80, 0x40
	p := t.pes
	t.pes = nil
	if len(p) < header || !bytes.HasPrefix(p, []byte{0, 0, 1}) {
		return nil
	}
	flags, size := p[7], int(p[8])
	if len(p) < header+size {
		return nil
	}
	times, payload := p[header:header+size], p[header+size:]
	if flags&shownToo == 0 || len(times) < 5 {
		if t.data != nil { // else what it goes on with was in an earlier segment
			t.data = append(t.data, payload...)
		}
		return nil
	}
	if err := t.endPicture(); err != nil {
		return err
	}
	t.picture.shown = timestamp(times)
	t.picture.decoded = t.picture.shown
	if flags&decodedToo != 0 && len(times) >= 10 {
		t.picture.decoded = timestamp(times[5:])
	}
	t.data = payload
	return nil
}

// timestamp reads the 33 bits of a time, which lie between marker bits.
func timestamp(b []byte) int64 {
	return int64(b[0]>>1&0x07)<<30 | int64(b[1])<<22 | int64(b[2]>>1)<<15 | int64(b[3])<<7 | int64(b[4]>>1)
}

// endPicture takes the picture that is whole now.
func (t *transport) endPicture() error {
	p := t.picture
	p.units, p.key = splitUnits(t.data, maxUnits-t.units)
	t.data, t.picture = nil, accessUnit{}
	if len(p.units) == 0 {
		return nil
	}
	t.units += len(p.units)
	if len(t.pictures) >= maxPictures || t.units >= maxUnits {
		return errManyUnits
	}
	t.pictures = append(t.pictures, p)
	return nil
}

// Types of NAL units (ITU-T H.264 table 7-1).
const (
	unitIDR       = 5
	unitSPS       = 7
	unitPPS       = 8
	unitDelimiter = 9
	unitLast      = 23 // of those that a stream may hold; those above are RTP's own
	unitEnd       = 10 // this and the next two say that something ends or is filled up
	unitFiller    = 12
)

func unitType(unit []byte) byte { return unit[0] & 0x1f }

// splitUnits cuts a picture at its start codes (H.264 annex B), into so many units at most, and says
// whether decoding can begin with it. Units that only mark ends or fill up are left out.
func splitUnits(data []byte, most int) (units [][]byte, key bool) {
	code := []byte{0, 0, 1}
	at := bytes.Index(data, code)
	for at >= 0 && len(units) < most {
		data = data[at+len(code):]
		at = bytes.Index(data, code)
		unit := data
		if at >= 0 {
			unit = data[:at]
		}
		unit = bytes.TrimRight(unit, "\x00")
		if len(unit) == 0 {
			continue
		}
		kind := unitType(unit)
		if kind == 0 || kind > unitLast || kind == unitDelimiter || kind >= unitEnd && kind <= unitFiller {
			continue
		}
		key = key || kind == unitIDR
		units = append(units, unit)
	}
	return units, key
}
