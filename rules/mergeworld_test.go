package rules_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// usualTime is the home's default duration of a manual set point in the model world.
const usualTime = 3 * time.Hour

// hold is a set point of a room that does not come from the schedule: in the cloud, or in a device.
type hold struct {
	mode         gateway.RoomMode
	target       float64
	since, until time.Time
	echo         bool // a device showed it: what was written over the LAN, or
	hand         bool // what a person turned there
}

func (h hold) running(t time.Time) bool {
	return h.mode != "" && (h.until.IsZero() || h.until.After(t))
}

// modelCloud is the vendor's cloud with all that it knows.
type modelCloud struct {
	mode      gateway.HomeMode
	modeUntil time.Time
	holds     map[gateway.RoomID]hold
}

func (c modelCloud) clone() modelCloud {
	holds := map[gateway.RoomID]hold{}
	for id, h := range c.holds {
		holds[id] = h
	}
	c.holds = holds
	return c
}

// target is what the cloud, or a device that keeps its programme, asks of a room.
func (c modelCloud) target(room gateway.RoomID, t time.Time) (float64, gateway.RoomMode) {
	if h := c.holds[room]; h.running(t) {
		if h.mode == gateway.RoomOff {
			return 7, h.mode
		}
		return h.target, h.mode
	}
	if c.modeUntil.IsZero() || c.modeUntil.After(t) {
		switch c.mode {
		case gateway.HomeAway:
			return 12, gateway.RoomAway
		case gateway.HomeFrost:
			return 7, gateway.RoomFrost
		}
	}
	return planned(t), gateway.RoomSchedule
}

// planned is the model's timetable, written down without the rules: 20 °C from 06:30 to 22:30 UTC.
func planned(t time.Time) float64 {
	if m := t.UTC().Hour()*60 + t.UTC().Minute(); m >= 390 && m < 1350 {
		return 20
	}
	return 17
}

func (c *modelCloud) setMode(mode gateway.HomeMode, until time.Time) {
	c.mode, c.modeUntil = mode, until
	clear(c.holds)
}

// modelDevice is a thermostat on the LAN.
type modelDevice struct {
	follows bool       // it goes on with its programme when the cloud is gone; else it stays as it was
	copy    modelCloud // its programme
	frozen  float64
	hold    hold
	shown   float64
}

func (d modelDevice) reading(room gateway.RoomID, t time.Time) float64 {
	if d.hold.running(t) {
		return d.hold.target
	}
	if d.follows {
		target, _ := d.copy.target(room, t)
		return target
	}
	return d.frozen
}

// late is what the cloud will answer, and when.
type late struct {
	at   time.Time
	fact gateway.Fact
}

// modelWorld is a house with its people, its devices and its cloud, about the rules.
type modelWorld struct {
	t       *testing.T
	random  *rand.Rand
	state   gateway.State
	now     time.Time     // the true time
	skew    time.Duration // of the gateway's clock
	down    gateway.Verdict
	faults  bool // commands and answers get lost
	cloud   modelCloud
	devices map[gateway.RoomID]*modelDevice
	answers []late
	viewed  time.Time
	lost    time.Time  // when the cloud was last lost
	seen    modelCloud // as it was viewed last
	probed  time.Time
	people  *reference
	every   time.Duration // between ticks
	seldom  time.Duration // between two reads of the cloud while the house is run from here

	lan, told, restarts, steps, outages, acts int
	asked                                     map[gateway.RoomID]map[string]bool // of the cloud, since the last act or loss
	history                                   []string
}

var modelRooms = []gateway.RoomID{"a", "b", "c"}

func newModelWorld(t *testing.T, seed uint64) *modelWorld {
	w := &modelWorld{t: t, random: rand.New(rand.NewPCG(seed, 53)), now: time.Date(2025, 11, 3, 5, 0, 0, 0, time.UTC), every: 10 * time.Second,
		cloud: modelCloud{mode: gateway.HomeSchedule, holds: map[gateway.RoomID]hold{}}, devices: map[gateway.RoomID]*modelDevice{}}
	w.seldom = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}[seed%3]
	w.people = &reference{rooms: map[gateway.RoomID][]act{}}
	w.forgetAsked()
	plan := gateway.Schedule{ID: "s", Name: "Winter", Type: "therm", Selected: true, Zones: []gateway.Zone{{ID: 0, Name: "Day"}, {ID: 1, Name: "Night"}}}
	for day := range 7 {
		plan.Slots = append(plan.Slots, gateway.Slot{Minute: day*1440 + 390, Zone: 0}, gateway.Slot{Minute: day*1440 + 1350, Zone: 1})
	}
	home := gateway.Plan{Home: "h", Name: "Maison", DefaultDuration: usualTime}
	for i, room := range modelRooms {
		plan.Zones[0].Rooms = append(plan.Zones[0].Rooms, gateway.ZoneRoom{Room: room, Target: 20})
		plan.Zones[1].Rooms = append(plan.Zones[1].Rooms, gateway.ZoneRoom{Room: room, Target: 17})
		home.Rooms = append(home.Rooms, gateway.PlanRoom{ID: room, Name: string(room)})
		w.devices[room] = &modelDevice{follows: i < 2, shown: 20}
	}
	home.Schedules = []gateway.Schedule{plan}
	w.take("clock", gateway.Clock{Trust: gateway.TrustSynced})
	w.take("netatmo", home)
	w.announce()
	return w
}

