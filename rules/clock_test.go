package rules_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
	"unsafe"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// counted returns an instant as time.Now gives it: what the wall clock shows, and the counter since
// boot, which nobody can set.
func counted(t testing.TB, wall time.Time, counter time.Duration) time.Time {
	t.Helper()
	base := time.Now()
	at := base.Add(wall.Sub(base))
	(*[2]int64)(unsafe.Pointer(&at))[1] = int64(counter) + 1
	if !at.Round(0).Equal(wall) {
		t.Skip("this Go keeps instants in another way: lives with a counter cannot be played")
	}
	return at
}

// clockLife is one house in an outage, lived minute by minute by a clock that can be wrong.
type clockLife struct {
	t       *testing.T
	name    string
	random  *rand.Rand
	counter bool // instants carry the counter since boot

	real  time.Time     // the true time
	wrong time.Duration // how far the wall clock is ahead of it
	boot  time.Time     // true time of the last boot
	state gateway.State
	zone  *time.Location
	plan  gateway.Schedule

	trust  gateway.Trust
	agree  int // minutes until the clock is right and confirmed; 0: it is
	siren  bool
	deaf   int // commands to the siren that get lost
	fire   bool
	silent int // minutes that the siren is silent in a fire
	wish   *lifeWish
	ended  int // times that a wish was said to be over
	wishes int
}

// lifeWish is what a person wished, and how many minutes of life it has left.
type lifeWish struct {
	room   gateway.RoomID
	left   int
	mayEnd bool // the clock ran ahead of it: its end may be over
}

const lifeRooms = 3

func lifeRoom(i int) gateway.RoomID { return gateway.RoomID(fmt.Sprint("room", i)) }

func newClockLife(t *testing.T, seed uint64, counter bool, zone string, start time.Time) *clockLife {
	location, err := gateway.LoadTimeZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	l := &clockLife{t: t, name: fmt.Sprintf("seed %d in %s, counter %v", seed, zone, counter), counter: counter,
		random: rand.New(rand.NewPCG(seed, 11)), real: start, boot: start.Add(-time.Hour), zone: location.Location(), trust: gateway.TrustSynced}
	l.plan = l.randomPlan()
	l.state = gateway.State{Home: gateway.Home{ID: "h", Zone: location, FrostGuard: 7, Maximum: 28, Schedules: []gateway.Schedule{l.plan}}}
	l.tell("clock", gateway.Clock{Trust: gateway.TrustSynced, Why: "told so"})
	for i := range lifeRooms {
		valve := gateway.DeviceID(fmt.Sprint("valve", i))
		l.tell("accessory", gateway.Found{Device: valve, Model: "NRV", Room: lifeRoom(i), Controls: []gateway.Control{{Quantity: gateway.Target, Min: 5, Max: 30, Step: 0.5}}})
		l.tell("accessory", gateway.Reach{Device: valve, OK: true})
		l.tell("accessory", gateway.Reading{Device: valve, Quantity: gateway.Target, Value: gateway.Number(19)})
	}
	l.tell("accessory", gateway.Found{Device: "siren", Name: "Siren", Controls: []gateway.Control{{Quantity: gateway.Siren}}})
	l.tell("accessory", gateway.Reading{Device: "siren", Quantity: gateway.Siren, Value: gateway.Flag(false)})
	l.tell("accessory", gateway.Found{Device: "smoke", Name: "Smoke alarm", Room: lifeRoom(0)})
	for range 10 {
		l.tell("accessory", gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(false)})
		l.tell("uplink", gateway.Probe{Verdict: gateway.VerdictCloudDown, Why: "503", Witness: gateway.Yes})
		l.real = l.real.Add(15 * time.Second)
	}
	if l.state.Authority.Phase != gateway.Local {
		t.Fatalf("%s: the outage has not begun: %+v", l.name, l.state.Authority)
	}
	return l
}

