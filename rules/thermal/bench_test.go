package thermal_test

import (
	"flag"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/rules/thermal"
	"github.com/veilleuse/veilleuse/rules/thermal/thermaltest"
)

var (
	seed  = flag.Uint64("seed", 1, "of weather, sensors and random zones")
	zones = flag.Int("zones", 20, "random zones with -long")
	long  = flag.Bool("long", false, "run the whole benchmark: some minutes")
)

var cold = thermaltest.Case{Name: "cold week after two weeks of watching", Sensor: thermaltest.Good, Watch: 2}

// TestBench holds the learner to the targets; with -long all of them, and the table beside.
func TestBench(t *testing.T) {
	if !*long {
		brief(t)
		return
	}
	t.Log("a cell is err K·h / over K / starts a day / heat % over ideal")
	for _, rival := range thermaltest.Rivals() {
		_, _, row := cold.Line(thermaltest.Five(), rival, *seed)
		t.Log(row)
	}
	_, _, row := cold.Line(thermaltest.Five(), thermaltest.Valve, *seed)
	t.Log(row)
	for _, c := range cases() {
		sum, worst, row := c.Line(thermaltest.Five(), thermaltest.Learning, *seed)
		t.Logf("%s: %s", c.Name, row)
		if sum > 30 || worst > 13 {
			t.Errorf("%s: sum %.1f K·h, at most 30; worst %.1f, at most 13", c.Name, sum, worst)
		}
	}
}

func cases() []thermaltest.Case {
	all := []thermaltest.Case{cold, cold, cold, cold, cold}
	all[1].Name, all[1].Mild = "mild week", true
	all[2].Name, all[2].Sensor = "sensor 20 min late", thermaltest.Slow
	all[3].Name, all[3].Sensor = "sensor in steps of 0.5 K", thermaltest.Coarse
	all[4].Name, all[4].Sensor = "sensor in steps of 0.2 K each 5 min", thermaltest.Rare
	return all
}

// brief runs two zones after a week of watching.
func brief(t *testing.T) {
	if racing || testing.Short() {
		t.Skip("the bench is run without the race detector and without -short")
	}
	c := cold
	c.Watch = 1
	for _, k := range []int{1, 4} {
		z := thermaltest.Five()[k]
		r := c.Run(z, thermaltest.Learning, *seed).Do()
		fixed := c.Run(z, thermaltest.Rival{Make: func(thermaltest.Zone) thermaltest.Controller { return thermaltest.Hysteresis(0.2) }}, *seed).Do()
		t.Logf("%s: %.1f K·h learning, %.1f by hysteresis; %.0f starts a day", z.Name, r.Err, fixed.Err, r.Starts)
		if r.Err > 13 || r.Err > fixed.Err/3 {
			t.Errorf("%s: %.1f K·h, at most 13 and a third of what hysteresis gives (%.1f)", z.Name, r.Err, fixed.Err)
		}
		if z.Kind != thermal.Electric && (r.Starts > 72 || r.Short < 240) {
			t.Errorf("%s: %.0f starts a day, the shortest heat %d s", z.Name, r.Starts, r.Short)
		}
	}
}

// TestRandomZones holds zones that nobody has tuned for to the targets. It runs with -long.
func TestRandomZones(t *testing.T) {
	if !*long {
		t.Skip("random zones are run with -long")
	}
	sum, worst, fixed := 0.0, 0.0, 0.0
	heat := map[thermal.Kind][]float64{}
	for i, z := range thermaltest.Random(*seed, *zones) {
		run := cold.Run(z, thermaltest.Learning, *seed*100+uint64(i))
		r := run.Do()
		h := cold.Run(z, thermaltest.Rivals()[1], *seed*100+uint64(i)).Do() // a Run is done once: its vendor remembers
		sum, worst, fixed = sum+r.Err, max(worst, r.Err), fixed+h.Err
		more := 100 * (r.Heat/run.Ideal() - 1)
		heat[z.Kind] = append(heat[z.Kind], more)
		t.Logf("%-16s err %5.1f (cold %.1f, hysteresis %.1f) over %.1f K, %3.0f starts, heat %+.1f %%, shortest %d s", z.Name, r.Err, r.Cold, h.Err, r.Over, r.Starts, more, r.Short)
	}
	five := 5 / float64(*zones)
	t.Logf("per five zones: %.1f K·h (hysteresis %.1f), worst %.1f", sum*five, fixed*five, worst)
	for kind, all := range heat {
		slices.Sort(all)
		t.Logf("heat over ideal, %s: median %+.1f %%, worst %+.1f %%", kind, all[len(all)/2], all[len(all)-1])
	}
	if sum*five > 30 || worst > 16 {
		t.Errorf("per five %.1f K·h, at most 30; worst %.1f, at most 16", sum*five, worst)
	}
}

// TestFirstWeek holds the first week on duty after two of watching: the median of ten seeds. -long.
func TestFirstWeek(t *testing.T) {
	if !*long {
		t.Skip("ten seeds are run with -long")
	}
	var sums []float64
	for s := range uint64(10) {
		sum, _, _ := cold.Line(thermaltest.Five(), thermaltest.Learning, *seed+s)
		sums = append(sums, sum)
	}
	slices.Sort(sums)
	t.Logf("sums of err: %.1f", sums)
	if median := (sums[4] + sums[5]) / 2; median > 25 {
		t.Errorf("median %.1f K·h, at most 25", median)
	}
}

