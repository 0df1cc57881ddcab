package camera

import (
	"bytes"
	"errors"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
)

func TestReadSegment(t *testing.T) {
	film := cameratest.DrawFilm(2, 25, 25, 30_000)
	for n, data := range film.Segments {
		pictures, err := readSegment(data)
		if err != nil {
			t.Fatal(err)
		}
		if len(pictures) != 25 {
			t.Fatalf("segment %d has %d pictures", n, len(pictures))
		}
		for i, p := range pictures {
			last := p.units[len(p.units)-1]
			if number, ok := cameratest.Number(last); !ok || number != 25*n+i {
				t.Errorf("picture %d of segment %d is number %d", i, n, number)
			}
			if want := int64(25*n+i) * 3600; p.shown != want || p.decoded != want {
				t.Errorf("picture %d of segment %d is shown at %d, decoded at %d", i, n, p.shown, p.decoded)
			}
			wantUnits, wantSize := 1, 3_000
			if i == 0 {
				wantUnits, wantSize = 3, 30_000 // the delimiter is left out
			}
			if len(p.units) != wantUnits || len(last) != wantSize || p.key != (i == 0) {
				t.Errorf("picture %d of segment %d has %d units, the last of %d bytes, key: %t", i, n, len(p.units), len(last), p.key)
			}
		}
	}
}

func TestReadSegmentTimes(t *testing.T) {
	const end = 1 << 33
	for _, c := range []cameratest.Picture{{Shown: 0, Decoded: 0}, {Shown: 9000, Decoded: 5400}, {Shown: end - 1, Decoded: end - 3600}, {Shown: 1 << 32, Decoded: 1<<32 - 1}} {
		c.Units = [][]byte{{0x65, 1, 2, 3}}
		pictures, err := readSegment(cameratest.Mux([]cameratest.Picture{c}))
		if err != nil || len(pictures) != 1 || pictures[0].shown != c.Shown || pictures[0].decoded != c.Decoded {
			t.Errorf("%+v was read as %+v, %v", c, pictures, err)
		}
	}
}

func TestReadSegmentRefuses(t *testing.T) {
	whole := cameratest.DrawFilm(1, 3, 25, 1000).Segments[0]
	h265 := bytes.Replace(whole, []byte{0x1b, 0xe1}, []byte{0x24, 0xe1}, 1)
	sound := bytes.Replace(whole, []byte{0x1b, 0xe1}, []byte{0x03, 0xe1}, 1)
	slipped := bytes.Clone(whole)
	slipped[2*packetSize] = 0
	var many []cameratest.Picture
	for range maxPictures + 1 {
		many = append(many, cameratest.Picture{Units: [][]byte{{0x41, 1}}})
	}
	parts := cameratest.Picture{Units: make([][]byte, maxUnits+1)}
	for i := range parts.Units {
		parts.Units[i] = []byte{0x41}
	}
	for name, c := range map[string]struct {
		segment []byte
		want    error
	}{
		"nothing":          {nil, errNoStream},
		"a web page":       {bytes.Repeat([]byte("<html>"), 100), errNoStream},
		"a slip":           {slipped, errNoStream},
		"H.265":            {h265, errH265},
		"sound alone":      {sound, errNoVideo},
		"without tables":   {whole[2*packetSize:], errNoVideo},
		"too many":         {cameratest.Mux(many), errManyUnits},
		"too many parts":   {cameratest.Mux([]cameratest.Picture{parts}), errManyUnits},
		"an empty picture": {cameratest.Mux([]cameratest.Picture{{Units: [][]byte{{0x09, 0xf0}}}}), errNoVideo},
	} {
		if pictures, err := readSegment(c.segment); !errors.Is(err, c.want) {
			t.Errorf("%s: %d pictures, %v", name, len(pictures), err)
		}
	}
}

// A picture may lie in several packets of which only the first has a time.
func TestReadSegmentJoinsPieces(t *testing.T) {
	picture := cameratest.Picture{Shown: 3600, Decoded: 3600, Units: [][]byte{append([]byte{0x65}, bytes.Repeat([]byte{7}, 2000)...)}}
	data := cameratest.Mux([]cameratest.Picture{picture})
	// The 6th packet of the picture becomes the beginning of a piece without times.
	at := (2 + 5) * packetSize
	data[at+1] |= 0x40
	copy(data[at+4:], []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0})
	pictures, err := readSegment(data)
	if err != nil || len(pictures) != 1 || len(pictures[0].units) != 1 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	if got := len(pictures[0].units[0]); got != 2001-9 { // the header took the place of nine bytes
		t.Errorf("the unit has %d bytes", got)
	}
}

func FuzzReadSegment(f *testing.F) {
	f.Add(cameratest.DrawFilm(1, 3, 25, 400).Segments[0])
	f.Add(bytes.Repeat([]byte{syncByte}, 3*packetSize))
	f.Fuzz(func(t *testing.T, data []byte) {
		pictures, err := readSegment(data)
		if err != nil {
			return
		}
		bytes := 0
		for _, p := range pictures {
			if len(p.units) == 0 {
				t.Error("a picture without units")
			}
			for _, unit := range p.units {
				bytes += len(unit)
			}
		}
		if len(pictures) > maxPictures || bytes > len(data) {
			t.Errorf("%d pictures of %d bytes out of %d", len(pictures), bytes, len(data))
		}
	})
}
