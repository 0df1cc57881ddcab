// Package thermal learns how a room heats and decides the duty of its relay or valve.
//
// It is drivable by a plain loop: keep a Room, call Step about once a minute (any irregular interval
// will do) with what was measured and what is wished, apply what the Decision says, and keep the Room
// that came back. Nothing here reads a clock, starts anything or draws by lot: the same inputs give
// the same decisions.
//
//	var room thermal.Room // the zero Room knows nothing and heats by hysteresis
//	for each minute {
//		room, decision = room.Step(settings, thermal.Input{At: now, Temperature: reading, Measured: now,
//			Target: 20, Next: nextRise, NextTarget: 21, Heating: math.NaN(), Watching: cloudIsUp})
//		if !cloudIsUp { relay.Set(decision.On) } // or valve.Set(decision.Duty)
//	}
package thermal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Kind is how a room gets its heat. It decides the default cycle and the minimum times of the relay.
type Kind string

// The kinds of emitters. The empty Kind is a Radiator.
const (
	Radiator Kind = "radiator" // water radiators behind a boiler: cycle 20 min, on at least 4 min, off at least 3 min
	Floor    Kind = "floor"    // a heated slab: cycle 40 min, on and off at least 10 min
	Electric Kind = "electric" // a convector on a relay: cycle 10 min, on and off at least 30 s
)

// Settings are what the home says about a room. The zero value of each field is a sensible default.
type Settings struct {
	Kind       Kind          // how the room gets its heat
	Cycle      time.Duration // the relay switches on at most once in it; 0: by Kind
	MinOn      time.Duration // the relay is never on for less; 0: by Kind
	MinOff     time.Duration // the relay is never off for less; 0: by Kind
	Frost      float64       // °C, heated below it whatever else holds; 0: 7
	Cap        float64       // °C, never heated above it; 0: 28
	Continuous bool          // the actuator takes Duty itself (a valve); false: a relay that follows On
}

// Input is what is known of a room at one instant.
type Input struct {
	At          time.Time // now
	Temperature float64   // °C, as the sensor gave it, however odd; NaN: there is none
	Measured    time.Time // when the sensor gave it or was last heard; zero: At
	Target      float64   // °C wished now; NaN or outside 0..40: unknown, the last one is kept
	Until       time.Time // when Target ends; zero: unknown, it is taken to last
	Next        time.Time // when the next slot begins that is warmer than its forerunner; zero: none, nothing is preheated
	NextTarget  float64   // °C wished from Next on
	Heating     float64   // 0..1, the heat seen to flow: relay, boiler or heating_power_request/100; NaN (not 0): unknown; in charge the ordered one counts then
	Watching    bool      // the vendor is in charge: learn, order nothing
}

// Decision is what the room's actuator ought to do until the next Step.
type Decision struct {
	Duty  float64   // 0..1, the mean power wished in the running cycle; for a valve, its position
	On    bool      // for a relay: what it ought to be now; minimum times are already kept
	Hold  time.Time // the relay must not change before it; zero: it may
	Off   time.Time // for a relay that is on: when it will go off as far as planned, at most 15 min from now; give it to a device with a timer, so that the heat ends if nobody comes back
	Aim   float64   // °C that is being heated for: Target, or NextTarget while preheating
	Ahead bool      // the room is being heated for a slot that has not begun
	Why   string    // the reason, as a person reads it
	Fault string    // "", or what is wrong with sensor or actuator and what is done about it
}

// Room is all that is remembered of one room: what was seen in the last 14 days, what was learned
// from it, the state of the filters and of the relay's cycle. It is a comparable value: Step never
// changes the Room it is called on. It is kept as JSON.
type Room struct{ memory memory }

// MarshalJSON writes the room for the store.
func (r Room) MarshalJSON() ([]byte, error) { return json.Marshal(r.memory) }

// UnmarshalJSON reads what MarshalJSON wrote. What is damaged is refused, the room stays as it was.
func (r *Room) UnmarshalJSON(data []byte) error {
	var m memory
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("what was learned of the room is not readable: %w", err)
	}
	if m.Model.usable() && !m.Model.sound() || m.Search.Here.usable() && !m.Search.Here.sound() || m.Search.Best.usable() && !m.Search.Best.sound() ||
		m.Search.Next < 0 || m.Search.Next > whole || m.Sensor.Next < 0 || m.Sensor.Next >= gaps {
		return errors.New("what was learned of the room is damaged")
	}
	r.memory = m
	return nil
}

// memory is the state of a Room. Instants are in seconds since 1970, so that Rooms can be compared.
type memory struct {
	Last    int64   `json:"last"`              // the last Step
	Target  float64 `json:"target,omitempty"`  // °C, the last one known
	Duty    float64 `json:"duty,omitempty"`    // 0..1, the last decided
	Planned float64 `json:"planned,omitempty"` // °C, what the last plan was made for
	Ahead   bool    `json:"ahead,omitempty"`   // that plan heats for a slot that has not begun
	Demand  bool    `json:"demand,omitempty"`  // hysteresis: heating
	Sensor  sensor  `json:"sensor"`
	Relay   relay   `json:"relay"`
	Guard   guard   `json:"guard"`
	Doubt   doubt   `json:"doubt"`
	Tick    sum     `json:"tick"`
	Seen    history `json:"seen"`
	Model   model   `json:"model"`
	Search  search  `json:"search"`
}

