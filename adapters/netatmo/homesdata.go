package netatmo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// home is one home as homesdata has it. Everything in it may be missing: an account may hold a home
// without a name, without rooms, without devices (pyatmo homesdata.json).
type home struct {
	ID        string
	Name      string
	Zone      string // IANA name
	Control   string // heating or cooling
	Mode      gateway.HomeMode
	ModeUntil time.Time
	Duration  time.Duration // of a manual set point
	Rooms     []gateway.PlanRoom
	Devices   []gateway.Found
	Schedules []gateway.Schedule
}

func readHomes(body attributes) []home {
	var all []home
	for _, h := range body.objects("homes") {
		if h.text("id") != "" {
			all = append(all, readHome(h))
		}
	}
	return all
}

func readHome(a attributes) home {
	h := home{
		ID: a.text("id"), Name: a.text("name"), Zone: a.text("timezone"),
		Control: a.text("temperature_control_mode"), Schedules: readSchedules(a),
	}
	if h.Control == "" {
		h.Control = heating
	}
	mode := a.text("therm_mode")
	if h.Control == cooling && a.text("cooling_mode") != "" {
		mode = a.text("cooling_mode")
	}
	h.Mode = homeMode(mode)
	if h.Mode != gateway.HomeSchedule {
		h.ModeUntil = a.time("therm_mode_endtime")
	}
	if minutes, ok := a.number("therm_setpoint_default_duration"); ok && minutes > 0 && minutes < 100*24*60 {
		h.Duration = time.Duration(minutes * float64(time.Minute))
	}
	stands := make(map[string]gateway.RoomID) // device -> room, as the rooms tell it
	for _, r := range a.objects("rooms") {
		id := gateway.RoomID(r.text("id"))
		if id == "" {
			continue
		}
		h.Rooms = append(h.Rooms, gateway.PlanRoom{ID: id, Name: r.text("name")})
		for _, device := range append(r.texts("module_ids"), r.texts("modules")...) {
			stands[device] = id
		}
	}
	h.Devices = readDevices(a, h.Rooms, stands)
	return h
}

// The values of temperature_control_mode.
const (
	heating = "heating"
	cooling = "cooling"
)

// homeMode gives the vendor's word our name; an unknown word stays.
func homeMode(word string) gateway.HomeMode {
	if word == "hg" {
		return gateway.HomeFrost
	}
	return gateway.HomeMode(word)
}

// readDevices lists the home's modules. A room that the home does not list counts as none.
func readDevices(a attributes, rooms []gateway.PlanRoom, stands map[string]gateway.RoomID) []gateway.Found {
	var all []gateway.Found
	bridges := make(map[string]string)
	for _, m := range a.objects("modules") {
		for _, id := range m.texts("modules_bridged") {
			bridges[id] = m.text("id")
		}
	}
	for _, m := range a.objects("modules") {
		id := m.text("id")
		if id == "" {
			continue
		}
		room := gateway.RoomID(m.text("room_id"))
		if !slices.ContainsFunc(rooms, func(r gateway.PlanRoom) bool { return r.ID == room }) {
			room = stands[id]
		}
		bridge := m.text("bridge")
		if bridge == "" {
			bridge = bridges[id]
		}
		all = append(all, gateway.Found{
			Device: gateway.DeviceID(id), Name: m.text("name"), Model: m.text("type"), Room: room,
			Bridge: gateway.DeviceID(bridge), Also: homeKitIDs(m.text("hk_device_id")),
		})
	}
	return all
}

// homeKitIDs returns a HomeKit device id in the spelling of the mDNS announcement, AA:BB:CC:DD:EE:FF,
// and in the vendor's own, which has no colons on some models.
func homeKitIDs(id string) []gateway.DeviceID {
	digits := strings.ToUpper(strings.ReplaceAll(id, ":", ""))
	if len(digits) != 12 || strings.Trim(digits, "0123456789ABCDEF") != "" {
		return nil
	}
	var pairs []string
	for i := 0; i < len(digits); i += 2 {
		pairs = append(pairs, digits[i:i+2])
	}
	also := []gateway.DeviceID{gateway.DeviceID(strings.Join(pairs, ":"))}
	if own := gateway.DeviceID(id); own != also[0] {
		also = append(also, own)
	}
	return also
}

// plan is what the house copies. zone is used if the home's own is missing or unknown here.
func (h home) plan(zone gateway.TimeZone) gateway.Plan {
	if own, err := gateway.LoadTimeZone(h.Zone); err == nil && h.Zone != "" {
		zone = own
	}
	return gateway.Plan{
		Home: h.ID, Name: h.Name, Zone: zone, DefaultDuration: h.Duration, Control: h.Control,
		Rooms: h.Rooms, Schedules: h.Schedules,
	}
}

// selected returns the id of the schedule in force: each type has its own selected one, and the
// home's control says which type rules (pyatmo home.py).
func (h home) selected() string {
	kind := "therm"
	if h.Control == cooling {
		kind = cooling
	}
	for _, s := range h.Schedules {
		if s.Selected && s.Type == kind {
			return s.ID
		}
	}
	return ""
}

var errNoHomes = errors.New("the account shows no home")

// chooseHome returns the wanted home; if none is wanted, the first that has anything in it.
func chooseHome(homes []home, wanted string) (home, error) {
	if len(homes) == 0 {
		return home{}, errNoHomes
	}
	if wanted != "" {
		for _, h := range homes {
			if h.ID == wanted {
				return h, nil
			}
		}
		return home{}, fmt.Errorf("the account shows no home %s, but %s; home.id in the configuration chooses one", wanted, namesOf(homes))
	}
	for _, h := range homes {
		if len(h.Rooms)+len(h.Devices) > 0 {
			return h, nil
		}
	}
	return home{}, fmt.Errorf("none of the account's homes has a device: %s", namesOf(homes))
}

func namesOf(homes []home) string {
	var all []string
	for _, h := range homes {
		all = append(all, strings.TrimSpace(h.ID+" "+shorten(h.Name)))
	}
	return strings.Join(all, ", ")
}
