package mqtt

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/veilleuse/veilleuse/gateway"
)

// announcer tells Home Assistant which devices there are, one retained message a device. It follows
// "Device discovery payload" of Home Assistant's MQTT integration, release 2026.2: a device, an origin,
// components with a platform and a unique id, and an availability that holds for all of them.
type announcer struct {
	prefix  string // first level of the topics that Home Assistant reads
	base    string // ours
	root    string // first word of all ids; never changes, or Home Assistant would see new devices
	version string
	// had is what each device was last announced with: a component that is only left out stays.
	had map[string]fields
}

func newAnnouncer(prefix, base, version string) *announcer {
	return &announcer{prefix: prefix, base: base, root: topicForm(base), version: version, had: make(map[string]fields)}
}

// id makes an id that no other device or gateway on the broker has. Part "" is Veilleuse itself.
func (a *announcer) id(part string) string {
	if part == "" {
		return a.root
	}
	return a.root + "-" + part
}

// configTopic is where a device is announced.
func (a *announcer) configTopic(part string) string {
	return a.prefix + "/device/" + a.id(part) + "/config"
}

// forget drops what is remembered of a device that is no more.
func (a *announcer) forget(form string) { delete(a.had, form) }

// announcement puts together what all have in common.
func (a *announcer) announcement(device fields, available []fields, components fields) []byte {
	origin := fields{"name": "Veilleuse", "url": "https://github.com/veilleuse/veilleuse"}
	if a.version != "" {
		origin["sw"] = a.version
	}
	f := fields{
		"device": device, "origin": origin, "components": components,
		"availability": available, "availability_mode": "all",
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		return nil // strings, numbers and maps of them can always be encoded
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// running says that Veilleuse itself is there.
func (a *announcer) running() fields { return fields{"topic": a.base + "/status"} }

// house announces Veilleuse itself: who is in charge, whether the vendor's cloud is there, the alarm, a
// drill, the guard, the outage, the requests spent.
func (a *announcer) house(guarded bool) []byte {
	device := fields{"identifiers": []string{a.id("")}, "name": "Veilleuse", "manufacturer": "Veilleuse", "model": "Gateway"}
	if a.version != "" {
		device["sw_version"] = a.version
	}
	part := func(platform, name, page string, more fields) fields {
		f := fields{
			"platform": platform, "name": name, "unique_id": a.id(page),
			"state_topic": a.base + "/" + page, "json_attributes_topic": a.base + "/" + page,
		}
		maps.Copy(f, more)
		return f
	}
	phase := "{{ value_json.get('phase') }}"
	components := fields{
		"cloud": part(binary, "Netatmo cloud", "cloud", fields{
			"device_class": "connectivity",
			"value_template": "{{ None if value_json.get('verdict', 'unknown') == 'unknown' " +
				"else 'ON' if value_json.verdict == 'ok' else 'OFF' }}",
		}),
		"authority": part("sensor", "Authority", "authority", fields{
			"device_class": "enum", "value_template": phase,
			"options": []gateway.Phase{gateway.Watching, gateway.Suspect, gateway.Local, gateway.Returning},
		}),
		"alarm": part("sensor", "Alarm", "alarm", fields{
			"device_class": "enum", "value_template": phase,
			"options": []gateway.AlarmPhase{gateway.Quiet, gateway.PreAlarm, gateway.Sounding, gateway.Hushed, gateway.Testing, gateway.Cleared},
		}),
		"danger": part(binary, "Danger", "alarm", fields{
			"unique_id": a.id("danger"), "device_class": "safety",
			"value_template": "{{ 'ON' if value_json.get('phase') in ['pre-alarm', 'sounding', 'hushed'] else 'OFF' }}",
		}),
		"outage": part(binary, "Netatmo outage", "outage", fields{
			"device_class":   "problem",
			"value_template": "{{ 'ON' if value_json.number is defined and value_json.until is not defined else 'OFF' }}",
		}),
		"budget": part("sensor", "Requests to Netatmo, last hour", "budget", fields{
			"value_template": "{{ value_json.get('spent_last_hour') }}", "unit_of_measurement": "requests",
			"state_class": measurement, "entity_category": diagnostic,
		}),
		"hush": fields{
			"platform": "button", "name": "Hush", "unique_id": a.id("hush"),
			"command_topic": a.base + "/alarm/set", "payload_press": `{"hush":true}`,
		},
		"acknowledge": fields{
			"platform": "button", "name": "Acknowledge alarm", "unique_id": a.id("acknowledge"),
			"command_topic": a.base + "/alarm/set", "payload_press": `{"acknowledge":true}`,
		},
		"drill": part("switch", "Drill", "authority", fields{
			"unique_id": a.id("drill"), "icon": "mdi:lifebuoy",
			"value_template": "{{ value_json.get('drill', false) }}", "state_on": jinjaFlag(true), "state_off": jinjaFlag(false),
			"command_topic": a.base + "/home/set", "payload_on": `{"drill":"10m"}`, "payload_off": `{"drill":false}`,
		}),
	}
	if guarded {
		components["guard"] = a.guardPanel()
	}
	return a.announcement(device, []fields{a.running()}, components)
}

// device announces one piece of hardware with what it measures and what can be set on it, if there is any
// such thing.
func (a *announcer) device(form string, d gateway.Device, room string) (text []byte, some bool) {
	id, page := a.id("device-"+form), a.base+"/device/"+form
	about := fields{"identifiers": []string{id}, "name": d.Name, "serial_number": string(d.ID), "via_device": a.id("")}
	if d.Name == "" {
		about["name"] = string(d.ID)
	}
	if _, byVendor := d.Face(gateway.CloudAdapter); byVendor {
		about["manufacturer"] = "Netatmo"
	}
	firmware, _ := d.Reading(gateway.Firmware)
	for key, word := range map[string]string{
		"model": d.Model, "suggested_area": room, "sw_version": firmware.Value.Word(),
	} {
		if word != "" {
			about[key] = word
		}
	}
	reachable := fields{"topic": page, "value_template": "{{ 'online' if value_json.reachable else 'offline' }}"}
	components := a.components(form, id, page, d)
	return a.announcement(about, []fields{a.running(), reachable}, components), len(components) > 0
}

// components lists what the device has. One that it had and has no more is named with its platform
// only, which makes Home Assistant remove it.
func (a *announcer) components(form, id, page string, d gateway.Device) fields {
	all := fields{}
	set := make(map[gateway.Quantity]bool)
	for _, face := range d.Faces {
		for _, c := range face.Controls {
			best, _, _ := d.Control(c.Quantity)
			part, ok := control(c.Quantity, best, page, id+"-"+string(c.Quantity)+"-set")
			if ok {
				all[string(c.Quantity)+"-set"] = part
				set[c.Quantity] = true
			}
		}
	}
	for _, q := range d.Quantities() {
		if s, ok := sensors[q]; ok && !set[q] {
			all[string(q)] = s.component(q, page, id+"-"+string(q))
		}
	}
	for key, part := range a.had[form] {
		if _, still := all[key]; !still {
			all[key] = fields{"platform": part.(fields)["platform"]}
		}
	}
	a.had[form] = all
	return all
}

// room announces the thermostat of one room. The presets are those of the whole home, as in the vendor's
// own app: away and frost guard.
func (a *announcer) room(form string, r gateway.Room, l limits) []byte {
	id, page := a.id("room-"+form), a.base+"/room/"+form
	set := page + "/set"
	about := fields{"identifiers": []string{id}, "name": r.Name, "model": "Room", "via_device": a.id("")}
	if r.Name == "" {
		about["name"] = string(r.ID)
	} else {
		about["suggested_area"] = r.Name
	}
	known := fields{"topic": page, "value_template": "{{ 'online' if value_json.target is defined " +
		"or value_json.temperature is defined else 'offline' }}"}
	climate := fields{
		"platform": "climate", "unique_id": id, "name": nil,
		"modes": []string{"auto", "heat", "off"}, "preset_modes": []string{"away", "frost"},
		"min_temp": l.low, "max_temp": l.high, "temp_step": 0.5, "precision": 0.1, "temperature_unit": "C",
		"current_temperature_topic": page, "current_temperature_template": "{{ value_json.get('temperature') }}",
		"temperature_state_topic": page, "temperature_state_template": "{{ value_json.get('target') }}",
		"temperature_command_topic": set, "temperature_command_template": `{"target":{{ value }}}`,
		"mode_state_topic": page,
		"mode_state_template": "{{ {'manual': 'heat', 'max': 'heat', 'off': 'off'}.get(value_json.mode, 'auto') " +
			"if value_json.mode is defined else None }}",
		"mode_command_topic":           set,
		"mode_command_template":        `{"mode":"{{ {'auto': 'schedule', 'heat': 'manual'}.get(value, 'off') }}"}`,
		"preset_mode_state_topic":      page,
		"preset_mode_value_template":   "{{ value_json.mode if value_json.get('mode') in ['away', 'frost'] else 'none' }}",
		"preset_mode_command_topic":    a.base + "/home/set",
		"preset_mode_command_template": `{"mode":"{{ value if value in ['away', 'frost'] else 'schedule' }}"}`,
		"action_topic":                 page,
		"action_template": "{{ 'off' if value_json.get('mode') == 'off' else None if value_json.heating is not defined " +
			"else 'heating' if value_json.heating else 'idle' }}",
		"json_attributes_topic":    page,
		"json_attributes_template": "{{ {'why': value_json.get('why'), 'until': value_json.get('until')} | tojson }}",
	}
	return a.announcement(about, []fields{a.running(), known}, fields{"thermostat": climate})
}

// looksAlike reports whether two states of a device are announced in the same way. Readings change all
// the time, the announcement hardly ever.
func looksAlike(a, b gateway.Device) bool {
	if a.Name != b.Name || a.Model != b.Model || a.Room != b.Room || len(a.Readings) != len(b.Readings) {
		return false
	}
	for i, m := range a.Readings {
		if m.Quantity != b.Readings[i].Quantity || m.Quantity == gateway.Firmware && m.Value != b.Readings[i].Value {
			return false
		}
	}
	return slices.EqualFunc(a.Faces, b.Faces, func(x, y gateway.Face) bool {
		return x.Adapter == y.Adapter && slices.Equal(x.Controls, y.Controls)
	})
}
