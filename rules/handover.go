package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// shortRest is what is not worth telling the cloud any more.
const shortRest = 10 * time.Minute

// handBack gives the house to the cloud again. The cloud was read before; now, for the home's mode
// and for each room, what holds is merged three ways: as it was at the loss, as it is here, as it is
// there. The later human act wins. What the schedule wrote is never told; a room that our writes left
// in manual is set back to follow the home.
func (b *book) handBack() {
	lost := b.now.Sub(b.Authority.Lost).Round(time.Minute)
	why := fmt.Sprintf("it has answered since %s; it was gone for %s", b.clock(b.Cloud.FirstGood), words(lost))
	if b.Authority.Drill {
		why = fmt.Sprintf("the drill is over after %s", words(lost))
	} else {
		b.Cloud.Returned = b.now // a drill is no outage: what follows it is no relapse
	}
	b.enter(gateway.Watching, "the house is handed back to Netatmo", why)
	b.mergeHome()
	for _, room := range b.Rooms.All() {
		b.mergeRoom(room)
	}
	b.Authority.Drill, b.Authority.Until = false, time.Time{}
}

func words(d time.Duration) string { return strings.TrimSuffix(d.String(), "0s") }

// mergeHome settles the home's mode.
func (b *book) mergeHome() {
	here, there, base := b.Home.Regime, b.Home.Cloud, b.Home.Base
	changedThere := there.Mode != base.Mode || there.Schedule != base.Schedule
	if !here.Local || changedThere && there.At.After(here.At) {
		if changedThere && here.Local {
			b.decide(gateway.Decision{Kind: "return", What: fmt.Sprintf("the home's mode is %s, as set in Netatmo", there.Mode), Why: "it was set later than here"})
		}
		b.Home.Regime = there
		return
	}
	if !here.Until.IsZero() && here.Until.Sub(b.now) < shortRest {
		b.Home.Regime = there
		return
	}
	told := len(b.commands)
	if here.Schedule != "" && here.Schedule != there.Schedule {
		b.keepAsking(gateway.CloudPoint(b.Home.ID, gateway.TimetableID), gateway.Word(here.Schedule), time.Time{}, "switched here while Netatmo was gone")
	}
	if here.Mode != there.Mode || !here.Until.Equal(there.Until) {
		b.keepAsking(gateway.CloudPoint(b.Home.ID, gateway.Mode), gateway.Word(string(here.Mode)), here.Until, "set here while Netatmo was gone")
	}
	if len(b.commands) == told {
		b.Home.Regime = there // it says the same already
		return
	}
	b.decide(gateway.Decision{Kind: "return", What: fmt.Sprintf("Netatmo is told: the home's mode is %s", here.Mode), Why: "set in " + here.By + " while it was gone"})
}

// mergeRoom settles one room.
func (b *book) mergeRoom(room gateway.Room) {
	here := room.Override
	there := b.actThere(room)
	switch {
	case here.Local && (there.Mode == "" || !there.At.After(here.At)):
		b.tellBack(room)
	default:
		if here.Local {
			b.decide(gateway.Decision{Kind: "return", Room: room.ID, What: fmt.Sprintf("%s keeps what was set in Netatmo", room.Name), Why: "it was set later than here"})
		}
		room.Override = b.overrideThere(room.Cloud)
		if there.Mode == "" && leftByUs(room) {
			b.followAgain(&room, "our writes over the LAN left it in manual")
		}
		room.Moved = false
		b.setRoom(room)
	}
}

// tellBack tells the cloud what a person wished here, with the time that remains.
func (b *book) tellBack(room gateway.Room) {
	o := room.Override
	plan := b.bySchedule(room)
	over := !o.Until.IsZero() && o.Until.Sub(b.now) < shortRest
	equal := o.Mode == gateway.RoomManual && plan.Value == gateway.Number(o.Target)
	showsSo := room.Cloud.Mode == o.Mode && near(room.Cloud.Target, gateway.Number(o.Target), 0) && room.Cloud.Until.Equal(o.Until)
	moved := leftByUs(room)
	room.Moved = false
	switch {
	case showsSo:
		room.Override.Local = false
		b.setRoom(room)
	case over || equal || o.Mode == gateway.RoomHome:
		room.Override = gateway.Override{}
		switch {
		case moved:
			b.followAgain(&room, "our writes over the LAN left it in manual")
		case o.Mode == gateway.RoomHome && b.overrideThere(room.Cloud).Mode != "":
			b.followAgain(&room, "set in "+o.By+" while Netatmo was gone")
		}
		b.setRoom(room)
	default:
		b.setRoom(room)
		b.tellRoom(room, "set here while Netatmo was gone")
		what := fmt.Sprintf("Netatmo is told: %s %s", room.Name, overrideWords(o))
		if !o.Until.IsZero() {
			what += " until " + b.clock(o.Until)
		}
		b.decide(gateway.Decision{Kind: "return", Room: room.ID, What: what, Why: "set in " + o.By + " while it was gone"})
	}
}

// followAgain sets a room back to follow the home.
func (b *book) followAgain(room *gateway.Room, why string) {
	b.keepAsking(gateway.CloudPoint(string(room.ID), gateway.Mode), gateway.Word(string(gateway.RoomHome)), time.Time{}, why)
	b.decide(gateway.Decision{Kind: "return", Room: room.ID, What: room.Name + " is set back to follow the home", Why: why})
	room.Override = gateway.Override{Mode: gateway.RoomHome, At: b.now, By: "Veilleuse", Local: true}
}

// leftByUs reports whether the cloud shows the room in manual because of what we wrote over the LAN.
func leftByUs(room gateway.Room) bool {
	return room.Moved && room.Cloud.Mode == gateway.RoomManual && near(room.Cloud.Target, room.Written.Value, 0.5)
}

// actThere is what a person did to a room in the vendor's app while it was lost to us: its mode and
// when. A change without a time counts as made when it is first seen, which is now.
func (b *book) actThere(room gateway.Room) gateway.Override {
	now, base := b.overrideThere(room.Cloud), b.overrideThere(room.Base)
	if leftByUs(room) || now.Mode == base.Mode && near(gateway.Number(now.Target), gateway.Number(base.Target), 0) && now.Until.Equal(base.Until) {
		return gateway.Override{}
	}
	if now.Mode == "" {
		if !base.Until.IsZero() && !base.Until.After(b.now) {
			return gateway.Override{} // it only came to its end
		}
		return gateway.Override{Mode: gateway.RoomHome, At: b.now}
	}
	if now.At.Before(b.Authority.Lost) {
		now.At = b.now
	}
	return now
}
