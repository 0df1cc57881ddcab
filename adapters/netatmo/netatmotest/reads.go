package netatmotest

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// homesdata tells rooms, devices, schedules and the home's mode.
func (c *Cloud) homesdata(id string, now time.Time) answer {
	if id != "" && id != c.home.ID {
		return fail(400, 21, "Invalid id")
	}
	h := map[string]any{
		"id": c.home.ID, "name": c.home.Name, "timezone": c.home.Zone, "country": "FR",
		"temperature_control_mode": c.control(), "therm_mode": c.mode,
		"therm_setpoint_default_duration": int(c.home.DefaultDuration / time.Minute),
	}
	if c.mode != "schedule" && !c.modeEnd.IsZero() {
		h["therm_mode_endtime"] = c.modeEnd.Unix()
	}
	rooms, modules, schedules := []any{}, []any{}, []any{}
	for _, r := range c.home.Rooms {
		rooms = append(rooms, map[string]any{"id": r.ID, "name": r.Name, "type": r.Type, "module_ids": c.modulesOf(r.ID)})
	}
	for _, m := range c.home.Modules {
		modules = append(modules, c.listModule(m))
	}
	for _, s := range c.home.Schedules {
		schedules = append(schedules, listSchedule(s))
	}
	h["rooms"], h["modules"], h["schedules"] = rooms, modules, schedules
	homes := []any{h}
	for _, other := range c.options.Others {
		homes = append(homes, other)
	}
	return ok(map[string]any{"homes": homes, "user": map[string]any{"email": "someone@example.org"}}, now)
}

func (c *Cloud) control() string {
	if c.home.Control == "" {
		return "heating"
	}
	return c.home.Control
}

func (c *Cloud) modulesOf(room string) []string {
	all := []string{}
	for _, m := range c.home.Modules {
		if m.Room == room {
			all = append(all, m.ID)
		}
	}
	return all
}

func (c *Cloud) listModule(m Module) map[string]any {
	o := map[string]any{"id": m.ID, "type": m.Type, "name": m.Name, "setup_date": 1600000000}
	if m.Room != "" {
		o["room_id"] = m.Room
	}
	if m.Bridge != "" {
		o["bridge"] = m.Bridge
	}
	var bridged []string
	for _, other := range c.home.Modules {
		if other.Bridge == m.ID {
			bridged = append(bridged, other.ID)
		}
	}
	if bridged != nil {
		o["modules_bridged"] = bridged
	}
	return o
}

// listSchedule writes a schedule as homesdata does: selected is absent on those that are not.
func listSchedule(s gateway.Schedule) map[string]any {
	o := map[string]any{
		"id": s.ID, "name": s.Name, "type": s.Type, "default": false, "away_temp": s.Away, "hg_temp": s.Frost,
	}
	if s.Selected {
		o["selected"] = true
	}
	timetable, zones := []any{}, []any{}
	for _, slot := range s.Slots {
		timetable = append(timetable, map[string]any{"zone_id": slot.Zone, "m_offset": slot.Minute})
	}
	for _, z := range s.Zones {
		rooms, old := []any{}, []any{}
		for _, r := range z.Rooms {
			if r.Order != "" {
				rooms = append(rooms, map[string]any{"id": string(r.Room), "therm_setpoint_fp": r.Order})
				continue
			}
			rooms = append(rooms, map[string]any{"id": string(r.Room), "therm_setpoint_temperature": r.Target})
			old = append(old, map[string]any{"room_id": string(r.Room), "temp": r.Target})
		}
		zones = append(zones, map[string]any{"id": z.ID, "type": z.Type, "name": z.Name, "rooms": rooms, "rooms_temp": old})
	}
	o["timetable"], o["zones"] = timetable, zones
	return o
}

// homestatus tells what holds and what is measured.
func (c *Cloud) homestatus(id string, now time.Time) answer {
	switch {
	case id == "":
		return fail(400, 10, "Missing home_id")
	case id != c.home.ID:
		return fail(400, 21, "Invalid id")
	}
	body := map[string]any{"home": c.homeNow(now)}
	if c.broken(Stale) {
		body["home"] = c.frozen
	}
	if errors := c.unreached(); len(errors) > 0 {
		body["errors"] = errors
	}
	return ok(body, now)
}

