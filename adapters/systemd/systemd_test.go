package systemd

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/adapters/systemd/systemdtest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

const watchdog = 3 * time.Minute // as in the unit

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// beating is a pulse that beats until it is told to stand still.
type beating struct {
	count atomic.Uint64
	still atomic.Bool
}

func (b *beating) Count() uint64 {
	if !b.still.Load() {
		b.count.Add(1)
	}
	return b.count.Load()
}

// pass lets time go on and returns what the manager was told meanwhile. It asks often: a socket holds few messages.
func pass(m *systemdtest.Manager, d time.Duration) []string {
	var told []string
	for pause, end := min(d/10, time.Minute), time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(pause)
		synctest.Wait()
		told = append(told, m.Told()...)
	}
	return told
}

// inHouse runs f in a bubble with an adapter that tells a manager of one part and one pulse.
func inHouse(t *testing.T, f func(m *systemdtest.Manager, h *gatewaytest.House, serves *atomic.Bool, pulse *beating)) {
	synctest.Test(t, func(t *testing.T) {
		m := systemdtest.Listen(t)
		var serves atomic.Bool
		var pulse beating
		h := gatewaytest.Start(t, "systemd", New(Options{Manager: Manager{m.Socket, watchdog}, Log: quiet(),
			Parts:  []Part{{Name: "HomeKit", Adapter: "homekit", Serves: serves.Load}},
			Pulses: []Pulse{{Name: "the store", Count: pulse.Count}}}))
		h.Show(func(s gateway.State) gateway.State {
			s.Authority = gateway.Authority{Phase: gateway.Watching, Why: "it answers"}
			return s
		})
		f(m, h, &serves, &pulse)
		h.Stop()
	})
}

func TestContract(t *testing.T) {
	m := systemdtest.Listen(t)
	gatewaytest.Contract(t, "systemd", func(testing.TB) gateway.Adapter {
		return New(Options{Manager: Manager{m.Socket, watchdog}, Log: quiet()})
	})
}

func TestTheStartIsCompleteOnceEveryPartServes(t *testing.T) {
	inHouse(t, func(m *systemdtest.Manager, h *gatewaytest.House, serves *atomic.Bool, _ *beating) {
		before := pass(m, 20*time.Second)
		if systemdtest.Count(before, "READY=1") != 0 || !slices.Contains(before, "STATUS=Netatmo is in charge: it answers; HomeKit does not serve yet") {
			t.Errorf("before HomeKit serves the manager is told %q", before)
		}
		serves.Store(true)
		if told := pass(m, 2*time.Second); !slices.Equal(told, []string{"READY=1\nSTATUS=Netatmo is in charge: it answers"}) {
			t.Errorf("once it serves the manager is told %q", told)
		}
		serves.Store(false)
		h.Show(func(s gateway.State) gateway.State { return s })
		if told := pass(m, 2*time.Second); systemdtest.Count(told, "READY=1") != 0 || systemdtest.Count(told, "STATUS=") != 1 {
			t.Errorf("when it serves no more the manager is told %q", told)
		}
		h.Stop()
		if told := m.Told(); !slices.Equal(told, []string{"STOPPING=1"}) {
			t.Errorf("at the end the manager is told %q", told)
		}
	})
}

// A house that ends only to come back, in the same process, does not tell the manager that the program stops: that would stop it.
func TestAHouseThatComesBackDoesNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := systemdtest.Listen(t)
		h := gatewaytest.Start(t, "systemd", New(Options{Manager: Manager{m.Socket, watchdog}, Log: quiet(), GoesOn: func() bool { return true }}))
		h.Show(func(s gateway.State) gateway.State { return s })
		if told := pass(m, time.Second); systemdtest.Count(told, "READY=1") != 1 {
			t.Errorf("at the start the manager is told %q", told)
		}
		h.Stop()
		if told := m.Told(); len(told) > 0 {
			t.Errorf("at the end the manager is told %q", told)
		}
	})
}

// TestATakenPortEndsNothing: another program has HomeKit's port. The start is not complete, but the house lives,
// and is given the time.
func TestATakenPortEndsNothing(t *testing.T) {
	inHouse(t, func(m *systemdtest.Manager, h *gatewaytest.House, _ *atomic.Bool, pulse *beating) {
		h.Show(func(s gateway.State) gateway.State {
			s.Health = s.Health.With("homekit", gateway.Health{Adapter: "homekit", Why: "homekit.listen: the port is taken"})
			return s
		})
		told := pass(m, time.Hour)
		if n := systemdtest.Count(told, "EXTEND_TIMEOUT_USEC=180000000"); n < 100 || systemdtest.Count(told, "READY=1") != 0 {
			t.Errorf("in an hour the time for the start is extended %d times: %q", n, told[:min(len(told), 5)])
		}
		if !slices.Contains(told, "STATUS=Netatmo is in charge: it answers; HomeKit does not serve: homekit.listen: the port is taken") {
			t.Errorf("the reason is not told: %q", told[:min(len(told), 5)])
		}
		pulse.still.Store(true)
		pass(m, time.Minute)
		if told := pass(m, time.Hour); len(told) != 0 {
			t.Errorf("a house that hangs in its start is given more time: %q", told)
		}
	})
}

