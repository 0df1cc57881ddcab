package gateway

import (
	"encoding/json"
	"fmt"
	"time"
)

// Version of the lasting part on disk. An older one is read, a newer one is refused.
const LastingVersion = 1

// Lasting is the part of a State that survives a restart: what people wished, what the cloud planned,
// who was in charge, which alarms sound, and which devices there are. What devices measured is kept
// too, but only so that a restart can show it with its age; it is never taken for news.
type Lasting struct {
	Version   int                       `json:"version"`
	Home      Home                      `json:"home"`
	Rooms     Table[RoomID, Room]       `json:"rooms"`
	Devices   Table[DeviceID, Device]   `json:"devices"`
	Also      Table[DeviceID, DeviceID] `json:"also"`
	Authority Authority                 `json:"authority"`
	Outage    *Outage                   `json:"outage,omitempty"`
	Outages   []Outage                  `json:"outages,omitempty"`
	Days      []Day                     `json:"days,omitempty"`
	Watch     Watch                     `json:"watch,omitzero"`
	Verdict   Verdict                   `json:"verdict"`
	VerdictAt time.Time                 `json:"verdict_at,omitzero"`
	Why       string                    `json:"why"`
	Hold      time.Duration             `json:"hold,omitempty"`
	Flap      time.Duration             `json:"flap,omitempty"`
	Returned  time.Time                 `json:"returned,omitzero"`
	Alarms    []Alarm                   `json:"alarms,omitempty"`
	Sounded   bool                      `json:"sounded,omitempty"`
	AlarmMemory
	Guard     Guard                   `json:"guard,omitzero"`
	Asked     Table[PointKey, Asked]  `json:"asked"`
	Firings   Table[DeviceID, Firing] `json:"firings,omitzero"`
	Memories  Table[RoomID, Memory]   `json:"memories,omitzero"`
	Decisions []Decision              `json:"decisions,omitempty"`
	Decided   uint64                  `json:"decided"`
	Commanded uint64                  `json:"commanded"`
}

// Lasting returns the part of s that survives a restart.
func (s State) Lasting() Lasting {
	return Lasting{
		Outage: s.Outage, Outages: s.Outages, Days: s.Days, Watch: s.Watch,
		Version: LastingVersion, Home: s.Home, Rooms: s.Rooms, Devices: s.Devices, Also: s.Also,
		Authority: s.Authority, Verdict: s.Cloud.Verdict, VerdictAt: s.Cloud.Since, Why: s.Cloud.Why,
		Hold: s.Cloud.Hold, Flap: s.Cloud.Flap, Returned: s.Cloud.Returned,
		Alarms: s.Alarms, Sounded: s.Sounded, AlarmMemory: s.AlarmMemory, Guard: s.Guard, Asked: s.Asked, Firings: s.Firings, Memories: s.Kept,
		Decisions: s.Decisions, Decided: s.Decided, Commanded: s.Commanded,
	}
}

// State returns a State to begin with that holds the lasting part.
func (l Lasting) State() State {
	return State{
		Outage: l.Outage, Outages: l.Outages, Days: l.Days, Watch: l.Watch,
		Home: l.Home, Rooms: l.Rooms, Devices: l.Devices, Also: l.Also, Authority: l.Authority,
		Cloud:  Cloud{Verdict: l.Verdict, Since: l.VerdictAt, Why: l.Why, Hold: l.Hold, Flap: l.Flap, Returned: l.Returned},
		Alarms: l.Alarms, Sounded: l.Sounded, AlarmMemory: l.AlarmMemory, Guard: l.Guard, Asked: l.Asked,
		Firings: l.Firings, Memories: l.Memories, Kept: l.Memories, Decisions: l.Decisions, Decided: l.Decided, Commanded: l.Commanded,
	}
}

// ReadLasting reads what json.Marshal wrote of a Lasting. A version newer than this program's is
// refused: half-understood state must not steer a house.
func ReadLasting(data []byte) (Lasting, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Lasting{}, fmt.Errorf("saved state is not readable: %w", err)
	}
	if head.Version > LastingVersion {
		return Lasting{}, fmt.Errorf("saved state has version %d, this program knows %d: install the newer program, or restore a backup",
			head.Version, LastingVersion)
	}
	var l Lasting
	if err := json.Unmarshal(data, &l); err != nil {
		return Lasting{}, fmt.Errorf("saved state is not readable: %w", err)
	}
	return l, nil
}
