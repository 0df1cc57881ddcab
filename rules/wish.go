package rules

import (
	"fmt"
	"math"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// grant takes a person's wish: it is checked, put into the State, and carried out by whoever is in
// charge. A wish that cannot be granted is refused with the reason and changes nothing.
func (b *book) grant(w gateway.Wish) {
	b.everything = true
	switch ask := w.Ask.(type) {
	case gateway.SetTarget:
		b.setTarget(w.By, ask)
	case gateway.FollowHome:
		b.override(w.By, ask.Room, gateway.Override{Mode: gateway.RoomHome})
	case gateway.SetRoomOff:
		b.override(w.By, ask.Room, gateway.Override{Mode: gateway.RoomOff})
	case gateway.SetMode:
		b.setMode(w.By, ask)
	case gateway.SwitchSchedule:
		b.switchSchedule(w.By, ask)
	case gateway.SetDevice:
		b.setDeviceTo(w.By, ask)
	case gateway.SetGuard:
		b.setGuard(w.By, ask)
	case gateway.Hush:
		b.hush(w.By)
	case gateway.Acknowledge:
		b.acknowledge(w.By)
	case gateway.StartTest:
		b.startTest(w.By, ask)
	case gateway.EndTest:
		b.endTest(w.By)
	case gateway.StartDrill:
		b.startDrill(w.By, ask.For)
	case gateway.EndDrill:
		b.endDrill(w.By)
	case gateway.Refused:
		b.refuse(w.By, ask.Text, ask.Why)
	}
}

func (b *book) refuse(by, what, why string) {
	b.decide(gateway.Decision{Kind: "refused", What: fmt.Sprintf("%s: %s", by, what), Why: why})
}

func (b *book) setTarget(by string, ask gateway.SetTarget) {
	what := fmt.Sprintf("%s for %s", degrees(ask.Target), b.roomName(ask.Room))
	if math.IsNaN(ask.Target) || ask.Target < b.Home.FrostGuard || ask.Target > b.Home.Maximum {
		b.refuse(by, what, fmt.Sprintf("a target lies between the frost guard of %s and the maximum of %s", degrees(b.Home.FrostGuard), degrees(b.Home.Maximum)))
		return
	}
	until, ok := b.end(by, what, ask.For, ask.Until)
	if !ok {
		return
	}
	if until.IsZero() && !ask.Forever {
		until = b.now.Add(b.usual()).Truncate(time.Second)
	}
	b.override(by, ask.Room, gateway.Override{Mode: gateway.RoomManual, Target: ask.Target, Until: until})
}

// end is when a wish ends; it must lie ahead.
func (b *book) end(by, what string, length time.Duration, until time.Time) (time.Time, bool) {
	if length > 0 {
		until = b.now.Add(length)
	}
	until = until.Truncate(time.Second) // the cloud knows no shorter times
	if length < 0 || !until.IsZero() && !until.After(b.now) {
		b.refuse(by, what, "its end lies in the past")
		return until, false
	}
	return until, true
}

// override puts a wish for one room in force and tells the cloud while it is in charge.
func (b *book) override(by string, id gateway.RoomID, o gateway.Override) {
	room, ok := b.Rooms.Get(id)
	if !ok {
		b.refuse(by, "a wish for room "+string(id), "no such room is known here")
		return
	}
	o.At, o.By, o.Local = b.now, by, true
	room.Override = o
	b.setRoom(room)
	what := room.Name + " follows the home"
	switch o.Mode {
	case gateway.RoomManual:
		what = fmt.Sprintf("%s: %s", room.Name, degrees(o.Target))
	case gateway.RoomOff:
		what = room.Name + " is switched off, down to the frost floor"
	}
	if !o.Until.IsZero() {
		what += " until " + b.clock(o.Until)
	}
	b.decide(gateway.Decision{Kind: "wish", Room: id, What: what, Why: "asked for in " + by})
	if !b.inCharge() && b.signedIn() {
		b.tellRoom(room, "asked for in "+by)
	}
}

func (b *book) setMode(by string, ask gateway.SetMode) {
	what := "the home's mode " + string(ask.Mode)
	switch ask.Mode {
	case gateway.HomeSchedule, gateway.HomeAway, gateway.HomeFrost:
	default:
		b.refuse(by, what, "a home's mode is schedule, away or frost")
		return
	}
	until, ok := b.end(by, what, ask.For, ask.Until)
	if !ok {
		return
	}
	if ask.Mode == gateway.HomeSchedule {
		until = time.Time{} // it is what the others end in
	}
	b.Home.Regime = gateway.Regime{Mode: ask.Mode, Schedule: b.Home.Regime.Schedule, Until: until, At: b.now, By: by, Local: true}
	if !until.IsZero() {
		what += " until " + b.clock(until)
	}
	b.decide(gateway.Decision{Kind: "mode", What: what, Why: "asked for in " + by})
	if !b.inCharge() && b.signedIn() {
		b.tellHome("asked for in " + by)
	}
}

func (b *book) switchSchedule(by string, ask gateway.SwitchSchedule) {
	for _, s := range b.Home.Schedules {
		if s.ID != ask.ID {
			continue
		}
		b.Home.Regime = gateway.Regime{Mode: gateway.HomeSchedule, Schedule: s.ID, At: b.now, By: by, Local: true}
		b.decide(gateway.Decision{Kind: "mode", What: "the home follows schedule " + s.Name, Why: "asked for in " + by})
		if !b.inCharge() && b.signedIn() {
			b.tellHome("asked for in " + by)
		}
		return
	}
	b.refuse(by, "schedule "+ask.ID, "the home has no schedule of that id")
}

func (b *book) setDeviceTo(by string, ask gateway.SetDevice) {
	d, ok := b.State.Device(ask.Device)
	what := fmt.Sprintf("%s %v for %s", ask.Quantity, ask.Value, ask.Device)
	if !ok {
		b.refuse(by, what, "no such device is known here")
		return
	}
	control, via, ok := d.Control(ask.Quantity)
	n, isNumber := ask.Value.Number()
	switch {
	case !ok:
		b.refuse(by, what, fmt.Sprintf("%s has no %s that can be set", label(d), ask.Quantity))
	case ask.Quantity == gateway.Relay:
		b.refuse(by, what, "a heating relay follows its rooms; wish a temperature there")
	case ask.Quantity == gateway.Target:
		b.refuse(by, what, "a temperature is set for a room, not for one device of it")
	case isNumber && control.Max > control.Min && (n < control.Min || n > control.Max):
		b.refuse(by, what, fmt.Sprintf("it goes from %g to %g", control.Min, control.Max))
	default:
		b.decide(gateway.Decision{Kind: "wish", Device: d.ID, What: fmt.Sprintf("%s of %s: %v", ask.Quantity, label(d), ask.Value), Why: "asked for in " + by})
		b.keepAsking(gateway.Point{Adapter: via, Of: string(d.ID), Quantity: ask.Quantity}, ask.Value, b.now.Add(wishHolds), "asked for in "+by)
	}
}

// wishHolds is how long a wish for one device is asked for if the device does not answer.
const wishHolds = 10 * time.Minute
