package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// readyHouse is a simulated house under Netatmo in which all is on the LAN: the smoke alarm that only the
// cloud hears is no part of it.
func readyHouse(t *testing.T, rate float64) *lived {
	t.Helper()
	l := live(t, true)
	l.world.cloud.Remove(netatmotest.SmokeAlarm)
	l.ready(t)
	l.world.clock.SetRate(rate)
	return l
}

// drills runs the verb until it ends, or ctx does.
func (l *lived) drills(ctx context.Context, t *testing.T, args ...string) (int, drillReport) {
	t.Helper()
	var out, complaint bytes.Buffer
	code := command(ctx, append([]string{"drill", "-c", l.config, "--json"}, args...), console{strings.NewReader(""), &out, &complaint})
	var r drillReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("drill gives %d: %s%s", code, out.String(), complaint.String())
	}
	return code, r
}

// inDrill calls f once the house is in a drill. It returns a function that waits until f has ended.
func (l *lived) inDrill(t *testing.T, f func()) (wait func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.status(t, "a drill of a minute", func(r statusReport) bool { // so that the verb has seen it too
			return r.Authority.Drill && r.Authority.Phase == gateway.Local && r.At.Sub(r.Authority.Since) >= time.Minute
		})
		f()
	}()
	return func() { <-ended }
}

func TestDrillOnTheSimulatedHouse(t *testing.T) {
	l := readyHouse(t, 100)
	before := len(l.world.cloud.Requests())
	machine := gatewaytest.WatchStandstill(t)
	code, r := l.drills(t.Context(), t, "--for", "4m")
	if code != exitWell || !r.Passed || r.EndedBy != endedInTime || !r.Watching || len(r.Rooms) != len(demoRooms) || len(r.Alarms) != 1 || len(r.Faces) != 3 {
		t.Errorf("exit %d: %+v", code, r)
	}
	if took, still := r.Ended.Sub(r.Began).Seconds(), 100*machine.SoFar().Seconds(); took < 240 || took > 480+still {
		t.Errorf("it took %.0f s of the house's time, in %.0f s of which the machine stood still", took, still)
	}
	for _, d := range r.Decisions {
		if d.Kind == "authority" && !strings.HasPrefix(d.What, "drill: ") {
			t.Errorf("not marked as a drill: %+v", d)
		}
	}
	for _, request := range l.world.cloud.Requests()[before:] {
		if strings.Contains(request.Path, "set") {
			t.Errorf("the drill wrote to the cloud: %s", request.Path)
		}
	}
	l.status(t, "the house under Netatmo", func(r statusReport) bool {
		return r.Authority.Phase == gateway.Watching && !r.Authority.Drill
	})
}

func TestDrillThatDoesNotServeEverything(t *testing.T) {
	l := live(t, true) // with the smoke alarm
	l.ready(t)
	l.world.clock.SetRate(100)
	code, out, complaint := said(t, "drill", "-c", l.config, "--for", "1m")
	if code != exitNo || complaint != "" || !strings.Contains(out, "Not served: Fumée palier.") || !strings.Contains(out, "drill: the house is run from here") {
		t.Errorf("exit %d: %s%s", code, out, complaint)
	}
}

