package mqtt

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// Profile is how devices of one kind speak, as data: a table that profiled reads. Zigbee2MQTT and plain
// topics are such tables (profiles.go), and so is what a user writes under profiles in the configuration.
//
// In topics and keys stand, in braces: topic, base, channel, command and key of the device, as the user has
// given them; _channel and /channel are the channel with that mark before it, nothing if it has none. In
// payloads: seconds, the lease; value, a target in °C; key, the name by which a valve calls its target.
//
// A key leads into a JSON object, with dots between its levels, as in DS18B20.Temperature; an empty one says
// that the payload itself is the value.
type Profile struct {
	Name     Kind
	Topic    string    // where it speaks if nothing else is said; "": {topic}
	Signs    []Sign    // of life and death
	Ask      []Say     // asks how a device stands
	Readings []Extract // what it tells
	Seen     string    // key of when the device itself last spoke, RFC 3339 or Unix milliseconds; "": not told
	Switch   *Switch   // nil: there are no relays of the kind
	Setpoint *Setpoint // nil: there are no valves of the kind
}

// Sign is a topic that tells whether somebody is there.
type Sign struct {
	Topic, Key string
	Yes, No    string // words
	Why        string // what No means, for people
	Bridge     bool   // somebody between us and the device, who proves nothing of it by being there
}

// Say is a message to a device; the roles, as letters of relay, sensor and valve, are those whom it is for.
type Say struct{ Topic, Payload, Roles string }

// Extract is where a quantity stands. Without Yes it is a number. With it, Yes is true, No is false, and
// anything else is false if No is empty, else unknown.
type Extract struct {
	Topic, Key string // Topic "": the profile's
	Quantity   gateway.Quantity
	Yes, No    string
	Roles      string // as in Say
}

// Switch is how a relay is switched, and how it ends its lease itself.
type Switch struct {
	State    Extract // Yes and No empty: ON and OFF in usual spellings
	Topic    string  // takes the orders
	On, Off  string
	OnLeased string // On with the lease in it; "": it cannot end a lease
	// Left is where the device shows what is left of its lease. An order is carried out when that was seen to
	// count: a device that ignores the lease is switched off and refused.
	Left      Extract
	PerSecond float64 // what Left counts in a second
	AskLeft   *Say    // nil: it says so by itself
	Timer     string  // what the lease is called, for people
}

// Setpoint is how a valve's target is read and set. Of several keys a valve uses one, which it must show
// before it can be set.
type Setpoint struct {
	Keys           []string
	State          string // topic; "": the profile's
	Topic, Payload string
}

// roles that a profile serves.
func (p *Profile) serves(r Role) bool {
	switch r {
	case RoleRelay:
		return p.Switch != nil
	case RoleValve:
		return p.Setpoint != nil
	}
	return slices.ContainsFunc(p.Readings, func(e Extract) bool { return isFor(e.Roles, r) })
}

// isFor reports whether letters name a role; none name all.
func isFor(roles string, r Role) bool { return roles == "" || strings.Contains(roles, string(r)[:1]) }

// readable are the quantities that a profile may read, and whether they are flags.
var readable = map[gateway.Quantity]bool{
	gateway.Temperature: false, gateway.Humidity: false, gateway.CO2: false, gateway.Pressure: false, gateway.Battery: false,
	gateway.COLevel: false, gateway.Power: false, gateway.HeatingRequest: false, gateway.Position: false,
	gateway.Smoke: true, gateway.CO: true, gateway.Motion: true, gateway.Contact: true, gateway.Tampered: true,
	gateway.LowBattery: true, gateway.OpenWindow: true,
}

var (
	profileName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	placeholder = regexp.MustCompile(`\{[^{}]*\}`)
	inTopics    = []string{"{topic}", "{channel}", "{_channel}", "{/channel}"}
)