func (l *clockLife) randomPlan() gateway.Schedule {
	s := gateway.Schedule{ID: "s", Name: "Winter", Type: "therm", Selected: true}
	for z := range 4 {
		zone := gateway.Zone{ID: z, Name: fmt.Sprint("zone", z)}
		for i := range lifeRooms {
			zone.Rooms = append(zone.Rooms, gateway.ZoneRoom{Room: lifeRoom(i), Target: float64(10+l.random.IntN(36)) / 2}) // some below the floor
		}
		s.Zones = append(s.Zones, zone)
	}
	for day := range 7 {
		for range 3 + l.random.IntN(5) {
			s.Slots = append(s.Slots, gateway.Slot{Minute: day*1440 + l.random.IntN(1440), Zone: l.random.IntN(4)})
		}
	}
	return s
}

func (l *clockLife) wall() time.Time {
	wall := l.real.Add(l.wrong)
	if l.counter {
		return counted(l.t, wall, l.real.Sub(l.boot))
	}
	return wall
}

// tell takes one fact, and lets the devices do what they are told.
func (l *clockLife) tell(from string, f gateway.Fact) {
	l.t.Helper()
	next, commands := rules.Step(l.state, gateway.Event{At: l.wall(), From: from, Fact: f})
	for _, d := range next.Decisions {
		if d.Number > l.state.Decided && d.Kind == "heating" && d.Room != "" && d.Device == "" {
			l.ended++
		}
	}
	if r, ok := f.(gateway.Reading); ok && r.Quantity == gateway.Smoke {
		l.heard(r.Value.Yes(), next, commands)
	}
	l.state = next
	for _, c := range commands {
		l.obey(c)
	}
}

// heard holds that an alarm is raised in the same step, sounds in the same step, and ends with its
// detector's word.
func (l *clockLife) heard(yes bool, next gateway.State, commands []gateway.Command) {
	l.t.Helper()
	if !yes {
		if len(next.Alarms) > 0 {
			l.fail("the detector says that it is over, and the alarm goes on")
		}
		return
	}
	asked := false
	for _, c := range commands {
		asked = asked || c.Point.Quantity == gateway.Siren && c.Value.Yes()
	}
	if next.Alarm().Phase != gateway.Sounding || !l.fire && !asked {
		l.fail(fmt.Sprintf("smoke gives %s and %v", next.Alarm().Phase, commands))
	}
}

func (l *clockLife) obey(c gateway.Command) {
	l.t.Helper()
	if n, ok := c.Value.Number(); c.Point.Quantity == gateway.Target && (!ok || n < 7) {
		l.fail(fmt.Sprintf("%s is set to %v, below the frost floor", c.Point, c.Value))
	}
	if c.Point.Quantity == gateway.Siren && l.deaf > 0 {
		l.deaf--
		return
	}
	l.tell("accessory", gateway.Outcome{ID: c.ID, Point: c.Point})
	l.tell("accessory", gateway.Reading{Device: gateway.DeviceID(c.Point.Of), Quantity: c.Point.Quantity, Value: c.Value})
	if c.Point.Quantity == gateway.Siren {
		l.siren = c.Value.Yes()
	}
}

func (l *clockLife) fail(why string) {
	l.t.Helper()
	l.t.Fatalf("%s, at %s, clock %v ahead (%s): %s", l.name, l.real.In(l.zone).Format(time.RFC3339), l.wrong, l.state.Clock.Trust, why)
}

// minute lives one minute: something may happen, time passes, and all that must hold is held.
func (l *clockLife) minute() {
	l.real = l.real.Add(time.Minute)
	switch n := l.random.IntN(1000); {
	case n < 4:
		l.set()
	case n < 6:
		l.powerCut()
	case n < 12:
		l.person()
	case n < 16 && !l.fire:
		l.deaf = l.random.IntN(4)
		l.tell("accessory", gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(true)})
		l.fire = true
	case n < 30 && l.fire:
		l.fire = false
		l.tell("accessory", gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(false)})
	}
	if l.agree > 0 {
		if l.agree--; l.agree == 0 {
			l.confirm()
		}
	}
	room := l.random.IntN(lifeRooms)
	l.tell("accessory", gateway.Reading{Device: gateway.DeviceID(fmt.Sprint("valve", room)), Quantity: gateway.Temperature, Value: gateway.Number(float64(l.random.IntN(40)) / 2)})
	l.tell("uplink", gateway.Probe{Verdict: gateway.VerdictCloudDown, Why: "503", Witness: gateway.Yes})
	l.tell(gateway.LoopName, gateway.Tick{})
	l.hold()
}

