package thermal

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 12, 8, 0, 0, 0, time.UTC)

func TestReadingThatCannotBeTrue(t *testing.T) {
	for _, c := range []struct {
		name  string
		value float64
		after time.Duration
		taken bool
		says  string
	}{
		{"ordinary", 20.3, time.Minute, true, ""},
		{"none", math.NaN(), time.Minute, false, "no temperature"},
		{"power-on code of a DS18B20", 85, time.Minute, false, "85.0"},
		{"cut wire of a DS18B20", -127, time.Minute, false, "-127.0"},
		{"endless", math.Inf(1), time.Minute, false, "no room"},
		{"leap", 24, time.Minute, false, "leapt from 20.0 to 24.0"},
		{"the same far away, later", 24, 3 * time.Minute, true, ""},
	} {
		var n sensor
		n.take(Input{Temperature: 20}, start.Unix())
		now := start.Add(c.after).Unix()
		n.take(Input{Temperature: c.value}, now)
		if taken := n.Measured == now; taken != c.taken {
			t.Errorf("%s: taken is %v, want %v", c.name, taken, c.taken)
		}
		if c.says != "" && !strings.Contains(n.complaint(now), c.says) {
			t.Errorf("%s: %q does not say %q", c.name, n.complaint(now), c.says)
		}
	}
}

func TestPatienceFollowsTheSensorsOwnInterval(t *testing.T) {
	for _, c := range []struct {
		every time.Duration
		want  int64
	}{{time.Minute, 20 * 60}, {10 * time.Minute, 30 * 60}, {30 * time.Minute, 60 * 60}} {
		var n sensor
		for k := range 30 {
			n.take(Input{Temperature: 20}, start.Add(time.Duration(k)*c.every).Unix())
		}
		if n.patience() != c.want {
			t.Errorf("a reading every %s is stale after %d s, want %d", c.every, n.patience(), c.want)
		}
	}
}

// A reading from the future counts as one of now, an older one than the last is no news.
func TestReadingsOutOfOrder(t *testing.T) {
	var n sensor
	n.take(Input{Temperature: 20, Measured: start.Add(time.Hour)}, start.Unix())
	if n.Measured != start.Unix() {
		t.Error("a reading from the future was believed to be one")
	}
	n.take(Input{Temperature: 15, Measured: start.Add(-time.Hour)}, start.Unix()+60)
	if n.Value != 20 {
		t.Error("an old reading replaced a newer one")
	}
}

// The controllers inside are hostile; floor and cap hold all the same.
func TestGuardHoldsWhateverTheControllerSays(t *testing.T) {
	always := func(duty float64) controller {
		return func(*memory, Settings, Input, bool) Decision { return Decision{Duty: duty, Aim: 99} }
	}
	for _, c := range []struct {
		name      string
		inner     controller
		room      float64 // °C at the beginning
		low, high float64 // °C
	}{
		{"never heats", always(0), 12, 6.5, 12.1},
		{"less than nothing", always(-5), 12, 6.5, 12.1},
		{"no number", always(math.NaN()), 12, 6.5, 12.1},
		{"always heats", always(1), 18, 17.9, 24},
		{"more than all", always(1e9), 18, 17.9, 24},
	} {
		for _, continuous := range []bool{false, true} {
			var r Room
			room, s := c.room, Settings{Continuous: continuous}
			for k := range 3 * 1440 {
				var d Decision
				r, d = r.step(s, Input{At: start.Add(time.Duration(k) * time.Minute), Temperature: room, Target: 20, Heating: math.NaN()}, c.inner)
				if !(d.Duty >= 0 && d.Duty <= 1) {
					t.Fatalf("%s: duty %v", c.name, d.Duty)
				}
				heat := d.Duty
				if !continuous {
					heat = 0
					if d.On {
						heat = 1
					}
				}
				room += (0-room)/1800 + 0.03*heat // 54 K warmer if nobody stops it
				if room < c.low || room > c.high {
					t.Fatalf("%s: the room is at %.1f °C after %d min: %s", c.name, room, k, d.Why)
				}
			}
		}
	}
}

