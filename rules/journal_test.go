package rules_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// evening plays a house minute by minute, with a tick every 10 s.
type evening struct {
	t     *testing.T
	s     gateway.State
	steps int
	quick bool // hold what must hold of the journal, and nothing else
}

// dusk is when the evenings of these tests begin: 18:00 in Paris.
var dusk = time.Date(2025, 10, 29, 17, 0, 0, 0, time.UTC)

// newEvening is a house with a bathroom (a valve on the LAN) and a study (a sensor and a plan, nothing
// to set), watched since dusk. Both are planned at 20 °C, at 16 °C from 22:30.
func newEvening(t *testing.T) *evening {
	zone, err := gateway.LoadTimeZone("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	day := []gateway.ZoneRoom{{Room: "bath", Target: 20}, {Room: "study", Target: 20}}
	night := []gateway.ZoneRoom{{Room: "bath", Target: 16}, {Room: "study", Target: 16}}
	plan := gateway.Schedule{ID: "s", Name: "Winter", Type: "therm", Selected: true, Zones: []gateway.Zone{{ID: 0, Name: "Day", Rooms: day}, {ID: 1, Name: "Night", Rooms: night}}}
	for d := range 7 {
		plan.Slots = append(plan.Slots, gateway.Slot{Minute: d*1440 + 390, Zone: 0}, gateway.Slot{Minute: d*1440 + 1350, Zone: 1})
	}
	l := &evening{t: t, s: gateway.State{At: dusk, Home: gateway.Home{ID: "h", Zone: zone, FrostGuard: 7, Maximum: 28, Schedules: []gateway.Schedule{plan}}}}
	l.post("clock", gateway.Clock{Trust: gateway.TrustSynced})
	l.post("netatmo", gateway.Plan{Home: "h", Rooms: []gateway.PlanRoom{{ID: "bath", Name: "Bath"}, {ID: "study", Name: "Study"}}})
	l.post("accessory", gateway.Found{Device: "valve", Model: "NRV", Room: "bath", Controls: []gateway.Control{{Quantity: gateway.Target, Min: 7, Max: 30, Step: 0.5}}})
	l.post("accessory", gateway.Found{Device: "sensor", Model: "NAModule4", Room: "study"})
	l.post("netatmo", gateway.CloudView{Home: "h", At: dusk, Fresh: dusk, Mode: gateway.HomeSchedule, Rooms: []gateway.CloudRoom{
		{ID: "bath", Target: gateway.Number(20), Mode: gateway.RoomSchedule}, {ID: "study", Target: gateway.Number(20), Mode: gateway.RoomSchedule}}})
	l.reading("valve", gateway.Target, 20)
	l.probe(gateway.VerdictOK)
	return l
}

func (l *evening) post(from string, f gateway.Fact) []gateway.Command {
	return l.take(gateway.Event{At: l.s.At, From: from, Fact: f})
}

// take lets an event happen. The dear invariants are held every tenth time, the journal's own always.
func (l *evening) take(e gateway.Event) []gateway.Command {
	before := l.s
	after, commands := rules.Step(before, e)
	err := journalHolds(after)
	if l.steps++; l.steps%10 == 0 && err == nil && !l.quick {
		err = invariants(before, e, after, commands)
	}
	if err != nil {
		l.t.Fatalf("%v: %v", e.At, err)
	}
	l.s = after
	return commands
}

func (l *evening) reading(device gateway.DeviceID, q gateway.Quantity, v float64) {
	l.post("accessory", gateway.Reading{Device: device, Quantity: q, Value: gateway.Number(v)})
}

func (l *evening) probe(v gateway.Verdict) {
	f := gateway.Probe{Verdict: v, Why: "looked: " + string(v), Witness: gateway.Yes}
	if v != gateway.VerdictOK {
		f.Evidence = []string{"api.netatmo.com: 503 with HTML"}
	}
	l.post("uplink", f)
}

// tick lets 10 s pass.
func (l *evening) tick(do ...func()) {
	l.take(gateway.Event{At: l.s.At.Add(10 * time.Second), From: gateway.LoopName, Fact: gateway.Tick{}})
	for _, f := range do {
		f()
	}
}

// until lets the clock run to hour:minute of the evening in UTC, ticking every 10 s; each of do is
// done after every tick.
func (l *evening) until(hour, minute int, do ...func()) {
	end := time.Date(2025, 10, 29, hour, minute, 0, 0, time.UTC)
	l.runTo(end, do...)
}

// runTo lets time pass up to an instant.
func (l *evening) runTo(end time.Time, do ...func()) {
	for l.s.At.Before(end) {
		l.tick(do...)
	}
}

// run lets that much time pass.
func (l *evening) run(d time.Duration, do ...func()) {
	l.runTo(l.s.At.Add(d), do...)
}

// restarted is what lasts of a State over a restart, by way of JSON as on disk.
func restarted(t testing.TB, s gateway.State) gateway.State {
	t.Helper()
	data, err := json.Marshal(s.Lasting())
	if err != nil {
		t.Fatal(err)
	}
	lasting, err := gateway.ReadLasting(data)
	if err != nil {
		t.Fatal(err)
	}
	return lasting.State()
}

// restart keeps what lasts, and lets the house stand still for that long.
func (l *evening) restart(off time.Duration) {
	at := l.s.At.Add(off)
	l.s = restarted(l.t, l.s)
	l.s.At, l.s.Home.FrostGuard, l.s.Home.Maximum = at, 7, 28
	l.post(gateway.LoopName, gateway.Tick{})
}

// An evening by hand. All times in UTC:
//
//	17:00-17:10  watched, whole.
//	17:10:10     first failure, looked at every 10 s; taken over 90 s later, at 17:11:40.
//	18:11:40     the bath, at 20 °C till then, falls to 18; the study has not been heard of.
//	20:11:40     the bath is at its 20 °C again.
//	21:30        the slot: both are planned at 16 °C; the bath's valve is told and obeys.
//	22:00        Netatmo answers; read and whole for three minutes; handed back.
func TestAnEveningInTheJournal(t *testing.T) {
	l := newEvening(t)
	l.until(17, 10, func() { l.reading("valve", gateway.Temperature, 20) })
	temperature := 20.0
	writes := 0
	obey := func(commands []gateway.Command) {
		for _, c := range commands {
			if c.Point.Adapter == "accessory" {
				writes++
				n, _ := c.Value.Number()
				l.post("accessory", gateway.Outcome{ID: c.ID, Point: c.Point})
				l.reading("valve", gateway.Target, n)
			}
		}
	}
	seen := uint64(0)
	bad := func() {
		l.reading("valve", gateway.Temperature, temperature)
		l.probe(gateway.VerdictCloudDown)
		if asked, ok := l.s.Asked.Get("accessory/valve/target"); ok && asked.Command.ID > seen {
			seen = asked.Command.ID
			obey([]gateway.Command{asked.Command})
		}
	}
	l.until(17, 11, bad)
	if l.s.Outage != nil || len(l.s.Outages) > 0 {
		t.Fatal("there is an outage before the house was taken over")
	}
	l.until(18, 11, bad)
	l.runTo(dusk.Add(time.Hour+11*time.Minute+40*time.Second), bad)
	began := dusk.Add(11*time.Minute + 40*time.Second)
	o := l.s.Outage
	if o == nil || !o.Lost.Equal(dusk.Add(10*time.Minute+10*time.Second)) || !o.Began.Equal(began) || !o.Open() || o.Number != 1 || o.Drill {
		t.Fatalf("the outage is %+v", o)
	}
	if o.Verdict != gateway.VerdictCloudDown || !strings.HasPrefix(o.Why, "looked: cloud-down") || len(o.Evidence) != 1 {
		t.Errorf("its cause is %s, %q, %q", o.Verdict, o.Why, o.Evidence)
	}
	temperature = 18
	l.runTo(dusk.Add(2*time.Hour+11*time.Minute+40*time.Second), bad)
	l.post("homekit", gateway.Wish{By: "Home app", Ask: gateway.SetTarget{Room: "bath", Target: 99}}) // refused
	smoke := func(yes bool) {
		l.post("accessory", gateway.Reading{Device: "detector", Quantity: gateway.Smoke, Value: gateway.Flag(yes)})
	}
	l.post("homekit", gateway.Wish{By: "Home app", Ask: gateway.StartTest{For: 5 * time.Minute}})
	smoke(true) // of the test
	smoke(false)
	l.post("homekit", gateway.Wish{By: "Home app", Ask: gateway.EndTest{}})
	smoke(true)
	smoke(true) // the same one
	smoke(false)
	l.runTo(dusk.Add(3*time.Hour+11*time.Minute+40*time.Second), bad)
	temperature = 20.5
	l.until(22, 0, bad)
	good := func() {
		l.reading("valve", gateway.Temperature, temperature)
		l.probe(gateway.VerdictOK)
		if l.s.Authority.Phase == gateway.Returning {
			l.post("netatmo", gateway.CloudView{Home: "h", At: l.s.At, Fresh: l.s.At, Mode: gateway.HomeSchedule, Rooms: []gateway.CloudRoom{
				{ID: "bath", Target: gateway.Number(16), Mode: gateway.RoomManual, Since: l.s.At}}})
		}
	}
	l.until(22, 10, good)

	if l.s.Outage != nil || len(l.s.Outages) != 1 {
		t.Fatalf("open %v, finished %d", l.s.Outage, len(l.s.Outages))
	}
	got := l.s.Outages[0]
	back := dusk.Add(5*time.Hour + 10*time.Second)
	if !got.Back.Equal(back) || !got.Ended.Equal(l.s.Cloud.Returned) || got.Ended.Sub(back) < 6*time.Minute || got.Ended.Sub(back) > 9*time.Minute {
		t.Errorf("back %v, ended %v, want %v and 6 to 9 min later", got.Back, got.Ended, back)
	}
	if got.Length(l.s.At) != got.Ended.Sub(got.Lost) {
		t.Errorf("it took %v", got.Length(l.s.At))
	}
	// the bath alone has a device that can be set: one slot, one write, kept
	if got.Writes != writes || writes != 1 || got.SlotsDue != 1 || got.SlotsKept != 1 {
		t.Errorf("%d writes (%d seen), %d of %d slots", got.Writes, writes, got.SlotsKept, got.SlotsDue)
	}
	if got.Wishes != 0 || got.Alarms != 1 || got.Relapses != 0 || got.LeftOut != 0 || len(got.Later) != 0 {
		t.Errorf("%+v", got)
	}
	// the vendor shows in manual what we wrote: that is handed back
	if len(got.HandedBack) != 1 || !strings.HasPrefix(got.HandedBack[0], "Bath is set back to follow the home") {
		t.Errorf("handed back: %q", got.HandedBack)
	}
	var kinds []string
	for _, d := range got.Decisions {
		kinds = append(kinds, d.Kind)
	}
	if kinds := strings.Join(slices.Compact(kinds), " "); kinds != "authority refused alarm heating authority return" {
		t.Errorf("decisions: %s", kinds)
	}
	// 2 K below for 2 h; from 20:11:40 on at 20.5 nothing is missing
	whole := got.Ended.Sub(got.Began)
	bath, _ := got.Rooms.Get("bath")
	if math.Abs(bath.Below-4) > 0.001 || bath.Measured != whole || bath.Unknown != 0 || bath.Name != "Bath" {
		t.Errorf("the bath's comfort is %+v, want 4 K·h in %v", bath, whole)
	}
	study, _ := got.Rooms.Get("study")
	if study.Below != 0 || study.Measured != 0 || study.Unknown != whole {
		t.Errorf("the study's comfort is %+v, want nothing known for %v", study, whole)
	}
	// watched from 17:00 to 22:10; broken from the first failure until the first good answer
	a := l.s.Availability(30)
	if a.Watched != 5*time.Hour+10*time.Minute || a.Broken != back.Sub(got.Lost) || a.Ours != 0 {
		t.Errorf("availability is %+v", a)
	}
	if share, ok := a.Share(); !ok || math.Abs(share-(1-(4*60+50)/(5*60+10.0))) > 1e-9 {
		t.Errorf("the share is %v, %v", share, ok)
	}
}

// The cause of an outage is the first one; what follows is kept beside it, once.
func TestCausesOfAnOutage(t *testing.T) {
	l := newEvening(t)
	fail := func(v gateway.Verdict) func() { return func() { l.probe(v) } }
	l.run(5*time.Minute, fail(gateway.VerdictCloudDown))
	l.run(time.Minute, fail(gateway.VerdictInternetDown))
	l.run(time.Minute, fail(gateway.VerdictCloudDown))
	l.run(time.Minute, fail(gateway.VerdictInternetDown))
	l.run(time.Minute, fail(gateway.VerdictRateLimited)) // not a cause
	o := l.s.Outage
	if o == nil || o.Verdict != gateway.VerdictCloudDown || len(o.Later) != 1 || o.Later[0].Verdict != gateway.VerdictInternetDown || !o.Later[0].At.Equal(dusk.Add(5*time.Minute+10*time.Second)) {
		t.Fatalf("the outage is %+v", o)
	}
	// The vendor is blamed for what is its own only, and cannot be judged past a fault of ours.
	a := l.s.Availability(1)
	want := gateway.Availability{Watched: 7 * time.Minute, Broken: 6 * time.Minute, Ours: 2 * time.Minute} // 10 s well before, 50 s rate-limited after
	if a != want {
		t.Errorf("availability is %+v, want %+v", a, want)
	}
}

func TestARestartGoesOnWithTheOutage(t *testing.T) {
	l := newEvening(t)
	bad := func() { l.reading("valve", gateway.Temperature, 19); l.probe(gateway.VerdictCloudDown) }
	l.run(32*time.Minute, bad)
	before := *l.s.Outage
	watched := l.s.Availability(30).Watched
	l.restart(40 * time.Minute)
	l.post("clock", gateway.Clock{Trust: gateway.TrustSynced})
	if l.s.Outage == nil || l.s.Outage.Number != before.Number || !l.s.Outage.Began.Equal(before.Began) || len(l.s.Outages) != 0 {
		t.Fatalf("after the restart there is %+v and %d finished", l.s.Outage, len(l.s.Outages))
	}
	l.run(10*time.Minute, bad)
	bath, _ := l.s.Outage.Rooms.Get("bath")
	// 30 min 20 s were lived through before and 10 min after; what lies between is not known
	if total := bath.Measured + bath.Unknown; total != l.s.Outage.Measured.Sub(before.Began) || bath.Unknown < 40*time.Minute || bath.Unknown > 42*time.Minute {
		t.Errorf("the bath was measured for %v, %v are unknown", bath.Measured, bath.Unknown)
	}
	if math.Abs(bath.Below-bath.Measured.Hours()) > 1e-6 { // 1 K below all the time
		t.Errorf("%v K·h in %v at 1 K", bath.Below, bath.Measured)
	}
	if grew := l.s.Availability(30).Watched - watched; grew != 10*time.Minute {
		t.Errorf("watched for %v since, want the 10 min lived through", grew)
	}
}

func TestARelapseIsTheSameOutage(t *testing.T) {
	l := newEvening(t)
	bad := func() { l.probe(gateway.VerdictCloudDown) }
	good := func() { l.probe(gateway.VerdictOK) }
	l.run(10*time.Minute, bad)
	l.run(3*time.Minute, good)
	if l.s.Authority.Phase != gateway.Returning || l.s.Outage.Back.IsZero() {
		t.Fatalf("phase %s, back %v", l.s.Authority.Phase, l.s.Outage.Back)
	}
	l.run(5*time.Minute, bad)
	if o := l.s.Outage; o == nil || o.Number != 1 || o.Relapses != 1 || !o.Back.IsZero() {
		t.Errorf("the outage is %+v", o)
	}
}

// A slot is kept if the device shows it within 5 minutes; one that is overridden is not judged.
func TestSlotsKept(t *testing.T) {
	tests := []struct {
		name              string
		after             time.Duration // of the slot, when the valve shows it; 0: never
		wish              bool          // a person asks for something else a minute later
		due, kept, spared int
	}{
		{"by itself", -10 * time.Second, false, 1, 1, 1},
		{"soon", 30 * time.Second, false, 1, 1, 0},
		{"at the last moment", 5 * time.Minute, false, 1, 1, 0},
		{"too late", 5*time.Minute + 10*time.Second, false, 1, 0, 0},
		{"never", 0, false, 1, 0, 0},
		{"overridden", 0, true, 0, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newEvening(t)
			slot := time.Date(2025, 10, 29, 21, 30, 0, 0, time.UTC)
			l.s.At = slot.Add(-20 * time.Minute)
			l.runTo(slot.Add(20*time.Minute), func() {
				l.probe(gateway.VerdictCloudDown)
				if test.after != 0 && l.s.At.Equal(slot.Add(test.after)) {
					l.reading("valve", gateway.Target, 16)
				}
				if test.wish && l.s.At.Equal(slot.Add(time.Minute)) {
					l.post("homekit", gateway.Wish{By: "Home app", Ask: gateway.SetTarget{Room: "bath", Target: 21}})
				}
			})
			if o := l.s.Outage; o == nil || o.SlotsDue != test.due || o.SlotsKept != test.kept || o.Spared != test.spared {
				t.Errorf("%+v, want %d due, %d kept and %d spared", o, test.due, test.kept, test.spared)
			}
		})
	}
}