// set puts the clock forward or back. Whoever judges it says so at once when the instants do not tell.
func (l *clockLife) set() {
	const year = 365*24*time.Hour + 6*time.Hour
	by := []time.Duration{-10 * year, -time.Hour, time.Hour, 10 * year, -l.real.Sub(time.Unix(600, 0)), time.Date(2038, 1, 19, 3, 10, 0, 0, time.UTC).Sub(l.real)}[l.random.IntN(6)]
	if l.wrong != 0 {
		return
	}
	l.wrong, l.agree = by, 1+l.random.IntN(180)
	if l.wish != nil && by > 0 && !l.counter {
		l.wish.mayEnd = true // without a counter a step forward is time that has passed
	}
	if by > 0 && !l.counter {
		l.tell("clock", gateway.Clock{Trust: gateway.TrustGuess, Why: "it was set"})
	}
	if l.random.IntN(2) == 0 { // or a reading is the first to come
		l.tell("accessory", gateway.Reading{Device: "valve1", Quantity: gateway.Humidity, Value: gateway.Number(float64(l.random.IntN(60)))})
	}
	l.trust = gateway.TrustGuess
}

// powerCut ends the life of the machine for a while. Its clock goes on where it was saved last.
func (l *clockLife) powerCut() {
	home := l.state.Home
	cut := time.Duration(l.random.IntN(72*60)) * time.Minute
	l.real = l.real.Add(cut)
	l.boot = l.real.Add(-20 * time.Second)
	l.wrong -= cut
	switch l.random.IntN(4) {
	case 0:
		l.wrong -= time.Duration(l.random.IntN(60)) * time.Minute // it was saved once an hour
	case 1:
		l.wrong = time.Unix(20, 0).Sub(l.real)
	}
	if l.wish != nil {
		l.wish.mayEnd = true
	}
	l.state = restarted(l.t, l.state)
	l.state.Home.FrostGuard, l.state.Home.Maximum = home.FrostGuard, home.Maximum
	l.trust, l.agree = gateway.TrustGuess, 1+l.random.IntN(300)
	switch l.random.IntN(3) {
	case 0:
		l.tell("clock", gateway.Clock{Trust: gateway.TrustGuess, Why: "nobody has confirmed it"})
	case 1:
		l.fire = true // the first word after the start
		l.tell("accessory", gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(true)})
	}
}

// confirm sets the clock right and says so.
func (l *clockLife) confirm() {
	if l.wish != nil && (l.wrong < 0 || !l.counter) {
		l.wish.mayEnd = true // its end may have come while the clock was behind
	}
	l.wrong = 0
	if l.random.IntN(2) == 0 {
		l.tell(gateway.LoopName, gateway.Tick{}) // the step is seen before anybody speaks of it
	}
	l.trust = []gateway.Trust{gateway.TrustSynced, gateway.TrustHoldover}[l.random.IntN(2)]
	l.tell("clock", gateway.Clock{Trust: l.trust, Bound: time.Second, Why: "told so"})
}

// person wishes something for a room.
func (l *clockLife) person() {
	if l.wish != nil {
		return
	}
	w := &lifeWish{room: lifeRoom(l.random.IntN(lifeRooms)), left: 30 + l.random.IntN(300)}
	l.tell("homekit", gateway.Wish{By: "Home app", Ask: gateway.SetTarget{Room: w.room, Target: 23, For: time.Duration(w.left) * time.Minute}})
	l.wish, l.wishes = w, l.wishes+1
}

