package netatmotest

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// expire ends what has come to its end by the vendor's clock. mu is held.
func (c *Cloud) expire(now time.Time) {
	for room, h := range c.holds {
		if !h.end.IsZero() && !now.Before(h.end) {
			delete(c.holds, room)
		}
	}
	if !c.modeEnd.IsZero() && !now.Before(c.modeEnd) {
		c.mode, c.modeEnd = "schedule", time.Time{}
	}
}

func (c *Cloud) room(id string) *Room {
	for i := range c.home.Rooms {
		if c.home.Rooms[i].ID == id {
			return &c.home.Rooms[i]
		}
	}
	return nil
}

// holdsNow is the set point of a room: its own, else the home's mode, else the schedule's. mu is held.
func (c *Cloud) holdsNow(room string, now time.Time) hold {
	if h, own := c.holds[room]; own && (h.end.IsZero() || now.Before(h.end)) {
		return h
	}
	s := c.selected()
	if c.mode != "schedule" && (c.modeEnd.IsZero() || now.Before(c.modeEnd)) {
		h := hold{mode: c.mode, target: s.Away, end: c.modeEnd}
		if c.mode == "hg" {
			h.target = s.Frost
		}
		return h
	}
	h := hold{mode: "schedule", target: s.Frost}
	for _, r := range zoneAt(s, c.home.Zone, now).Rooms {
		if string(r.Room) == room {
			h.target, h.order = r.Target, r.Order
		}
	}
	return h
}

func (c *Cloud) selected() gateway.Schedule {
	kind := "therm"
	if c.control() == "cooling" {
		kind = "cooling"
	}
	for _, s := range c.home.Schedules {
		if s.Selected && s.Type == kind {
			return s
		}
	}
	return gateway.Schedule{}
}

func (c *Cloud) frost() float64 { return max(c.selected().Frost, 7) }

// zoneAt is the zone of a weekly timetable at an instant: the last slot that has begun, else the last
// of the week.
func zoneAt(s gateway.Schedule, zone string, now time.Time) gateway.Zone {
	if z, err := gateway.LoadTimeZone(zone); err == nil {
		now = now.In(z.Location())
	}
	minute := (int(now.Weekday())+6)%7*24*60 + now.Hour()*60 + now.Minute()
	best, last := -1, -1
	for i, slot := range s.Slots {
		if last < 0 || slot.Minute >= s.Slots[last].Minute {
			last = i
		}
		if slot.Minute <= minute && (best < 0 || slot.Minute >= s.Slots[best].Minute) {
			best = i
		}
	}
	if best < 0 {
		best = last
	}
	for _, z := range s.Zones {
		if best >= 0 && z.ID == s.Slots[best].Zone {
			return z
		}
	}
	return gateway.Zone{}
}

// RoomState is what holds in a room.
type RoomState struct {
	Mode        string // schedule, manual, max, off, hg, away
	Target      float64
	Until       time.Time // zero: no end
	Temperature float64
}

// Room tells what holds in a room now.
func (c *Cloud) Room(id string) RoomState {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.options.Now()
	c.expire(now)
	h := c.holdsNow(id, now)
	s := RoomState{Mode: h.mode, Target: h.target, Until: h.end}
	if r := c.room(id); r != nil {
		s.Temperature = r.Temperature
	}
	return s
}

// Mode tells the mode of the home and the id of its selected schedule.
func (c *Cloud) Mode() (mode string, until time.Time, schedule string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(c.options.Now())
	return c.mode, c.modeEnd, c.selected().ID
}

// LANWrite is what the vendor sees when somebody sets a room's device over the LAN: a manual set point
// for the home's default duration.
func (c *Cloud) LANWrite(room string, celsius float64) { c.SetTarget(room, celsius, time.Time{}) }

// SetTarget is a person who sets a room in the vendor's app or at the device; a zero until: for the
// default duration.
func (c *Cloud) SetTarget(room string, celsius float64, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.options.Now()
	if until.IsZero() {
		until = now.Add(c.home.DefaultDuration)
	}
	c.holds[room] = hold{mode: "manual", target: celsius, start: now, end: until}
}

// FollowHome is a person who lets a room follow the home again.
func (c *Cloud) FollowHome(room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.holds, room)
}

// SetMode is a person who sets the home to schedule, away or hg; a zero until: without an end.
func (c *Cloud) SetMode(mode string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := int64(0)
	if !until.IsZero() {
		end = until.Unix()
	}
	c.setMode(mode, end)
}

// SwitchSchedule is a person who selects another heating schedule.
func (c *Cloud) SwitchSchedule(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.selectSchedule(id, c.options.Now())
}

// Measure sets the temperature that a room's device measures.
func (c *Cloud) Measure(room string, celsius float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.room(room); r != nil {
		r.Temperature = celsius
	}
}

// Status tells a field of a device in homestatus; nil if it has none.
func (c *Cloud) Status(module, key string) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.home.Modules {
		if m.ID == module {
			return m.Status[key]
		}
	}
	return nil
}

// SetStatus sets a field of a device in homestatus.
func (c *Cloud) SetStatus(module, key string, value any) { c.set(module, key, value, false) }

// SetDashboard sets a measurement of a weather device.
func (c *Cloud) SetDashboard(module, key string, value any) { c.set(module, key, value, true) }

func (c *Cloud) set(module, key string, value any, dashboard bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.home.Modules {
		m := &c.home.Modules[i]
		if m.ID != module {
			continue
		}
		if dashboard {
			m.Dashboard[key] = value
		} else {
			m.Status[key] = value
		}
	}
}

// SetOffline cuts a relay, or a camera, off from the vendor; with a relay all that hangs on it.
func (c *Cloud) SetOffline(device string, offline bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if offline {
		c.offline[device] = true
	} else {
		delete(c.offline, device)
	}
}

// SetSilent makes a device stop talking: its values stay as they are and grow old.
func (c *Cloud) SetSilent(device string, silent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if silent {
		c.silent[device] = c.options.Now()
	} else {
		delete(c.silent, device)
	}
}

// Remove takes a device out of the account.
func (c *Cloud) Remove(device string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.home.Modules {
		if m.ID == device {
			c.home.Modules = append(c.home.Modules[:i:i], c.home.Modules[i+1:]...)
			return
		}
	}
}

// AddEvent makes something happen; a zero At is now.
func (c *Cloud) AddEvent(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.At.IsZero() {
		e.At = c.options.Now()
	}
	c.events = append(c.events, e)
}
