package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// guardWords are the modes of the guard in words.
var guardWords = map[gateway.GuardMode]string{gateway.GuardStay: "stay", gateway.GuardAway: "away", gateway.GuardNight: "night"}

// setGuard has the house watched, or not. It watches nothing that is open or not heard: that is refused, or left out if
// the person said so.
func (b *book) setGuard(by string, ask gateway.SetGuard) {
	name, arms := guardWords[ask.Mode]
	switch {
	case ask.Mode == gateway.GuardOff:
		b.disarm(by, "switched off in "+by)
		return
	case len(b.Home.Guard.Sensors) == 0:
		b.refuse(by, "the guard", "no sensors are named under guard in the configuration")
		return
	case !arms:
		b.refuse(by, fmt.Sprintf("the guard for %q", string(ask.Mode)), "it is set to stay, away, night or off")
		return
	case b.Guard.Phase == gateway.GuardTripped || b.Guard.Phase == gateway.GuardEntering:
		b.refuse(by, "the guard for "+name, "somebody has come in: switch it off first")
		return
	case b.Guard.On() && b.Guard.Mode == ask.Mode:
		return
	}
	leaves := ask.Mode == gateway.GuardAway && b.Home.Guard.Exit > 0
	out, why := b.notQuiet(ask.Mode, leaves)
	if len(out) > 0 && !ask.Bypass {
		b.refuse(by, "the guard for "+name, strings.Join(why, ", ")+"; see to it, or leave it out by a wish with bypass")
		return
	}
	b.Guard = gateway.Guard{Mode: ask.Mode, Phase: gateway.GuardArmed, Since: b.now, By: by, LeftOut: out}
	what, reason := "the house is guarded ("+name+")", "set in "+by
	if leaves {
		b.Guard.Phase, b.Guard.Left = gateway.GuardArming, b.Home.Guard.Exit
		what = fmt.Sprintf("the house will be guarded (%s) in %s", name, length(b.Home.Guard.Exit))
	}
	if len(why) > 0 {
		reason += ", without " + strings.Join(why, ", ")
	}
	b.decide(gateway.Decision{Kind: "guard", What: what, Why: reason})
}

// disarm switches the guard off, and with it every intrusion alarm.
func (b *book) disarm(by, why string) {
	alarms := b.intruded()
	if !b.Guard.On() && !alarms {
		return
	}
	if b.Guard.On() {
		b.decide(gateway.Decision{Kind: "guard", What: "the house is no longer guarded", Why: why})
	}
	for at := len(b.Alarms) - 1; at >= 0; at-- {
		if b.Alarms[at].Kind == gateway.Intrusion {
			a := b.Alarms[at]
			b.answer(&a, by)
			b.setAlarm(at, a)
			b.endAlarm(at, why)
		}
	}
	b.Guard = gateway.Guard{Mode: gateway.GuardOff, Since: b.now, By: by}
	b.changed = true
}

func (b *book) intruded() bool {
	return slices.ContainsFunc(b.Alarms, func(a gateway.Alarm) bool { return a.Kind == gateway.Intrusion })
}

// sensors are the devices that count in a mode and are not left out.
func (b *book) sensors(m gateway.GuardMode) []guarding {
	var all []guarding
	for _, s := range b.Home.Guard.Sensors {
		if d, ok := b.deviceBy(s.Of); ok && s.Counts(m) && !slices.Contains(b.Guard.LeftOut, d.ID) {
			all = append(all, guarding{s, d})
		}
	}
	return all
}

// guarding is a sensor with its device.
type guarding struct {
	gateway.GuardSensor
	device gateway.Device
}

// deviceBy finds a device by its id, another of its names, or what people call it.
func (b *book) deviceBy(word string) (gateway.Device, bool) {
	if d, ok := b.State.Device(gateway.DeviceID(word)); ok {
		return d, true
	}
	for _, d := range b.Devices.All() {
		if strings.EqualFold(d.Name, word) {
			return d, true
		}
	}
	return gateway.Device{}, false
}

