package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// heard is a message that came from the broker.
type heard struct {
	topic    string
	payload  []byte
	retained bool
	refused  error // why the embedded broker does not pass it on; nil: it does
}

// reader reads wishes as of one State and one instant.
type reader struct {
	base    string
	state   gateway.State
	rooms   map[string]gateway.RoomID   // by topic form
	devices map[string]gateway.DeviceID // by topic form
	now     time.Time
}

// place is where wishes for a subject go, for people.
func (r reader) place(subject string) string {
	if r.base == "" {
		return subject
	}
	return r.base + "/" + subject + "/set"
}

// longestWish is how many bytes a wish may have; the longest sensible one has about a hundred.
const longestWish = 4096

// farthest is how long an override may be asked for. Whoever wants more wants another schedule.
const farthest = 366 * 24 * time.Hour

// A wish is known to be retained only when it was there before us: on its way to those who listen
// already, a message does not carry the flag (MQTT 3.1.1, 3.3.1.3).
var errRetained = errors.New("a retained wish would come true again at every restart; publish it without the retain flag, " +
	"and delete this one by publishing an empty retained message to its topic")

// read turns a message on a set topic into what it asks for. What cannot be understood, is out of range or
// speaks of something unknown becomes a Refused with the reason.
func (r reader) read(m heard) gateway.Ask {
	ask, err := r.ask(m)
	if err != nil {
		return gateway.Refused{Text: r.quote(m), Why: err.Error()}
	}
	return ask
}

func (r reader) ask(m heard) (gateway.Ask, error) {
	if m.retained {
		return nil, errRetained
	}
	if len(m.payload) > longestWish {
		return nil, fmt.Errorf("a wish has at most %d bytes", longestWish)
	}
	w, err := parse(m.payload)
	if err != nil {
		return nil, err
	}
	subject := strings.TrimSuffix(strings.TrimPrefix(m.topic, r.base+"/"), "/set")
	kind, id, _ := strings.Cut(subject, "/")
	switch kind {
	case "room":
		room, ok := r.rooms[id]
		if !ok {
			return nil, fmt.Errorf("there is no room %q", id)
		}
		return r.room(room, w)
	case "device":
		device, ok := r.devices[id]
		if !ok {
			return nil, fmt.Errorf("there is no device %q", id)
		}
		return r.device(device, w)
	case "home":
		return r.home(w)
	case "alarm":
		return r.alarm(w)
	}
	return nil, fmt.Errorf("wishes go to %s, %s, %s or %s", r.place("room/<id>"), r.place("device/<id>"), r.place("home"), r.place("alarm"))
}

// room reads {"target":21.5}, {"mode":"frost"} with {"for":"2h"} or {"until":"2026-01-31T18:00:00Z"}.
func (r reader) room(id gateway.RoomID, w *wish) (gateway.Ask, error) {
	if preset, ok := w.take("preset"); ok {
		return r.preset(id, preset, w)
	}
	target, hasTarget, err := w.number("target")
	if err != nil {
		return nil, err
	}
	mode, hasMode, err := w.word("mode")
	if err != nil {
		return nil, err
	}
	end, err := w.end(r.now)
	if err != nil {
		return nil, err
	}
	if err := w.rest("target, mode, preset, for, until"); err != nil {
		return nil, err
	}
	if hasTarget && hasMode && mode != string(gateway.RoomManual) {
		return nil, fmt.Errorf("a target goes with the mode %q only, not with %q", gateway.RoomManual, mode)
	}
	if hasTarget {
		return r.target(id, target, end)
	}
	if !hasMode {
		return nil, errors.New(`say what is wished: {"target":21} or {"mode":"schedule"}`)
	}
	return r.roomMode(id, mode, end)
}

