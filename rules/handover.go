package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// shortRest is what is not worth telling the cloud any more.
const shortRest = 10 * time.Minute

// handBack gives the house to the cloud again. The cloud was read before; now, for the home's mode, its
// schedule and each room, what holds is merged three ways: as it was at the loss, as it is here, as it
// is there. The later human act wins. What the schedule wrote is never told; a room that our writes
// left in manual is set back to follow the home.
func (b *book) handBack() {
	b.endModes() // what has ended by now is not told
	for _, room := range b.Rooms.All() {
		b.endOverride(&room)
		b.setRoom(room)
	}
	lost := b.now.Sub(b.Authority.Lost)
	why := fmt.Sprintf("it has answered since %s; it was gone for %s", b.clock(b.Cloud.FirstGood), words(lost))
	if b.Authority.Drill {
		why = fmt.Sprintf("the drill is over after %s", words(lost))
	} else {
		b.Cloud.Returned = b.now // a drill is no outage: what follows it is no relapse
	}
	b.enter(gateway.Watching, "the house is handed back to Netatmo", why)
	b.dropKept(gateway.DeviceID(b.Home.ID)) // the merge says anew what is still to be told
	wiped := b.mergeHome()
	for _, room := range b.Rooms.All() {
		b.dropKept(gateway.DeviceID(room.ID))
		b.mergeRoom(room, wiped)
	}
	b.Authority.Drill, b.Authority.Until = false, time.Time{}
}

// mergeHome settles the home's mode and its schedule, each by itself. It reports whether the cloud is
// told a mode, which wipes the manual set points of all rooms there (home-assistant#46147).
func (b *book) mergeHome() (wiped bool) {
	here, there, base := b.Home.Regime, b.Home.Cloud, b.Home.Base
	b.Home.Regime = there
	if !modeSetThere(there, base, b.now) {
		b.Home.Regime = asSetHere(here, there)
	}
	if !here.Local {
		return false
	}
	later := !there.At.Before(here.At)
	mode := !(later && modeSetThere(there, base, b.now))
	timetable := here.Schedule != "" && here.Schedule != base.Schedule && !(later && there.Schedule != base.Schedule)
	if !mode {
		b.sayModeKept(there)
		here.Mode, here.Until = there.Mode, there.Until
	}
	if !timetable {
		here.Schedule = there.Schedule
	}
	if sameRegime(here, there) {
		return false
	}
	b.Home.Regime = here
	if here.Schedule != there.Schedule {
		b.decide(gateway.Decision{Kind: "return", What: "Netatmo is told: the home follows schedule " + b.scheduleName(here.Schedule), Why: "switched in " + here.By + " while it was gone"})
	}
	if !sameMode(here, there) {
		b.decide(gateway.Decision{Kind: "return", What: fmt.Sprintf("Netatmo is told: the home's mode is %s", here.Mode), Why: "set in " + here.By + " while it was gone"})
	}
	return b.tellHome("set here while Netatmo was gone")
}

// modeSetThere reports whether a person changed the home's mode in the vendor's app; one that came to
// its end by itself is nobody's act.
func modeSetThere(there, base gateway.Regime, now time.Time) bool {
	if base.Mode == "" {
		base.Mode = gateway.HomeSchedule
	}
	ended := there.Mode == gateway.HomeSchedule && !base.Until.IsZero() && !base.Until.After(now)
	return !sameMode(there, base) && !ended
}

func (b *book) scheduleName(id string) string {
	for _, s := range b.Home.Schedules {
		if s.ID == id && s.Name != "" {
			return s.Name
		}
	}
	return id
}

// mergeRoom settles one room. Wiped says that a mode of the home is on its way, which ends what the
// cloud holds for the room.
func (b *book) mergeRoom(room gateway.Room, wiped bool) {
	here, there := room.Override, b.actThere(room)
	switch {
	case here.Local && (there.Mode == "" || there.At.Before(here.At)):
		b.tellBack(room, wiped)
	case there.Mode != "":
		b.sayKept(room)
		b.keepThere(room, b.overrideThere(room.Cloud), wiped)
	case b.leftByUs(room), b.endedByUs(room):
		if modeSetThere(b.Home.Cloud, b.Home.Base, b.now) {
			here = gateway.Override{} // which ended it there
		}
		b.keepThere(room, here, true)
		if after, _ := b.Rooms.Get(room.ID); !wiped && after.Override.Mode == "" && b.leftByUs(room) {
			b.followAgain(room, gateway.Override{At: room.Written.At, By: "Veilleuse"}, "our writes over the LAN left it in manual")
		}
	default:
		b.keepThere(room, b.overrideThere(room.Cloud), wiped)
	}
}

