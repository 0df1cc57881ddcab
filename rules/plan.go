package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// observePlan copies the home as the cloud has it. A list that came back empty wipes nothing: a
// cloud that forgets our rooms is a sick cloud, not an empty house.
func (b *book) observePlan(f gateway.Plan) {
	if b.Home.ID != "" && f.Home != b.Home.ID {
		b.decide(gateway.Decision{Kind: "authority", What: "a plan of another home was not taken over",
			Why: fmt.Sprintf("it is for home %s, this is %s; set home.id if you moved", f.Home, b.Home.ID)})
		return
	}
	first := b.Home.ID == ""
	b.Home.ID, b.Home.Copied = f.Home, b.now
	if f.Name != "" {
		b.Home.Name = f.Name
	}
	if f.Zone != (gateway.TimeZone{}) {
		b.Home.Zone = f.Zone
	}
	if f.DefaultDuration > 0 {
		b.Home.DefaultDuration = f.DefaultDuration
	}
	if f.Control != "" {
		b.Home.Control = f.Control
	}
	b.takeSchedules(f.Schedules)
	for _, r := range f.Rooms {
		room, ok := b.Rooms.Get(r.ID)
		if !ok || room.Name != r.Name {
			room.ID, room.Name = r.ID, r.Name
			b.setRoom(room)
		}
	}
	b.joinRooms()
	b.changed, b.everything = true, true
	if first {
		b.decide(gateway.Decision{Kind: "authority", What: fmt.Sprintf("the plan of %s is copied", homeName(b.Home)),
			Why: fmt.Sprintf("%d rooms, %d schedules; it will go on here if Netatmo is gone", b.Rooms.Len(), len(b.Home.Schedules))})
	}
}

// takeSchedules takes over what is whole. In place of a schedule that came half the last good one stays,
// and that is said once.
func (b *book) takeSchedules(sent []gateway.Schedule) {
	if len(sent) == 0 {
		return
	}
	var kept []gateway.Schedule
	fault := ""
	for _, s := range sent {
		last, known := scheduleOf(b.Home.Schedules, s.ID)
		wrong := half(s, last)
		if wrong != "" && fault == "" {
			fault = wrong
		}
		switch {
		case wrong == "" || len(b.Home.Schedules) == 0:
			kept = append(kept, s)
		case known:
			last.Selected = s.Selected
			kept = append(kept, last)
		}
	}
	for _, last := range b.Home.Schedules {
		if !last.Selected || !steersRooms(last) || slices.ContainsFunc(kept, func(s gateway.Schedule) bool { return s.Selected && s.Type == last.Type }) {
			continue
		}
		// One of each type is always selected, so a list without it came short.
		kept = slices.DeleteFunc(kept, func(s gateway.Schedule) bool { return s.ID == last.ID })
		kept = append(kept, last)
	}
	b.Home.Schedules = kept
	b.sayFault(fault)
}

func scheduleOf(all []gateway.Schedule, id string) (gateway.Schedule, bool) {
	for _, s := range all {
		if s.ID == id {
			return s, true
		}
	}
	return gateway.Schedule{}, false
}

// steersRooms reports whether a schedule is one that asks temperatures of rooms.
func steersRooms(s gateway.Schedule) bool {
	return s.Type == "therm" || s.Type == "cooling" || s.Type == ""
}

// half says in what a schedule cannot be followed, or has lost what the last one of its id had; "" if
// it is whole.
func half(s, last gateway.Schedule) string {
	if !steersRooms(s) {
		return ""
	}
	if faults := schedule.Faults(s); len(faults) > 0 {
		return faults[0]
	}
	for _, before := range last.Zones {
		for _, z := range s.Zones {
			if z.ID == before.ID && len(z.Rooms) == 0 && len(before.Rooms) > 0 {
				return fmt.Sprintf("zone %q of schedule %q says nothing of any room any more", z.Name, s.Name)
			}
		}
	}
	return ""
}

func (b *book) sayFault(fault string) {
	if fault == b.Home.Fault {
		return
	}
	b.Home.Fault = fault
	if fault == "" {
		b.decide(gateway.Decision{Kind: "authority", What: "the plan is whole again", Why: "Netatmo sent it without fault"})
		return
	}
	b.decide(gateway.Decision{Kind: "authority", What: "the plan came with a fault: the last good one is kept", Why: fault})
}

