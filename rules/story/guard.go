package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// guard reads how the house is guarded: guard exit=45s entry=30s sirens=3m door=away,night,entrance glass=always.
func (s *Story) guard(words []string) error {
	plan := &s.state.Home.Guard
	delays := map[string]*time.Duration{"exit": &plan.Exit, "entry": &plan.Entry, "sirens": &plan.Sirens}
	for _, w := range words {
		name, what, _ := strings.Cut(w, "=")
		if at, ok := delays[name]; ok {
			var err error
			if *at, err = time.ParseDuration(what); err != nil {
				return fmt.Errorf("%s is not a duration as in exit=45s", w)
			}
			continue
		}
		sensor := gateway.GuardSensor{Of: name}
		for word := range strings.SplitSeq(what, ",") {
			switch mode := gateway.GuardMode(word); {
			case word == "entrance":
				sensor.Entrance = true
			case word == "always":
				sensor.Always = true
			case slices.Contains(gateway.GuardModes, mode):
				sensor.Modes = append(sensor.Modes, mode)
			default:
				return fmt.Errorf("a sensor counts in stay, away, night or always, and may be an entrance, as in door=away,entrance, not %q", w)
			}
		}
		plan.Sensors = append(plan.Sensors, sensor)
	}
	return nil
}
