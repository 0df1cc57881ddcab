package uplink

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestContract(t *testing.T) {
	t.Run("all well", func(t *testing.T) {
		w := newWorld(t, uplinktest.Settings{TLS: true})
		gatewaytest.Contract(t, "uplink", func(testing.TB) gateway.Adapter { return New(in(w)) })
	})
	t.Run("in the middle of a climb", func(t *testing.T) {
		w := newWorld(t, uplinktest.Settings{TLS: true})
		breakWorld(t, w, uplinktest.InternetDown)
		gatewaytest.Contract(t, "uplink", func(testing.TB) gateway.Adapter { return New(in(w)) })
	})
	t.Run("while the vendor dribbles", func(t *testing.T) {
		w := newWorld(t, uplinktest.Settings{TLS: true})
		breakWorld(t, w, uplinktest.Dribble)
		gatewaytest.Contract(t, "uplink", func(testing.TB) gateway.Adapter { return New(in(w)) })
	})
}

// clock is the house's clock in the test's hand.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	timers []timer
	set    chan time.Duration // what was asked of After, in order
}

type timer struct {
	at   time.Time
	fire chan time.Time
}

// houseTick is the house's own pause, which no adapter asks for.
const houseTick = time.Hour

func newClock() *clock { return &clock{now: instant, set: make(chan time.Duration, 1000)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	fire := make(chan time.Time, 1)
	c.timers = append(c.timers, timer{c.now.Add(d), fire})
	c.mu.Unlock()
	if d != houseTick {
		c.set <- d
	}
	return fire
}

// pass lets time go by and fires what is due.
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	var later []timer
	for _, t := range c.timers {
		if t.at.After(c.now) {
			later = append(later, t)
		} else {
			t.fire <- c.now
		}
	}
	c.timers = later
}

func (c *clock) into(l *gateway.Loop) { l.Now, l.After, l.Every = c.Now, c.After, houseTick }

// slept returns the next pause that the adapter asks for.
func (c *clock) slept(t *testing.T) time.Duration {
	t.Helper()
	select {
	case d := <-c.set:
		return d
	case <-time.After(gatewaytest.Patience):
		t.Fatal("the adapter does not go to sleep")
		return 0
	}
}

func between(t *testing.T, what string, got, least, most time.Duration) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: pause %v, want %v to %v", what, got, least, most)
	}
}

func TestPaceFollowsTheState(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{})
	c := newClock()
	o := in(w)
	o.Timeout = 20 * time.Second // a busy machine is not a sick vendor
	h := gatewaytest.Start(t, "uplink", New(o), c.into)
	ok := func(p gateway.Probe) bool { return p.Verdict == gateway.VerdictOK }
	gatewaytest.Wait(h, ok)
	between(t, "healthy", c.slept(t), 120*time.Second, 120*time.Second)

	// A call of another adapter fails half a minute later: the sleep is cut short.
	c.pass(30 * time.Second)
	h.Show(func(s gateway.State) gateway.State { s.Cloud.Bad = 1; return s })
	between(t, "a call failed long ago enough", c.slept(t), 0, 0)
	c.pass(0)
	gatewaytest.Wait(h, ok)
	between(t, "suspicious", c.slept(t), 15*time.Second, 15*time.Second)

	// However often the State changes, the next probe comes when it is due.
	for range 20 {
		h.Show(func(s gateway.State) gateway.State { s.Decided++; return s })
	}
	select {
	case d := <-c.set:
		t.Errorf("a change of State without meaning set a timer of %v", d)
	default:
	}
	c.pass(15 * time.Second)
	gatewaytest.Wait(h, ok)
	between(t, "still suspicious", c.slept(t), 15*time.Second, 15*time.Second)
}

func TestPaceOfEachPhase(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{})
	o := in(w)
	o.Timeout = 20 * time.Second
	for _, p := range []struct {
		phase       gateway.Phase
		least, most time.Duration
	}{
		{gateway.Watching, 120 * time.Second, 120 * time.Second},
		{gateway.Suspect, 15 * time.Second, 15 * time.Second},
		{gateway.Local, 15 * time.Second, 120 * time.Second},
		{gateway.Returning, 15 * time.Second, 30 * time.Second},
	} {
		c := newClock()
		h := gatewaytest.Start(t, "uplink", New(o), c.into, gatewaytest.From(phase(p.phase)))
		for range 2 {
			gatewaytest.Wait(h, func(got gateway.Probe) bool { return got.Verdict == gateway.VerdictOK })
			d := c.slept(t)
			between(t, string(p.phase), d, p.least, p.most*5/2) // the second of local may be longer
			c.pass(d)
		}
		h.Stop()
	}
}

// A clock that is put back must not put the probes to sleep until the old time comes again.
func TestClockPutBackDoesNotStopTheProbes(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{})
	o := in(w)
	o.Timeout = 20 * time.Second
	c := newClock()
	h := gatewaytest.Start(t, "uplink", New(o), c.into)
	gatewaytest.Wait[gateway.Probe](h, nil)
	c.slept(t)
	c.mu.Lock()
	c.now = c.now.Add(-10 * 365 * 24 * time.Hour)
	for i := range c.timers {
		c.timers[i].at = c.now // the timer itself runs by another clock and is due
	}
	c.mu.Unlock()
	c.pass(0)
	gatewaytest.Wait[gateway.Probe](h, nil)
}

