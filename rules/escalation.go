package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// sirensAlone is the plan of a house without one.
var sirensAlone = []gateway.AlarmStep{{Way: gateway.WaySound, Of: gateway.All}}

// alarmWants goes through the plan for each alarm: whose time has come is wanted, until somebody answers. What was
// turned on before that stays on: an answer is no hush.
func (b *book) alarmWants() {
	if len(b.Alarms) == 0 && !b.Sounded && b.Lit.Len() == 0 {
		return
	}
	steps := b.Home.AlarmPlan.Steps
	if len(steps) == 0 {
		steps = sirensAlone
	}
	turned := turnedOn{sirens: map[string]string{}}
	for at := range b.Alarms {
		if !b.Alarms[at].On() {
			continue
		}
		for i, step := range steps {
			if b.isDue(b.Alarms[at], i, step) {
				b.takeStep(at, i, steps, &turned)
			}
		}
	}
	b.soundWants(turned.sirens)
	b.lightWants(turned.lights)
}

// nextStep is when the next step of the plan is due; zero: none is.
func (b *book) nextStep() time.Time {
	next := time.Duration(-1)
	for _, a := range b.Alarms {
		for _, step := range b.Home.AlarmPlan.Steps {
			left := step.After - a.Held
			if a.On() && a.Answered.IsZero() && left > 0 && (next < 0 || left < next) {
				next = left
			}
		}
	}
	if next < 0 {
		return time.Time{}
	}
	return b.now.Add(next)
}

// turnedOn is what the steps of all alarms together want to be on.
type turnedOn struct {
	sirens map[string]string // why, by device
	lights []want
}

// isDue reports whether a step is to be taken: its time has come before anybody answered.
func (b *book) isDue(a gateway.Alarm, i int, step gateway.AlarmStep) bool {
	if !a.Answered.IsZero() {
		turnsOn := step.Way == gateway.WaySound || step.Way == gateway.WayLight
		return turnsOn && slices.ContainsFunc(a.Told, func(d gateway.Delivery) bool { return d.Step == i+1 })
	}
	return a.Held >= step.After
}

// takeStep wants what one step of the plan asks for.
func (b *book) takeStep(at, i int, steps []gateway.AlarmStep, turned *turnedOn) {
	a, step := b.Alarms[at], steps[i]
	why := fmt.Sprintf("%s alarm: %s", kindWords[a.Kind], a.Why)
	if after := b.latest(steps, step, a.Held); after > 0 {
		why = fmt.Sprintf("nobody has answered for %s: %s", length(after), why)
	}
	switch step.Way {
	case gateway.WaySound:
		for _, p := range b.points(step.Of, gateway.Siren) {
			if a.Phase == gateway.Sounding {
				turned.sirens[p.Of] = why
			}
			b.record(at, i, 1, "siren "+b.deviceName(p.Of), p)
		}
	case gateway.WayLight:
		for _, p := range b.lamps(step.Of) {
			if !slices.ContainsFunc(turned.lights, func(w want) bool { return w.point == p }) {
				turned.lights = append(turned.lights, want{point: p, value: lit(p.Quantity), why: why, alarm: true})
			}
			b.record(at, i, 1, "light "+b.deviceName(p.Of), p)
		}
	case gateway.WayTell:
		adapter, path := teller(step.Of)
		b.tellWants(at, i, steps, path, gateway.Point{Adapter: adapter, Of: a.PointName(), Quantity: gateway.Tell}, why)
	case gateway.WayRun:
		b.tellWants(at, i, steps, step.Of, gateway.Point{Adapter: gateway.CommandAdapter, Of: a.PointName() + "/" + step.Of, Quantity: gateway.Tell}, why)
	}
}

// latest is when the last step of the plan was due that does the same as this one.
func (b *book) latest(steps []gateway.AlarmStep, step gateway.AlarmStep, held time.Duration) time.Duration {
	after := step.After
	for _, other := range steps {
		if other.Way == step.Way && other.Of == step.Of && other.After <= held {
			after = max(after, other.After)
		}
	}
	return after
}

// teller is which adapter tells those whom a step names, and what people call that.
func teller(of string) (adapter, path string) {
	switch of {
	case "homekit":
		return of, "Home app"
	case "mqtt":
		return gateway.MQTTAdapter, "MQTT"
	case "page":
		return gateway.WebAdapter, of
	}
	return of, of
}

