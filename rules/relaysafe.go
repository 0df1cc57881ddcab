package rules

import (
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// What is watched over a relay whatever the controller says. Figures: the heating study, 3.
const (
	hotAbove   = 3.0              // K above the target
	hotFor     = 15 * time.Minute // with the relay on
	coolBelow  = 0.5              // K below the target, where heating may go on
	stuckPower = 20.0             // W that a relay which is off does not draw
	stuckDraws = 2 * time.Minute  // meters are late
	stuckRise  = 0.5              // K/h of a room whose relay is off
	stuckFor   = 30 * time.Minute
)

// heedSilence raises the alarm for a relay that does not show what it was told.
func (b *book) heedSilence(f *firing) {
	if f.Tries == 0 || f.Silent || !f.Ordered.Known() || b.now.Sub(f.Since) <= echoWithin {
		return
	}
	f.Silent = true
	why := "it shows no echo of the order within 30 s; it is told again after 1, 2 and then every 5 minutes"
	if f.Faulty != "" {
		why += "; last answer: " + f.Faulty
	}
	b.decide(gateway.Decision{Kind: "alarm", Device: f.device.ID, What: fmt.Sprintf("%s does not switch %s", label(f.device), onOff(f.Ordered)), Why: why})
}

// hot reports whether a room is too warm for the relay to be on: for a quarter of an hour more than 3 K
// above its target or above the home's maximum, and then until it is half a kelvin below the target.
func (b *book) hot(f *firing) (bool, string) {
	if !f.ours && !f.Ordered.Yes() {
		f.Hot, f.Warm = "", time.Time{}
		return false, ""
	}
	if f.Hot != "" {
		room, _ := b.Rooms.Get(f.Hot)
		t, known := b.warmth(f.Hot)
		if known && t >= b.aimed(room)-coolBelow {
			return true, fmt.Sprintf("%s: %s is too warm", room.Name, degrees(t))
		}
		f.Hot = ""
		b.decide(gateway.Decision{Kind: "heating", Room: room.ID, Device: f.device.ID, What: label(f.device) + " may heat again", Why: room.Name + " has cooled down"})
	}
	above := b.tooWarm(f)
	switch {
	case above.ID == "" || !f.On:
		f.Warm = time.Time{}
	case f.Warm.IsZero() || f.Warm.After(b.now):
		f.Warm = b.now
	case b.now.Sub(f.Warm) >= hotFor:
		f.Hot, f.Warm = above.ID, time.Time{}
		t, _ := b.warmth(above.ID)
		why := fmt.Sprintf("%s: %s for %s with the relay on", above.Name, degrees(t), words(hotFor))
		b.decide(gateway.Decision{Kind: "alarm", Room: above.ID, Device: f.device.ID, What: fmt.Sprintf("%s heats %s too far: it is switched off", label(f.device), above.Name), Why: why})
		return true, why
	}
	return false, ""
}

// tooWarm is a room of the relay that is above its cap; its zero value: none.
func (b *book) tooWarm(f *firing) gateway.Room {
	for _, room := range f.rooms {
		if t, known := b.warmth(room.ID); known && t > min(b.aimed(room)+hotAbove, b.Home.Maximum) {
			return room
		}
	}
	return gateway.Room{}
}

// aimed is what a room ought to be, as far as anybody says.
func (b *book) aimed(room gateway.Room) float64 {
	if t, ok := room.Target.Value.Number(); ok {
		return t
	}
	return b.Home.Maximum - hotAbove
}

// heedStuck raises the alarm for a relay that is off and heats all the same: its meter shows power, or all
// its rooms grow warmer while no sun can be the reason.
func (b *book) heedStuck(f *firing) {
	draws := b.draws(f)
	rises := b.rises(f)
	switch {
	case f.On:
		f.Stuck = false
	case !f.Stuck && (draws != "" || rises != ""):
		f.Stuck = true
		why := draws
		if why == "" {
			why = rises
		}
		b.decide(gateway.Decision{Kind: "alarm", Device: f.device.ID, What: label(f.device) + " is off and heats all the same: its contact may be stuck",
			Why: why + "; the valves of its rooms are kept open so that the heat spreads, switch it off at the fuse"})
	case f.Stuck && b.cooled(f):
		f.Stuck = false
		f.Idle = gateway.Idle{}
		b.decide(gateway.Decision{Kind: "device", Device: f.device.ID, What: label(f.device) + " no longer heats", Why: "its meter shows no power and its rooms grow no warmer"})
	}
}

// draws watches the relay's meter.
func (b *book) draws(f *firing) string {
	m, ok := f.device.Reading(gateway.Power)
	watts, _ := m.Value.Number()
	if !ok || f.On || watts <= stuckPower || m.At.Before(f.Changed) {
		f.Idle.Power = time.Time{}
		return ""
	}
	if f.Idle.Power.IsZero() || f.Idle.Power.After(b.now) {
		f.Idle.Power = b.now
	}
	if b.now.Sub(f.Idle.Power) < stuckDraws {
		return ""
	}
	return fmt.Sprintf("its meter shows %v W", m.Value)
}

// rises watches the coolest of the relay's rooms from half an hour after it went off, when the heat of the
// radiators is spent (two hours for a floor), and only while the sun is down.
func (b *book) rises(f *firing) string {
	spent := stuckFor
	if f.device.Circuit.Heats == gateway.HeatsFloor {
		spent = 2 * time.Hour
	}
	hour := b.now.In(b.Home.Zone.Location()).Hour()
	least, known := b.coolest(f.rooms)
	if f.On || !known || !f.ours || hour >= 8 && hour < 20 || b.Clock.Trust == gateway.TrustGuess || b.now.Sub(f.Changed) < spent {
		f.Idle.At = time.Time{}
		return ""
	}
	if f.Idle.At.IsZero() || f.Idle.At.After(b.now) || least < f.Idle.Temperature {
		f.Idle.At, f.Idle.Temperature = b.now, least
	}
	lasted := b.now.Sub(f.Idle.At)
	if lasted < stuckFor || least-f.Idle.Temperature <= stuckRise*lasted.Hours() {
		return ""
	}
	return fmt.Sprintf("its rooms have grown warmer by %.1f K in %s", least-f.Idle.Temperature, words(lasted))
}

// coolest is the temperature of the coolest room; false: there is one that nobody knows.
func (b *book) coolest(rooms []gateway.Room) (float64, bool) {
	least := hottestRoom
	for _, room := range rooms {
		t, known := b.warmth(room.ID)
		if !known {
			return 0, false
		}
		least = min(least, t)
	}
	return least, len(rooms) > 0
}

// cooled reports whether nothing speaks for a stuck relay any more.
func (b *book) cooled(f *firing) bool {
	m, metered := f.device.Reading(gateway.Power)
	watts, _ := m.Value.Number()
	if metered {
		return watts <= stuckPower
	}
	least, known := b.coolest(f.rooms)
	return known && !f.Idle.At.IsZero() && least <= f.Idle.Temperature
}

// spread is the target of a room whose relay is stuck: its valves stay open, so that the heat spreads over
// the house instead of boiling in one room.
func (b *book) spread(room gateway.Room) (gateway.Aim, bool) {
	if b.Firings.Len() == 0 || !b.inCharge() { // nearly always: this is asked for each room
		return gateway.Aim{}, false
	}
	for id, f := range b.Firings.All() {
		if !f.Stuck {
			continue
		}
		d, _ := b.Devices.Get(id)
		if b.Heats(d, room.ID) && d.Circuit.Heats != gateway.HeatsElectric {
			return gateway.Aim{Value: gateway.Number(b.Home.Maximum), Mode: gateway.RoomManual,
				Why: label(d) + " heats although it is off: the valve is kept open so that the heat spreads"}, true
		}
	}
	return gateway.Aim{}, false
}
