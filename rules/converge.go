package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// want is what a rule says ought to be.
type want struct {
	point gateway.Point
	value gateway.Value
	until time.Time
	step  float64 // of the point's control
	why   string

	room    gateway.RoomID   // set for a room's target
	mode    gateway.RoomMode // of that target
	patient bool             // do not write yet: the device may still do it by itself
	alarm   bool             // of an alarm, which is never a drill
	once    bool             // asked a single time for each value
}

// Pauses before a point is asked again. They double with each try.
const (
	firstAgain   = 5 * time.Second // an alarm's siren
	longestAgain = time.Minute
	firstRoom    = 30 * time.Second // a device's target: battery devices wake seldom
	longestRoom  = 2 * time.Hour    // a device that never takes it gets a dozen writes a day
	stubborn     = 4                // tries after which a person is told
	firstCloud   = 30 * time.Second // what is told the cloud
	longestCloud = 10 * time.Minute
	patience     = 3 * time.Second // a person's command waits no longer for the cloud
)

func (b *book) want(w want) { b.wants = append(b.wants, w) }

// converge compares what is wanted with what is, and asks for the difference. What is already so
// costs nothing; a lost command, a repeated one and a restart need no code elsewhere.
func (b *book) converge() {
	var open []gateway.PointKey
	for _, w := range b.wants {
		if key, ok := b.convergeOne(w); ok {
			open = append(open, key)
		}
	}
	if b.everything {
		b.askKept()
	}
	if b.everything && !b.quietly { // a quiet pass has not looked at every room
		b.forget(open)
	}
}

// convergeOne returns the point's key while something is asked of it.
func (b *book) convergeOne(w want) (gateway.PointKey, bool) {
	if b.satisfied(w) {
		b.settled(w)
		_, key, under := b.asked(w.point)
		return key, under
	}
	key := gateway.PointKey(w.point.String())
	asked, before := b.Asked.Get(key)
	same := before && asked.Command.Value == w.value
	switch {
	case same && (asked.Final || w.once || b.notYet(asked)):
	case same && asked.Done && !b.readable(w.point): // its adapter said so, and nobody can know better
	case !same && w.patient:
	case same && b.tooOften(w, asked), !same && b.tooOften(w, gateway.Asked{}):
	default:
		if !same {
			asked = gateway.Asked{}
		}
		b.ask(w, asked)
	}
	return key, true
}

// settled forgets what was asked of a point that now shows it, once its adapter has answered too: what
// shows now may be from before.
func (b *book) settled(w want) {
	if asked, key, ok := b.asked(w.point); ok && !asked.Keep && (asked.Done || b.now.Sub(asked.At) > longestAgain) {
		b.Asked, b.changed = b.Asked.Without(key), true
	}
}

// asked is what is being asked of a point.
func (b *book) asked(p gateway.Point) (gateway.Asked, gateway.PointKey, bool) {
	if b.Asked.Len() == 0 {
		return gateway.Asked{}, "", false
	}
	key := gateway.PointKey(p.String())
	asked, ok := b.Asked.Get(key)
	return asked, key, ok
}

// satisfied reports whether a point shows what is wanted, and nothing else is under way to it.
func (b *book) satisfied(w want) bool {
	d, _ := b.Devices.Get(gateway.DeviceID(w.point.Of))
	m, ok := d.ReadingFrom(w.point.Quantity, w.point.Adapter)
	if !ok || !near(m.Value, w.value, w.step) {
		return false
	}
	asked, _, under := b.asked(w.point)
	return !under || near(asked.Command.Value, w.value, w.step)
}

// readable reports whether a point has ever shown its value.
func (b *book) readable(p gateway.Point) bool {
	d, _ := b.Devices.Get(gateway.DeviceID(p.Of))
	_, ok := d.ReadingFrom(p.Quantity, p.Adapter)
	return ok
}

// done reports whether the want is satisfied, or its adapter said so of a point that cannot be read.
func (b *book) done(w want) bool {
	asked, _, under := b.asked(w.point)
	if b.readable(w.point) {
		return b.satisfied(w) && (!under || asked.Done)
	}
	return asked.Done && asked.Command.Value == w.value
}

