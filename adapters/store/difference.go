package store

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// urgency says how soon a difference is to be saved.
type urgency int

const (
	nothing   urgency = iota
	measured          // what devices say, when and why: it comes anew after a restart
	decided           // the list of decisions: a minute of it may be lost
	essential         // what people wished and the cloud planned, who is in charge, which devices there are
	grave             // an alarm that came, was answered or ended, the guard: nobody may be told twice of what was answered
)

// difference says how soon now is to be saved, if then is what was saved. Its cost grows with what
// changed, not with the house.
func difference(then, now gateway.State) urgency {
	if then.Version == now.Version && then.Version != 0 {
		return nothing
	}
	most := differenceOf(then.Devices, now.Devices, essentialDevice)
	most = max(most, differenceOf(then.Rooms, now.Rooms, essentialRoom))
	most = max(most, differenceOf(then.Also, now.Also, func(id gateway.DeviceID) gateway.DeviceID { return id }))
	most = max(most, differenceOf(then.Kept, now.Kept, func(gateway.Memory) gateway.Memory { return gateway.Memory{} }))
	a, b := rest(then), rest(now)
	switch {
	case !same(graveAlarms(a), graveAlarms(b)), a.Guard.Mode != b.Guard.Mode, a.Guard.Phase != b.Guard.Phase:
		return grave
	case most == essential || !same(essentialRest(a), essentialRest(b)):
		return essential
	case a.Decided != b.Decided:
		return decided
	case most == nothing && (journalGrew(a, b) || !same(a, b)):
		return measured
	}
	return most
}

// journalGrew sees what changes without anything else, so that nothing has to be encoded for it.
func journalGrew(a, b gateway.Lasting) bool {
	return a.Outage != b.Outage || a.Watch.Watched != b.Watch.Watched || a.Watch.Ours != b.Watch.Ours
}

// differenceOf compares two tables; strip takes from a value what is not essential.
func differenceOf[K ~string, V any](then, now gateway.Table[K, V], strip func(V) V) urgency {
	most := nothing
	for key := range now.Changes(then) {
		a, inA := then.Get(key)
		b, inB := now.Get(key)
		if inA != inB || !same(strip(a), strip(b)) {
			return essential
		}
		if most == nothing && !same(a, b) {
			most = measured
		}
	}
	return most
}

// essentialDevice leaves of a device what it is, what can be set on it and what it measures, but not
// how much.
func essentialDevice(d gateway.Device) gateway.Device {
	d.Readings = slices.Clone(d.Readings)
	for i, m := range d.Readings {
		d.Readings[i] = gateway.Measure{Quantity: m.Quantity, From: m.From}
	}
	return d
}

// essentialRoom leaves out when the cloud was last asked and the words of the last reason.
func essentialRoom(r gateway.Room) gateway.Room {
	r.CloudAt = time.Time{}
	r.Written.Why = ""
	return r
}

// rest is the lasting part without its tables, which are compared entry by entry.
func rest(s gateway.State) gateway.Lasting {
	l := s.Lasting()
	none := gateway.Lasting{}
	l.Devices, l.Rooms, l.Also, l.Memories = none.Devices, none.Rooms, none.Also, none.Memories
	return l
}

// essentialRest leaves out the decisions, counters, reasons, and times at which something unchanged was
// heard again. The journal of outages goes along: where one begins or ends the phase changes, too.
func essentialRest(l gateway.Lasting) gateway.Lasting {
	l.Outage, l.Outages, l.Days, l.Watch = nil, nil, nil, gateway.Watch{}
	l.Decisions, l.Decided, l.Commanded = nil, 0, 0
	l.Firings = gateway.Lasting{}.Firings // relays are looked at anew
	l.Why, l.Authority.Why, l.Home.Copied = "", "", time.Time{}
	l.Guard.Left = 0 // after a restart a delay begins anew
	l.Alarms = slices.Clone(l.Alarms)
	for i := range l.Alarms {
		l.Alarms[i].Heard, l.Alarms[i].Held, l.Alarms[i].Why = time.Time{}, 0, ""
	}
	return l
}

// graveAlarms leaves of alarms how each stands, not who was told.
func graveAlarms(l gateway.Lasting) []gateway.Alarm {
	alarms := slices.Clone(essentialRest(l).Alarms)
	for i := range alarms {
		alarms[i].Told = nil
	}
	return alarms
}

// same reports whether a and b would be saved alike: fields that are never saved do not count. Most
// pairs share their memory or are plainly equal, which is found out before anything is encoded.
func same[T any](a, b T) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	first, err := json.Marshal(a)
	if err != nil {
		return false
	}
	second, err := json.Marshal(b)
	return err == nil && bytes.Equal(first, second)
}
