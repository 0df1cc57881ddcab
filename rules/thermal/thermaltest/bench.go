package thermaltest

import (
	"fmt"
	"strings"

	"github.com/veilleuse/veilleuse/rules/thermal"
)

// Case is a weather and a sensor in which all zones are run.
type Case struct {
	Name   string
	Mild   bool
	Sensor Sensor
	Watch  int // weeks of watching
	Before int // weeks in charge before the scored one
}

// Rival is a named kind of controller.
type Rival struct {
	Name string
	Make func(Zone) Controller
}

// Rivals are the thermostats that the learner is compared with.
func Rivals() []Rival {
	return []Rival{
		{"hysteresis 0.5", func(Zone) Controller { return Hysteresis(0.5) }},
		{"hysteresis 0.2", func(Zone) Controller { return Hysteresis(0.2) }},
		{"TPI as shipped", func(Zone) Controller { return TPI(5 * 60e9) }},
	}
}

// Learning is the controller under test, on a relay.
var Learning = Rival{"learning", func(z Zone) Controller { return Learner(thermal.Settings{Kind: z.Kind}) }}

// Run makes the run of one zone in this case.
func (c Case) Run(z Zone, rival Rival, seed uint64) Run {
	w := Cold(c.Watch+c.Before, seed)
	if c.Mild {
		w = Mild(c.Watch+c.Before, seed)
	}
	return Run{Zone: z, Weather: w, Sensor: c.Sensor, Seed: seed, Watch: c.Watch * 10080, From: (c.Watch + c.Before) * 10080,
		Vendor: Vendor(z.Kind, seed%2 == 1), Charge: rival.Make(z)}
}

// Line runs the zones and returns their sum of errors, the worst, and a row for the table.
func (c Case) Line(zones []Zone, rival Rival, seed uint64) (sum, worst float64, row string) {
	var cells strings.Builder
	for i, z := range zones {
		run := c.Run(z, rival, seed+uint64(i)*1000)
		r := run.Do()
		sum, worst = sum+r.Err, max(worst, r.Err)
		ideal := run.Ideal()
		fmt.Fprintf(&cells, " | %5.1f / %.1f / %3.0f / %+.1f", r.Err, r.Over, r.Starts, 100*(r.Heat/ideal-1))
	}
	return sum, worst, fmt.Sprintf("%-15s%s | %5.1f", rival.Name, cells.String(), sum)
}

// Valve is the controller under test on an actuator that takes the duty itself.
var Valve = Rival{"on valves", func(z Zone) Controller { return Learner(thermal.Settings{Kind: z.Kind, Continuous: true}) }}
