// Package thermaltest is a bench for controllers of rooms: simulated zones in simulated weather.
//
//	go test ./rules/thermal -run 'TestBench|TestRandomZones' -long -seed 7 -zones 20 -v
//
// runs the learner and the thermostats it is compared with, and prints the tables.
//
// The zones are those of G. Reynders 2015 (doi 10.13140/RG.2.1.3630.2805) as energyville/modesto gives
// them; sources, emitters, windows and the heat of people are assumptions.
package thermaltest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/veilleuse/veilleuse/rules/thermal"
)

// Zone is a room or a house that is heated as one.
type Zone struct {
	Name string
	Kind thermal.Kind

	// Capacities in J/K: air and furniture, outer walls, inner mass, floor.
	Ci, Cw, Cm, Cf float64
	// Conductances in W/K: air to outdoors, air to walls, walls to outdoors, air to mass, air to floor,
	// floor to ground.
	Hinf, Hw, Uw, Hm, Hf, Uf float64

	Source   float64 // W that the source gives while it is on
	Emitter  float64 // W at 50 K of a radiator; W/K between slab and room
	Store    float64 // J/K of water and steel, slab or convector
	Limit    float64 // °C of water (radiators) or of the water that feeds the slab
	Aperture float64 // m² of window that let the sun in
	Gains    float64 // W of people and appliances, on the mean
	Cooking  float64 // W more from 18:30 to 19:30

	Comfort, Setback float64 // °C
}

// Five are the zones of the benchmark.
func Five() []Zone {
	return []Zone{
		radiators(Zone{Name: "S1 typical", Ci: 2.01e6, Cw: 23.1e6, Cm: 34.1e6, Cf: 15.4e6,
			Hinf: 213, Hw: 503, Uw: 130, Hm: 600, Hf: 442, Uf: 61.6, Source: 18000, Emitter: 16000, Aperture: 5, Gains: 470, Cooking: 900}),
		radiators(Zone{Name: "S2 oversized", Ci: 0.90e6, Cw: 5.51e6, Cm: 13.5e6, Cf: 6.88e6,
			Hinf: 75, Hw: 56.1, Uw: 11.1, Hm: 260, Hf: 129, Uf: 20.5, Source: 18000, Emitter: 7000, Aperture: 3, Gains: 300, Cooking: 450}),
		slab(Zone{Name: "S3 floor", Ci: 1.42e6, Cw: 6.99e6, Cm: 9.03e6, Cf: 9.02e6,
			Hinf: 111, Hw: 120, Uw: 11.3, Hm: 291, Hf: 349, Uf: 16, Source: 6000, Emitter: 500, Aperture: 4, Gains: 300, Cooking: 450}),
		radiators(Zone{Name: "S4 leaky", Ci: 1.83e6, Cw: 31.6e6, Cm: 34.4e6, Cf: 14.1e6,
			Hinf: 272, Hw: 556, Uw: 631, Hm: 606, Hf: 403, Uf: 114, Source: 28000, Emitter: 26000, Aperture: 5, Gains: 470, Cooking: 900}),
		convector(Zone{Name: "S5 electric", Ci: 0.18e6, Cw: 1.10e6, Cm: 2.71e6, Cf: 1.38e6,
			Hinf: 15, Hw: 11.2, Uw: 2.22, Hm: 52, Hf: 25.8, Uf: 4.1, Source: 1250, Emitter: 1, Aperture: 1, Gains: 60, Cooking: 0}),
	}
}

// radiators fills in water and steel: 5.8e-6 m³/W and 0.0263 kg/W (Modelica Buildings,
// RadiatorEN442_2) and 30 % for pipes.
func radiators(z Zone) Zone {
	z.Kind, z.Limit, z.Comfort, z.Setback = thermal.Radiator, 65, 20, 17
	z.Store = 1.3 * z.Emitter * (5.8e-6*4.18e6 + 0.0263*490)
	return z
}

func slab(z Zone) Zone {
	z.Kind, z.Limit, z.Comfort, z.Setback = thermal.Floor, 40, 20.5, 19
	if z.Store == 0 {
		z.Store = 6e6
	}
	return z
}

func convector(z Zone) Zone {
	z.Kind, z.Limit, z.Comfort, z.Setback = thermal.Electric, math.Inf(1), 20, 17
	if z.Store == 0 {
		z.Store = 480 // reached by first order within 8 min
	}
	return z
}

// Random draws n zones: one of the five, with other losses, capacities, source and store.
func Random(seed uint64, n int) []Zone {
	draw := rand.New(rand.NewPCG(seed, 0x7a6f6e65))
	around := func(spread float64) float64 { return math.Exp((2*draw.Float64() - 1) * math.Log(spread)) }
	var zones []Zone
	for i := range n {
		z := Five()[draw.IntN(5)]
		z.Name = fmt.Sprintf("%d %s", i, z.Name)
		losses, mass := around(1.4), around(1.6)
		z.Ci *= mass * around(1.3)
		z.Cw *= mass * around(1.5)
		z.Cm *= mass * around(1.5)
		z.Cf *= mass * around(1.5)
		z.Hinf *= losses * around(1.3)
		z.Uw *= losses * around(1.5)
		z.Uf *= losses * around(1.5)
		z.Hw *= around(1.3)
		z.Hm *= around(1.3)
		z.Hf *= around(1.3)
		z.Store *= around(1.5)
		z.Aperture *= around(1.4)
		z.Gains *= around(1.5)
		zones = append(zones, z.sized(around(1.35), around(1.3)))
	}
	return zones
}

// Losses is what the zone loses to outdoors and the ground in the long run, in W/K.
func (z Zone) Losses() float64 {
	return z.Hinf + 1/(1/z.Hw+1/z.Uw) + 1/(1/z.Hf+1/z.Uf)
}

// sized gives the zone a source and an emitter that can still heat it at -10 °C, with something to
// spare for a rise.
func (z Zone) sized(source, emitter float64) Zone {
	need := z.Losses() * 30
	switch z.Kind {
	case thermal.Radiator:
		old := z.Emitter
		z.Emitter = max(z.Emitter*emitter, 1.25*need)
		z.Store *= z.Emitter / old
		z.Source = max(z.Source*source, 1.3*need)
	case thermal.Floor:
		z.Emitter = max(z.Emitter*emitter, need/9)
		z.Source = max(z.Source*source, 1.35*need)
	default:
		z.Source = max(z.Source*source, 1.5*need)
	}
	return z
}