func TestAPIIsNotAskedWhileItWantsToBeLeftAlone(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	breakWorld(t, w, uplinktest.RetryAfter)
	c := newClock()
	o := in(w)
	o.Timeout = 20 * time.Second
	h := gatewaytest.Start(t, "uplink", New(o), c.into)
	requests := func() int { return strings.Count(string(w.Edge.Seen()), "GET "+lookPath) }
	down := func(p gateway.Probe) bool {
		if p.Verdict != gateway.VerdictCloudDown {
			t.Errorf("verdict %s, want cloud-down: %s", p.Verdict, p.Why)
		}
		return true
	}
	gatewaytest.Wait(h, down)
	for range 4 { // 8 minutes in all
		c.pass(c.slept(t))
		p := gatewaytest.Wait(h, down)
		if text := strings.Join(p.Evidence, "\n"); !strings.Contains(text, "not asked again yet") {
			t.Errorf("evidence does not say that the answer is an old one:\n%s", text)
		}
	}
	if n := requests(); n != 1 {
		t.Errorf("%d requests within the 10 min that the vendor asked to wait, want 1", n)
	}
	c.pass(c.slept(t))
	gatewaytest.Wait(h, down)
	if n := requests(); n != 2 {
		t.Errorf("%d requests after 10 min, want 2", n)
	}
}

func TestBadOptionsAreSaid(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"not a web address", Options{URL: "api.netatmo.com"}, `"api.netatmo.com" is not a web address`},
		{"plain HTTP to the world", Options{URL: "http://api.netatmo.com"}, "write https://api.netatmo.com"},
		{"bad port", Options{URL: "https://api.netatmo.com:99999"}, "not a port"},
		{"resolver is a name", Options{Resolvers: []string{"fritz.box"}}, `resolvers[0]: "fritz.box" is not an address`},
		{"second opinion is a name", Options{SecondOpinion: []string{"9.9.9.9", "quad9"}}, "second opinion[1]"},
		{"witness without port", Options{Witnesses: []string{"1.1.1.1"}}, "witnesses[0]: \"1.1.1.1\" lacks a port"},
		{"witness page over TLS", Options{Witnesses: []string{"debian.org", "https://example.org/x y"}}, "witnesses[1]"},
		{"a name on this machine that nobody knows", Options{URL: "http://api.test:80", AllowLoopback: true}, "resolvers: nobody"},
	} {
		err := c.o.Check()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if got := New(c.o).Run(t.Context(), gateway.Port{}); got == nil {
			t.Errorf("%s: runs all the same", c.name)
		}
	}
	for _, o := range []Options{
		{}, {Witnesses: []string{}}, {URL: "http://127.0.0.1:8080"}, {URL: "http://localhost:8080"}, {URL: "http://[::1]:8080"},
		{Resolvers: []string{"192.168.1.1", "[fe80::1%eth0]:53", "::1", "127.0.0.1:5353"}},
	} {
		if err := o.Check(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// A house on loopback must not ask the outside world anything that it was not told to ask.
func TestDefaultsStayAtHome(t *testing.T) {
	for _, o := range []Options{
		{URL: "http://127.0.0.1:8080"}, {URL: "https://localhost"},
		{URL: "http://api.test:80", AllowLoopback: true, Resolvers: []string{"127.0.0.1:5353"}},
	} {
		s, err := o.settings()
		if err != nil {
			t.Fatal(err)
		}
		if s.resolvers == nil || len(s.second)+len(s.witnesses) != 0 || s.link() != (Link{}) {
			t.Errorf("%s: asks %v, %v, %v, %+v", o.URL, s.resolvers, s.second, s.witnesses, s.link())
		}
	}
	s, err := Options{}.settings()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[kind]int{}
	for _, w := range s.witnesses {
		kinds[w.kind]++
	}
	if kinds[aName] != 2 || kinds[aDoor] != 2 || kinds[aPage] != 1 || len(s.second) != 2 || s.resolvers != nil {
		t.Errorf("defaults: %v, second %v, resolvers %v", kinds, s.second, s.resolvers)
	}
}

// TestStall stops a process in the middle of a climb, as a machine that swaps does.
func TestStall(t *testing.T) {
	if verdict := gatewaytest.Stall(t, stalled+time.Second, "probe ", stalledChild); verdict != "probe self void=true" {
		t.Errorf("the stopped prober posted %q, want a void one", verdict)
	}
}

func stalledChild(t *testing.T) {
	w := newWorld(t, uplinktest.Settings{TLS: true})
	breakWorld(t, w, uplinktest.SlowHeaders)
	o := in(w)
	o.Timeout = 6 * time.Second
	s, err := o.settings()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan gateway.Probe)
	go func() {
		done <- classify(climber{settings: s, now: instant}.observe(context.Background()))
	}()
	deadline := time.Now().Add(gatewaytest.Patience)
	for w.Edge.Accepted() == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("now")
	p := <-done
	fmt.Printf("probe %s void=%v\n", p.Verdict, p.Void)
}

func TestStepBetween(t *testing.T) {
	a := time.Now()
	if step := stepBetween(a, time.Now()); step.Abs() > time.Second {
		t.Errorf("a step of %v where there was none", step)
	}
	wall := a.Round(0) // without the monotonic half, as after a step of the wall clock
	if step := stepBetween(wall, wall.Add(time.Hour)); step != 0 {
		t.Errorf("two readings without monotonic half differ by %v", step)
	}
}