// hold holds what must be so in every minute.
func (l *clockLife) hold() {
	l.t.Helper()
	if l.state.Clock.Trust != l.trust {
		l.fail(fmt.Sprintf("the clock is %s, want %s", l.state.Clock.Trust, l.trust))
	}
	for id, room := range l.state.Rooms.All() {
		l.holdRoom(id, room)
	}
	if l.ended > l.wishes {
		l.fail(fmt.Sprintf("%d wishes were ended %d times", l.wishes, l.ended))
	}
	l.holdAlarm()
}

func (l *clockLife) holdRoom(id gateway.RoomID, room gateway.Room) {
	l.t.Helper()
	target, ok := room.Target.Value.Number()
	if !ok || target < 7 {
		l.fail(fmt.Sprintf("%s: target %v, below the frost floor", id, room.Target.Value))
	}
	wished := room.Override.Mode != "" && room.Override.Mode != gateway.RoomHome // home: the cloud is to be told that it is over
	if w := l.wish; w != nil && w.room == id {
		w.left--
		switch {
		case !wished && w.left > 1 && !w.mayEnd:
			l.fail(fmt.Sprintf("%s: a wish ended %d min too early", id, w.left))
		case wished && w.left < -1:
			l.fail(fmt.Sprintf("%s: a wish holds %d min too long: %+v", id, -w.left, room.Override))
		case !wished:
			l.wish = nil
		case target != 23:
			l.fail(fmt.Sprintf("%s: target %g, a person wished 23", id, target))
		default:
			return
		}
	} else if wished {
		l.fail(fmt.Sprintf("%s: a wish that was over came back: %+v", id, room.Override))
	}
	if l.trust == gateway.TrustGuess {
		if room.Target.Mode != gateway.RoomHold || room.Last > 0 && target > max(room.Last, 7) || target > 19 {
			l.fail(fmt.Sprintf("%s: target %g (%s) by a clock that nobody trusts, last comfort %g", id, target, room.Target.Why, room.Last))
		}
		return
	}
	want, _ := schedule.Target(l.plan, id, l.real, l.zone)
	if target != min(max(want.Target, 7), 28) {
		l.fail(fmt.Sprintf("%s: target %g, the schedule says %g", id, target, want.Target))
	}
}

func (l *clockLife) holdAlarm() {
	l.t.Helper()
	if sounding := l.state.Alarm().Phase == gateway.Sounding; sounding != l.fire {
		l.fail(fmt.Sprintf("fire %v, alarm %s", l.fire, l.state.Alarm().Phase))
	}
	if !l.fire || l.siren {
		l.silent = 0
		return
	}
	if l.silent++; l.silent > 8 {
		l.fail("a siren that missed a command is not asked again")
	}
}

var clockLives = flag.Int("clock.lives", 2, "how many lives a house lives in each of the nights on which clocks change")

// TestClockLives lives houses through power cuts of up to three days, a clock that is set by hours and
// years, 1970 and 2038, and both nights on which clocks change.
func TestClockLives(t *testing.T) {
	lives, minutes := uint64(*clockLives), 1800
	if testing.Short() || racing {
		lives, minutes = 1, 400
	}
	lived := 0
	for _, night := range []struct{ zone, start string }{
		{"Europe/Paris", "2025-10-25T12:00:00Z"},
		{"Europe/Paris", "2026-03-28T12:00:00Z"},
		{"America/Santiago", "2026-09-05T14:00:00Z"},    // midnight of the 6th does not exist
		{"Australia/Lord_Howe", "2026-04-04T06:00:00Z"}, // half an hour
	} {
		start, err := time.Parse(time.RFC3339, night.start)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range lives {
			for _, counter := range []bool{false, true} {
				l := newClockLife(t, seed, counter, night.zone, start)
				for range minutes {
					l.minute()
				}
				lived += minutes
			}
		}
	}
	t.Logf("%d minutes were lived", lived)
}