// notQuiet are the sensors that cannot be relied upon now, and why each: what is open, what sees somebody, what is not
// heard. While people leave, entrances may be as they are. A sensor that nobody has ever found has no id to be left
// out by, and is told all the same.
func (b *book) notQuiet(m gateway.GuardMode, leaves bool) (out []gateway.DeviceID, why []string) {
	for _, s := range b.Home.Guard.Sensors {
		d, known := b.deviceBy(s.Of)
		trouble := ""
		switch {
		case !s.Counts(m):
		case !known:
			out, trouble = append(out, gateway.DeviceID(s.Of)), s.Of+" (not known here)"
		case !heardNow(d):
			out, trouble = append(out, d.ID), b.where(d)+" (not heard)"
		case alertWord(d) != "" && !(leaves && s.Entrance):
			out, trouble = append(out, d.ID), b.where(d)+" ("+alertWord(d)+")"
		}
		if trouble != "" {
			why = append(why, trouble)
		}
	}
	return out, why
}

// alerts are the quantities by which a sensor says that somebody is there.
var alerts = []gateway.Quantity{gateway.Contact, gateway.Motion, gateway.Tampered}

// alertWord is in what way a sensor says now that somebody is there; "" if it does not.
func alertWord(d gateway.Device) string {
	for _, q := range alerts {
		if m, ok := d.Reading(q); ok && m.Value.Yes() {
			return tripWords[q]
		}
	}
	return ""
}

var tripWords = map[gateway.Quantity]string{gateway.Contact: "open", gateway.Motion: "sees motion", gateway.Tampered: "is tampered with"}

// heardNow reports whether a sensor can be relied upon to tell: somebody reaches it, and it has said how it is.
func heardNow(d gateway.Device) bool {
	said := slices.ContainsFunc(d.Readings, func(m gateway.Measure) bool { return slices.Contains(alerts, m.Quantity) })
	return said && !d.Silent && slices.ContainsFunc(d.Faces, func(f gateway.Face) bool { return f.Reaches })
}

// guardHears takes what a sensor says: in a house that is guarded it may be an intruder.
func (b *book) guardHears(id gateway.DeviceID, m gateway.Measure) {
	if len(b.Home.Guard.Sensors) == 0 || !m.Value.Yes() || !slices.Contains(alerts, m.Quantity) {
		return
	}
	for _, s := range b.sensors(b.Guard.Mode) {
		if s.device.ID != id {
			continue
		}
		switch b.Guard.Phase {
		case gateway.GuardArmed:
			b.comesIn(s, m)
		case gateway.GuardEntering, gateway.GuardTripped:
			if !s.Entrance || b.Guard.Phase == gateway.GuardTripped {
				b.trip(s.device, m.Quantity)
			}
		default: // off, or people are just leaving
			if s.Always {
				b.trip(s.device, m.Quantity)
			}
		}
		return
	}
}

// comesIn is somebody who comes into a guarded house: by an entrance there is time to switch the guard off.
func (b *book) comesIn(s guarding, m gateway.Measure) {
	if !s.Entrance || b.Home.Guard.Entry <= 0 {
		b.trip(s.device, m.Quantity)
		return
	}
	b.Guard.Phase, b.Guard.Left, b.Guard.Cause, b.Guard.Since = gateway.GuardEntering, b.Home.Guard.Entry, s.device.ID, b.now
	b.decide(gateway.Decision{Kind: "guard", Room: s.device.Room, Device: s.device.ID,
		What: fmt.Sprintf("somebody comes in: the guard can be switched off for %s", length(b.Home.Guard.Entry)), Why: b.where(s.device) + " " + tripPast[m.Quantity]})
}

var tripPast = map[gateway.Quantity]string{gateway.Contact: "was opened", gateway.Motion: "sees motion", gateway.Tampered: "is tampered with"}

