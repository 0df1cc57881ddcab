package mqtt_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func callOf(number string) gateway.Command {
	return gateway.Command{Point: gateway.Point{Adapter: "mqtt", Of: "alarm-" + number, Quantity: gateway.Tell}, Value: gateway.Number(1), Why: "smoke"}
}

// alarmed is the State that a command of that id belongs to.
func alarmed(id uint64) func(gateway.State) gateway.State {
	return func(s gateway.State) gateway.State {
		s.Alarms = []gateway.Alarm{{Number: 7, Phase: gateway.Sounding, Kind: gateway.Smoke, Device: "70:ee", Why: "Hall says smoke",
			Told: []gateway.Delivery{{Step: 1, Path: "MQTT", Times: 1}}}}
		s.Commanded = id
		return s
	}
}

// MQTT is told once the broker has the page with the alarm, not an older one.
func TestToldIsWhatTheBrokerHas(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.taken()
		id := h.Send(callOf("7"))
		synctest.Wait()
		if posts := f.taken(); len(posts) > 0 {
			t.Errorf("before the alarm is shown there is %v", posts)
		}
		h.Show(alarmed(id))
		o := gatewaytest.Wait[gateway.Outcome](h, nil)
		if o.ID != id || o.Err != "" || !strings.HasPrefix(o.By, "the broker") {
			t.Errorf("the answer is %+v", o)
		}
		posts := f.taken()
		if len(posts) == 0 || posts[0].topic != "veilleuse/alarm" || !strings.Contains(posts[0].payload, `"told":[{"step":1,"path":"MQTT","times":1}]`) {
			t.Errorf("the broker got %v", posts)
		}
		again := h.Send(callOf("7"))
		h.Show(alarmed(again))
		if o := gatewaytest.Wait[gateway.Outcome](h, nil); o.ID != again || o.Err != "" {
			t.Errorf("the second round is answered with %+v", o)
		}
		synctest.Wait()
		if posts := f.taken(); len(posts) != 1 || posts[0].topic != "veilleuse/alarm" {
			t.Errorf("in the second round the broker got %v", posts)
		}
	})
}

func TestBrokerThatDoesNotTakeTheAlarmIsSaid(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.failWith(errors.New("no memory"))
		id := h.Send(callOf("7"))
		h.Show(alarmed(id))
		if o := gatewaytest.Wait[gateway.Outcome](h, nil); o.ID != id || o.Err != "no memory" || o.Final {
			t.Errorf("the answer is %+v", o)
		}
		f.failWith(nil)
		time.Sleep(2 * time.Minute)
		again := h.Send(callOf("7"))
		h.Show(alarmed(again))
		if o := gatewaytest.Wait[gateway.Outcome](h, nil); o.ID != again || o.Err != "" {
			t.Errorf("once it takes it: %+v", o)
		}
	})
}

func TestBrokerThatIsAwayIsSaidAtOnce(t *testing.T) {
	h := gatewaytest.Start(t, "mqtt", mqtt.New(mqtt.Options{Broker: "mqtt://127.0.0.1:1", Log: silent}), gatewaytest.From(oneRoom()))
	id := h.Send(callOf("7"))
	if o := gatewaytest.Wait[gateway.Outcome](h, nil); o.ID != id || !strings.Contains(o.Err, "is not there") || o.Final {
		t.Errorf("the answer is %+v", o)
	}
}

func TestCalendarIsOnTheDevicesPage(t *testing.T) {
	inBubble(t, mqtt.Options{}, func(t *testing.T, f *fakeBroker, h *gatewaytest.House) {
		f.taken()
		at := time.Date(2026, 1, 20, 12, 0, 0, 0, time.UTC)
		h.Show(func(s gateway.State) gateway.State {
			s.Tests = s.Tests.With("70:ee", gateway.DetectorTest{At: at, By: "MQTT", Heard: []gateway.Hearing{{Path: "ear", At: at.Add(2 * time.Second)}}})
			return s
		})
		synctest.Wait()
		posts := f.taken()
		if len(posts) != 1 || posts[0].topic != "veilleuse/device/70-ee" || !strings.Contains(posts[0].payload, `"test":{"at":"2026-01-20T12:00:00Z","by":"MQTT","heard":{"ear":2}}`) {
			t.Errorf("published: %v", posts)
		}
	})
}
