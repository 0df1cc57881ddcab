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
	case b.intruded() || b.Guard.Phase == gateway.GuardEntering:
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
	b.Guard = gateway.Guard{Mode: ask.Mode, Phase: gateway.GuardArmed, Since: b.now, Watches: b.now, By: by, LeftOut: out}
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

// sensors are the devices that count in a mode now.
func (b *book) sensors(m gateway.GuardMode) []guarding {
	var all []guarding
	for _, s := range b.Home.Guard.Sensors {
		if d, ok := b.deviceBy(s.Of); ok && s.Counts(m) && !slices.Contains(b.Guard.LeftOut, d.ID) && !slices.Contains(b.Guard.Open, d.ID) {
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

// deviceBy finds a device by its id, another of its names, or what people call it: of several the one that can be a
// sensor of the guard.
func (b *book) deviceBy(word string) (gateway.Device, bool) {
	if d, ok := b.State.Device(gateway.DeviceID(word)); ok {
		return d, true
	}
	var found gateway.Device
	for _, d := range b.Devices.All() {
		if strings.EqualFold(d.Name, word) && (found.ID == "" || !senses(found)) {
			found = d
		}
	}
	return found, found.ID != ""
}

// senses reports whether a device has ever said whether somebody is there.
func senses(d gateway.Device) bool {
	return slices.ContainsFunc(d.Readings, func(m gateway.Measure) bool { return slices.Contains(alerts, m.Quantity) })
}

// notQuiet are the sensors that cannot be relied upon now, and why each: what is open, what sees somebody, what is not
// heard. While people leave, entrances may be as they are, and people are seen to move. A sensor that nobody has ever
// found goes by its word in the configuration.
func (b *book) notQuiet(m gateway.GuardMode, leaves bool) (out []gateway.DeviceID, why []string) {
	for _, s := range b.Home.Guard.Sensors {
		d, known := b.deviceBy(s.Of)
		trouble := ""
		switch {
		case !s.Counts(m):
		case !known:
			out, trouble = append(out, gateway.DeviceID(s.Of)), s.Of+" (not known here)"
		case !b.heardNow(d):
			out, trouble = append(out, d.ID), b.where(d)+" (not heard)"
		case b.alert(d) != "" && !(leaves && (s.Entrance || b.alert(d) == gateway.Motion)):
			out, trouble = append(out, d.ID), b.where(d)+" ("+tripWords[b.alert(d)]+")"
		}
		if trouble != "" {
			why = append(why, trouble)
		}
	}
	return out, why
}

// alerts are the quantities by which a sensor says that somebody is there.
var alerts = []gateway.Quantity{gateway.Contact, gateway.Motion, gateway.Tampered}

// alert is by which quantity a sensor says now that somebody is there, by what is heard of it; "" if it does not.
func (b *book) alert(d gateway.Device) gateway.Quantity {
	for _, q := range alerts {
		var newest gateway.Measure
		for _, m := range d.Readings {
			if m.Quantity == q && m.At.After(newest.At) && b.hears(d, m.From) {
				newest = m
			}
		}
		if newest.Value.Yes() {
			return q
		}
	}
	return ""
}

var tripWords = map[gateway.Quantity]string{gateway.Contact: "open", gateway.Motion: "sees motion", gateway.Tampered: "is tampered with"}

// heardNow reports whether a sensor can be relied upon to tell: the path by which it says such things is there.
func (b *book) heardNow(d gateway.Device) bool {
	return slices.ContainsFunc(d.Readings, func(m gateway.Measure) bool { return slices.Contains(alerts, m.Quantity) && b.hears(d, m.From) })
}

// hears reports whether a device is heard over one path. That of the cloud is there while the cloud is in charge; over MQTT
// a sensor that has said nothing for a day may have an empty battery.
func (b *book) hears(d gateway.Device, from string) bool {
	face, ok := d.Face(from)
	if !ok || !face.Reaches || d.Silent {
		return false
	}
	switch from {
	case gateway.CloudAdapter:
		return !b.inCharge()
	case gateway.MQTTAdapter:
		return slices.ContainsFunc(d.Readings, func(m gateway.Measure) bool { return m.From == from && b.now.Sub(m.At) <= silentOnBattery })
	}
	return true
}

// guardHears takes what a sensor says: in a house that is guarded it may be an intruder. Only a word that is news counts:
// not what was so before, nor what was seen before the guard began to watch, nor what a fresher word of another path
// contradicts.
func (b *book) guardHears(d gateway.Device, m, before gateway.Measure) {
	if len(b.Home.Guard.Sensors) == 0 || !slices.Contains(alerts, m.Quantity) {
		return
	}
	if !m.Value.Yes() {
		b.isShut(d)
		return
	}
	newest, _ := d.Reading(m.Quantity)
	if before.Value.Yes() || m.At.Before(b.Guard.Watches) || newest.At.After(m.At) && !newest.Value.Yes() {
		return
	}
	for _, s := range b.sensors(b.Guard.Mode) {
		if s.device.ID != d.ID {
			continue
		}
		switch b.Guard.Phase {
		case gateway.GuardArmed:
			b.comesIn(s, m)
		case gateway.GuardEntering, gateway.GuardTripped:
			if !s.Entrance || b.Guard.Phase == gateway.GuardTripped {
				b.trip(d, b.where(d)+" "+tripPast[m.Quantity])
			}
		default: // off, or people are just leaving
			if s.Always {
				b.trip(d, b.where(d)+" "+tripPast[m.Quantity])
			}
		}
		return
	}
}

// isShut has a sensor count that stood open when the guard began to watch.
func (b *book) isShut(d gateway.Device) {
	if at := slices.Index(b.Guard.Open, d.ID); at >= 0 && b.alert(d) == "" {
		b.Guard.Open = slices.Delete(slices.Clone(b.Guard.Open), at, at+1)
		b.decide(gateway.Decision{Kind: "guard", Room: d.Room, Device: d.ID, What: b.where(d) + " is watched, too", Why: "it is shut now"})
	}
}

// comesIn is somebody who comes into a guarded house: by an entrance there is time to switch the guard off.
func (b *book) comesIn(s guarding, m gateway.Measure) {
	why := b.where(s.device) + " " + tripPast[m.Quantity]
	if !s.Entrance || b.Home.Guard.Entry <= 0 {
		b.trip(s.device, why)
		return
	}
	b.Guard.Phase, b.Guard.Left, b.Guard.Cause, b.Guard.Why, b.Guard.Since = gateway.GuardEntering, b.Home.Guard.Entry, s.device.ID, why, b.now
	b.decide(gateway.Decision{Kind: "guard", Room: s.device.Room, Device: s.device.ID,
		What: fmt.Sprintf("somebody comes in: the guard can be switched off for %s", length(b.Home.Guard.Entry)), Why: why})
}

var tripPast = map[gateway.Quantity]string{gateway.Contact: "was opened", gateway.Motion: "sees motion", gateway.Tampered: "is tampered with"}

// trip raises an intrusion alarm, one a sensor. A house whose guard is off is then no less in alarm: a sensor that counts
// always has said so.
func (b *book) trip(d gateway.Device, why string) {
	if b.Guard.On() && b.Guard.Phase != gateway.GuardTripped {
		b.Guard.Phase, b.Guard.Left, b.Guard.Since, b.changed = gateway.GuardTripped, 0, b.now, true
	}
	if b.alarmOf(d.ID, gateway.Intrusion) >= 0 {
		return
	}
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
		d, ok := b.Devices.Get(b.Guard.Cause)
		if !ok { // it was taken away meanwhile
			d = gateway.Device{ID: b.Guard.Cause, Name: string(b.Guard.Cause)}
		}
		b.trip(d, b.Guard.Why)
	}
}

// nextDelay is when the exit or entry delay is over; zero: none runs.
func (b *book) nextDelay() time.Time {
	if b.Guard.Left <= 0 {
		return time.Time{}
	}
	return b.now.Add(b.Guard.Left)
}

// watchBegins ends the exit delay. What still stands open then counts once it is shut, and people are told. Who is seen to
// move may be just behind the door: the next time counts.
func (b *book) watchBegins() {
	var open []string
	for _, s := range b.sensors(b.Guard.Mode) {
		if q := b.alert(s.device); q != "" && q != gateway.Motion {
			b.Guard.Open = append(slices.Clip(b.Guard.Open), s.device.ID)
			open = append(open, b.where(s.device)+" ("+tripWords[q]+")")
		}
	}
	b.Guard.Phase, b.Guard.Since, b.Guard.Watches = gateway.GuardArmed, b.now, b.now
	reason := "the time to leave is over"
	if len(open) > 0 {
		reason += "; not watched until it is shut: " + strings.Join(open, ", ")
	}
	b.decide(gateway.Decision{Kind: "guard", What: "the house is guarded (" + guardWords[b.Guard.Mode] + ")", Why: reason})
}

// watchSensors tells of sensors that are not heard while they count: unknown is not well.
func (b *book) watchSensors() {
	if len(b.Home.Guard.Sensors) == 0 || b.now.Sub(b.Started) < startGrace {
		return
	}
	var blind []gateway.DeviceID
	for _, s := range b.Home.Guard.Sensors {
		d, known := b.deviceBy(s.Of)
		id, name := d.ID, b.where(d)
		if !known {
			id, name = gateway.DeviceID(s.Of), s.Of
		}
		if !s.Counts(b.Guard.Mode) || slices.Contains(b.Guard.LeftOut, id) || known && b.heardNow(d) {
			continue
		}
		blind = append(blind, id)
		if !slices.Contains(b.Guard.Blind, id) {
			b.decide(gateway.Decision{Kind: "guard", Room: d.Room, Device: id, What: "the guard does not see what happens at " + name, Why: "it is not heard"})
		}
	}
	if !slices.Equal(blind, b.Guard.Blind) {
		b.Guard.Blind, b.changed = blind, true
	}
}

// tireSirens lets sirens, if any sound, fall silent that have sounded long enough for an intruder; the alarm goes on.
func (b *book) tireSirens(at int) {
	a := b.Alarms[at]
	if a.Kind != gateway.Intrusion || a.Phase != gateway.Sounding || !b.Sounded || b.Home.Guard.Sirens <= 0 || a.Held < b.Home.Guard.Sirens {
		return
	}
	a.Phase = gateway.Hushed
	b.setAlarm(at, a)
	b.decide(gateway.Decision{Kind: "alarm", Device: a.Device, What: "the sirens fall silent; the alarm goes on", Why: "they have sounded for " + length(b.Home.Guard.Sirens)})
}
