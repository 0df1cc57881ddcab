package gateway

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Quantity names what a reading measures or a command sets. The words are those of the MQTT topics.
type Quantity string

// The quantities, with the unit of their value.
const (
	Temperature    Quantity = "temperature"     // °C
	Target         Quantity = "target"          // °C, the setpoint
	Humidity       Quantity = "humidity"        // % relative
	CO2            Quantity = "co2"             // ppm
	Noise          Quantity = "noise"           // dB
	Pressure       Quantity = "pressure"        // hPa at sea level
	Rain           Quantity = "rain"            // mm in the last hour
	RainToday      Quantity = "rain-today"      // mm since local midnight
	Wind           Quantity = "wind"            // km/h
	WindAngle      Quantity = "wind-angle"      // degrees, 0 = north
	Gust           Quantity = "gust"            // km/h
	GustAngle      Quantity = "gust-angle"      // degrees, 0 = north
	HealthIndex    Quantity = "health-index"    // 0 healthy to 4 unhealthy, the vendor's own scale
	AirQuality     Quantity = "air-quality"     // 1 excellent to 5 poor, HomeKit's scale
	Battery        Quantity = "battery"         // %
	LowBattery     Quantity = "low-battery"     // flag
	Motion         Quantity = "motion"          // flag
	Contact        Quantity = "contact"         // flag, true = open
	Smoke          Quantity = "smoke"           // flag, true = smoke
	CO             Quantity = "co"              // flag, true = carbon monoxide
	COLevel        Quantity = "co-level"        // ppm
	COPeak         Quantity = "co-peak"         // ppm
	SelfTest       Quantity = "self-test"       // flag, true: the detector was tried by a person or by itself, and says so
	Tampered       Quantity = "tampered"        // flag
	Intrusion      Quantity = "intrusion"       // kind of alarm: somebody is in who ought not to be
	Fault          Quantity = "fault"           // flag, the device's own word
	Siren          Quantity = "siren"           // flag, true = sounding
	Ring           Quantity = "ring"            // number of presses seen, grows with each
	Monitoring     Quantity = "monitoring"      // flag, camera records
	Floodlight     Quantity = "floodlight"      // word: on, off, auto
	On             Quantity = "on"              // flag, switch, outlet or light
	Brightness     Quantity = "brightness"      // %
	Position       Quantity = "position"        // %, 100 = open
	Power          Quantity = "power"           // W
	Boiler         Quantity = "boiler"          // flag, the thermostat calls for heat
	Relay          Quantity = "relay"           // flag, a heating relay that only the rules switch
	HeatingRequest Quantity = "heating-request" // %, how much a valve asks for
	OpenWindow     Quantity = "open-window"     // flag
	Mode           Quantity = "mode"            // word: a RoomMode or HomeMode
	TimetableID    Quantity = "schedule"        // word: the id of the schedule in force
	Look           Quantity = "look"            // word: what to read again now
	Tell           Quantity = "tell"            // number of the round: people are to be told of an alarm
	Lock           Quantity = "lock"            // flag
	SDCard         Quantity = "sd-card"         // number, the vendor's own code, 4 = works
	PowerSupply    Quantity = "power-supply"    // flag, true = good
	Signal         Quantity = "signal"          // the vendor's radio figure, lower is better
	Firmware       Quantity = "firmware"        // word
	Snapshot       Quantity = "snapshot"        // word: when a picture was last taken, RFC 3339
)

// Value is what a reading says or a command asks for: a number in its quantity's unit, a flag, or a
// word. The zero Value means unknown. Values are comparable with ==.
type Value struct {
	kind   kind
	number float64
	word   string
}

type kind uint8

const (
	unknown kind = iota
	number
	flag
	word
)

// Number returns a numeric value. NaN and infinities are no numbers: they give the unknown value.
func Number(n float64) Value {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return Value{}
	}
	return Value{kind: number, number: n}
}

// Flag returns a yes or no.
func Flag(yes bool) Value {
	v := Value{kind: flag}
	if yes {
		v.number = 1
	}
	return v
}

// Word returns a value that is a word.
func Word(w string) Value { return Value{kind: word, word: w} }

// Known reports whether v says anything.
func (v Value) Known() bool { return v.kind != unknown }

// Number returns the number that v is; a flag counts as 0 or 1. The second result is false for
// words and the unknown value.
func (v Value) Number() (float64, bool) { return v.number, v.kind == number || v.kind == flag }

// Yes reports whether v is a flag that is set, or a number other than 0.
func (v Value) Yes() bool { return (v.kind == flag || v.kind == number) && v.number != 0 }

// Word returns the word that v is, or "".
func (v Value) Word() string { return v.word }

// String returns v for people: 21.5, yes, no, away, unknown.
func (v Value) String() string {
	switch v.kind {
	case number:
		return strconv.FormatFloat(v.number, 'f', -1, 64)
	case flag:
		if v.Yes() {
			return "yes"
		}
		return "no"
	case word:
		return v.word
	}
	return "unknown"
}

// MarshalJSON writes a JSON number, boolean, string or null.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case number:
		return strconv.AppendFloat(nil, v.number, 'f', -1, 64), nil
	case flag:
		return strconv.AppendBool(nil, v.Yes()), nil
	case word:
		return json.Marshal(v.word)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(data []byte) error {
	var any any
	if err := json.Unmarshal(data, &any); err != nil {
		return err
	}
	switch x := any.(type) {
	case nil:
		*v = Value{}
	case float64:
		*v = Number(x)
	case bool:
		*v = Flag(x)
	case string:
		*v = Word(x)
	default:
		return fmt.Errorf("a value is a number, true, false, a string or null, not %s", data)
	}
	return nil
}