func homeName(h gateway.Home) string {
	if h.Name != "" {
		return h.Name
	}
	return "the home"
}

// settleTime is how long the cloud may take to show what a person just asked it for.
const settleTime = 2 * time.Minute

// observeView takes over what the cloud says. While it is in charge its overrides and mode are the
// house's; in an outage they are only noted, for the merge.
func (b *book) observeView(f gateway.CloudView) {
	b.Cloud.Viewed = b.now
	if !f.Fresh.IsZero() {
		b.Cloud.Fresh = f.Fresh
	}
	b.viewHome(f)
	for _, r := range f.Rooms {
		b.viewRoom(r, f.At)
	}
	b.changed, b.everything = true, true
}

// viewHome takes over the home's mode and schedule.
func (b *book) viewHome(f gateway.CloudView) {
	before := b.Home.Cloud
	there := gateway.Regime{Mode: f.Mode, Schedule: f.Schedule, Until: f.ModeUntil, At: b.now}
	switch {
	case f.Mode == "" || sameRegime(before, there) && before.Schedule == there.Schedule:
		there = before
	case there.Mode == gateway.HomeSchedule && !before.Until.IsZero() && !before.Until.After(b.now):
		there.At = before.Until // it came to its end
	}
	b.Home.Cloud = there
	here := b.Home.Regime
	b.turned = !sameMode(before, there)
	b.wiped = here.By != "" && sameMode(here, there) && !sameMode(before, there)
	if b.inCharge() || there.Mode == "" {
		b.heedHome()
		return
	}
	pending := here.Local && b.stillAsked(b.Home.ID)
	switch {
	case sameRegime(here, there) && pending:
		b.dropKept(gateway.DeviceID(b.Home.ID)) // an answer was lost, or is on its way
	case pending && !setLater(here, there, before), !pending && b.fresh(here.By, here.At) && !setLater(here, there, before):
		return
	case pending:
		b.dropKept(gateway.DeviceID(b.Home.ID))
		b.decide(gateway.Decision{Kind: "mode", What: fmt.Sprintf("the home's mode is %s, as set in Netatmo", there.Mode), Why: "it was set later than here"})
	}
	b.Home.Regime = asSetHere(here, there)
}

// asSetHere is what the cloud shows, with the word of who set it and when if that was here.
func asSetHere(here, there gateway.Regime) gateway.Regime {
	if sameRegime(here, there) && here.By != "" {
		there.At, there.By = here.At, here.By
	}
	return there
}

// setLater reports whether a view shows the act of a person in the vendor's app that was made after
// what was wished here: something has changed, and not into that wish.
func setLater(here, there, before gateway.Regime) bool {
	mode := !sameMode(there, before) && !sameMode(there, here)
	timetable := there.Schedule != before.Schedule && there.Schedule != here.Schedule
	return before.Mode != "" && (mode || timetable) && there.At.After(here.At)
}

func sameMode(a, b gateway.Regime) bool {
	return a.Mode == b.Mode && sameEnd(a.Until, b.Until)
}

// sameRegime compares mode, end and schedule; where one of them names no schedule, that says nothing.
func sameRegime(a, b gateway.Regime) bool {
	return sameMode(a, b) && (a.Schedule == b.Schedule || a.Schedule == "" || b.Schedule == "")
}

// sameEnd compares ends as the cloud knows them, in whole seconds.
func sameEnd(a, b time.Time) bool {
	return a.Unix() == b.Unix()
}

// viewRoom takes over what the cloud, by its own clock at t, shows of a room. That a room is on frost guard
// because the home is, is no wish for that room.
func (b *book) viewRoom(v gateway.CloudRoom, t time.Time) {
	if v.Mode == gateway.RoomFrost && b.Home.Cloud.Mode == gateway.HomeFrost {
		v.Mode = gateway.RoomHome
	}
	room, ok := b.Rooms.Get(v.ID)
	if !ok {
		room = gateway.Room{ID: v.ID, Name: string(v.ID)}
	}
	v.Since = b.since(room, v, t)
	room.Cloud, room.CloudAt = v, b.now
	if b.inCharge() {
		b.unhand(&room)
		b.heedRoom(&room)
		b.setRoom(room)
		return
	}
	if b.holds(room) {
		b.setRoom(room)
		return
	}
	room.Override = b.overrideThere(v)
	room.Moved = room.Moved && v.Mode == gateway.RoomManual
	b.setRoom(room)
}

