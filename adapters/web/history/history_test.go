package history

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

var evening = time.Date(2025, 10, 29, 15, 30, 0, 0, time.UTC)

// house is a State with rooms r0, r1, … that all are as warm, with one target, and heated so much.
func house(rooms int, at time.Time, temperature, target float64, heating gateway.Value) gateway.State {
	s := gateway.State{Authority: gateway.Authority{Phase: gateway.Watching}}
	for i := range rooms {
		id := gateway.RoomID(fmt.Sprintf("r%d", i))
		s.Rooms = s.Rooms.With(id, gateway.Room{ID: id, Temperature: gateway.Measure{Value: gateway.Number(temperature), At: at}, Target: gateway.Aim{Value: gateway.Number(target)}, Heating: heating})
	}
	return s
}

func only(t *testing.T, h *History, wants ...string) {
	t.Helper()
	var got []string
	for _, p := range h.Points("r0", evening.Add(-Length)) {
		got = append(got, fmt.Sprintf("%s %v %v %v", p.At.Format("15:04"), p.Temperature, p.Target, p.Heating))
	}
	if !reflect.DeepEqual(got, wants) {
		t.Errorf("the points are\n%q, want\n%q", got, wants)
	}
}

func TestPointsStandWhereSomethingChanged(t *testing.T) {
	h := &History{}
	for _, step := range []struct {
		minute              int
		temperature, target float64
		heating             gateway.Value
	}{
		{0, 19.2, 20, gateway.Flag(false)},
		{1, 21.9, 20, gateway.Flag(false)},  // too soon
		{2, 19.25, 20, gateway.Flag(false)}, // too little
		{4, 19.3, 20, gateway.Flag(true)},
		{6, 19.3, 17.5, gateway.Flag(true)},
		{8, 19.3, 17.5, gateway.Number(97)}, // about the same
		{10, 19.3, 17.5, gateway.Number(40)},
		{12, 19.3, 17.5, gateway.Value{}},
	} {
		at := evening.Add(time.Duration(step.minute) * time.Minute)
		h.Observe(house(1, at, step.temperature, step.target, step.heating), at)
	}
	only(t, h, "15:30 19.2 20 0", "15:34 19.3 20 100", "15:36 19.3 17.5 100", "15:40 19.3 17.5 40", "15:42 19.3 17.5 unknown")
}

func TestASilentThermometerIsAGap(t *testing.T) {
	h := &History{}
	s := house(1, evening, 19, 20, gateway.Value{})
	for minute := 0; minute <= 90; minute += 2 {
		h.Observe(s, evening.Add(time.Duration(minute)*time.Minute))
	}
	s = house(1, evening.Add(92*time.Minute), 18, 20, gateway.Value{})
	h.Observe(s, evening.Add(92*time.Minute))
	only(t, h, "15:30 19 20 unknown", "16:32 unknown 20 unknown", "17:02 18 20 unknown")
	s.Rooms = gateway.Table[gateway.RoomID, gateway.Room]{}
	h.Observe(s, evening.Add(94*time.Minute))
	only(t, h, "15:30 19 20 unknown", "16:32 unknown 20 unknown", "17:02 18 20 unknown", "17:04 unknown unknown unknown")
	for hours := 3; hours < 53; hours++ {
		h.Observe(s, evening.Add(time.Duration(hours)*time.Hour))
	}
	if len(h.rooms) != 0 {
		t.Errorf("a room that is gone for two days is still remembered: %v", h.rooms)
	}
}

