package netatmo

import (
	"reflect"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestPublishedPushMessages(t *testing.T) {
	at := evening
	const house = "91763b24c43d3e344f424e8b"
	room := func(r gateway.CloudRoom) gateway.CloudView {
		r.ID, r.Reachable = "2746182631", true
		return gateway.CloudView{Home: house, At: at, Rooms: []gateway.CloudRoom{r}}
	}
	reading := func(d gateway.DeviceID, q gateway.Quantity, v gateway.Value) gateway.Reading {
		return gateway.Reading{Device: d, Quantity: q, Value: v, Measured: at}
	}
	for _, c := range []struct {
		file string
		want []gateway.Fact
	}{
		{"NACamera-connection.json", nil}, // it does not name the camera
		{"NACamera-off.json", []gateway.Fact{reading("12:34:56:00:f1:62", gateway.Monitoring, gateway.Flag(false))}},
		{"NACamera-on.json", []gateway.Fact{reading("12:34:56:00:f1:62", gateway.Monitoring, gateway.Flag(true))}},
		{"NOC-light_mode-no_sub_type.json", nil},
		{"NOC-light_mode-on.json", []gateway.Fact{reading("12:34:56:00:a5:a4", gateway.Floodlight, gateway.Word("on"))}},
		{"display_change-cancel_set_point-empty_lists.json", []gateway.Fact{room(gateway.CloudRoom{Mode: gateway.RoomHome})}},
		{"display_change-cancel_set_point.json", []gateway.Fact{room(gateway.CloudRoom{Mode: gateway.RoomHome})}},
		{"display_change-set_point-manual.json", []gateway.Fact{
			room(gateway.CloudRoom{Mode: gateway.RoomManual, Target: gateway.Number(21), Until: time.Unix(1612734552, 0).UTC()}),
			reading("12:34:56:00:01:ae", gateway.Target, gateway.Number(21)),
		}},
		{"display_change-set_point-off.json", []gateway.Fact{room(gateway.CloudRoom{Mode: gateway.RoomOff})}},
		{"home_event_changed-bare.json", nil},
		{"home_event_changed-schedule.json", []gateway.Fact{gateway.CloudView{Home: house, At: at, Schedule: "b1b54a2f45795764f59d50d8"}}},
		{"home_event_changed-therm_mode-hg.json", []gateway.Fact{gateway.CloudView{Home: house, At: at, Mode: gateway.HomeFrost}}},
		{"home_event_changed-therm_mode-schedule.json", []gateway.Fact{gateway.CloudView{Home: house, At: at, Mode: gateway.HomeSchedule}}},
		{"webhook_activation.json", []gateway.Fact{gateway.Call{Plane: gateway.PlanePush, Verdict: gateway.VerdictOK, Why: "webhook_activation"}}},
	} {
		t.Run(c.file, func(t *testing.T) {
			got, err := ReadWebhook(fixture(t, "webhooks/"+c.file), at)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v\nerror %v", got, c.want, err)
			}
		})
	}
}

func TestPushMessages(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     gateway.Fact // nil: none
	}{
		{"smoke", `{"push_type":"NSD-smoke","event_type":"smoke","device_id":"d","sub_type":1}`,
			gateway.Reading{Device: "d", Quantity: gateway.Smoke, Value: gateway.Flag(true), Measured: evening}},
		{"carbon monoxide without an event type", `{"push_type":"NCO-co_detected","device_id":"d","sub_type":"2"}`,
			gateway.Reading{Device: "d", Quantity: gateway.CO, Value: gateway.Flag(true), Measured: evening}},
		{"a camera comes back", `{"push_type":"NACamera-connection","camera_id":"d"}`, gateway.Reach{Device: "d", OK: true}},
		{"a camera goes", `{"push_type":"NOC-disconnection","event_type":"disconnection","device_id":"d"}`,
			gateway.Reach{Device: "d", Why: "the vendor says that it is disconnected"}},
		{"Wi-Fi fails", `{"push_type":"NSD-wifi_status","event_type":"wifi_status","device_id":"d","sub_type":0}`,
			gateway.Reach{Device: "d", Why: "the vendor says that its Wi-Fi fails"}},
		{"max has no temperature", `{"push_type":"display_change","event_type":"set_point","home_id":"h","room_id":7,"mode":"max"}`,
			gateway.CloudView{Home: "h", At: evening, Rooms: []gateway.CloudRoom{{ID: "7", Reachable: true, Mode: gateway.RoomMax, Target: gateway.Number(30)}}}},
		{"a set point of no room", `{"push_type":"display_change","home_id":"h","mode":"manual"}`, nil},
		{"the hook dies", `{"push_type":"webhook_deactivation"}`, gateway.Call{Plane: gateway.PlanePush, Verdict: gateway.VerdictDegraded, Why: "webhook_deactivation"}},
		{"topology changed", `{"push_type":"topology_changed"}`, nil},
		{"a call over WebRTC", `{"push_type":"NDB-rtc","device_id":"d"}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadWebhook([]byte(c.in), evening)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == nil && len(got) != 0 || c.want != nil && (len(got) != 1 || !reflect.DeepEqual(got[0], c.want)) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	if _, err := ReadWebhook([]byte("<html>"), evening); err == nil || err.Error() != "a push message is not a JSON object" {
		t.Errorf("HTML: %v", err)
	}
}