func TestWishesAreCountedWhereverTheyAreMade(t *testing.T) {
	l := newEvening(t)
	l.until(17, 10, func() { l.probe(gateway.VerdictCloudDown) })
	l.post("homekit", gateway.Wish{By: "Home app", Ask: gateway.SetTarget{Room: "bath", Target: 21}})
	l.post("mqtt", gateway.Wish{By: "MQTT", Ask: gateway.SetMode{Mode: gateway.HomeAway}})
	l.post("mqtt", gateway.Wish{By: "MQTT", Ask: gateway.SetMode{Mode: "party"}})
	l.post("mqtt", gateway.Wish{By: "MQTT", Ask: gateway.Hush{}})
	l.tick()
	l.reading("valve", gateway.Target, 12)
	l.tick()
	l.reading("valve", gateway.Target, 23.5) // turned by hand
	if o := l.s.Outage; o.Wishes != 3 {
		t.Errorf("%d wishes, want 3: %+v", o.Wishes, o.Decisions)
	}
}

// A drill is journalled as one, and the vendor is not blamed for it. When the vendor really fails
// meanwhile, that is another outage.
func TestADrillIsMarkedAndNobodysFault(t *testing.T) {
	l := newEvening(t)
	l.run(10 * time.Minute)
	l.post("mqtt", gateway.Wish{By: "MQTT", Ask: gateway.StartDrill{For: time.Hour}})
	if l.s.Authority.Phase != gateway.Local { // the rules do not grant it yet
		l.s.Authority = gateway.Authority{Phase: gateway.Local, Since: l.s.At, Why: "asked for in MQTT", Drill: true, Lost: l.s.At}
		l.s.Cloud.Good = 0
	}
	begun := l.s.At
	l.run(10 * time.Minute)
	o := l.s.Outage
	if o == nil || !o.Drill || o.Verdict != gateway.VerdictCloudDown || !strings.Contains(o.Why, "asked for in MQTT") || !o.Lost.Equal(begun) {
		t.Fatalf("the drill is %+v", o)
	}
	l.run(5*time.Minute, func() { l.probe(gateway.VerdictCloudDown) })
	if l.s.Authority.Drill {
		if a := l.s.Availability(30); a.Broken != 0 || a.Watched != 10*time.Minute {
			t.Errorf("the vendor is blamed for a drill: %+v", a)
		}
		l.s.Authority.Drill = false
		l.tick()
	}
	if o := l.s.Outage; o == nil || o.Drill || o.Number != 2 || o.Relapses != 0 || len(l.s.Outages) != 1 || !l.s.Outages[0].Drill || l.s.Outages[0].Open() {
		t.Errorf("after it there is %+v, finished %+v", o, l.s.Outages)
	}
}

