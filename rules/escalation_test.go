package rules_test

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// fireHouse is a house with a detector, a siren and a plan.
type fireHouse struct {
	t        *testing.T
	s        gateway.State
	at       time.Time
	commands []gateway.Command // of the last event
}

func newFireHouse(t *testing.T, steps ...gateway.AlarmStep) *fireHouse {
	h := &fireHouse{t: t, at: time.Date(2025, 10, 29, 18, 0, 0, 0, time.UTC)}
	h.s.Home.AlarmPlan = gateway.AlarmPlan{Steps: steps, Repeat: 2 * time.Minute}
	h.post("accessory", gateway.Found{Device: "smoke", Name: "Hall smoke", Model: "NSD"})
	h.post("accessory", gateway.Found{Device: "siren", Name: "Hall siren", Controls: []gateway.Control{{Quantity: gateway.Siren}}})
	h.post("accessory", gateway.Reading{Device: "siren", Quantity: gateway.Siren, Value: gateway.Flag(false)})
	return h
}

func (h *fireHouse) post(from string, f gateway.Fact) {
	h.t.Helper()
	before, e := h.s, gateway.Event{At: h.at, From: from, Fact: f}
	h.s, h.commands = rules.Step(h.s, e)
	if err := invariants(before, e, h.s, h.commands); err != nil {
		h.t.Fatal(err)
	}
}

func (h *fireHouse) smoke(yes bool) {
	h.t.Helper()
	h.post("accessory", gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(yes)})
}

// run lets time pass and returns the commands.
func (h *fireHouse) run(d time.Duration) []gateway.Command {
	h.t.Helper()
	var all []gateway.Command
	for end := h.at.Add(d); h.at.Before(end); {
		h.at = h.at.Add(10 * time.Second)
		h.post(gateway.LoopName, gateway.Tick{})
		all = append(all, h.commands...)
	}
	return all
}

func (h *fireHouse) restart() {
	h.t.Helper()
	plan := h.s.Home.AlarmPlan
	h.s = restarted(h.t, h.s)
	h.s.Home.AlarmPlan = plan
	h.post(gateway.LoopName, gateway.Tick{})
}

func (h *fireHouse) answer(err, by string) {
	h.t.Helper()
	for _, c := range h.commands {
		h.post(c.Point.Adapter, gateway.Outcome{ID: c.ID, Point: c.Point, Err: err, By: by})
	}
}

func TestProofOfDelivery(t *testing.T) {
	h := newFireHouse(t, gateway.AlarmStep{Way: gateway.WayTell, Of: "homekit"}, gateway.AlarmStep{Way: gateway.WaySound, Of: gateway.All})
	h.smoke(true)
	if len(h.commands) != 2 || len(h.s.Alarm().Told) != 2 {
		t.Fatalf("commands %v, told %+v", h.commands, h.s.Alarm().Told)
	}
	tell, siren := h.commands[0], h.commands[1]
	h.post("homekit", gateway.Outcome{ID: tell.ID, Point: tell.Point, Err: "no controller is connected"})
	if d := h.s.Alarm().Told[0]; !d.Delivered.IsZero() || d.Err != "no controller is connected" || d.Path != "Home app" {
		t.Errorf("a failure is recorded as %+v", d)
	}
	h.at = h.at.Add(time.Second)
	h.post("homekit", gateway.Outcome{ID: tell.ID, Point: tell.Point, By: "2 controllers"})
	if d := h.s.Alarm().Told[0]; !d.Delivered.Equal(h.at) || d.Err != "" || d.By != "by 2 controllers" {
		t.Errorf("a delivery is recorded as %+v", d)
	}
	h.post("accessory", gateway.Outcome{ID: siren.ID, Point: siren.Point})
	if d := h.s.Alarm().Told[1]; !d.Delivered.IsZero() {
		t.Errorf("a siren that only said yes counts as heard: %+v", d)
	}
	h.post("accessory", gateway.Reading{Device: "siren", Quantity: gateway.Siren, Value: gateway.Flag(true)})
	if d := h.s.Alarm().Told[1]; d.Delivered.IsZero() || d.Path != "siren Hall siren" {
		t.Errorf("a siren that shows that it sounds is recorded as %+v", d)
	}
	h.restart()
	h.post("mqtt", gateway.Wish{By: "MQTT", Ask: gateway.Hush{}})
	h.smoke(false)
	past := h.s.PastAlarms
	if len(past) != 1 || past[0].Phase != gateway.Cleared || past[0].By != "MQTT" || past[0].Answered.IsZero() || len(past[0].Told) != 2 || past[0].Told[0].Delivered.IsZero() {
		t.Errorf("the alarm is remembered as %+v", past)
	}
	if a := h.s.Alarm(); a.Phase != gateway.Cleared {
		t.Errorf("just after its end the house shows %s", a.Phase)
	}
	h.run(gateway.ClearedFor)
	if a := h.s.Alarm(); a.Phase != gateway.Quiet {
		t.Errorf("an hour after its end the house shows %s", a.Phase)
	}
}

