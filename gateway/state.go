package gateway

import (
	"strings"
	"time"
)

// State is all that is known. It is plain data and never changed in place once shown: a Step copies
// what it changes.
type State struct {
	Version uint64    // grows with every change that a reader could see
	At      time.Time // of the last event
	Started time.Time // of this run
	// SetBack is by how much stamps of earlier runs were moved back, because the clock stood behind them; as much of
	// it is given back to them when the clock goes forward.
	SetBack   time.Duration
	Home      Home
	Rooms     Table[RoomID, Room]
	Devices   Table[DeviceID, Device]
	Also      Table[DeviceID, DeviceID] // other names of a device -> its id
	Authority Authority
	Cloud     Cloud
	Budget    Budget
	Outage    *Outage  // the one that goes on; nil: none
	Outages   []Outage // the last finished ones, oldest first, at most MaxOutages
	Days      []Day    // how the vendor did, oldest first, at most MaxDays
	Watch     Watch    // the same for what is not in Days yet
	Alarms    []Alarm
	Sounded   bool // we turned sirens on and have not yet seen them off
	AlarmMemory
	Guard     Guard
	Clock     Clock
	Health    Table[PointKey, Health] // by adapter name
	Asked     Table[PointKey, Asked]  // by Point.String
	Firings   Table[DeviceID, Firing] // by heating relay
	Memories  Table[RoomID, Memory]   // what was learnt of each room
	Kept      Table[RoomID, Memory]   // Memories as they are saved: a copy each quarter of an hour
	Learnt    time.Time               // when the last look at all rooms for Memories began
	Learning  bool                    // that look is not over; it goes on after LearntTo
	LearntTo  RoomID                  // the last room looked at
	KeptAt    time.Time               // when Kept was last copied
	Decisions []Decision              // the last of them, oldest first, at most MaxDecisions
	Decided   uint64                  // number of the last decision, for ever growing
	Commanded uint64                  // id of the last command
	Wake      time.Time               // when a Tick is needed at the latest; zero: none sooner than usual
}

// PointKey is a word used as a key: a Point's or an adapter's name.
type PointKey string

// MaxDecisions is how many decisions a State remembers.
const MaxDecisions = 50

// Home is the house as a whole.
type Home struct {
	ID              string        `json:"id"`
	Name            string        `json:"name"`
	Zone            TimeZone      `json:"zone"`
	DefaultDuration time.Duration `json:"default_duration"` // of a manual setpoint
	Control         string        `json:"control,omitempty"`
	Schedules       []Schedule    `json:"schedules,omitempty"`
	Copied          time.Time     `json:"copied,omitzero"` // when the plan was last read from the cloud
	Fault           string        `json:"fault,omitempty"` // why the newest plan was not taken over whole
	FrostGuard      float64       `json:"-"`               // °C, floor that nothing undercuts; from the configuration
	Maximum         float64       `json:"-"`               // °C, cap that nothing exceeds; from the configuration
	AlarmPlan       AlarmPlan     `json:"-"`               // from the configuration
	Guard           GuardPlan     `json:"-"`               // from the configuration
	// SilentAfter says for models of smoke and CO detectors after what silence they are at fault, 0: never. It
	// is not changed once it is here. A model that is not in it has the usual limit; nil: nobody watches.
	SilentAfter map[string]time.Duration `json:"-"`
	Regime      Regime                   `json:"regime"`
	Base        Regime                   `json:"base"`  // what the cloud said when it was lost
	Cloud       Regime                   `json:"cloud"` // what the cloud said last
}

// Regime is a mode of the home with its end and its maker.
type Regime struct {
	Mode     HomeMode  `json:"mode"`
	Schedule string    `json:"schedule,omitempty"` // id of the selected heating schedule
	Until    time.Time `json:"until,omitzero"`     // zero: no end
	At       time.Time `json:"at,omitzero"`        // when it was set; zero: not known
	By       string    `json:"by,omitempty"`       // who set it, for people; "" = the cloud
	Local    bool      `json:"local,omitempty"`    // made here, and the cloud does not know it yet
	Ends     time.Time `json:"ends,omitzero"`      // when it ends by a clock that was put back since; zero: at Until
}

