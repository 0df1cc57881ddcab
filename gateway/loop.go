package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Step decides. It is pure: the same State and Event give the same result, and the State that went
// in is unchanged.
type Step func(State, Event) (State, []Command)

// Loop owns the State. It takes events one by one, calls Step, hands commands to the adapter
// addressed and shows the State if it changed. It never waits for an adapter.
type Loop struct {
	Step  Step
	State State         // to begin with; not to be touched once Run was called
	Every time.Duration // between ticks; 0: 2 s, and 10 s while nothing happens, so that an idle house sleeps
	Log   *slog.Logger  // nil: slog.Default()

	// Now and After are the clock of the house; nil: package time. The demonstration passes
	// faster ones. Nothing else in the house reads a clock.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time

	inbox chan Event
	ports []Port
	parts []part
	calm  int       // ticks since anything happened
	due   time.Time // when the next tick is due
	turns atomic.Uint64
}

type part struct {
	name    string
	adapter Adapter
}

// Sizes of the queues. An inbox that is full makes adapters wait, never the Loop; a command queue
// that is full drops, and converge asks again.
const (
	inboxSize    = 256
	commandsSize = 64
)

// Pauses between ticks. What has to follow an event soon (a siren is asked again after 5 s, a person's
// wish waits 3 s for the cloud) follows within the first few, short ones; what time alone brings, such
// as the next slot of a schedule, has time.
const (
	tickEvery = 2 * time.Second
	tickCalm  = 10 * time.Second
	untilCalm = 4 // ticks that changed nothing

	shortestPause = 10 * time.Millisecond
)

// Attach adds an adapter under a name, which becomes the From of its events and the address of its
// commands. All adapters are attached before Run.
func (l *Loop) Attach(name string, a Adapter) { l.parts = append(l.parts, part{name, a}) }

// Turns is how often the Loop has turned since Run began. It grows at least every ten seconds, however idle
// the house: a number that stands still longer says that the Loop hangs. It may be called from any goroutine.
func (l *Loop) Turns() uint64 { return l.turns.Load() }

// Run runs the house until ctx ends, then stops every adapter and returns the last State.
func (l *Loop) Run(ctx context.Context) State {
	l.inbox = make(chan Event, inboxSize)
	if l.Log == nil {
		l.Log = slog.Default()
	}
	for _, p := range l.parts {
		l.ports = append(l.ports, Port{
			loop: l, name: p.name, ctx: ctx,
			commands: make(chan Command, commandsSize),
			shown:    make(chan State, 1),
		})
	}
	l.take(Event{At: l.now(), From: LoopName, Fact: Tick{}})
	l.show()

	var adapters sync.WaitGroup
	stopped := make(chan struct{})
	for i, p := range l.parts {
		adapters.Go(func() { keep(ctx, p, l.ports[i], l.Log) })
	}
	go func() { adapters.Wait(); close(stopped) }()
	l.turn(stopped)
	return l.State
}

// turn takes events until every adapter has stopped and the inbox is empty.
func (l *Loop) turn(stopped <-chan struct{}) {
	tick := l.nextTick()
	for {
		l.turns.Add(1)
		select {
		case e := <-l.inbox:
			before := l.State.Version
			l.take(e)
			l.drain()
			l.showIfChanged(before)
			if l.pause() < l.due.Sub(l.now()) {
				tick = l.nextTick()
			}
		case <-tick:
			before := l.State.Version
			l.calm++
			now := l.now()
			l.take(Event{At: now, From: LoopName, Fact: Tick{Late: l.late(now)}})
			l.showIfChanged(before)
			tick = l.nextTick()
		case <-stopped:
			l.drain()
			return
		}
	}
}

// drain takes what waits in the inbox before the State is shown once for all of it.
func (l *Loop) drain() {
	for range inboxSize {
		select {
		case e := <-l.inbox:
			l.take(e)
		default:
			return
		}
	}
}

// take lets Step decide about one event and sends its commands.
func (l *Loop) take(e Event) {
	decided, version := l.State.Decided, l.State.Version
	next, commands := l.Step(l.State, e)
	l.State = next
	if next.Version != version || len(commands) > 0 {
		l.calm = 0
	}
	for _, c := range commands {
		l.send(c)
	}
	if next.Decided != decided {
		l.log(decided)
	}
}

func (l *Loop) send(c Command) {
	for _, p := range l.ports {
		if p.name != c.Point.Adapter {
			continue
		}
		select {
		case p.commands <- c:
		default: // its adapter is behind; converge asks again
		}
	}
}

func (l *Loop) showIfChanged(before uint64) {
	if l.State.Version != before {
		l.show()
	}
}

// show puts the State where each adapter finds it, in place of an older one not yet read.
func (l *Loop) show() {
	for _, p := range l.ports {
		select {
		case <-p.shown:
		default:
		}
		p.shown <- l.State // the Loop is the only writer, so there is room
	}
}

// log writes one line for each new decision.
func (l *Loop) log(after uint64) {
	for _, d := range l.State.Decisions {
		if d.Number <= after {
			continue
		}
		args := []any{"why", d.Why}
		if d.Room != "" {
			args = append(args, "room", d.Room)
		}
		if d.Device != "" {
			args = append(args, "device", d.Device)
		}
		l.Log.Info(fmt.Sprintf("%s: %s", d.Kind, d.What), args...)
	}
}

func (l *Loop) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

func (l *Loop) after(d time.Duration) <-chan time.Time {
	if l.After != nil {
		return l.After(d)
	}
	return time.After(d)
}

// nextTick begins the pause before the next tick.
func (l *Loop) nextTick() <-chan time.Time {
	d := l.pause()
	l.due = l.now().Add(d)
	return l.after(d)
}

// late is how much later than due a tick comes. In a house whose clock is another's, which runs faster,
// that tells nothing about this machine.
func (l *Loop) late(now time.Time) time.Duration {
	if l.Now != nil {
		return 0
	}
	return max(0, now.Sub(l.due))
}

// pause is how long to wait for the next tick: as usual, or less if the rules want to be woken.
func (l *Loop) pause() time.Duration {
	d := l.every()
	if wake := l.State.Wake; !wake.IsZero() {
		d = min(d, max(shortestPause, wake.Sub(l.now())))
	}
	return d
}

func (l *Loop) every() time.Duration {
	switch {
	case l.Every > 0:
		return l.Every
	case l.calm >= untilCalm:
		return tickCalm
	}
	return tickEvery
}