// TestDayWithoutSensor takes the sensor away for 24 h of the cold week.
func TestDayWithoutSensor(t *testing.T) {
	if racing || testing.Short() {
		t.Skip("the bench is run without the race detector and without -short")
	}
	const lost = 10080 + 2*1440
	five := thermaltest.Five()
	if !*long {
		five = five[3:4]
	}
	for i, z := range five {
		c := cold
		c.Watch = 1
		run := c.Run(z, thermaltest.Learning, *seed+uint64(i)*1000)
		run.Weather.Outdoor = run.Weather.Outdoor[:lost+1440]
		run.From = lost
		run.Distort = func(k int, s thermaltest.Sight) thermaltest.Sight {
			if k >= lost {
				s.Temperature, s.Measured = math.NaN(), time.Time{}
			}
			return s
		}
		r := run.Do()
		t.Logf("%s: between %.1f and %.1f °C", z.Name, r.Low, r.High)
		most := 24.0
		if z.Kind == thermal.Electric {
			most = 26
		}
		if r.Low < 15.5 || r.High > most {
			t.Errorf("%s: between %.1f and %.1f °C in 24 h without a sensor", z.Name, r.Low, r.High)
		}
	}
}

// TestGatewayDiesWhileHeating lets the device's timer, set to Decision.Off, run out: from the first minute after
// 20:00 in which the relay is on. What the worst minute of the evening would have made is logged.
func TestGatewayDiesWhileHeating(t *testing.T) {
	if racing || testing.Short() {
		t.Skip("the bench is run without the race detector and without -short")
	}
	five := thermaltest.Five()
	if !*long {
		five = five[4:]
	}
	const evening = 10080 + 1440 + 1020
	for i, z := range five {
		c := cold
		c.Watch = 1
		run := c.Run(z, thermaltest.Learning, *seed+uint64(i)*1000)
		run.Weather.Outdoor = run.Weather.Outdoor[:evening+300]
		high, worst := 0.0, 0.0
		run.Trace = func(k int, p *thermaltest.Plant, s thermaltest.Sight, o thermaltest.Order) {
			if k < evening-30 || o.Power == 0 {
				return
			}
			top := leaseRunsOut(*p, s.Outdoor, o.Lease)
			if worst = max(worst, top); high == 0 && k >= evening+180 {
				high = top
			}
		}
		run.Do()
		t.Logf("%s: at most %.1f °C; %.1f at the worst minute of the evening", z.Name, high, worst)
		if high > 22 {
			t.Errorf("%s: the gateway died with the relay on, and the room reached %.1f °C", z.Name, high)
		}
	}
}

// leaseRunsOut heats on until the device's timer ends it and returns the highest temperature that follows.
func leaseRunsOut(p thermaltest.Plant, outdoor float64, lease int) (high float64) {
	for m := range 240 {
		power := 1.0
		if m >= lease {
			power = 0
		}
		p.Minute(power, outdoor, 0, p.Gains)
		high = max(high, p.Ti)
	}
	return high
}

// TestEveningOfTheOutage: on a mild evening the vendor goes at 17:50; nobody ought to feel it.
func TestEveningOfTheOutage(t *testing.T) {
	if racing || testing.Short() {
		t.Skip("the bench is run without the race detector and without -short")
	}
	five := thermaltest.Five()
	if !*long {
		five = five[1:2]
	}
	const gone = 10080 + 2*1440 + 1070
	for i, z := range five {
		c := cold
		c.Watch, c.Mild = 1, true
		run := c.Run(z, thermaltest.Learning, *seed+uint64(i)*1000)
		run.Weather.Outdoor = run.Weather.Outdoor[:gone+360]
		run.Watch, run.From = gone, gone
		here := run.Do()
		run = c.Run(z, thermaltest.Learning, *seed+uint64(i)*1000)
		run.Weather.Outdoor = run.Weather.Outdoor[:gone+360]
		run.Watch, run.From = gone+360, gone
		there := run.Do()
		t.Logf("%s: %.2f K·h by the gateway, %.2f by the vendor", z.Name, here.Err, there.Err)
		if here.Err > there.Err+0.5 {
			t.Errorf("%s: %.2f K·h by the gateway, %.2f by the vendor: at most 0.5 more", z.Name, here.Err, there.Err)
		}
	}
}

// BenchmarkStep is one decision at the end of a tick, the dearest kind.
func BenchmarkStep(b *testing.B) {
	room := watched(14)
	at := monday.Add((14*1440 + 700) * time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		room.Step(thermal.Settings{}, thermal.Input{At: at, Temperature: 19.5, Target: 20, Next: at.Add(3 * time.Hour), NextTarget: 21, Heating: math.NaN()})
	}
}

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// watched is a room that was watched for some days.
func watched(days int) thermal.Room {
	var room thermal.Room
	for k := range days*1440 + 700 {
		heat := 0.0
		if k/97%3 == 0 {
			heat = 1
		}
		room, _ = room.Step(thermal.Settings{}, thermal.Input{At: monday.Add(time.Duration(k) * time.Minute), Temperature: 18 + 2*math.Sin(float64(k)/97),
			Target: 20, Heating: heat, Watching: true})
	}
	return room
}

// TestRoomIsSmall bounds what is kept of a room.
func TestRoomIsSmall(t *testing.T) {
	if racing || testing.Short() {
		t.Skip("two weeks of minutes are run without the race detector and without -short")
	}
	data, err := watched(14).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of JSON after two weeks", len(data))
	if len(data) > 28000 {
		t.Errorf("%d bytes of JSON, at most 28000", len(data))
	}
}