// A siren that missed its command is asked again soon, and a small step hides no fire.
func TestAlarmDoesNotCareForTheClock(t *testing.T) {
	start := time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC)
	year := 365 * 24 * time.Hour
	for _, by := range []time.Duration{-time.Second, -time.Minute, -time.Hour, -10 * year, -50 * year, time.Hour, 10 * year} {
		for _, counter := range []bool{false, true} {
			for _, restart := range []bool{false, true} {
				name := fmt.Sprintf("clock set by %v, counter %v, restart %v", by, counter, restart)
				l := newClockLife(t, 1, counter, "Europe/Paris", start)
				l.name, l.deaf = name, 1000
				l.tell("accessory", gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(true)})
				l.fire = true
				for range 200 { // long enough for the pauses to have grown
					l.real = l.real.Add(time.Second)
					l.tell(gateway.LoopName, gateway.Tick{})
				}
				l.wrong = by
				if restart {
					l.boot = l.real
					lasting := l.state.Lasting()
					l.state = lasting.State()
				}
				l.deaf = 0
				for range 13 {
					l.real = l.real.Add(10 * time.Second)
					l.tell(gateway.LoopName, gateway.Tick{})
				}
				if !l.siren && (counter || restart || by >= 0 || by <= -30*time.Minute) {
					t.Errorf("%s: the siren was not asked again within 130 s", name)
				}
				l.fire = false
				l.tell("accessory", gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(false)})
				if l.siren {
					t.Errorf("%s: the siren goes on", name)
				}
				l.wrong -= 1500 * time.Millisecond // less than what counts as set
				l.tell("accessory", gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(true)})
			}
		}
	}
}

// A clock that nobody trusts teaches nothing, not even while the cloud steers.
func TestGuessIsNotRemembered(t *testing.T) {
	l := newClockLife(t, 3, false, "Europe/Paris", time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC))
	l.state.Authority.Phase = gateway.Watching
	l.state.Cloud.Bad = 0
	l.tell("clock", gateway.Clock{Trust: gateway.TrustGuess, Why: "after a power cut"})
	before, _ := l.state.Rooms.Get("room1")
	for range 24 * 6 {
		l.real = l.real.Add(10 * time.Minute)
		l.tell(gateway.LoopName, gateway.Tick{})
		if room, _ := l.state.Rooms.Get("room1"); room.Last != before.Last {
			t.Fatalf("the last comfort target was %g and is %g by a clock that nobody trusts", before.Last, room.Last)
		}
	}
}

// A clock that ran ahead must not make every later start doubt the right time.
func TestFutureIsForgottenOnceTheTimeIsKnown(t *testing.T) {
	l := newClockLife(t, 4, true, "Europe/Paris", time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC))
	l.wrong = 10 * 365 * 24 * time.Hour
	l.tell(gateway.LoopName, gateway.Tick{})
	l.tell("homekit", gateway.Wish{By: "Home app", Ask: gateway.SetTarget{Room: "room1", Target: 21}})
	l.wrong = 0
	l.tell(gateway.LoopName, gateway.Tick{})
	l.tell("clock", gateway.Clock{Trust: gateway.TrustSynced, Why: "a time server"})
	for _, d := range l.state.Decisions {
		if d.At.After(l.real) {
			t.Errorf("%q is dated %v, now is %v", d.What, d.At, l.real)
		}
	}
}

