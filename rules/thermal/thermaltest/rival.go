package thermaltest

import (
	"time"

	"github.com/veilleuse/veilleuse/rules/thermal"
)

// Hysteresis is Home Assistant's generic thermostat with equal tolerances.
func Hysteresis(tolerance float64) Controller {
	on := false
	return func(s Sight) Order {
		switch {
		case s.Temperature < s.Target-tolerance:
			on = true
		case s.Temperature > s.Target+tolerance:
			on = false
		}
		return power(on)
	}
}

func power(on bool) Order {
	if on {
		return Order{Power: 1}
	}
	return Order{}
}

// TPI is Versatile Thermostat's: 0.6/K inside and 0.01/K outside, a cycle of 5 min, least on-time 10 s.
func TPI(cycle time.Duration) Controller {
	begun, duty := time.Time{}, 0.0
	return func(s Sight) Order {
		if s.At.Sub(begun) >= cycle {
			begun = s.At
			duty = min(max(0.6*(s.Target-s.Temperature)+0.01*(s.Target-s.Outdoor), 0), 1)
		}
		return power(s.At.Sub(begun).Minutes()+0.5 < duty*cycle.Minutes())
	}
}

// Vendor is a thermostat like those that watch over the weather: it begins early, then holds by
// hysteresis or by PI in cycles of 15 min.
func Vendor(kind thermal.Kind, pi bool) Controller {
	early := time.Hour
	if kind == thermal.Floor {
		early = 3 * time.Hour
	}
	on, sum, duty, begun := false, 0.3, 0.0, time.Time{}
	return func(s Sight) Order {
		target := s.Target
		if left := s.Next.Sub(s.At); left < time.Duration(float64(early)*min((s.NextTarget-s.Temperature)/2, 2)) {
			target = max(target, s.NextTarget)
		}
		if !pi {
			if s.Temperature < target-0.2 {
				on = true
			} else if s.Temperature > target+0.2 {
				on = false
			}
			return power(on)
		}
		if s.At.Sub(begun) >= 15*time.Minute {
			begun = s.At
			e := target - s.Temperature
			if duty = 0.5*e + sum; duty > 0 && duty < 1 {
				sum = min(max(sum+0.04*e, 0), 1)
			}
			duty = min(max(duty, 0), 1)
		}
		return power(s.At.Sub(begun).Minutes()+0.5 < duty*15)
	}
}
