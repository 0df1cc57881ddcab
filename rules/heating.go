package rules

import (
	"fmt"
	"math"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// aim says for each room that the event touched what ought to hold there, and wants it.
func (b *book) aim() {
	if b.everything {
		b.endModes()
		for id, room := range b.Rooms.All() {
			if !b.quietly || b.due(room) {
				b.aimRoom(id)
			}
		}
		b.lookWants()
	} else if b.room != "" {
		b.aimRoom(b.room)
	}
	if b.everything || b.alarmed {
		b.alarmWants()
	}
}

// due reports whether the passing of time alone can change anything in a room.
func (b *book) due(room gateway.Room) bool {
	past := func(t time.Time) bool { return !t.IsZero() && !b.now.Before(t) }
	return room.Override.Local || !room.Disagrees.IsZero() || past(room.Override.Until) || past(room.Target.Until)
}

// endModes lets the home's mode end when its time has come.
func (b *book) endModes() {
	regime := b.Home.Regime
	if regime.Until.IsZero() || b.now.Before(regime.Until) || !b.inCharge() {
		return
	}
	b.Home.Regime = gateway.Regime{Mode: gateway.HomeSchedule, Schedule: regime.Schedule, At: regime.Until, By: regime.By}
	b.quietly = false
	b.decide(gateway.Decision{Kind: "mode", What: "the home follows its schedule again", Why: fmt.Sprintf("%s was set until %s", regime.Mode, b.clock(regime.Until))})
}

func (b *book) aimRoom(id gateway.RoomID) {
	room, ok := b.Rooms.Get(id)
	if !ok {
		return
	}
	before := room
	b.endOverride(&room)
	room.Temperature, room.Heating = b.climate(room)
	plan := b.planned(room)
	if plan.Mode == gateway.RoomSchedule {
		room.Last, _ = plan.Value.Number()
	}
	room.Target = plan
	if !b.inCharge() && b.signedIn() && !room.Override.Local && !b.fresh(room.Override.By, room.Override.At) {
		room.Target = b.asCloudSays(room, plan)
	}
	b.wantRoom(&room)
	if !sameRoom(room, before) {
		b.setRoom(room)
	}
}

// sameRoom compares what aimRoom may change.
func sameRoom(a, b gateway.Room) bool {
	return a.Target == b.Target && a.Temperature == b.Temperature && a.Heating == b.Heating && a.Override == b.Override &&
		a.Last == b.Last && a.Disagrees.Equal(b.Disagrees) && a.Written == b.Written && a.Moved == b.Moved && a.Strays == b.Strays
}

func (b *book) endOverride(room *gateway.Room) {
	o := room.Override
	if o.Mode == "" || o.Until.IsZero() || b.now.Before(o.Until) {
		return
	}
	// What the cloud set, it ends itself while it is there; in an outage, and for wishes made
	// here, the end is ours to keep.
	room.Override = gateway.Override{}
	if o.Local || b.inCharge() {
		b.decide(gateway.Decision{Kind: "heating", Room: room.ID, What: room.Name + " follows the home again", Why: fmt.Sprintf("%s was set until %s", overrideWords(o), b.clock(o.Until))})
	}
}

func overrideWords(o gateway.Override) string {
	switch o.Mode {
	case gateway.RoomManual:
		return degrees(o.Target)
	default:
		return string(o.Mode)
	}
}

// planned is what ought to hold in a room, by layers: what a person set there, the home's mode, the
// schedule. Between a wish for the room and a mode of the home the later one rules.
func (b *book) planned(room gateway.Room) gateway.Aim {
	o, regime := room.Override, b.Home.Regime
	away := regime.Mode == gateway.HomeAway || regime.Mode == gateway.HomeFrost
	if o.Mode != "" && o.Mode != gateway.RoomHome && !(away && regime.At.After(o.At)) {
		return b.byOverride(o)
	}
	if away {
		return b.byRegime(regime)
	}
	if b.Clock.Trust == gateway.TrustGuess && b.inCharge() {
		return b.byGuess(room)
	}
	return b.bySchedule(room)
}

func (b *book) byOverride(o gateway.Override) gateway.Aim {
	by := o.By
	if by == "" {
		by = "Netatmo"
	}
	aim := gateway.Aim{Mode: o.Mode, Until: o.Until}
	switch o.Mode {
	case gateway.RoomMax:
		aim.Value, aim.Why = b.bounded(boost), "boost set in "+by
	case gateway.RoomFrost:
		aim.Value, aim.Why = b.bounded(b.frost()), "frost guard set in "+by
	case gateway.RoomOff:
		// Off itself is never sent: on these devices it ends the frost guard as well.
		aim.Value, aim.Why = b.bounded(b.Home.FrostGuard), "switched off in "+by+"; the frost floor stays"
	default:
		aim.Value, aim.Why = b.bounded(o.Target), "set in "+by
	}
	if !o.Until.IsZero() {
		aim.Why += " until " + b.clock(o.Until)
	}
	return aim
}

func (b *book) byRegime(regime gateway.Regime) gateway.Aim {
	aim := gateway.Aim{Mode: gateway.RoomAway, Value: b.bounded(b.away()), Until: regime.Until, Why: "the home is away"}
	if regime.Mode == gateway.HomeFrost {
		aim.Mode, aim.Value, aim.Why = gateway.RoomFrost, b.bounded(b.frost()), "the home is on frost guard"
	}
	if !regime.Until.IsZero() {
		aim.Why += " until " + b.clock(regime.Until)
	}
	return aim
}

// byGuess holds a safe temperature while nobody knows what time it is.
func (b *book) byGuess(room gateway.Room) gateway.Aim {
	target := guessTarget
	if room.Last > 0 {
		target = min(room.Last, guessTarget)
	}
	return gateway.Aim{Mode: gateway.RoomHold, Value: b.bounded(target), Why: "the clock is not trusted: a safe temperature is held"}
}

func (b *book) bySchedule(room gateway.Room) gateway.Aim {
	if held := room.Target; b.steady && !b.everythingNew() && held.Mode == gateway.RoomSchedule && b.now.Before(held.Until) {
		return held // the next change is looked for once a slot
	}
	plan, ok := b.schedule()
	if !ok {
		return gateway.Aim{}
	}
	slot, ok := schedule.Target(plan, room.ID, b.now, b.Home.Zone.Location())
	if !ok || slot.Order != "" {
		return gateway.Aim{} // no programmed temperature: none is invented
	}
	zone, _ := schedule.At(plan, b.now, b.Home.Zone.Location())
	aim := gateway.Aim{Mode: gateway.RoomSchedule, Value: b.bounded(slot.Target), Why: fmt.Sprintf("schedule %s, zone %s", plan.Name, zone.Name)}
	if at, _, ok := schedule.NextFor(plan, room.ID, b.now, b.Home.Zone.Location()); ok {
		aim.Until = at
	}
	return aim
}

// everythingNew reports whether more than time or one reading brought the room here.
func (b *book) everythingNew() bool { return b.everything && !b.quietly }

// schedule is the heating schedule in force: the one that was switched to here, else the one
// selected among those of the type that the home's control asks for.
func (b *book) schedule() (gateway.Schedule, bool) {
	kind := "therm"
	if b.Home.Control == "cooling" {
		kind = "cooling"
	}
	best, found := gateway.Schedule{}, false
	for _, s := range b.Home.Schedules {
		if s.Type != kind && s.Type != "" {
			continue
		}
		if s.ID == b.Home.Regime.Schedule && s.ID != "" {
			return s, true
		}
		if s.Selected {
			best, found = s, true
		}
	}
	return best, found
}

func (b *book) away() float64 {
	if s, ok := b.schedule(); ok && s.Away > 0 {
		return s.Away
	}
	return defaultAway
}

func (b *book) frost() float64 {
	if s, ok := b.schedule(); ok && s.Frost > 0 {
		return s.Frost
	}
	return b.Home.FrostGuard
}

// bounded keeps a target between the frost floor and the cap.
func (b *book) bounded(target float64) gateway.Value {
	return gateway.Number(min(max(target, b.Home.FrostGuard), b.Home.Maximum))
}

// asCloudSays is what holds in a room while the cloud is in charge: the setpoint it shows, with our
// words for its mode.
func (b *book) asCloudSays(room gateway.Room, plan gateway.Aim) gateway.Aim {
	c := room.Cloud
	if !c.Target.Known() {
		return plan
	}
	aim := gateway.Aim{Value: c.Target, Mode: c.Mode, Until: c.Until, Why: "Netatmo: " + string(c.Mode)}
	switch c.Mode {
	case gateway.RoomSchedule, gateway.RoomHome:
		if plan.Mode != "" && plan.Value == c.Target {
			return plan
		}
	case gateway.RoomManual, gateway.RoomMax:
		aim.Why = "set in Netatmo"
		if !c.Until.IsZero() {
			aim.Why += " until " + b.clock(c.Until)
		}
	}
	return aim
}

// climate is the room's temperature and whether it is heated: of the devices that steer the room,
// else of any that stands in it.
func (b *book) climate(room gateway.Room) (gateway.Measure, gateway.Value) {
	var best gateway.Measure
	var heating gateway.Value
	steered := false
	for _, id := range room.Devices {
		d, _ := b.Devices.Get(id)
		_, _, steers := d.Control(gateway.Target)
		if m, ok := d.Reading(gateway.Temperature); ok && (!steered || steers) &&
			(!best.Value.Known() || steers && !steered || m.At.After(best.At)) {
			best, steered = m, steered || steers
		}
		for _, q := range []gateway.Quantity{gateway.HeatingRequest, gateway.Boiler} {
			if m, ok := d.Reading(q); ok && (!heating.Known() || m.Value.Yes()) {
				heating = m.Value
			}
		}
	}
	return best, heating
}

// wantRoom wants the room's target on every device of it that the LAN reaches, if it is for us to
// steer: because we are in charge, because the cloud did not carry out a person's wish in time, or
// because the frost floor is at stake.
func (b *book) wantRoom(room *gateway.Room) {
	aim, person := room.Target, room.Override.Local
	switch {
	case b.inCharge():
	case person && (!b.signedIn() || b.cloudFailed(room.ID)):
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
		if !b.satisfied(w) {
			agrees = false
			w.patient = !b.mayWrite(*room, d, person)
		}
		b.want(w)
	}
	switch {
	case agrees:
		room.Disagrees = time.Time{}
	case room.Disagrees.IsZero():
		room.Disagrees = b.now
	}
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

// mayWrite reports whether a device that disagrees may be written to now.
func (b *book) mayWrite(room gateway.Room, d gateway.Device, person bool) bool {
	_, vendors := d.Face(gateway.CloudAdapter)
	return person || room.Strays || !vendors || !room.Disagrees.IsZero() && b.now.Sub(room.Disagrees) >= lookFirst
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

// noticeHand sees that a device's target was changed by somebody else than us while we are in
// charge. Our own echo is nobody; a value of the plan is the device's own programme; anything else
// is a person, whose wish holds for the home's usual time.
func (b *book) noticeHand(d gateway.Device, before, m gateway.Measure) {
	room, ok := b.Rooms.Get(d.Room)
	if !ok || !b.inCharge() {
		return
	}
	p := gateway.Point{Adapter: m.From, Of: string(d.ID), Quantity: gateway.Target}
	if asked, ok := b.Asked.Get(gateway.PointKey(p.String())); ok && near(asked.Command.Value, m.Value, 0) {
		return
	}
	if near(room.Written.Value, m.Value, 0) || near(room.Target.Value, m.Value, 0) || b.ownProgramme(room, m.Value) {
		return
	}
	shown, _ := m.Value.Number()
	target, _ := b.bounded(shown).Number()
	room.Override = gateway.Override{Mode: gateway.RoomManual, Target: target, At: m.At, Until: m.At.Add(b.usual()), By: "the thermostat", Local: true}
	b.setRoom(room)
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
	return near(gateway.Number(b.away()), v, 0) || near(gateway.Number(b.frost()), v, 0)
}

const programmeSlack = 10 * time.Minute

// near reports whether two values are equal as far as a device's steps can tell.
func near(a, b gateway.Value, step float64) bool {
	x, ok := a.Number()
	y, also := b.Number()
	if !ok || !also {
		return a == b && a.Known()
	}
	return math.Abs(x-y) < max(step/2, 0.05)
}

// usual is how long a manual setpoint holds by the home's setting.
func (b *book) usual() time.Duration {
	if b.Home.DefaultDuration > 0 {
		return b.Home.DefaultDuration
	}
	return defaultDuration
}

// clock writes an instant as the clock on the wall of the home shows it.
func (b *book) clock(t time.Time) string {
	local := t.In(b.Home.Zone.Location())
	if t.Sub(b.now) > 20*time.Hour {
		return local.Format("Mon 2 Jan 15:04")
	}
	return local.Format("15:04")
}

func degrees(t float64) string { return fmt.Sprintf("%g °C", math.Round(t*10)/10) }
