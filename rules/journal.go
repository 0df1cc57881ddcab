package rules

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Rhythms of the journal.
const (
	measureEvery = time.Minute      // between two looks at how warm the rooms are in an outage
	foldEvery    = 15 * time.Minute // between two entries of the vendor's availability
	longestGap   = 5 * time.Minute  // a longer time without a tick was not lived through: stopped, or the clock was set
	oldReading   = time.Hour        // a temperature older than this says nothing about now
)

// journal writes down what the event brought: it compares the State before with the one after, once,
// when everything is decided. It decides nothing.
func (b *book) journal(before *gateway.State, f gateway.Fact) {
	_, tick := f.(gateway.Tick)
	moved := before.Authority.Phase != b.Authority.Phase || before.Authority.Drill != b.Authority.Drill
	if tick || moved || before.Cloud.Verdict != b.Cloud.Verdict {
		b.watchVendor(before, moved)
	}
	if b.Outage == nil && !b.inCharge() {
		return
	}
	if b.drillTurnedReal() {
		b.endOutage(before)
	}
	left := before.Authority.Phase
	if b.Outage == nil {
		b.beginOutage()
		left = b.Authority.Phase
	}
	b.noteEvent(before, f, left)
	switch {
	case !b.inCharge():
		b.endOutage(before)
	case tick && (b.now.Sub(b.Outage.Measured) >= measureEvery || b.now.Before(b.Outage.Measured)):
		b.measureRooms(before.Rooms, before.Started.IsZero())
	}
}

// redateJournal moves the outage that goes on along with a clock that was set, so that its lengths stay
// true. Changes of the schedule go by the wall clock and are looked for anew.
func (b *book) redateJournal(move func(...*time.Time)) {
	if b.Outage == nil {
		return
	}
	o := *b.Outage
	move(&o.Lost, &o.Began, &o.Back, &o.Measured)
	o.Later = slices.Clone(o.Later)
	for i := range o.Later {
		move(&o.Later[i].At)
	}
	for id, c := range o.Rooms.All() {
		c.Next, c.Due = time.Time{}, time.Time{}
		o.Rooms = o.Rooms.With(id, c)
	}
	b.Outage = &o
}

// drillTurnedReal reports whether a drill was called off because the vendor is really gone.
func (b *book) drillTurnedReal() bool {
	return b.Outage != nil && b.Outage.Drill && !b.Authority.Drill && b.Authority.Phase == gateway.Local && broken(b.Cloud.Verdict)
}

// beginOutage opens the journal of an outage. One that was open on disk goes on instead.
func (b *book) beginOutage() {
	c := b.Cloud
	o := gateway.Outage{Number: 1, Drill: b.Authority.Drill, Verdict: c.Verdict, Scope: c.Scope, Why: c.Why, Evidence: c.Evidence,
		Lost: b.Authority.Lost, Began: b.now, Measured: b.now}
	if n := len(b.Outages); n > 0 {
		o.Number = b.Outages[n-1].Number + 1
	}
	if o.Lost.IsZero() || o.Lost.After(b.now) {
		o.Lost = b.now
	}
	if o.Drill && !broken(o.Verdict) {
		o.Verdict, o.Scope, o.Why, o.Evidence = gateway.VerdictCloudDown, nil, b.Authority.Why, nil
	}
	b.Outage, b.changed = &o, true
	b.measureRooms(b.Rooms, false) // so that each room's next change of the schedule is known
}

// endOutage closes the journal of the outage.
func (b *book) endOutage(before *gateway.State) {
	b.measureRooms(before.Rooms, before.Started.IsZero())
	o := *b.Outage
	o.Ended = later(b.now, o.Began)
	if o.Back.IsZero() {
		o.Back = b.cameBack(o)
	}
	kept := b.Outages[max(0, len(b.Outages)-gateway.MaxOutages+1):]
	b.Outage, b.Outages, b.changed = nil, append(slices.Clip(kept), concise(o)), true
}