// trip raises an intrusion alarm, one a sensor. A house whose guard is off is then no less in alarm: a sensor that counts
// always has said so.
func (b *book) trip(d gateway.Device, q gateway.Quantity) {
	if b.Guard.On() && b.Guard.Phase != gateway.GuardTripped {
		b.Guard.Phase, b.Guard.Left, b.Guard.Since, b.changed = gateway.GuardTripped, 0, b.now, true
	}
	if b.alarmOf(d.ID, gateway.Intrusion) >= 0 {
		return
	}
	why := b.where(d) + " " + tripPast[q]
	b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: d.ID, What: kindWords[gateway.Intrusion] + gateway.AlarmRaised + b.where(d), Why: why})
	b.alarm(gateway.Alarm{Phase: gateway.Sounding, Kind: gateway.Intrusion, Device: d.ID, Name: label(d), Since: b.now, Heard: b.now, Why: why})
}

// passGuard lets time pass for the delays. It is summed up, so that a clock that is set neither shortens nor stretches
// them.
func (b *book) passGuard(passed time.Duration) {
	if b.Guard.Left <= 0 || passed <= 0 {
		return
	}
	b.Guard.Left -= passed
	if b.Guard.Left > 0 {
		return
	}
	b.Guard.Left, b.changed = 0, true
	switch b.Guard.Phase {
	case gateway.GuardArming:
		b.watchBegins()
	case gateway.GuardEntering:
		d, _ := b.Devices.Get(b.Guard.Cause)
		q := gateway.Contact
		if _, ok := d.Reading(gateway.Contact); !ok {
			q = gateway.Motion
		}
		b.trip(d, q)
	}
}

// nextDelay is when the exit or entry delay is over; zero: none runs.
func (b *book) nextDelay() time.Time {
	if b.Guard.Left <= 0 {
		return time.Time{}
	}
	return b.now.Add(b.Guard.Left)
}

// watchBegins ends the exit delay. What still stands open then is left out, and people are told. What is only not heard
// counts as soon as it is.
func (b *book) watchBegins() {
	var open []string
	for _, s := range b.sensors(b.Guard.Mode) {
		if word := alertWord(s.device); word != "" {
			b.Guard.LeftOut = append(slices.Clip(b.Guard.LeftOut), s.device.ID)
			open = append(open, b.where(s.device)+" ("+word+")")
		}
	}
	b.Guard.Phase, b.Guard.Since = gateway.GuardArmed, b.now
	reason := "the time to leave is over"
	if len(open) > 0 {
		reason += "; not watched: " + strings.Join(open, ", ")
	}
	b.decide(gateway.Decision{Kind: "guard", What: "the house is guarded (" + guardWords[b.Guard.Mode] + ")", Why: reason})
}

// watchSensors tells of sensors that are no longer heard while they count: unknown is not well.
func (b *book) watchSensors() {
	if b.Guard.Phase != gateway.GuardArmed || b.now.Sub(b.Started) < startGrace {
		return
	}
	var blind []gateway.DeviceID
	for _, s := range b.sensors(b.Guard.Mode) {
		if heardNow(s.device) {
			continue
		}
		blind = append(blind, s.device.ID)
		if !slices.Contains(b.Guard.Blind, s.device.ID) {
			b.decide(gateway.Decision{Kind: "guard", Room: s.device.Room, Device: s.device.ID,
				What: "the guard does not see what happens at " + b.where(s.device), Why: "it is not heard"})
		}
	}
	if !slices.Equal(blind, b.Guard.Blind) {
		b.Guard.Blind, b.changed = blind, true
	}
}

// tireSirens lets sirens fall silent that have sounded long enough for an intruder; the alarm goes on.
func (b *book) tireSirens(at int) {
	a := b.Alarms[at]
	if a.Kind != gateway.Intrusion || a.Phase != gateway.Sounding || b.Home.Guard.Sirens <= 0 || a.Held < b.Home.Guard.Sirens {
		return
	}
	a.Phase = gateway.Hushed
	b.setAlarm(at, a)
	b.decide(gateway.Decision{Kind: "alarm", Device: a.Device, What: "the sirens fall silent; the alarm goes on", Why: "they have sounded for " + length(b.Home.Guard.Sirens)})
}
