package history

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Point is what holds in a room from an instant on. What is not known is absent; without a phase Veilleuse did not run.
type Point struct {
	At          time.Time     `json:"at"`
	Temperature gateway.Value `json:"temperature,omitzero"` // °C
	Target      gateway.Value `json:"target,omitzero"`      // °C
	Heating     gateway.Value `json:"heating,omitzero"`     // % of demand; 100 where the house knows only that it is heated
	Phase       gateway.Phase `json:"phase,omitempty"`      // who was in charge
	Drill       bool          `json:"drill,omitempty"`
}

// Until is up to when the house was seen; zero: never.
func (h *History) Until() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == 0 {
		return time.Time{}
	}
	return time.Unix(int64(h.last), 0).UTC()
}

// Points are those of a room, oldest first, from an instant on: the first one says what held then.
func (h *History) Points(id gateway.RoomID, from time.Time) []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	points := h.rooms[id]
	all := make([]Point, 0, len(points))
	for _, p := range points[before(points, seconds(from)):] {
		at := time.Unix(int64(max(p.at, seconds(from))), 0).UTC()
		all = append(all, Point{at, value(p.temperature, 100), value(p.target, 100), value(p.heating, 1), phases[p.charge%drill], p.charge >= drill})
	}
	return all
}

func value(n int16, parts float64) gateway.Value {
	if n == unknown {
		return gateway.Value{}
	}
	return gateway.Number(float64(n) / parts)
}
