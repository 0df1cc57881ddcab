package cameratest

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// Film is what a camera shows live: segments of an MPEG transport stream, each with its tables and
// beginning with a key picture. They are shown in turn, over and over, each for so long.
type Film struct {
	Segments [][]byte
	Each     time.Duration
}

// filmWindow is how many segments a playlist has at once.
const filmWindow = 3

// serveFilm answers the playlist and the segments of the live stream, as far as it has come by now.
func (c *Camera) serveFilm(w http.ResponseWriter, name string) {
	film := c.setup.Film
	last := int(time.Since(c.began) / film.Each)
	first := max(last-filmWindow+1, 0)
	if name == "index.m3u8" {
		w.Header().Set("Content-Type", playlistType)
		fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", max(1, int(film.Each.Seconds()+0.5)), first)
		for n := first; n <= last; n++ {
			if n > 0 && n%len(film.Segments) == 0 {
				fmt.Fprintln(w, "#EXT-X-DISCONTINUITY")
			}
			fmt.Fprintf(w, "#EXTINF:%.3f,\nsegment%d.ts\n", film.Each.Seconds(), n)
		}
		return
	}
	var n int
	if _, err := fmt.Sscanf(name, "segment%d.ts", &n); err != nil || n < first || n > last {
		errorPage(w, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "video/mp2t")
	w.Write(film.Segments[n%len(film.Segments)])
}

// Picture is one picture of H.264 with its times by the stream's clock, in 1/90000 s.
type Picture struct {
	Shown, Decoded int64
	Units          [][]byte // NAL units without start codes
}

// Units of a film that nobody decodes: the parameters are those of a real one of 1280x720, the pictures are
// not pictures, but of the right size and kind.
var (
	SPS = []byte{0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x00, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x20, 0xf1, 0x83, 0x24, 0x80}
	PPS = []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}
)

// DrawFilm makes a film of so many segments with so many pictures each, at so many a second. The first
// picture of each segment is a key picture with size bytes, the others have a tenth. Each picture has its number
// in the bytes after its type.
func DrawFilm(segments, pictures, perSecond, size int) Film {
	film := Film{Each: time.Duration(pictures) * time.Second / time.Duration(perSecond)}
	number := 0
	for range segments {
		var all []Picture
		for n := range pictures {
			clock := int64(number) * 90_000 / int64(perSecond)
			p := Picture{Shown: clock, Decoded: clock, Units: [][]byte{{0x09, 0xf0}}}
			if n == 0 {
				p.Units = append(p.Units, SPS, PPS, slice(0x65, number, size))
			} else {
				p.Units = append(p.Units, slice(0x41, number, size/10))
			}
			all = append(all, p)
			number++
		}
		film.Segments = append(film.Segments, Mux(all))
	}
	return film
}

// slice is a unit of that type with a picture's number. No byte is zero, as if it were coded.
func slice(kind byte, number, size int) []byte {
	unit := bytes.Repeat([]byte{0xa5}, max(size, 5))
	unit[0] = kind
	unit[1], unit[2] = 0x80|byte(number>>7&0x7f), 0x80|byte(number&0x7f)
	return unit
}

// Number is the number of a picture by one of its units; false: it has none.
func Number(unit []byte) (int, bool) {
	if len(unit) < 5 || unit[0] != 0x65 && unit[0] != 0x41 {
		return 0, false
	}
	return int(unit[1]&0x7f)<<7 | int(unit[2]&0x7f), true
}

// The places of things in the streams that Mux makes.
const (
	tablePID = 0x1000
	videoPID = 0x0100
	audioPID = 0x0101
)

// Mux makes a segment of a transport stream, with one packet of other things between the pictures, as real
// ones have sound there.
func Mux(pictures []Picture) []byte {
	m := &muxer{counters: map[int]byte{}}
	m.write(0, append([]byte{0}, section(0x00, []byte{0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | tablePID>>8, tablePID & 0xff})...))
	m.write(tablePID, append([]byte{0}, section(0x02, []byte{0, 1, 0xc1, 0, 0, 0xe0 | videoPID>>8, videoPID & 0xff, 0xf0, 0,
		0x0f, 0xe0 | audioPID>>8, audioPID & 0xff, 0xf0, 0, 0x1b, 0xe0 | videoPID>>8, videoPID & 0xff, 0xf0, 0})...))
	for _, p := range pictures {
		pes := []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10}
		pes = appendTime(pes, 0x30, p.Shown)
		pes = appendTime(pes, 0x10, p.Decoded)
		for _, unit := range p.Units {
			pes = append(append(pes, 0, 0, 0, 1), unit...)
		}
		m.write(videoPID, pes)
		m.write(audioPID, []byte{0, 0, 1, 0xc0, 0, 0, 0x80, 0, 0, 0xff})
	}
	return m.out
}

// section is a section of a table; its checksum is left to who reads it.
func section(kind byte, content []byte) []byte {
	size := len(content) + 4
	return append(append([]byte{kind, 0xb0 | byte(size>>8), byte(size)}, content...), 0, 0, 0, 0)
}

// appendTime writes a time between its marker bits.
func appendTime(to []byte, mark byte, clock int64) []byte {
	return append(to, mark|byte(clock>>29)&0x0e|1, byte(clock>>22), byte(clock>>14)|1, byte(clock>>7), byte(clock<<1)|1)
}

type muxer struct {
	out      []byte
	counters map[int]byte
}

// write cuts a payload into packets and fills the last one up.
func (m *muxer) write(pid int, payload []byte) {
	start := byte(0x40)
	for len(payload) > 0 {
		n := min(len(payload), 184)
		packet := []byte{0x47, start | byte(pid>>8), byte(pid), 0x10 | m.counters[pid]&0x0f}
		if fill := 184 - n; fill > 0 {
			packet[3] |= 0x20
			packet = append(packet, byte(fill-1))
			if fill > 1 {
				packet = append(packet, 0)
				packet = append(packet, bytes.Repeat([]byte{0xff}, fill-2)...)
			}
		}
		m.out = append(append(m.out, packet...), payload[:n]...)
		payload, start = payload[n:], 0
		m.counters[pid]++
	}
}
