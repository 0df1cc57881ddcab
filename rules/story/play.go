package story

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// tick is the time between two ticks of a story.
const tick = 10 * time.Second

// Check is called after each Step with what went in and what came out; nil is no check.
type Check func(before gateway.State, e gateway.Event, after gateway.State, commands []gateway.Command) error

type player struct {
	story   *Story
	step    gateway.Step
	check   Check
	out     io.Writer
	state   gateway.State
	now     time.Time     // the true time
	ahead   time.Duration // how far the clock is ahead of it
	sent    []gateway.Command
	shown   map[string]shownSince
	leases  map[gateway.DeviceID]time.Time // when a relay that is on switches off by itself
	decided uint64
}

type shownSince struct {
	what string
	at   time.Time
}

// Play plays the story through step and writes it to out again, with what follows after each line
// as lines that begin with ">".
func (s *Story) Play(step gateway.Step, check Check, out io.Writer) error {
	p := &player{story: s, step: step, check: check, out: out, state: s.state, now: s.start, shown: map[string]shownSince{}, leases: map[gateway.DeviceID]time.Time{}}
	for _, l := range s.lines {
		if l.expect {
			continue
		}
		if !l.at.IsZero() {
			if l.at.Before(p.now) {
				return fmt.Errorf("line %d: it begins at %s, when a line above still lasts: shorten that one", l.number, l.at.Format("15:04:05"))
			}
			if err := p.until(l.at); err != nil {
				return fmt.Errorf("line %d: %w", l.number, err)
			}
		}
		fmt.Fprintln(out, l.text)
		if l.at.IsZero() {
			continue
		}
		if err := p.happen(l); err != nil {
			return fmt.Errorf("line %d: %w", l.number, err)
		}
	}
	return nil
}

// until lets time pass up to an instant.
func (p *player) until(at time.Time) error {
	for next := p.next(); next.Before(at); next = p.next() {
		p.now = next
		if err := p.endLeases(); err != nil {
			return err
		}
		if err := p.take(gateway.LoopName, gateway.Tick{}); err != nil {
			return err
		}
	}
	p.now = at
	return nil
}

// next is when the next tick comes: as usual, or when the rules want to be woken.
func (p *player) next() time.Time {
	next := p.now.Add(tick)
	if wake := p.state.Wake; wake.After(p.now) && wake.Before(next) {
		return wake
	}
	return next
}

// happen lets a line happen, once or as often as it says.
func (p *player) happen(l line) error {
	words := l.words[1:]
	switch words[0] {
	case "nothing":
		return p.take(gateway.LoopName, gateway.Tick{})
	case "restart":
		return p.restart()
	case "ahead":
		return p.setClock(words[1:])
	}
	every, length := time.Duration(0), time.Duration(0)
	for name, at := range map[string]*time.Duration{"every": &every, "lasting": &length} {
		if v := option(words, name); v != "" {
			d, err := time.ParseDuration(v)
			if err != nil {
				return fmt.Errorf("%s=%s is not a duration", name, v)
			}
			*at = d
		}
	}
	end := l.at.Add(length)
	for {
		from, f, err := p.fact(words, p.now)
		if err != nil {
			return err
		}
		if err := p.take(from, f); err != nil {
			return err
		}
		if every == 0 || p.now.Add(every).After(end) {
			return nil
		}
		if err := p.until(p.now.Add(every)); err != nil {
			return err
		}
	}
}

// setClock puts the clock ahead of the true time, or behind it.
func (p *player) setClock(words []string) error {
	if len(words) != 1 {
		return fmt.Errorf("the clock is ahead by some time, as in: ahead -10h")
	}
	ahead, err := time.ParseDuration(words[0])
	if err != nil {
		return fmt.Errorf("ahead %s is not a duration as in -10h", words[0])
	}
	p.ahead = ahead
	return p.take(gateway.LoopName, gateway.Tick{})
}

// restart keeps what lasts, by way of JSON as the store does, and begins anew.
func (p *player) restart() error {
	data, err := json.Marshal(p.state.Lasting())
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	lasting, err := gateway.ReadLasting(data)
	if err != nil {
		return err
	}
	home := p.state.Home
	p.state = lasting.State()
	p.state.Home.FrostGuard, p.state.Home.Maximum = home.FrostGuard, home.Maximum
	p.state.Home.AlarmPlan, p.state.Home.SilentAfter, p.state.Home.Guard = home.AlarmPlan, home.SilentAfter, home.Guard
	return p.take(gateway.LoopName, gateway.Tick{})
}

// take gives one event to the rules, writes what followed, and lets obedient devices obey.
func (p *player) take(from string, f gateway.Fact) error {
	before := p.state
	e := gateway.Event{At: p.now.Add(p.ahead), From: from, Fact: f}
	after, commands := p.step(before, e)
	if p.check != nil {
		if err := p.check(before, e, after, commands); err != nil {
			return fmt.Errorf("at %s: %w", p.clockNow(), err)
		}
	}
	p.state = after
	p.write(commands)
	return p.obey(commands)
}

func (p *player) write(commands []gateway.Command) {
	for _, d := range p.state.Decisions {
		if d.Number > p.decided {
			fmt.Fprintf(p.out, "> %s %s: %s (%s)\n", p.clockNow(), d.Kind, d.What, d.Why)
		}
	}
	p.decided = p.state.Decided
	for _, c := range commands {
		p.sent = append(p.sent, c)
		until := ""
		if !c.Until.IsZero() {
			until = " until " + c.Until.In(p.story.location()).Format("Mon 15:04")
		}
		fmt.Fprintf(p.out, "> %s %s = %v%s (%s)\n", p.clockNow(), c.Point, c.Value, until, c.Why)
	}
}

func (p *player) clockNow() string { return p.now.In(p.story.location()).Format("15:04:05") }

// obey lets a device that obeys do what it was told, and show it.
func (p *player) obey(commands []gateway.Command) error {
	for _, c := range commands {
		if !p.story.obeys[gateway.DeviceID(c.Point.Of)] {
			continue
		}
		p.lease(c)
		for _, f := range []gateway.Fact{
			gateway.Outcome{ID: c.ID, Point: c.Point},
			gateway.Reading{Device: gateway.DeviceID(c.Point.Of), Quantity: c.Point.Quantity, Value: c.Value},
		} {
			if err := p.take(c.Point.Adapter, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// lease starts the timer in a relay that was told to switch on.
func (p *player) lease(c gateway.Command) {
	id := gateway.DeviceID(c.Point.Of)
	if c.Point.Quantity != gateway.Relay {
		return
	}
	delete(p.leases, id)
	if c.Value.Yes() && !c.Until.IsZero() {
		p.leases[id] = c.Until
	}
}

// endLeases lets relays switch off whose time is over, and say so.
func (p *player) endLeases() error {
	for _, id := range slices.Sorted(maps.Keys(p.leases)) {
		if p.now.Before(p.leases[id]) {
			continue
		}
		delete(p.leases, id)
		fmt.Fprintf(p.out, "> %s %s switches off by itself: its lease is over\n", p.clockNow(), id)
		if err := p.take(gateway.MQTTAdapter, gateway.Reading{Device: id, Quantity: gateway.Relay, Value: gateway.Flag(false)}); err != nil {
			return err
		}
	}
	return nil
}
