package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

var upgradeDay = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestWhatKeepsTheProgram(t *testing.T) {
	ago := func(d time.Duration) time.Time { return upgradeDay.Add(-d) }
	outage := func(phase gateway.Phase, lost time.Duration) gateway.State {
		return gateway.State{Authority: gateway.Authority{Phase: phase, Lost: ago(lost)}}
	}
	over := func(o gateway.Outage) gateway.State {
		return gateway.State{Authority: gateway.Authority{Phase: gateway.Watching}, Outages: []gateway.Outage{{Ended: ago(90 * time.Hour)}, o}}
	}
	alarm := func(p gateway.AlarmPhase) gateway.State {
		return gateway.State{Alarms: []gateway.Alarm{{Phase: p, Kind: gateway.Smoke, Why: "smoke in Hall"}}}
	}
	pastAlarm := func(ended time.Duration) gateway.State {
		return gateway.State{AlarmMemory: gateway.AlarmMemory{PastAlarms: []gateway.Alarm{{Phase: gateway.Cleared, Ended: ago(ended)}}}}
	}
	tried := func(device gateway.DeviceID, until time.Duration) gateway.State {
		return gateway.State{AlarmMemory: gateway.AlarmMemory{Test: gateway.TestWindow{Device: device, Began: ago(time.Minute), Until: upgradeDay.Add(until)}}}
	}
	for _, test := range []struct {
		name  string
		state gateway.State
		want  string // "": nothing keeps it
	}{
		{"a house that has only just begun", gateway.State{}, ""},
		{"a quiet day", gateway.State{Authority: gateway.Authority{Phase: gateway.Watching, Lost: ago(time.Hour)}}, ""},
		{"a first failure", gateway.State{Authority: gateway.Authority{Phase: gateway.Suspect}, Cloud: gateway.Cloud{Why: "503"}}, "may be an outage: 503"},
		{"an outage", outage(gateway.Local, time.Hour), "an outage is on since"},
		{"an outage of six days", outage(gateway.Local, 6*24*time.Hour), "an outage is on since"},
		{"a vendor who is gone for good", outage(gateway.Local, 8*24*time.Hour), ""},
		{"the way back", outage(gateway.Returning, time.Hour), "handed back"},
		{"a drill", gateway.State{Authority: gateway.Authority{Phase: gateway.Local, Drill: true, Lost: ago(time.Minute)}}, "a drill is on"},
		{"the end of a drill", gateway.State{Authority: gateway.Authority{Phase: gateway.Returning, Drill: true}}, "a drill is on"},
		{"29 minutes after an outage", over(gateway.Outage{Ended: ago(29 * time.Minute)}), "an outage or a drill was on until"},
		{"30 minutes after an outage", over(gateway.Outage{Ended: ago(30 * time.Minute)}), ""},
		{"after a drill", over(gateway.Outage{Ended: ago(time.Minute), Drill: true}), "an outage or a drill was on until"},
		{"an end in the future, for the clock was set back by days", over(gateway.Outage{Ended: upgradeDay.Add(48 * time.Hour)}), ""},
		{"an alarm", alarm(gateway.Sounding), "an alarm is on: smoke in Hall"},
		{"an alarm that was hushed", alarm(gateway.Hushed), "an alarm is on"},
		{"gas that is no alarm yet", alarm(gateway.PreAlarm), "an alarm is on"},
		{"just after an outage, and long after an alarm", gateway.State{Outages: []gateway.Outage{{Ended: ago(time.Minute)}},
			AlarmMemory: gateway.AlarmMemory{PastAlarms: []gateway.Alarm{{Ended: ago(time.Hour)}}}}, "an outage or a drill was on until"},
		{"just after an alarm, and long after an outage", gateway.State{Outages: []gateway.Outage{{Ended: ago(time.Hour)}},
			AlarmMemory: gateway.AlarmMemory{PastAlarms: []gateway.Alarm{{Ended: ago(time.Minute)}}}}, "an alarm was on until"},
		{"just after an alarm", pastAlarm(time.Minute), "an alarm was on until"},
		{"an hour after an alarm", pastAlarm(time.Hour), ""},
		{"a test of one detector", tried("d", 3*time.Minute), "a detector is being tried"},
		{"a test of any detector", tried("", 3*time.Minute), "a detector is being tried"},
		{"a test that is over", tried("", -time.Second), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := keepsProgram(test.state, upgradeDay)
			if test.want == "" && got != "" || test.want != "" && !strings.Contains(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// daemonWith lets a control socket serve that State and returns its configuration.
func daemonWith(t *testing.T, s gateway.State) (config string) {
	t.Helper()
	folder := t.TempDir()
	config = writeTo(t, filepath.Join(folder, "v.yaml"), "state: "+folder+"\n")
	gatewaytest.Start(t, "control", &control{path: filepath.Join(folder, "control.sock"), house: nobody{}}, gatewaytest.From(s))
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		var keeps string
		err := askDaemon(t.Context(), folder, "GET", "/upgrade-ready", nil, &keeps)
		if err == nil && keeps != errJustStarted.Error() {
			return config
		}
		if time.Since(began) > patience {
			t.Fatal(err)
		}
	}
}

func TestUpgradeReady(t *testing.T) {
	busy := gateway.State{Version: 1, Alarms: []gateway.Alarm{{Phase: gateway.Sounding, Why: "smoke in Hall"}}}
	if code, out, _ := said(t, "upgrade-ready", "-c", daemonWith(t, busy)); code != exitNo || out != "an alarm is on: smoke in Hall\n" {
		t.Errorf("in an alarm: exit %d, %q", code, out)
	}
	if code, out, _ := said(t, "upgrade-ready", "-c", daemonWith(t, gateway.State{Version: 1})); code != exitWell || !strings.Contains(out, "may be exchanged") {
		t.Errorf("on a quiet day: exit %d, %q", code, out)
	}
}

// Nobody who could be asked, or a configuration that nobody can read, must never keep out what mends it.
func TestUpgradeIsReadyWhereNobodyCanBeAsked(t *testing.T) {
	folder := t.TempDir()
	good := writeTo(t, filepath.Join(folder, "good.yaml"), "state: "+folder+"\n")
	bad := writeTo(t, filepath.Join(folder, "bad.yaml"), "nonsense: 1\n")
	for _, config := range []string{good, bad} {
		if code, out, _ := said(t, "upgrade-ready", "-c", config); code != exitWell || !strings.Contains(out, "nobody could be asked") {
			t.Errorf("%s: exit %d, %q", config, code, out)
		}
	}
}