// No crash and no restart lets an alarm be told anew that somebody has answered, or loses one that nobody has.
func TestAnswerSurvivesRestart(t *testing.T) {
	h := newFireHouse(t, gateway.AlarmStep{Way: gateway.WayTell, Of: "mqtt"}, gateway.AlarmStep{Way: gateway.WaySound, Of: gateway.All, After: time.Minute})
	h.smoke(true)
	h.answer("", "the broker")
	h.restart()
	if got := h.run(50 * time.Second); len(got) != 0 {
		t.Errorf("told again within its round: %v", got)
	}
	if got := h.run(20 * time.Second); len(got) == 0 || got[0].Point.Quantity != gateway.Siren {
		t.Errorf("after the minute there is %v", got)
	}
	h.post("mqtt", gateway.Wish{By: "MQTT", Ask: gateway.Acknowledge{}})
	h.post("accessory", gateway.Reading{Device: "siren", Quantity: gateway.Siren, Value: gateway.Flag(true)})
	h.restart()
	if got := h.run(10 * time.Minute); len(got) != 0 || h.s.Alarm().Phase != gateway.Sounding {
		t.Errorf("after the answer: %v, phase %s", got, h.s.Alarm().Phase)
	}
	if m, _ := h.s.Device("siren"); m.Readings[0].Value != gateway.Flag(true) {
		t.Error("an answer silences the siren")
	}
}

// A clock that is set, either way, neither holds up a step of the plan nor repeats one.
func TestClockThatIsSetDelaysNoStep(t *testing.T) {
	for _, jump := range []time.Duration{-30 * 365 * 24 * time.Hour, -time.Hour, time.Hour} {
		h := newFireHouse(t, gateway.AlarmStep{Way: gateway.WaySound, Of: gateway.All, After: time.Minute})
		h.smoke(true)
		h.at = h.at.Add(jump)
		got := h.run(70 * time.Second)
		if len(got) == 0 || got[0].Value != gateway.Flag(true) {
			t.Errorf("%v: the siren is not asked: %v", jump, got)
		}
		h.smoke(false)
		if len(h.s.Alarms) != 0 {
			t.Errorf("%v: the detector cannot end its alarm", jump)
		}
	}
}

func TestRemovedDetectorEndsItsAlarm(t *testing.T) {
	h := newFireHouse(t)
	h.smoke(true)
	h.post("accessory", gateway.Gone{Device: "smoke"})
	if len(h.s.Alarms) != 0 || len(h.s.PastAlarms) != 1 {
		t.Errorf("alarms %v, past %v", h.s.Alarms, h.s.PastAlarms)
	}
}

func TestSilentDetectorIsUnknown(t *testing.T) {
	h := newFireHouse(t)
	h.s.Home.SilentAfter = map[string]time.Duration{"NSD": time.Hour}
	h.smoke(false)
	h.run(2 * time.Hour)
	d, _ := h.s.Device("smoke")
	if _, known := d.Reading(gateway.Smoke); known || !d.Silent {
		t.Errorf("a silent detector still says no smoke: %+v", d)
	}
	h.restart()
	if d, _ := h.s.Device("smoke"); !d.Silent {
		t.Error("a restart takes a silent detector's old word for news")
	}
	h.smoke(true)
	d, _ = h.s.Device("smoke")
	if m, known := d.Reading(gateway.Smoke); !known || !m.Value.Yes() || h.s.Alarm().Phase != gateway.Sounding {
		t.Errorf("its first word is not shown: %+v", d)
	}
}

// What is remembered of alarms is bounded, whatever detectors do.
func TestMemoryOfAlarmsIsBounded(t *testing.T) {
	h := newFireHouse(t, gateway.AlarmStep{Way: gateway.WayTell, Of: "mqtt"})
	for range gateway.MaxPastAlarms + 5 {
		h.smoke(true)
		h.smoke(false)
		h.at = h.at.Add(time.Second)
	}
	if n := len(h.s.PastAlarms); n != gateway.MaxPastAlarms {
		t.Errorf("%d alarms are remembered", n)
	}
	h.smoke(true)
	for range 50 {
		h.run(3 * time.Minute)
	}
	if told := h.s.Alarm().Told; len(told) != 1 || told[0].Times < 50 {
		t.Errorf("told: %+v", told)
	}
}
