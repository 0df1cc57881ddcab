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
	if !ok || !b.inCharge() || b.inReach() {
		return // once the cloud is back in reach, it moves devices too, and shows what a hand did
	}
	p := gateway.Point{Adapter: m.From, Of: string(d.ID), Quantity: gateway.Target}
	if asked, ok := b.Asked.Get(gateway.PointKey(p.String())); ok && near(asked.Command.Value, m.Value, 0) {
		return
	}
	if near(room.Written.Value, m.Value, 0) || near(room.Target.Value, m.Value, 0) || b.ownProgramme(room, m.Value) || b.fallsBack(room, before) {
		return
	}
	shown, _ := m.Value.Number()
	target, _ := b.bounded(shown).Number()
	if room.Override.By != byHand {
		room.Before = room.Override
	}
	room.Override = gateway.Override{Mode: gateway.RoomManual, Target: target, At: m.At, Until: m.At.Add(b.usual()).Truncate(time.Second), By: byHand, Local: true}
	b.setRoom(room)
	b.Asked = b.Asked.Without(gateway.PointKey(p.String())) // the hand came after it
	b.decide(gateway.Decision{Kind: "wish", Room: room.ID, Device: d.ID, What: fmt.Sprintf("%s: %s until %s", room.Name, degrees(target), b.clock(room.Override.Until)),
		Why: fmt.Sprintf("somebody turned %s from %v to %v", label(d), before.Value, m.Value)})
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

// fallsBack reports whether a device ends by itself what we wrote or a hand turned: its vendor's
// firmware takes both for a manual set point of the home's usual time.
func (b *book) fallsBack(room gateway.Room, before gateway.Measure) bool {
	for _, w := range append(slices.Clone(room.Wrote), room.Written) { // the last one may have got lost
		if after := b.now.Sub(w.At) - b.usual(); near(w.Value, before.Value, 0) && after.Abs() <= lookFirst {
			return true
		}
	}
	for _, o := range []gateway.Override{room.Override, room.Before} {
		if o.By == byHand && b.now.Sub(o.Until).Abs() <= lookFirst {
			return true
		}
	}
	return false
}

const programmeSlack = 10 * time.Minute

// byHand is who made a wish that was made at a device.
const byHand = "the thermostat"

// unhand takes back what was taken for a hand at a device, where the cloud shows that it was set in the
// vendor's app before: the cloud moves devices as soon as it reaches them, which may be before we know.
func (b *book) unhand(room *gateway.Room) {
	o, held := room.Override, b.overrideThere(room.Cloud)
	moved := held.Mode == "" || o.At.Sub(held.At) > handSlack
	if o.By != byHand || !o.Local || !moved || !near(room.Cloud.Target, gateway.Number(o.Target), 0.5) || b.Cloud.FirstGood.Sub(o.At) > lookFirst {
		return
	}
	room.Override = room.Before
	if end := room.Override.Until; !end.IsZero() && !end.After(b.now) {
		room.Override = gateway.Override{}
	}
}

// handSlack is how much earlier the vendor may say that a hand was at a device than we saw it.
const handSlack = time.Minute
