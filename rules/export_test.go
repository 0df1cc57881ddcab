package rules

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/thermal"
)

// StepUnder is Step with a controller that wants every room heated, or none, whatever it sees.
func StepUnder(heats bool) gateway.Step {
	mad := func(r thermal.Room, _ thermal.Settings, in thermal.Input) (thermal.Room, thermal.Decision) {
		d := thermal.Decision{On: heats, Hold: in.At.Add(1000 * time.Hour), Why: "madness"}
		if heats {
			d.Duty = 1
		}
		return r, d
	}
	return func(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) { return step(s, e, mad) }
}

// Words is how long something took, in words.
var Words = words
