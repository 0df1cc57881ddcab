package rules

import (
	"fmt"
	"slices"

	"github.com/veilleuse/veilleuse/gateway"
)

// hear takes what a smoke or CO detector says. Only the detector that raised an alarm can end it:
// silence, a lost link, an older word and our own restart end nothing.
func (b *book) hear(d gateway.Device, m gateway.Measure) {
	at := slices.IndexFunc(b.Alarms, func(a gateway.Alarm) bool { return a.Device == d.ID && a.Kind == m.Quantity })
	switch {
	case m.Value.Yes() && at < 0:
		b.raise(d, m)
	case m.Value.Yes():
		alarms := slices.Clone(b.Alarms)
		alarms[at].Heard = m.At
		b.Alarms, b.alarmed, b.changed = alarms, true, true
	case at >= 0 && !m.At.Before(b.Alarms[at].Heard):
		ended := b.Alarms[at]
		b.Alarms = slices.Delete(slices.Clone(b.Alarms), at, at+1)
		b.alarmed = true
		b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: d.ID, What: fmt.Sprintf("%s alarm is over: %s", kindWords[ended.Kind], label(d)), Why: "the detector that raised it says so"})
	}
}

func (b *book) raise(d gateway.Device, m gateway.Measure) {
	where := label(d)
	if room := b.roomName(d.Room); d.Room != "" && room != where {
		where += " in " + room
	}
	a := gateway.Alarm{Phase: gateway.Sounding, Kind: m.Quantity, Device: d.ID, Name: label(d), Since: m.At, Heard: m.At,
		Why: fmt.Sprintf("%s says %s", where, kindWords[m.Quantity])}
	b.Alarms = append(slices.Clip(b.Alarms), a)
	b.alarmed = true
	b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: d.ID, What: fmt.Sprintf("%s ALARM: %s", kindWords[m.Quantity], where), Why: "reported over " + m.From})
}

var kindWords = map[gateway.Quantity]string{gateway.Smoke: "smoke", gateway.CO: "carbon monoxide"}

// hush silences the sirens. The alarms stay, and another detector sounds anew.
func (b *book) hush(by string) {
	alarms := slices.Clone(b.Alarms)
	hushed := 0
	for i := range alarms {
		if alarms[i].Phase == gateway.Sounding {
			alarms[i].Phase = gateway.Hushed
			hushed++
		}
	}
	if hushed == 0 {
		b.refuse(by, "hush", "no alarm sounds")
		return
	}
	b.Alarms, b.alarmed = alarms, true
	b.decide(gateway.Decision{Kind: "alarm", What: "the sirens are hushed; the alarm goes on", Why: "asked for in " + by})
}

// alarmWants wants every siren on while an alarm sounds, and off again afterwards if it was us who
// turned them on.
func (b *book) alarmWants() {
	alarm := b.Alarm()
	sound := alarm.Phase == gateway.Sounding
	if !sound && !b.Sounded {
		return
	}
	why := "no alarm sounds any more"
	switch {
	case alarm.Phase == gateway.Hushed:
		why = "the sirens were hushed"
	case sound:
		why = fmt.Sprintf("%s alarm: %s", kindWords[alarm.Kind], alarm.Why)
	}
	silent := true
	for _, d := range b.Devices.All() {
		_, via, ok := d.Control(gateway.Siren)
		if !ok {
			continue
		}
		w := want{point: gateway.Point{Adapter: via, Of: string(d.ID), Quantity: gateway.Siren}, value: gateway.Flag(sound), why: why}
		silent = silent && b.done(w)
		b.want(w)
	}
	if sounded := sound || !silent; sounded != b.Sounded {
		b.Sounded, b.changed = sounded, true
	}
}
