package history

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// MostBytes is more than Encode ever gives.
const MostBytes = 512 << 10

// mostJSON is what a file may unpack to, in bytes.
const mostJSON = 4 << 20

// file is what is saved, as compressed JSON, which carries a checksum. A point is a list: seconds since the one before, hundredths
// of °C, those of the target, % of heating, and the code of who was in charge.
type file struct {
	Form  int                            `json:"form"`
	Until uint32                         `json:"until"`
	Rooms map[gateway.RoomID][][5]uint32 `json:"rooms"`
	Days  []Day                          `json:"days"`
}

const form = 1

// Encode returns all that is remembered, for a file. There must have been a look at the house.
func (h *History) Encode() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := file{form, h.last, map[gateway.RoomID][][5]uint32{}, h.days}
	for id, all := range h.rooms {
		list := make([][5]uint32, 0, len(all))
		last := uint32(0)
		for _, p := range all {
			list = append(list, [5]uint32{p.at - last, uint32(uint16(p.temperature)), uint32(uint16(p.target)), uint32(uint16(p.heating)), uint32(p.charge)})
			last = p.at
		}
		f.Rooms[id] = list
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_ = json.NewEncoder(w).Encode(f) // numbers and names, into memory
	_ = w.Close()
	return b.Bytes()
}

var errBounds = errors.New("what stands in the saved history is out of its bounds")

// Decode reads what Encode gave. What is remembered ends where that run did: what comes next stands behind a gap.
func Decode(saved []byte) (*History, error) {
	r, err := gzip.NewReader(bytes.NewReader(saved))
	if err != nil {
		return nil, fmt.Errorf("read the saved history: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, mostJSON+1))
	var f file
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		return nil, fmt.Errorf("read the saved history: %w", err)
	}
	if f.Form != form || f.Until == 0 || len(text) > mostJSON || len(f.Rooms) > mostRooms || len(f.Days) > mostDays {
		return nil, errBounds
	}
	h := &History{rooms: map[gateway.RoomID][]point{}, days: f.Days, ended: f.Until}
	total := 0
	for id, list := range f.Rooms {
		points, ok := read(list, f.Until)
		if total += len(list); !ok || total > mostPoints {
			return nil, errBounds
		}
		h.rooms[id] = points
	}
	for i, d := range f.Days {
		if _, err := time.Parse(time.DateOnly, d.Date); err != nil || i > 0 && d.Date <= f.Days[i-1].Date || d.Bytes > 1<<62 || d.Flushes > 1<<62 {
			return nil, errBounds
		}
	}
	return h, nil
}

// read makes the points of a room, and ends them. It reports whether they can be.
func read(list [][5]uint32, until uint32) ([]point, bool) {
	all := make([]point, 0, len(list)+1)
	last := uint32(0)
	for _, n := range list {
		p := point{last + n[0], int16(uint16(n[1])), int16(uint16(n[2])), int16(uint16(n[3])), uint8(n[4])}
		if n[0] > until-last || max(n[1], n[2], n[3]) > 1<<16-1 || n[4] >= 2*drill || n[4]%drill >= uint32(len(phases)) || p.heating > 100 || p.heating < 0 && p.heating != unknown {
			return nil, false
		}
		last = p.at
		all = append(all, p)
	}
	return append(all, nothing(until)), true
}
