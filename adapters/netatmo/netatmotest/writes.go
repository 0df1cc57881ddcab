package netatmotest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// setroomthermpoint knows rooms with a thermostat, and rooms with valves in homes without a modulating
// thermostat or a Smarther.
func (c *Cloud) setroomthermpoint(form url.Values, now time.Time) answer {
	room := form.Get("room_id")
	kind := c.heater(room)
	modulating := slices.ContainsFunc(c.home.Modules, func(m Module) bool { return m.Type == "OTM" || m.Type == "BNS" })
	switch {
	case form.Get("home_id") == "":
		return fail(400, 10, "Missing home_id")
	case form.Get("home_id") != c.home.ID || c.room(room) == nil:
		return fail(400, 21, "Invalid id")
	case form.Get("mode") == "":
		return fail(400, 10, "mode is missing")
	case kind != "NATherm1" && (kind != "NRV" || modulating):
		return fail(403, 13, "device is not a ThermRelay")
	}
	temp, _ := strconv.ParseFloat(form.Get("temp"), 64)
	end, _ := strconv.ParseInt(form.Get("endtime"), 10, 64)
	if a, wrong := c.setRoom(room, form.Get("mode"), temp, "", end, now); wrong {
		return a
	}
	return ok(nil, now)
}

// setRoom gives a room a set point; end is in seconds since 1970, 0: the default duration.
func (c *Cloud) setRoom(room, mode string, temp float64, order string, end int64, now time.Time) (answer, bool) {
	h := hold{mode: mode, start: now, end: now.Add(c.home.DefaultDuration)}
	if end > 0 {
		h.end = time.Unix(end, 0).UTC()
	}
	switch mode {
	case "manual":
		if order == "" && (temp < 7 || temp > 30) {
			return fail(400, 21, "Invalid temp"), true
		}
		h.target, h.order = round(temp, 0.5), order
	case "max":
		h.target = 30
	case "hg":
		h.target = c.frost()
		if end == 0 {
			h.end = time.Time{}
		}
	case "off":
		if c.heater(room) != "NATherm1" {
			return fail(400, 21, "OFF mode can only be applied on thermostat room"), true
		}
		h.target, h.end = 7, time.Time{}
	case "home":
		if !c.broken(IgnoreWrites) {
			delete(c.holds, room)
		}
		return answer{}, false
	default:
		return fail(400, 21, "mode not authorized"), true
	}
	if !c.broken(IgnoreWrites) {
		c.holds[room] = h
	}
	return answer{}, false
}

// setthermmode sets the mode of the whole home, and wipes the rooms' manual set points
// (home-assistant#46147).
func (c *Cloud) setthermmode(form url.Values, now time.Time) answer {
	mode := form.Get("mode")
	switch {
	case form.Get("home_id") == "":
		return fail(400, 10, "Missing home_id")
	case form.Get("home_id") != c.home.ID:
		return fail(400, 21, "Invalid id")
	case mode == "":
		return fail(400, 10, "mode is missing")
	case mode != "schedule" && mode != "away" && mode != "hg":
		return fail(400, 21, "mode not authorized")
	}
	if c.broken(IgnoreWrites) {
		return ok(nil, now)
	}
	end, _ := strconv.ParseInt(form.Get("endtime"), 10, 64)
	c.setMode(mode, end)
	if id := form.Get("schedule_id"); id != "" && mode == "schedule" {
		return c.selectSchedule(id, now)
	}
	return ok(nil, now)
}

func (c *Cloud) setMode(mode string, end int64) {
	c.mode, c.modeEnd = mode, time.Time{}
	if mode != "schedule" && end > 0 {
		c.modeEnd = time.Unix(end, 0).UTC()
	}
	clear(c.holds)
}

func (c *Cloud) switchhomeschedule(form url.Values, now time.Time) answer {
	if form.Get("home_id") != c.home.ID {
		return fail(400, 21, "Invalid id")
	}
	return c.selectSchedule(form.Get("schedule_id"), now)
}

// selectSchedule selects one among the schedules of its type.
func (c *Cloud) selectSchedule(id string, now time.Time) answer {
	i := slices.IndexFunc(c.home.Schedules, func(s gateway.Schedule) bool { return s.ID == id })
	if i < 0 || c.home.Schedules[i].Type != "therm" {
		return fail(400, 21, fmt.Sprintf("schedule %s is not therm schedule", id))
	}
	if c.broken(IgnoreWrites) {
		return ok(nil, now)
	}
	c.home.Schedules = slices.Clone(c.home.Schedules)
	for j := range c.home.Schedules {
		if c.home.Schedules[j].Type == "therm" {
			c.home.Schedules[j].Selected = i == j
		}
	}
	return ok(nil, now)
}

// setstate sets properties of devices, and rooms whatever heats them.
func (c *Cloud) setstate(body []byte, now time.Time) answer {
	var in struct {
		Home struct {
			ID      string           `json:"id"`
			Modules []map[string]any `json:"modules"`
			Rooms   []map[string]any `json:"rooms"`
		} `json:"home"`
	}
	if json.Unmarshal(body, &in) != nil {
		return fail(400, 40, "JSON given has an invalid encoding")
	}
	if in.Home.ID != c.home.ID {
		return fail(400, 21, "Invalid id")
	}
	for _, r := range in.Home.Rooms {
		if a, wrong := c.setRoomState(r, now); wrong {
			return a
		}
	}
	var errors []any
	for _, m := range in.Home.Modules {
		faults, refusal, wrong := c.setModule(m)
		if wrong {
			return refusal
		}
		errors = append(errors, faults...)
	}
	if errors != nil {
		return ok(map[string]any{"home": map[string]any{"id": c.home.ID}, "errors": errors}, now)
	}
	return ok(nil, now)
}

func (c *Cloud) setRoomState(o map[string]any, now time.Time) (answer, bool) {
	id, _ := o["id"].(string)
	if c.room(id) == nil || c.heater(id) == "" {
		return fail(400, 21, "Invalid id"), true
	}
	prefix := "therm"
	if c.control() == "cooling" {
		prefix = "cooling"
	}
	mode, _ := o[prefix+"_setpoint_mode"].(string)
	temp, _ := o[prefix+"_setpoint_temperature"].(float64)
	end, _ := o[prefix+"_setpoint_end_time"].(float64)
	order, _ := o["therm_setpoint_fp"].(string)
	return c.setRoom(id, mode, temp, order, int64(end), now)
}

// setModule sets the properties of one device. Unlike the app, the public API does not sound sirens.
func (c *Cloud) setModule(o map[string]any) (faults []any, refusal answer, wrong bool) {
	id, _ := o["id"].(string)
	i := slices.IndexFunc(c.home.Modules, func(m Module) bool { return m.ID == id })
	if i < 0 {
		return nil, fail(400, 21, "Invalid device_id, "+id), true
	}
	m := &c.home.Modules[i]
	for key, value := range o {
		if key == "id" || key == "bridge" {
			continue
		}
		old, has := m.Status[key]
		switch {
		case !has || key == "siren_status":
			return nil, fail(400, 21, fmt.Sprintf("cannot set property %s for module %s", key, id)), true
		case c.offline[id] || c.offline[m.Bridge]:
			faults = append(faults, map[string]any{"code": 6, "id": id})
		case key == "monitoring" && old == value:
			faults = append(faults, map[string]any{"code": 23, "message": fmt.Sprintf("Already %v", value), "id": id, "command": "command/changestatus"})
		case !c.broken(IgnoreWrites):
			m.Status[key] = value
			if key == "target_position" {
				m.Status["current_position"] = value
			}
		}
	}
	return faults, answer{}, false
}
