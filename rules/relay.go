package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How relays are told what to do. Every order to switch on is a lease that the device ends itself.
const (
	renewals   = 3                // a lease is renewed when a third of it is over
	echoWithin = 30 * time.Second // a relay that does not show by then what it was told is silent
	soon       = 10 * time.Second // an order that its adapter could not give yet is given again,
	quickTries = 3                // so often; then ever more seldom
	refusedFor = time.Hour        // an order that is useless is tried again after
	startsIn   = time.Hour        // a boiler starts no more often than Firing.Starts holds in this time
	outOfReach = 15 * time.Minute // a relay without a lease of its own is told again as often
)

// again is when a relay that shows nothing is told again: after 1, 2, then every 5 minutes.
func again(tries int) time.Duration {
	return [...]time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute}[min(max(tries-1, 0), 2)]
}

// firing is one relay while it is looked at.
type firing struct {
	gateway.Firing
	device gateway.Device
	rooms  []gateway.Room
	point  gateway.Point
	ours   bool
}

// fire looks at every heating relay.
func (b *book) fire() {
	if !b.everything && !b.relayed {
		return
	}
	b.learn()
	for id := range b.Firings.All() {
		b.fireOne(id)
	}
}

// fireOne decides for one relay and tells it. A relay that has not been read since the start is left
// alone: states first, then decisions.
func (b *book) fireOne(id gateway.DeviceID) {
	f, ok := b.firing(id)
	if !ok {
		return
	}
	before := f.Firing
	b.heedSilence(&f)
	b.heedStuck(&f)
	on, why := b.burn(&f)
	b.tell(&f, on, why)
	if f.Firing != before {
		b.Firings, b.changed = b.Firings.With(id, f.Firing), true
	}
}

// firing collects what is known of a relay; false: it cannot be switched, or was not read yet.
func (b *book) firing(id gateway.DeviceID) (firing, bool) {
	d, _ := b.Devices.Get(id)
	stands, _ := b.Firings.Get(id)
	_, via, ok := d.Control(gateway.Relay)
	if !ok || d.Circuit == nil {
		return firing{}, false
	}
	m, read := d.ReadingFrom(gateway.Relay, via)
	f := firing{Firing: stands, device: d, rooms: b.RoomsOf(*d.Circuit), ours: b.ours(d),
		point: gateway.Point{Adapter: via, Of: string(id), Quantity: gateway.Relay}}
	return f, read && !m.At.Before(b.Started)
}

// burn says what the relay ought to do, the graver reason first: the frost floor, a room that is too warm,
// what its rooms ask for. The second result is why.
func (b *book) burn(f *firing) (gateway.Value, string) {
	circuit := *f.device.Circuit
	frost, why := b.frozen(circuit, f.rooms, f.Frost)
	f.Frost = frost.Yes()
	if f.Frost {
		return frost, why
	}
	if hot, why := b.hot(f); hot {
		return gateway.Flag(false), why
	}
	switch {
	case !f.ours && !frost.Known() && f.Ordered.Yes():
		return gateway.Flag(false), why // the rest of the lease would be too much
	case !f.ours:
		return b.handOver(f)
	}
	on, why := b.demand(f.rooms)
	if on {
		on, why = b.mayStart(f, why)
	} else {
		f.Blocked = ""
	}
	if on != f.On && b.justTaken() {
		return gateway.Value{}, "" // nothing is toggled at the instant of taking over
	}
	return gateway.Flag(on), why
}

// justTaken reports whether the house was taken over so lately that a relay is left as it is.
func (b *book) justTaken() bool {
	since := b.now.Sub(b.Authority.Since)
	return b.Authority.Phase == gateway.Local && since >= 0 && since < lookFirst
}

// handOver leaves a relay to the vendor: what was leased runs out by itself. Only a relay that would never
// end it is switched off.
func (b *book) handOver(f *firing) (gateway.Value, string) {
	f.Blocked = ""
	if !f.Ordered.Yes() || !f.On {
		f.Ordered = gateway.Value{}
		return gateway.Value{}, ""
	}
	if f.device.Circuit.Lease == 0 {
		return gateway.Flag(false), "Netatmo is in charge again, and it would not switch off by itself"
	}
	b.decide(gateway.Decision{Kind: "return", Device: f.device.ID, What: label(f.device) + " is left alone: its lease runs out by itself",
		Why: "Netatmo is in charge"})
	f.Ordered, f.Tries, f.Silent = gateway.Value{}, 0, false
	return gateway.Value{}, ""
}

// mayStart holds what speaks against a start, though a room asks for heat: every valve is shut, or another
// relay of the same rooms does not answer.
func (b *book) mayStart(f *firing, why string) (bool, string) {
	blocked := ""
	if b.shut(*f.device.Circuit, f.rooms) {
		blocked = "every valve of its rooms is shut and no bypass is open"
	} else if other := b.silentNeighbour(f); other != "" && !f.On {
		blocked = other + " heats the same rooms and does not answer"
	} else if first := f.Starts[0]; f.device.Circuit.Heats != gateway.HeatsElectric && !f.On && !first.IsZero() && b.now.Sub(first).Abs() < startsIn {
		blocked = fmt.Sprintf("it has started %d times within an hour", len(f.Starts))
	}
	if blocked == "" {
		f.Blocked = ""
		return true, why
	}
	if f.Blocked != blocked && !f.On {
		b.decide(gateway.Decision{Kind: "heating", Device: f.device.ID, What: label(f.device) + " does not heat", Why: blocked})
	}
	f.Blocked = blocked
	return false, blocked
}

