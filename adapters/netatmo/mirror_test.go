package netatmo

import (
	"fmt"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

func TestOneAnswerOfTheFutureDoesNotStopTheMirror(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(time.Minute)
		r.cloud.Serve("/api/homestatus", netatmotest.Raw{Body: fmt.Appendf(nil,
			`{"status":"ok","time_server":%d,"body":{"home":{"id":"%s","rooms":[{"id":"%s","reachable":true,"therm_measured_temperature":5}]}}}`,
			time.Now().AddDate(10, 0, 0).Unix(), netatmotest.HouseID, netatmotest.Bedroom)})
		r.pass(3 * time.Minute)
		r.cloud.Unserve("/api/homestatus")
		if got, _ := last(r.pass(3*time.Minute), netatmotest.BedValve, gateway.Temperature); got.Value != gateway.Number(18.1) {
			t.Errorf("the temperature stays %v", got.Value)
		}
	})
}

func TestEmptyStationListDoesNotEndThePolling(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Minute)
		r.cloud.Serve("/api/getstationsdata", netatmotest.Raw{Body: []byte(`{"status":"ok","body":{"devices":[]}}`)})
		r.pass(12 * time.Minute)
		r.cloud.Unserve("/api/getstationsdata")
		r.cloud.SetDashboard(netatmotest.RainGauge, "sum_rain_24", 9.9)
		if got, _ := last(r.pass(12*time.Minute), netatmotest.RainGauge, gateway.RainToday); got.Value != gateway.Number(9.9) {
			t.Errorf("rain today: %v", got.Value)
		}
	})
}

func TestStartWhileHomesdataFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			s.options.Home = netatmotest.House()
			s.begin = func(c *netatmotest.Cloud) {
				c.Break(netatmotest.Fault{Kind: netatmotest.Unavailable, Paths: []string{"/api/homesdata"}})
			}
		})
		r.pass(5 * time.Minute)
		r.cloud.AddEvent(netatmotest.Event{Type: "smoke", Device: netatmotest.SmokeAlarm, Sub: 1})
		r.cloud.Mend()
		news := r.pass(10 * time.Minute)
		if len(only[gateway.Plan](news)) == 0 {
			t.Error("homesdata is not tried again soon")
		}
		if got, _ := last(news, netatmotest.SmokeAlarm, gateway.Smoke); got.Value != gateway.Flag(true) {
			t.Errorf("smoke: %v; events are not tried again soon", got.Value)
		}
	})
}

func TestFoundsDoNotFlicker(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			s.begin = func(c *netatmotest.Cloud) { c.SetStatus(netatmotest.Coach, "module_name", "Indoor") }
		})
		r.pass(time.Minute)
		if again := only[gateway.Found](r.pass(2 * time.Hour)); len(again) != 0 {
			t.Errorf("%d devices were told again though nothing changed: %+v", len(again), again[0])
		}
		if again := only[gateway.Reach](r.pass(2 * time.Hour)); len(again) != 0 {
			t.Errorf("%d devices came or went though nothing changed: %+v", len(again), again[0])
		}
	})
}

func TestControlsOfTheThermostat(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		var controls []gateway.Control
		for _, f := range only[gateway.Found](r.pass(time.Minute)) {
			if f.Device == netatmotest.Thermostat {
				controls = f.Controls
			}
		}
		want := gateway.Control{Quantity: gateway.Target, Min: 7, Max: 30, Step: 0.5}
		if len(controls) != 1 || controls[0] != want {
			t.Errorf("controls %+v, want %+v", controls, want)
		}
	})
}

func TestPersonWhoSetsARoomAgainIsNoFaultOfWriting(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(2 * time.Minute)
		r.command(netatmotest.Bedroom, gateway.Target, gateway.Number(21), time.Time{})
		r.pass(10 * time.Second)
		r.cloud.SetTarget(netatmotest.Bedroom, 17, time.Time{})
		if calls := bad(r.pass(3 * time.Minute)); len(calls) != 0 {
			t.Errorf("judged %+v", calls)
		}
	})
}