// heedRoom takes over what a person did in the vendor's app as soon as it is seen, though the cloud is
// not in charge again yet: it may be gone again before it is.
func (b *book) heedRoom(room *gateway.Room) {
	here, there := room.Override, b.actThere(*room)
	if !b.heard() || there.Mode == "" || here.Local && there.At.Before(here.At) {
		return
	}
	b.sayKept(*room)
	room.Override, room.Base = b.overrideThere(room.Cloud), room.Cloud
}

// heedHome does the same for the home's mode and its schedule.
func (b *book) heedHome() {
	here, there, base := b.Home.Regime, b.Home.Cloud, b.Home.Base
	mode, timetable := modeSetThere(there, base, b.now), there.Schedule != base.Schedule
	if !b.heard() || there.Mode == "" || !mode && !timetable || here.Local && there.At.Before(here.At) {
		return
	}
	if mode && here.Local {
		b.sayModeKept(there)
	}
	if mode {
		here.Mode, here.Until, here.At = there.Mode, there.Until, there.At
		b.endThere()
	}
	if timetable {
		here.Schedule = there.Schedule
	}
	if sameRegime(here, there) {
		here = there
	}
	b.Home.Regime, b.Home.Base = here, there
}

// endThere forgets what the cloud held for rooms: a mode that was set there has ended it. What it holds
// beside that mode the same view shows.
func (b *book) endThere() {
	for id, room := range b.Rooms.All() {
		if o := room.Override; !o.Local && o.Mode != "" && o.By == "" {
			room.Override = gateway.Override{}
			b.Rooms = b.Rooms.With(id, room)
		}
	}
}

// heard reports whether the cloud answers, and with news.
func (b *book) heard() bool {
	return b.inReach() && (b.Cloud.Fresh.IsZero() || b.now.Sub(b.Cloud.Fresh) < staleView)
}

// sayKept says that a room keeps what was set in the vendor's app, if something else was wished here.
func (b *book) sayKept(room gateway.Room) {
	here, held := room.Override, b.overrideThere(room.Cloud)
	if here.Local && !sameOverride(here, held) && !(here.Mode == gateway.RoomHome && held.Mode == "") {
		b.decide(gateway.Decision{Kind: "return", Room: room.ID, What: fmt.Sprintf("%s keeps what was set in Netatmo", room.Name), Why: "it was set later than here"})
	}
}

func (b *book) sayModeKept(there gateway.Regime) {
	b.decide(gateway.Decision{Kind: "return", What: fmt.Sprintf("the home's mode is %s, as set in Netatmo", there.Mode), Why: "it was set later than here"})
}

// keepThere leaves a room what a person set in the vendor's app. If the cloud has lost it meanwhile by
// what we wrote, it is told again, end and all.
func (b *book) keepThere(room gateway.Room, held gateway.Override, lost bool) {
	room.Override = gateway.Override{}
	running := held.Mode != "" && held.Mode != gateway.RoomHome && (held.Until.IsZero() || held.Until.After(b.now))
	switch {
	case running && !b.outruled(held):
		room.Override = held
	case running && !lost: // the mode that ends it is the cloud's already
		r := b.Home.Regime
		b.followAgain(room, gateway.Override{At: r.At, By: r.By}, fmt.Sprintf("the home's mode was set later in %s", r.By))
		return
	}
	if !lost || room.Override.Mode == "" {
		room.Moved = room.Moved && lost
		b.setRoom(room)
		return
	}
	if held.By == "" {
		room.Override.By = "Netatmo"
	}
	room.Override.Local = true
	b.setRoom(room)
	b.tellRoom(room, "it was lost by a write of ours")
	b.decide(gateway.Decision{Kind: "return", Room: room.ID, What: fmt.Sprintf("Netatmo is told again: %s %s", room.Name, b.overrideWithEnd(held)), Why: "a write of ours has ended it there"})
}

// outruled reports whether the home's mode was set later than a wish for one room and rules it. What
// the cloud holds for a room under its own mode is in force: it would have ended it otherwise.
func (b *book) outruled(o gateway.Override) bool {
	r := b.Home.Regime
	both := o.By == "" && r.By == ""
	return (r.Mode == gateway.HomeAway || r.Mode == gateway.HomeFrost) && r.At.After(o.At) && !both
}