// silentNeighbour is another relay of the same rooms that does not show what it was told.
func (b *book) silentNeighbour(f *firing) string {
	for id, other := range b.Firings.All() {
		if id == f.device.ID || !other.Silent {
			continue
		}
		d, _ := b.Devices.Get(id)
		if slices.ContainsFunc(f.rooms, func(r gateway.Room) bool { return b.Heats(d, r.ID) }) {
			return label(d)
		}
	}
	return ""
}

// tell gives the order, if one is due: the relay is to change and its minimum time is over, its lease is to
// be renewed, or it has not shown what it was told.
func (b *book) tell(f *firing, on gateway.Value, why string) {
	if !on.Known() {
		return
	}
	if f.On != on.Yes() && b.now.Before(b.restsUntil(f)) {
		on = gateway.Flag(f.On)
		why = "its minimum time is not over"
		if !f.Ordered.Yes() {
			return // it is none of our leases that would end
		}
	}
	if on.Yes() && b.now.Before(f.Refused) {
		return
	}
	same := f.Ordered == on
	switch {
	case same && b.now.Before(f.Again) && !b.now.Before(f.At):
		return // told, and not to be told again yet
	case same && f.On == on.Yes() && f.Tries == 0 && !b.expiring(f, on):
		return
	case !same && f.On == on.Yes() && !on.Yes():
		f.Ordered, f.Again, f.Tries, f.Silent = on, time.Time{}, 0, false
		return // it is off already
	}
	b.give(f, on, why)
}

// restsUntil is the instant before which the relay must not change.
func (b *book) restsUntil(f *firing) time.Time {
	h := habits(*f.device.Circuit)
	if f.On {
		return f.Changed.Add(h.on)
	}
	return f.Changed.Add(h.off)
}

// expiring reports whether a lease is to be renewed.
func (b *book) expiring(f *firing, on gateway.Value) bool {
	if !on.Yes() {
		return false
	}
	lease := f.device.Circuit.Lease
	if lease == 0 {
		lease = renewals * outOfReach
	}
	return b.now.Sub(f.At) >= lease/renewals || b.now.Before(f.At)
}

// give sends the order and remembers it.
func (b *book) give(f *firing, on gateway.Value, why string) {
	if f.Ordered != on {
		f.Tries, f.Silent = 0, false
		if f.On != on.Yes() {
			b.decide(gateway.Decision{Kind: "heating", Device: f.device.ID, What: fmt.Sprintf("%s is switched %s", label(f.device), onOff(on)), Why: why})
		}
	}
	var until time.Time
	if on.Yes() && f.device.Circuit.Lease > 0 {
		until = b.now.Add(f.device.Circuit.Lease)
	}
	if f.Tries == 0 {
		f.Since = b.now
	}
	b.Commanded++
	f.Tries++
	f.Ordered, f.At, f.Order, f.Again = on, b.now, b.Commanded, b.now.Add(again(f.Tries))
	b.commands = append(b.commands, gateway.Command{ID: b.Commanded, Point: f.point, Value: on, Until: until, Why: why})
}

func onOff(v gateway.Value) string {
	if v.Yes() {
		return "on"
	}
	return "off"
}

// observeRelay takes what a heating relay shows. Any word of it is an echo; only another state is a change.
func (b *book) observeRelay(id gateway.DeviceID, on bool) {
	f, ok := b.Firings.Get(id)
	if !ok {
		return
	}
	b.relayed = true
	if f.On != on || f.Changed.IsZero() || f.Changed.After(b.now) {
		if on && !f.On {
			copy(f.Starts[:], f.Starts[1:])
			f.Starts[len(f.Starts)-1] = b.now
		}
		f.On, f.Changed = on, b.now
		b.everything, b.quietly = true, false // its rooms show whether they are heated
		f.Idle, f.Warm = gateway.Idle{}, time.Time{}
	}
	if f.Ordered.Known() && f.Ordered.Yes() == on && f.Tries > 0 {
		if f.Silent {
			d, _ := b.Devices.Get(id)
			b.decide(gateway.Decision{Kind: "device", Device: id, What: fmt.Sprintf("%s is %s, as it was told", label(d), onOff(f.Ordered)), Why: "it shows its state again"})
		}
		f.Tries, f.Again, f.Silent = 0, time.Time{}, false
		if on {
			f.Faulty = ""
		}
	}
	b.Firings, b.changed = b.Firings.With(id, f), true
}

// relayOutcome takes an adapter's answer to an order to a heating relay; it reports whether it was one.
func (b *book) relayOutcome(o gateway.Outcome) bool {
	id := gateway.DeviceID(o.Point.Of)
	f, ok := b.Firings.Get(id)
	if !ok || o.Point.Quantity != gateway.Relay {
		return false
	}
	if o.ID != f.Order || o.Err == "" {
		return true // what counts is what the relay shows
	}
	b.relayed = true
	switch {
	case o.Final && f.Ordered.Yes():
		f.Refused, f.Ordered, f.Tries = b.now.Add(refusedFor), gateway.Value{}, 0
	case f.Tries <= quickTries:
		f.Again = b.now.Add(soon)
	}
	if o.Final && f.Faulty != o.Err {
		d, _ := b.Devices.Get(id)
		b.decide(gateway.Decision{Kind: "alarm", Device: id, What: label(d) + " is not used for heating", Why: o.Err})
	}
	f.Faulty = o.Err
	b.Firings, b.changed = b.Firings.With(id, f), true
	return true
}