// concise is what is kept of a finished outage: the card pays for each byte with every save.
func concise(o gateway.Outage) gateway.Outage {
	if over := len(o.Decisions) - gateway.KeptDecisions; over > 0 {
		half := gateway.KeptDecisions / 2
		o.Decisions = slices.Delete(slices.Clone(o.Decisions), half, half+over)
		o.LeftOut += over
	}
	for id, c := range o.Rooms.All() {
		c.Below = math.Round(c.Below*1000) / 1000
		c.Next, c.Due = time.Time{}, time.Time{}
		o.Rooms = o.Rooms.With(id, c)
	}
	return o
}

// cameBack is since when the vendor has answered without a failure; in a drill, which it knows nothing
// of, it is now.
func (b *book) cameBack(o gateway.Outage) time.Time {
	back := b.Cloud.FirstGood
	if back.IsZero() || back.After(b.now) || o.Drill {
		back = b.now
	}
	return later(back, o.Began)
}

// noteEvent adds to the outage what the event brought about. The phase that was left is the present
// one if the outage has only just begun.
func (b *book) noteEvent(before *gateway.State, f gateway.Fact, left gateway.Phase) {
	if before.Decided == b.Decided && len(b.commands) == 0 && left == b.Authority.Phase &&
		!b.newCause() && len(before.Alarms) == len(b.Alarms) {
		return
	}
	o := *b.Outage
	b.noteDecisions(&o, before.Decided, f)
	b.noteCause(&o)
	for _, c := range b.commands {
		if c.Point.Adapter != gateway.CloudAdapter {
			o.Writes++
		}
	}
	switch {
	case left == gateway.Local && b.Authority.Phase != gateway.Local:
		o.Back = b.cameBack(o)
	case left == gateway.Returning && b.Authority.Phase == gateway.Local:
		o.Back = time.Time{}
		o.Relapses++
	}
	b.Outage, b.changed = &o, true
}

// noteDecisions adds the decisions made in this Step, by what they mean.
func (b *book) noteDecisions(o *gateway.Outage, after uint64, f gateway.Fact) {
	_, hand := f.(gateway.Reading)
	_, wish := f.(gateway.Wish)
	for _, d := range b.Decisions {
		if d.Number <= after {
			continue
		}
		if slices.Contains(journalled, d.Kind) {
			*o = o.WithDecision(d)
		}
		if d.RaisesAlarm() {
			o.Alarms++
		}
		if (wish || hand) && d.Kind == "wish" || wish && d.Kind == "mode" {
			o.Wishes++
			wish, hand = false, false
		}
		if d.Kind == "return" && len(o.HandedBack) < gateway.MaxHandedBack {
			o.HandedBack = append(slices.Clip(o.HandedBack), fmt.Sprintf("%s (%s)", d.What, d.Why))
		}
	}
}

// journalled are the kinds of decisions that the story of an outage needs: not which device was found
// or which adapter was run again.
var journalled = []string{"authority", "heating", "alarm", "guard", "mode", "wish", "refused", "return"}

// newCause reports whether the verdict says something that the journal does not have yet.
func (b *book) newCause() bool {
	o, c := b.Outage, &b.Cloud
	if o.Drill || !broken(c.Verdict) {
		return false
	}
	if c.Verdict == o.Verdict {
		return len(o.Evidence) == 0 && len(c.Evidence) > 0
	}
	return !slices.ContainsFunc(o.Later, func(l gateway.Cause) bool { return l.Verdict == c.Verdict })
}

func (b *book) noteCause(o *gateway.Outage) {
	c := b.Cloud
	switch {
	case !b.newCause():
	case c.Verdict == o.Verdict:
		o.Scope, o.Evidence = c.Scope, c.Evidence
	default:
		o.Later = append(slices.Clip(o.Later), gateway.Cause{Verdict: c.Verdict, At: b.now, Why: c.Why})
	}
}