func (c *Cloud) unreached() []any {
	var all []any
	for _, id := range slices.Sorted(maps.Keys(c.offline)) {
		all = append(all, map[string]any{"code": 6, "id": id})
	}
	return all
}

// homeNow writes the home as of now.
func (c *Cloud) homeNow(now time.Time) json.RawMessage {
	rooms, modules := []any{}, []any{}
	for _, r := range c.home.Rooms {
		if head := c.heater(r.ID); head != "" {
			rooms = append(rooms, c.roomStatus(r, now))
		}
	}
	for _, m := range c.home.Modules {
		if !c.offline[m.ID] && !c.offline[m.Bridge] {
			modules = append(modules, c.moduleStatus(m, now))
		}
	}
	data, _ := json.Marshal(map[string]any{"id": c.home.ID, "rooms": rooms, "modules": modules})
	return data
}

// heater returns the type of the device that heats a room, "" if none does.
func (c *Cloud) heater(room string) string {
	for _, kind := range []string{"NATherm1", "OTM", "BNS", "NRV", "NLC"} {
		for _, m := range c.home.Modules {
			if m.Room == room && m.Type == kind {
				return kind
			}
		}
	}
	return ""
}

func (c *Cloud) roomStatus(r Room, now time.Time) map[string]any {
	o := map[string]any{"id": r.ID, "reachable": true, "therm_measured_temperature": round(r.Temperature, 0.1)}
	for _, m := range c.home.Modules {
		if m.Room == r.ID && c.offline[m.Bridge] {
			return map[string]any{"id": r.ID, "reachable": false}
		}
	}
	h := c.holdsNow(r.ID, now)
	o["therm_setpoint_mode"], o["therm_setpoint_end_time"] = h.mode, 0
	if h.order != "" {
		o["therm_setpoint_fp"] = h.order
	} else {
		o["therm_setpoint_temperature"] = h.target
	}
	if !h.start.IsZero() {
		o["therm_setpoint_start_time"] = h.start.Unix()
	}
	if !h.end.IsZero() {
		o["therm_setpoint_end_time"] = h.end.Unix()
	}
	if c.heater(r.ID) == "NRV" {
		o["heating_power_request"] = int(min(max((h.target-r.Temperature)*50, 0), 100))
		o["open_window"], o["anticipating"] = false, false
	}
	return o
}

func round(v, step float64) float64 { return math.Round(v/step) / math.Round(1/step) }

// moduleStatus writes one device. Relays, thermostats and valves carry no time of their own.
func (c *Cloud) moduleStatus(m Module, now time.Time) map[string]any {
	o := maps.Clone(m.Status)
	if o == nil {
		o = map[string]any{}
	}
	o["id"], o["type"] = m.ID, m.Type
	if m.Bridge != "" {
		o["bridge"] = m.Bridge
	}
	heard := now
	if since, isSilent := c.silent[m.ID]; isSilent {
		heard = since
		if _, tells := o["reachable"]; tells {
			o["reachable"] = false
		}
	}
	switch m.Type {
	case "NATherm1":
		if _, said := o["boiler_status"]; !said {
			o["boiler_status"] = c.callsForHeat(now)
		}
	case "NAPlug", "NRV":
	case "NAMain", "NAModule1", "NAModule2", "NAModule3", "NAModule4", "NHC":
		o["ts"] = heard.Add(-20 * time.Second).Unix()
		o["last_seen"] = heard.Unix()
		maps.Copy(o, inSmall(m.Dashboard))
	default:
		o["last_seen"] = heard.Unix()
	}
	if m.Key != "" {
		o["vpn_url"] = "http://" + c.address + "/restricted/10.255.1.2/" + m.Key + "/MTRPnBeWCav5RBq4U1OMDruTW4dkQ0NuMwNDAw11g,,"
	}
	return o
}