func TestTheJournalIsBounded(t *testing.T) {
	l := newEvening(t)
	for range gateway.MaxOutages + 3 {
		l.run(2*time.Minute, func() { l.probe(gateway.VerdictCloudDown) })
		if l.s.Outage == nil {
			t.Fatal("no outage")
		}
		for i := range 40 {
			l.s, _ = rules.Step(l.s, gateway.Event{At: l.s.At, From: "mqtt", Fact: gateway.Wish{By: "MQTT", Ask: gateway.SetTarget{Room: "bath", Target: 20 + float64(i%2)}}})
		}
		if n := len(l.s.Outage.Decisions); n > gateway.FirstDecisions+gateway.LastDecisions {
			t.Fatalf("%d decisions are kept of an outage that goes on", n)
		}
		l.s.Authority.Phase = gateway.Watching // handed back
		l.s.Cloud.Bad = 0
		l.tick()
	}
	if n := len(l.s.Outages); n != gateway.MaxOutages || l.s.Outages[0].Number != 4 || l.s.Outages[n-1].Number != gateway.MaxOutages+3 {
		t.Fatalf("%d outages, from %d", n, l.s.Outages[0].Number)
	}
	for _, o := range l.s.Outages {
		if len(o.Decisions) != gateway.KeptDecisions || o.LeftOut < 40-gateway.KeptDecisions || !strings.Contains(o.Decisions[0].What, "Netatmo is gone") {
			t.Fatalf("%d decisions kept, %d left out, first %q", len(o.Decisions), o.LeftOut, o.Decisions[0].What)
		}
	}
}