// since is when a room began to be as the cloud shows it. Only for what a person sets does the vendor
// know that; of everything else it is when it was first seen.
func (b *book) since(room gateway.Room, v gateway.CloudRoom, t time.Time) time.Time {
	before := room.Cloud
	kept := b.overrideThere(v).Mode != ""
	switch {
	case kept && !v.Since.IsZero():
		return v.Since
	case room.CloudAt.IsZero():
		return time.Time{}
	case sameOverride(b.overrideThere(v), b.overrideThere(before)):
		return before.Since
	case !kept && !before.Until.IsZero() && !before.Until.After(b.now), !kept && (b.wiped || b.leftByUs(room) && !b.withdrawn(room, t)):
		return time.Time{} // it came to its end, or it was what we wrote ourselves: nobody acted
	}
	return b.now
}

// withdrawn reports whether somebody has ended in the vendor's app what we wrote over the LAN, for the cloud
// shows it no more, at t by its own clock, though its time there is not over. We ourselves tell it nothing
// while we are in charge; a mode of the home ends it as well, and that is another act.
func (b *book) withdrawn(room gateway.Room, t time.Time) bool {
	rest := room.Cloud.Until.Sub(t)
	return b.inCharge() && !b.turned && !b.stillAsked(string(room.ID)) && !t.IsZero() && rest > endSlack
}

// holds reports whether a room keeps what was wished here although the cloud does not show it yet. What
// the cloud is still asked for is settled here if it shows it, or a later act of a person.
func (b *book) holds(room gateway.Room) bool {
	o := room.Override
	pending := o.Local && b.stillAsked(string(room.ID))
	shows := b.showsWish(room, o)
	switch {
	case pending && shows && b.mustWait(gateway.CloudPoint(string(room.ID), gateway.Target)):
		return true // for how long: a mode that ends it is on its way
	case !pending && !b.fresh(o.By, o.At), shows && !pending:
		return false
	case !shows && !b.laterThere(room, o):
		return true
	case pending:
		b.dropKept(gateway.DeviceID(room.ID))
	}
	if pending && !shows {
		b.decide(gateway.Decision{Kind: "wish", Room: room.ID, What: room.Name + " keeps what was set in Netatmo", Why: "it was set later than here"})
	}
	return false
}

// showsWish reports whether the cloud shows what was wished here.
func (b *book) showsWish(room gateway.Room, o gateway.Override) bool {
	held := b.overrideThere(room.Cloud)
	return o.Mode == gateway.RoomHome && held.Mode == "" || o.Mode != "" && sameOverride(o, held)
}

// laterThere reports whether the cloud shows what a person did in the vendor's app after a wish here.
func (b *book) laterThere(room gateway.Room, o gateway.Override) bool {
	return !b.leftByUs(room) && room.Cloud.Since.After(o.At)
}

// sameOverride compares two wishes for a room as the cloud knows them: in its steps of half a degree.
// A wish without an end is told with one that is far.
func sameOverride(a, b gateway.Override) bool {
	if a.Mode != b.Mode {
		return false
	}
	far := func(x, y gateway.Override) bool { return x.Until.IsZero() && y.Until.Sub(y.At) > farEnd/2 }
	ends := sameEnd(a.Until, b.Until) || far(a, b) || far(b, a)
	return ends && (a.Mode != gateway.RoomManual || near(gateway.Number(a.Target), gateway.Number(b.Target), 0.5))
}

// fresh reports whether a person acted here so lately that the cloud need not show it yet.
func (b *book) fresh(by string, at time.Time) bool {
	age := b.now.Sub(at)
	return by != "" && age < settleTime && age > -settleTime
}

// overrideThere is a person's wish for one room as the cloud shows it.
func (b *book) overrideThere(v gateway.CloudRoom) gateway.Override {
	switch v.Mode {
	case gateway.RoomManual, gateway.RoomMax, gateway.RoomFrost, gateway.RoomOff:
		target, _ := v.Target.Number()
		return gateway.Override{Mode: v.Mode, Target: target, At: v.Since, Until: v.Until}
	}
	return gateway.Override{}
}
