package mqtt

import (
	"maps"
	"slices"

	"github.com/veilleuse/veilleuse/gateway"
)

// verdicts are all that can be found about the vendor's cloud.
var verdicts = []gateway.Verdict{
	gateway.VerdictUnknown, gateway.VerdictOK, gateway.VerdictCloudDown, gateway.VerdictDegraded, gateway.VerdictInternetDown,
	gateway.VerdictLANDown, gateway.VerdictResolver, gateway.VerdictHijack, gateway.VerdictCaptive, gateway.VerdictAuthRevoked,
	gateway.VerdictRateLimited, gateway.VerdictClockWrong, gateway.VerdictSelf,
}

// house announces Veilleuse itself: who is in charge, whether the vendor's cloud is there, the alarm, the
// modes of the home, a drill, the guard, the outage, and how the gateway fares. There is no update entity: it
// needs to know the newest release, and for that somebody would have to be asked.
func (a *announcer) house(h gateway.Home) []byte {
	device := fields{"identifiers": []string{a.id("")}, "name": "Veilleuse", "manufacturer": "Veilleuse", "model": "Gateway"}
	if a.version != "" {
		device["sw_version"] = a.version
	}
	components := fields{}
	maps.Copy(components, a.authority())
	maps.Copy(components, a.alarms())
	maps.Copy(components, a.modes(h))
	maps.Copy(components, a.health())
	if len(h.Guard.Sensors) > 0 {
		components["guard"] = a.guardPanel()
	}
	return a.announcement(device, []fields{a.running()}, a.withTakenBack("", components))
}

// part is one component of Veilleuse itself that reads a page of its own.
func (a *announcer) part(platform, name, id, page string, more fields) fields {
	f := fields{"platform": platform, "name": name, "unique_id": a.id(id), "state_topic": a.base + "/" + page}
	maps.Copy(f, more)
	return f
}

// withPage adds the page to what people can look up in Home Assistant.
func withPage(f fields) fields {
	f["json_attributes_topic"] = f["state_topic"]
	return f
}

// authority says who is in charge and why.
func (a *announcer) authority() fields {
	return fields{
		"cloud": withPage(a.part(binary, "Netatmo cloud", "cloud", "cloud", fields{
			"device_class": "connectivity",
			"value_template": "{{ None if value_json.get('verdict', 'unknown') == 'unknown' " +
				"else 'ON' if value_json.verdict == 'ok' else 'OFF' }}",
		})),
		"authority": withPage(a.part("sensor", "Authority", "authority", "authority", fields{
			"device_class": "enum", "value_template": phaseOf,
			"options": []gateway.Phase{gateway.Watching, gateway.Suspect, gateway.Local, gateway.Returning},
		})),
		"outage": withPage(a.part(binary, "Netatmo outage", "outage", "outage", fields{
			"device_class":   "problem",
			"value_template": "{{ 'ON' if value_json.number is defined and value_json.until is not defined else 'OFF' }}",
		})),
		"drill": withPage(a.part("switch", "Drill", "drill", "authority", fields{
			"icon":           "mdi:lifebuoy",
			"value_template": "{{ value_json.get('drill', false) }}", "state_on": jinjaFlag(true), "state_off": jinjaFlag(false),
			"command_topic": a.base + "/home/set", "payload_on": `{"drill":"10m"}`, "payload_off": `{"drill":false}`,
		})),
	}
}

const phaseOf = "{{ value_json.get('phase') }}"

// alarms is the gravest alarm, and what people answer.
func (a *announcer) alarms() fields {
	button := func(id, name, wish string) fields {
		return fields{
			"platform": "button", "name": name, "unique_id": a.id(id),
			"command_topic": a.base + "/alarm/set", "payload_press": wish,
		}
	}
	return fields{
		"alarm": withPage(a.part("sensor", "Alarm", "alarm", "alarm", fields{
			"device_class": "enum", "value_template": phaseOf,
			"options": []gateway.AlarmPhase{gateway.Quiet, gateway.PreAlarm, gateway.Sounding, gateway.Hushed, gateway.Testing, gateway.Cleared},
		})),
		"danger": withPage(a.part(binary, "Danger", "danger", "alarm", fields{
			"device_class":   "safety",
			"value_template": "{{ 'ON' if value_json.get('phase') in ['pre-alarm', 'sounding', 'hushed'] else 'OFF' }}",
		})),
		"hush":        button("hush", "Hush", `{"hush":true}`),
		"acknowledge": button("acknowledge", "Acknowledge alarm", `{"acknowledge":true}`),
	}
}

