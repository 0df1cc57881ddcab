package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestStatusShowsProofAndCalendar(t *testing.T) {
	now := time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)
	tested := now.Add(-12 * 24 * time.Hour)
	s := gateway.State{At: now}
	s.Devices = s.Devices.With("a", gateway.Device{ID: "a", Name: "Kitchen smoke", Model: "NSD"}).
		With("b", gateway.Device{ID: "b", Name: "Cellar CO", Model: "NCO"}).With("c", gateway.Device{ID: "c", Name: "Valve", Model: "NRV"})
	s.Tests = s.Tests.With("a", gateway.DetectorTest{At: tested, By: "MQTT", Heard: []gateway.Hearing{
		{Path: "ear", At: tested.Add(2 * time.Second)}, {Path: gateway.AccessoryAdapter, At: tested.Add(3 * time.Second)}}})
	s.PastAlarms = []gateway.Alarm{{Phase: gateway.Cleared, Device: "a", Why: "Kitchen smoke says smoke", Since: now.Add(-time.Minute), Ended: now, Answered: now, By: "Home app",
		Told: []gateway.Delivery{
			{Step: 1, Path: "Home app", At: now, Times: 2, Delivered: now, By: "by 2 controllers"},
			{Step: 2, Path: "MQTT", At: now, Times: 1, Err: "the MQTT broker is not there"},
			{Step: 3, Path: "siren Hall", At: now, Times: 1}}}}
	calendar := reportTests(s)
	if len(calendar) != 2 || calendar[0].Says != "Kitchen smoke: last test 12 days ago, heard by ear 2 s, HomeKit 3 s" || calendar[1].Says != "Cellar CO: never tested" {
		t.Errorf("the calendar says %+v", calendar)
	}
	var out bytes.Buffer
	printAlarms(&out, statusReport{Alarm: s.Alarm(), Alarms: s.PastAlarms, Tests: calendar})
	for _, want := range []string{"Kitchen smoke says smoke", "in Home app", "1. Home app", "for the 2. time", "by 2 controllers", "failed: the MQTT broker is not there", "siren Hall", "not confirmed", "never tested"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the status lacks %q:\n%s", want, out.String())
		}
	}
}