func TestDrillEndsOnRequest(t *testing.T) {
	l := readyHouse(t, 60)
	if code, _, err := said(t, "drill", "-c", l.config, "--stop"); code != exitNo || !strings.Contains(err, "no drill is on") {
		t.Errorf("the end of no drill gives %d, %s", code, err)
	}
	for name, end := range map[string]func(stop func()){
		"Ctrl-C": func(stop func()) { stop() },
		"--stop": func(func()) { said(t, "drill", "-c", l.config, "--stop") },
		"--stop --json": func(func()) {
			_, out, _ := said(t, "drill", "-c", l.config, "--stop", "--json")
			var v drillView
			if err := json.Unmarshal([]byte(out), &v); err != nil || !v.Authority.Drill && v.Authority.Phase == "" {
				t.Errorf("it says %q (%v)", out, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			acted := l.inDrill(t, func() { end(stop) })
			code, r := l.drills(ctx, t, "--for", "4h")
			acted()
			if code != exitWell || r.EndedBy != endedOnRequest || !r.Watching || !r.Passed {
				t.Errorf("exit %d: %+v", code, r)
			}
		})
	}
}

func TestDrillIsBrokenOffByARealAlarm(t *testing.T) {
	l := readyHouse(t, 60)
	acted := l.inDrill(t, func() {
		if err := l.world.house.SetCO(demoCO, 180, true); err != nil {
			t.Error(err)
		}
	})
	code, r := l.drills(t.Context(), t, "--for", "4h")
	acted()
	if code != exitNo || r.Passed || r.EndedBy != endedByAlarm || !strings.Contains(r.Verdict, "real alarm") {
		t.Errorf("exit %d: %+v", code, r)
	}
	select {
	case <-l.world.siren: // which it may reach a little later than the drill is over
	case <-time.After(patience):
		t.Error("the siren is silent")
	}
	code, _, err := said(t, "drill", "-c", l.config)
	if code != exitNo || !strings.Contains(err, "an alarm is on") {
		t.Errorf("a drill in an alarm gives %d, %s", code, err)
	}
}

func TestDrillIsRefused(t *testing.T) {
	l := readyHouse(t, 60)
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--for", "1s"}, exitNo, "a drill lasts 1 min to 4 h"},
		{[]string{"--for", "9h"}, exitNo, "a drill lasts 1 min to 4 h"},
		{[]string{"--for", "-5m"}, exitNo, "a drill lasts 1 min to 4 h"},
		{[]string{"--for", "soon"}, exitUsage, "soon"},
		{[]string{"now"}, exitUsage, "expected at most 0, got 1"},
	} {
		if code, out, err := said(t, append([]string{"drill", "-c", l.config}, test.args...)...); code != test.code || !strings.Contains(err, test.want) || out != "" {
			t.Errorf("%v gives %d, %q, %q", test.args, code, out, err)
		}
	}
	if err := breaks(uplinktest.Refused)(&demo{world: l.world}); err != nil {
		t.Fatal(err)
	}
	l.world.clock.SetRate(200)
	l.status(t, "authority local", func(r statusReport) bool { return r.Authority.Phase == gateway.Local })
	if code, _, err := said(t, "drill", "-c", l.config); code != exitNo || !strings.Contains(err, "this is no drill: Netatmo is gone") {
		t.Errorf("a drill in an outage gives %d, %s", code, err)
	}
	l.stop()
	if err := <-l.ended; err != nil {
		t.Fatal(err)
	}
	l.ended <- nil
	if code, _, err := said(t, "drill", "-c", l.config); code != exitNo || !strings.Contains(err, "no veilleuse runs") {
		t.Errorf("a drill without a daemon gives %d, %s", code, err)
	}
}

func TestDrillRoutesRefuseNonsense(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	config, _, err := loadConfig(l.config)
	if err != nil {
		t.Fatal(err)
	}
	var v drillView
	if err := askDaemon(t.Context(), config.State, "GET", "/drill?after=x", nil, &v); err == nil || !strings.Contains(err.Error(), `"x" is not the number`) {
		t.Errorf("after=x gives %v", err)
	}
	if err := askDaemon(t.Context(), config.State, "POST", "/drill", "ten minutes", &v); err == nil || !strings.Contains(err.Error(), "not readable") {
		t.Errorf("a bad request gives %v", err)
	}
	if err := askDaemon(t.Context(), config.State, "POST", "/drill", drillRequest{ForS: 600}, &v); err == nil || !strings.Contains(err.Error(), "veilleuse login") {
		t.Errorf("a drill without a plan gives %v", err)
	}
}