func TestWhoWasInChargeIsNotSampled(t *testing.T) {
	h := &History{}
	s := house(1, evening, 19, 20, gateway.Value{})
	for i, phase := range []gateway.Phase{gateway.Watching, gateway.Suspect, gateway.Local, gateway.Local, gateway.Returning, gateway.Watching} {
		s.Authority = gateway.Authority{Phase: phase, Drill: phase == gateway.Local}
		h.Observe(s, evening.Add(time.Duration(i)*time.Second))
	}
	var got []string
	for _, p := range h.Points("r0", evening.Add(-time.Hour)) {
		got = append(got, fmt.Sprintf("%d %s %v", p.At.Second(), p.Phase, p.Drill))
	}
	if want := []string{"0 watching false", "1 suspect false", "2 local true", "4 returning false", "5 watching false"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWhatHeldWhenTheTimeBeginsIsKept(t *testing.T) {
	h := &History{}
	h.Observe(house(1, evening, 19, 20, gateway.Value{}), evening)
	for hours := 1; hours <= 60; hours++ {
		at := evening.Add(time.Duration(hours) * time.Hour)
		h.Observe(house(1, at, 19, 20, gateway.Value{}), at)
	}
	from := evening.Add(12 * time.Hour)
	if p := h.Points("r0", from); len(p) != 1 || !p[0].At.Equal(from) || p[0].Temperature != gateway.Number(19) {
		t.Errorf("%+v", p)
	}
}

// A run that ended and one that begins have a gap between them, over a file.
func TestARestartIsAGap(t *testing.T) {
	h := &History{}
	h.Observe(house(1, evening, 19, 20, gateway.Value{}), evening)
	h.Observe(house(1, evening.Add(time.Minute), 19, 20, gateway.Value{}), evening.Add(time.Minute))
	h.Count(4096, 2, evening)
	h = reopened(t, h)
	back := evening.Add(30 * time.Minute)
	h.Observe(house(1, back, 18, 20, gateway.Value{}), back)
	only(t, h, "15:30 19 20 unknown", "15:31 unknown unknown unknown", "16:00 18 20 unknown")
	if p := h.Points("r0", evening); p[0].Phase != gateway.Watching || p[1].Phase != "" || p[2].Phase != gateway.Watching {
		t.Errorf("%+v", p)
	}
	if d := h.Days(); len(d) != 1 || d[0] != (Day{"2025-10-29", 4096, 2, 0}) {
		t.Errorf("%+v", d)
	}
}

func reopened(t *testing.T, h *History) *History {
	t.Helper()
	again, err := Decode(h.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// A clock that is set moves the past along: lengths stay true. Times without a monotonic reading only show that it was put back.
func TestAClockThatIsSet(t *testing.T) {
	see := func(h *History, at time.Time, temperature float64) {
		h.Observe(house(1, at, temperature, 20, gateway.Value{}), at)
	}
	t.Run("put back while it runs", func(t *testing.T) {
		h := &History{}
		see(h, evening, 19)
		see(h, evening.Add(10*time.Minute), 20)
		see(h, evening.Add(-5*time.Minute), 21)
		only(t, h, "15:15 19 20 unknown", "15:25 21 20 unknown")
		see(h, evening, 18)
		only(t, h, "15:15 19 20 unknown", "15:25 21 20 unknown", "15:30 18 20 unknown")
	})
	t.Run("behind the run before, then put right", func(t *testing.T) {
		h := &History{}
		see(h, evening, 19)
		see(h, evening.Add(10*time.Minute), 20)
		h = reopened(t, h)
		wrong := evening.Add(-24 * time.Hour)
		see(h, wrong, 17)
		if p := h.Points("r0", wrong.Add(-Length)); len(p) != 4 || !p[0].At.Equal(wrong.Add(-10*time.Minute-time.Second)) || !p[3].At.Equal(wrong) || p[2].Temperature.Known() {
			t.Errorf("the run before does not end where this one begins: %+v", p)
		}
		h.live(time.Minute, 25*time.Hour+time.Minute) // it is 16:30
		only(t, h, "15:30 19 20 unknown", "15:40 20 20 unknown", "15:40 unknown unknown unknown", "16:30 17 20 unknown")
	})
	t.Run("put back again, behind the run before", func(t *testing.T) {
		h := &History{}
		see(h, evening, 19)
		h = reopened(t, h)
		see(h, evening.Add(10*time.Minute), 17)
		h.live(0, -time.Hour)
		if p := h.Points("r0", evening.Add(-Length)); len(p) != 3 || !p[2].At.Equal(evening.Add(-50*time.Minute)) || !p[0].At.Before(p[2].At) {
			t.Errorf("%+v", p)
		}
		h.live(0, time.Hour)
		only(t, h, "15:30 19 20 unknown", "15:30 unknown unknown unknown", "15:40 17 20 unknown")
	})
	t.Run("in 1970, then put right", func(t *testing.T) {
		h := &History{}
		start := time.Unix(3, 0)
		see(h, start, 19)
		see(h, start.Add(10*time.Minute), 20)
		h.live(0, evening.Sub(start.Add(10*time.Minute)))
		only(t, h, "15:20 19 20 unknown", "15:30 20 20 unknown")
		h.live(0, -100*365*24*time.Hour)
		if h.begun == 0 {
			t.Error("a run that began before 1970 has not begun")
		}
	})
	t.Run("a second here and there is not one that was set", func(t *testing.T) {
		h := &History{}
		see(h, evening, 19)
		h.live(time.Hour, time.Hour+20*time.Second)
		see(h, evening.Add(-10*time.Second), 21)
		only(t, h, "15:30 21 20 unknown")
	})
}

func TestMemoryIsBounded(t *testing.T) {
	for _, rooms := range []int{1, 20, 100, 300} {
		h := &History{}
		noise := rand.New(rand.NewPCG(1, 2))
		before := inUse()
		var s gateway.State
		for second := 0; second < 60*60*60; second += 20 { // 60 h in which everything changes all the time
			at := evening.Add(time.Duration(second) * time.Second)
			if wants := now(h, at); wants {
				s = noisy(rooms, at, noise)
			}
			h.Observe(s, at)
		}
		s = gateway.State{}
		took := int64(inUse() - before)
		file := len(h.Encode())
		points := len(h.rooms["r0"])
		t.Logf("%d rooms: %d kB of memory, %d points each, one in %v, file of %d kB", rooms, took/1000, points, h.pace(), file/1000)
		if most := int64(300_000); rooms <= 20 && took > most || took > 500_000 || file > MostBytes {
			t.Errorf("%d rooms take %d bytes, and %d in a file", rooms, took, file)
		}
		reopened(t, h)
		runtime.KeepAlive(h)
		runtime.KeepAlive(s)
	}
}

// noisy is a house in which nothing stays.
func noisy(rooms int, at time.Time, noise *rand.Rand) gateway.State {
	var s gateway.State
	for i := range rooms {
		id := gateway.RoomID(fmt.Sprintf("r%d", i))
		s.Rooms = s.Rooms.With(id, gateway.Room{ID: id, Temperature: gateway.Measure{Value: gateway.Number(15 + noise.Float64()*9), At: at},
			Target: gateway.Aim{Value: gateway.Number(15 + noise.Float64()*9)}, Heating: gateway.Number(noise.Float64() * 100)})
	}
	return s
}

// now reports whether the next look is one at the rooms, so that the test need not make states that nobody samples.
func now(h *History, at time.Time) bool {
	return h.sampled.IsZero() || at.Sub(h.sampled) >= h.pace()
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestMoreRoomsThinOutWhatIsThere(t *testing.T) {
	h := &History{}
	for minute := 0; minute < 48*60; minute += 2 {
		at := evening.Add(time.Duration(minute) * time.Minute)
		h.Observe(house(1, at, 18+float64(minute%7)/5, 20, gateway.Value{}), at)
	}
	if n := len(h.rooms["r0"]); n < 1300 {
		t.Fatalf("%d points", n)
	}
	at := evening.Add(48 * time.Hour)
	h.Observe(house(100, at, 19, 20, gateway.Value{}), at)
	if all := h.rooms["r0"]; len(all) > mostPoints/100 || len(all) < 100 || all[0].at > seconds(evening.Add(time.Hour)) {
		t.Errorf("%d points, the first at %d", len(all), all[0].at)
	}
}

func TestNothingIsAllocatedWhileNothingIsSampled(t *testing.T) {
	h := &History{}
	s := house(20, evening, 19, 20, gateway.Flag(true))
	h.Observe(s, evening)
	at := evening
	if n := testing.AllocsPerRun(1000, func() { at = at.Add(time.Millisecond); h.Observe(s, at) }); n > 0 {
		t.Errorf("%v allocations a State", n)
	}
}

func BenchmarkObserveBetweenSamples(b *testing.B) {
	h := &History{}
	s := house(20, evening, 19, 20, gateway.Flag(true))
	b.ReportAllocs()
	for b.Loop() {
		h.Observe(s, evening)
	}
}

func BenchmarkObserveSample(b *testing.B) {
	h := &History{}
	s := house(20, evening, 19, 20, gateway.Flag(true))
	at := evening
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(Every)
		h.Observe(s, at)
	}
}

func TestWritesAreCountedByDay(t *testing.T) {
	h := &History{}
	midnight := time.Date(2025, 10, 30, 0, 0, 0, 0, time.UTC)
	h.Count(1000, 1, midnight.Add(-20*time.Minute)) // since the start of the program
	h.Count(5000, 5, midnight.Add(-10*time.Minute))
	h.Count(6000, 6, midnight.Add(10*time.Minute))
	h.Count(100, 1, midnight.Add(20*time.Minute)) // another count begins
	h.Count(400, 2, midnight.Add(30*time.Minute))
	if got, want := h.Days(), []Day{{"2025-10-29", 5000, 5, 600}, {"2025-10-30", 1300, 2, 2400}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for day := range 60 {
		h.Count(400, 2, midnight.AddDate(0, 0, day))
	}
	if d := h.Days(); len(d) != mostDays || d[mostDays-1].Date != "2025-12-28" {
		t.Errorf("%d days to %s", len(d), d[len(d)-1].Date)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	h := &History{}
	h.Observe(house(3, evening, 19, 20, gateway.Value{}), evening)
	h.Count(1, 1, evening)
	file := h.Encode()
	if _, err := Decode(file); err != nil {
		t.Fatal(err)
	}
	head := 10 // of gzip: its time and its system say nothing
	for i := range file {
		damaged := append([]byte{}, file...)
		damaged[i] ^= 0x11
		if _, err := Decode(damaged); err == nil && i >= head {
			t.Errorf("byte %d changed is not noticed", i)
		}
		if _, err := Decode(file[:i]); err == nil {
			t.Errorf("cut off at %d is not noticed", i)
		}
	}
	for name, text := range map[string]string{
		"another form":            `{"form":2,"until":5}`,
		"no end":                  `{"form":1}`,
		"a point after the end":   `{"form":1,"until":5,"rooms":{"r":[[6,0,0,0,0]]}}`,
		"a sum that overflows":    `{"form":1,"until":5,"rooms":{"r":[[4,0,0,0,0],[4294967295,0,0,0,0]]}}`,
		"a phase that is none":    `{"form":1,"until":5,"rooms":{"r":[[1,0,0,0,5]]}}`,
		"more than all heat":      `{"form":1,"until":5,"rooms":{"r":[[1,0,0,101,1]]}}`,
		"a temperature too large": `{"form":1,"until":5,"rooms":{"r":[[1,65536,0,0,1]]}}`,
		"a day that is none":      `{"form":1,"until":5,"days":[{"date":"yesterday"}]}`,
		"days out of order":       `{"form":1,"until":5,"days":[{"date":"2025-10-02"},{"date":"2025-10-01"}]}`,
	} {
		if _, err := Decode(sealed([]byte(text))); err != errBounds {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecode holds that whatever stands in a file, even with a right sum, gives bounds or an error, and that what was read can be
// gone on with and written again.
func FuzzDecode(f *testing.F) {
	h := &History{}
	h.Observe(house(2, evening, 19, 20, gateway.Flag(true)), evening)
	h.Observe(house(3, evening.Add(time.Hour), 18, 21, gateway.Number(30)), evening.Add(time.Hour))
	h.Count(12345, 7, evening)
	r, err := gzip.NewReader(bytes.NewReader(h.Encode()))
	if err != nil {
		f.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"form":1,"until":1761751800,"rooms":{"r":[[4294967295,1,2,3,4]]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := Decode(sealed(body))
		if err != nil {
			return
		}
		if len(h.rooms) > mostRooms || len(h.days) > mostDays {
			t.Fatalf("%d rooms, %d days", len(h.rooms), len(h.days))
		}
		for id, all := range h.rooms {
			for i, p := range all {
				if i > 0 && p.at < all[i-1].at || p.at > h.ended || p.heating > 100 {
					t.Fatalf("%q: %+v", id, all)
				}
			}
		}
		for _, clock := range []time.Duration{0, -time.Hour, 10 * 24 * time.Hour} {
			h.Observe(house(2, evening, 18, 21, gateway.Number(30)), evening.Add(clock))
		}
		h.Count(1, 1, evening)
		if _, err := Decode(h.Encode()); err != nil {
			t.Fatalf("it cannot be read again: %v", err)
		}
	})
}

// sealed is a file with that text and its sum.
func sealed(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.Bytes()
}
