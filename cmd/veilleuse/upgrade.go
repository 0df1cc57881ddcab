package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How long what happens in the house keeps its program from being exchanged.
const (
	calmBefore  = 30 * time.Minute   // after an outage, an alarm or a drill
	usualOutage = 7 * 24 * time.Hour // one that lasts longer is how this house lives now: it must not keep out what mends it
	mayAnswer   = 10 * time.Second   // the daemon, asked whether it may be exchanged
)

// upgradeReadyVerb asks the running daemon whether the program may be exchanged now. Where nobody can be asked nothing
// is known against it: what does not run, or does not answer, is no reason to keep the old program.
func upgradeReadyVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("upgrade-ready")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	var keeps string
	config, _, err := loadConfig(o.config)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, mayAnswer)
		defer cancel()
		err = askDaemon(ctx, config.State, "GET", "/upgrade-ready", nil, &keeps)
	}
	switch {
	case err != nil:
		fmt.Fprintf(c.out, "nothing is known against an upgrade, for nobody could be asked: %v\n", err)
	case keeps != "":
		fmt.Fprintln(c.out, keeps)
		return errNo
	default:
		fmt.Fprintln(c.out, "the program may be exchanged: no outage, alarm or drill is on, or was in the last half hour")
	}
	return nil
}

// upgradeReady answers the verb: "", or why the program must not be exchanged now. A daemon that has only just started
// does not know yet.
func (c *control) upgradeReady(port gateway.Port) func(*http.Request) (any, error) {
	return func(*http.Request) (any, error) {
		if s := c.newest.Load(); s != nil {
			return keepsProgram(*s, port.Now()), nil
		}
		return errJustStarted.Error(), nil
	}
}

// keepsProgram says why the program must not be exchanged now; "" if it may.
func keepsProgram(s gateway.State, now time.Time) string {
	outage := now.Sub(s.Authority.Lost) < usualOutage
	switch {
	case len(s.Alarms) > 0:
		return "an alarm is on: " + s.Alarm().Why
	case s.Test.Covers(s.Test.Device, now):
		return "a detector is being tried"
	case s.Authority.Drill:
		return "a drill is on"
	case s.Authority.Phase == gateway.Suspect:
		return "Netatmo fails just now, and that may be an outage: " + s.Cloud.Why
	case s.Authority.Phase == gateway.Local && outage:
		return "an outage is on since " + clockOf(s.Authority.Lost)
	case s.Authority.Phase == gateway.Returning && outage:
		return "the house is just being handed back to Netatmo"
	}
	what, ended := "an alarm", time.Time{}
	if n := len(s.PastAlarms); n > 0 {
		ended = s.PastAlarms[n-1].Ended
	}
	if n := len(s.Outages); n > 0 && s.Outages[n-1].Ended.After(ended) {
		what, ended = "an outage or a drill", s.Outages[n-1].Ended
	}
	if now.Sub(ended).Abs() < calmBefore { // a clock that was set may show it in the future
		return what + " was on until " + clockOf(ended) + ": half an hour has to pass"
	}
	return ""
}
