package netatmo

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// ReadWebhook reads one message as the vendor pushes it, received at the given time: it carries none
// of its own. It returns the facts in it, none if it only says that something is to be read again.
// Nothing here listens for such messages: that would take a port open to the internet.
func ReadWebhook(data []byte, at time.Time) ([]gateway.Fact, error) {
	m, err := readWhole(200, data)
	if err != nil {
		return nil, errors.New("a push message is not a JSON object")
	}
	push, kind := m.text("push_type"), m.text("event_type")
	home := cmp.Or(m.text("home_id"), m.object("home").text("id"))
	switch {
	case push == "webhook_activation" || push == "webhook_deactivation":
		return readActivation(push), nil
	case push == "display_change":
		return readDisplayChange(m, home, at), nil
	case push == "home_event_changed":
		return readHomeChange(m, kind, home, at), nil
	}
	if kind == "" { // "NACamera-connection" says it all in its push_type
		_, kind, _ = strings.Cut(push, "-")
	}
	return readDevicePush(m, kind, at), nil
}

func readActivation(push string) []gateway.Fact {
	verdict := gateway.VerdictOK
	if push == "webhook_deactivation" {
		verdict = gateway.VerdictDegraded
	}
	return []gateway.Fact{gateway.Call{Plane: gateway.PlanePush, Verdict: verdict, Why: push}}
}

// readDisplayChange reads a set point that was set or cancelled. The room may be named at the top, or
// in a list, or both; the list may be empty; max and off come without a temperature.
func readDisplayChange(m attributes, home string, at time.Time) []gateway.Fact {
	view := gateway.CloudView{Home: home, At: at}
	h := m.object("home")
	for _, o := range h.objects("rooms") {
		r := readRoom(o).CloudRoom
		if r.ID != "" {
			r.Reachable = true // it has just been heard of
			view.Rooms = append(view.Rooms, fillMax(r))
		}
	}
	if id := gateway.RoomID(m.text("room_id")); id != "" && len(view.Rooms) == 0 {
		r := gateway.CloudRoom{ID: id, Reachable: true, Mode: roomMode(m.text("mode"))}
		if degrees, ok := m.number("temperature"); ok {
			r.Target = gateway.Number(degrees)
		}
		view.Rooms = append(view.Rooms, fillMax(r))
	}
	if len(view.Rooms) == 0 {
		return nil
	}
	facts := []gateway.Fact{view}
	if target := view.Rooms[0].Target; target.Known() && len(view.Rooms) == 1 {
		for _, o := range h.objects("modules") {
			if _, heats := headRank(o.text("type")); heats {
				return append(facts, gateway.Reading{
					Device: gateway.DeviceID(o.text("id")), Quantity: gateway.Target, Value: target, Measured: at,
				})
			}
		}
	}
	return facts
}

func fillMax(r gateway.CloudRoom) gateway.CloudRoom {
	if r.Mode == gateway.RoomMax && !r.Target.Known() {
		r.Target = gateway.Number(boost)
	}
	return r
}

// readHomeChange reads another mode or schedule of the home; one without either says nothing.
func readHomeChange(m attributes, kind, home string, at time.Time) []gateway.Fact {
	view := gateway.CloudView{Home: home, At: at}
	switch kind {
	case "therm_mode":
		h := m.object("home")
		view.Mode = homeMode(cmp.Or(m.text("mode"), h.text("therm_mode")))
		view.ModeUntil = h.time("therm_mode_endtime")
	case "schedule":
		view.Schedule = m.text("schedule_id")
	}
	if view.Mode == "" && view.Schedule == "" {
		return nil
	}
	return []gateway.Fact{view}
}

// readDevicePush reads what a camera, a detector or a doorbell sends.
func readDevicePush(m attributes, kind string, at time.Time) []gateway.Fact {
	e := event{
		kind: kind, at: at, sub: m.text("sub_type"),
		device: gateway.DeviceID(m.text("module_id", "device_id", "camera_id")),
	}
	if e.device == "" {
		return nil
	}
	switch e.kind {
	case "connection", "module_connect":
		return []gateway.Fact{gateway.Reach{Device: e.device, OK: true}}
	case "disconnection", "module_disconnect":
		return []gateway.Fact{gateway.Reach{Device: e.device, Why: "the vendor says that it is disconnected"}}
	case "wifi_status":
		if e.sub == "0" {
			return []gateway.Fact{gateway.Reach{Device: e.device, Why: "the vendor says that its Wi-Fi fails"}}
		}
		return []gateway.Fact{gateway.Reach{Device: e.device, OK: true}}
	}
	if r, ok := e.reading(); ok {
		return []gateway.Fact{r}
	}
	return nil
}
