package gateway

import (
	"slices"
	"time"
)

// GuardMode is what the house watches for, as people set it.
type GuardMode string

// The modes of the guard.
const (
	GuardOff   GuardMode = "off"
	GuardStay  GuardMode = "stay" // people are at home and awake
	GuardAway  GuardMode = "away"
	GuardNight GuardMode = "night"
)

// GuardModes are those in which the house is watched.
var GuardModes = []GuardMode{GuardStay, GuardAway, GuardNight}

// GuardPhase is how the guard stands.
type GuardPhase string

// The phases of the guard; "" while it is off.
const (
	GuardArming   GuardPhase = "arming"   // people have the exit delay to leave
	GuardArmed    GuardPhase = "armed"    // it watches
	GuardEntering GuardPhase = "entering" // somebody came in and has the entry delay to switch it off
	GuardTripped  GuardPhase = "tripped"  // an intrusion alarm is on
)

// Guard is the watch against intruders. Its zero value is off.
type Guard struct {
	Mode  GuardMode  `json:"mode,omitempty"`
	Phase GuardPhase `json:"phase,omitempty"`
	Since time.Time  `json:"since,omitzero"`
	By    string     `json:"by,omitempty"` // where it was set, for people
	// Left is what is left of the exit or entry delay; no step of the clock changes it.
	Left    time.Duration `json:"left,omitempty"`
	Watches time.Time     `json:"watches,omitzero"`   // when it began to watch; what is older means nothing
	Cause   DeviceID      `json:"cause,omitempty"`    // the sensor that began the entry delay,
	Why     string        `json:"why,omitempty"`      // and what it said, in words
	LeftOut []DeviceID    `json:"left_out,omitempty"` // sensors that a person left out: they do not count until it is set anew
	Open    []DeviceID    `json:"open,omitempty"`     // sensors that stood open when it began to watch: they count once shut
	Blind   []DeviceID    `json:"blind,omitempty"`    // sensors that count and are not heard
}

// On reports whether the guard is set to watch.
func (g Guard) On() bool { return g.Phase != "" }

// GuardPlan is how the house is guarded, from the configuration. The zero plan has no sensors: there is no guard.
type GuardPlan struct {
	Sensors []GuardSensor
	Exit    time.Duration // from setting it to away until it watches
	Entry   time.Duration // from coming in by an entrance until the alarm
	Sirens  time.Duration // for so long sirens sound of an intrusion; 0: until somebody answers
}

// GuardSensor is a contact or motion sensor that counts.
type GuardSensor struct {
	Of       string      // id or name of a device
	Modes    []GuardMode // in which it counts
	Entrance bool        // people come and go by it: it has the delays
	Always   bool        // it counts whatever the guard is set to
}

// Counts reports whether the sensor counts in a mode.
func (s GuardSensor) Counts(m GuardMode) bool { return s.Always || slices.Contains(s.Modes, m) }

// SetGuard asks the house to be watched, or not.
type SetGuard struct {
	Mode   GuardMode
	Bypass bool // leave out what is open or not heard, instead of refusing
}

func (SetGuard) ask() {}