// End is when it ends by the clock as it stands: at Until, or when the time is over that was left
// when the clock was put back, whichever comes first. Zero: no end.
func (r Regime) End() time.Time { return end(r.Until, r.Ends) }

// Room is one room: what is wished there, what holds there, what the cloud says.
type Room struct {
	ID          RoomID     `json:"id"`
	Name        string     `json:"name"`
	Devices     []DeviceID `json:"devices,omitempty"` // what stands in it
	Override    Override   `json:"override,omitzero"` // a person's wish in force
	Before      Override   `json:"before,omitzero"`   // what a wish made at a device took the place of
	Target      Aim        `json:"-"`                 // what ought to hold now, and why
	Temperature Measure    `json:"-"`                 // the freshest trustworthy one
	Heating     Value      `json:"-"`                 // flag, or % of demand; unknown if nobody says
	Cloud       CloudRoom  `json:"cloud,omitzero"`    // as the cloud said last
	CloudAt     time.Time  `json:"cloud_at,omitzero"`
	Base        CloudRoom  `json:"base,omitzero"`     // as the cloud said when it was lost
	Written     Aim        `json:"written,omitzero"`  // what we last wrote over the LAN
	Moved       bool       `json:"moved,omitempty"`   // our LAN writes may have left it in manual
	Own         Value      `json:"own,omitzero"`      // what a device showed by itself before we wrote to it in this outage
	Last        float64    `json:"last,omitempty"`    // °C, the last comfort target that held
	Disagrees   time.Time  `json:"-"`                 // since when a device's target is not ours
	Opened      time.Time  `json:"-"`                 // since when a window of it stands open; zero: none does
	Chilled     bool       `json:"chilled,omitempty"` // people were told that it is near the frost floor
	Strays      bool       `json:"strays,omitempty"`  // a device did not follow the plan by itself in this outage

	Wrote    []Aim       `json:"wrote,omitempty"`    // what we wrote before, as long as Moved holds
	Repeated []time.Time `json:"repeated,omitempty"` // when the same target was written again, in the last day
}

// temperatureLasts is for how long a room's temperature is shown as what is so now. After four hours without a word nobody can say
// how warm it is.
const temperatureLasts = 4 * time.Hour

// Fades is when its temperature becomes too old to be shown as what is so now.
func (r Room) Fades() time.Time { return r.Temperature.At.Add(temperatureLasts) }

// Override is a person's wish for one room.
type Override struct {
	Mode   RoomMode  `json:"mode,omitempty"` // manual, max, frost, off; home = follow the home; "" = none
	Target float64   `json:"target,omitempty"`
	At     time.Time `json:"at,omitzero"`     // when the person acted
	Until  time.Time `json:"until,omitzero"`  // zero: no end
	By     string    `json:"by,omitempty"`    // where the person acted, for people; "" = the cloud
	Local  bool      `json:"local,omitempty"` // made here, and the cloud does not know it yet
	Ends   time.Time `json:"ends,omitzero"`   // when it ends by a clock that was put back since; zero: at Until
}

// End is when it ends by the clock as it stands: at Until, or when the time is over that was left
// when the clock was put back, whichever comes first. Zero: no end.
func (o Override) End() time.Time { return end(o.Until, o.Ends) }

func end(until, ends time.Time) time.Time {
	if !ends.IsZero() && ends.Before(until) {
		return ends
	}
	return until
}

// Aim is a target with its mode, end and reason. Its zero value says that nothing is asked for.
type Aim struct {
	Value Value     `json:"value"` // °C
	Mode  RoomMode  `json:"mode,omitempty"`
	Until time.Time `json:"until,omitzero"` // when it will change; zero: not known
	At    time.Time `json:"at,omitzero"`
	Why   string    `json:"why,omitempty"`
}

// Phase is who is in charge.
type Phase string