// tellWants wants people to be told, once a round: the number of the round is the value, so that converge asks again
// after a loss, and never twice for the same. Who stands in the plan at several times is wanted by the first of these
// steps; each of the others is one round more.
func (b *book) tellWants(at, i int, steps []gateway.AlarmStep, path string, p gateway.Point, why string) {
	step, held := steps[i], b.Alarms[at].Held
	round := 1
	for k, other := range steps {
		switch {
		case k == i || other.Way != step.Way || other.Of != step.Of:
		case other.After < step.After || other.After == step.After && k < i:
			return
		case other.After <= held:
			round++
		}
	}
	if every := b.Home.AlarmPlan.Repeat; every > 0 {
		round += int((held - step.After) / every)
	}
	b.record(at, i, round, path, p)
	b.want(want{point: p, value: gateway.Number(float64(round)), why: why, alarm: true})
}

// record keeps in the alarm's record that a step was due. The proof follows with the outcome.
func (b *book) record(at, i, round int, path string, p gateway.Point) {
	a := b.Alarms[at]
	entry := slices.IndexFunc(a.Told, func(d gateway.Delivery) bool { return d.Step == i+1 && d.Point == p })
	switch {
	case entry >= 0 && a.Told[entry].Times >= round || entry < 0 && len(a.Told) >= gateway.MaxDeliveries:
		return
	case entry < 0:
		a.Told = append(slices.Clip(a.Told), gateway.Delivery{Step: i + 1, Path: path, Point: p, At: b.now, Times: round})
	default:
		a.Told = slices.Clone(a.Told)
		a.Told[entry].At, a.Told[entry].Times = b.now, round
	}
	b.Alarms = slices.Clone(b.Alarms)
	b.Alarms[at], b.changed = a, true
}

// proof keeps in the records of the alarms how a step towards that point has fared.
func (b *book) proof(p gateway.Point, by, fault string) {
	for at := range b.Alarms {
		entry := slices.IndexFunc(b.Alarms[at].Told, func(d gateway.Delivery) bool { return d.Point == p })
		if entry < 0 {
			continue
		}
		a := b.Alarms[at]
		d := &a.Told[entry]
		if fault == d.Err && fault != "" || fault == "" && !d.Delivered.Before(d.At) {
			continue
		}
		a.Told = slices.Clone(a.Told)
		d = &a.Told[entry]
		if d.Err = fault; fault != "" && p.Quantity == gateway.Tell {
			// Said once, although each round is a new command: the next round fails for the same reason.
			b.decide(gateway.Decision{Kind: "alarm", Device: a.Device, What: "not told: " + d.Path, Why: fault})
		}
		if fault == "" {
			first := d.Delivered.IsZero()
			d.Delivered, d.By = b.now, by
			if first && p.Quantity == gateway.Tell {
				b.decide(gateway.Decision{Kind: "alarm", Device: a.Device, What: "told: " + d.Path, Why: strings.TrimSpace("confirmed " + by)})
			}
		}
		b.Alarms = slices.Clone(b.Alarms)
		b.Alarms[at], b.changed = a, true
	}
}

// noteDelivery takes an adapter's answer as proof. That of a siren or a light is what it shows, if it shows
// anything.
func (b *book) noteDelivery(f gateway.Outcome) {
	switch {
	case len(b.Alarms) == 0:
	case f.Err != "":
		b.proof(f.Point, "", f.Err)
	case f.Point.Quantity == gateway.Tell:
		b.proof(f.Point, by(f.By), "")
	case !b.readable(f.Point):
		b.proof(f.Point, "by its adapter", "")
	}
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return "by " + who
}

// points are where that quantity can be set: on one device, or on all, in the order of their ids.
func (b *book) points(of string, q gateway.Quantity) []gateway.Point {
	var found []gateway.Point
	add := func(d gateway.Device) {
		if _, via, ok := d.Control(q); ok {
			found = append(found, gateway.Point{Adapter: via, Of: string(d.ID), Quantity: q})
		}
	}
	if of != gateway.All {
		if d, ok := b.State.Device(gateway.DeviceID(of)); ok {
			add(d)
		}
		return found
	}
	for _, d := range b.Devices.All() {
		add(d)
	}
	return found
}

// lamps are the lights that a step means. A switch is one only if it is named: it may be a boiler's.
func (b *book) lamps(of string) []gateway.Point {
	found := b.points(of, gateway.Floodlight)
	for _, p := range b.points(of, gateway.On) {
		d, _ := b.Devices.Get(gateway.DeviceID(p.Of))
		_, _, dims := d.Control(gateway.Brightness)
		_, _, floods := d.Control(gateway.Floodlight)
		if !floods && (dims || of != gateway.All) {
			found = append(found, p)
		}
	}
	return found
}

// lit is what a light shows that is on.
func lit(q gateway.Quantity) gateway.Value {
	if q == gateway.Floodlight {
		return gateway.Word("on")
	}
	return gateway.Flag(true)
}