// announce says what an adapter says when it starts.
func (w *modelWorld) announce() {
	for _, room := range modelRooms {
		id := gateway.DeviceID("d" + room)
		w.take("netatmo", gateway.Found{Device: id, Model: "NATherm1", Room: room})
		w.take("accessory", gateway.Found{Device: id, Controls: []gateway.Control{{Quantity: gateway.Target, Min: 7, Max: 30, Step: 0.5}}})
		w.take("accessory", gateway.Reach{Device: id, OK: true})
		w.take("accessory", gateway.Reading{Device: id, Quantity: gateway.Target, Value: gateway.Number(w.devices[room].shown)})
	}
}

func (w *modelWorld) clock() time.Time { return w.now.Add(w.skew) }

func (w *modelWorld) note(format string, args ...any) {
	w.history = append(w.history, w.clock().Format("02 15:04:05 ")+fmt.Sprintf(format, args...))
}

// take gives one event to the rules and lets the world do what they command.
func (w *modelWorld) take(from string, f gateway.Fact) {
	e := gateway.Event{At: w.clock(), From: from, Fact: f}
	decided, phase := w.state.Decided, w.state.Authority.Phase
	var commands []gateway.Command
	w.state, commands = rules.Step(w.state, e)
	if phase == gateway.Returning && w.state.Authority.Phase == gateway.Watching {
		w.forgetAsked()                   // what was asked before the takeover is no part of the hand-over
		for _, room := range modelRooms { // what a later mode outrules now is gone for ever
			w.people.room(room, w.clock(), w.cloud.holds[room])
		}
	}
	for _, d := range w.state.Decisions {
		if d.Number > decided {
			w.note("%s: %s (%s)", d.Kind, d.What, d.Why)
		}
	}
	for _, c := range commands {
		w.obey(c)
	}
}

func (w *modelWorld) obey(c gateway.Command) {
	if c.Point.Quantity == gateway.Look {
		if w.down == "" {
			w.answers = append(w.answers, late{w.now, nil})
		}
		return
	}
	w.note("> %s = %v until %s", c.Point, c.Value, c.Until.Format("02 15:04:05"))
	lost, unanswered := w.faults && w.random.IntN(4) == 0, w.faults && w.random.IntN(4) == 0
	if c.Point.Adapter == gateway.CloudAdapter {
		w.toCloud(c, lost || w.down != "", unanswered)
		return
	}
	w.lan++
	room := gateway.RoomID(c.Point.Of[1:])
	if !lost {
		target, _ := c.Value.Number()
		w.devices[room].hold = hold{mode: gateway.RoomManual, target: target, since: w.now, until: w.now.Add(usualTime), echo: true}
		w.connect(room)
	}
	if !unanswered && !lost {
		w.answers = append(w.answers, late{w.now, gateway.Outcome{ID: c.ID, Point: c.Point}})
	}
}

// toCloud carries a command to the cloud, or loses it, or its answer, or has it answered late.
func (w *modelWorld) toCloud(c gateway.Command, lost, unanswered bool) {
	room := gateway.RoomID(c.Point.Of)
	if c.Point.Of != "h" {
		w.asked[room][fmt.Sprint(c.Value, c.Until.Unix())] = true
	}
	outcome := gateway.Outcome{ID: c.ID, Point: c.Point}
	if lost {
		if outcome.Err = "no answer"; !unanswered {
			w.answers = append(w.answers, late{w.now.Add(10 * time.Second), outcome})
		}
		return
	}
	w.told++
	h := hold{mode: gateway.RoomMode(c.Value.Word()), since: w.now, until: c.Until}
	switch {
	case c.Point.Of == "h":
		w.cloud.setMode(gateway.HomeMode(c.Value.Word()), c.Until)
	case c.Point.Quantity == gateway.Target:
		h.mode = gateway.RoomManual
		h.target, _ = c.Value.Number()
		w.cloud.holds[room] = h
	case h.mode == gateway.RoomHome:
		delete(w.cloud.holds, room)
	default:
		w.cloud.holds[room] = h
	}
	if !unanswered {
		w.answers = append(w.answers, late{w.now.Add(time.Duration(w.random.IntN(90)) * time.Second), outcome})
	}
}

