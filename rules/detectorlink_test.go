package rules_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// The synthetic link of the outage study (reliability 2.2), and the figures of those who look at it: the
// prober's pace (adapters/uplink/pace.go) and the reads of the cloud (adapters/netatmo/cadence.go).
const (
	probeLoss     = 0.003
	brownLoss     = 0.30
	flapLoss      = 0.50
	healthyPause  = 120 * time.Second
	suspectPause  = 15 * time.Second
	firstLocal    = 60 * time.Second
	lastLocal     = 300 * time.Second
	vouches       = 90 * time.Second // longest pause while local and the cloud answers
	probeTimeOut  = 3 * time.Second  // a climb that fails takes this long
	modelRun      = 14 * 24 * time.Hour
	modelOutage   = 8 * time.Hour
	modelFlapping = 30 * time.Minute
)

// stretchOf is a time in which the link is not well.
type stretchOf struct {
	from, to time.Time
	loss     float64 // share of probes that fail
	world    bool    // the witnesses fail as well
}

// link is what lies between the house and the vendor: the stretches, in order of their beginning.
type link []stretchOf

// at is the share of probes that fail at an instant, and whether the witnesses answer.
func (l link) at(t time.Time) (loss float64, witness bool) {
	loss, witness = probeLoss, true
	for _, s := range l {
		if s.from.After(t) {
			break
		}
		if t.Before(s.to) {
			loss, witness = max(loss, s.loss), witness && !s.world
		}
	}
	return loss, witness
}

// window is the link with only what can matter from t on for a while; it keeps at cheap.
func (l link) window(t time.Time, d time.Duration) link {
	var w link
	for _, s := range l {
		if s.to.After(t) && s.from.Before(t.Add(d)) {
			w = append(w, s)
		}
	}
	return w
}

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)+1))
}

// fortnight is 14 days of disturbances with one outage of 8 h and half an hour of flapping after it.
func fortnight(r *rand.Rand, start time.Time) (l link, outage time.Time) {
	some := func(n int, low, high time.Duration, loss float64) {
		for range n {
			from := start.Add(between(r, 0, modelRun))
			l = append(l, stretchOf{from: from, to: from.Add(between(r, low, high)), loss: loss})
		}
	}
	some(6, 10*time.Second, 90*time.Second, 1)            // blips of the vendor
	some(4, 2*time.Minute, 10*time.Minute, brownLoss)     // brown-outs
	reconnect := start.Add(between(r, 0, 24*time.Hour-1)) // of the line, each day at the same time
	for day := range 14 {
		from := reconnect.Add(time.Duration(day) * 24 * time.Hour)
		l = append(l, stretchOf{from: from, to: from.Add(between(r, 30*time.Second, 120*time.Second)), loss: 1, world: true})
	}
	outage = start.Add(between(r, 24*time.Hour, modelRun-24*time.Hour))
	back := outage.Add(modelOutage)
	l = append(l, stretchOf{from: outage, to: back, loss: 1}, stretchOf{from: back, to: back.Add(modelFlapping), loss: flapLoss})
	slices.SortFunc(l, func(a, b stretchOf) int { return a.from.Compare(b.from) })
	return l, outage
}

// periodic is a link that is good and bad in turn.
func periodic(start time.Time, good, bad, length time.Duration) link {
	var l link
	for from := start.Add(good); from.Before(start.Add(length)); from = from.Add(good + bad) {
		l = append(l, stretchOf{from: from, to: from.Add(bad), loss: 1})
	}
	return l
}

// life is a small house under the real rules, with a prober that keeps the real pace.
type life struct {
	state   gateway.State
	now     time.Time
	random  *rand.Rand
	link    link
	calls   bool // the cloud is read as well
	vouched bool // while all is well the reads stand for the API: what fails there alone, a probe does not see
	away    int  // probes while local
	probes  int
	changes []time.Time // of authority: from the cloud to us or back
	taken   []time.Time
}

func newLife(start time.Time, r *rand.Rand, l link) *life {
	f := &life{now: start, random: r, link: l}
	f.tell("clock", gateway.Clock{Trust: gateway.TrustSynced})
	f.tell("netatmo", plan(gateway.PlanRoom{ID: "r1", Name: "Salon"}))
	f.tell("netatmo", gateway.CloudView{Home: "h", At: start, Fresh: start, Mode: gateway.HomeSchedule})
	return f
}

func ruled(s gateway.State) bool {
	return s.Authority.Phase == gateway.Local || s.Authority.Phase == gateway.Returning
}

// tell lets one fact happen, counts a change of authority, and answers a request to read the cloud.
func (f *life) tell(from string, fact gateway.Fact) {
	before := ruled(f.state)
	next, commands := rules.Step(f.state, gateway.Event{At: f.now, From: from, Fact: fact})
	f.state = next
	if after := ruled(next); after != before {
		f.changes = append(f.changes, f.now)
		if after {
			f.taken = append(f.taken, f.now)
		}
	}
	for _, c := range commands {
		if c.Point.Quantity == gateway.Look {
			f.look()
		}
	}
}