// measureRooms adds the time since the last look to each heated room, with how far it was below its
// target meanwhile, and judges changes of the schedule. What was shown before the event held until now.
func (b *book) measureRooms(rooms gateway.Table[gateway.RoomID, gateway.Room], restarted bool) {
	o := *b.Outage
	passed := max(b.now.Sub(o.Measured), 0)
	lived := passed <= longestGap && !restarted
	o.Measured = b.now
	for id, room := range rooms.All() {
		c, known := o.Rooms.Get(id)
		if !known && !room.Target.Value.Known() || b.Home.Control == "cooling" {
			continue
		}
		c.Name = room.Name
		below, ok := b.below(room)
		if ok && lived {
			c.Below += below * passed.Hours()
			c.Measured += passed
		} else {
			c.Unknown += passed
		}
		b.judgeSlot(&o, &c, id, lived)
		o.Rooms = o.Rooms.With(id, c)
	}
	b.Outage, b.changed = &o, true
}

// below is by how much a room is colder than its target, in K; false if nobody knows.
func (b *book) below(room gateway.Room) (float64, bool) {
	target, asked := room.Target.Value.Number()
	t, ok := room.Temperature.Value.Number()
	if !asked || !ok || b.now.Sub(room.Temperature.At) > oldReading {
		return 0, false
	}
	return max(target-t, 0), true
}

// judgeSlot sees a change of the schedule fall due in a room and judges whether it was kept; see
// gateway.SlotGrace.
func (b *book) judgeSlot(o *gateway.Outage, c *gateway.Comfort, id gateway.RoomID, lived bool) {
	room, _ := b.Rooms.Get(id)
	if room.Target.Mode != gateway.RoomSchedule {
		c.Next, c.Due = time.Time{}, time.Time{}
		return
	}
	if !lived {
		c.Next, c.Due = time.Time{}, time.Time{}
	}
	if !c.Next.IsZero() && !b.now.Before(c.Next) {
		c.Due = c.Next
	}
	c.Next = room.Target.Until
	if c.Due.IsZero() {
		return
	}
	last := c.Due.Add(gateway.SlotGrace)
	shown, steered := b.shownBy(room, last)
	switch {
	case !steered:
		c.Due = time.Time{}
	case shown:
		o.SlotsDue++
		o.SlotsKept++
		if room.Written.At.Before(c.Due) {
			o.Spared++
		}
		c.Due = time.Time{}
	case !b.now.Before(last):
		o.SlotsDue++
		c.Due = time.Time{}
	}
}

// shownBy reports whether every device of the room that can be set in the house has shown the room's
// target by then, and whether there is any.
func (b *book) shownBy(room gateway.Room, last time.Time) (shown, steered bool) {
	shown = true
	for _, id := range room.Devices {
		d, _ := b.Devices.Get(id)
		w, ok := b.wantDevice(room, d, room.Target)
		if !ok {
			continue
		}
		steered = true
		m, ok := d.ReadingFrom(gateway.Target, w.point.Adapter)
		shown = shown && ok && near(m.Value, w.value, w.step) && !m.At.After(last)
	}
	return shown && steered, steered
}

// watchVendor adds the time since the last look to how the vendor did, by the verdict that held
// meanwhile. A drill says nothing about the vendor.
func (b *book) watchVendor(before *gateway.State, moved bool) {
	w := &b.Watch
	passed := b.now.Sub(w.At)
	if !w.At.IsZero() && passed > 0 && passed <= longestGap && !before.Authority.Drill {
		b.countVendor(before.Cloud.Verdict, w.At, passed)
	}
	w.At = b.now
	const day = 24 * 60 * 60
	late := b.now.Sub(w.Since) >= foldEvery || b.now.Before(w.Since) || b.now.Unix()/day != w.Since.Unix()/day
	if !w.Empty() && (moved || late) {
		b.Days = gateway.WithWatch(b.Days, *w)
		b.Watch = gateway.Watch{At: b.now}
		b.changed = true
	}
}

func (b *book) countVendor(v gateway.Verdict, since time.Time, passed time.Duration) {
	w := &b.Watch
	if w.Empty() {
		w.Since, w.Date = since, since.UTC().Format(time.DateOnly)
	}
	switch {
	case ours(v):
		w.Ours += passed
	case v == gateway.VerdictCloudDown || v == gateway.VerdictDegraded:
		w.Watched += passed
		w.Broken += passed
	case v == gateway.VerdictOK || v == gateway.VerdictRateLimited || v == gateway.VerdictAuthRevoked:
		w.Watched += passed // it answers, whatever it says
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
