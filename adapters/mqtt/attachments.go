package mqtt

import (
	"errors"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// attachments are the devices that the user has attached by MQTT, while the adapter runs.
type attachments struct {
	all  []*attachment
	by   map[gateway.DeviceID]*attachment
	port gateway.Port
	say  func(order)
	late <-chan time.Time // when to look for commands that are late; nil: none is under way
}

// attachment is one of them.
type attachment struct {
	Attached
	dialect
	id     gateway.DeviceID
	reach  gateway.Answer // as the house was told last
	why    string
	under  gateway.Command // the command under way; ID 0: none
	since  time.Time       // when it was given
	wanted []string        // filters
}

// echoes is how long a device may take to show what it was told. Veilleuse calls it silent after 30 s.
const echoes = 15 * time.Second

func newAttachments(devices []Attached, port gateway.Port, say func(order)) *attachments {
	a := &attachments{by: make(map[gateway.DeviceID]*attachment), port: port, say: say}
	for _, d := range devices {
		one := &attachment{Attached: d, dialect: speak(d), id: d.ID()}
		one.wanted = one.dialect.filters()
		a.all = append(a.all, one)
		a.by[one.id] = one
	}
	return a
}

// speak finds the way to speak to a device.
func speak(a Attached) dialect {
	switch a.Kind {
	case Tasmota:
		return newTasmota(a)
	case Shelly:
		return newShelly(a)
	}
	return newProfiled(a)
}

// introduce tells the house what is attached, and what no longer is.
func (a *attachments) introduce(s gateway.State) {
	for id, d := range s.Devices.All() {
		if _, face := d.Face(gateway.MQTTAdapter); face && a.by[id] == nil {
			a.port.Post(gateway.Gone{Device: id})
		}
	}
	for _, one := range a.all {
		a.port.Post(one.found())
	}
}

func (one *attachment) found() gateway.Found {
	f := gateway.Found{Device: one.id, Name: one.Name, Model: one.model(), RoomName: one.Room}
	switch one.Role {
	case RoleRelay:
		circuit := one.Circuit
		f.Circuit = &circuit
		f.Controls = []gateway.Control{{Quantity: gateway.Relay}}
		if len(circuit.Rooms) == 1 {
			f.RoomName = circuit.Rooms[0]
		}
	case RoleValve:
		f.Controls = []gateway.Control{{Quantity: gateway.Target, Min: coldestTarget, Max: hottestTarget, Step: targetStep}}
	}
	return f
}

// model is what people call the kind; a user's own profile is called by its name.
func (one *attachment) model() string {
	if name, ok := models[one.Kind]; ok {
		return name
	}
	return string(one.Kind)
}

var models = map[Kind]string{Tasmota: "Tasmota", Shelly: "Shelly", Zigbee2MQTT: "Zigbee2MQTT", Plain: "MQTT"}

func (a *attachments) filters() []string {
	var all []string
	for _, one := range a.all {
		all = append(all, one.wanted...)
	}
	return all
}

// greet asks every device how it stands: states are read before anything is decided.
func (a *attachments) greet() {
	for _, one := range a.all {
		a.send(one, one.dialect.greet())
	}
}

func (a *attachments) send(one *attachment, orders []order) {
	for _, o := range orders {
		o.of = one.id
		a.say(o)
	}
}

// hear takes a message if it comes from an attached device.
func (a *attachments) hear(m heard) bool {
	ours := false
	for _, one := range a.all {
		for _, f := range one.wanted {
			if matches(f, m.topic) {
				ours = true
				a.take(one, one.dialect.hear(m))
				break
			}
		}
	}
	return ours
}

// take passes on what a message of a device says.
func (a *attachments) take(one *attachment, r report) {
	if r.reach != gateway.NotKnown {
		a.reached(one, r.reach, r.why)
	}
	for _, s := range r.readings {
		a.port.Post(gateway.Reading{Device: one.id, Quantity: s.quantity, Value: s.value, Measured: s.at})
	}
	a.send(one, r.orders)
	if r.done || r.fault != "" {
		a.answer(one, r.fault, r.final)
	}
}

// reached tells the house whether a device answers, if that is news.
func (a *attachments) reached(one *attachment, reach gateway.Answer, why string) {
	if one.reach != reach || one.why != why {
		one.reach, one.why = reach, why
		a.port.Post(gateway.Reach{Device: one.id, OK: reach == gateway.Yes, Why: why})
	}
}

// answer ends the command under way.
func (a *attachments) answer(one *attachment, fault string, final bool) {
	if one.under.ID == 0 {
		return
	}
	a.port.Post(gateway.Outcome{ID: one.under.ID, Point: one.under.Point, Err: fault, Final: final})
	one.under = gateway.Command{}
}

// command carries out what the house asks of a device.
func (a *attachments) command(c gateway.Command, up bool) {
	refuse := func(why string, final bool) {
		a.port.Post(gateway.Outcome{ID: c.ID, Point: c.Point, Err: why, Final: final})
	}
	one, ok := a.by[gateway.DeviceID(c.Point.Of)]
	switch {
	case !ok || !one.takes(c.Point.Quantity):
		refuse("nothing of that kind can be set through MQTT", true)
		return
	case !up:
		refuse("the MQTT broker is not there", false)
		return
	case one.overdue(c, a.port.Now()):
		refuse("it came too late", false)
		return
	}
	orders, err := one.dialect.set(c)
	a.send(one, orders)
	if err != nil {
		var final finalError
		refuse(err.Error(), errors.As(err, &final))
		return
	}
	one.under, one.since = c, a.port.Now()
	if a.late == nil {
		a.late = a.port.After(echoes)
	}
}

// takes reports whether a quantity can be set on the device.
func (one *attachment) takes(q gateway.Quantity) bool {
	return one.Role == RoleRelay && q == gateway.Relay || one.Role == RoleValve && q == gateway.Target
}

// overdue reports whether a relay would be switched on by an order whose time is over.
func (one *attachment) overdue(c gateway.Command, now time.Time) bool {
	return one.Role == RoleRelay && c.Value.Yes() && !c.Until.IsZero() && !now.Before(c.Until)
}

// lookForLate gives up on commands that were not carried out in time.
func (a *attachments) lookForLate() {
	a.late = nil
	next := time.Duration(0)
	for _, one := range a.all {
		if one.under.ID == 0 {
			continue
		}
		if left := echoes - a.port.Now().Sub(one.since); left > 0 {
			if next == 0 || left < next {
				next = left
			}
			continue
		}
		a.take(one, one.dialect.late())
	}
	if next > 0 {
		a.late = a.port.After(next)
	}
}

// cutOff says that nobody can be reached without the broker.
func (a *attachments) cutOff() {
	for _, one := range a.all {
		a.reached(one, gateway.No, "the MQTT broker is not there")
		one.dialect.drop()
		a.answer(one, "the MQTT broker was lost", false)
	}
}

// undelivered answers for an order that the broker did not take.
func (a *attachments) undelivered(of gateway.DeviceID, err error) {
	if one, ok := a.by[of]; ok {
		one.dialect.drop()
		a.answer(one, fmt.Sprintf("the MQTT broker did not take it: %v", err), false)
	}
}
