package story

import (
	"fmt"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// alarmPlan reads the plan of the house's alarms: plan tell=mqtt sound=all/0s light=lamp/30s run=/bin/call/60s
// repeat=2m.
func (s *Story) alarmPlan(words []string) error {
	plan := &s.state.Home.AlarmPlan
	for _, w := range words {
		way, what, _ := strings.Cut(w, "=")
		of, after := what, time.Duration(0)
		if i := strings.LastIndex(what, "/"); i > 0 {
			var err error
			if after, err = time.ParseDuration(what[i+1:]); err == nil {
				of = what[:i]
			}
		}
		if way == "repeat" {
			var err error
			if plan.Repeat, err = time.ParseDuration(what); err != nil {
				return fmt.Errorf("repeat=%s is not a duration", what)
			}
			continue
		}
		switch step := (gateway.AlarmStep{Way: gateway.AlarmWay(way), Of: of, After: after}); step.Way {
		case gateway.WayTell, gateway.WaySound, gateway.WayLight, gateway.WayRun:
			plan.Steps = append(plan.Steps, step)
		default:
			return fmt.Errorf("a step is tell, sound, light or run, as in sound=all/30s, not %q", w)
		}
	}
	return nil
}

// silence reads after what silence detectors are at fault: silent NSD=192h.
func (s *Story) silence(words []string) error {
	limits := map[string]time.Duration{}
	for _, w := range words {
		model, text, _ := strings.Cut(w, "=")
		after, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%s is not a model and a duration as in NSD=192h", w)
		}
		limits[model] = after
	}
	s.state.Home.SilentAfter = limits
	return nil
}
