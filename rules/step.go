// Package rules decides.
//
// There is one file a rule: which alarms are on (alarm.go, detector.go, trial.go) and what is done about
// them (escalation.go), who comes into a guarded house (guard.go), who is in charge (authority.go), what
// people wish (wish.go) and whose hand turned a knob (hand.go), what each room ought to be (heating.go),
// which devices are steered to it and when (steer.go), which relays heat it (relay.go, boiler.go) by what
// was learnt of it (learn.go) and what is watched over them all the same (relaysafe.go), who is right when
// the cloud is back (handover.go) and what it is told (tell.go); what happened in an outage is written down
// last (journal.go). Each rule says what ought to be, not what to do: it states wants, the graver rule
// first. converge.go alone compares wants with readings and turns the difference into commands, so that
// loss, repetition and restarts are dealt with once.
//
// Everything here is a pure function of the State and the Event that come in. Nothing reads a clock,
// a file or the network, and nothing is changed in place.
package rules

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/thermal"
)

// Step takes one event: first the facts go into the State, then each rule advances, then what is
// wanted is compared with what is.
func Step(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
	return step(s, e, thermal.Room.Step)
}

// step is Step with a controller of the caller's choice.
func step(s gateway.State, e gateway.Event, control controller) (gateway.State, []gateway.Command) {
	b := book{State: s, now: e.At.Round(0), from: e.From, control: control} // what is remembered goes by the wall clock alone
	off, certain := clockSet(s.At, e.At)
	b.steady = off == 0 && e.At.Sub(s.At).Abs() < stride
	b.everything = off != 0
	b.At = e.At
	if !s.At.IsZero() {
		b.observeClockStep(off, certain, e.At.Sub(s.At))
	}
	switch {
	case certain:
		b.redate(off)
		b.doubtClock(off)
	case off != 0:
		b.redateWishes(off, false)
	}
	if !s.At.IsZero() {
		passed := min(max(e.At.Sub(s.At), 0), longGap)
		b.passAlarms(passed)
		b.passGuard(passed)
	}
	if b.Started.IsZero() {
		b.begin()
	}
	b.observe(e.Fact)
	if b.everything || b.alarmed {
		b.advanceAuthority()
	}
	b.aim()
	b.fire()
	b.converge()
	b.wake()
	b.journal(&s, e.Fact)
	if b.changed {
		b.Version++
	}
	return b.State, b.commands
}

// book is the State being worked on during one Step, and what the event has touched.
type book struct {
	gateway.State
	now     time.Time
	from    string
	control controller

	room       gateway.RoomID // the one room that the event touched, or
	everything bool           // all of them: time passed, a wish, another phase
	quietly    bool           // all of them, but only because time passed
	turned     bool           // the view shows another mode of the home than the one before
	wiped      bool           // the view shows a mode of ours, which has ended the rooms' set points there
	alarmed    bool           // an alarm began, changed or ended
	relayed    bool           // a heating relay said something
	cold       gateway.Answer // is it cold anywhere; looked for at most once
	steady     bool           // the clock went on as clocks do since the last event
	changed    bool           // a reader could see a difference

	commands []gateway.Command
	wants    []want
}

// stride is the longest step of the clock between two events that counts as time just passing. After
// a longer one, or one backwards, everything is looked at anew.
const stride = time.Minute

// begin gives a State that has never run, or comes from disk, what it must have.
func (b *book) begin() {
	if newest := b.newest(); newest.After(b.now) {
		b.redate(b.now.Sub(newest)) // after a power cut the clock may start before what was saved
	}
	b.Started = b.now
	b.changed = true
	b.everything = true
	if b.Authority.Phase == "" {
		b.Authority = gateway.Authority{Phase: gateway.Watching, Since: b.now, Why: notLooked}
	}
	if b.Cloud.Verdict == "" {
		b.Cloud.Verdict, b.Cloud.Since, b.Cloud.Why = gateway.VerdictUnknown, b.now, "not looked yet"
	}
	if b.Clock.Trust == "" {
		b.Clock = gateway.Clock{Trust: gateway.TrustGuess, Why: "the clock has not been looked at yet"}
	}
	if b.Home.FrostGuard == 0 {
		b.Home.FrostGuard = defaultFrost
	}
	if b.Home.Maximum == 0 {
		b.Home.Maximum = defaultMaximum
	}
	if b.Home.Regime.Mode == "" {
		b.Home.Regime.Mode = gateway.HomeSchedule
	}
	b.Cloud.Hold = max(b.Cloud.Hold, firstHold)
	for id, d := range b.Devices.All() {
		if _, known := b.Firings.Get(id); d.Circuit != nil && !known {
			b.Firings = b.Firings.With(id, gateway.Firing{})
		}
	}
	if len(b.Home.Guard.Sensors) == 0 {
		b.disarm("the configuration", "the configuration names no sensors any more")
	}
	b.resumeDrill()
	b.hastenAlarms()
}

// Limits that hold unless the configuration or the vendor says otherwise.
const (
	defaultFrost    = 7.0  // °C, the vendor's frost guard
	defaultMaximum  = 28.0 // °C
	defaultAway     = 12.0 // °C, the vendor's away temperature
	boost           = 30.0 // °C, what the vendor's max means
	defaultDuration = 3 * time.Hour
	guessTarget     = 19.0 // °C, held at most while the clock is a guess
)

// decide records what was decided and why, in words for people.
func (b *book) decide(d gateway.Decision) {
	b.Decided++
	d.Number, d.At = b.Decided, b.now
	if d.Kind != "alarm" && d.Kind != "guard" && d.Kind != "refused" { // those are never a drill
		d.What = b.marked(d.What)
	}
	kept := b.Decisions
	if len(kept) >= gateway.MaxDecisions {
		kept = kept[len(kept)-gateway.MaxDecisions+1:]
	}
	decisions := make([]gateway.Decision, 0, len(kept)+1)
	b.Decisions = append(append(decisions, kept...), d)
	b.changed = true
}

// touch marks a room as to be looked at in this Step.
func (b *book) touch(id gateway.RoomID) {
	if b.room != "" && b.room != id {
		b.everything = true
	}
	b.room = id
}

func (b *book) setRoom(r gateway.Room) {
	b.Rooms = b.Rooms.With(r.ID, r)
	b.changed = true
}

func (b *book) setDevice(d gateway.Device) {
	b.Devices = b.Devices.With(d.ID, d)
	b.changed = true
}

// inCharge reports whether we are the ones who steer.
func (b *book) inCharge() bool {
	return b.Authority.Phase == gateway.Local || b.Authority.Phase == gateway.Returning
}

// signedIn reports whether there is a cloud to hand anything to: its plan was copied once.
func (b *book) signedIn() bool { return b.Home.ID != "" }
