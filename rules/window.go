package rules

import (
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// A window that stands open is not heated against. Figures: the heating study, 3.
const (
	airsAfter = time.Minute      // a contact that is open for less is a door that people go through
	airsFor   = 30 * time.Minute // a window that was forgotten must not let the room freeze
	chillBand = 1.0              // K above the frost floor at which people are told
)

// observeWindow takes what a contact says of its room's windows. A room with several is open while any is.
func (b *book) observeWindow(d gateway.Device) {
	room, ok := b.Rooms.Get(d.Room)
	if !ok {
		return
	}
	open := b.anyOpen(room)
	if open == !room.Opened.IsZero() {
		return
	}
	room.Opened = time.Time{}
	if open {
		room.Opened = b.now
	}
	b.setRoom(room)
	b.relayed = true
}

func (b *book) anyOpen(room gateway.Room) bool {
	for _, id := range room.Devices {
		d, _ := b.Devices.Get(id)
		for _, q := range []gateway.Quantity{gateway.Contact, gateway.OpenWindow} {
			if m, ok := d.Reading(q); ok && m.Value.Yes() {
				return true
			}
		}
	}
	return false
}

// airing reports whether a room is not heated because a window of it stands open.
func (b *book) airing(room gateway.Room) bool {
	if room.Opened.IsZero() {
		return false
	}
	since := b.now.Sub(room.Opened)
	return since >= airsAfter && since < airsAfter+airsFor
}

// heedChill tells people of a room that comes near the frost floor, once, whoever is in charge.
func (b *book) heedChill(room *gateway.Room) {
	t, ok := room.Temperature.Value.Number()
	if !ok || b.now.Sub(room.Temperature.At) > believed {
		return
	}
	warn := b.Home.FrostGuard + chillBand
	switch {
	case t < warn && !room.Chilled:
		room.Chilled = true
		b.decide(gateway.Decision{Kind: "alarm", Room: room.ID, What: fmt.Sprintf("%s is only %s warm", room.Name, degrees(t)),
			Why: fmt.Sprintf("the frost floor is %s: look whether the heating works there", degrees(b.Home.FrostGuard))})
	case t >= warn+chillBand:
		room.Chilled = false
	}
}