// Time that was not lived through, and a clock that is set, must spoil nothing.
func TestTheClockJumps(t *testing.T) {
	l := newEvening(t)
	bad := func() { l.reading("valve", gateway.Temperature, 19); l.probe(gateway.VerdictCloudDown) }
	l.run(30*time.Minute, bad)
	before, _ := l.s.Outage.Rooms.Get("bath")
	for _, jump := range []time.Duration{-24 * time.Hour, 24 * 400 * time.Hour, -24 * 380 * time.Hour} {
		l.take(gateway.Event{At: l.s.At.Add(jump), From: gateway.LoopName, Fact: gateway.Tick{}})
		l.post("clock", gateway.Clock{Trust: gateway.TrustSynced})
		l.run(2*time.Minute, bad)
	}
	// 30 min, and twice 2 min by a clock put back; what the clock was put forward cannot be told from time
	// that passed while the house stood still
	if length, forward := l.s.Outage.Length(l.s.At), 24*400*time.Hour; (length - forward - 36*time.Minute).Abs() > 4*time.Minute {
		t.Errorf("it takes %v by now", length)
	}
	bath, _ := l.s.Outage.Rooms.Get("bath")
	if grew := bath.Measured - before.Measured; grew < 3*time.Minute || grew > 7*time.Minute || math.Abs(bath.Below-bath.Measured.Hours()) > 1e-6 {
		t.Errorf("three times two minutes at 1 K gave %v, %v K·h in all", grew, bath.Below)
	}
	l.run(20*time.Minute, func() {
		l.probe(gateway.VerdictOK)
		l.post("netatmo", gateway.CloudView{Home: "h", At: l.s.At, Fresh: l.s.At})
	})
	if len(l.s.Outages) != 1 {
		t.Fatalf("phase %s", l.s.Authority.Phase)
	}
	if err := journalHolds(l.s); err != nil {
		t.Error(err)
	}
}

