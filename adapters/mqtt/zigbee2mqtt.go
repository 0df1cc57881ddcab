package mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// zigbee is a device behind Zigbee2MQTT (zigbee2mqtt.io, "MQTT Topics and Messages"). The lease of a relay
// is on_time in the order: Zigbee's OnWithTimedOff, which the documentation says not every firmware
// supports. Whether this one does shows in its attribute onTime, which counts down from ten times the
// seconds: it is read together with each order. A relay whose onTime does not count is switched off and
// refused from then on.
type zigbee struct {
	topic, base string
	endpoint    string // "": the only one
	role        Role
	lease       time.Duration

	proven  bool          // onTime was seen to count
	refused bool          // it was seen not to
	wish    gateway.Value // what was ordered and is not done yet
	shows   bool          // the device shows what was ordered
	counts  bool          // and counts
	target  string        // the valve's key for its setpoint, once known
}

func newZigbee(a Attached) *zigbee {
	base := a.Base
	if base == "" {
		base = "zigbee2mqtt"
	}
	return &zigbee{topic: base + "/" + a.Topic, base: base, endpoint: a.Channel, role: a.Role, lease: a.Circuit.Lease}
}

func (z *zigbee) filters() []string {
	return []string{z.topic, z.topic + "/availability", z.base + "/bridge/state"}
}

// counter is where Zigbee2MQTT is told to publish what it read of onTime.
const counter = "veilleuse_on_time"

func (z *zigbee) greet() []order {
	switch z.role {
	case RoleRelay:
		return []order{{topic: z.topic + "/get", text: `{"` + z.stateKey() + `":""}`}}
	case RoleValve:
		return []order{{topic: z.topic + "/get", text: `{"local_temperature":""}`}}
	}
	return nil // sensors on batteries sleep
}

func (z *zigbee) stateKey() string { return z.keyed("state") }

// keyed is a key as it is called for our endpoint.
func (z *zigbee) keyed(key string) string {
	if z.endpoint == "" {
		return key
	}
	return key + "_" + z.endpoint
}

// setTopic is where orders go; the endpoint is a level of its own there.
func (z *zigbee) setTopic() string {
	if z.endpoint == "" {
		return z.topic + "/set"
	}
	return z.topic + "/" + z.endpoint + "/set"
}

func (z *zigbee) set(c gateway.Command) ([]order, error) {
	switch z.role {
	case RoleRelay:
		return z.setRelay(c.Value.Yes())
	case RoleValve:
		return z.setTarget(c.Value)
	}
	return nil, errNothingToSet
}

func (z *zigbee) setRelay(on bool) ([]order, error) {
	z.wish, z.shows, z.counts = gateway.Flag(on), false, false
	switch {
	case !on:
		return []order{{topic: z.setTopic(), text: `{"state":"OFF"}`}}, nil
	case z.lease == 0:
		return []order{{topic: z.setTopic(), text: `{"state":"ON"}`}}, nil
	case z.refused:
		z.wish = gateway.Value{}
		return nil, errNoTimer
	}
	return []order{
		{topic: z.setTopic(), text: fmt.Sprintf(`{"state":"ON","on_time":%d}`, int(z.lease/time.Second))},
		{topic: z.setTopic(), text: `{"read":{"cluster":"genOnOff","attributes":["onTime"],"state_property":"` + counter + `"}}`},
	}, nil
}

// errNoTimer is final: a firmware learns nothing by being asked again.
var errNoTimer = finalError("its firmware ignores on_time, so it would stay on if Veilleuse dies; use another relay, or say without_lease in the configuration")

// finalError is why asking again is useless.
type finalError string

func (e finalError) Error() string { return string(e) }

func (z *zigbee) setTarget(v gateway.Value) ([]order, error) {
	n, ok := v.Number()
	if !ok || n < coldestTarget || n > hottestTarget {
		return nil, finalError(fmt.Sprintf("%v is no temperature for a valve: %g to %g °C", v, coldestTarget, hottestTarget))
	}
	if z.target == "" {
		return z.greet(), errors.New("it has not said yet how its setpoint is called")
	}
	z.wish = gateway.Number(n)
	text, err := json.Marshal(map[string]float64{z.target: n})
	if err != nil {
		return nil, err
	}
	return []order{{topic: z.setTopic(), text: string(text)}}, nil
}

// Targets that valves behind Zigbee2MQTT take, °C.
const (
	coldestTarget = 5.0
	hottestTarget = 30.0
	targetStep    = 0.5
)

// targetKeys are what Zigbee2MQTT calls the setpoint of a valve, by model.
var targetKeys = []string{"occupied_heating_setpoint", "current_heating_setpoint"}

func (z *zigbee) hear(m heard) report {
	switch m.topic {
	case z.topic + "/availability", z.base + "/bridge/state":
		return z.hearAvailability(m)
	case z.topic:
	default:
		return report{}
	}
	body := parseTold(m.payload)
	if body == nil {
		return report{}
	}
	seen := lastSeen(body)
	r := report{}
	switch z.role {
	case RoleRelay:
		if m.retained {
			return report{}
		}
		z.hearRelay(&r, body)
	case RoleValve:
		z.hearValve(&r, body)
		z.hearSensors(&r, body)
	default:
		z.hearSensors(&r, body)
	}
	if m.retained {
		r.readings = slices.DeleteFunc(r.readings, func(s said) bool {
			return seen.IsZero() && !(s.value.Yes() && (s.quantity == gateway.Smoke || s.quantity == gateway.CO))
		})
		for i := range r.readings {
			r.readings[i].at = seen
		}
		return r
	}
	r.reach = gateway.Yes
	return r
}

