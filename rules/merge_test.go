package rules_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

var mergeSeeds = flag.Int("merge.seeds", 0, "how many random lives the merge is tried with; 0: a few")

// act is what a person did to a room or, with no room, to the home's mode.
type act struct {
	at    time.Time // zero: the cloud does not say, and nobody has seen it yet
	there bool      // in the vendor's app
	hand  bool      // at the device
	mode  gateway.RoomMode
	home  gateway.HomeMode
	degc  float64
	until time.Time
}

// reference says what the cloud must hold in the end, from what people did alone. It is the merge in
// its simplest form: of all acts on a thing the latest rules, the cloud's at a tie; one that the cloud
// gives no time for was made when it was first seen; one that was replaced does not come back.
type reference struct {
	rooms map[gateway.RoomID][]act
	modes []act
}

// seen gives a time to what the cloud tells none of, as far as it shows at all: what came and went
// between two looks, and what a later word has covered, nobody here can know of.
func (r *reference) seen(w *modelWorld) {
	before, now := w.seen, w.cloud
	ended := now.mode == gateway.HomeSchedule && !before.modeUntil.IsZero() && !before.modeUntil.After(w.now)
	r.modes = stamp(r.modes, w.clock(), !ended && (now.mode != before.mode || now.modeUntil.Unix() != before.modeUntil.Unix()))
	for id, all := range r.rooms {
		h := before.holds[id]
		for i, a := range all { // one that has ended meanwhile shows only by what it took the place of
			if a.there && a.at.After(w.viewed) && !a.until.IsZero() && !a.until.After(w.now) {
				for j := range all[:i+1] {
					if all[j].there && all[j].at.After(w.viewed) {
						all[j] = act{there: true, mode: gateway.RoomHome}
					}
				}
			}
		}
		r.rooms[id] = stamp(all, w.clock(), h.running(w.now) && !now.holds[id].running(w.now))
	}
	w.seen = now.clone()
}

func stamp(all []act, t time.Time, shows bool) []act {
	hidden := func(a act) bool { return a.at.IsZero() && !shows }
	all = slices.DeleteFunc(all, hidden)
	for i := range all {
		if all[i].at.IsZero() {
			all[i].at = t
		}
	}
	return all
}

// latest is the last act of each side, and of these the later one.
func latest(all []act) act {
	var here, there act
	for _, a := range all {
		if a.there {
			there = a
		} else {
			here = a
		}
	}
	if here.at.After(there.at) {
		return here
	}
	return there
}

// mode is the home's mode at t.
func (r *reference) mode(t time.Time) act {
	m := latest(r.modes)
	if m.home == "" || !m.until.IsZero() && !m.until.After(t) {
		m.home, m.until = gateway.HomeSchedule, time.Time{}
	}
	return m
}

// room is the act that rules a room at t; without a mode there is none. What a later mode of the home
// outrules dies, for the cloud has no place to keep it; what the cloud keeps under its own mode does not.
func (r *reference) room(id gateway.RoomID, t time.Time, held hold) act {
	a, m := latest(r.rooms[id]), r.mode(t)
	if m.home != gateway.HomeSchedule && m.at.After(a.at) && !(m.there && (a.there || a.hand && held.hand)) {
		r.rooms[id] = nil
		return act{}
	}
	if a.mode == gateway.RoomHome || !a.until.IsZero() && !a.until.After(t) {
		return act{}
	}
	return a
}

var (
	hereDegrees = []float64{18, 19, 20, 21.5, 22, 23}
	appDegrees  = []float64{14.5, 15.5, 24.5, 25.5}
	handDegrees = []float64{13, 13.5, 26, 27}
)

// somebodyActs lets a person do something, where people can at that moment.
func (w *modelWorld) somebodyActs() {
	w.acts++
	w.forgetAsked()
	room := modelRooms[w.random.IntN(len(modelRooms))]
	length := time.Duration(w.random.IntN(5*3600)+700) * time.Second
	local := w.state.Authority.Phase == gateway.Local || w.state.Authority.Phase == gateway.Returning
	settled := w.state.Authority.Phase == gateway.Watching && w.down == ""
	reachable := w.down != gateway.VerdictCloudDown // by the vendor's app
	switch dice := w.random.IntN(12); {
	case dice < 5:
		w.actHere(room, length)
	case dice < 8 && reachable:
		w.actInApp(room, length)
	case dice == 8 && (local || settled):
		w.modeHere(length, settled)
	case dice == 9 && reachable:
		w.modeInApp(length)
	case dice >= 10 && local:
		w.actByHand(room)
	}
}

