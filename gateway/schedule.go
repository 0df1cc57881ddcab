package gateway

import (
	"encoding/json"
	"fmt"
	"time"
)

// Schedule is one weekly timetable as the vendor keeps it, with all its oddities: slots need not be
// sorted, zone ids are neither index nor type, zones may lack rooms.
type Schedule struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Type     string  `json:"type"` // therm, cooling, electricity, event ...; each type has its own Selected
	Selected bool    `json:"selected,omitempty"`
	Away     float64 `json:"away,omitempty"`  // °C in away mode; 0 = the vendor did not say
	Frost    float64 `json:"frost,omitempty"` // °C in frost guard mode; 0 = the vendor did not say
	Slots    []Slot  `json:"slots"`
	Zones    []Zone  `json:"zones"`
}

// Slot begins a zone at a minute of the week and holds until the next slot; the list is circular.
type Slot struct {
	Minute int `json:"minute"` // after Monday 00:00 by the wall clock of the home, 0 to 10079
	Zone   int `json:"zone"`   // a Zone.ID
}

// Zone is a set of room targets that a slot puts in force: "Comfort", "Night".
type Zone struct {
	ID    int        `json:"id"`
	Type  int        `json:"type"` // 0 comfort, 1 night, 2 away, 3 frost guard, 4 own, 5 eco, 8 comfort+
	Name  string     `json:"name"`
	Rooms []ZoneRoom `json:"rooms"`
}

// ZoneRoom is what a zone asks of one room: a temperature, or an order by pilot wire.
type ZoneRoom struct {
	Room   RoomID  `json:"room"`
	Target float64 `json:"target,omitempty"` // °C; 0 if Order is set
	Order  string  `json:"order,omitempty"`  // comfort, away, frost_guard, stand_by, comfort_1, comfort_2
}

// TimeZone is an IANA time zone that survives JSON by its name. The zero TimeZone is UTC.
type TimeZone struct{ location *time.Location }

// LoadTimeZone finds a zone by its IANA name ("Europe/Paris").
func LoadTimeZone(name string) (TimeZone, error) {
	location, err := time.LoadLocation(name)
	if err != nil {
		return TimeZone{}, fmt.Errorf("time zone %q is not known here; expected a name as in Europe/Paris, and the system's list of them (Debian's tzdata)", name)
	}
	return TimeZone{location}, nil
}

// Location returns the zone for use with package time; never nil.
func (z TimeZone) Location() *time.Location {
	if z.location == nil {
		return time.UTC
	}
	return z.location
}

// String returns the IANA name.
func (z TimeZone) String() string { return z.Location().String() }

// MarshalJSON writes the name.
func (z TimeZone) MarshalJSON() ([]byte, error) { return json.Marshal(z.String()) }

// UnmarshalJSON reads a name.
func (z *TimeZone) UnmarshalJSON(data []byte) error {
	var name string
	if err := json.Unmarshal(data, &name); err != nil {
		return err
	}
	loaded, err := LoadTimeZone(name)
	if err != nil {
		return err
	}
	*z = loaded
	return nil
}
