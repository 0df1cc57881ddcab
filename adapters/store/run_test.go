package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestContract(t *testing.T) {
	gatewaytest.Contract(t, "store", func(t testing.TB) gateway.Adapter {
		s, _ := open(t, t.TempDir())
		return s
	})
}

func startHouse(t *testing.T, s *Store) *gatewaytest.House {
	return gatewaytest.Start(t, "store", s)
}

// waitDown waits until the supervisor says that the store has failed.
func waitDown(t *testing.T, h *gatewaytest.House) {
	t.Helper()
	down := gatewaytest.Wait(h, func(f gateway.Health) bool { return !f.Up })
	if !strings.Contains(down.Why, "save state") {
		t.Errorf("the reason does not say what failed: %q", down.Why)
	}
}

func waitSaved(t *testing.T, s *Store, ok func(gateway.Lasting) bool) {
	t.Helper()
	deadline := time.Now().Add(gatewaytest.Patience)
	for {
		lasting, _, err := s.Load()
		must(t, err)
		if ok(lasting) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("never saved")
		}
		time.Sleep(time.Millisecond)
	}
}

// inHouse runs f in a bubble with a house of four devices that is saved already. There an hour of the
// house's time costs nothing.
func inHouse(t *testing.T, f func(s *Store, h *gatewaytest.House)) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, t.TempDir())
		h := startHouse(t, s)
		h.Show(func(gateway.State) gateway.State { return houseOf(4) })
		pass(2 * time.Minute)
		if r, ok := s.get(statePlace); !ok || r.generation == 0 {
			t.Fatal("the first State was not saved")
		}
		f(s, h)
		h.Stop()
	})
}

// pass lets the house's time go on.
func pass(d time.Duration) {
	synctest.Wait()
	time.Sleep(d)
	synctest.Wait()
}

func savedTarget(t *testing.T, s *Store) float64 {
	t.Helper()
	lasting, _, err := s.Load()
	must(t, err)
	r, _ := lasting.Rooms.Get("room-0")
	return r.Override.Target
}

func TestAWishIsSavedAtOnce(t *testing.T) {
	inHouse(t, func(s *Store, h *gatewaytest.House) {
		h.Show(func(g gateway.State) gateway.State { return override(g, 0, 22, began) })
		synctest.Wait()
		if got := savedTarget(t, s); got != 22 {
			t.Errorf("saved is %v", got)
		}
	})
}

func TestAtMostOnceASecondAndTheNewestOnly(t *testing.T) {
	inHouse(t, func(s *Store, h *gatewaytest.House) {
		before := s.Stats().Writes
		for i := range 100 { // in ten seconds
			h.Show(func(g gateway.State) gateway.State { return override(g, 0, 10+float64(i)/10, began) })
			pass(100 * time.Millisecond)
		}
		pass(time.Second)
		if writes := s.Stats().Writes - before; writes < 9 || writes > 12 {
			t.Errorf("%d writes in ten seconds", writes)
		}
		if got := savedTarget(t, s); got != 19.9 {
			t.Errorf("the last wish is not the one saved: %v", got)
		}
	})
}

func TestNothingIsWrittenWhileIdle(t *testing.T) {
	inHouse(t, func(s *Store, h *gatewaytest.House) {
		before := s.Stats()
		pass(48 * time.Hour)
		for range 20 {
			h.Show(func(g gateway.State) gateway.State { return g }) // shown again, nothing new in it
			pass(20 * time.Minute)
		}
		h.Stop()
		if after := s.Stats(); after != before {
			t.Errorf("written: %+v, then %+v", before, after)
		}
	})
}

func TestWhatDevicesMeasureWaits(t *testing.T) {
	inHouse(t, func(s *Store, h *gatewaytest.House) {
		before := s.Stats().Writes
		for i := range 60 { // an hour
			h.Show(func(g gateway.State) gateway.State { return measure(g, i%4, 20+float64(i), began) })
			pass(time.Minute)
		}
		if writes := s.Stats().Writes - before; writes < 3 || writes > 4 {
			t.Errorf("%d writes in an hour of measurements, wanted is one in 15 minutes", writes)
		}
		h.Show(func(g gateway.State) gateway.State { return measure(g, 0, 99, began) })
		h.Show(func(g gateway.State) gateway.State { return override(g, 0, 23, began) })
		pass(2 * time.Second)
		if got := measured0(t, s); got != 99 {
			t.Errorf("a measurement is not saved along with a wish: %v", got)
		}
		h.Show(func(g gateway.State) gateway.State { return measure(g, 0, 77, began) })
		synctest.Wait()
		h.Stop()
		if got := measured0(t, s); got != 77 {
			t.Errorf("the last measurement is not saved at the end: %v", got)
		}
	})
}