// A clock that is set moves the open outage along: neither way does it make it longer or shorter.
func TestAClockThatIsSetMakesNoOutageLonger(t *testing.T) {
	for _, set := range []time.Duration{3 * time.Hour, -3 * time.Hour} {
		l := newEvening(t)
		l.run(30*time.Minute, func() { l.reading("valve", gateway.Temperature, 19); l.probe(gateway.VerdictCloudDown) })
		before := l.s.Outage.Length(l.s.At)
		running := func(passed, counter time.Duration) {
			l.take(gateway.Event{At: counted(t, l.s.At.Round(0).Add(passed), counter), From: gateway.LoopName, Fact: gateway.Tick{}})
		}
		running(10*time.Second, time.Hour)
		running(10*time.Second+set, time.Hour+10*time.Second)
		if got, want := l.s.Outage.Length(l.s.At.Round(0)), before+20*time.Second; got != want {
			t.Errorf("the clock was set by %v: the outage took %v, want %v", set, got, want)
		}
	}
}

// After a power cut in an outage the clock of a Pi starts where it was saved last, before what is on disk, until a time
// server is there again: the outage is as long as it was.
func TestAnOutageOverAPowerCutIsAsLongAsItWas(t *testing.T) {
	l := newEvening(t)
	l.run(30*time.Minute, func() { l.reading("valve", gateway.Temperature, 19); l.probe(gateway.VerdictCloudDown) })
	lost, cut := l.s.Outage.Lost, l.s.At
	l.restart(-40 * time.Minute) // fake-hwclock
	counter := time.Minute
	pass := func(wall, passed time.Duration) {
		counter += passed
		l.take(gateway.Event{At: counted(t, l.s.At.Round(0).Add(wall), counter), From: gateway.LoopName, Fact: gateway.Tick{}})
	}
	pass(10*time.Second, 10*time.Second)
	const dark = time.Hour
	pass(40*time.Minute+dark+10*time.Second, 10*time.Second) // a time server
	if got := l.s.Outage.Lost; got.Sub(lost).Abs() > time.Minute {
		t.Errorf("the outage began at %v, want %v", got, lost)
	}
	if got, want := l.s.Outage.Length(l.s.At.Round(0)), cut.Sub(lost)+dark; (got - want).Abs() > time.Minute {
		t.Errorf("it takes %v, want %v", got, want)
	}
}

