// Package history remembers the last 48 h of a house in memory: how warm each room was, how warm it ought to have been, whether
// it was heated, and who was in charge.
//
// A value holds from its point until the next one. What was not seen is a point that says nothing: while Veilleuse did not run, or
// while a thermometer was silent, there is a gap and no value. The whole has a bound, however many rooms there are and whatever
// they do: more rooms get fewer points each.
package history

import (
	"math"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Bounds of what is remembered.
const (
	Length = 48 * time.Hour // how far back it goes

	mostPoints = 22_000 // of all rooms together, 12 bytes each
	mostRooms  = 200
	mostDays   = 30
	growth     = 16 // points by which a room's list grows, so that little lies idle
)

// Rhythms of sampling, in the time of the house.
const (
	Every    = 2 * time.Minute  // the least time between two points of a room, but where another is in charge
	oldAfter = time.Hour        // a temperature older than this says nothing about now, as in the journal of outages
	stepped  = 30 * time.Second // by how much the wall clock must differ from the time that passed to have been set
)

// What is worth a point.
const (
	warmer = 10 // hundredths of °C
	hotter = 5  // % of demand
)

// History is what is remembered. Its zero value remembers nothing yet. All methods may be called from any goroutine.
type History struct {
	mu    sync.Mutex
	rooms map[gateway.RoomID][]point // oldest first
	days  []Day                      // what was written, oldest first

	begun   uint32        // when this run began; 0: nothing was seen in it
	seen    time.Time     // the last look at the house
	last    uint32        // the same as a stamp: no other is later
	sampled time.Time     // the last look at its rooms
	charge  uint8         // who was in charge then
	ended   uint32        // when the run before ended that was read from a file
	behind  time.Duration // by how much stamps of earlier runs were moved back, because the clock stood behind them

	bytes, flushes uint64    // what has been counted of this run's writes,
	counted        time.Time // and until when
}

// point is what holds in a room from an instant on.
type point struct {
	at          uint32 // seconds since 1970
	temperature int16  // hundredths of °C
	target      int16  // the same
	heating     int16  // %
	charge      uint8  // a code of phases, and drill
}

// unknown stands for a number that nobody knows.
const unknown = -1 << 15

// phases are who is in charge, by their code. 0: not known. In a drill, drill is added.
var phases = [...]gateway.Phase{"", gateway.Watching, gateway.Suspect, gateway.Local, gateway.Returning}

const drill = 8

func codeOf(a gateway.Authority) uint8 {
	for code, phase := range phases {
		if code > 0 && phase == a.Phase {
			if a.Drill {
				code += drill
			}
			return uint8(code)
		}
	}
	return 0
}

// Observe looks at a State. It looks at the rooms when their pace is due or another is in charge; else it costs next to nothing.
// now is the time of the house; if it has a monotonic reading, a clock that was set is told from time that passed.
func (h *History) Observe(s gateway.State, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keepTime(now)
	h.last = max(h.last, seconds(now)) // a clock that is only slowed down does not make stamps go back
	charge := codeOf(s.Authority)
	if passed := now.Sub(h.sampled); charge == h.charge && !h.sampled.IsZero() && passed >= 0 && passed < h.pace() {
		return
	}
	h.sampled, h.charge = now, charge
	h.sample(s, now)
}

// pace is the time between two looks at the rooms: as long as it takes that none of them needs more points than it may have.
func (h *History) pace() time.Duration {
	return max(Every, Length/time.Duration(h.share()))
}

// share is how many points a room may have.
func (h *History) share() int { return min(int(Length/Every), mostPoints/max(1, len(h.rooms))) }

func (h *History) sample(s gateway.State, now time.Time) {
	if h.rooms == nil {
		h.rooms = map[gateway.RoomID][]point{}
	}
	for id, r := range s.Rooms.All() {
		if _, known := h.rooms[id]; known || len(h.rooms) < mostRooms {
			h.add(id, h.pointOf(r, now))
		}
	}
	for id := range h.rooms {
		if _, there := s.Rooms.Get(id); !there {
			h.add(id, nothing(h.last))
		}
		h.forget(id)
	}
}

// pointOf is how a room is now.
func (h *History) pointOf(r gateway.Room, now time.Time) point {
	p := nothing(h.last)
	p.charge = h.charge
	if now.Sub(r.Temperature.At) <= oldAfter {
		p.temperature = rounded(r.Temperature.Value, 100)
	}
	p.target = rounded(r.Target.Value, 100)
	switch p.heating = rounded(r.Heating, 1); {
	case r.Heating == gateway.Flag(true):
		p.heating = 100
	case p.heating != unknown:
		p.heating = min(max(p.heating, 0), 100)
	}
	return p
}

// rounded is a number in parts of its unit; one that cannot be is not known.
func rounded(v gateway.Value, parts float64) int16 {
	n, known := v.Number()
	if !known || n < -100 || n > 300 {
		return unknown
	}
	return int16(math.Round(n * parts))
}

func nothing(at uint32) point { return point{at, unknown, unknown, unknown, 0} }

// add appends a point if it says something else than the last one.
func (h *History) add(id gateway.RoomID, p point) {
	all := h.rooms[id]
	last := nothing(0)
	if len(all) > 0 {
		last = all[len(all)-1]
	}
	switch {
	case alike(last, p):
		return
	case last.at == p.at:
		all[len(all)-1] = p
		return
	case len(all) == cap(all):
		all = resized(all)
	}
	h.rooms[id] = append(all, p)
}

func resized(all []point) []point { return append(make([]point, 0, len(all)+growth), all...) }

// alike reports whether two points differ by too little to be worth one more.
func alike(a, b point) bool {
	return a.target == b.target && a.charge == b.charge && near(a.temperature, b.temperature, warmer) && near(a.heating, b.heating, hotter) && (a.heating > 0) == (b.heating > 0)
}

func near(a, b, by int16) bool {
	if a == unknown || b == unknown {
		return a == b
	}
	return max(a, b)-min(a, b) < by
}

// forget lets go of what is too long ago in a room, and of a room that nothing is known of any more. What held when the 48 h
// begin is kept. Where more rooms have come, those that were there get fewer points.
func (h *History) forget(id gateway.RoomID) {
	all := h.rooms[id]
	first := before(all, h.last-min(h.last, uint32(Length.Seconds())))
	kept := all[:copy(all, all[first:])]
	if share := h.share(); len(kept) > share {
		kept = thinned(kept, uint32(h.pace().Seconds()))
		kept = kept[max(0, len(kept)-share):]
	}
	if cap(kept) > len(kept)+2*growth {
		kept = resized(kept)
	}
	if h.rooms[id] = kept; len(kept) == 0 || len(kept) == 1 && alike(nothing(0), kept[0]) {
		delete(h.rooms, id)
	}
}

// before is the index of the last point that is not after an instant; 0 if all are.
func before(all []point, at uint32) int {
	i := 0
	for i+1 < len(all) && all[i+1].at <= at {
		i++
	}
	return i
}

// thinned leaves out points that follow too soon on the one before, gaps excepted. The list that came in is used again.
func thinned(all []point, pace uint32) []point {
	kept := all[:1]
	for i, p := range all[1:] {
		if i+2 == len(all) || alike(nothing(0), p) || p.at-kept[len(kept)-1].at >= pace {
			kept = append(kept, p)
		}
	}
	return kept
}

// keepTime notes that the house lives.
func (h *History) keepTime(now time.Time) {
	if h.begun == 0 {
		h.begin(now)
		return
	}
	h.live(max(now.Sub(h.seen), 0), now.Round(0).Sub(h.seen.Round(0)))
	h.seen = now
}

// live lets time pass, of which the wall clock showed so much: the rest is what it was set by. Stamps move along with it, so that
// lengths stay true.
func (h *History) live(passed, shown time.Duration) {
	if set := shown - passed; set.Abs() >= stepped {
		h.redate(set)
	}
}

// begin begins a run after the one that was read. If the clock stands behind that one, its stamps are moved back, until the clock
// goes forward.
func (h *History) begin(now time.Time) {
	h.begun, h.seen = seconds(now), now
	if h.ended >= h.begun {
		h.behind = time.Duration(h.ended-h.begun+1) * time.Second
		h.move(h.ended+1, 0, -h.behind)
		h.ended = h.begun - 1
	}
}

// redate moves the stamps of this run by what the clock was set by. Earlier runs stay before it, and get back what was taken from
// them.
func (h *History) redate(set time.Duration) {
	begun := shifted(h.begun, set)
	back := min(max(set, 0), h.behind)
	if h.ended >= begun {
		back = -time.Duration(h.ended-begun+1) * time.Second
	}
	h.move(h.begun, set, back)
	h.begun, h.last = begun, shifted(h.last, set)
	h.ended, h.behind = shifted(h.ended, back), h.behind-back
}

// move changes all stamps: those from an instant on by run, those before it by earlier.
func (h *History) move(from uint32, run, earlier time.Duration) {
	for _, all := range h.rooms {
		for i, p := range all {
			by := run
			if p.at < from {
				by = earlier
			}
			all[i].at = shifted(p.at, by)
		}
	}
}

// seconds is an instant as stamps have it.
func seconds(t time.Time) uint32 { return uint32(min(max(t.Unix(), 1), 1<<32-1)) }

// shifted is a stamp that was moved. Nothing is before 1970, and 0 is no stamp.
func shifted(at uint32, by time.Duration) uint32 {
	return uint32(min(max(int64(at)+int64(by/time.Second), 1), 1<<32-1))
}
