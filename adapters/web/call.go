package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// showsWithin is how long pages get to say that they show an alarm before they are counted.
const showsWithin = 1500 * time.Millisecond

// calls are the alarms that open pages are to be told of. An alarm is told again, by a command with the number of the next
// round, until somebody answers; each round is confirmed anew.
type calls struct {
	within time.Duration // how long pages get
	mu     sync.Mutex
	all    map[string]*call // by the alarm's name in points
	news   chan struct{}    // has room for one: a page shows an alarm
}

// call is one round.
type call struct {
	command gateway.Command
	round   int
	pushed  bool            // pages were told of it
	due     time.Time       // when who has confirmed is counted
	seen    map[uint64]bool // pages that have confirmed it
	told    bool            // the house knows that it was delivered
	failed  bool            // the house knows that it was not, so far
}

// callView is what a page hears of one alarm: event "alarm".
type callView struct {
	alarmView
	Round int `json:"round"`
}

// take begins a round.
func (c *calls) take(command gateway.Command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]*call{}
	}
	round, _ := command.Value.Number()
	c.all[command.Point.Of] = &call{command: command, round: int(round), seen: map[uint64]bool{}}
}

// ready reports whether there is a round that pages were not told of, and whose alarm the State shows.
func (c *calls) ready(s gateway.State, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	waits := false
	for _, one := range c.all {
		if !one.pushed && one.command.ID <= s.Commanded {
			one.pushed, one.due, waits = true, now.Add(c.within), true
		}
	}
	return waits
}

// drop forgets the calls of alarms that are over or answered.
func (c *calls) drop(s gateway.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for of, one := range c.all {
		goes := slices.ContainsFunc(s.Alarms, func(a gateway.Alarm) bool { return a.PointName() == of && a.On() && a.Answered.IsZero() })
		if !goes && one.command.ID <= s.Commanded {
			delete(c.all, of)
		}
	}
}

// seen notes that a page shows an alarm.
func (c *calls) seen(of string, page uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.all[of]; one != nil && one.pushed {
		one.seen[page] = true
		poke(c.news)
	}
}

// outcomes are what can be said by now of the calls: delivered as soon as all open pages show it, or once it is due and one of
// them does; not delivered if it is due and none does.
func (c *calls) outcomes(open int, now time.Time) []gateway.Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []gateway.Outcome
	for _, one := range c.all {
		o := gateway.Outcome{ID: one.command.ID, Point: one.command.Point}
		due, seen := !now.Before(one.due), len(one.seen)
		switch {
		case one.told || !one.pushed:
			continue
		case seen > 0 && (due || seen >= open):
			one.told, o.By = true, pages(seen)
		case due && !one.failed && open > 0:
			one.failed, o.Err = true, pages(open)+" open, and none has shown it"
		case !one.failed && open == 0:
			one.failed, o.Err = true, "no page is open"
		default:
			continue
		}
		all = append(all, o)
	}
	return all
}

func pages(n int) string {
	if n == 1 {
		return "1 page"
	}
	return fmt.Sprintf("%d pages", n)
}

// rounds are the rounds that go on, by alarm.
func (c *calls) rounds() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]int{}
	for of, one := range c.all {
		all[of] = one.round
	}
	return all
}

// pushCalls tells one page of every alarm that nobody has answered.
func (a *Adapter) pushCalls(p pusher) error {
	s := a.newest.Load()
	if s == nil {
		return nil
	}
	rounds := a.calls.rounds()
	for _, al := range s.Alarms {
		round, called := rounds[al.PointName()]
		if !called || !al.On() || !al.Answered.IsZero() {
			continue
		}
		if err := p.event("alarm", "", callView{alarmOf(al), round}); err != nil {
			return err
		}
	}
	return nil
}

// apiSeen takes a page's word that it shows an alarm.
func (a *Adapter) apiSeen(w http.ResponseWriter, r *http.Request) {
	var receipt struct {
		Page  uint64 `json:"page"`
		Alarm uint64 `json:"alarm"`
	}
	if err := json.NewDecoder(r.Body).Decode(&receipt); err != nil {
		refuse(w, http.StatusUnprocessableEntity, `say which page shows which alarm, as in {"page":1,"alarm":42}`)
		return
	}
	if !a.live.has(receipt.Page) {
		refuse(w, http.StatusUnprocessableEntity, "no open page has that number; its stream says it first")
		return
	}
	a.calls.seen(gateway.Alarm{Number: receipt.Alarm}.PointName(), receipt.Page)
	w.WriteHeader(http.StatusNoContent)
}
