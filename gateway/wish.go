package gateway

import "time"

// Ask is one of a closed set of small structs: what a person wishes.
type Ask interface{ ask() }

// SetTarget asks for a temperature in a room. With neither For nor Until the home's default
// duration holds; with Forever it has no end.
type SetTarget struct {
	Room    RoomID
	Target  float64 // °C
	For     time.Duration
	Until   time.Time
	Forever bool
}

// FollowHome asks a room to follow the home again: the schedule or the home's mode.
type FollowHome struct{ Room RoomID }

// SetRoomOff asks for no heating in a room. The frost floor holds all the same.
type SetRoomOff struct{ Room RoomID }

// SetMode asks for a mode of the whole home. A zero Until has no end.
type SetMode struct {
	Mode  HomeMode
	For   time.Duration
	Until time.Time
}

// SwitchSchedule asks for another of the vendor's schedules.
type SwitchSchedule struct{ ID string }

// SetDevice asks for a value on one device: a siren, a floodlight, monitoring.
type SetDevice struct {
	Device   DeviceID
	Quantity Quantity
	Value    Value
}

// Hush asks that sirens be silent. The alarm goes on, and another detector sounds again.
type Hush struct{}

// Acknowledge says that somebody has taken note of every alarm that is on: nobody else is told, nothing
// further is turned on. The alarm goes on, and so do sirens that sound; Hush is for them, and counts as
// taking note, too.
type Acknowledge struct{}

// StartTest says that a person tries detectors now: alarms within that time are tests. One that
// outlasts it is real.
type StartTest struct {
	Device DeviceID // "": any
	For    time.Duration
}

// EndTest asks for the test to end now.
type EndTest struct{}

// StartDrill asks for an outage to be played on the real house: the verdict is forced for that long,
// everything else is as always. A real alarm ends it at once.
type StartDrill struct{ For time.Duration }

// EndDrill asks for the drill to end now.
type EndDrill struct{}

// Refused is a wish that an adapter could not even read. It is recorded with the reason, so that
// the person finds it where decisions are shown.
type Refused struct {
	Text string // what was asked, shortened
	Why  string
}

func (SetTarget) ask()      {}
func (FollowHome) ask()     {}
func (SetRoomOff) ask()     {}
func (SetMode) ask()        {}
func (SwitchSchedule) ask() {}
func (SetDevice) ask()      {}
func (Hush) ask()           {}
func (Acknowledge) ask()    {}
func (StartTest) ask()      {}
func (EndTest) ask()        {}
func (StartDrill) ask()     {}
func (EndDrill) ask()       {}
func (Refused) ask()        {}

// HomeMode is what the whole home does.
type HomeMode string

// The modes of a home. The vendor calls frost guard hg.
const (
	HomeSchedule HomeMode = "schedule"
	HomeAway     HomeMode = "away"
	HomeFrost    HomeMode = "frost"
)

// RoomMode is why a room has its target.
type RoomMode string

// The modes of a room.
const (
	RoomSchedule RoomMode = "schedule"
	RoomManual   RoomMode = "manual"
	RoomMax      RoomMode = "max" // the vendor's boost, 30 °C
	RoomAway     RoomMode = "away"
	RoomFrost    RoomMode = "frost"
	RoomOff      RoomMode = "off"
	RoomHome     RoomMode = "home" // follows the home; what that is, is not said
	RoomHold     RoomMode = "hold" // the clock cannot be trusted: a safe temperature
)
