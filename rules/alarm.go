package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// kindWords are the kinds of alarms in words.
var kindWords = map[gateway.Quantity]string{gateway.Smoke: "smoke", gateway.CO: "carbon monoxide", gateway.Intrusion: "intrusion"}

// hear takes what a smoke or CO detector says. Only the detector that raised an alarm can end it:
// silence, a lost link, an older word and our own restart end nothing.
func (b *book) hear(d gateway.Device, m gateway.Measure) {
	at := b.alarmOf(d.ID, m.Quantity)
	switch {
	case m.Value.Yes() && at < 0:
		b.raise(d, m)
	case m.Value.Yes():
		b.hearAgain(at, d, m)
	case at >= 0 && b.Alarms[at].Phase != gateway.PreAlarm && b.ends(d, m, b.Alarms[at]):
		b.endAlarm(at, "the detector that raised it says so")
	}
}

// alarmOf is the place of a device's alarm of that kind, -1 if there is none.
func (b *book) alarmOf(id gateway.DeviceID, kind gateway.Quantity) int {
	return slices.IndexFunc(b.Alarms, func(a gateway.Alarm) bool { return a.Device == id && a.Kind == kind })
}

// ends reports whether a word of "no" ends the alarm: it must not be older than the last "yes", unless
// the clock was set back since, and no other path to the detector may still say yes.
func (b *book) ends(d gateway.Device, m gateway.Measure, a gateway.Alarm) bool {
	if m.At.Before(a.Heard) && !a.Heard.After(b.now) {
		return false
	}
	return !slices.ContainsFunc(d.Readings, func(other gateway.Measure) bool {
		_, there := d.Face(other.From)
		return other.Quantity == m.Quantity && other.From != m.From && other.Value.Yes() && (there || len(d.Faces) == 0)
	})
}

// raise begins an alarm, or a test of the detector if one was announced.
func (b *book) raise(d gateway.Device, m gateway.Measure) {
	if b.isTest(d) {
		b.alarm(gateway.Alarm{Phase: gateway.Testing, Kind: m.Quantity, Device: d.ID, Name: label(d), Since: m.At, Heard: m.At, Why: "a test of " + b.where(d)})
		b.tried(d, m)
		return
	}
	b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: d.ID, What: kindWords[m.Quantity] + gateway.AlarmRaised + b.where(d), Why: "reported over " + m.From})
	b.alarm(gateway.Alarm{Phase: gateway.Sounding, Kind: m.Quantity, Device: d.ID, Name: label(d), Since: m.At, Heard: m.At,
		Why: fmt.Sprintf("%s says %s", b.where(d), kindWords[m.Quantity])})
}

// alarm puts an alarm into the State; its number is that of the last decision.
func (b *book) alarm(a gateway.Alarm) {
	a.Number, a.Raised = b.Decided, b.now
	b.Alarms = append(slices.Clip(b.Alarms), a)
	b.alarmed, b.changed = true, true
}

// hearAgain takes another word of a detector whose alarm is on.
func (b *book) hearAgain(at int, d gateway.Device, m gateway.Measure) {
	a := b.Alarms[at]
	switch {
	case a.Phase == gateway.PreAlarm:
		b.Alarms = slices.Delete(slices.Clone(b.Alarms), at, at+1)
		b.raise(d, m)
		return
	case a.Phase == gateway.Testing:
		b.tried(d, m)
	}
	a.Heard = m.At
	b.setAlarm(at, a)
}

func (b *book) setAlarm(at int, a gateway.Alarm) {
	b.Alarms = slices.Clone(b.Alarms)
	b.Alarms[at] = a
	b.alarmed, b.changed = true, true
}

// endAlarm takes an alarm out of those that go on and remembers it. A test is remembered elsewhere.
func (b *book) endAlarm(at int, why string) {
	a := b.Alarms[at]
	b.Alarms = slices.Delete(slices.Clone(b.Alarms), at, at+1)
	b.alarmed, b.changed = true, true
	d, _ := b.Devices.Get(a.Device)
	what := fmt.Sprintf("%s alarm is over: %s", kindWords[a.Kind], a.Name)
	switch a.Phase {
	case gateway.Testing:
		b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: a.Device, What: fmt.Sprintf("the test of %s is over", a.Name), Why: why})
		return
	case gateway.PreAlarm:
		what = fmt.Sprintf("%s pre-alarm is over: %s", kindWords[a.Kind], a.Name)
	}
	a.Phase, a.Ended = gateway.Cleared, b.now
	kept := b.PastAlarms[max(0, len(b.PastAlarms)-gateway.MaxPastAlarms+1):]
	b.PastAlarms = append(slices.Clone(kept), a)
	b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: a.Device, What: what, Why: why})
}

// passAlarms lets time pass for alarms. How long one has been on is summed up here, so that a clock that is set
// neither delays nor repeats anything.
func (b *book) passAlarms(passed time.Duration) {
	if len(b.Alarms) == 0 {
		return
	}
	b.Alarms = slices.Clone(b.Alarms)
	for i := range b.Alarms {
		a := &b.Alarms[i]
		if a.Raised.IsZero() { // of a program that did not say
			a.Raised = b.now
		}
		a.Held = max(a.Held+passed, b.now.Sub(a.Raised))
	}
}