func measured0(t *testing.T, s *Store) float64 {
	lasting, _, err := s.Load()
	must(t, err)
	d, _ := lasting.Devices.Get(deviceID(0))
	m, _ := d.Reading(gateway.Temperature)
	n, _ := m.Value.Number()
	return n
}

func TestDecisionsAloneWaitAMinute(t *testing.T) {
	inHouse(t, func(s *Store, h *gatewaytest.House) {
		before := s.Stats().Writes
		for i := range 10 {
			h.Show(func(g gateway.State) gateway.State {
				g.Decided++
				g.Decisions = append(g.Decisions[:len(g.Decisions):len(g.Decisions)], gateway.Decision{Number: g.Decided, What: fmt.Sprint("decision ", i)})
				return g
			})
			pass(5 * time.Second)
		}
		if writes := s.Stats().Writes - before; writes != 0 {
			t.Errorf("%d writes within a minute of decisions", writes)
		}
		pass(time.Minute)
		lasting, _, err := s.Load()
		must(t, err)
		if lasting.Decided != 10 || len(lasting.Decisions) != 10 {
			t.Errorf("%d decisions are saved after a minute", lasting.Decided)
		}
	})
}

func TestASecondStartWithTheSameHouseWritesNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, dir)
		h := startHouse(t, s)
		h.Show(func(gateway.State) gateway.State { return houseOf(8) })
		pass(time.Hour)
		h.Stop()
		must(t, s.Close())

		s, _ = open(t, dir)
		lasting, _, err := s.Load()
		must(t, err)
		h = gatewaytest.Start(t, "store", s, gatewaytest.From(lasting.State()))
		pass(time.Hour)
		h.Show(func(gateway.State) gateway.State { return houseOf(8) }) // the adapters find all of it anew
		pass(time.Hour)
		h.Stop()
		if got := s.Stats(); got != (Stats{}) {
			t.Errorf("written: %+v", got)
		}
	})
}

func TestSnapshotAtMostHourly(t *testing.T) {
	inHouse(t, func(s *Store, h *gatewaytest.House) {
		copied := func() time.Time {
			back, found, err := readSnapshot(s.dir)
			if err != nil || !found {
				return time.Time{}
			}
			return back.written
		}
		first := copied()
		if first.IsZero() {
			t.Fatal("no first snapshot")
		}
		must(t, s.Vault("netatmo").Set("token", []byte("1")))
		pass(30 * time.Minute)
		if copied() != first {
			t.Error("a second snapshot within the hour")
		}
		pass(time.Hour)
		second := copied()
		if second == first {
			t.Error("no snapshot after an hour")
		}
		must(t, s.Vault("netatmo").Delete("token"))
		synctest.Wait()
		if copied() == second {
			t.Error("a deleted secret stays in the snapshot")
		}
		last := copied()
		for i := range 240 {
			h.Show(func(g gateway.State) gateway.State { return measure(g, 0, float64(i), began) })
			pass(time.Minute)
		}
		if copied() != last {
			t.Error("measurements alone make a snapshot")
		}
	})
}

// A day of a large house must stay within what a card bears: 10 MB and 500 flushes, and a whole day of an outage,
// after years with many of them, within 30 MB and 1 500.
func TestADayStaysWithinTheBudget(t *testing.T) {
	for _, test := range []struct {
		name               string
		house              func() gateway.State
		megabytes, flushes uint64
	}{
		{"a new house", func() gateway.State { return houseOf(60) }, 10, 500},
		{"an outage after many", inAnOutage, 30, 1500},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := open(t, t.TempDir())
				h := startHouse(t, s)
				h.Show(func(gateway.State) gateway.State { return test.house() })
				pass(2 * time.Minute)
				before := s.Stats()
				for minute := range 24 * 60 {
					h.Show(func(g gateway.State) gateway.State { return aMinute(g, minute) })
					if minute%180 == 0 {
						must(t, s.Vault("netatmo").Set("tokens", fmt.Appendf(nil, "%200d", minute)))
					}
					pass(time.Minute)
				}
				h.Stop()
				after := s.Stats()
				bytes, flushes := after.Bytes-before.Bytes, after.Flushes-before.Flushes
				t.Logf("%d writes, %.1f MB, %d flushes", after.Writes-before.Writes, float64(bytes)/1e6, flushes)
				if bytes > test.megabytes*1e6 || flushes > test.flushes {
					t.Errorf("a day costs %d bytes and %d flushes", bytes, flushes)
				}
			})
		})
	}
}

