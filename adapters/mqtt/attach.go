package mqtt

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Kind is the firmware by which a device speaks MQTT.
type Kind string

// The kinds.
const (
	Tasmota     Kind = "tasmota"     // Topic is its %topic%, with the usual FullTopic %prefix%/%topic%/
	Shelly      Kind = "shelly"      // the second generation and later; Topic is its MQTT prefix, usually its id
	Zigbee2MQTT Kind = "zigbee2mqtt" // Topic is the friendly name
	Plain       Kind = "plain"       // Topic is where the state stands, Command where orders go
)

var kinds = []Kind{Tasmota, Shelly, Zigbee2MQTT, Plain}

// Role is what an attached device is for.
type Role string

// The roles.
const (
	RoleRelay  Role = "relay"
	RoleSensor Role = "sensor"
	RoleValve  Role = "valve" // Zigbee2MQTT, and profiles of the user's own
)

// Attached is a device that the user has attached by MQTT.
type Attached struct {
	Name    string // for people
	Role    Role
	Kind    Kind
	Topic   string
	Base    string // Zigbee2MQTT's base topic; "": zigbee2mqtt
	Channel string // of a device with several relays: 1 and up (Tasmota), 0 and up (Shelly), as in l1 (Zigbee2MQTT); "": the first
	Command string // a plain relay's topic for ON and OFF
	Key     string // where in a plain device's JSON the value stands, as in DS18B20.Temperature; "": the payload is the value
	Room    string // name or id of the room where a sensor or valve stands
	Circuit gateway.Circuit
	Profile *Profile // of a kind that the user has described; nil: the kind is one of ours
}

// profile is how the device speaks, if that is data; else nil.
func (a Attached) profile() *Profile {
	if a.Profile != nil {
		return a.Profile
	}
	return profiles[a.Kind]
}

// Limits of a lease. The upper one keeps a house without gateway below 23 °C where an electric convector
// was left on (simulated); Zigbee counts at most 6553 s, Tasmota 64800 s.
const (
	shortestLease = time.Minute
	longestLease  = time.Hour
)

// DefaultLease is how long a relay stays on without word from us: three renewals may get lost.
const DefaultLease = 15 * time.Minute

// AcceptsNoLease is what a user says of a relay that cannot switch off by itself.
const AcceptsNoLease = "I accept that it stays on if Veilleuse dies"

// ID is the device's id in the house. It stays the same as long as kind, topic and channel do.
func (a Attached) ID() gateway.DeviceID {
	id := string(a.Kind) + "-" + a.Topic
	if a.Channel != "" {
		id += "-" + a.Channel
	}
	if a.Role == RoleSensor {
		id += "-sensor"
	}
	return gateway.DeviceID(id)
}

// Check finds fault with what the configuration says of the device: one sentence each.
func (a Attached) Check() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if a.Name == "" {
		fault("name is missing: what people call it")
	}
	switch {
	case a.Profile != nil && !a.Profile.serves(a.Role):
		fault("kind: profile %s says nothing of a %s; it needs %s", a.Kind, a.Role, roleNeeds[a.Role])
	case a.Profile == nil && !slices.Contains(kinds, a.Kind):
		fault("kind: %q is none of tasmota, shelly, zigbee2mqtt, plain, and no name of a profile", a.Kind)
	}
	for _, t := range []struct{ key, topic string }{{"topic", a.Topic}, {"command", a.Command}, {"base", a.Base}} {
		if err := checkLevel(t.key, t.topic); err != nil {
			errs = append(errs, err)
		}
	}
	if a.Topic == "" {
		fault("topic is missing: %s", topicWords[a.Kind])
	}
	if a.Base != "" && a.Kind != Zigbee2MQTT {
		fault("base is for zigbee2mqtt only")
	}
	if a.Key != "" && a.Kind != Plain {
		fault("key is for plain devices only: %s says itself what is what", a.Kind)
	}
	if err := a.checkChannel(); err != nil {
		errs = append(errs, err)
	}
	if a.Role == RoleRelay {
		errs = append(errs, a.checkRelay()...)
	} else if a.Command != "" {
		fault("command is for plain relays only")
	}
	if a.Role == RoleValve && a.Kind != Zigbee2MQTT && a.Profile == nil {
		fault("kind: a valve by MQTT is understood from zigbee2mqtt or a profile, not from %s", a.Kind)
	}
	return errors.Join(errs...)
}

