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
	Heating     float64   // 0..1, the heat seen to flow: relay, boiler or heating_power_request/100; NaN: unknown, in charge the ordered one counts
	Watching    bool      // the vendor is in charge: learn, order nothing
}

// Decision is what the room's actuator ought to do until the next Step.
type Decision struct {
	Duty  float64   // 0..1, the mean power wished in the running cycle; for a valve, its position
	On    bool      // for a relay: what it ought to be now; minimum times are already kept
	Hold  time.Time // the relay must not change before it; zero: it may
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
	r.memory = m
	return nil
}

// memory is the state of a Room. Instants are in seconds since 1970, so that Rooms can be compared.
type memory struct {
	Last   int64   `json:"last"`             // the last Step
	Target float64 `json:"target,omitempty"` // °C, the last one known
	Relay  relay   `json:"relay"`
	Demand bool    `json:"demand,omitempty"` // hysteresis: heating
	Seen   history `json:"seen"`
	Model  model   `json:"model"`
	Fitted int64   `json:"fitted"` // the day of the last fit
	Heat   float64 `json:"heat"`   // s of heat in the running tick
	Warmth float64 `json:"warmth"` // sum of the readings in the running tick
	Count  float64 `json:"count"`
	Duty   float64 `json:"duty"`
}

// Step takes one look at the room and decides. It may be called at any interval; in charge, once a
// minute is right. It takes well under a millisecond, but for the one Step a night that learns.
func (r Room) Step(s Settings, in Input) (Room, Decision) {
	m := r.memory
	s = s.whole()
	now := in.At.Unix()
	if in.Target > 0 && in.Target < 40 {
		m.Target = in.Target
	}
	turned := m.watch(s, in, now)
	d := Decision{Aim: m.Target, Why: fmt.Sprintf("%.1f °C, %.1f wished", in.Temperature, m.Target)}
	if in.Watching {
		m.Last = now
		return Room{m}, d
	}
	if m.Model.usable() {
		if turned {
			m.Duty = m.ahead(s, in, now/tick)
		}
	} else {
		m.Duty = m.thermostat(in.Temperature)
	}
	d.Duty = m.Duty
	d.On = m.Relay.follow(s, now, d.Duty)
	d.Hold = m.Relay.hold(s)
	m.Last = now
	return Room{m}, d
}

// watch writes down what was seen since the last Step and learns from it; it reports whether a tick
// has ended.
func (m *memory) watch(s Settings, in Input, now int64) bool {
	heat := in.Heating
	if math.IsNaN(heat) {
		heat = 0
		if m.Relay.On {
			heat = 1
		}
		if s.Continuous {
			heat = m.Duty
		}
	}
	turned := false
	m.Warmth += in.Temperature
	m.Count++
	if passed := now - m.Last; passed > 0 && passed < 3600 {
		m.Heat += heat * float64(passed)
		if now/tick != m.Last/tick {
			turned = true
			if m.Count == 0 {
				m.Warmth, m.Count = in.Temperature, 1
			}
			m.Seen.put(m.Last/tick, sample{m.Warmth / m.Count, m.Heat / tick, m.Target})
			m.Heat, m.Warmth, m.Count = 0, 0, 0
		}
	}
	if day := (now - 2*3600) / 86400; turned && day != m.Fitted && m.Seen.length() > 2*perDay {
		m.Model = learn(m.Seen.since(0), m.Seen.First)
		m.Fitted = day
	}
	return turned
}

func (m *memory) ahead(s Settings, in Input, at int64) float64 {
	samples := m.Seen.since(m.Seen.end() - 2*perDay)
	b := m.Model.believe(samples, m.Seen.end()-int64(len(samples)))
	w := wish{target: m.Target}
	if !in.Until.IsZero() {
		w.until = in.Until.Unix() / tick
	}
	if !in.Next.IsZero() {
		w.next, w.then = in.Next.Unix()/tick, in.NextTarget
	}
	horizon := 60
	if s.Kind == Floor {
		horizon = 96
	}
	duty, _ := m.Model.plan(b, w, int(s.Cycle.Seconds())/tick, horizon)
	if s.Continuous || m.Relay.On || duty == 0 || duty == 1 {
		return duty
	}
	// The relay gives its heat at the beginning of a cycle: it is better begun when it is needed.
	duty = max(duty, s.MinOn.Seconds()/s.Cycle.Seconds())
	if duty < 0.35 && m.Model.canWait(b, w, duty*s.Cycle.Seconds()/tick) {
		return 0
	}
	return duty
}

func (m *memory) thermostat(reading float64) float64 {
	switch {
	case reading < m.Target-hysteresis:
		m.Demand = true
	case reading > m.Target+hysteresis:
		m.Demand = false
	}
	if m.Demand {
		return 1
	}
	return 0
}

// hysteresis is how far a room that is not yet known may stray: 0.2 K is the best of the fixed
// thermostats in the bench.
const hysteresis = 0.2

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
	if s.Frost <= 0 {
		s.Frost = 7
	}
	if s.Cap <= 0 {
		s.Cap = 28
	}
	return s
}
