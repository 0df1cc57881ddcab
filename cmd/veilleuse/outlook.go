package main

import (
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// outlook is what an outage now would find, as far as that can be said without a look at the LAN.
func (h *house) outlook(s gateway.State) *web.Outlook {
	r := diagnose(s, h.notes(), doctorFacts{Client: h.cloud.HasApplication(), SignedIn: h.signedIn()})
	t := count(r)
	return &web.Outlook{Survives: r.Survives, Says: r.Verdict, Rooms: t.rooms, RoomsServed: t.roomsServed, Alarms: t.alarms, AlarmsServed: t.alarmsServed, Gaps: gapsOf(r)}
}

// gapsOf is what would be missing: rooms that nothing would heat, alarms that nobody would hear.
func gapsOf(r doctorReport) []web.Gap {
	var gaps []web.Gap
	for _, room := range r.Rooms {
		if !room.Served {
			gaps = append(gaps, web.Gap{Name: room.Name, What: room.What, Do: room.Do})
		}
	}
	for _, d := range r.Devices {
		if d.Alarm && !d.Served {
			gaps = append(gaps, web.Gap{Name: d.Name, What: d.What, Do: d.Do})
		}
	}
	return gaps
}

// without says of a model what goes on without the cloud.
func (h *house) without(model string) string {
	note, ok := h.notes().For(model)
	if !ok {
		return ""
	}
	return note.Outage()
}
