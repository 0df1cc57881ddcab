package thermal

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

const (
	tick    = 300            // s, one sample of the history and one step of the model
	perDay  = 86400 / tick   // samples in a page of the history
	pages   = 15             // the page being written and 14 whole days
	size    = 4              // bytes of a sample
	missing = math.MaxUint16 // no temperature is known
)

// history is what was seen, a sample every five minutes, a page a day. A page is a string so that a
// copy of the room can share it and two rooms can be compared.
type history struct {
	First int64       `json:"first"` // the tick of the first sample
	Pages [pages]page `json:"pages"`
}

// page holds samples of four bytes: hundredths of a kelvin above -50 °C, the heat in 1/250, the
// target in sixths of a kelvin.
type page string

// sample is what was seen in five minutes.
type sample struct {
	temperature float64 // °C, NaN: not known
	heat        float64 // 0..1
	target      float64 // °C
}

// MarshalJSON writes the samples as base64: they are any bytes, and a text in JSON is not.
func (p page) MarshalJSON() ([]byte, error) {
	return json.Marshal(base64.StdEncoding.EncodeToString([]byte(p)))
}

// UnmarshalJSON reads what MarshalJSON has written.
func (p *page) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read a day of samples: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("read a day of samples: %w", err)
	}
	if len(raw)%size != 0 || len(raw) > perDay*size {
		return errors.New("read a day of samples: it is cut off")
	}
	*p = page(raw)
	return nil
}

func (p page) full() bool { return len(p) >= perDay*size }

// end is the tick after the last sample.
func (h *history) end() int64 { return h.First + int64(h.length()) }

func (h *history) length() int {
	n := 0
	for _, p := range h.Pages {
		n += len(p) / size
	}
	return n
}

// put writes the sample of a tick; ticks left out since the last one are missing. What lies before
// the last one is dropped.
func (h *history) put(at int64, s sample) {
	if end := h.end(); end == h.First || at-end > perDay*pages {
		*h = history{First: at}
	} else if at < end {
		return
	}
	for h.end() < at {
		h.add(sample{temperature: math.NaN(), target: s.target})
	}
	h.add(s)
}

// rewind lets the history end at a tick that lies before its end: the clock was set back.
func (h *history) rewind(at int64) {
	if h.end() > at+12 {
		h.First = at - int64(h.length())
	}
}

func (h *history) add(s sample) {
	last := pages - 1
	for last > 0 && h.Pages[last] == "" {
		last--
	}
	if h.Pages[last].full() {
		if last++; last == pages {
			copy(h.Pages[:], h.Pages[1:])
			h.First += perDay
			last--
			h.Pages[last] = ""
		}
	}
	h.Pages[last] += page(s.pack())
}

func (s sample) pack() []byte {
	var b [size]byte
	t := uint16(missing)
	if s.temperature > -50 && s.temperature < 500 {
		t = uint16((s.temperature+50)*100 + 0.5)
	}
	binary.LittleEndian.PutUint16(b[:], t)
	b[2] = byte(min(max(s.heat, 0), 1)*250 + 0.5)
	b[3] = byte(min(max(s.target, 0), 42)*6 + 0.5)
	return b[:]
}

// since reads the samples from a tick on.
func (h *history) since(from int64) []sample {
	from = max(from, h.First)
	out := make([]sample, 0, max(h.end()-from, 0))
	at := h.First
	for _, p := range h.Pages {
		for i := 0; i < len(p); i += size {
			if at >= from {
				out = append(out, unpack(p[i:i+size]))
			}
			at++
		}
	}
	return out
}

func unpack(b page) sample {
	s := sample{temperature: math.NaN(), heat: float64(b[2]) / 250, target: float64(b[3]) / 6}
	if t := uint16(b[0]) | uint16(b[1])<<8; t != missing {
		s.temperature = float64(t)/100 - 50
	}
	return s
}
