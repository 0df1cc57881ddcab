package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// guardReport is how the watch against intruders stands.
type guardReport struct {
	Mode     gateway.GuardMode  `json:"mode"`
	Phase    gateway.GuardPhase `json:"phase,omitempty"` // absent: off
	Since    time.Time          `json:"since,omitzero"`
	By       string             `json:"by,omitempty"`
	LeftS    int                `json:"left_s,omitempty"`    // of the exit or entry delay
	LeftOut  []string           `json:"left_out,omitempty"`  // names of sensors that do not count until it is set anew
	Open     []string           `json:"open,omitempty"`      // of sensors that count once they are shut
	NotHeard []string           `json:"not_heard,omitempty"` // of those that count
}

// reportGuard is nil for a house whose configuration names no sensors.
func reportGuard(s gateway.State) *guardReport {
	if len(s.Home.Guard.Sensors) == 0 {
		return nil
	}
	names := func(all []gateway.DeviceID) []string {
		var words []string
		for _, id := range all {
			name := string(id)
			if d, ok := s.Devices.Get(id); ok && d.Name != "" {
				name = d.Name
			}
			words = append(words, name)
		}
		return words
	}
	g := s.Guard
	r := &guardReport{Mode: g.Mode, Phase: g.Phase, Since: g.Since, By: g.By, LeftS: int(g.Left.Seconds()), LeftOut: names(g.LeftOut), Open: names(g.Open), NotHeard: names(g.Blind)}
	if r.Mode == "" {
		r.Mode = gateway.GuardOff
	}
	return r
}

// printGuard writes it on one line.
func printGuard(out io.Writer, r *guardReport) {
	if r == nil {
		return
	}
	fmt.Fprintf(out, "\nguard: %s", r.Mode)
	if r.Phase != "" {
		fmt.Fprintf(out, ", %s since %s, set in %s", r.Phase, clockOf(r.Since), r.By)
	}
	if r.LeftS > 0 {
		fmt.Fprintf(out, "; %d s are left", r.LeftS)
	}
	if len(r.LeftOut) > 0 {
		fmt.Fprintf(out, "; left out: %s", strings.Join(r.LeftOut, ", "))
	}
	if len(r.Open) > 0 {
		fmt.Fprintf(out, "; watched once shut: %s", strings.Join(r.Open, ", "))
	}
	if len(r.NotHeard) > 0 {
		fmt.Fprintf(out, "; not heard: %s", strings.Join(r.NotHeard, ", "))
	}
}
