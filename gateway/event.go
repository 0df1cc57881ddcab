package gateway

import "time"

// Event says that something happened: when, who saw it, and what.
type Event struct {
	At   time.Time // stamped once, when the fact was posted
	From string    // the adapter's name
	Fact Fact
}

// Fact is one of a closed set of small structs: what an event says.
type Fact interface{ fact() }

// Tick says that time has passed and nothing else. The Loop makes it.
type Tick struct {
	Late time.Duration // how much later than meant: the machine has kept this program from running
}

// Found says that an adapter knows a device: who it is, what it is and what can be set on it. Posting
// it again replaces what that adapter said before.
type Found struct {
	Device   DeviceID
	Also     []DeviceID // other names of the same hardware: serial number, HomeKit id
	Name     string     // what the source calls it; "" leaves a known name alone
	Model    string     // the vendor's type code where known
	Room     RoomID     // "" if the source does not know
	RoomName string     // the room's name where only that is known
	Bridge   DeviceID
	Controls []Control
	Circuit  *Circuit // what it heats, if it is a heating relay; not changed after it was posted
}

// Gone says that a device is no longer behind that adapter by somebody's will: unpaired, removed
// from the bridge. A list that came back short is not Gone.
type Gone struct{ Device DeviceID }

// Reach says whether a device answers through that adapter.
type Reach struct {
	Device DeviceID
	OK     bool
	Why    string // for people, if not OK
}

// Reading says what a device measures or how it stands.
type Reading struct {
	Device   DeviceID
	Quantity Quantity
	Value    Value
	Measured time.Time // zero: now
}

// Plan is the home as the vendor's cloud has it: rooms, schedules, defaults. It replaces the last
// copy, except that an empty list of rooms or schedules never wipes what is known.
type Plan struct {
	Home            string
	Name            string
	Zone            TimeZone
	DefaultDuration time.Duration // of a manual setpoint; 0: not said
	Control         string        // heating or cooling: which schedule type is in force
	Rooms           []PlanRoom
	Schedules       []Schedule
}

// PlanRoom is one room of a Plan.
type PlanRoom struct {
	ID   RoomID
	Name string
}

// CloudView is what the cloud says about the home's heating at one instant.
type CloudView struct {
	Home      string
	At        time.Time // the vendor's own clock when it answered
	Fresh     time.Time // newest sign of life of any device in it; zero: not said
	Mode      HomeMode  // "" if not said
	ModeUntil time.Time // zero: no end
	Schedule  string    // id of the selected heating schedule; "" if not said
	Rooms     []CloudRoom
}

// CloudRoom is one room of a CloudView.
type CloudRoom struct {
	ID        RoomID    `json:"id"`
	Reachable bool      `json:"reachable"`
	Target    Value     `json:"target"` // °C, the setpoint in force
	Mode      RoomMode  `json:"mode"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"` // zero: no end
}

// Probe is the result of one climb of the ladder from the link to the vendor's API.
type Probe struct {
	Verdict  Verdict
	Scope    []Plane  // what is affected; empty: everything
	Why      string   // one plain sentence
	Evidence []string // what was seen, one fact each
	Witness  Answer   // do independent hosts say that the internet is there
	Void     bool     // the prober itself was late: count for nothing
	Door     bool     // the vendor's own server was reached, over TLS if it is spoken to over TLS
	Vouched  bool     // the API behind it was not asked: a call had just been answered there
	Took     time.Duration
}

// Call is the outcome of one real call to the vendor's cloud: the passive half of the evidence.
type Call struct {
	Plane   Plane
	Verdict Verdict // VerdictOK, or what this call alone would say
	Why     string  // for people: "homestatus: 503 with HTML"
	Took    time.Duration
	Expires time.Time // when the access token in use ends; zero: not said
}

// Budget says what was spent of the vendor's request quota.
type Budget struct {
	Spent int // requests in the last hour
	Limit int // requests allowed in an hour
	Total int // requests since the start
}

// Outcome says how a command ended.
type Outcome struct {
	ID    uint64 // of the Command
	Point Point
	Err   string // for people; "" = carried out
	Final bool   // with Err: asking again is useless (not allowed, out of range)
	By    string // who has confirmed, for people, where that is worth saying: "2 controllers"
}

// Clock says how far the wall clock can be trusted.
type Clock struct {
	Trust Trust
	Bound time.Duration // how far off it may be; 0 with TrustGuess: unknown
	Why   string
}

// Health says whether an adapter runs. The supervisor makes it.
type Health struct {
	Adapter string
	Up      bool
	Why     string
}

// Notice says something that people ought to know and that changes nothing in the house. Adapters post
// it once, not whenever they look.
type Notice struct {
	What string // for people: what is so now
	Why  string // for people: why, and what to do
}

// Wish is what a person asks for.
type Wish struct {
	By  string // where the person acted, for people: "Home app", "MQTT", "page", "thermostat"
	Ask Ask
}

func (Tick) fact()      {}
func (Found) fact()     {}
func (Gone) fact()      {}
func (Reach) fact()     {}
func (Reading) fact()   {}
func (Plan) fact()      {}
func (CloudView) fact() {}
func (Probe) fact()     {}
func (Call) fact()      {}
func (Budget) fact()    {}
func (Outcome) fact()   {}
func (Clock) fact()     {}
func (Health) fact()    {}
func (Notice) fact()    {}
func (Wish) fact()      {}

// Verdict is the lowest broken rung between us and the vendor's API.
type Verdict string

// The verdicts. A verdict names a cause; Probe.Scope says what it affects.
const (
	VerdictUnknown      Verdict = "unknown"       // not looked yet
	VerdictOK           Verdict = "ok"            //
	VerdictCloudDown    Verdict = "cloud-down"    // the internet is there, the vendor is not
	VerdictDegraded     Verdict = "degraded"      // the vendor answers, but not usefully: see the scope
	VerdictInternetDown Verdict = "internet-down" // the router answers, the world does not
	VerdictLANDown      Verdict = "lan-down"      // no link or no router
	VerdictResolver     Verdict = "resolver"      // the home's name server fails
	VerdictHijack       Verdict = "hijack"        // somebody else answers in the vendor's name
	VerdictCaptive      Verdict = "captive"       // a portal wants a sign-in first
	VerdictAuthRevoked  Verdict = "auth-revoked"  // the vendor no longer accepts our sign-in
	VerdictRateLimited  Verdict = "rate-limited"  // our quota is used up: not an outage
	VerdictClockWrong   Verdict = "clock-wrong"   // certificates cannot be judged by our clock
	VerdictSelf         Verdict = "self"          // our own fault
)

// Plane is a part of the vendor's service that can fail alone.
type Plane string

// The planes.
const (
	PlaneRead  Plane = "read"
	PlaneWrite Plane = "write"
	PlaneAuth  Plane = "auth"
	PlanePush  Plane = "push"
)

// Answer is yes, no, or not known.
type Answer string

// The answers. The zero Answer is not known.
const (
	NotKnown Answer = ""
	Yes      Answer = "yes"
	No       Answer = "no"
)

// Trust says how far the wall clock can be believed.
type Trust string

// The levels of trust.
const (
	TrustGuess    Trust = "guess"    // restored after a power cut, nobody has confirmed it
	TrustHoldover Trust = "holdover" // was right once since boot, carried by the monotonic clock
	TrustSynced   Trust = "trusted"  // the kernel is kept in step by a time server
)