func TestOnlyAHouseThatLivesIsVouchedFor(t *testing.T) {
	inHouse(t, func(m *systemdtest.Manager, _ *gatewaytest.House, serves *atomic.Bool, pulse *beating) {
		serves.Store(true)
		pass(m, time.Minute)
		if n := systemdtest.Count(pass(m, 10*watchdog), "WATCHDOG=1"); n < 55 || n > 65 {
			t.Errorf("%d signs of life in %v, want one every 30 s", n, 10*watchdog)
		}
		pulse.still.Store(true)
		pass(m, time.Minute)
		if told := pass(m, 2*watchdog); len(told) != 0 {
			t.Errorf("the store stands still, and the manager is told %q", told)
		}
		pulse.still.Store(false)
		if told := pass(m, time.Minute); systemdtest.Count(told, "WATCHDOG=1") == 0 {
			t.Errorf("the store goes on, and the manager is told %q", told)
		}
	})
}

// TestADiskThatFailsIsNoReasonToStartAnew: the store is tried again once a minute, and gives no other sign of life.
func TestADiskThatFailsIsNoReasonToStartAnew(t *testing.T) {
	inHouse(t, func(m *systemdtest.Manager, _ *gatewaytest.House, _ *atomic.Bool, pulse *beating) {
		pulse.still.Store(true)
		last := time.Now()
		for began := last; time.Since(began) < time.Hour; {
			pulse.count.Add(1)
			if told := pass(m, time.Minute); systemdtest.Count(told, "WATCHDOG=1") > 0 {
				last = time.Now()
			}
			if silent := time.Since(last); silent > watchdog*2/3 {
				t.Fatalf("no sign of life for %v", silent)
			}
		}
	})
}

// TestALoopThatHangsIsNotVouchedFor: a decision that never ends.
func TestALoopThatHangsIsNotVouchedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := systemdtest.Listen(t)
		var hangs atomic.Bool
		release := make(chan struct{})
		var log bytes.Buffer
		loop := &gateway.Loop{Log: quiet(), Step: func(s gateway.State, _ gateway.Event) (gateway.State, []gateway.Command) {
			if hangs.Load() {
				<-release
			}
			return s, nil
		}}
		loop.Attach("systemd", New(Options{Manager: Manager{m.Socket, watchdog}, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Pulses: []Pulse{{Name: "the Loop", Count: loop.Turns}}}))
		ended := make(chan struct{})
		go func() { loop.Run(ctx); close(ended) }()
		if n := systemdtest.Count(pass(m, watchdog), "WATCHDOG=1"); n < 5 {
			t.Errorf("an idle house gives %d signs of life in %v, want 6", n, watchdog)
		}
		hangs.Store(true)
		pass(m, time.Minute)
		if told := pass(m, watchdog); len(told) != 0 {
			t.Errorf("the Loop hangs, and the manager is told %q", told)
		}
		hangs.Store(false)
		close(release)
		if n := systemdtest.Count(pass(m, time.Minute), "WATCHDOG=1"); n == 0 {
			t.Error("the Loop goes on, and no sign of life is given")
		}
		cancel()
		<-ended
		if n := strings.Count(log.String(), "it stands still"); n != 1 {
			t.Errorf("that the Loop hangs is logged %d times, want once:\n%s", n, log.String())
		}
	})
}

func TestAManagerThatIsAwayIsToldLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		socket := fmt.Sprint("@veilleuse-test-away-", os.Getpid())
		h := gatewaytest.Start(t, "systemd", New(Options{Manager: Manager{Socket: socket}, Log: quiet()}))
		h.Show(func(s gateway.State) gateway.State { return s })
		time.Sleep(5 * time.Second)
		m := systemdtest.ListenAt(t, socket)
		if told := pass(m, time.Minute); systemdtest.Count(told, "READY=1") != 1 {
			t.Errorf("the manager is told %q, want that the start is complete", told)
		}
		h.Stop()
	})
}

func TestTheStatusSaysWhoIsInCharge(t *testing.T) {
	for _, test := range []struct {
		authority gateway.Authority
		want      string
	}{
		{gateway.Authority{Phase: gateway.Watching, Why: "it answers"}, "Netatmo is in charge: it answers"},
		{gateway.Authority{Phase: gateway.Suspect, Why: "one look failed"}, "Netatmo is in charge, in doubt: one look failed"},
		{gateway.Authority{Phase: gateway.Local, Why: "a drill", Drill: true}, "Veilleuse is in charge (a drill): a drill"},
		{gateway.Authority{Phase: gateway.Returning}, "Veilleuse is in charge, about to hand back"},
	} {
		if got := charge(test.authority); got != test.want {
			t.Errorf("%v: %q, want %q", test.authority.Phase, got, test.want)
		}
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("Netatmo is in charge: 503\nREADY=1\r\nMAINPID=1")
	f.Add(strings.Repeat("é", statusSize))
	f.Add("\xff\u0085\u2028")
	f.Fuzz(func(t *testing.T, text string) {
		got := oneLine(text)
		if len(got) > statusSize || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}