// The phases of authority.
const (
	Watching  Phase = "watching"  // the cloud is; we copy its plan and compare
	Suspect   Phase = "suspect"   // it may be gone
	Local     Phase = "local"     // we are
	Returning Phase = "returning" // it is back; we read first and write nothing
)

// Authority is the phase with its reason.
type Authority struct {
	Phase Phase     `json:"phase"`
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
	Drill bool      `json:"drill,omitempty"`
	Until time.Time `json:"until,omitzero"` // when a drill ends by itself
	Taken time.Time `json:"taken,omitzero"` // when the house was last taken over from the cloud
	Lost  time.Time `json:"lost,omitzero"`  // when the outage or drill began that we are in, or were last in
}

// Cloud is the verdict and the evidence it rests on: probes and real calls in one view.
type Cloud struct {
	Verdict  Verdict
	Scope    []Plane // what is affected; empty: everything
	Since    time.Time
	Why      string // one plain sentence
	Evidence []string
	Witness  Answer    // do independent hosts say that the internet is there
	Probe    Probe     // the last climb of the ladder that counts
	ProbedAt time.Time // when it ended
	Read     Service   // what real calls said last, plane by plane
	Write    Service
	Auth     Service
	Push     Service
	SignIn   time.Time // when the access token ends; zero: not known
	// How long good or bad has held: time, not samples, decides.
	FirstBad, LastBad   time.Time
	FirstGood, LastGood time.Time
	Bad, Good           int           // in a row
	Hold                time.Duration // how long good must hold before the return; doubles on relapse
	Flap                time.Duration // the longest time for which it was good between two losses of late
	Unseen              time.Duration // of the time since FirstGood in which nobody looked
	Own                 bool          // among the failures in a row are some of our own link
	Opened              bool          // the door was seen open in between: it is only reads that fail
	Behind              bool          // what fails lies behind an open door, where only reads looked before
	Doubted             time.Time     // when a doubt last turned out to be none
	Returned            time.Time     // when authority was last handed back
	Viewed              time.Time     // when the cloud's view was last read
	Fresh               time.Time     // newest device data in that view
}

// Service is one plane of the vendor's service as real calls show it.
type Service struct {
	Verdict Verdict   // VerdictOK, or what the last call alone would say; "" = not called yet
	Why     string    // in words
	At      time.Time // of the last call
	Since   time.Time // when the Verdict began to be what it is
}

// Asked is what was asked of a point, until the point shows that it is so.
type Asked struct {
	Command Command   `json:"command"`
	At      time.Time `json:"at"` // when it was last asked
	Tries   int       `json:"tries"`
	Again   time.Time `json:"again"` // when to ask again
	Done    bool      `json:"done"`  // the adapter said so
	Err     string    `json:"err,omitempty"`
	Final   bool      `json:"final,omitempty"` // asking again is useless
	Keep    bool      `json:"keep,omitempty"`  // asked until it is done, not as long as it is wanted
}

// Decision is one thing that was decided or noticed, with its reason, in words for people. The page,
// the log, MQTT and the tests show the same words.
type Decision struct {
	Number uint64    `json:"number"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"` // authority, heating, alarm, guard, mode, wish, refused, device, adapter, clock, return
	Room   RoomID    `json:"room,omitempty"`
	Device DeviceID  `json:"device,omitempty"`
	What   string    `json:"what"`
	Why    string    `json:"why"`
}

// AlarmRaised stands between the kind and the place in what is said of an alarm that begins: "smoke ALARM: Hall".
const AlarmRaised = " ALARM: "

// RaisesAlarm reports whether the decision says that an alarm began, and no pre-alarm or test.
func (d Decision) RaisesAlarm() bool {
	return d.Kind == "alarm" && strings.Contains(d.What, AlarmRaised)
}

// Device returns the device that goes by that id or by another name.
func (s State) Device(id DeviceID) (Device, bool) {
	if own, ok := s.Also.Get(id); ok {
		id = own
	}
	return s.Devices.Get(id)
}
