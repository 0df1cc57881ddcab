package rules

import (
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// farEnd is the end that a wish without one is told the cloud with: without an end it takes the home's
// usual time instead (netatmo-facts 3.2).
const farEnd = 365 * 24 * time.Hour

// tellRoom asks the cloud for a room's override, in place of what it was asked for the room before.
func (b *book) tellRoom(room gateway.Room, why string) {
	o := room.Override
	p, v, until := gateway.CloudPoint(string(room.ID), gateway.Mode), gateway.Word(string(o.Mode)), o.Until
	if o.Mode == gateway.RoomManual {
		p, v = gateway.CloudPoint(string(room.ID), gateway.Target), b.bounded(o.Target)
		if until.IsZero() {
			until = b.now.Add(farEnd).Truncate(time.Second)
		}
	}
	b.dropKept(gateway.DeviceID(room.ID))
	b.keepAsking(p, v, until, why)
}

// tellHome asks the cloud for what the home's mode and schedule are here, as far as it shows others. It
// reports whether that says a mode.
func (b *book) tellHome(why string) (mode bool) {
	here, there := b.Home.Regime, b.Home.Cloud
	pending := b.stillAsked(b.Home.ID)
	b.dropKept(gateway.DeviceID(b.Home.ID))
	if here.Schedule != "" && (pending || here.Schedule != there.Schedule) {
		b.keepAsking(gateway.CloudPoint(b.Home.ID, gateway.TimetableID), gateway.Word(here.Schedule), time.Time{}, why)
	}
	if mode = pending || !sameMode(here, there); mode {
		b.keepAsking(gateway.CloudPoint(b.Home.ID, gateway.Mode), gateway.Word(string(here.Mode)), here.Until, why)
	}
	return mode
}

// cloudQuantities are what the cloud can be told of a room or the home.
var cloudQuantities = []gateway.Quantity{gateway.Target, gateway.Mode, gateway.TimetableID}

// stillAsked reports whether the cloud is being told something of a room or the home.
func (b *book) stillAsked(of string) bool {
	for _, q := range cloudQuantities {
		if asked, _, ok := b.asked(gateway.CloudPoint(of, q)); ok && asked.Keep {
			return true
		}
	}
	return false
}

// dropKept no longer tells the cloud what it was to be told of a room or the home.
func (b *book) dropKept(of gateway.DeviceID) {
	for _, q := range cloudQuantities {
		if asked, key, ok := b.asked(gateway.CloudPoint(string(of), q)); ok && asked.Keep {
			b.Asked, b.changed = b.Asked.Without(key), true
		}
	}
}

// keepAsking sends a command that is asked for until it is done, whatever is wanted later: what a
// person did, told to the cloud or to one device.
func (b *book) keepAsking(p gateway.Point, v gateway.Value, until time.Time, why string) {
	c, asked := gateway.Command{Point: p, Value: v, Until: until, Why: b.marked(why)}, gateway.Asked{Keep: true}
	if b.mustWait(p) || p.Adapter == gateway.CloudAdapter && b.inCharge() { // it goes out with the return
		asked.Command, asked.At, asked.Again = c, b.now, b.now
		b.Asked, b.changed = b.Asked.With(gateway.PointKey(p.String()), asked), true
		return
	}
	b.send(c, &asked, firstCloud, longestCloud)
}

// mustWait reports whether the cloud must know the home's mode first: a mode wipes the set points of
// the rooms, so what a person wished for a room comes after it.
func (b *book) mustWait(p gateway.Point) bool {
	if p.Adapter != gateway.CloudAdapter || p.Of == b.Home.ID {
		return false
	}
	if _, room := b.Rooms.Get(gateway.RoomID(p.Of)); !room {
		return false
	}
	asked, _, ok := b.asked(gateway.CloudPoint(b.Home.ID, gateway.Mode))
	return ok && asked.Keep
}

// askKept asks again for what is kept and not done. In an outage nothing is asked of the cloud: the
// merge at its end will know better.
func (b *book) askKept() {
	for key, asked := range b.Asked.All() {
		c := asked.Command
		switch {
		case !asked.Keep:
		case !c.Until.IsZero() && !b.now.Before(c.Until):
			b.Asked, b.changed = b.Asked.Without(key), true
			b.decide(gateway.Decision{Kind: "wish", What: fmt.Sprintf("%s is no longer asked of %s", c.Value, c.Point.Adapter), Why: "its time is over"})
		case c.Point.Adapter == gateway.CloudAdapter && b.inCharge(), b.mustWait(c.Point):
		case !b.notYet(asked):
			b.send(c, &asked, firstCloud, longestCloud)
		}
	}
}

// told marks a wish that the cloud now knows, or will never take.
func (b *book) told(p gateway.Point) {
	if room, ok := b.Rooms.Get(gateway.RoomID(p.Of)); ok && room.Override.Local && !b.stillAsked(p.Of) {
		room.Override.Local, room.Moved = false, false
		b.setRoom(room)
	}
	if p.Of == b.Home.ID && p.Quantity != gateway.Look && !b.stillAsked(p.Of) {
		b.Home.Regime.Local = false
	}
}

// offOtherwise tells the cloud the frost guard's temperature for a room that it refuses to switch off: it
// knows off in rooms with a thermostat only (netatmo-facts 3.2).
func (b *book) offOtherwise(refused gateway.Asked) bool {
	room, ok := b.Rooms.Get(gateway.RoomID(refused.Command.Point.Of))
	o := &room.Override
	if !ok || !o.Local || o.Mode != gateway.RoomOff || refused.Command.Value.Word() != string(gateway.RoomOff) {
		return false
	}
	o.Mode, o.Target = gateway.RoomManual, b.Home.FrostGuard
	b.setRoom(room)
	b.tellRoom(room, "Netatmo does not switch this room off")
	return true
}
