package gateway

import (
	"fmt"
	"slices"
	"time"
)

// AlarmPhase is how an alarm stands.
type AlarmPhase string

// The phases of an alarm.
const (
	Quiet    AlarmPhase = "quiet"
	PreAlarm AlarmPhase = "pre-alarm" // gas that is not dangerous yet: told, not sounded
	Sounding AlarmPhase = "sounding"
	Hushed   AlarmPhase = "hushed"  // the alarm goes on, the sirens do not
	Testing  AlarmPhase = "test"    // a person tries the detector: nothing sounds
	Cleared  AlarmPhase = "cleared" // it is over since ClearedFor at most
)

// ClearedFor is how long an alarm that is over is still shown as cleared.
const ClearedFor = time.Hour

// How much of alarms is remembered.
const (
	MaxPastAlarms = 20 // that are over
	MaxDeliveries = 40 // of each alarm
	MaxHearings   = 8  // of each test
)

// Alarm is one detector's alarm. Only the detector that raised it can end it; an intrusion ends when a person
// switches the guard off.
type Alarm struct {
	Number   uint64        `json:"number,omitempty"` // of the decision that raised it, 0 in an old record
	Phase    AlarmPhase    `json:"phase"`
	Kind     Quantity      `json:"kind"` // smoke, co or intrusion
	Device   DeviceID      `json:"device"`
	Name     string        `json:"name"`
	Since    time.Time     `json:"since"`           // when it was smelt
	Raised   time.Time     `json:"raised,omitzero"` // when that reached us
	Held     time.Duration `json:"held,omitempty"`  // how long it has been sounding here; no step of the clock changes it
	Heard    time.Time     `json:"heard"`           // last word of the detector
	Why      string        `json:"why"`
	Answered time.Time     `json:"answered,omitzero"` // when a person acknowledged or hushed it; zero: nobody has
	By       string        `json:"by,omitempty"`      // where, for people
	Ended    time.Time     `json:"ended,omitzero"`    // zero: it goes on
	Told     []Delivery    `json:"told,omitempty"`    // who was told of it, in the order of the plan, at most MaxDeliveries
}

// On reports whether the alarm goes on and is none of a test.
func (a Alarm) On() bool { return a.Phase == Sounding || a.Phase == Hushed }

// PointName is how points name the alarm, in Point.Of.
func (a Alarm) PointName() string { return fmt.Sprintf("alarm-%d", a.Number) }

// Delivery is one step of the alarm plan towards one path, and the proof that it arrived.
type Delivery struct {
	Step  int       `json:"step"`  // of the plan, from 1
	Path  string    `json:"path"`  // for people: Home app, MQTT, siren Hall, /usr/local/bin/call
	Point Point     `json:"point"` // what was asked
	At    time.Time `json:"at"`    // when it was asked last
	Times int       `json:"times"` // how often it was due, repeats of the plan included
	// Delivered is when it was last confirmed: a siren that shows that it sounds, a broker that has taken the
	// message, controllers that were sent the event, open pages that show it, a program that has ended well. Zero: never.
	Delivered time.Time `json:"delivered,omitzero"`
	By        string    `json:"by,omitempty"`  // who confirmed, for people: "2 controllers"
	Err       string    `json:"err,omitempty"` // why not, the last time
}

// AlarmWay is what a step of the alarm plan does.
type AlarmWay string

// The ways.
const (
	WayTell  AlarmWay = "tell"  // tells HomeKit, MQTT or the open pages
	WaySound AlarmWay = "sound" // turns sirens on
	WayLight AlarmWay = "light" // turns lights on
	WayRun   AlarmWay = "run"   // runs a program of the user's own
)

// AlarmStep is one step of the alarm plan.
type AlarmStep struct {
	Way   AlarmWay
	Of    string        // tell: homekit, mqtt or page; sound, light: a device id or All; run: the program
	After time.Duration // since the alarm was raised
}

// All names all sirens or all lights in a step.
const All = "all"

// AlarmPlan is what is done about an alarm until somebody answers. The zero plan sounds all sirens at
// once and tells nobody by name.
type AlarmPlan struct {
	Steps  []AlarmStep
	Repeat time.Duration // between two rounds of tell and run; 0: once
}

// AlarmMemory is what the rules remember of alarms beside those that are on. All of it lasts over a restart.
type AlarmMemory struct {
	PastAlarms []Alarm                       `json:"past_alarms,omitempty"` // those that are over, oldest first, at most MaxPastAlarms
	Test       TestWindow                    `json:"test,omitzero"`         // in which alarms are tests
	Tests      Table[DeviceID, DetectorTest] `json:"tests,omitzero"`        // the last test of each detector
	Gas        Table[DeviceID, Gas]          `json:"gas,omitzero"`          // by CO detector that smells some
	Lit        Table[PointKey, Lamp]         `json:"lit,omitzero"`          // by Point.String; lights that we turned on and have not yet seen as they were
}

// TestWindow is a time in which a person tries detectors.
type TestWindow struct {
	Device DeviceID  `json:"device,omitempty"` // "": any
	Began  time.Time `json:"began,omitzero"`
	Until  time.Time `json:"until,omitzero"` // zero: no test is on
	By     string    `json:"by,omitempty"`
}

// Covers reports whether the test of that detector is on at an instant.
func (w TestWindow) Covers(id DeviceID, at time.Time) bool {
	return !w.Until.IsZero() && !at.Before(w.Began) && at.Before(w.Until) && (w.Device == "" || w.Device == id)
}

// DetectorTest is the last test of one detector: when, and which paths heard it.
type DetectorTest struct {
	At    time.Time `json:"at"` // when the first of the paths heard it
	By    string    `json:"by"` // who announced it, or the detector itself
	Heard []Hearing `json:"heard,omitempty"`
}

// Gas is since when a carbon monoxide detector has measured levels that are not yet its alarm; zero: it
// does not.
type Gas struct {
	Above50  time.Time `json:"above_50,omitzero"`  // ppm
	Above100 time.Time `json:"above_100,omitzero"` // ppm
}

// Lamp is a light that an alarm has turned on, and how it was before.
type Lamp struct {
	Point  Point `json:"point"`
	Before Value `json:"before"`
}

// Hearing says that one path brought news of a test, and when.
type Hearing struct {
	Path string    `json:"path"` // the adapter
	At   time.Time `json:"at"`
}

// Alarm returns the gravest alarm: sounding before hushed, pre-alarm, test, cleared; among equals
// smoke and gas before an intrusion, then the oldest, of those that are over the last; a quiet one if none.
func (s State) Alarm() Alarm {
	best := Alarm{Phase: Quiet}
	for _, a := range s.Alarms {
		graver := slices.Index(gravity, a.Phase) - slices.Index(gravity, best.Phase)
		if graver > 0 || graver == 0 && best.Kind == Intrusion && a.Kind != Intrusion {
			best = a // a fire before a burglar
		}
	}
	if n := len(s.PastAlarms); n > 0 && best.Phase == Quiet && s.PastAlarms[n-1].Phase == Cleared {
		best = s.PastAlarms[n-1]
	}
	return best
}

// gravity is the phases of alarms that go on, the gravest last.
var gravity = []AlarmPhase{Quiet, Testing, PreAlarm, Hushed, Sounding}
