package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// noticeHand sees that a device's target was changed by somebody else than us while we are in
// charge. Our own echo is nobody; a value of the plan is the device's own programme; anything else
// is a person, whose wish holds for the home's usual time.
func (b *book) noticeHand(d gateway.Device, before, m gateway.Measure) {
	room, ok := b.Rooms.Get(d.Room)
	if !ok || !b.inCharge() || b.Authority.Phase == gateway.Returning && b.inReach() {
		return // while the cloud is read for the return, it moves devices too, and shows what a hand did
	}
	p := gateway.Point{Adapter: m.From, Of: string(d.ID), Quantity: gateway.Target}
	if asked, ok := b.Asked.Get(gateway.PointKey(p.String())); ok && near(asked.Command.Value, m.Value, 0) {
		return
	}
	if b.lateEcho(room, m.Value) || near(room.Written.Value, m.Value, 0) || near(room.Target.Value, m.Value, 0) || b.ownProgramme(room, m.Value) || b.fallsBack(room, before, m.Value) {
		return
	}
	shown, _ := m.Value.Number()
	target, _ := b.bounded(shown).Number()
	if room.Override.By != byHand || m.At.Sub(room.Override.At) > lookFirst { // a knob is turned in steps
		room.Before = room.Override
	}
	room.Override = gateway.Override{Mode: gateway.RoomManual, Target: target, At: m.At, Until: m.At.Add(b.usual()).Truncate(time.Second), By: byHand, Local: true}
	b.setRoom(room)
	b.Asked = b.Asked.Without(gateway.PointKey(p.String())) // the hand came after it
	b.decide(gateway.Decision{Kind: "wish", Room: room.ID, Device: d.ID, What: fmt.Sprintf("%s: %s until %s", room.Name, degrees(target), b.clock(room.Override.Until)),
		Why: fmt.Sprintf("somebody turned %s from %v to %v", label(d), before.Value, m.Value)})
}

// lateEcho reports whether a device shows only now what we wrote just before the last time.
func (b *book) lateEcho(room gateway.Room, v gateway.Value) bool {
	return slices.ContainsFunc(room.Wrote, func(w gateway.Aim) bool {
		return near(w.Value, v, 0) && b.now.Sub(w.At).Abs() <= lookFirst
	})
}

// ownProgramme reports whether a device's own copy of the plan explains the value: its clock may be
// some minutes off ours, and it may keep a mode that we have ended.
func (b *book) ownProgramme(room gateway.Room, v gateway.Value) bool {
	plan, ok := b.schedule()
	if !ok {
		return false
	}
	for _, shift := range []time.Duration{-programmeSlack, 0, programmeSlack} {
		slot, ok := schedule.Target(plan, room.ID, b.now.Add(shift), b.Home.Zone.Location())
		if ok && near(gateway.Number(slot.Target), v, 0) {
			return true
		}
	}
	for _, regime := range []gateway.Regime{b.Home.Base, b.Home.Regime} {
		if regime.Mode == gateway.HomeAway && near(gateway.Number(b.away()), v, 0) || regime.Mode == gateway.HomeFrost && near(gateway.Number(b.frost()), v, 0) {
			return true
		}
	}
	return false
}

// fallsBack reports whether a device ends by itself what we wrote or a hand turned: its vendor's firmware
// takes both for a manual set point of the home's usual time. It goes back to what somebody planned, or to
// what it showed by itself before; anything else is a hand that came just then. Only at the end of a hand
// that turned a device away from its programme nobody may know yet what that is.
func (b *book) fallsBack(room gateway.Room, before gateway.Measure, to gateway.Value) bool {
	known := near(room.Own, to, 0) || b.somebodyPlanned(room, to)
	for _, w := range append(slices.Clone(room.Wrote), room.Written) { // the last one may have got lost
		if after := b.now.Sub(w.At) - b.usual(); known && near(w.Value, before.Value, 0) && after.Abs() <= fallSlack {
			return true
		}
	}
	for _, o := range []gateway.Override{room.Override, room.Before} {
		after := b.now.Sub(o.Until)
		if o.By == byHand && (known && after.Abs() <= fallSlack || near(gateway.Number(o.Target), before.Value, 0.5) && after.Abs() <= endSlack) {
			return true
		}
	}
	return false
}

// How far off a device's own end of what it was set to may be from ours: where the target tells as well, and
// where nothing but the time does.
const (
	fallSlack = 5 * time.Minute // battery devices wake seldom
	endSlack  = 15 * time.Second
)

// somebodyPlanned reports whether a target is one that the vendor's device may have for a room without a
// hand: of any zone of any schedule, of the home's modes, or what the cloud showed.
func (b *book) somebodyPlanned(room gateway.Room, v gateway.Value) bool {
	targets := []gateway.Value{room.Cloud.Target, room.Base.Target, gateway.Number(b.away()), gateway.Number(b.frost())}
	for _, s := range b.Home.Schedules {
		for _, z := range s.Zones {
			for _, r := range z.Rooms {
				if r.Room == room.ID && r.Order == "" {
					targets = append(targets, gateway.Number(r.Target))
				}
			}
		}
	}
	return slices.ContainsFunc(targets, func(t gateway.Value) bool { return near(t, v, 0) })
}

// ownTarget notes what a device of a room shows by itself, just before it is written to: not what we or a
// hand left there.
func (b *book) ownTarget(room *gateway.Room, p gateway.Point) {
	d, _ := b.Devices.Get(gateway.DeviceID(p.Of))
	m, ok := d.ReadingFrom(gateway.Target, p.Adapter)
	wrote := func(w gateway.Aim) bool { return near(w.Value, m.Value, 0) }
	byUs := wrote(room.Written) || slices.ContainsFunc(room.Wrote, wrote)
	turned := room.Override.By == byHand && near(gateway.Number(room.Override.Target), m.Value, 0.5)
	if ok && !byUs && !turned {
		room.Own = m.Value
	}
}

const programmeSlack = 10 * time.Minute

// byHand is who made a wish that was made at a device.
const byHand = "the thermostat"

// unhand settles what was taken for a hand at a device and the cloud now shows: the cloud moves devices as
// soon as it reaches them, which may be before we know, and while it comes and goes. What began there
// before was set in the vendor's app; what began there at the same time is that very act, whoever made it,
// and the cloud knows its end.
func (b *book) unhand(room *gateway.Room) {
	o, held := room.Override, b.overrideThere(room.Cloud)
	if o.By != byHand || !o.Local || !near(room.Cloud.Target, gateway.Number(o.Target), 0.5) {
		return
	}
	switch {
	case held.Mode == "" && b.Cloud.FirstGood.Sub(o.At) > lookFirst:
	case held.Mode != "" && o.At.Sub(held.At).Abs() <= handSlack:
		room.Override, room.Base = held, room.Cloud
	case held.Mode == "" || held.At.Before(o.At):
		room.Override = room.Before
		if end := room.Override.Until; !end.IsZero() && !end.After(b.now) {
			room.Override = gateway.Override{}
		}
	}
}

// handSlack is how far the vendor's time of an act may be off from when we saw it at the device.
const handSlack = time.Minute