func (w *modelWorld) actHere(room gateway.RoomID, length time.Duration) {
	a := act{at: w.clock(), mode: gateway.RoomManual, degc: hereDegrees[w.random.IntN(len(hereDegrees))], until: w.clock().Add(length).Truncate(time.Second)}
	var ask gateway.Ask = gateway.SetTarget{Room: room, Target: a.degc, For: length}
	switch w.random.IntN(6) {
	case 0:
		a, ask = act{at: w.clock(), mode: gateway.RoomHome}, gateway.FollowHome{Room: room}
	case 1:
		a, ask = act{at: w.clock(), mode: gateway.RoomOff}, gateway.SetRoomOff{Room: room}
	}
	w.note("*** here %s %s %g until %s", room, a.mode, a.degc, a.until.Format("02 15:04:05"))
	w.people.rooms[room] = append(w.people.rooms[room], a)
	w.take("homekit", gateway.Wish{By: "Home app", Ask: ask})
}

func (w *modelWorld) actInApp(room gateway.RoomID, length time.Duration) {
	a := act{at: w.now, there: true, mode: gateway.RoomManual, degc: appDegrees[w.random.IntN(len(appDegrees))], until: w.now.Add(length).Truncate(time.Second)}
	if h := w.cloud.holds[room]; w.random.IntN(4) == 0 && h.running(w.now) && (!h.echo || h.hand) {
		a = act{there: true, mode: gateway.RoomHome}
		w.withdraw(room, h)
		delete(w.cloud.holds, room)
	} else {
		w.cloud.holds[room] = hold{mode: a.mode, target: a.degc, since: a.at, until: a.until}
	}
	w.note("*** app %s %s %g until %s", room, a.mode, a.degc, a.until.Format("02 15:04:05"))
	w.people.rooms[room] = append(w.people.rooms[room], a)
}

func (w *modelWorld) someMode(length time.Duration, clock time.Time) (gateway.HomeMode, time.Time) {
	mode := []gateway.HomeMode{gateway.HomeSchedule, gateway.HomeAway, gateway.HomeFrost}[w.random.IntN(3)]
	if mode == gateway.HomeSchedule || w.random.IntN(2) == 0 {
		return mode, time.Time{}
	}
	return mode, clock.Add(length).Truncate(time.Second)
}

// modeHere sets the home's mode here. While the cloud is there it hears of it at once, and forgets what
// it holds for rooms.
func (w *modelWorld) modeHere(length time.Duration, settled bool) {
	mode, until := w.someMode(length, w.clock())
	w.note("*** here mode %s until %s", mode, until.Format("02 15:04:05"))
	w.people.modes = append(w.people.modes, act{at: w.clock(), home: mode, until: until})
	changes := w.cloud.mode != mode || w.cloud.modeUntil.Unix() != until.Unix()
	faults := w.faults
	if w.faults = w.faults && !settled; settled && changes {
		w.wipe(w.clock())
	}
	w.take("homekit", gateway.Wish{By: "page", Ask: gateway.SetMode{Mode: mode, Until: until}})
	w.faults = faults
}

func (w *modelWorld) modeInApp(length time.Duration) {
	mode, until := w.someMode(length, w.now)
	if mode == w.cloud.mode && until.Unix() == w.cloud.modeUntil.Unix() {
		return
	}
	w.note("*** app mode %s until %s", mode, until.Format("02 15:04:05"))
	w.people.modes = append(w.people.modes, act{there: true, home: mode, until: until})
	w.wipe(time.Time{})
	w.cloud.setMode(mode, until)
}

// withdraw forgets what was set in the vendor's app and ended there before anybody here could see it.
func (w *modelWorld) withdraw(room gateway.RoomID, h hold) {
	if h.since.After(w.viewed) {
		w.people.rooms[room] = slices.DeleteFunc(w.people.rooms[room], func(a act) bool { return a.there && a.at.After(w.viewed) })
	}
}

// wipe notes that the cloud forgets what people set for rooms.
func (w *modelWorld) wipe(at time.Time) {
	for _, room := range modelRooms {
		if h := w.cloud.holds[room]; h.running(w.now) && (!h.echo || h.hand) {
			w.withdraw(room, h)
			w.people.rooms[room] = append(w.people.rooms[room], act{at: at, there: true, mode: gateway.RoomHome})
		}
	}
}

func (w *modelWorld) actByHand(room gateway.RoomID) {
	degrees := handDegrees[w.random.IntN(len(handDegrees))]
	if w.devices[room].shown == degrees {
		return
	}
	w.note("*** hand %s %g", room, degrees)
	w.devices[room].hold = hold{mode: gateway.RoomManual, target: degrees, since: w.now, until: w.now.Add(usualTime), echo: true, hand: true}
	w.people.rooms[room] = append(w.people.rooms[room], act{at: w.clock(), hand: true, mode: gateway.RoomManual, degc: degrees, until: w.clock().Add(usualTime)})
}

