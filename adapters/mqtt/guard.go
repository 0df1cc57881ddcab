package mqtt

import (
	"errors"
	"fmt"

	"github.com/veilleuse/veilleuse/gateway"
)

// guard reads {"guard":"away"}, {"guard":"night","bypass":true} and {"guard":"off"}.
func (r reader) guard(mode gateway.Value, w *wish) (gateway.Ask, error) {
	bypass, leaves := w.take("bypass")
	if err := w.rest("guard, bypass"); err != nil {
		return nil, err
	}
	if leaves && bypass != gateway.Flag(true) && bypass != gateway.Flag(false) {
		return nil, errors.New(`"bypass" is true or false: whether what is open or not heard is left out`)
	}
	switch m := gateway.GuardMode(mode.Word()); m {
	case gateway.GuardStay, gateway.GuardAway, gateway.GuardNight, gateway.GuardOff:
		return gateway.SetGuard{Mode: m, Bypass: bypass.Yes()}, nil
	}
	return nil, fmt.Errorf(`"guard" is stay, away, night or off, not %q`, mode)
}

// guardPanel announces the guard to Home Assistant.
func (a *announcer) guardPanel() fields {
	panel := fields{"platform": "alarm_control_panel"}
	set := func(mode gateway.GuardMode) string { return fmt.Sprintf(`{"guard":"%s"}`, mode) }
	panel["name"], panel["unique_id"] = "Guard", a.id("guard")
	panel["state_topic"], panel["json_attributes_topic"], panel["command_topic"] = a.base+"/guard", a.base+"/guard", a.base+"/home/set"
	panel["value_template"] = "{{ 'triggered' if value_json.intruder else " +
		"{'arming': 'arming', 'entering': 'pending'}.get(value_json.get('phase'), " +
		"{'stay': 'armed_home', 'away': 'armed_away', 'night': 'armed_night'}.get(value_json.mode, 'disarmed')) }}"
	panel["supported_features"] = []string{"arm_home", "arm_away", "arm_night"}
	panel["payload_arm_home"], panel["payload_arm_away"] = set(gateway.GuardStay), set(gateway.GuardAway)
	panel["payload_arm_night"], panel["payload_disarm"] = set(gateway.GuardNight), set(gateway.GuardOff)
	panel["code_arm_required"], panel["code_disarm_required"] = false, false
	return panel
}

// showGuard writes the page of the guard, in a house that has one.
func (v *view) showGuard() {
	s := &v.state
	if len(s.Home.Guard.Sensors) == 0 {
		return
	}
	if v.guard == nil {
		v.guard = v.board.page(v.base + "/guard")
		v.guard.sure = true
	}
	mode := s.Guard.Mode
	if mode == "" {
		mode = gateway.GuardOff
	}
	intruder := false
	for _, a := range s.Alarms {
		intruder = intruder || a.Kind == gateway.Intrusion && a.On()
	}
	o := begin(v.scratch).
		text("mode", string(mode)).
		text("phase", string(s.Guard.Phase)).
		moment("since", s.Guard.Since).
		text("by", s.Guard.By).
		flag("intruder", intruder)
	o = texts(texts(o, "left_out", forms(s.Guard.LeftOut)), "open", forms(s.Guard.Open))
	v.write(v.guard, texts(o, "not_heard", forms(s.Guard.Blind)))
}

// forms are devices as they stand in topics.
func forms(all []gateway.DeviceID) []string {
	var words []string
	for _, id := range all {
		words = append(words, topicForm(string(id)))
	}
	return words
}