// What the vendor dated stays: an end that is told there is not moved with our clock.
func TestVendorsDatesStay(t *testing.T) {
	start := time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC)
	l := newClockLife(t, 6, true, "Europe/Paris", start)
	l.state.Authority.Phase, l.state.Cloud.Bad = gateway.Watching, 0
	until, told := start.Add(5*time.Hour), l.real.Add(2*time.Hour)
	l.tell(gateway.CloudAdapter, gateway.CloudView{Home: "h", Mode: gateway.HomeSchedule, Rooms: []gateway.CloudRoom{
		{ID: "room1", Target: gateway.Number(22), Mode: gateway.RoomManual, Since: start, Until: until}}})
	// The cloud does not answer, so that it goes on being asked.
	l.state, _ = rules.Step(l.state, gateway.Event{At: l.wall(), From: "homekit", Fact: gateway.Wish{By: "Home app", Ask: gateway.SetTarget{Room: "room2", Target: 21, For: 2 * time.Hour}}})
	if l.state.Asked.Len() == 0 {
		t.Fatal("the cloud is not asked")
	}
	for _, by := range []time.Duration{48 * time.Hour, 0, -48 * time.Hour} {
		l.wrong = by
		l.state, _ = rules.Step(l.state, gateway.Event{At: l.wall(), From: gateway.LoopName, Fact: gateway.Tick{}})
		room, _ := l.state.Rooms.Get("room1")
		if !room.Cloud.Until.Equal(until) || room.Override.Mode != "" && !room.Override.Until.Equal(until) {
			t.Errorf("clock %v ahead: the cloud's end is %v and ours of it %v, want %v", by, room.Cloud.Until, room.Override.Until, until)
		}
		for key, asked := range l.state.Asked.All() {
			if c := asked.Command; c.Point.Adapter == gateway.CloudAdapter && !c.Until.Equal(told) {
				t.Errorf("clock %v ahead: %s is asked until %v, want %v", by, key, c.Until, told)
			}
		}
	}
}

// A clock that is put back leaves nothing behind in the future of who is in charge and why, the vendor's own dates apart.
func TestNothingIsRememberedFromTheFuture(t *testing.T) {
	start := time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC)
	var s gateway.State
	s.At, s.Started = start, start.Add(-time.Hour)
	date := func(v reflect.Value, hold func(name string, at reflect.Value)) {
		for i := range v.NumField() {
			switch f := v.Field(i); f.Interface().(type) {
			case time.Time:
				hold(v.Type().Name()+"."+v.Type().Field(i).Name, f)
			case gateway.Service:
				for _, name := range []string{"At", "Since"} {
					hold(v.Type().Field(i).Name+"."+name, f.FieldByName(name))
				}
			}
		}
	}
	for _, v := range []any{&s.Cloud, &s.Authority} {
		date(reflect.ValueOf(v).Elem(), func(_ string, at reflect.Value) { at.Set(reflect.ValueOf(start.Add(-time.Minute))) })
	}
	s, _ = rules.Step(s, gateway.Event{At: start.Add(-24 * time.Hour), From: gateway.LoopName, Fact: gateway.Tick{}})
	for _, v := range []any{s.Cloud, s.Authority} {
		date(reflect.ValueOf(v), func(name string, at reflect.Value) {
			if at.Interface().(time.Time).After(s.At) && name != "Cloud.Fresh" {
				t.Errorf("%s is %v, and it is %v", name, at, s.At)
			}
		})
	}
}

// A clock that is far off, though trusted, is spoken of once.
func TestWideBoundIsTold(t *testing.T) {
	l := newClockLife(t, 5, true, "Europe/Paris", time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC))
	told := func() (n int) {
		for _, d := range l.state.Decisions {
			if d.What == "the clock may be off by up to 10 min" {
				n++
			}
		}
		return n
	}
	for _, bound := range []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute} {
		l.tell("clock", gateway.Clock{Trust: gateway.TrustHoldover, Bound: bound, Why: "drift"})
		l.scheduled(t, bound)
	}
	if told() != 1 {
		t.Errorf("it was told %d times, want once", told())
	}
}

// scheduled holds that a clock that is some minutes off still decides.
func (l *clockLife) scheduled(t *testing.T, bound time.Duration) {
	t.Helper()
	if room, _ := l.state.Rooms.Get("room1"); room.Target.Mode != gateway.RoomSchedule {
		t.Errorf("within %v the schedule rules, not %s", bound, room.Target.Mode)
	}
}
