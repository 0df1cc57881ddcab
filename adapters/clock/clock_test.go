package clock

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// hand is a machine whose clocks the test holds in its hand.
type hand struct {
	mu sync.Mutex
	m  Machine
}

func (h *hand) read() Machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.m
}

func (h *hand) set(change func(*Machine)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.m)
}

func TestContract(t *testing.T) {
	silent := serveTime(t, func() time.Time { return time.Time{} })
	gatewaytest.Contract(t, "clock", func(testing.TB) gateway.Adapter {
		return New(Options{Source: (&hand{m: Machine{Wall: saved, Boot: time.Minute}}).read, Servers: []string{silent.address()}})
	})
	gatewaytest.Contract(t, "clock", func(testing.TB) gateway.Adapter {
		return New(Options{Source: func() Machine { return Machine{Wall: time.Now(), Synced: true} }})
	})
}

func shown(s gateway.State) gateway.State { s.Decided++; return s }

func trust(want gateway.Trust) func(gateway.Clock) bool {
	return func(c gateway.Clock) bool { return c.Trust == want }
}

func TestStepIsNoticedWhenTheHouseStirs(t *testing.T) {
	machine := &hand{m: Machine{Wall: saved.Add(time.Hour), Boot: time.Hour, Synced: true, Error: time.Millisecond}}
	h := gatewaytest.Start(t, "clock", New(Options{Source: machine.read, Floor: saved}))
	first := gatewaytest.Wait[gateway.Clock](h, nil)
	if first.Trust != synced || first.Bound != time.Second {
		t.Fatalf("%+v", first)
	}
	machine.set(func(m *Machine) { m.Wall, m.Synced = m.Wall.Add(time.Hour), false })
	h.Show(shown)
	if got := gatewaytest.Wait[gateway.Clock](h, nil); got.Trust != guess || !strings.Contains(got.Why, "put forward by 60 min") {
		t.Errorf("%+v", got)
	}
	machine.set(func(m *Machine) { m.Wall, m.Synced = m.Wall.Add(-time.Hour), true })
	h.Show(shown)
	if got := gatewaytest.Wait[gateway.Clock](h, nil); got != first {
		t.Errorf("%+v, want %+v", got, first)
	}
}

func TestServersOnTheLANConfirm(t *testing.T) {
	machine := &hand{m: Machine{Wall: saved.Add(time.Hour), Boot: time.Hour}}
	truth := func() time.Time { return machine.read().Wall.Add(time.Second) }
	router, box := serveTime(t, truth), serveTime(t, truth)
	h := gatewaytest.Start(t, "clock", New(Options{
		Source: machine.read, Floor: saved, Servers: []string{router.address(), box.address()},
	}))
	got := gatewaytest.Wait[gateway.Clock](h, nil)
	if got.Trust != holdover || got.Bound > 5*time.Second || !strings.Contains(got.Why, " and ") {
		t.Errorf("%+v, want holdover within 5 s by two servers", got)
	}
	// The clock is moved by hand: both are asked at once, and they know better.
	before := router.count()
	router.set(func() time.Time { return machine.read().Wall.Add(-3 * time.Hour) })
	box.set(func() time.Time { return machine.read().Wall.Add(-3 * time.Hour) })
	machine.set(func(m *Machine) { m.Wall = m.Wall.Add(4 * time.Hour) })
	h.Show(shown)
	got = gatewaytest.Wait(h, trust(guess))
	if !strings.Contains(got.Why, "3 h ahead") || router.count() == before {
		t.Errorf("%+v, asked %d times", got, router.count()-before)
	}
}

func TestOtherSourcesConfirm(t *testing.T) {
	machine := &hand{m: Machine{Wall: saved.Add(time.Hour), Boot: time.Minute}}
	h := gatewaytest.Start(t, "clock", New(Options{Source: machine.read, Floor: saved, Confirm: func(context.Context) []Sighting {
		return []Sighting{{From: "one", Error: 5 * time.Second}, {From: "another", Ahead: time.Second, Error: 5 * time.Second}}
	}}))
	if got := gatewaytest.Wait[gateway.Clock](h, nil); got.Trust != holdover || !strings.HasPrefix(got.Why, "one and another confirmed") {
		t.Errorf("%+v", got)
	}
}

// An outage of three days: the time server is heard until it begins, the kernel gives up 8.9 h later,
// and the house is told little of it.
func TestThreeDaysWithoutTimeServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		source := func() Machine {
			age := time.Since(began)
			m := Machine{Wall: saved.Add(age), Boot: age, Synced: age < 8*time.Hour+53*time.Minute}
			if m.Synced {
				m.Error = age / 2000
			}
			return m
		}
		h := gatewaytest.Start(t, "clock", New(Options{Source: source, Floor: saved}))
		time.Sleep(72 * time.Hour)
		var told []gateway.Clock
		for len(h.Facts()) > 0 {
			if c, ok := (<-h.Facts()).Fact.(gateway.Clock); ok {
				told = append(told, c)
			}
		}
		if len(told) < 3 || len(told) > 12 {
			t.Fatalf("%d clocks were posted: %+v", len(told), told)
		}
		if told[0].Trust != synced || told[len(told)-1].Trust != holdover {
			t.Errorf("from %+v to %+v", told[0], told[len(told)-1])
		}
		if worst := told[len(told)-1].Bound; worst > 5*time.Minute {
			t.Errorf("a bound of %v after three days stops the schedule", worst)
		}
		for i := range told[1:] {
			if told[i] == told[i+1] {
				t.Errorf("the same was posted twice: %+v", told[i])
			}
		}
	})
}