// ask sends a command for a want and remembers it.
func (b *book) ask(w want, asked gateway.Asked) {
	first, longest := firstAgain, longestAgain
	if w.room != "" {
		first, longest = firstRoom, longestRoom
	}
	room, _ := b.Rooms.Get(w.room)
	again := b.repeats(room, w, asked)
	why := w.why
	if !w.alarm {
		why = b.marked(why)
	}
	b.send(gateway.Command{Point: w.point, Value: w.value, Until: w.until, Why: why}, &asked, first, longest)
	if w.room == "" {
		return
	}
	if again {
		room.Repeated = append(b.today(room.Repeated), b.now)
	}
	b.ownTarget(&room, w.point)
	b.remember(&room)
	room.Written = gateway.Aim{Value: w.value, Mode: w.mode, At: b.now, Why: w.why}
	room.Moved, room.Strays = true, true
	b.setRoom(room)
	d, _ := b.Devices.Get(gateway.DeviceID(w.point.Of))
	switch asked.Tries {
	case 1:
		b.decide(gateway.Decision{Kind: "heating", Room: w.room, Device: d.ID, What: fmt.Sprintf("%s: %s is set to %v °C", room.Name, label(d), w.value), Why: w.why})
	case stubborn:
		b.decide(gateway.Decision{Kind: "heating", Room: w.room, Device: d.ID, What: fmt.Sprintf("%s: %s does not take %v °C; it is asked again, ever more seldom", room.Name, label(d), w.value), Why: "it was asked some times and still shows another target"})
	}
}

// send puts a command out and keeps what was asked until the point shows it.
func (b *book) send(c gateway.Command, asked *gateway.Asked, first, longest time.Duration) {
	b.Commanded++
	c.ID = b.Commanded
	asked.Command, asked.At, asked.Done = c, b.now, false
	asked.Again = b.now.Add(min(first<<min(asked.Tries, 10), longest))
	asked.Tries++
	b.Asked = b.Asked.With(gateway.PointKey(c.Point.String()), *asked)
	b.commands = append(b.commands, c)
	b.changed = true
}

// forget drops what was asked and is no longer wanted.
func (b *book) forget(open []gateway.PointKey) {
	for key, asked := range b.Asked.All() {
		if !asked.Keep && !slices.Contains(open, key) {
			b.Asked, b.changed = b.Asked.Without(key), true
		}
	}
}

// notYet reports whether it is too early to ask again. A clock that was set back makes nothing wait.
func (b *book) notYet(asked gateway.Asked) bool {
	return b.now.Before(asked.Again) && !b.now.Before(asked.At)
}

// observeOutcome takes an adapter's answer to a command.
func (b *book) observeOutcome(f gateway.Outcome) {
	key := gateway.PointKey(f.Point.String())
	asked, ok := b.Asked.Get(key)
	if !ok || asked.Command.ID != f.ID {
		return // an answer to an older command
	}
	b.everything = true
	news := f.Err != "" && f.Err != asked.Err
	asked.Done, asked.Err, asked.Final = f.Err == "", f.Err, f.Final && f.Err != ""
	b.Asked, b.changed = b.Asked.With(key, asked), true
	if asked.Keep && (asked.Done || asked.Final) {
		b.Asked = b.Asked.Without(key)
	}
	if asked.Keep && (asked.Done || asked.Final && !b.offOtherwise(asked)) {
		b.told(f.Point)
	}
	if news && f.Point.Quantity != gateway.Tell { // proof says that
		what := fmt.Sprintf("%v for %s was not carried out", asked.Command.Value, b.pointName(f.Point))
		b.decide(gateway.Decision{Kind: "device", What: what, Why: f.Err})
	}
}

// pointName is how a point is called towards people.
func (b *book) pointName(p gateway.Point) string {
	if d, ok := b.Devices.Get(gateway.DeviceID(p.Of)); ok {
		return fmt.Sprintf("%s of %s", p.Quantity, label(d))
	}
	if r, ok := b.Rooms.Get(gateway.RoomID(p.Of)); ok {
		return fmt.Sprintf("%s of %s in Netatmo", p.Quantity, r.Name)
	}
	return fmt.Sprintf("%s of the home in Netatmo", p.Quantity)
}
