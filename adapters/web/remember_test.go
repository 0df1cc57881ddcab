package web

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/history"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// The history outlasts a restart of the adapter and of the program, by one file.
func TestTheHistoryIsKept(t *testing.T) {
	var saved [][]byte
	o := Options{Vault: gatewaytest.NewVault(), Log: quiet, Listen: "127.0.0.1:0", Stored: func() Stored { return Stored{Bytes: 5000, Flushes: 3} },
		Pictures: Pictures{Load: func() ([]byte, error) {
			if len(saved) == 0 {
				return nil, nil
			}
			return saved[len(saved)-1], nil
		}, Save: func(b []byte) error { saved = append(saved, b); return nil }}}
	for run := 1; run <= 2; run++ {
		a := New(o)
		h := gatewaytest.Start(t, "web", a)
		h.Show(func(s gateway.State) gateway.State {
			s.Authority.Phase = gateway.Watching
			s.Rooms = s.Rooms.With("1", gateway.Room{ID: "1", Temperature: gateway.Measure{Value: gateway.Number(19 + float64(run)), At: time.Now()}})
			return s
		})
		seen := func() bool {
			return slices.ContainsFunc(a.past().Points("1", time.Now().Add(-time.Hour)), func(p history.Point) bool { return p.Temperature == gateway.Number(19+float64(run)) })
		}
		for deadline := time.Now().Add(gatewaytest.Patience); !seen(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the house is not seen")
			}
		}
		h.Stop()
	}
	if len(saved) != 2 {
		t.Fatalf("saved %d times", len(saved))
	}
	h, err := history.Decode(saved[1])
	if err != nil {
		t.Fatal(err)
	}
	var warm []string
	for _, p := range h.Points("1", time.Now().Add(-time.Hour)) {
		warm = append(warm, p.Temperature.String())
	}
	if last := warm[len(warm)-1]; last != "unknown" || !slices.Contains(warm, "21") {
		t.Errorf("%q", warm)
	}
	if d := h.Days(); len(d) == 0 || d[len(d)-1].Bytes < 5000 {
		t.Errorf("%+v", d)
	}
}

// A file that is damaged, and a disk that fails, cost the past and nothing else.
func TestADamagedHistoryBeginsAnew(t *testing.T) {
	a := New(Options{Vault: gatewaytest.NewVault(), Log: quiet, Listen: "127.0.0.1:0", Pictures: Pictures{Load: func() ([]byte, error) { return []byte("no history"), nil }, Save: func([]byte) error { return errors.New("no space left on device") }}})
	h := gatewaytest.Start(t, "web", a)
	h.Show(func(s gateway.State) gateway.State { s.Authority.Phase = gateway.Local; return s })
	for deadline := time.Now().Add(gatewaytest.Patience); a.past().Until().IsZero(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the house is not seen")
		}
	}
	h.Stop()
}

// How often the history goes to disk, by the time of the house.
func TestTheHistoryIsSavedSeldom(t *testing.T) {
	d := newDoor(t, Options{Pictures: Pictures{Save: func([]byte) error { return nil }}})
	files := make(chan []byte, 100)
	for minute := range 48 * 60 {
		d.remember(evening.Add(time.Duration(minute)*time.Minute), files)
	}
	if n := len(files); n != 7 {
		t.Errorf("%d files in 48 h", n)
	}
	// A disk that is still busy with one makes nobody wait.
	d.remember(evening.Add(100*time.Hour), make(chan []byte))
}