// modes are those of the whole home, and its schedules if they have names to choose by.
func (a *announcer) modes(h gateway.Home) fields {
	mode := func(id, name, icon string, mode gateway.HomeMode) fields {
		return a.part("switch", name, id, "home", fields{
			"icon":           icon,
			"value_template": "{{ value_json.mode == '" + string(mode) + "' if value_json.mode is defined else None }}",
			"state_on":       jinjaFlag(true), "state_off": jinjaFlag(false),
			"command_topic": a.base + "/home/set", "payload_on": `{"mode":"` + string(mode) + `"}`, "payload_off": `{"mode":"schedule"}`,
			"json_attributes_topic":    a.base + "/home",
			"json_attributes_template": "{{ {'until': value_json.get('until'), 'by': value_json.get('by')} | tojson }}",
		})
	}
	all := fields{
		"away":        mode("away", "Away", "mdi:home-export-outline", gateway.HomeAway),
		"frost-guard": mode("frost-guard", "Frost guard", "mdi:snowflake", gateway.HomeFrost),
	}
	if names := scheduleNames(h); len(names) > 0 {
		all["schedule"] = a.part("select", "Schedule", "schedule", "home", fields{
			"icon": "mdi:calendar-clock", "options": names, "value_template": "{{ value_json.get('schedule') }}",
			"command_topic": a.base + "/home/set", "command_template": `{"schedule":{{ value | tojson }}}`,
		})
	}
	return all
}

// health is how the gateway itself fares.
func (a *announcer) health() fields {
	own := func(platform, name, id, page, template string, more fields) fields {
		f := fields{"value_template": template, "entity_category": diagnostic}
		maps.Copy(f, more)
		return a.part(platform, name, id, page, f)
	}
	of := func(key string) string { return "{{ value_json.get('" + key + "') }}" }
	return fields{
		"budget": withPage(own("sensor", "Requests to Netatmo, last hour", "budget", "budget", of("spent_last_hour"), fields{
			"unit_of_measurement": "requests", "state_class": measurement})),
		"verdict": own("sensor", "Verdict", "verdict", "cloud", of("verdict"), fields{"device_class": "enum", "options": verdicts}),
		"availability": own("sensor", "Netatmo available, 30 days", "availability", "diagnostics", of("cloud_available"), fields{
			"unit_of_measurement": "%", "state_class": measurement, "suggested_display_precision": 2}),
		"clock": own("sensor", "Clock", "clock", "diagnostics", of("clock"), fields{
			"device_class": "enum", "options": []gateway.Trust{gateway.TrustSynced, gateway.TrustHoldover, gateway.TrustGuess}}),
		"unreachable": own("sensor", "Devices out of reach", "unreachable", "diagnostics", of("unreachable"), fields{"state_class": measurement}),
		"writes":      own("sensor", "Writes to the disk", "writes", "diagnostics", of("disk_writes"), fields{"state_class": "total_increasing"}),
		"written": own("sensor", "Written to the disk", "written", "diagnostics", of("disk_bytes"), fields{
			"device_class": "data_size", "unit_of_measurement": "B", "state_class": "total_increasing"}),
	}
}

// scheduleNames are the names that a schedule can be chosen by: none that two of them have.
func scheduleNames(h gateway.Home) []string {
	var names []string
	for i, s := range h.Schedules {
		twin := func(other gateway.Schedule) bool { return other.Name == s.Name }
		if s.Name != "" && slices.IndexFunc(h.Schedules, twin) == i && !slices.ContainsFunc(h.Schedules[i+1:], twin) {
			names = append(names, s.Name)
		}
	}
	return names
}

// announcedAlike reports whether two homes are announced in the same way.
func announcedAlike(a, b gateway.Home) bool {
	return (len(a.Guard.Sensors) > 0) == (len(b.Guard.Sensors) > 0) &&
		slices.EqualFunc(a.Schedules, b.Schedules, func(x, y gateway.Schedule) bool { return x.Name == y.Name })
}

// announceHouse tells Home Assistant of Veilleuse itself.
func (v *view) announceHouse() {
	if v.announcement != nil {
		v.board.write(v.announcement, v.announcer.house(v.state.Home))
	}
}

// showHome writes the page of the home's mode.
func (v *view) showHome() {
	r := v.state.Home.Regime
	o := begin(v.scratch).text("mode", string(r.Mode))
	for i := range v.state.Home.Schedules {
		if s := &v.state.Home.Schedules[i]; s.ID == r.Schedule {
			o = o.text("schedule", s.Name)
		}
	}
	v.write(v.home, o.moment("until", r.Until).text("by", r.By))
}
