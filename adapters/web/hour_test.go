package web

import (
	"bufio"
	"context"
	"flag"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// An hour of a house with 20 devices that report once a minute, and with the tick of every 10 s, has so many changes; a short run
// of the test plays fewer. They come as fast as pages are drawn, so an hour takes under three minutes.
const anHour = 60 * (20 + 6)

var changes = flag.Int("web.changes", 20, "changes of the house that 20 pages are shown; an hour of a house has 1560")

// busy is a house in which 20 devices in as many rooms report in turn, after so many changes.
func busy(n int) gateway.State {
	s := cottage()
	s.Version += uint64(n)
	s.At = hourAt(n)
	for i := range 20 {
		reported := n - (n-i+26)%26 // one of 26 changes is its own
		id := gateway.RoomID('a' + rune(i))
		s.Rooms = s.Rooms.With(id, gateway.Room{ID: id, Name: "Room " + string(id), Target: gateway.Aim{Value: gateway.Number(20), Mode: gateway.RoomSchedule, Why: "schedule Semaine, zone Confort"},
			Temperature: gateway.Measure{Value: gateway.Number(18 + float64(reported%30)/10), At: hourAt(reported), From: "accessory"}})
	}
	return s
}

// hourAt is when a change comes, by the clock of the house.
func hourAt(n int) time.Time { return evening.Add(time.Duration(n) * time.Hour / anHour) }

// Twenty open pages cost the program under 10 MB, however long they are open: what it uses at most is compared with what it
// uses at most in the same hour without a page, collected as often as the daemon does it.
func TestTwentyPagesForAnHour(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	var now atomic.Int64
	v := visit(t, Options{}, func(l *gateway.Loop) { l.Now = func() time.Time { return hourAt(int(now.Load())) } })
	plays := func(from int) (most uint64) {
		runtime.GC()
		for n := range *changes {
			now.Store(int64(from + n))
			v.house.Show(func(gateway.State) gateway.State { return busy(from + n) })
			time.Sleep(pushPause + 5*time.Millisecond)
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse+m.StackInuse)
		}
		return most
	}
	without := plays(1)
	var wire atomic.Int64
	for range mostPages {
		v.listen(&wire)
	}
	with := max(plays(1+*changes), without)
	t.Logf("%d changes: %.1f MB in use at most without a page, %.1f MB with %d, their browsers' end of the line included; %d bytes a page on the wire",
		*changes, float64(without)/1e6, float64(with)/1e6, mostPages, wire.Load()/mostPages)
	if with-without > 10_000_000 {
		t.Errorf("%d pages cost %d bytes", mostPages, with-without)
	}
	if wire.Load() < int64(mostPages**changes) {
		t.Errorf("%d bytes on the wire: nobody was told anything", wire.Load())
	}
}

// listen opens a page that counts what it hears.
func (v *visitor) listen(wire *atomic.Int64) {
	ctx, cancel := context.WithCancel(v.t.Context())
	v.t.Cleanup(cancel)
	answer := v.do(ctx, "GET", "/live", "")
	go func() {
		defer answer.Body.Close()
		lines := bufio.NewReader(answer.Body)
		for {
			n, err := lines.Discard(1)
			wire.Add(int64(n))
			if err != nil {
				return
			}
		}
	}()
}
