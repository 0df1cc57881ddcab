package thermaltest

import (
	"math"

	"github.com/veilleuse/veilleuse/rules/thermal"
)

// Plant is a zone in motion.
type Plant struct {
	Zone
	Ti, Tw, Tm, Tf float64 // °C
	Store          float64 // °C of water or slab; W that a convector gives
	Full           bool    // the boiler's own thermostat holds it off: the water is hot enough
	Heat           float64 // J given by the source
}

const (
	substep = 30.0 // s
	ground  = 10.0 // °C
)

// NewPlant returns a zone that has long been at the given temperature, with outdoors at the other.
func NewPlant(z Zone, indoor, outdoor float64) *Plant {
	p := &Plant{Zone: z, Ti: indoor, Tm: indoor, Store: indoor}
	p.Tw = (z.Hw*indoor + z.Uw*outdoor) / (z.Hw + z.Uw)
	p.Tf = (z.Hf*indoor + z.Uf*ground) / (z.Hf + z.Uf)
	if z.Kind == thermal.Electric {
		p.Store = 0
	}
	return p
}

// Minute lets a minute pass with the given part of the source's power, 0..1.
func (p *Plant) Minute(power, outdoor, sun, gains float64) {
	for range int(60 / substep) {
		p.flow(p.emit(power), outdoor, sun, gains)
	}
}

// emit lets the source charge the emitter and returns what it gives to the room, in W.
func (p *Plant) emit(power float64) float64 {
	given := power * p.Source
	switch p.Kind {
	case thermal.Radiator:
		if p.Full = p.Store+hot(p.Full) > p.Limit; p.Full {
			given = 0
		}
		out := p.Emitter * math.Pow(max(p.Store-p.Ti, 0)/50, 1.3)
		p.Store += (given - out) * substep / p.Zone.Store
		p.Heat += given * substep
		return out
	case thermal.Floor:
		given = min(given, max(0, 700*(p.Limit-p.Store)))
		out := p.Emitter * (p.Store - p.Ti)
		p.Store += (given - out) * substep / p.Zone.Store
		p.Heat += given * substep
		return out
	default:
		p.Store += (given - p.Store) * substep / p.Zone.Store
		p.Heat += given * substep
		return p.Store
	}
}

// hot is how far below its limit the boiler comes on again.
func hot(full bool) float64 {
	if full {
		return 6
	}
	return 0
}

func (p *Plant) flow(heat, outdoor, sun, gains float64) {
	z := p.Zone
	solar := sun * z.Aperture
	walls, mass, floor := z.Hw*(p.Tw-p.Ti), z.Hm*(p.Tm-p.Ti), z.Hf*(p.Tf-p.Ti)
	p.Ti += (walls + mass + floor + z.Hinf*(outdoor-p.Ti) + heat + gains + 0.5*solar) * substep / z.Ci
	p.Tw += (z.Uw*(outdoor-p.Tw) - walls) * substep / z.Cw
	p.Tm += (0.5*solar - mass) * substep / z.Cm
	p.Tf += (z.Uf*(ground-p.Tf) - floor) * substep / z.Cf
}

// inner is the heat of people and appliances at a minute of the day.
func (z Zone) inner(minute int) float64 {
	hour := float64(minute) / 60
	gains := z.Gains * 0.7
	if hour >= 7 && hour < 8.5 || hour >= 17 && hour < 23 {
		gains = z.Gains * 1.5
	}
	if hour >= 18.5 && hour < 19.5 {
		gains += z.Cooking
	}
	return gains
}