// watchAlarms does what time brings to alarms and detectors.
func (b *book) watchAlarms() {
	b.ageTest()
	b.watchDetectors()
	b.preAlarms()
	b.watchSensors()
	b.ageAlarms()
}

// ageAlarms ends what time alone ends: an alarm that is over is shown as such for a while, and a test does not
// last.
func (b *book) ageAlarms() {
	if n := len(b.PastAlarms); n > 0 && b.PastAlarms[n-1].Phase == gateway.Cleared {
		if age := b.now.Sub(b.PastAlarms[n-1].Ended); age >= gateway.ClearedFor || age < 0 {
			b.PastAlarms = slices.Clone(b.PastAlarms)
			b.PastAlarms[n-1].Phase = gateway.Quiet
			b.changed = true
		}
	}
	for at := len(b.Alarms) - 1; at >= 0; at-- {
		a := b.Alarms[at]
		switch {
		case a.Phase == gateway.Testing && b.outlasts(a):
			b.decide(gateway.Decision{Kind: "alarm", Device: a.Device, What: kindWords[a.Kind] + gateway.AlarmRaised + a.Name, Why: "it goes on although the test is over"})
			a.Phase, a.Number, a.Held, a.Raised = gateway.Sounding, b.Decided, 0, b.now
			a.Why = fmt.Sprintf("%s says %s, and the test is over", a.Name, kindWords[a.Kind])
			b.setAlarm(at, a)
		case a.On() && a.Answered.IsZero():
			b.changed = true // the house does not fall asleep while somebody is to be told
		}
		b.tireSirens(at)
	}
}

// redateAlarms moves what is remembered of alarms along with the clock.
func (b *book) redateAlarms(move func(...*time.Time)) {
	b.Alarms, b.PastAlarms = slices.Clone(b.Alarms), slices.Clone(b.PastAlarms)
	for _, list := range [][]gateway.Alarm{b.Alarms, b.PastAlarms} {
		for i := range list {
			a := &list[i]
			move(&a.Since, &a.Raised, &a.Heard, &a.Answered, &a.Ended)
			a.Told = slices.Clone(a.Told)
			for k := range a.Told {
				move(&a.Told[k].At, &a.Told[k].Delivered)
			}
		}
	}
	window, guard := b.Test, b.Guard
	move(&window.Began, &window.Until, &guard.Since, &guard.Watches)
	b.Test, b.Guard = window, guard
	for id, gas := range b.Gas.All() {
		move(&gas.Above50, &gas.Above100)
		b.Gas = b.Gas.With(id, gas)
	}
	for id, test := range b.Tests.All() {
		move(&test.At)
		test.Heard = slices.Clone(test.Heard)
		for i := range test.Heard {
			move(&test.Heard[i].At)
		}
		b.Tests = b.Tests.With(id, test)
	}
}

// endAlarmsOf ends the alarms of a detector that a person has taken out of the house.
func (b *book) endAlarmsOf(id gateway.DeviceID) {
	for at := len(b.Alarms) - 1; at >= 0; at-- {
		if b.Alarms[at].Device == id && b.Alarms[at].Kind != gateway.Intrusion {
			b.endAlarm(at, "the detector was removed from the house")
		}
	}
}

// hush silences the sirens. The alarms stay, and another detector sounds anew.
func (b *book) hush(by string) {
	hushed := b.answerThose(by, func(a *gateway.Alarm) bool {
		sounds := a.Phase == gateway.Sounding
		if sounds {
			a.Phase = gateway.Hushed
		}
		return sounds
	})
	if !hushed {
		b.refuse(by, "hush", "no alarm sounds")
		return
	}
	b.decide(gateway.Decision{Kind: "alarm", What: "the sirens are hushed; the alarm goes on", Why: "asked for in " + by})
}

// acknowledge ends the escalation of every alarm that is on, not the alarm.
func (b *book) acknowledge(by string) {
	if !b.answerThose(by, func(a *gateway.Alarm) bool { return a.On() && a.Answered.IsZero() }) {
		b.refuse(by, "acknowledge", "no alarm waits for an answer")
		return
	}
	b.decide(gateway.Decision{Kind: "alarm", What: "somebody has taken note: nobody else is told; the alarm goes on", Why: "acknowledged in " + by})
}

func (b *book) answer(a *gateway.Alarm, by string) {
	if a.Answered.IsZero() {
		a.Answered, a.By = b.now, by
	}
}

// answerThose notes who has answered the alarms that are meant, and reports whether there were any. meant may change the alarm.
func (b *book) answerThose(by string, meant func(*gateway.Alarm) bool) bool {
	alarms, found := slices.Clone(b.Alarms), false
	for i := range alarms {
		if a := &alarms[i]; meant(a) {
			found = true
			b.answer(a, by)
		}
	}
	if found {
		b.Alarms, b.alarmed = alarms, true
	}
	return found
}

// where is a device with the room that it stands in.
func (b *book) where(d gateway.Device) string {
	where := label(d)
	if room := b.roomName(d.Room); d.Room != "" && room != where {
		where += " in " + room
	}
	return where
}
