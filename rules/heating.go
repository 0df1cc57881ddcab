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
	if b.everything || b.alarmed {
		b.alarmWants() // first: sirens go before valves
	}
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
}

// due reports whether the passing of time alone can change anything in a room.
func (b *book) due(room gateway.Room) bool {
	past := func(t time.Time) bool { return !t.IsZero() && !b.now.Before(t) }
	if _, stuck := b.spread(room); stuck {
		return true
	}
	return room.Override.Local || b.Home.Regime.Local || !room.Disagrees.IsZero() || past(room.Override.End()) || past(room.Target.Until)
}

// endModes lets the home's mode end when its time has come.
func (b *book) endModes() {
	regime := b.Home.Regime
	if regime.Until.IsZero() || b.now.Before(regime.End()) || !b.inCharge() && !regime.Local {
		return
	}
	b.Home.Regime = gateway.Regime{Mode: gateway.HomeSchedule, Schedule: regime.Schedule, At: regime.At, By: regime.By}
	b.Home.Regime.Local = regime.Local && !sameRegime(b.Home.Regime, b.Home.Cloud)
	b.quietly = false
	if b.Home.Regime.Local && !b.inCharge() {
		b.tellHome("its time is over")
	}
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
	b.heedChill(&room)
	plan := b.planned(room)
	if plan.Mode == gateway.RoomSchedule && b.Clock.Trust != gateway.TrustGuess {
		room.Last, _ = plan.Value.Number()
	}
	room.Target = plan
	if !b.inCharge() && b.signedIn() && !room.Override.Local && !b.regimeHere() && !b.fresh(room.Override.By, room.Override.At) {
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
		a.Last == b.Last && a.Chilled == b.Chilled && a.Before == b.Before && a.Disagrees.Equal(b.Disagrees) && a.Written == b.Written && a.Moved == b.Moved && a.Strays == b.Strays
}

func (b *book) endOverride(room *gateway.Room) {
	o := room.Override
	if o.Mode == "" || o.Until.IsZero() || b.now.Before(o.End()) {
		return
	}
	// What the cloud set, it ends itself while it is there; in an outage, and for wishes made
	// here, the end is ours to keep. What such a wish had replaced does not come back by its end.
	room.Override, room.Before = gateway.Override{}, o
	held := b.overrideThere(room.Cloud)
	replaced := held.Mode != "" && !b.laterThere(*room, o) && (held.Until.IsZero() || held.Until.After(b.now))
	if o.Local && b.signedIn() && (replaced || b.inCharge()) { // what there is in the cloud shows later
		room.Override = gateway.Override{Mode: gateway.RoomHome, At: o.At, By: o.By, Local: true}
		if !b.inCharge() {
			b.tellRoom(*room, overrideWords(o)+" is over")
		}
	}
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
	if o.Mode != "" && o.Mode != gateway.RoomHome && !b.outruled(o) {
		return b.byOverride(o)
	}
	if regime.Mode == gateway.HomeAway || regime.Mode == gateway.HomeFrost {
		return b.byRegime(regime)
	}
	if _, scheduled := b.schedule(); scheduled && b.Clock.Trust == gateway.TrustGuess && b.inCharge() {
		return b.byGuess(room) // without a schedule there is nothing that the clock could spoil
	}
	return b.bySchedule(room)
}

func (b *book) byOverride(o gateway.Override) gateway.Aim {
	by := o.By
	if by == "" {
		by = "Netatmo"
	}
	aim := gateway.Aim{Mode: o.Mode, Until: o.End()}
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
	aim.Why += b.untilThen(o.Until)
	return aim
}

// untilThen says when a target ends and what comes then: " until 18:00, then schedule".
func (b *book) untilThen(end time.Time) string {
	if end.IsZero() {
		return ""
	}
	text := " until " + b.clock(end)
	_, scheduled := b.schedule()
	r := b.Home.Regime
	lasts := r.Until.IsZero() || r.Until.After(end)
	switch {
	case r.Mode == gateway.HomeAway && lasts:
		return text + ", then away"
	case r.Mode == gateway.HomeFrost && lasts:
		return text + ", then frost guard"
	case scheduled:
		return text + ", then schedule"
	}
	return text
}

func (b *book) byRegime(regime gateway.Regime) gateway.Aim {
	aim := gateway.Aim{Mode: gateway.RoomAway, Value: b.bounded(b.away()), Until: regime.End(), Why: "the home is away"}
	if regime.Mode == gateway.HomeFrost {
		aim.Mode, aim.Value, aim.Why = gateway.RoomFrost, b.bounded(b.frost()), "the home is on frost guard"
	}
	aim.Why += b.untilThen(regime.Until)
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
		aim.Why = "set in Netatmo" + b.untilThen(c.Until)
	}
	return aim
}

// climate is the room's temperature and whether it is heated: of the devices that steer the room,
// else of any that stands in it. A device that has been silent for an hour longer than another counts less than that.
func (b *book) climate(room gateway.Room) (gateway.Measure, gateway.Value) {
	var best gateway.Measure
	var heating gateway.Value
	steered := false
	for _, id := range room.Devices {
		d, _ := b.Devices.Get(id)
		_, _, steers := d.Control(gateway.Target)
		if m, ok := d.Reading(gateway.Temperature); ok && (!best.Value.Known() || counts(m, best, steers, steered)) {
			best, steered = m, steers
		}
		for _, q := range []gateway.Quantity{gateway.HeatingRequest, gateway.Boiler, gateway.Relay} {
			if m, ok := d.Reading(q); ok && (!heating.Known() || m.Value.Yes()) {
				heating = m.Value
			}
		}
	}
	if !heating.Known() {
		heating = b.firedFor(room)
	}
	return best, heating
}

// counts reports whether a temperature says more of a room than another, each of a device that steers the room or of one that
// only stands in it.
func counts(m, than gateway.Measure, steers, otherSteers bool) bool {
	newer := m.At.Sub(than.At)
	if steers != otherSteers && newer.Abs() <= oldReading {
		return steers
	}
	return newer > 0
}

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