// callsForHeat reports whether any room is colder than it ought to be.
func (c *Cloud) callsForHeat(now time.Time) bool {
	for _, r := range c.home.Rooms {
		if c.heater(r.ID) != "" && r.Temperature < c.holdsNow(r.ID, now).target {
			return true
		}
	}
	return false
}

// inSmall writes measurements with the keys of homestatus.
func inSmall(dashboard map[string]any) map[string]any {
	names := map[string]string{
		"WindStrength": "wind_strength", "WindAngle": "wind_angle", "GustStrength": "wind_gust", "GustAngle": "wind_gust_angle",
	}
	o := make(map[string]any)
	for k, v := range dashboard {
		if small, odd := names[k]; odd {
			o[small] = v
			continue
		}
		o[strings.ToLower(k)] = v
	}
	return o
}

// weather tells the stations, or the air monitors, with their modules.
func (c *Cloud) weather(kind string, now time.Time) answer {
	devices := []any{}
	for _, base := range c.home.Modules {
		if base.Type != kind {
			continue
		}
		o := c.station(base, now)
		o["home_id"], o["home_name"] = c.home.ID, c.home.Name
		modules := []any{}
		for _, m := range c.home.Modules {
			if m.Bridge == base.ID {
				modules = append(modules, c.station(m, now))
			}
		}
		if kind == "NAMain" {
			o["modules"] = modules
		}
		devices = append(devices, o)
	}
	return ok(map[string]any{"devices": devices}, now)
}

func (c *Cloud) station(m Module, now time.Time) map[string]any {
	o := map[string]any{"_id": m.ID, "type": m.Type, "module_name": m.Name, "reachable": true}
	for from, to := range map[string]string{
		"battery_percent": "battery_percent", "battery_level": "battery_vp", "rf_strength": "rf_status",
		"wifi_strength": "wifi_status", "firmware_revision": "firmware",
	} {
		if v, has := m.Status[from]; has {
			o[to] = v
		}
	}
	heard := now
	if since, isSilent := c.silent[m.ID]; isSilent {
		o["reachable"], heard = false, since
	} else {
		dashboard := maps.Clone(m.Dashboard)
		dashboard["time_utc"] = heard.Add(-20 * time.Second).Unix()
		o["dashboard_data"] = dashboard
	}
	o["last_status_store"] = heard.Unix()
	if m.Bridge != "" {
		delete(o, "last_status_store")
		o["last_seen"], o["last_message"] = heard.Unix(), heard.Unix()
	}
	return o
}

// Event is one entry of getevents.
type Event struct {
	Type    string // smoke, co_detected, human, tag_open …
	Device  string
	At      time.Time
	Sub     any // sub_type: a number or a word; nil: none
	Message string
}

// getevents tells the newest events first.
func (c *Cloud) getevents(r *http.Request, now time.Time) answer {
	if r.Form.Get("home_id") != c.home.ID {
		return fail(400, 21, "Invalid id")
	}
	size, err := strconv.Atoi(r.Form.Get("size"))
	if err != nil || size <= 0 {
		size = 30
	}
	list := []any{}
	for i, e := range slices.Backward(c.events) {
		if len(list) == size {
			break
		}
		o := map[string]any{"id": strconv.Itoa(1000 + i), "type": e.Type, "time": e.At.Unix(), "module_id": e.Device, "message": e.Message}
		if e.Sub != nil {
			o["sub_type"] = e.Sub
		}
		list = append(list, o)
	}
	return ok(map[string]any{"home": map[string]any{"id": c.home.ID, "events": list}}, now)
}

// ping passes a question on to a camera.
func (c *Cloud) ping(path string) answer {
	for _, m := range c.home.Modules {
		if m.Key != "" && strings.Contains(path, "/"+m.Key+"/") && !c.offline[m.ID] {
			return jsonAnswer(200, map[string]any{"local_url": m.Local + "/" + m.Key, "product_name": m.Type})
		}
	}
	return html(404)
}