// look reads the cloud, if the link lets it.
func (f *life) look() {
	loss, _ := f.link.at(f.now)
	if f.random.Float64() < loss {
		f.tell("netatmo", gateway.Call{Plane: gateway.PlaneRead, Verdict: gateway.VerdictCloudDown, Why: "homestatus: no answer in time"})
		return
	}
	f.tell("netatmo", gateway.CloudView{Home: "h", At: f.now, Fresh: f.now, Mode: gateway.HomeSchedule})
	f.tell("netatmo", gateway.Call{Plane: gateway.PlaneRead, Verdict: gateway.VerdictOK, Why: "homestatus: ok"})
}

// probe climbs the ladder once and returns how long the climb took.
func (f *life) probe() {
	f.probes++
	loss, witness := f.link.at(f.now)
	if f.vouched && witness && f.state.Authority.Phase == gateway.Watching && f.state.Cloud.Bad == 0 {
		loss = 0
	}
	if f.random.Float64() >= loss {
		f.tell("uplink", gateway.Probe{Verdict: gateway.VerdictOK, Why: "Netatmo answers as it should", Door: true, Vouched: f.vouched})
		return
	}
	p := gateway.Probe{Verdict: gateway.VerdictCloudDown, Witness: gateway.Yes, Why: "The connection to Netatmo was not answered; your internet works: 3 of 3 witnesses answered"}
	p.Door = f.vouched
	if !witness {
		p = gateway.Probe{Verdict: gateway.VerdictInternetDown, Witness: gateway.No, Why: "The router answers, the internet does not"}
	}
	if !p.Door { // behind it somebody says at once that nothing works
		f.pass(probeTimeOut)
	}
	f.tell("uplink", p)
}

// pause is how long the prober waits, by its pace.
func (f *life) pause() time.Duration {
	luck := f.random.Float64()
	switch phase := f.state.Authority.Phase; {
	case phase == gateway.Local:
		longest := min(firstLocal<<min(f.away, 8), lastLocal)
		if f.state.Cloud.Good > 0 {
			longest = min(longest, vouches)
		}
		f.away++
		return suspectPause + time.Duration(luck*float64(longest-suspectPause))
	case phase == gateway.Returning:
		return suspectPause + time.Duration(luck*float64(suspectPause))
	case phase == gateway.Suspect, f.state.Cloud.Bad > 0:
		return suspectPause
	}
	f.away = 0
	return healthyPause
}

// pass lets time pass; while anything may follow from that alone, in ticks.
func (f *life) pass(d time.Duration) {
	for end := f.now.Add(d); f.now.Before(end); {
		step := end.Sub(f.now)
		if f.state.Authority.Phase != gateway.Watching {
			step = min(step, 10*time.Second)
		}
		f.now = f.now.Add(step)
		if f.state.Authority.Phase != gateway.Watching {
			f.tell(gateway.LoopName, gateway.Tick{})
		}
	}
}

// live lives until an instant. The reads of the cloud fall between the probes, as often as they.
func (f *life) live(end time.Time) {
	whole, from := f.link, f.now
	for f.now.Before(end) {
		if !f.now.Before(from) {
			f.link, from = whole.window(f.now, 4*time.Hour), f.now.Add(3*time.Hour)
		}
		f.probe()
		d := f.pause()
		if f.calls && d <= healthyPause && f.state.Authority.Phase != gateway.Local {
			f.pass(d / 2)
			f.look()
			d -= d / 2
		}
		f.pass(d)
	}
	f.link = whole
}

// most is the largest number of instants in any one hour.
func most(times []time.Time) int {
	best := 0
	for i := range times {
		n := 0
		for _, t := range times[i:] {
			if t.Sub(times[i]) < time.Hour {
				n++
			}
		}
		best = max(best, n)
	}
	return best
}

// plain is the detector to compare with: three failures in a row at 60 s, and the first success ends it.
func plain(l link, r *rand.Rand, from, to time.Time) (changes, taken []time.Time) {
	bad, down := 0, false
	window, until := link{}, from
	for t := from; t.Before(to); t = t.Add(time.Minute) {
		if !t.Before(until) {
			window, until = l.window(t, 4*time.Hour), t.Add(3*time.Hour)
		}
		loss, _ := window.at(t)
		if r.Float64() >= loss {
			bad = 0
		} else {
			bad++
		}
		if now := bad >= 3 || down && bad > 0; now != down {
			down = now
			changes = append(changes, t)
			if down {
				taken = append(taken, t)
			}
		}
	}
	return changes, taken
}