func TestCapHoldsAlsoWhenMoreIsWished(t *testing.T) {
	r, d := Room{}.Step(Settings{Cap: 22}, Input{At: start, Temperature: 22, Target: 30})
	if d.On || d.Duty != 0 || !strings.Contains(d.Why, "not heated above 22.0") {
		t.Errorf("at the cap: %+v", d)
	}
	if _, d = r.Step(Settings{Cap: 22}, Input{At: start.Add(time.Hour), Temperature: 21, Target: 30}); !d.On {
		t.Errorf("below the cap: %+v", d)
	}
}

// heated returns a room that was watched for two days with the given heat in comfort and else.
func heated(comfort, setback float64) Room {
	var r Room
	for k := range 2 * 1440 {
		at := start.Add(time.Duration(k-2*1440) * time.Minute)
		in := Input{At: at, Temperature: 20 + 0.2*math.Sin(float64(k)/60), Target: 17, Heating: setback, Watching: true}
		if h := at.Hour(); h >= 8 && h < 20 {
			in.Target, in.Heating = 20, comfort
		}
		r, _ = r.Step(Settings{}, in)
	}
	return r
}

func TestHeldDuty(t *testing.T) {
	for _, c := range []struct {
		name             string
		comfort, setback float64
		target           float64
		after            time.Duration
		want             float64
	}{
		{"comfort", 0.5, 0.2, 20, time.Hour, 0.5},
		{"setback", 0.5, 0.2, 17, time.Hour, 0.2},
		{"neither seen: all of the day", 0.6, 0.2, 23, time.Hour, 0.4},
		{"capped", 1, 0.2, 20, time.Hour, 0.8},
		{"a day later", 0.5, 0.2, 20, 24 * time.Hour, 0.45},
	} {
		r := heated(c.comfort, c.setback)
		var d Decision
		for at := start; !at.After(start.Add(c.after)); at = at.Add(time.Minute) {
			r, d = r.Step(Settings{}, Input{At: at, Temperature: math.NaN(), Target: c.target, Heating: math.NaN()})
		}
		if math.Abs(d.Duty-c.want) > 0.03 {
			t.Errorf("%s: held duty %.2f, want %.2f (%s)", c.name, d.Duty, c.want, d.Why)
		}
		if d.Fault == "" {
			t.Errorf("%s: nobody is told", c.name)
		}
	}
}

func TestRoomThatWasNeverMeasuredIsHeatedALittle(t *testing.T) {
	_, d := Room{}.Step(Settings{}, Input{At: start, Temperature: 85, Target: 20})
	if d.Duty != unknownDuty || d.Fault == "" || d.Why == "" {
		t.Errorf("%+v", d)
	}
}

func TestFrozenSensorIsDoubted(t *testing.T) {
	var r Room
	var d Decision
	for k := range 120 {
		r, d = r.Step(Settings{}, Input{At: start.Add(time.Duration(k) * time.Minute), Temperature: 17, Target: 20, Heating: 1})
	}
	if !strings.Contains(d.Fault, "stood at 17.0") {
		t.Errorf("a sensor that never moves although heated: %+v", d)
	}
	for k := range 10 {
		r, d = r.Step(Settings{}, Input{At: start.Add(time.Duration(120+k) * time.Minute), Temperature: 18, Target: 20, Heating: 1})
	}
	if strings.Contains(d.Fault, "stood") {
		t.Errorf("it has moved: %+v", d)
	}
}

func TestWindowStopsHeatForHalfAnHour(t *testing.T) {
	var r Room
	var d Decision
	temperature, off := 19.5, 0
	for k := range 240 {
		if k > 120 {
			temperature -= 0.06 // 3.6 K/h
		}
		r, d = r.Step(Settings{}, Input{At: start.Add(time.Duration(k) * time.Minute), Temperature: temperature, Target: 20, Heating: math.NaN()})
		if strings.Contains(d.Why, "window") {
			off++
		}
	}
	if off < 25 || off > 65 {
		t.Errorf("off for %d min in two hours of falling, want half an hour, then none for half an hour", off)
	}
}

