package mqtt

import (
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// homieRoot is Veilleuse itself as a device of Homie.
func homieRoot(root string, s *gateway.State, children []string) homieDevice {
	d := homieDevice{id: root, name: "Veilleuse", model: homieModel, children: children, state: homieReady, alerts: map[string]string{}}
	enum := func(id, name, format, value string) homieProperty {
		return homieProperty{id: id, name: name, datatype: "enum", format: format, value: value}
	}
	settable := func(p homieProperty) homieProperty { p.settable, p.target = true, p.value; return p }
	button := func(id, name string) homieProperty {
		return homieProperty{id: id, name: name, datatype: "boolean", settable: true, fleeting: true}
	}
	home := homieNode{id: "home", name: "Home", properties: []homieProperty{
		settable(enum("mode", "Mode", homieEnum([]gateway.HomeMode{gateway.HomeSchedule, gateway.HomeAway, gateway.HomeFrost}), string(s.Home.Regime.Mode))),
	}}
	if names := homieEnum(scheduleNames(s.Home)); names != "" {
		name := ""
		for _, p := range s.Home.Schedules {
			if p.ID == s.Home.Regime.Schedule && slices.Contains(strings.Split(names, ","), p.Name) {
				name = p.Name
			}
		}
		home.properties = append(home.properties, settable(enum("schedule", "Schedule", names, name)))
	}
	phases := homieEnum([]gateway.Phase{gateway.Watching, gateway.Suspect, gateway.Local, gateway.Returning})
	authority := homieNode{id: "authority", name: "Authority", properties: []homieProperty{
		enum("phase", "Who is in charge", phases, string(s.Authority.Phase)),
		{id: "why", name: "Why", datatype: "string", value: s.Authority.Why},
		enum("verdict", "Netatmo cloud", homieEnum(verdicts), string(s.Cloud.Verdict)),
		settable(homieProperty{id: "drill", name: "Drill", datatype: "boolean", value: homieValue(gateway.Flag(s.Authority.Drill))}),
	}}
	gravest := s.Alarm()
	alarmPhases := homieEnum([]gateway.AlarmPhase{gateway.Quiet, gateway.PreAlarm, gateway.Sounding, gateway.Hushed, gateway.Testing, gateway.Cleared})
	alarm := homieNode{id: "alarm", name: "Alarm", properties: []homieProperty{
		enum("phase", "Phase", alarmPhases, string(gravest.Phase)),
		{id: "kind", name: "Kind", datatype: "string", value: string(gravest.Kind)},
		button("hush", "Hush"), button("acknowledge", "Acknowledge"),
	}}
	d.nodes = []homieNode{home, authority, alarm}
	if len(s.Home.Guard.Sensors) > 0 {
		mode := s.Guard.Mode
		if mode == "" {
			mode = gateway.GuardOff
		}
		modes := homieEnum([]gateway.GuardMode{gateway.GuardStay, gateway.GuardAway, gateway.GuardNight, gateway.GuardOff})
		d.nodes = append(d.nodes, homieNode{id: "guard", name: "Guard", properties: []homieProperty{settable(enum("mode", "Mode", modes, string(mode)))}})
	}
	if gravest.On() {
		d.alerts["alarm"] = gravest.Why
	}
	if s.Outage != nil && s.Outage.Ended.IsZero() {
		d.alerts["outage"] = s.Outage.Why
	}
	return d
}

// homieRoom is one room. What its valves show is the value of the target, what is intended its $target.
func homieRoom(root, form string, r gateway.Room, shown gateway.Value, l limits) homieDevice {
	preset := ""
	switch r.Target.Mode {
	case gateway.RoomSchedule, gateway.RoomHome:
		preset = presetSchedule
	case gateway.RoomAway:
		preset = presetAway
	case gateway.RoomFrost:
		preset = presetFrost
	case gateway.RoomMax:
		preset = presetBoost
	}
	mode := r.Target.Mode
	if mode == gateway.RoomHome {
		mode = gateway.RoomSchedule
	}
	if !shown.Known() {
		shown = r.Target.Value
	}
	modes := []gateway.RoomMode{gateway.RoomSchedule, gateway.RoomManual, gateway.RoomMax, gateway.RoomAway, gateway.RoomFrost, gateway.RoomOff}
	properties := []homieProperty{{id: "temperature", name: "Temperature", datatype: "float", unit: "°C", value: homieValue(r.Temperature.Value)}}
	if isHeated(r) {
		properties = append(properties,
			homieProperty{id: "target", name: "Target", datatype: "float", unit: "°C", settable: true,
				format: homieRange(l.low, l.high, 0.5), value: homieValue(shown), target: homieValue(r.Target.Value)},
			homieProperty{id: "mode", name: "Mode", datatype: "enum", format: homieEnum(modes), settable: true, value: string(mode), target: string(mode)},
			homieProperty{id: "preset", name: "Preset", datatype: "enum", format: homieEnum(presets), settable: true, value: preset, target: preset},
			homieProperty{id: "until", name: "Until", datatype: "datetime", value: homieTime(r.Target.Until)},
			homieProperty{id: "why", name: "Why", datatype: "string", value: r.Target.Why},
			homieProperty{id: "heating", name: "Heating", datatype: "boolean", value: homieHeating(r.Heating)})
	}
	name := r.Name
	if name == "" {
		name = string(r.ID)
	}
	return homieDevice{id: root + "-" + roomTopics + form, name: name, model: "room", root: root, state: homieReady,
		nodes: []homieNode{{id: "thermostat", name: "Thermostat", properties: properties}}}
}

// homieHeating is whether a room is heated, from a flag or a demand in percent.
func homieHeating(v gateway.Value) string {
	n, _ := v.Number()
	if !v.Known() {
		return ""
	}
	return homieValue(gateway.Flag(v.Yes() || n > 0))
}

// homieThing is one device with its readings. asked says what was asked of a quantity and is not so yet.
func homieThing(root, form string, d gateway.Device, asked func(gateway.Quantity) gateway.Value) homieDevice {
	is := homieDevice{id: root + "-" + deviceTopics + form, name: nameOf(d), model: d.Model, root: root, state: homieReady, alerts: map[string]string{}}
	if !d.Reachable() {
		is.state = homieLost
	}
	node := homieNode{id: "readings", name: "Readings"}
	for _, q := range d.Quantities() {
		if s, ok := sensors[q]; ok {
			m, _ := d.Reading(q)
			p := homieQuantity(q, s)
			p.value = homieValue(m.Value)
			node.properties = append(node.properties, withControl(p, q, d, asked))
		}
	}
	for _, f := range d.Faces {
		for _, c := range f.Controls { // what can be set, and nobody has read yet
			known := slices.ContainsFunc(node.properties, func(p homieProperty) bool { return p.id == string(c.Quantity) })
			if _, ok := settable[c.Quantity]; ok && !known {
				node.properties = append(node.properties, withControl(homieQuantity(c.Quantity, sensors[c.Quantity]), c.Quantity, d, asked))
			}
		}
	}
	is.nodes = []homieNode{node}
	for q, text := range map[gateway.Quantity]string{
		gateway.LowBattery: "the battery is low", gateway.Fault: "the device reports a fault", gateway.Tampered: "somebody tampers with the device",
	} {
		if m, ok := d.Reading(q); ok && m.Value.Yes() {
			is.alerts[string(q)] = text
		}
	}
	return is
}

// homieQuantity describes a quantity without its value.
func homieQuantity(q gateway.Quantity, s sensor) homieProperty {
	p := homieProperty{id: string(q), name: s.name, datatype: "float", unit: s.unit}
	if p.name == "" {
		words := strings.ReplaceAll(string(q), "-", " ")
		p.name = strings.ToUpper(words[:1]) + words[1:]
	}
	switch {
	case s.platform == binary:
		p.datatype = "boolean"
	case q == gateway.Floodlight:
		p.datatype, p.format = "enum", homieEnum(floodlightWords)
	case q == gateway.Ring:
		p.datatype = "integer"
	case q == gateway.Snapshot:
		p.datatype = "datetime"
	case q == gateway.Firmware:
		p.datatype = "string"
	}
	return p
}

// withControl makes the property settable if the device can be told, and may be.
func withControl(p homieProperty, q gateway.Quantity, d gateway.Device, asked func(gateway.Quantity) gateway.Value) homieProperty {
	c, _, ok := d.Control(q)
	kind, may := settable[q]
	if !ok || !may {
		return p
	}
	p.settable, p.target = true, homieValue(asked(q))
	if p.target == "" {
		p.target = p.value
	}
	if kind == aPercentage {
		low, high := span(c)
		p.format = homieRange(low, high, c.Step)
	}
	return p
}
