package mqtt

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/veilleuse/veilleuse/gateway"
)

// announcer tells Home Assistant which devices there are, one retained message a device. It follows
// "Device discovery payload" of Home Assistant's MQTT integration, release 2026.11: a device, an origin,
// components with a platform and a unique id, and an availability that holds for all of them.
type announcer struct {
	prefix   string // first level of the topics that Home Assistant reads
	base     string // ours
	root     string // first word of all ids; never changes, or Home Assistant would see new devices
	version  string
	pictures bool // of cameras are sent
	// had is the platform of each component that a part was announced with: one that is only left out stays.
	had map[string]map[string]string
}

func newAnnouncer(prefix, base, version string) *announcer {
	return &announcer{prefix: prefix, base: base, root: topicForm(base), version: version, had: make(map[string]map[string]string)}
}

// What the ids of rooms and devices begin with, after the root.
const (
	roomTopics   = "room-"
	deviceTopics = "device-"
)

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

// forget drops what is remembered of a part that is no more.
func (a *announcer) forget(part string) { delete(a.had, part) }

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

// device announces one piece of hardware with what it measures and what can be set on it, if there is any
// such thing.
func (a *announcer) device(form string, d gateway.Device, room string) (text []byte, some bool) {
	id, page := a.id(deviceTopics+form), a.base+"/device/"+form
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
	return a.announcement(about, []fields{a.running(), reachable}, components), len(components) > 1
}

// components lists what the device has.
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
	if a.pictures && hasPictures(d) {
		all["picture"] = pictureEntity(page, id+"-picture")
	}
	all["reachable"] = a.connectivity(page, id)
	return a.withTakenBack(deviceTopics+form, all)
}

// connectivity is whether the device is reached. It alone does not become unavailable with the device: that
// is when it is worth reading.
func (a *announcer) connectivity(page, id string) fields {
	return fields{
		"platform": binary, "device_class": "connectivity", "unique_id": id + "-reachable", "entity_category": diagnostic,
		"availability": []fields{a.running()}, "availability_mode": "all",
		"state_topic": page, "value_template": "{{ 'ON' if value_json.reachable else 'OFF' }}",
		"json_attributes_topic": page, "json_attributes_template": "{{ {'via': value_json.get('via')} | tojson }}",
	}
}

// withTakenBack adds to the components of a part those that it was announced with before and has no more,
// named with their platform only, which makes Home Assistant remove them.
func (a *announcer) withTakenBack(part string, all fields) fields {
	for key, platform := range a.had[part] {
		if _, still := all[key]; !still {
			all[key] = fields{"platform": platform}
		}
	}
	a.remember(part, all)
	return all
}

// remember notes with which components a part was announced, now or by an earlier run.
func (a *announcer) remember(part string, components fields) {
	if a.had[part] == nil {
		a.had[part] = make(map[string]string)
	}
	for key, c := range components {
		platform, _ := c.(fields)["platform"].(string)
		a.had[part][key] = platform
	}
}

// room announces the thermostat of one room.
func (a *announcer) room(form string, r gateway.Room, l limits) []byte {
	id, page := a.id(roomTopics+form), a.base+"/room/"+form
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
		"modes": []string{"auto", "heat", "off"}, "preset_modes": presets,
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
		"preset_mode_value_template":   presetOf(l),
		"preset_mode_command_topic":    set,
		"preset_mode_command_template": `{"preset":"{{ value if value != 'none' else 'schedule' }}"}`,
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
