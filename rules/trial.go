package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How a test is told from an alarm.
const (
	shortestTest = time.Minute
	longestTest  = 30 * time.Minute
	afterTest    = time.Minute      // an alarm that outlasts its test by so much is real
	oneTest      = 15 * time.Minute // words of several paths within that belong to one test
)

// startTest lets alarms of the next minutes be tests, because a person is about to press buttons.
func (b *book) startTest(by string, ask gateway.StartTest) {
	what := "a test of the detectors for " + words(ask.For)
	d, known := b.State.Device(ask.Device)
	switch {
	case ask.Device != "" && (!known || !detects(d) && b.Home.SilentAfter[d.Model] == 0):
		b.refuse(by, what, fmt.Sprintf("%s is no smoke or carbon monoxide detector that is known here", ask.Device))
		return
	case ask.For < shortestTest || ask.For > longestTest:
		b.refuse(by, what, fmt.Sprintf("a test lasts %d to %d min", int(shortestTest.Minutes()), int(longestTest.Minutes())))
		return
	case slices.ContainsFunc(b.Alarms, gateway.Alarm.On):
		b.refuse(by, what, "an alarm is on: "+b.Alarm().Why)
		return
	}
	if known {
		what = fmt.Sprintf("a test of %s for %s", label(d), words(ask.For))
	}
	b.Test = gateway.TestWindow{Device: d.ID, Began: b.now, Until: b.now.Add(ask.For), By: by}
	b.decide(gateway.Decision{Kind: "alarm", Device: d.ID, What: what + ": what sounds until " + b.clock(b.Test.Until) + " is a test", Why: "asked for in " + by})
}

func (b *book) endTest(by string) {
	if b.Test.Until.IsZero() {
		b.refuse(by, "the end of the test", "no test is on")
		return
	}
	b.closeTest("asked for in " + by)
}

// closeTest ends the test. What still sounds has afterTest more to be one.
func (b *book) closeTest(why string) {
	b.Test = gateway.TestWindow{}
	b.Alarms = slices.Clone(b.Alarms)
	for i := range b.Alarms {
		if b.Alarms[i].Phase == gateway.Testing {
			b.Alarms[i].Held, b.Alarms[i].Raised = 0, b.now
		}
	}
	b.decide(gateway.Decision{Kind: "alarm", What: "the test of the detectors is over: from now on an alarm is one", Why: why})
}

// ageTest ends a test in time, and one that lies in the future because the clock was set back.
func (b *book) ageTest() {
	if !b.Test.Until.IsZero() && (!b.now.Before(b.Test.Until) || b.now.Before(b.Test.Began)) {
		b.closeTest("its time is over")
	}
}

// isTest reports whether a detector that begins to alarm is being tried: a person said so, or the detector itself
// has just done so.
func (b *book) isTest(d gateway.Device) bool {
	said, ok := d.Reading(gateway.SelfTest)
	return b.Test.Covers(d.ID, b.now) || ok && said.Value.Yes() && !said.At.After(b.now) && b.now.Sub(said.At) < afterTest
}

// outlasts reports whether a test alarm has gone on for too long to be one.
func (b *book) outlasts(a gateway.Alarm) bool {
	return a.Held >= afterTest && !b.Test.Covers(a.Device, b.now) || a.Held >= longestTest+afterTest
}

// saysTest takes a detector's own word that it was tried. An alarm of it that has only just begun was part of that.
func (b *book) saysTest(d gateway.Device, m gateway.Measure) {
	b.tried(d, m)
	for at, a := range b.Alarms {
		if a.Device == d.ID && a.Kind != gateway.Intrusion && a.Phase == gateway.Sounding && a.Held < afterTest {
			a.Phase = gateway.Testing
			b.setAlarm(at, a)
			b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: d.ID, What: fmt.Sprintf("the alarm of %s is a test", label(d)), Why: "the detector says so"})
		}
	}
}

// tried writes into the calendar which path has brought news of a test.
func (b *book) tried(d gateway.Device, m gateway.Measure) {
	test, _ := b.Tests.Get(d.ID)
	switch apart := m.At.Sub(test.At); {
	case apart < -oneTest:
		return // an older test than the one that is known
	case apart > oneTest:
		by := "the detector itself"
		if b.Test.Covers(d.ID, b.now) {
			by = b.Test.By
		}
		test = gateway.DetectorTest{At: m.At, By: by}
	case apart < 0:
		test.At = m.At
	}
	if len(test.Heard) >= gateway.MaxHearings || slices.ContainsFunc(test.Heard, func(h gateway.Hearing) bool { return h.Path == m.From }) {
		return
	}
	test.Heard = append(slices.Clip(test.Heard), gateway.Hearing{Path: m.From, At: b.now})
	b.Tests = b.Tests.With(d.ID, test)
	b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: d.ID, What: fmt.Sprintf("test: %s is heard over %s", b.where(d), m.From),
		Why: fmt.Sprintf("%d s after the first sign of it", int(max(b.now.Sub(test.At), 0).Seconds()))})
}
