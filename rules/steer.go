package rules

import (
	"fmt"
	"math"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// wantRoom wants the room's target on every device of it that the LAN reaches, if it is for us to
// steer: because we are in charge, because the cloud did not carry out a person's wish in time, or
// because the frost floor is at stake.
func (b *book) wantRoom(room *gateway.Room) {
	aim, person := room.Target, room.Override.Local
	why, over := b.overLAN(*room)
	if wide, stuck := b.spread(*room); stuck {
		aim, person = wide, true
	}
	switch {
	case b.inCharge():
		if room.Override.Mode == gateway.RoomHome { // who follows the home again gives the devices time to
			person = person && b.now.Sub(room.Override.At) < lookFirst
		}
	case over:
		aim.Why, person = aim.Why+why, true
	default:
		if aim, person = b.floor(*room), true; !aim.Value.Known() {
			room.Disagrees = time.Time{}
			return
		}
	}
	if !aim.Value.Known() {
		return
	}
	agrees := true
	for _, id := range room.Devices {
		d, _ := b.Devices.Get(id)
		w, ok := b.wantDevice(*room, d, aim)
		if !ok || aim.Mode == gateway.RoomFrost && b.warmEnough(d, w) {
			continue
		}
		if !b.satisfied(w) && b.cloudMoves(*room, d) {
			continue
		}
		if !b.satisfied(w) {
			agrees = false
			again := b.repeats(*room, w, gateway.Asked{}) && b.now.Sub(room.Override.At).Abs() >= lookFirst
			w.patient = !b.mayWrite(*room, d, person && !again)
		}
		b.want(w)
	}
	switch {
	case agrees:
		room.Disagrees = time.Time{}
	case room.Disagrees.IsZero() || room.Disagrees.After(b.now): // or the clock was set back
		room.Disagrees = b.now
	}
}

// cloudMoves reports whether a device that disagrees may well do what the cloud says, which is about to be
// in charge again. To write there would look like a later act of a person; the merge says who is right.
// Only what somebody wishes now has no time for that. A return that does not come to its end, and the
// long stays before it, hold nothing back: while we are in charge, the plan is kept.
func (b *book) cloudMoves(room gateway.Room, d gateway.Device) bool {
	a := b.Authority
	if !b.inReach() || !b.signedIn() || a.Phase != gateway.Returning || b.now.Sub(a.Since) > longReturn {
		return false
	}
	if room.Override.Local && room.Override.At.After(b.Cloud.FirstGood) {
		return false
	}
	if room.CloudAt.Before(a.Since) {
		return true
	}
	for _, m := range d.Readings {
		if m.Quantity == gateway.Target && m.From != gateway.CloudAdapter && near(m.Value, room.Cloud.Target, 0.5) {
			return true
		}
	}
	return false
}

// inReach reports whether the cloud is back in reach while we are still in charge. In a drill it is so all
// the while, and counts for nothing.
func (b *book) inReach() bool {
	return b.inCharge() && b.Cloud.Good > 0 && !b.Authority.Drill
}

// warmEnough reports whether a device already asks for as much as the frost floor would: the floor
// never lowers a target while the cloud is in charge.
func (b *book) warmEnough(d gateway.Device, w want) bool {
	m, ok := d.ReadingFrom(gateway.Target, w.point.Adapter)
	n, _ := m.Value.Number()
	return ok && !b.inCharge() && n >= b.Home.FrostGuard
}

// lookFirst is how long a device gets to follow the plan by itself before it is written to. One
// that has not followed in this outage, or has no plan of its own, gets none.
const lookFirst = 2 * time.Minute

// Bounds of what is written to a room that nobody asked for.
const (
	seldom     = 5 * time.Minute // the least time between two writes
	mostRepeat = 12              // in a day, of what was written already
)

// repeats reports whether a want was written to its room before, so that the next time is one more than
// the plan asks for.
func (b *book) repeats(room gateway.Room, w want, asked gateway.Asked) bool {
	return asked.Tries > 0 || near(room.Written.Value, w.value, w.step) && !room.Written.At.Equal(b.now)
}

// tooOften reports whether a room has had its repetitions for today, or the last one just now.
func (b *book) tooOften(w want, asked gateway.Asked) bool {
	room, ok := b.Rooms.Get(w.room)
	if w.room == "" || !ok || !b.repeats(room, w, asked) {
		return false
	}
	soon := asked.Done && b.now.Sub(asked.At).Abs() < seldom
	return soon || len(b.today(room.Repeated)) >= mostRepeat
}

// today returns the instants of the last day.
func (b *book) today(all []time.Time) []time.Time {
	var kept []time.Time
	for _, t := range all {
		if b.now.Sub(t).Abs() < 24*time.Hour {
			kept = append(kept, t)
		}
	}
	return kept
}

// mayWrite reports whether a device that disagrees may be written to now.
func (b *book) mayWrite(room gateway.Room, d gateway.Device, person bool) bool {
	_, vendors := d.Face(gateway.CloudAdapter)
	if since := b.now.Sub(room.Written.At); !person && since > 0 && since < seldom {
		return false
	}
	if rest := room.Target.Until.Sub(b.now); rest < lookFirst && !room.Target.Until.IsZero() && b.now.Sub(room.Override.At) > lookFirst {
		return false // it ends by itself
	}
	again := near(room.Written.Value, room.Target.Value, 0.5) && room.Written.At.Before(b.now)
	return person || room.Strays && !again || !vendors || !room.Disagrees.IsZero() && b.now.Sub(room.Disagrees) >= lookFirst
}

// wantDevice is the target for one device, in its own range and steps.
func (b *book) wantDevice(room gateway.Room, d gateway.Device, aim gateway.Aim) (want, bool) {
	for _, face := range d.Faces {
		if face.Adapter == gateway.CloudAdapter {
			continue
		}
		for _, c := range face.Controls {
			if c.Quantity != gateway.Target {
				continue
			}
			target, _ := aim.Value.Number()
			fitted := fit(target, c)
			if m, ok := d.ReadingFrom(gateway.Target, face.Adapter); ok && near(m.Value, aim.Value, c.Step) {
				fitted = target // it does by itself what nobody can tell it
			}
			w := want{
				point: gateway.Point{Adapter: face.Adapter, Of: string(d.ID), Quantity: gateway.Target},
				value: gateway.Number(fitted), until: aim.Until, step: c.Step, room: room.ID, mode: aim.Mode, why: aim.Why,
			}
			if math.Abs(fitted-target) > c.Step {
				w.why += "; the device goes no further than " + degrees(fitted)
			}
			return w, true
		}
	}
	return want{}, false
}

// fit brings a target into the range and onto the steps of a control. Where the range ends above the
// frost floor, warmer is the safe side.
func fit(target float64, c gateway.Control) float64 {
	if c.Step > 0 {
		target = math.Round((target-c.Min)/c.Step)*c.Step + c.Min
		target = math.Round(target*1000) / 1000 // 7 + 0.1·n in binary is not what people write
	}
	if c.Max > c.Min {
		target = min(max(target, c.Min), c.Max)
	}
	return target
}

// floor wants the frost floor in a room that has cooled below it, whoever is in charge.
func (b *book) floor(room gateway.Room) gateway.Aim {
	t, ok := room.Temperature.Value.Number()
	if !ok || b.now.Sub(room.Temperature.At) > time.Hour || t >= b.Home.FrostGuard {
		return gateway.Aim{}
	}
	return gateway.Aim{Mode: gateway.RoomFrost, Value: gateway.Number(b.Home.FrostGuard + 1),
		Why: fmt.Sprintf("%s is below the frost floor of %s", degrees(t), degrees(b.Home.FrostGuard))}
}
