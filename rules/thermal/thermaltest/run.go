package thermaltest

import (
	"math"

	"github.com/veilleuse/veilleuse/rules/thermal"
)

// Sight is what a controller sees each minute.
type Sight struct {
	thermal.Input
	Outdoor float64 // °C; only the rivals look at it
}

// Order is what a controller wants of the source until the next minute.
type Order struct {
	Power float64 // 0..1
	Lease int     // min after which the device ends it by itself
	Fault string
	Why   string
}

// Controller is asked once a minute.
type Controller func(Sight) Order

// Run is one zone under one controller. It is done once: its controllers remember.
type Run struct {
	Zone     Zone
	Weather  Weather
	Sensor   Sensor
	Seed     uint64
	Watch    int                                          // minutes at the beginning in which the vendor steers and the controller watches
	From     int                                          // the minute from which it is scored
	Start    float64                                      // °C at the beginning; 0: 19
	Vendor   Controller                                   // steers in Watch
	Charge   Controller                                   // the controller under test
	Distort  func(minute int, in Sight) Sight             // what goes wrong with the sensor
	Override func(minute int, power float64) float64      // what goes wrong with the actuator
	Trace    func(minute int, p *Plant, s Sight, o Order) // sees every minute
}

// Result is how a zone fared.
type Result struct {
	Err    float64 // K·h too cold in comfort slots, or more than 0.5 K too warm there without sun
	Cold   float64 // K·h of that which were too cold
	Over   float64 // K, the most above the setpoint in comfort slots without sun
	Starts float64 // of the source a day
	Heat   float64 // J
	Low    float64 // °C, the coldest minute
	High   float64 // °C, the warmest without sun
	Short  int     // s, the shortest time that the source was on
	RMS    float64 // K, from the setpoint in comfort slots
}

// Do runs it to the end of the weather.
func (r Run) Do() Result {
	start := r.Start
	if start == 0 {
		start = 19
	}
	p := NewPlant(r.Zone, start, r.Weather.Outdoor[0])
	probe := r.Sensor.probe(start, r.Seed)
	tally := tally{Result: Result{Low: math.Inf(1), High: math.Inf(-1), Short: math.MaxInt}}
	power := 0.0
	var slot slot
	for k := range r.Weather.Outdoor {
		if k == 0 || k >= slot.until {
			slot = slotAt(k)
		}
		sight := r.sight(k, slot, probe, p.Ti, power)
		if k < r.Watch {
			order := r.Vendor(sight)
			r.Charge(sight)
			power = order.Power
		} else {
			order := r.Charge(sight)
			power = order.Power
			if r.Override != nil {
				power = r.Override(k, power)
			}
			if r.Trace != nil {
				r.Trace(k, p, sight, order)
			}
		}
		before := p.Heat
		p.Minute(power, r.Weather.Outdoor[k], r.Weather.Sun[k], r.Zone.inner(k%1440))
		if k >= r.From {
			tally.minute(sight.Target, slot.comfort, p.Ti, r.Weather.Sun[k] > 50, power > 0)
			tally.Heat += p.Heat - before
		}
	}
	return tally.done()
}

func (r Run) sight(k int, slot slot, probe *probe, inside, power float64) Sight {
	target := r.Zone.Setback
	if slot.comfort {
		target = r.Zone.Comfort
	}
	shown, at := probe.see(k, inside)
	s := Sight{Outdoor: r.Weather.Outdoor[k], Input: thermal.Input{At: instant(k), Temperature: shown, Measured: instant(at), Target: target,
		Until: instant(slot.until), Next: instant(slot.next), NextTarget: r.Zone.Comfort, Heating: math.NaN(), Watching: k < r.Watch}}
	if s.Watching {
		s.Heating = power
	}
	if r.Distort != nil {
		s = r.Distort(k, s)
	}
	return s
}

// tally adds up a Result.
type tally struct {
	Result
	minutes, comfort float64
	square           float64
	on               int
	starts           float64
	seenOff          bool
}

func (t *tally) minute(target float64, comfort bool, inside float64, sun, on bool) {
	t.minutes++
	t.Low = min(t.Low, inside)
	if !sun {
		t.High = max(t.High, inside)
	}
	if comfort {
		t.comfort++
		t.square += (inside - target) * (inside - target)
		t.Cold += max(target-inside, 0) / 60
		if !sun {
			t.Over = max(t.Over, inside-target)
			t.Err += max(inside-target-0.5, 0) / 60
		}
	}
	switch {
	case on && t.on == 0 && t.seenOff:
		t.starts++
		t.on = 1
	case on && t.on > 0:
		t.on++
	case !on:
		if t.on > 0 {
			t.Short = min(t.Short, t.on*60)
		}
		t.on, t.seenOff = 0, true
	}
}

func (t *tally) done() Result {
	t.Err += t.Cold
	t.Starts = t.starts / (t.minutes / 1440)
	t.RMS = math.Sqrt(t.square / max(t.comfort, 1))
	return t.Result
}

// Ideal is the least heat that could have served: the source heats the air without any inertia, and
// begins as late as reaches the slot. From and the weather are as in the run.
func (r Run) Ideal() float64 {
	p := NewPlant(r.Zone, 19, r.Weather.Outdoor[0])
	var heat float64
	ahead := false
	for k := range r.Weather.Outdoor {
		slot := slotAt(k)
		target := r.Zone.Setback
		if slot.comfort {
			target, ahead = r.Zone.Comfort, false
		} else if k%10 == 0 && !ahead {
			ahead = slot.next-k <= 480 && !r.reaches(*p, k, slot.next)
		}
		if ahead {
			target = r.Zone.Comfort
		}
		given := r.airMinute(p, k, target)
		if k >= r.From {
			heat += given
		}
	}
	return heat
}

// airMinute heats the air itself towards target for a minute and returns the J it took.
func (r Run) airMinute(p *Plant, k int, target float64) float64 {
	var heat float64
	for range int(60 / substep) {
		before := *p
		p.flow(0, r.Weather.Outdoor[k], r.Weather.Sun[k], r.Zone.inner(k%1440))
		power := min(max((target-p.Ti)*r.Zone.Ci/substep, 0), r.Zone.most())
		*p = before
		p.flow(power, r.Weather.Outdoor[k], r.Weather.Sun[k], r.Zone.inner(k%1440))
		heat += power * substep
	}
	return heat
}

// most is what source and emitter can give together, in W.
func (z Zone) most() float64 {
	if z.Kind == thermal.Radiator {
		return min(z.Source, z.Emitter*math.Pow((z.Limit-z.Comfort)/50, 1.3))
	}
	return z.Source
}

// reaches reports whether heating that began ten minutes later would still be in time.
func (r Run) reaches(p Plant, k, next int) bool {
	for m := k; m < next && m < len(r.Weather.Outdoor); m++ {
		target := r.Zone.Comfort
		if m < k+10 {
			target = r.Zone.Setback
		}
		r.airMinute(&p, m, target)
	}
	return p.Ti >= r.Zone.Comfort-0.02
}

// Learner drives a thermal.Room as a relay, or as a valve if the settings say so.
func Learner(s thermal.Settings) Controller {
	var room thermal.Room
	return func(in Sight) Order {
		var d thermal.Decision
		room, d = room.Step(s, in.Input)
		o := Order{Power: d.Duty, Fault: d.Fault, Why: d.Why}
		if !s.Continuous {
			o.Power = 0
			if d.On {
				o.Power, o.Lease = 1, int(math.Ceil(d.Off.Sub(in.At).Minutes()))
			}
		}
		return o
	}
}
