package gateway

import "time"

// Command says: make this point have this value, until then, because. It may be sent twice, may get
// lost, and is harmless when repeated.
type Command struct {
	ID    uint64
	Point Point
	Value Value
	Until time.Time // zero: no end
	Why   string    // for people
}

// Point is one thing that can be set: through which adapter, on what, which quantity.
type Point struct {
	Adapter  string   `json:"adapter"`
	Of       string   `json:"of"` // id of a device; for the cloud also of a room or the home
	Quantity Quantity `json:"quantity"`
}

// String returns the point as adapter/of/quantity; it serves as a key.
func (p Point) String() string { return p.Adapter + "/" + p.Of + "/" + string(p.Quantity) }

// Names of the adapters that rules and others must know apart.
const (
	CloudAdapter     = "netatmo"
	AccessoryAdapter = "accessory"
	CameraAdapter    = "camera"
	MQTTAdapter      = "mqtt"
	CommandAdapter   = "command" // runs programs of the user's own
	WebAdapter       = "web"     // the page
	LoopName         = "loop"    // From of the events that the Loop itself makes
)

// Points of the cloud that belong to no device.
//
//	{netatmo, <room id>, target}   number, Until = end time     a manual setpoint
//	{netatmo, <room id>, mode}     word: home, max, off, frost  a room's mode, Until = end time
//	{netatmo, <home id>, mode}     word: schedule, away, frost  the home's mode, Until = end time
//	{netatmo, <home id>, schedule} word: a schedule id
//	{netatmo, <home id>, look}     word: anything new           read the cloud now
//
// Points of an alarm, whose value is the number of the round:
//
//	{homekit, alarm-<number>, tell}            the Home app is to be told
//	{mqtt, alarm-<number>, tell}               MQTT is
//	{web, alarm-<number>, tell}                the pages that are open are
//	{command, alarm-<number>/<program>, tell}  the program is to be run
func CloudPoint(of string, q Quantity) Point { return Point{CloudAdapter, of, q} }
