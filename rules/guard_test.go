package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// guardLife is a guarded house in which people, intruders, restarts and the clock do as chance has it.
type guardLife struct {
	t      *testing.T
	random *rand.Rand
	s      gateway.State
	inside time.Duration // how long somebody has been inside with the entry delay running
}

var guardedBy = []gateway.GuardSensor{
	{Of: "door", Modes: gateway.GuardModes, Entrance: true},
	{Of: "window", Modes: gateway.GuardModes},
	{Of: "eye", Modes: []gateway.GuardMode{gateway.GuardAway}},
	{Of: "glass", Always: true},
}

func newGuardLife(t *testing.T, seed uint64) *guardLife {
	l := &guardLife{t: t, random: rand.New(rand.NewPCG(seed, 1))}
	l.s.At = time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC)
	l.s.Home.Guard = gateway.GuardPlan{Sensors: guardedBy, Exit: 45 * time.Second, Entry: 30 * time.Second, Sirens: 3 * time.Minute}
	for _, sensor := range guardedBy {
		id := gateway.DeviceID(sensor.Of)
		l.s.Devices = l.s.Devices.With(id, gateway.Device{ID: id, Name: sensor.Of, Faces: []gateway.Face{{Adapter: "accessory", Reaches: true}}})
		l.take("accessory", gateway.Reading{Device: id, Quantity: gateway.Contact, Value: gateway.Flag(false)})
	}
	return l
}

// take lets one thing happen, and holds what must hold of a guard.
func (l *guardLife) take(from string, f gateway.Fact) {
	l.takeAt(l.s.At, from, f)
}

func (l *guardLife) takeAt(at time.Time, from string, f gateway.Fact) {
	before := l.s
	l.s, _ = rules.Step(before, gateway.Event{At: at, From: from, Fact: f})
	if err := l.hold(before, f); err != nil {
		l.t.Fatalf("%v %T %+v: %v\nbefore %+v\nafter  %+v", at, f, f, err, before.Guard, l.s.Guard)
	}
}

func (l *guardLife) hold(before gateway.State, f gateway.Fact) error {
	g, intruders := l.s.Guard, intrusions(l.s)
	delayed := g.Phase == gateway.GuardArming || g.Phase == gateway.GuardEntering
	switch {
	case delayed != (g.Left > 0) || g.Left > 45*time.Second:
		return fmt.Errorf("%v of a delay are left", g.Left)
	case g.Phase == gateway.GuardTripped && len(intruders) == 0:
		return fmt.Errorf("it is tripped without an alarm")
	case g.Phase != gateway.GuardTripped && slices.ContainsFunc(intruders, func(id gateway.DeviceID) bool { return id != "glass" }):
		return fmt.Errorf("there is an alarm of %v", intruders)
	case l.inside > 30*time.Second+time.Second && g.Phase == gateway.GuardEntering:
		return fmt.Errorf("somebody is inside for %v", l.inside)
	}
	switch f := f.(type) {
	case gateway.Wish:
		if ask, ok := f.Ask.(gateway.SetGuard); ok && ask.Mode == gateway.GuardOff && (g.On() || len(intruders) > 0) {
			return fmt.Errorf("it was switched off and there are alarms of %v", intruders)
		}
	case gateway.Reading:
		at := slices.IndexFunc(guardedBy, func(s gateway.GuardSensor) bool { return s.Of == string(f.Device) })
		counts := guardedBy[at].Counts(before.Guard.Mode) && !slices.Contains(before.Guard.LeftOut, f.Device)
		armed := before.Guard.Phase == gateway.GuardArmed || before.Guard.Phase == gateway.GuardEntering
		d, _ := before.Devices.Get(f.Device)
		m, _ := d.Reading(gateway.Contact)
		counts = counts && !m.Value.Yes() && !slices.Contains(before.Guard.Open, f.Device)
		if f.Value.Yes() && counts && (armed && !guardedBy[at].Entrance || guardedBy[at].Always) && !slices.Contains(intruders, f.Device) {
			return fmt.Errorf("%s raises no alarm", f.Device)
		}
	}
	return nil
}

func intrusions(s gateway.State) []gateway.DeviceID {
	var all []gateway.DeviceID
	for _, a := range s.Alarms {
		if a.Kind == gateway.Intrusion {
			all = append(all, a.Device)
		}
	}
	return all
}

// pass lets time pass in ticks.
func (l *guardLife) pass(d time.Duration) {
	for ; d > 0; d -= time.Second {
		if l.s.Guard.Phase != gateway.GuardEntering {
			l.inside = 0
		}
		l.inside += time.Second
		l.takeAt(l.s.At.Add(time.Second), gateway.LoopName, gateway.Tick{})
	}
}

// restart keeps what lasts.
func (l *guardLife) restart() {
	at, plan := l.s.At, l.s.Home.Guard
	l.s = restarted(l.t, l.s)
	l.s.Home.Guard = plan
	l.takeAt(at.Add(time.Second), gateway.LoopName, gateway.Tick{})
	for _, sensor := range guardedBy {
		l.take("accessory", gateway.Reach{Device: gateway.DeviceID(sensor.Of), OK: true})
	}
}

func TestGuardOverRandomLives(t *testing.T) {
	lives := 60
	if slowModel || testing.Short() {
		lives = 15
	}
	tripped, armed := 0, 0
	for seed := range lives {
		l := newGuardLife(t, uint64(seed))
		for range 300 {
			was := l.s.Guard.Phase
			switch l.random.IntN(12) {
			case 0:
				l.restart()
			case 1: // the clock is put back
				l.takeAt(l.s.At.Add(-time.Duration(l.random.Int64N(int64(48*time.Hour)))), gateway.LoopName, gateway.Tick{})
			case 2, 3:
				l.take("homekit", gateway.Wish{By: "Home app", Ask: gateway.SetGuard{Mode: gateway.GuardOff}})
			case 4, 5, 6:
				mode := gateway.GuardModes[l.random.IntN(len(gateway.GuardModes))]
				l.take("mqtt", gateway.Wish{By: "MQTT", Ask: gateway.SetGuard{Mode: mode, Bypass: l.random.IntN(3) == 0}})
			case 7:
				l.take("homekit", gateway.Wish{By: "Home app", Ask: gateway.Hush{}})
			default:
				id := gateway.DeviceID(guardedBy[l.random.IntN(len(guardedBy))].Of)
				l.take("accessory", gateway.Reading{Device: id, Quantity: gateway.Contact, Value: gateway.Flag(l.random.IntN(3) == 0)})
			}
			l.pass(time.Duration(l.random.Int64N(int64(40 * time.Second))))
			if is := l.s.Guard.Phase; is != was && is == gateway.GuardTripped {
				tripped++
			} else if is != was && is == gateway.GuardArmed {
				armed++
			}
		}
	}
	t.Logf("%d lives: guarded %d times, tripped %d times", lives, armed, tripped)
	if tripped < lives || armed < lives {
		t.Errorf("guarded %d times and tripped %d times in %d lives: too little happened", armed, tripped, lives)
	}
}