// lastSeen is when the device itself last spoke, if Zigbee2MQTT is set to say so (advanced.last_seen).
func lastSeen(body told) time.Time {
	if t, err := time.Parse(time.RFC3339, body.word("last_seen")); err == nil {
		return t
	}
	if ms, ok := body.number("last_seen").Number(); ok && ms > 0 && ms < 1e14 {
		return time.UnixMilli(int64(ms))
	}
	return time.Time{}
}

// hearAvailability takes "online", or {"state":"online"} as newer releases say it. A bridge that is there
// proves nothing of its devices; one that is not cuts them off.
func (z *zigbee) hearAvailability(m heard) report {
	state := parseTold(m.payload).word("state")
	if state == "" {
		state = string(m.payload)
	}
	bridge := m.topic == z.base+"/bridge/state"
	switch {
	case state == "offline" && bridge:
		return report{reach: gateway.No, why: "Zigbee2MQTT is not there"}
	case state == "offline":
		return report{reach: gateway.No, why: "Zigbee2MQTT does not reach it"}
	case state != "online":
		return report{}
	case bridge && m.retained:
		return report{}
	case bridge:
		return report{orders: z.greet()}
	}
	return report{reach: gateway.Yes}
}

func (z *zigbee) hearRelay(r *report, body told) {
	v := onOff(body.word(z.stateKey()))
	r.say(gateway.Relay, v)
	r.say(gateway.Power, body.number(z.keyed("power")))
	if left, ok := body.within(counter).number("onTime").Number(); ok {
		// The property stays in Zigbee2MQTT's memory and comes again with each state: what counts is that
		// it was ever above zero, which a firmware without the timer never shows.
		z.counts = left > 0 && left <= z.lease.Seconds()*10
		z.proven = z.proven || z.counts
	}
	if !z.wish.Known() || !v.Known() {
		return
	}
	z.shows = v == z.wish
	if z.shows && (!z.wish.Yes() || z.lease == 0 || z.counts) {
		r.done, z.wish = true, gateway.Value{}
	}
}

func (z *zigbee) drop() { z.wish = gateway.Value{} }

// late is the end of a first order whose lease was not confirmed: a relay that is not known to switch off
// by itself does not stay on.
func (z *zigbee) late() report {
	wish := z.wish
	z.wish = gateway.Value{}
	if z.role != RoleRelay || !wish.Yes() || z.lease == 0 || z.proven || !z.shows {
		return report{fault: noEcho}
	}
	z.refused = true
	return report{orders: []order{{topic: z.setTopic(), text: `{"state":"OFF"}`}}, fault: string(errNoTimer), final: true}
}

func (z *zigbee) hearValve(r *report, body told) {
	for _, key := range targetKeys {
		v := body.number(key)
		n, ok := v.Number()
		if !ok {
			continue
		}
		z.target = key
		if n < coldestTarget-1 || n > hottestTarget+5 {
			break // no valve has such a setpoint
		}
		r.say(gateway.Target, v)
		if wish, ok := z.wish.Number(); ok && math.Abs(wish-n) < targetStep/2 {
			r.done, z.wish = true, gateway.Value{}
		}
		break
	}
	r.say(gateway.Temperature, body.number("local_temperature"))
	r.say(gateway.HeatingRequest, body.number("pi_heating_demand"))
	for _, key := range []string{"position", "valve_position", "valve_opening_degree"} {
		r.say(gateway.Position, body.number(key))
	}
	if window := body.word("window"); window != "" {
		r.say(gateway.OpenWindow, gateway.Flag(window == "OPEN"))
	}
	r.say(gateway.OpenWindow, body.flag("window_open"))
}

// hearSensors takes what Zigbee2MQTT's sensors say, by the names that all its models share.
func (z *zigbee) hearSensors(r *report, body told) {
	for _, n := range []struct {
		key string
		q   gateway.Quantity
	}{{"temperature", gateway.Temperature}, {"humidity", gateway.Humidity}, {"co2", gateway.CO2}, {"pressure", gateway.Pressure}, {"battery", gateway.Battery}, {"co", gateway.COLevel}} {
		r.say(n.q, body.number(n.key))
	}
	for _, f := range []struct {
		key string
		q   gateway.Quantity
	}{{"smoke", gateway.Smoke}, {"carbon_monoxide", gateway.CO}, {"occupancy", gateway.Motion}, {"tamper", gateway.Tampered}, {"battery_low", gateway.LowBattery}} {
		r.say(f.q, body.flag(f.key))
	}
	if closed := body.flag("contact"); closed.Known() { // Zigbee2MQTT: true = closed
		r.say(gateway.Contact, gateway.Flag(!closed.Yes()))
	}
}