// connect lets a device and the cloud agree while they reach each other: the later word of a person
// rules, and what was written over the LAN shows as manual.
func (w *modelWorld) connect(room gateway.RoomID) {
	d := w.devices[room]
	if w.down != "" {
		return
	}
	there := w.cloud.holds[room]
	kept := !d.hold.hand && there.running(w.now) && !there.echo && there.since.After(w.lost)
	if d.hold.running(w.now) && d.hold.since.After(there.since) && !kept {
		w.cloud.holds[room] = d.hold
	}
	d.hold = hold{}
	d.copy = w.cloud.clone()
	d.frozen, _ = d.copy.target(room, w.now)
}

// pass lets time pass in ticks.
func (w *modelWorld) pass(length time.Duration) {
	for end := w.now.Add(length); w.now.Before(end); {
		w.now = w.now.Add(w.every)
		for id, h := range w.cloud.holds {
			if !h.running(w.now) {
				delete(w.cloud.holds, id)
			}
		}
		if u := w.cloud.modeUntil; !u.IsZero() && !u.After(w.now) {
			w.cloud.mode, w.cloud.modeUntil = gateway.HomeSchedule, time.Time{}
		}
		for _, room := range modelRooms {
			if w.down == "" {
				w.connect(room)
			}
			d := w.devices[room]
			if r := d.reading(room, w.now); r != d.shown {
				d.shown = r
				w.take("accessory", gateway.Reading{Device: gateway.DeviceID("d" + room), Quantity: gateway.Target, Value: gateway.Number(r)})
			}
		}
		w.speak()
		w.take(gateway.LoopName, gateway.Tick{})
	}
}

// speak posts what uplink and the cloud's adapter would post now.
func (w *modelWorld) speak() {
	if w.now.Sub(w.probed) >= max(20*time.Second, w.every) {
		w.probed = w.now
		verdict := w.down
		if verdict == "" {
			verdict = gateway.VerdictOK
		}
		w.take("uplink", gateway.Probe{Verdict: verdict, Why: "Netatmo: " + string(verdict)})
	}
	due := w.answers
	w.answers = nil
	pause := time.Minute
	if w.state.Authority.Phase == gateway.Local {
		pause = w.seldom
	}
	look := w.now.Sub(w.viewed) >= pause
	for _, a := range due {
		switch {
		case a.at.After(w.now):
			w.answers = append(w.answers, a)
		case a.fact == nil:
			look = true
		default:
			o := a.fact.(gateway.Outcome)
			w.take(o.Point.Adapter, o)
		}
	}
	if look && w.down == "" {
		w.view()
	}
}

func (w *modelWorld) view() {
	w.people.seen(w)
	w.viewed = w.now
	v := gateway.CloudView{Home: "h", At: w.now, Fresh: w.now, Mode: w.cloud.mode, ModeUntil: w.cloud.modeUntil, Schedule: "s"}
	for _, room := range modelRooms {
		target, mode := w.cloud.target(room, w.now)
		r := gateway.CloudRoom{ID: room, Reachable: true, Target: gateway.Number(target), Mode: mode}
		if h := w.cloud.holds[room]; h.running(w.now) {
			r.Since, r.Until = h.since, h.until
		}
		v.Rooms = append(v.Rooms, r)
	}
	w.take("netatmo", gateway.Call{Plane: gateway.PlaneRead, Verdict: gateway.VerdictOK})
	w.take("netatmo", v)
}

func (w *modelWorld) lose(verdict gateway.Verdict) {
	w.outages++
	w.note("--- %s", verdict)
	w.down, w.lost = verdict, w.now
	w.forgetAsked()
}

func (w *modelWorld) restore() {
	w.note("--- the cloud is there")
	w.down = ""
	for _, room := range modelRooms {
		w.connect(room)
	}
}

func (w *modelWorld) forgetAsked() {
	w.asked = map[gateway.RoomID]map[string]bool{}
	for _, room := range modelRooms {
		w.asked[room] = map[string]bool{}
	}
}

// restart keeps what lasts, by way of JSON as the store does.
func (w *modelWorld) restart() {
	w.restarts++
	w.note("--- restart")
	data, err := json.Marshal(w.state.Lasting())
	if err != nil {
		w.t.Fatal(err)
	}
	lasting, err := gateway.ReadLasting(data)
	if err != nil {
		w.t.Fatal(err)
	}
	w.state = lasting.State()
	w.answers = nil
	w.take("clock", gateway.Clock{Trust: gateway.TrustSynced})
	w.announce()
}
