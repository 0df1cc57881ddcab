package ear

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/ear/eartest"
)

func TestWaveHeaders(t *testing.T) {
	for _, w := range []Wave{{8000, 1}, {16000, 2}, {44100, 2}, {48000, 8}} {
		r := bytes.NewReader(eartest.WAV([]int16{1, 2, 3}, w.Rate, w.Channels))
		if got, err := ReadWave(r); err != nil || got != w || r.Len() != 6*w.Channels {
			t.Errorf("%+v %v, %d bytes left; want %+v", got, err, r.Len(), w)
		}
	}
	change := func(at int, value byte) []byte {
		b := eartest.WAV(nil, Rate, 1)
		b[at] = value
		return b
	}
	for want, b := range map[string][]byte{
		"cut off":          eartest.WAV(nil, Rate, 1)[:30],
		"no WAV":           change(0, 'X'),
		"format 3":         change(20, 3),
		"24 bits":          change(34, 24),
		"0 channels":       change(22, 0),
		"4000 samples":     eartest.WAV(nil, 4000, 1),
		"192000 samples":   eartest.WAV(nil, 192000, 1),
		"too long":         change(19, 0x7f),
		"before it says":   append([]byte("RIFF\x00\x00\x00\x00WAVEdata"), 0, 0, 0, 0),
		"does not end":     append([]byte("RIFF\x00\x00\x00\x00WAVE"), bytes.Repeat([]byte("LIST\x00\x00\x00\x00"), 99)...),
		"description":      []byte("RIFF\x00\x00\x00\x00WAVEfmt \x02\x00\x00\x00\x01\x00"),
		"header is cut of": nil,
	} {
		if _, err := ReadWave(bytes.NewReader(b)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A tone keeps its pitch and its level at every rate, and what lies above half of Rate does not fold down.
func TestResampling(t *testing.T) {
	for _, rate := range []int{8000, 11025, 16000, 22050, 44100, 48000} {
		for hertz, want := range map[float64]float64{3000: -23, 12900: -80} {
			if 2*hertz > float64(rate) {
				continue
			}
			samples := make([]int16, 3*rate)
			for i := range samples {
				samples[i] = int16(3277 * math.Sin(2*math.Pi*hertz*float64(i)/float64(rate)))
			}
			h, err := HearStream(bytes.NewReader(eartest.WAV(samples, rate, 2)), nil)
			if err != nil || math.Abs(h.Seconds-3) > 0.05 {
				t.Fatalf("%d: %+v %v", rate, h, err)
			}
			if want == -23 && (math.Abs(h.Tone-hertz) > binWidth || math.Abs(h.ToneLevel-want) > 1.5) || want == -80 && h.Level > -55 {
				t.Errorf("%.0f Hz at %d samples a second: %+v", hertz, rate, h)
			}
		}
	}
}

func FuzzReadWave(f *testing.F) {
	f.Add(eartest.WAV([]int16{1, 2, 3}, 44100, 2))
	f.Add(eartest.WAV(nil, 0, 0))
	f.Add([]byte("RIFF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := HearStream(bytes.NewReader(data), nil)
		if err == nil && len(h.Heard) > 0 && len(data) < Rate {
			t.Errorf("a siren in %d bytes", len(data))
		}
		if w, err := ReadWave(bytes.NewReader(data)); err == nil && (w.Rate < slowest || w.Rate > fastest || w.Channels < 1) {
			t.Errorf("%+v", w)
		}
	})
}

func TestSniffTakesBareSamples(t *testing.T) {
	w, rest, err := sniff(strings.NewReader("abcdef"))
	if all, _ := io.ReadAll(rest); err != nil || w != (Wave{Rate, 1}) || string(all) != "abcdef" {
		t.Errorf("%+v %q %v", w, all, err)
	}
}