func (b *book) deviceName(id string) string {
	d, _ := b.Devices.Get(gateway.DeviceID(id))
	return label(d)
}

// soundWants wants sirens on while an alarm sounds, and off again afterwards if it was us who turned them on.
func (b *book) soundWants(sound map[string]string) {
	if len(sound) == 0 && !b.Sounded {
		return
	}
	over := "no alarm sounds any more"
	if b.Alarm().Phase == gateway.Hushed {
		over = "the sirens were hushed"
	}
	silent := true
	for _, d := range b.Devices.All() {
		_, via, ok := d.Control(gateway.Siren)
		if !ok {
			continue
		}
		p := gateway.Point{Adapter: via, Of: string(d.ID), Quantity: gateway.Siren}
		why, on := sound[string(d.ID)]
		switch {
		case !on && len(sound) > 0 && !b.turnedOn(p):
			continue
		case !on && b.unheard():
			silent = false
			continue
		case !on:
			why = over
		}
		w := want{point: p, value: gateway.Flag(on), why: why, alarm: true}
		done := b.done(w)
		if on && done && b.readable(w.point) {
			b.proof(w.point, "by its own reading", "")
		}
		silent = silent && !on && done
		b.want(w)
	}
	if sounded := b.Alarm().Phase == gateway.Sounding || !silent; sounded != b.Sounded {
		b.Sounded, b.changed = sounded, true
	}
}

// unheard reports whether a start is so recent that detectors were not heard yet: nobody knows whether the alarm for which
// sirens sound is over, or was only not saved.
func (b *book) unheard() bool {
	if len(b.Alarms) > 0 || b.now.Sub(b.Started) >= firstWords {
		return false
	}
	for _, d := range b.Devices.All() {
		if detects(d) && !slices.ContainsFunc(d.Readings, func(m gateway.Measure) bool {
			return (m.Quantity == gateway.Smoke || m.Quantity == gateway.CO) && !m.At.Before(b.Started)
		}) {
			return true
		}
	}
	return false
}

// firstWords is how long after a start sirens are left as they are until each detector was heard.
const firstWords = 30 * time.Second

// hastenAlarms has everything asked at once that an alarm had asked before a restart and that nobody has confirmed: it may
// have been lost with the process.
func (b *book) hastenAlarms() {
	for key, asked := range b.Asked.All() {
		if q := asked.Command.Point.Quantity; (q == gateway.Siren || q == gateway.Tell || q == gateway.Floodlight) && !asked.Done && !asked.Final {
			asked.Again, asked.Tries = b.now, 0
			b.Asked = b.Asked.With(key, asked)
		}
	}
}

// turnedOn reports whether an alarm that is on has turned a siren on.
func (b *book) turnedOn(p gateway.Point) bool {
	return slices.ContainsFunc(b.Alarms, func(a gateway.Alarm) bool {
		return slices.ContainsFunc(a.Told, func(d gateway.Delivery) bool { return d.Point == p })
	})
}

// lightWants wants lights on while an alarm is on, hushed or not, for people find their way out by them; then as they
// were before.
func (b *book) lightWants(lights []want) {
	if len(lights) == 0 && b.Lit.Len() == 0 {
		return
	}
	on := map[gateway.PointKey]bool{}
	for _, w := range lights {
		key := gateway.PointKey(w.point.String())
		on[key] = true
		if _, ours := b.Lit.Get(key); !ours {
			b.Lit, b.changed = b.Lit.With(key, gateway.Lamp{Point: w.point, Before: b.lampNow(w.point)}), true
		}
		if b.done(w) && b.readable(w.point) {
			b.proof(w.point, "by its own reading", "")
		}
		b.want(w)
	}
	for key, lamp := range b.Lit.All() {
		if on[key] {
			continue
		}
		w := want{point: lamp.Point, value: lamp.Before, why: "the alarm is over: as it was before", alarm: true}
		if b.done(w) {
			b.Lit, b.changed = b.Lit.Without(key), true
		}
		b.want(w)
	}
}

// lampNow is how a light is before an alarm turns it on; one that nobody can read is taken to be off.
func (b *book) lampNow(p gateway.Point) gateway.Value {
	d, _ := b.Devices.Get(gateway.DeviceID(p.Of))
	if m, ok := d.ReadingFrom(p.Quantity, p.Adapter); ok {
		return m.Value
	}
	return dark(p.Quantity)
}

// dark is what a light shows that is off; a floodlight then minds itself.
func dark(q gateway.Quantity) gateway.Value {
	if q == gateway.Floodlight {
		return gateway.Word("auto")
	}
	return gateway.Flag(false)
}