func TestRelayThatSticksIsReported(t *testing.T) {
	var r Room
	var d Decision
	for k := range 20 {
		r, d = r.Step(Settings{}, Input{At: start.Add(time.Duration(k) * time.Minute), Temperature: 21, Target: 20, Heating: 1})
	}
	if !strings.Contains(d.Fault, "none is ordered") {
		t.Errorf("%+v", d)
	}
}

func TestRelayKeepsItsTimesAndOwesTheRest(t *testing.T) {
	for _, kind := range []Kind{Radiator, Floor, Electric} {
		s := Settings{Kind: kind}.whole()
		for _, duty := range []float64{0, 0.03, 0.1, 0.33, 0.8, 0.97, 1} {
			var r relay
			given, changed, on := 0.0, int64(0), false
			const n = 40000
			for k := range n {
				now := start.Unix() + int64(k)*30
				if r.follow(s, now, duty, false) != on {
					least := int64(s.MinOn.Seconds())
					if !on {
						least = int64(s.MinOff.Seconds())
					}
					if changed != 0 && now-changed < least {
						t.Fatalf("%s at %.2f: switched after %d s, at least %d", kind, duty, now-changed, least)
					}
					on, changed = !on, now
				}
				if on {
					given++
				}
			}
			if math.Abs(given/n-duty) > 0.04 {
				t.Errorf("%s: a duty of %.2f gave %.3f", kind, duty, given/n)
			}
		}
	}
}

func TestClockSetBack(t *testing.T) {
	r := heated(0.5, 0.2)
	length := r.memory.Seen.length()
	back := start.Add(-30 * 24 * time.Hour)
	var d Decision
	for k := range 30 {
		r, d = r.Step(Settings{}, Input{At: back.Add(time.Duration(k) * time.Minute), Temperature: 20, Target: 22, Heating: math.NaN()})
	}
	if !d.On {
		t.Errorf("the clock was set back by a month, and the room is not heated: %+v", d)
	}
	if got := r.memory.Seen.length(); got < length || got > length+8 {
		t.Errorf("%d samples before, %d after", length, got)
	}
}

func TestDamagedRoomIsRefused(t *testing.T) {
	r := heated(0.5, 0.2)
	before := r
	for _, text := range []string{``, `{`, `{"seen":{"pages":["!"]}}`, `{"seen":{"pages":["AAA="]}}`, `{"model":7}`, `{"model":{"gain":1,"lag":0}}`} {
		if err := r.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%q was taken for a room", text)
		}
		if r != before {
			t.Fatalf("%q changed the room", text)
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again Room
	if err := json.Unmarshal(data, &again); err != nil || again != r {
		t.Errorf("a room comes back from the store as another (%v)", err)
	}
}

// FuzzStep throws readings and times at a room: never no number, never an order outside of its range.
func FuzzStep(f *testing.F) {
	f.Add(20.0, 21.0, 0.5, int64(60), true)
	f.Add(math.NaN(), math.NaN(), math.NaN(), int64(-1<<40), false)
	f.Add(85.0, math.Inf(1), 2.0, int64(1<<50), false)
	f.Fuzz(func(t *testing.T, temperature, target, heating float64, step int64, watching bool) {
		r, at := Room{}, start
		for k := range 40 {
			var d Decision
			in := Input{At: at, Temperature: temperature, Target: target, NextTarget: target, Next: at.Add(time.Hour), Heating: heating, Watching: watching && k%2 == 0}
			r, d = r.Step(Settings{}, in)
			if !(d.Duty >= 0 && d.Duty <= 1) || d.Why == "" {
				t.Fatalf("%+v", d)
			}
			at = at.Add(time.Duration(step % (1 << 33)))
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRelaySaysWhenItEnds(t *testing.T) {
	now := start.Unix()
	for _, c := range []struct {
		duty float64
		want time.Duration
	}{{0, 0}, {0.2, 4 * time.Minute}, {0.5, 10 * time.Minute}, {1, 15 * time.Minute}} {
		var r relay
		on := r.follow(Settings{}.whole(), now, c.duty, false)
		if ends := r.ends(now); on != !ends.IsZero() || on && ends.Sub(start) != c.want {
			t.Errorf("duty %.1f: on is %v, ends at %s, want %s later", c.duty, on, ends, c.want)
		}
	}
}