// live lets a part of a life pass: people act, the program restarts, its clock steps.
func (w *modelWorld) live(length time.Duration) {
	for end := w.now.Add(length); w.now.Before(end); {
		w.pass(min(time.Duration(4+w.random.IntN(60))*time.Minute, end.Sub(w.now)))
		if !w.now.Before(end) {
			return
		}
		switch w.random.IntN(6) {
		case 0:
			w.restart()
		case 1:
			w.steps++
			w.skew = time.Duration(w.random.IntN(90)-45) * time.Second
			w.note("--- the clock steps to %v", w.skew)
		default:
			w.somebodyActs()
			w.pass(4 * time.Minute)
		}
	}
}

// settle lets the house come to rest, and holds the cloud against the reference.
func (w *modelWorld) settle() {
	w.faults, w.skew = false, 0
	w.pass(4 * time.Minute)
	for i := 0; w.state.Authority.Phase != gateway.Watching; i++ {
		if i > 150 { // a cloud that came and went is believed after two hours
			w.fail("it never hands back: %s, %s", w.state.Authority.Phase, w.state.Authority.Why)
		}
		w.pass(time.Minute)
	}
	w.pass(15 * time.Minute)
	if m := w.people.mode(w.now); w.cloud.mode != m.home || w.cloud.modeUntil.Unix() != m.until.Unix() {
		w.fail("the cloud's mode is %s until %s, people set %s until %s", w.cloud.mode, w.cloud.modeUntil, m.home, m.until)
	}
	for _, room := range modelRooms {
		want, has := w.people.room(room, w.now, w.cloud.holds[room]), w.cloud.holds[room]
		if !agrees(has, want, w.now) {
			w.fail("room %s: the cloud holds %s %g until %s, people set %s %g until %s", room, has.mode, has.target, has.until, want.mode, want.degc, want.until)
		}
		if len(w.asked[room]) > 1 {
			w.fail("room %s: one hand-over asked for %v", room, w.asked[room])
		}
		o := w.state.Rooms
		if r, _ := o.Get(room); r.Override.Local || r.Override.Mode != has.mode && !(r.Override.Mode == gateway.RoomHome && has.mode == "") {
			w.fail("room %s: here it is %+v, the cloud holds %+v", room, r.Override, has)
		}
	}
}

// agrees compares to the second. Not told is what is over within ten minutes or is the schedule's; what
// a hand turned the device has told itself, with an end of its own.
func agrees(has hold, want act, t time.Time) bool {
	if has.mode == "" {
		scheduled := want.degc == planned(t) && want.until.Sub(t) < 16*time.Hour
		return want.mode == "" || want.mode == gateway.RoomManual && (scheduled || want.until.Sub(t) < 10*time.Minute)
	}
	if want.mode == "" && has.hand && has.until.Sub(t) < 2*time.Minute {
		return true // by the clock here it is over
	}
	if has.mode != want.mode || has.target != want.degc {
		return false
	}
	if want.hand {
		return has.until.Sub(want.until).Abs() < 2*time.Minute
	}
	return has.until.Unix() == want.until.Unix() || want.until.IsZero() && has.until.Sub(t) > 300*24*time.Hour
}

func (w *modelWorld) fail(format string, args ...any) {
	w.t.Helper()
	lines := w.history[max(0, len(w.history)-90):]
	w.t.Fatalf(format+"\n%s", append(args, strings.Join(lines, "\n"))...)
}

// liveAndSettle passes one life of three outages.
func (w *modelWorld) liveAndSettle() {
	w.pass(5 * time.Minute)
	for range 3 {
		w.faults = w.random.IntN(3) > 0
		w.live(time.Duration(w.random.IntN(90)) * time.Minute)
		w.lose([]gateway.Verdict{gateway.VerdictCloudDown, gateway.VerdictInternetDown}[w.random.IntN(2)])
		w.live(time.Duration(w.random.IntN(8*3600)) * time.Second)
		w.restore()
		w.live(time.Duration(w.random.IntN(12)) * time.Minute)
		if w.random.IntN(3) > 0 {
			w.settle()
		}
	}
	w.settle()
}

// Whatever happens while cloud and house are apart, in the end the cloud holds what the last person
// wished for each room and for the home, with its end to the second.
func TestMergeAgainstTheReference(t *testing.T) {
	seeds := *mergeSeeds
	if seeds == 0 {
		if seeds = 24; testing.Short() || racing {
			seeds = 3
		}
	}
	var acts, outages, restarts, steps, lan, told int
	for seed := range uint64(seeds) {
		w := &modelWorld{}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { w = newModelWorld(t, seed); w.liveAndSettle() })
		acts, outages, restarts, steps = acts+w.acts, outages+w.outages, restarts+w.restarts, steps+w.steps
		lan, told = lan+w.lan, told+w.told
	}
	t.Logf("%d lives: %d outages, %d acts of people, %d restarts, %d clock steps; %d writes over the LAN, %d to the cloud", seeds, outages, acts, restarts, steps, lan, told)
}