// tellBack tells the cloud what a person wished here, with the time that remains.
func (b *book) tellBack(room gateway.Room, wiped bool) {
	o, held := room.Override, b.overrideThere(room.Cloud)
	if wiped {
		held = gateway.Override{}
	}
	free := held.Mode == "" // the cloud holds nothing for this room
	idle := o.Mode == gateway.RoomHome || b.outruled(o) || b.notWorthTelling(room)
	switch {
	case sameOverride(o, held):
		room.Override.Local, room.Moved = false, false
		b.setRoom(room)
	case o.By == byHand && !wiped && held.Until.Sub(o.Until).Abs() < lookFirst && sameOverride(o, untilThe(o.Until, held)):
		room.Override, room.Moved = held, false // the device has told the cloud itself
		b.setRoom(room)
	case free && idle:
		room.Override, room.Moved = gateway.Override{}, false
		b.setRoom(room)
	case idle:
		why := "set in " + o.By + " while Netatmo was gone"
		if b.leftByUs(room) {
			why = "our writes over the LAN left it in manual"
		}
		b.followAgain(room, o, why)
	default:
		b.setRoom(room)
		b.tellRoom(room, "set here while Netatmo was gone")
		b.decide(gateway.Decision{Kind: "return", Room: room.ID, What: fmt.Sprintf("Netatmo is told: %s %s", room.Name, b.overrideWithEnd(o)), Why: "set in " + o.By + " while it was gone"})
	}
}

// untilThe is a wish with another end.
func untilThe(end time.Time, o gateway.Override) gateway.Override {
	o.Until = end
	return o
}

// notWorthTelling reports whether a wish is over soon, or is what the schedule says all the while.
func (b *book) notWorthTelling(room gateway.Room) bool {
	o := room.Override
	if o.Until.IsZero() {
		return false
	}
	plan := b.bySchedule(room)
	if o.Mode == gateway.RoomManual && b.Home.Regime.Mode == gateway.HomeSchedule && plan.Value == gateway.Number(o.Target) && !plan.Until.IsZero() && !plan.Until.Before(o.Until) {
		return true
	}
	return o.Until.Sub(b.now) < shortRest
}

func (b *book) overrideWithEnd(o gateway.Override) string {
	if o.Until.IsZero() {
		return overrideWords(o)
	}
	return overrideWords(o) + " until " + b.clock(o.Until)
}

// followAgain sets a room back to follow the home, as somebody wished.
func (b *book) followAgain(room gateway.Room, wish gateway.Override, why string) {
	room.Override = gateway.Override{Mode: gateway.RoomHome, At: wish.At, By: wish.By, Local: true}
	b.setRoom(room)
	b.tellRoom(room, why)
	b.decide(gateway.Decision{Kind: "return", Room: room.ID, What: room.Name + " is set back to follow the home", Why: why})
}

// leftByUs reports whether the cloud shows the room in manual because of what we wrote over the LAN: the
// last time, or before, if the last got lost; then its end tells that it was us.
func (b *book) leftByUs(room gateway.Room) bool {
	if !room.Moved || room.Cloud.Mode != gateway.RoomManual {
		return false
	}
	return near(room.Cloud.Target, room.Written.Value, 0.5) || slices.ContainsFunc(room.Wrote, func(w gateway.Aim) bool {
		return near(room.Cloud.Target, w.Value, 0.5) && room.Cloud.Until.Sub(w.At.Add(b.usual())).Abs() < shortRest
	})
}

// endedByUs reports whether the cloud held what we wrote over the LAN until that came to its end there: what
// it held for the room before is lost to it.
func (b *book) endedByUs(room gateway.Room) bool {
	return room.Moved && !room.CloudAt.IsZero() && room.Cloud.Since.IsZero() && b.overrideThere(room.Cloud).Mode == ""
}

// remember keeps what was written to a room before the last time, as far back as that can still show.
func (b *book) remember(room *gateway.Room) {
	if !room.Moved {
		room.Wrote = nil
		return
	}
	old := slices.DeleteFunc(slices.Clone(room.Wrote), func(w gateway.Aim) bool { return b.now.Sub(w.At) > 2*b.usual() })
	room.Wrote = old[max(0, len(old)-mostRepeat):]
	if last := room.Written; last.Value.Known() {
		room.Wrote = append(room.Wrote, gateway.Aim{Value: last.Value, At: last.At})
	}
}

// actThere is what a person did to a room in the vendor's app while it was lost to us: its mode and
// when. A change without a time counts as made when it was first seen.
func (b *book) actThere(room gateway.Room) gateway.Override {
	now, base := b.overrideThere(room.Cloud), b.overrideThere(room.Base)
	ended := now.Mode == "" && room.Moved && room.Cloud.Since.After(room.Written.At) // of ours, before its time
	if b.leftByUs(room) || sameOverride(now, base) && !ended {
		return gateway.Override{}
	}
	if now.Mode == "" {
		if b.endedByUs(room) || !base.Until.IsZero() && !base.Until.After(b.now) {
			return gateway.Override{} // it only came to its end
		}
		return gateway.Override{Mode: gateway.RoomHome, At: room.Cloud.Since}
	}
	return now
}