// Check finds fault with a profile that a user has written: one sentence each.
func (p *Profile) Check() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case !profileName.MatchString(string(p.Name)):
		fault("name: %q is not a name: a small letter, then small letters, digits and _", p.Name)
	case slices.Contains(kinds, p.Name):
		fault("name: %s is there already; choose another", p.Name)
	}
	for _, s := range p.Signs {
		errs = append(errs, checkPattern("availability.topic", s.Topic, false))
		if s.Topic == "" {
			fault("availability.topic is missing")
		}
		if s.Yes == "" || s.No == "" || s.Yes == s.No {
			fault("availability: yes and no are missing: the words for a device that is there and one that is not")
		}
	}
	for _, s := range p.Ask {
		errs = append(errs, checkPattern("ask.topic", s.Topic, true))
	}
	for i, e := range p.Readings {
		if err := e.check(); err != nil {
			fault("readings item %d: %w", i+1, err)
		}
	}
	if p.Switch != nil {
		errs = append(errs, p.Switch.check()...)
	}
	if p.Setpoint != nil {
		errs = append(errs, p.Setpoint.check()...)
	}
	if p.Switch == nil && p.Setpoint == nil && len(p.Readings) == 0 {
		fault("readings, command or target is missing: a profile says what is read or what can be set")
	}
	return errors.Join(errs...)
}

func (e Extract) check() error {
	isFlag, ok := readable[e.Quantity]
	switch {
	case !ok:
		return fmt.Errorf("quantity: %q is none of %s", e.Quantity, readableWords())
	case isFlag && (e.Yes == "" || e.Yes == e.No):
		return fmt.Errorf("yes is missing: the word for %s, as in true", e.Quantity)
	case !isFlag && (e.Yes != "" || e.No != ""):
		return fmt.Errorf("yes and no are for what is true or false; %s is a number", e.Quantity)
	}
	return checkPattern("topic", e.Topic, false)
}

func readableWords() string {
	var words []string
	for q := range readable {
		words = append(words, string(q))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

func (s *Switch) check() []error {
	errs := []error{checkPattern("command.topic", s.Topic, true), checkPattern("state.topic", s.State.Topic, false)}
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.On == "" || s.Off == "" || s.On == s.Off {
		fault("command: on and off are missing: what to publish")
	}
	if (s.State.Yes == "") != (s.State.No == "") || s.State.Yes != "" && s.State.Yes == s.State.No {
		fault("state: on and off go together: the words that it shows")
	}
	switch {
	case s.OnLeased == "" && s.Left != Extract{}:
		fault("command.leased is missing: the order to switch on that ends by itself, with {seconds} in it")
	case s.OnLeased == "":
	case !strings.Contains(s.OnLeased, "{seconds}"):
		fault("command.leased: {seconds} is missing, where the time goes after which it switches off")
	case s.Left.Key == "" && s.Left.Topic == "":
		fault("left is missing: where the device shows what is left of its time; a lease that cannot be read back is none")
	default:
		errs = append(errs, checkPattern("left.topic", s.Left.Topic, false))
	}
	if s.AskLeft != nil {
		errs = append(errs, checkPattern("left.ask.topic", s.AskLeft.Topic, true))
	}
	return errs
}

func (s *Setpoint) check() []error {
	errs := []error{checkPattern("target.command", s.Topic, true), checkPattern("target.topic", s.State, false)}
	if !strings.Contains(s.Payload, "{value}") {
		errs = append(errs, errors.New("target.payload: {value} is missing, where the temperature goes"))
	}
	return errs
}

// checkPattern finds fault with a topic. One that takes orders must name the device, or all of a kind would
// be one.
func checkPattern(key, topic string, orders bool) error {
	for _, word := range placeholder.FindAllString(topic, -1) {
		if !slices.Contains(inTopics, word) {
			return fmt.Errorf("%s: %s is none of %s", key, word, strings.Join(inTopics, ", "))
		}
	}
	if orders && topic == "" {
		return fmt.Errorf("%s is missing", key)
	}
	if orders && !strings.Contains(topic, "{topic}") {
		return fmt.Errorf("%s: {topic} is missing, which tells one device from another", key)
	}
	return checkLevel(key, placeholder.ReplaceAllString(topic, "x"))
}