// roleNeeds is what a profile must say to serve a role.
var roleNeeds = map[Role]string{RoleRelay: "state and command", RoleSensor: "readings", RoleValve: "target"}

var topicWords = map[Kind]string{
	Tasmota: "what Tasmota's page calls Topic, as in tasmota_4F2A", Shelly: "what the device's page calls MQTT prefix, as in shellyplus1-a8032ab12345",
	Zigbee2MQTT: "the friendly name", Plain: "where the state stands", "": "where the device speaks",
}

func checkLevel(key, topic string) error {
	if strings.ContainsAny(topic, "+#\x00") || strings.HasPrefix(topic, "/") || strings.HasSuffix(topic, "/") || strings.HasPrefix(topic, "$") {
		return fmt.Errorf("%s: %q is not a topic: no + or #, no / at either end", key, topic)
	}
	return nil
}

func (a Attached) checkChannel() error {
	n, err := strconv.Atoi(a.Channel)
	switch {
	case a.Channel == "":
	case a.Kind == Tasmota && (err != nil || n < 1 || n > 8):
		return fmt.Errorf("channel: %q is none of 1 to 8", a.Channel)
	case a.Kind == Shelly && (err != nil || n < 0 || n > 7):
		return fmt.Errorf("channel: %q is none of 0 to 7", a.Channel)
	case a.Kind == Plain:
		return errors.New("channel: a plain device has none; give the topic of the one that is meant")
	case (a.Kind == Zigbee2MQTT || a.Profile != nil) && strings.Contains(a.Channel, "/"):
		return fmt.Errorf("channel: %q is not an endpoint as in l1", a.Channel)
	}
	return nil
}

func (a Attached) checkRelay() []error {
	var errs []error
	if len(a.Circuit.Rooms) == 0 {
		errs = append(errs, errors.New("rooms is missing: the rooms that it heats, as in [Living, Bath]"))
	}
	switch lease := a.Circuit.Lease; {
	case lease == 0:
	case a.Kind == Plain:
		errs = append(errs, fmt.Errorf("lease: a plain relay cannot switch off by itself; say without_lease: %q, or use one that can", AcceptsNoLease))
	case a.Profile != nil && a.Profile.Switch != nil && a.Profile.Switch.OnLeased == "":
		errs = append(errs, fmt.Errorf("lease: profile %s has no command.leased, so it cannot switch off by itself; say without_lease: %q, or complete the profile", a.Kind, AcceptsNoLease))
	case lease < shortestLease || lease > longestLease:
		errs = append(errs, fmt.Errorf("lease: %v is out of range: 1m to 1h", lease))
	}
	switch {
	case a.Kind == Plain && a.Command == "":
		errs = append(errs, errors.New("command is missing: the topic that takes ON and OFF"))
	case a.Kind != Plain && a.Command != "":
		errs = append(errs, errors.New("command is for plain relays only"))
	}
	return errs
}

// topics are those that the device is spoken to and heard on, as far as they are known.
func (a Attached) topics() []string {
	all := []string{a.Topic, a.Command}
	if a.Profile == nil || a.Check() != nil {
		return all
	}
	p := newProfiled(a)
	all = append(all, p.wanted...)
	for _, s := range p.Ask {
		all = append(all, s.Topic)
	}
	if p.Switch != nil {
		all = append(all, p.Switch.Topic)
	}
	if p.Setpoint != nil {
		all = append(all, p.Setpoint.Topic)
	}
	return all
}

// checkAttached finds fault with the devices as a whole.
func (o Options) checkAttached() []error {
	var errs []error
	names, ids := map[string]bool{}, map[gateway.DeviceID]bool{}
	for i, a := range o.Attached {
		where := fmt.Sprintf("%ss item %d", a.Role, i+1)
		if a.Name != "" {
			where = fmt.Sprintf("%ss, %s", a.Role, a.Name)
		}
		if err := a.Check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", where, err))
		}
		if ids[a.ID()] {
			errs = append(errs, fmt.Errorf("%s: topic: %s is attached twice", where, a.Topic))
		}
		if names[a.Name] {
			errs = append(errs, fmt.Errorf("%s: name: two devices are called so", where))
		}
		for _, topic := range a.topics() {
			if strings.HasPrefix(topic+"/", o.base()+"/") {
				errs = append(errs, fmt.Errorf("%s: topic: %s stands below mqtt.base, where Veilleuse itself speaks", where, topic))
			}
		}
		names[a.Name], ids[a.ID()] = true, true
	}
	return errs
}
