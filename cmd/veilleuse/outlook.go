package main

import (
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// outlook is what an outage now would find, as far as that can be said without a look at the LAN.
func (h *house) outlook(s gateway.State) *web.Outlook {
	r := diagnose(s, h.notes(), doctorFacts{Client: h.config.Netatmo.ClientID != "", SignedIn: h.signedIn()})
	t := count(r)
	o := &web.Outlook{Survives: r.Survives, Says: r.Verdict, Rooms: t.rooms, RoomsServed: t.roomsServed, Alarms: t.alarms, AlarmsServed: t.alarmsServed}
	for _, room := range r.Rooms {
		if !room.Served {
			o.Gaps = append(o.Gaps, web.Gap{Name: room.Name, What: room.What, Do: room.Do})
		}
	}
	for _, d := range r.Devices {
		if d.Alarm && !d.Served {
			o.Gaps = append(o.Gaps, web.Gap{Name: d.Name, What: d.What, Do: d.Do})
		}
	}
	return o
}

// without says of a model what goes on without the cloud.
func (h *house) without(model string) string {
	note, ok := h.notes().For(model)
	if !ok {
		return ""
	}
	return note.Outage()
}