// controller decides a duty of 0..1; what it says passes the guard.
type controller func(m *memory, s Settings, in Input, turned bool) Decision

// Step takes one look at the room and decides. It may be called at any interval; in charge, once a
// minute is right. It takes well under a millisecond: what is learned at night is spread over Steps.
func (r Room) Step(s Settings, in Input) (Room, Decision) { return r.step(s, in, (*memory).control) }

func (r Room) step(s Settings, in Input, inner controller) (Room, Decision) {
	m := r.memory
	s = s.whole()
	now := in.At.Unix()
	m.reckon(now)
	if in.Target >= 0 && in.Target <= 40 {
		m.Target = in.Target
	}
	in.Target = max(m.Target, s.Frost)
	m.Sensor.take(in, now)
	turned := m.watch(s, in, now)
	m.Last = now
	if in.Watching {
		return Room{m}, m.watching(in, now)
	}
	d := inner(&m, s, in, turned)
	forced := m.Guard.limit(s, in, m.Sensor.reading(now), now, &d)
	m.Duty = d.Duty
	d.On = m.Relay.follow(s, now, d.Duty, forced)
	d.Hold, d.Off = m.Relay.hold(s), m.Relay.ends(now)
	if d.Fault == "" {
		d.Fault = m.Doubt.fault(in, &m.Relay, now)
	}
	return Room{m}, d
}

// reckon keeps ages what they were when the clock was set back.
func (m *memory) reckon(now int64) {
	back := m.Last - now
	if back <= 0 {
		return
	}
	m.Sensor.shift(back)
	m.Relay.shift(back)
	m.Guard.shift(back)
	m.Doubt.shift(back)
	m.Seen.rewind(now / tick)
	m.Last = now
}

// watching is what is said while the vendor is in charge. The relay's state is taken over, so that its
// minimum times hold across a hand-over.
func (m *memory) watching(in Input, now int64) Decision {
	d := Decision{Aim: in.Target, Why: "the vendor is in charge: the room is watched"}
	if in.Heating >= 0 && in.Heating <= 1 {
		d.Duty, d.On = in.Heating, in.Heating >= 0.5
	}
	m.Duty = d.Duty
	m.Relay.adopt(d.On, now)
	if !m.Sensor.fresh(now) {
		d.Fault = m.Sensor.complaint(now)
	}
	return d
}

// sum gathers what is seen within a tick.
type sum struct {
	Heat   float64 `json:"heat,omitempty"`   // s
	Warmth float64 `json:"warmth,omitempty"` // °C, of all readings
	Count  float64 `json:"count,omitempty"`
}

// longest is the longest time between two Steps that is not a gap in what was seen, in s.
const longest = 3600

// watch writes down what was seen since the last Step and learns from it; it reports whether a tick
// has ended.
func (m *memory) watch(s Settings, in Input, now int64) bool {
	passed := now - m.Last
	turned := now/tick != m.Last/tick
	if passed > 0 && passed < longest {
		m.Tick.Heat += m.heating(s, in) * float64(passed)
		if turned {
			m.turn(now)
		}
	} else if turned {
		m.Tick = sum{}
	}
	if t := m.Sensor.reading(now); !math.IsNaN(t) {
		m.Tick.Warmth += t
		m.Tick.Count++
	}
	m.learn(now)
	if turned {
		m.Doubt.look(m, now)
	}
	return turned
}

// turn writes the sample of the tick that ended.
func (m *memory) turn(now int64) {
	t := math.NaN()
	if m.Tick.Count > 0 {
		t = m.Tick.Warmth / m.Tick.Count
	}
	ticks := now/tick - m.Last/tick
	for k := range ticks { // a slow loop has seen the same heat in each of them
		m.Seen.put(m.Last/tick+k, sample{t, min(m.Tick.Heat/tick/float64(ticks), 1), m.Target})
	}
	m.Tick = sum{}
}

// heating is the heat that has flowed since the last Step, 0..1.
func (m *memory) heating(s Settings, in Input) float64 {
	switch {
	case in.Heating >= 0 && in.Heating <= 1:
		return in.Heating
	case in.Watching:
		return 0
	case s.Continuous:
		return m.Duty
	case m.Relay.On:
		return 1
	}
	return 0
}

// whole returns the settings with the defaults filled in.
func (s Settings) whole() Settings {
	cycle, on, off := 20*time.Minute, 4*time.Minute, 3*time.Minute
	switch s.Kind {
	case Floor:
		cycle, on, off = 40*time.Minute, 10*time.Minute, 10*time.Minute
	case Electric:
		cycle, on, off = 10*time.Minute, 30*time.Second, 30*time.Second
	}
	if s.Cycle <= 0 {
		s.Cycle = cycle
	}
	if s.MinOn <= 0 {
		s.MinOn = on
	}
	if s.MinOff <= 0 {
		s.MinOff = off
	}
	s.Cycle = max(s.Cycle, s.MinOn+s.MinOff)
	if s.Frost <= 0 {
		s.Frost = 7
	}
	if s.Cap <= 0 {
		s.Cap = 28
	}
	s.Cap = max(s.Cap, s.Frost+5) // a cap below the floor is a slip of the pen
	return s
}