func (r reader) roomMode(id gateway.RoomID, mode string, end end) (gateway.Ask, error) {
	bounds := limitsOf(r.state.Home)
	switch gateway.RoomMode(mode) {
	case gateway.RoomSchedule, gateway.RoomHome:
		return gateway.FollowHome{Room: id}, end.none(mode)
	case gateway.RoomOff:
		return gateway.SetRoomOff{Room: id}, end.none(mode)
	case gateway.RoomFrost:
		// Like off, it holds until somebody says otherwise, if no end is given.
		end.forever = end.lasting == 0 && end.until.IsZero()
		return r.target(id, bounds.low, end)
	case gateway.RoomMax:
		return r.target(id, bounds.high, end)
	case gateway.RoomManual:
		target, ok := r.held(id)
		if !ok {
			return nil, errors.New(`nobody knows which temperature to hold; say it: {"mode":"manual","target":21}`)
		}
		return r.target(id, target, end)
	case gateway.RoomAway:
		return nil, fmt.Errorf("away is a mode of the whole home; wish it at %s", r.place("home"))
	}
	return nil, fmt.Errorf("a room has no mode %q; expected schedule, manual, max, frost or off", mode)
}

// held is the target that a room is to hold when somebody asks for manual and says no temperature: the
// one in force, or the last comfortable one while there is none.
func (r reader) held(id gateway.RoomID) (float64, bool) {
	room, _ := r.state.Rooms.Get(id)
	now, ok := room.Target.Value.Number()
	if resting := room.Target.Mode == gateway.RoomOff || room.Target.Mode == gateway.RoomFrost; ok && !resting {
		return now, true
	}
	return room.Last, room.Last != 0
}

func (r reader) target(id gateway.RoomID, target float64, e end) (gateway.Ask, error) {
	if err := limitsOf(r.state.Home).check(target); err != nil {
		return nil, err
	}
	return gateway.SetTarget{Room: id, Target: target, For: e.lasting, Until: e.until, Forever: e.forever}, nil
}

// home reads {"mode":"away","until":...}, {"schedule":"<id or name>"} or {"drill":"10m"}.
func (r reader) home(w *wish) (gateway.Ask, error) {
	if length, ok := w.take("drill"); ok {
		return r.drill(length, w)
	}
	if mode, ok := w.take("guard"); ok {
		return r.guard(mode, w)
	}
	mode, hasMode, err := w.word("mode")
	if err != nil {
		return nil, err
	}
	schedule, hasSchedule, err := w.word("schedule")
	if err != nil {
		return nil, err
	}
	end, err := w.end(r.now)
	if err != nil {
		return nil, err
	}
	if err := w.rest("mode, schedule, for, until, drill, guard"); err != nil {
		return nil, err
	}
	switch {
	case hasMode == hasSchedule:
		return nil, errors.New(`say either a mode or a schedule: {"mode":"away"} or {"schedule":"<id>"}`)
	case hasSchedule:
		return r.schedule(schedule, end)
	}
	switch m := gateway.HomeMode(mode); m {
	case gateway.HomeSchedule:
		return gateway.SetMode{Mode: m}, end.none(mode)
	case gateway.HomeAway, gateway.HomeFrost:
		return gateway.SetMode{Mode: m, For: end.lasting, Until: end.until}, nil
	}
	return nil, fmt.Errorf("the home has no mode %q; expected schedule, away or frost", mode)
}

// schedule finds a schedule by its id, or by the name that people know it by.
func (r reader) schedule(word string, e end) (gateway.Ask, error) {
	if err := e.none("schedule"); err != nil {
		return nil, err
	}
	by := func(same func(gateway.Schedule) bool) int { return slices.IndexFunc(r.state.Home.Schedules, same) }
	i := by(func(s gateway.Schedule) bool { return s.ID == word })
	if i < 0 {
		i = by(func(s gateway.Schedule) bool { return s.Name == word })
	}
	if i < 0 {
		return nil, fmt.Errorf("the home has no schedule %q", word)
	}
	return gateway.SwitchSchedule{ID: r.state.Home.Schedules[i].ID}, nil
}

// quote repeats what was asked, for the record: the topic below the base and the beginning of the wish,
// on one line.
func (r reader) quote(m heard) string {
	const most = 120
	text := strings.TrimPrefix(m.topic, r.base+"/") + " " + string(m.payload[:min(len(m.payload), 2*most)])
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	if short := []rune(text); len(short) > most {
		return string(short[:most]) + "…"
	}
	return text
}