// While nothing happens the journal costs nothing.
func TestWatchingAllocatesNothing(t *testing.T) {
	l := newEvening(t)
	l.run(5 * time.Minute)
	at := l.s.At
	if got := testing.AllocsPerRun(50, func() {
		at = at.Add(2 * time.Second)
		l.s, _ = rules.Step(l.s, gateway.Event{At: at, From: gateway.LoopName, Fact: gateway.Tick{}})
	}); got != 0 {
		t.Errorf("a quiet tick allocates %v times", got)
	}
}

// holding lets the same be seen again and again.
func (l *evening) holding(times int, every time.Duration, facts ...gateway.Fact) {
	for range times {
		at := l.s.At.Add(every)
		l.take(gateway.Event{At: at, From: gateway.LoopName, Fact: gateway.Tick{}})
		for _, f := range facts {
			l.take(gateway.Event{At: at, From: "uplink", Fact: f})
		}
	}
}

// Random lives with restarts and clocks that jump: whatever happens, the journal holds, and no room was
// looked after for longer than its outage.
func TestTheJournalOverRandomLives(t *testing.T) {
	finished := 0
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 31))
		l := &evening{t: t, s: house(8), quick: true}
		var asked []gateway.Command
		jumped := false
		for range 600 {
			switch random.IntN(100) {
			case 0:
				l.restart(time.Duration(random.IntN(7200)) * time.Second)
			case 1:
				if seed%2 == 0 {
					jumped = true
					l.s.At = l.s.At.Add(time.Duration(random.IntN(96)-48) * time.Hour)
				}
			}
			at := l.s.At.Add(time.Duration(random.IntN(90)) * time.Second)
			from, fact := randomFact(random, at, asked)
			for range 1 + random.IntN(4) { // verdicts must hold for a while to mean anything
				if _, probe := fact.(gateway.Probe); probe || random.IntN(4) == 0 {
					asked = append(asked, l.take(gateway.Event{At: at, From: from, Fact: fact})...)
					asked = append(asked, l.take(gateway.Event{At: at, From: gateway.LoopName, Fact: gateway.Tick{}})...)
					at = at.Add(time.Duration(random.IntN(60)) * time.Second)
				}
			}
			asked = append(asked, l.take(gateway.Event{At: at, From: from, Fact: fact})...)
			if random.IntN(200) == 0 { // an outage, and a return that lasts
				l.holding(8, 15*time.Second, gateway.Probe{Verdict: gateway.VerdictCloudDown, Why: "503", Witness: gateway.Yes})
				l.holding(130, time.Minute, gateway.Probe{Verdict: gateway.VerdictOK, Witness: gateway.Yes},
					gateway.CloudView{Home: l.s.Home.ID})
			}
		}
		for _, o := range l.s.Outages {
			for id, c := range o.Rooms.All() {
				if whole := o.Ended.Sub(o.Began); !jumped && c.Measured+c.Unknown > whole {
					t.Fatalf("seed %d: %s was looked after for %v and %v in an outage of %v", seed, id, c.Measured, c.Unknown, whole)
				}
			}
		}
		finished += len(l.s.Outages)
	}
	if finished == 0 {
		t.Error("no outage came to an end: these lives show nothing")
	}
	t.Logf("%d outages came to an end", finished)
}
