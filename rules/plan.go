package rules

import (
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
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
	if len(f.Schedules) > 0 {
		b.Home.Schedules = f.Schedules
	}
	for _, r := range f.Rooms {
		room, ok := b.Rooms.Get(r.ID)
		if !ok || room.Name != r.Name {
			room.ID, room.Name = r.ID, r.Name
			b.setRoom(room)
		}
	}
	b.changed, b.everything = true, true
	if first {
		b.decide(gateway.Decision{Kind: "authority", What: fmt.Sprintf("the plan of %s is copied", homeName(b.Home)),
			Why: fmt.Sprintf("%d rooms, %d schedules; it will go on here if Netatmo is gone", b.Rooms.Len(), len(b.Home.Schedules))})
	}
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
	regime := b.Home.Cloud
	if f.Mode != "" && (regime.Mode != f.Mode || regime.Schedule != f.Schedule || !regime.Until.Equal(f.ModeUntil)) {
		regime = gateway.Regime{Mode: f.Mode, Schedule: f.Schedule, Until: f.ModeUntil, At: b.now}
	}
	b.Home.Cloud = regime
	if !b.inCharge() && regime.Mode != "" && !b.fresh(b.Home.Regime.By, b.Home.Regime.At) {
		b.Home.Regime = regime
	}
	for _, r := range f.Rooms {
		b.viewRoom(r)
	}
	b.changed, b.everything = true, true
}

func (b *book) viewRoom(v gateway.CloudRoom) {
	room, ok := b.Rooms.Get(v.ID)
	if !ok {
		room = gateway.Room{ID: v.ID, Name: string(v.ID)}
	}
	room.Cloud, room.CloudAt = v, b.now
	if !b.inCharge() && !(room.Override.Local && b.fresh(room.Override.By, room.Override.At)) {
		room.Override = b.overrideThere(v)
	}
	b.setRoom(room)
}

// fresh reports whether a person acted here so lately that the cloud need not show it yet.
func (b *book) fresh(by string, at time.Time) bool {
	return by != "" && b.now.Sub(at) < settleTime
}

// overrideThere is a person's wish for one room as the cloud shows it. A room on frost guard because
// the home is on frost guard is no wish for that room.
func (b *book) overrideThere(v gateway.CloudRoom) gateway.Override {
	switch v.Mode {
	case gateway.RoomFrost:
		if b.Home.Cloud.Mode == gateway.HomeFrost {
			return gateway.Override{}
		}
		fallthrough
	case gateway.RoomManual, gateway.RoomMax, gateway.RoomOff:
		target, _ := v.Target.Number()
		return gateway.Override{Mode: v.Mode, Target: target, At: v.Since, Until: v.Until}
	}
	return gateway.Override{}
}
