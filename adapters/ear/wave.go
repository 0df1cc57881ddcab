package ear

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Wave is what the header of a WAV stream says of its samples, which are of 16 bits.
type Wave struct {
	Rate     int // samples a second, 8000 to 48000
	Channels int // 1 to 8
}

// Bounds of what is read as a stream of sound, and of what may stand before it.
const (
	slowest      = 8000
	fastest      = 48000
	mostChannels = 8
	mostChunks   = 32
	longestChunk = 1 << 20
	pcm          = 1
	extensible   = 0xfffe
)

const wrongSound = "record with arecord -f S16_LE -r 16000 -c 1, or convert with sox IN -r 16000 -c 1 -b 16 OUT.wav"

// ReadWave reads the header of a WAV stream up to its samples. The length that a header gives is not
// believed: who writes into a pipe does not know it.
func ReadWave(r io.Reader) (Wave, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Wave{}, fmt.Errorf("the WAV header is cut off: %w", err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return Wave{}, errors.New("this is no WAV: " + wrongSound)
	}
	var w Wave
	for range mostChunks {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return Wave{}, fmt.Errorf("the WAV header is cut off: %w", err)
		}
		length := binary.LittleEndian.Uint32(chunk[4:])
		switch name := string(chunk[:4]); {
		case name == "data" && w.Rate == 0:
			return Wave{}, errors.New("the WAV has samples before it says of what rate they are")
		case name == "data":
			return w, nil
		case length > longestChunk:
			return Wave{}, fmt.Errorf("the WAV header has a part of %d bytes, which is too long", length)
		default:
			content := make([]byte, length+length%2)
			if _, err := io.ReadFull(r, content); err != nil {
				return Wave{}, fmt.Errorf("the WAV header is cut off: %w", err)
			}
			if name != "fmt " {
				continue
			}
			var err error
			if w, err = readFormat(content); err != nil {
				return Wave{}, err
			}
		}
	}
	return Wave{}, errors.New("the WAV header does not end")
}

func readFormat(b []byte) (Wave, error) {
	if len(b) < 16 {
		return Wave{}, errors.New("the WAV header is cut off in its description of the samples")
	}
	code, bits := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[14:])
	rate, channels := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint16(b[2:])
	if code == extensible && len(b) >= 26 {
		code = binary.LittleEndian.Uint16(b[24:])
	}
	switch {
	case code != pcm || bits != 16:
		return Wave{}, fmt.Errorf("the WAV has samples of %d bits in format %d, expected 16 bits in format 1: %s", bits, code, wrongSound)
	case rate < slowest || rate > fastest:
		return Wave{}, fmt.Errorf("the WAV has %d samples a second, expected %d to %d: %s", rate, slowest, fastest, wrongSound)
	case channels < 1 || channels > mostChannels:
		return Wave{}, fmt.Errorf("the WAV has %d channels, expected 1 to %d: %s", channels, mostChannels, wrongSound)
	}
	return Wave{Rate: int(rate), Channels: int(channels)}, nil
}

// sniff tells a WAV stream from bare samples, which are taken to be 16-bit mono at Rate.
func sniff(r io.Reader) (Wave, io.Reader, error) {
	head := make([]byte, 4)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Wave{}, nil, err
	}
	rest := io.MultiReader(bytes.NewReader(head[:n]), r)
	if string(head[:n]) != "RIFF" {
		return Wave{Rate: Rate, Channels: 1}, rest, nil
	}
	w, err := ReadWave(rest)
	return w, rest, err
}