// While the clock is a guess a time server may come at any moment, but servers are not pestered.
func TestGuessIsLookedAtOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		looks, asked := 0, 0
		h := gatewaytest.Start(t, "clock", New(Options{
			Source:  func() Machine { looks++; return Machine{Wall: saved.Add(time.Since(began)), Boot: time.Since(began)} },
			Confirm: func(context.Context) []Sighting { asked++; return nil },
		}))
		time.Sleep(time.Hour)
		synctest.Wait()
		if looks < 60 || looks > 100 || asked < 12 || asked > 14 {
			t.Errorf("%d looks and %d questions in an hour", looks, asked)
		}
		h.Stop()
	})
}

func TestCheck(t *testing.T) {
	if err := (Options{Servers: []string{"192.168.1.1", "ntp.example.org:1123", "::1", "[::1]:123"}}).Check(); err != nil {
		t.Error(err)
	}
	if err := (Options{Servers: []string{"a.example", ":123"}}).Check(); err == nil || !strings.Contains(err.Error(), `servers[1]: ":123"`) {
		t.Errorf("a server without a name: %v", err)
	}
}

func TestFilesOfTheMachine(t *testing.T) {
	wall := saved.Add(time.Hour)
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	flag := func(at time.Time) *fstest.MapFile { return &fstest.MapFile{ModTime: at} }
	seconds := func(t time.Time) *fstest.MapFile { return file(strconv.FormatInt(t.Unix(), 10) + "\n") }
	for _, c := range []struct {
		name string
		root fstest.MapFS
		want Machine
	}{
		{"nothing", fstest.MapFS{}, Machine{}},
		{"time server heard a minute ago", fstest.MapFS{syncFlag: flag(wall.Add(-time.Minute))},
			Machine{Synced: true, Error: time.Second + 30*time.Millisecond, Confirmed: wall.Add(-time.Minute)}},
		{"time server heard yesterday", fstest.MapFS{syncFlag: flag(wall.Add(-24 * time.Hour))}, Machine{Confirmed: wall.Add(-24 * time.Hour)}},
		{"time server heard tomorrow", fstest.MapFS{syncFlag: flag(wall.Add(time.Hour))}, Machine{Confirmed: wall.Add(time.Hour)}},
		{"hardware clock", fstest.MapFS{"sys/class/rtc/rtc0/hctosys": file("1\n"), "sys/class/rtc/rtc0/since_epoch": seconds(wall)}, Machine{RTC: true}},
		{"hardware clock that does not say", fstest.MapFS{"sys/class/rtc/rtc0/hctosys": file("1\n")}, Machine{RTC: true}},
		{"hardware clock without battery", fstest.MapFS{"sys/class/rtc/rtc0/hctosys": file("1\n"), "sys/class/rtc/rtc0/since_epoch": file("120\n")}, Machine{}},
		{"hardware clock in local time", fstest.MapFS{"sys/class/rtc/rtc0/hctosys": file("1\n"), "sys/class/rtc/rtc0/since_epoch": seconds(wall.Add(time.Hour))}, Machine{}},
		{"hardware clock that nobody used", fstest.MapFS{"sys/class/rtc/rtc0/hctosys": file("0\n"), "sys/class/rtc/rtc0/since_epoch": seconds(wall)}, Machine{}},
		{"hardware clock that talks nonsense", fstest.MapFS{"sys/class/rtc/rtc0/hctosys": file("1\n"), "sys/class/rtc/rtc0/since_epoch": file("soon")}, Machine{}},
	} {
		c.want.Wall = wall
		if got := readFiles(c.root, Machine{Wall: wall}); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := readFiles(fstest.MapFS{syncFlag: flag(wall)}, Machine{Wall: wall, Synced: true, Error: time.Millisecond}); got.Error != time.Millisecond {
		t.Errorf("the kernel knows its error better: %+v", got)
	}
}

func TestThisMachine(t *testing.T) {
	source := systemSource()
	a := source()
	b := source()
	if b.Boot < a.Boot || a.Boot <= 0 || a.Wall.IsZero() || moved(a, b).Abs() > time.Second {
		t.Errorf("%+v, then %+v", a, b)
	}
	if glance := systemGlance()(); moved(a, glance).Abs() > time.Second {
		t.Errorf("%+v, then at a glance %+v", a, glance)
	}
	if a.Synced && a.Error <= 0 {
		t.Errorf("kept in step without any error: %+v", a)
	}
	if buildTime().Before(longAgo) {
		t.Errorf("built %v", buildTime())
	}
}
