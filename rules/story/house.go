package story

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// house reads one line that describes the house.
func (s *Story) house(words []string) error {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	switch words[0] {
	case "zone":
		zone, err := gateway.LoadTimeZone(arg(1))
		s.state.Home.Zone = zone
		return err
	case "start":
		start, err := time.ParseInLocation("2006-01-02 15:04", arg(1)+" "+arg(2), s.location())
		if err != nil {
			return fmt.Errorf("a start is a day and a time as in 2025-10-29 16:30")
		}
		s.start = start
		return nil
	case "home":
		return s.home(words)
	case "room":
		id := gateway.RoomID(arg(1))
		room, _ := s.state.Rooms.Get(id)
		room.ID, room.Name = id, arg(2)
		s.state.Rooms = s.state.Rooms.With(id, room)
		return nil
	case "week", "target":
		if len(words) < 2 {
			return fmt.Errorf("%s needs more words, as in: week 06:30=day 22:30=night, or: target day bath=21", words[0])
		}
		if words[0] == "target" {
			return s.target(words[1], words[2:])
		}
		return s.week(words[1:])
	case "device":
		return s.device(words)
	case "relay":
		return s.relay(words)
	case "plan":
		return s.alarmPlan(words[1:])
	case "silent":
		return s.silence(words[1:])
	case "guard":
		return s.guard(words[1:])
	}
	return fmt.Errorf("%q is not a line of a house: zone, start, home, room, week, target, device, relay, plan, silent or guard", words[0])
}

func (s *Story) home(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("a home needs an id and a name")
	}
	h := &s.state.Home
	h.ID, h.Name, h.DefaultDuration = words[1], words[2], 3*time.Hour
	var err error
	if v := option(words, "default"); v != "" {
		if h.DefaultDuration, err = time.ParseDuration(v); err != nil {
			return fmt.Errorf("default=%s is not a duration as in 3h", v)
		}
	}
	for name, at := range map[string]*float64{"frost": &h.FrostGuard, "maximum": &h.Maximum} {
		if v := option(words, name); v != "" {
			if *at, err = strconv.ParseFloat(v, 64); err != nil {
				return fmt.Errorf("%s=%s is not a number of °C", name, v)
			}
		}
	}
	return nil
}

// days names the days of the week in the order that a vendor's week has.
var days = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// week adds slots: for every day, or for the one that is named.
func (s *Story) week(words []string) error {
	s.plan.ID, s.plan.Name, s.plan.Type, s.plan.Selected = "week", "Week", "therm", true
	on := []int{0, 1, 2, 3, 4, 5, 6}
	if day := slices.Index(days, words[0]); day >= 0 {
		on, words = []int{day}, words[1:]
	}
	for _, w := range words {
		clock, name, _ := strings.Cut(w, "=")
		at, err := time.Parse("15:04", clock)
		if err != nil || name == "" {
			return fmt.Errorf("a slot is a time and a zone as in 06:30=day, not %q", w)
		}
		for _, day := range on {
			s.plan.Slots = append(s.plan.Slots, gateway.Slot{Minute: day*1440 + at.Hour()*60 + at.Minute(), Zone: s.zone(name)})
		}
	}
	return nil
}

// zone finds a zone by its name, or makes it.
func (s *Story) zone(name string) int {
	id, ok := s.zones[name]
	if !ok {
		id = len(s.zones)
		s.zones[name] = id
		s.plan.Zones = append(s.plan.Zones, gateway.Zone{ID: id, Name: name})
	}
	return id
}

func (s *Story) target(name string, words []string) error {
	zone := &s.plan.Zones[s.zone(name)]
	for _, w := range words {
		room, value, _ := strings.Cut(w, "=")
		target, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("a target is a room and °C as in bath=21, not %q", w)
		}
		zone.Rooms = append(zone.Rooms, gateway.ZoneRoom{Room: gateway.RoomID(room), Target: target})
	}
	return nil
}

// device adds a device with its faces: the cloud's if it stands in a home, and the one named.
func (s *Story) device(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("a device needs an id and a model")
	}
	d := gateway.Device{ID: gateway.DeviceID(words[1]), Name: words[1], Model: words[2], Room: gateway.RoomID(option(words, "room"))}
	if !slices.Contains(words, "foreign") {
		d.Faces = append(d.Faces, gateway.Face{Adapter: gateway.CloudAdapter, Reaches: true})
	}
	if via := option(words, "face"); via != "" {
		face := gateway.Face{Adapter: via, Reaches: true}
		if limited := option(words, "target"); limited != "" {
			c, err := limits(limited)
			if err != nil {
				return err
			}
			face.Controls = append(face.Controls, c)
		}
		if slices.Contains(words, "siren") {
			face.Controls = append(face.Controls, gateway.Control{Quantity: gateway.Siren})
		}
		if slices.Contains(words, "floodlight") {
			face.Controls = append(face.Controls, gateway.Control{Quantity: gateway.Floodlight})
		}
		if slices.Contains(words, "lamp") {
			face.Controls = append(face.Controls, gateway.Control{Quantity: gateway.On}, gateway.Control{Quantity: gateway.Brightness, Min: 0, Max: 100})
		}
		d.Faces = append(d.Faces, face)
	}
	s.obeys[d.ID] = slices.Contains(words, "obeys")
	s.state.Devices = s.state.Devices.With(d.ID, d)
	if d.Room != "" {
		room, _ := s.state.Rooms.Get(d.Room)
		room.ID = d.Room
		room.Devices = append(slices.Clip(room.Devices), d.ID)
		s.state.Rooms = s.state.Rooms.With(d.Room, room)
	}
	return nil
}

// limits reads the range and step of a target.
func limits(text string) (gateway.Control, error) {
	c := gateway.Control{Quantity: gateway.Target}
	if _, err := fmt.Sscan(strings.NewReplacer("..", " ", "/", " ").Replace(text), &c.Min, &c.Max, &c.Step); err != nil {
		return c, fmt.Errorf("limits are as in target=7..30/0.5, not %q", text)
	}
	return c, nil
}

// relay adds a heating relay that is attached by MQTT.
func (s *Story) relay(words []string) error {
	if len(words) < 2 || option(words, "rooms") == "" {
		return fmt.Errorf("a relay needs an id and rooms, as in: relay boiler rooms=bath,bed heats=boiler lease=15m")
	}
	c := gateway.Circuit{Rooms: strings.Split(option(words, "rooms"), ","), Heats: gateway.Emitter(option(words, "heats")),
		Lease: 15 * time.Minute, Sensor: gateway.DeviceID(option(words, "sensor")), Bypass: gateway.DeviceID(option(words, "bypass"))}
	for name, at := range map[string]*time.Duration{"lease": &c.Lease, "on": &c.MinimumOn, "off": &c.MinimumOff} {
		v := option(words, name)
		if v == "" {
			continue
		}
		d, err := time.ParseDuration(v)
		if err != nil {
			return fmt.Errorf("%s=%s is not a duration as in 4m", name, v)
		}
		*at = d
	}
	d := gateway.Device{ID: gateway.DeviceID(words[1]), Name: words[1], Circuit: &c, Faces: []gateway.Face{
		{Adapter: gateway.MQTTAdapter, Reaches: true, Controls: []gateway.Control{{Quantity: gateway.Relay}}}}}
	s.obeys[d.ID] = slices.Contains(words, "obeys")
	s.state.Devices = s.state.Devices.With(d.ID, d)
	return nil
}