// inAnOutage is a large house in an outage, with all the outages and days behind it that are remembered.
func inAnOutage() gateway.State {
	s := houseOf(60)
	dice := rand.New(rand.NewPCG(1, 2))
	for i := range gateway.MaxOutages {
		o := gateway.Outage{Number: uint64(i + 1), Verdict: gateway.VerdictCloudDown, Why: "The connection to Netatmo was not answered; your internet works",
			Evidence: []string{"api.netatmo.com: 503 with HTML", "3 of 3 witnesses answer"}, Lost: began, Began: began, Ended: began}
		at := began.AddDate(0, 0, 18*i-400)
		for n := range gateway.KeptDecisions {
			at = at.Add(time.Duration(dice.IntN(3600)) * time.Second)
			o.Decisions = append(o.Decisions, gateway.Decision{Number: uint64(i*50 + n), At: at, Kind: "heating", Room: gateway.RoomID(fmt.Sprint("room-", dice.IntN(15))),
				What: fmt.Sprintf("Pièce %d is set to %d °C", dice.IntN(15), dice.IntN(23)), Why: "schedule Semaine, zone Confort"})
		}
		for id, r := range s.Rooms.All() {
			o.Rooms = o.Rooms.With(id, gateway.Comfort{Name: r.Name, Below: float64(dice.IntN(5000)) / 1000, Measured: time.Duration(dice.IntN(30000)) * time.Second})
		}
		s.Outages = append(s.Outages, o)
	}
	for i := range gateway.MaxDays {
		s.Days = append(s.Days, gateway.Day{Date: began.AddDate(0, 0, i-gateway.MaxDays).Format(time.DateOnly), Watched: 86300 + dice.IntN(100), Broken: dice.IntN(60)})
	}
	now := s.Outages[0]
	now.Number, now.Ended = gateway.MaxOutages+1, time.Time{}
	s.Outage = &now
	return s
}

// aMinute is what a minute of a day changes: every device measures, the cloud is asked, six times a
// day the schedule moves all rooms, some wishes, some decisions.
func aMinute(g gateway.State, minute int) gateway.State {
	at := began.Add(time.Duration(minute) * time.Minute)
	for i := range 60 {
		g = measure(g, i, 19+float64((minute*7+i*13)%50)/10, at)
	}
	for id, r := range g.Rooms.All() {
		r.CloudAt = at
		r.Cloud.Target = gateway.Number(16 + float64(minute/240))
		g.Rooms = g.Rooms.With(id, r)
	}
	busy := 1
	if g.Outage != nil { // people look after the house, and it does more by itself
		busy = 4
	}
	if minute%(48/busy) == 0 {
		g = override(g, minute%15, 18+float64(minute%9), at)
	}
	if minute%(30/busy) == 0 {
		g.Decided++
		g.Decisions = append(g.Decisions[max(0, len(g.Decisions)-49):len(g.Decisions):len(g.Decisions)],
			gateway.Decision{Number: g.Decided, At: at, Kind: "heating", Room: "room-1", What: "18.5 °C", Why: "because schedule Night"})
	}
	if g.Outage != nil {
		o := *g.Outage
		o.Measured = at
		for id, c := range o.Rooms.All() {
			c.Below, c.Measured = c.Below+0.0173, c.Measured+time.Minute
			o.Rooms = o.Rooms.With(id, c)
		}
		g.Outage = &o
	}
	g.Watch.Watched += time.Minute
	g.Version++
	return g
}

// TestAStoreThatHangsGivesNoSignOfLife: somebody else's write does not end, and a change waits behind it.
func TestAStoreThatHangsGivesNoSignOfLife(t *testing.T) {
	s, _ := open(t, t.TempDir())
	h := startHouse(t, s)
	h.Show(func(gateway.State) gateway.State { return houseOf(4) })
	waitSaved(t, s, func(l gateway.Lasting) bool { return l.Rooms.Len() == 1 })
	alive := func(within time.Duration) bool {
		before := s.Pulse()
		for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if s.turns.Load() > before {
				return true
			}
		}
		return false
	}
	for range 2 {
		if !alive(gatewaytest.Patience) {
			t.Error("a store that is well gives no sign of life when it is asked")
		}
	}
	s.writing.Lock()
	h.Show(func(state gateway.State) gateway.State {
		state.Authority.Phase = gateway.Local
		return state
	})
	deadline := time.Now().Add(gatewaytest.Patience)
	for alive(300 * time.Millisecond) { // until the change is due
		if time.Now().After(deadline) {
			t.Fatal("the store gives signs of life while its write hangs")
		}
	}
	s.writing.Unlock()
	if !alive(gatewaytest.Patience) {
		t.Error("the store goes on, and gives no sign of life")
	}
}
