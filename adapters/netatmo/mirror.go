package netatmo

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// readTopology reads homesdata and posts the plan and the devices.
func (s *session) readTopology(ctx context.Context) error {
	var h home
	s.adopt() // somebody may have signed in anew, with more rights
	c := call{name: "homesdata", path: "/api/homesdata", plane: gateway.PlaneRead, query: url.Values{}, vital: true}
	if s.Home != "" {
		c.query.Set("home_id", s.Home)
	}
	old := s.known.home
	var homes []home
	c.check = func(a answer) (err error) {
		if homes = readHomes(a.body); s.toChoose(homes) {
			return nil // the cloud is well
		}
		h, err = chooseHome(homes, s.homeID())
		if err == nil && old.ID == "" && len(homes) > 1 && s.Home == "" {
			s.Log.Info("netatmo: the account has several homes; home.id chooses another", "served", h.ID, "homes", namesOf(homes))
		}
		return err
	}
	_, err := s.ask(ctx, c, s.buyer())
	s.awaited = false
	if err == nil && s.toChoose(homes) {
		err = errHomeOpen
	}
	if ctx.Err() == nil {
		s.tell(homes, err)
	}
	if err != nil {
		return s.noteRefused(topology, c, err)
	}
	s.known.misses = 0
	s.learnHome(h)
	if old.ID == h.ID && (old.Mode != h.Mode || !old.ModeUntil.Equal(h.ModeUntil) || old.selected() != h.selected()) {
		s.round.hasten(status, s.now()) // the view that tells of it is homestatus's
	}
	return nil
}

// timeOf is the vendor's clock, or ours if the answer does not say.
func (s *session) timeOf(a answer) time.Time {
	if a.at.IsZero() {
		return s.now()
	}
	return a.at
}

// learnHome takes a home as read, but an empty list wipes nothing.
func (s *session) learnHome(h home) {
	old := s.known.home
	if old.ID == h.ID {
		if len(h.Rooms) == 0 {
			h.Rooms = old.Rooms
		}
		if len(h.Devices) == 0 {
			h.Devices = old.Devices
		}
		if len(h.Schedules) == 0 {
			h.Schedules = old.Schedules
		}
	}
	s.known.home, s.known.homeAt = h, s.now()
	s.known.heads = heads(h.Devices)
	s.known.listed = make(map[gateway.DeviceID]gateway.Found)
	for _, d := range h.Devices {
		s.known.listed[d.Device] = d
	}
	plan := h.plan(s.state.Home.Zone)
	if h.Zone != old.Zone && plan.Zone.String() != h.Zone {
		s.Log.Warn("netatmo: the home's time zone is not known here", "zone", h.Zone, "used", plan.Zone)
	}
	s.post(plan)
	now := s.now()
	for _, d := range h.Devices {
		s.known.heard[d.Device] = now
		d.Controls = s.known.founds[d.Device].Controls
		if s.known.heads[d.Room] == d.Device && d.Room != "" {
			d.Controls = withTarget(d.Controls)
		}
		s.tellFound(d)
	}
}

// Bounds and step of a set point, °C; the vendor refuses others.
const (
	coldest    = 7
	warmest    = 30
	targetStep = 0.5
)

// withTarget adds the set point of the room to what can be set on the device that speaks for it.
func withTarget(controls []gateway.Control) []gateway.Control {
	for _, c := range controls {
		if c.Quantity == gateway.Target {
			return controls
		}
	}
	return append(controls[:len(controls):len(controls)],
		gateway.Control{Quantity: gateway.Target, Min: coldest, Max: warmest, Step: targetStep})
}

// homeID is the home's id: the configured one, else the one that was read or that the house remembers.
// Another one of the account never takes its place by itself, for a list may come back short.
func (s *session) homeID() string {
	chosen := s.chosen
	if chosen == toBeChosen {
		chosen = ""
	}
	return cmp.Or(s.Home, s.known.home.ID, s.state.Home.ID, chosen)
}

// readStatus reads homestatus and posts what holds and what is measured.
func (s *session) readStatus(ctx context.Context) error {
	id := s.homeID()
	if id == "" { // no home was ever read: that is to be read first
		return s.readTopology(ctx)
	}
	var st homeStatus
	c := call{name: "homestatus", path: "/api/homestatus", plane: gateway.PlaneRead, query: url.Values{"home_id": {id}}, vital: true}
	c.check = func(a answer) error {
		st = readStatus(a, s.now())
		return checkStatus(a, st, id)
	}
	if _, err := s.ask(ctx, c, forPoll); err != nil {
		return s.noteRefused(status, c, err)
	}
	s.known.read = s.now()
	s.tellStatus(st)
	if hint := hintOf(st.rooms); hint != s.known.hint {
		// The home's own mode is in homesdata only: read that before the house sees half the news.
		s.known.hint = hint
		if s.known.home.ID != "" && hint != s.known.home.Mode {
			s.readTopologyNow(ctx)
		}
	}
	s.tellView(st)
	return nil
}

// readTopologyNow reads homesdata out of turn, if the purse allows it soon. A failure is told by the
// request itself and leaves the former home.
func (s *session) readTopologyNow(ctx context.Context) {
	now := s.now()
	if s.purse.wait(now, forPoll) > patience || s.readTopology(ctx) != nil {
		return
	}
	if !s.round.next[topology].IsZero() {
		s.round.next[topology] = now.Add(topologyEvery)
	}
}

// tellStatus posts the devices, the rooms' measurements and the faults of one homestatus.
func (s *session) tellStatus(st homeStatus) {
	s.known.clock = st.at
	lost := s.lostDevices(st)
	for _, d := range st.devices {
		if why, isLost := lost[d.Device]; isLost {
			d.reaches, d.why = gateway.No, why
		}
		if head := s.known.heads[s.known.founds[d.Device].Room]; head == d.Device {
			d.Controls = withTarget(d.Controls)
		}
		s.tellDevice(d, st.at)
		s.learnCamera(d)
	}
	for id, why := range lost {
		s.tellReach(id, gateway.No, why)
	}
	measured := make(map[gateway.DeviceID]time.Time)
	for _, d := range st.devices {
		measured[d.Device] = d.measured
	}
	for _, r := range st.rooms {
		s.tellRoom(r, st.at, measured)
	}
	s.judgeEffects(st)
	s.tellForgotten()
}

// tellRoom posts what a room measures as readings of the device that speaks for it.
func (s *session) tellRoom(r roomStatus, at time.Time, measured map[gateway.DeviceID]time.Time) {
	head, known := s.known.heads[r.ID]
	if !known {
		return
	}
	if own := measured[head]; !own.IsZero() {
		at = own
	}
	for _, v := range r.readings {
		s.tellReading(gateway.Reading{Device: head, Quantity: v.quantity, Value: v.value, Measured: at})
	}
}

// lostDevices lists the devices that body.errors names, and with a relay all that hang on it. The
// cloud is well then: it is the home's relay that is off line.
func (s *session) lostDevices(st homeStatus) map[gateway.DeviceID]string {
	lost := make(map[gateway.DeviceID]string)
	for _, e := range st.errors {
		switch e.code {
		case deviceUnreachable, deviceLost, deviceOffline:
		default:
			continue
		}
		id := gateway.DeviceID(e.device)
		if _, known := s.known.founds[id]; !known && id != "" {
			s.tellFound(gateway.Found{Device: id})
		}
		lost[id] = "the vendor cannot reach it"
		for other, f := range s.known.founds {
			if f.Bridge == id && id != "" {
				lost[other] = fmt.Sprintf("the vendor cannot reach its bridge %s", strings.TrimSpace(s.known.founds[id].Name+" "+e.device))
			}
		}
	}
	delete(lost, "")
	return lost
}

// tellView posts the rooms as homestatus has them, and the home's mode and schedule as homesdata had
// them last.
func (s *session) tellView(st homeStatus) {
	h := s.known.home
	view := gateway.CloudView{
		Home: st.home, At: st.at, Fresh: st.fresh(),
		Mode: h.Mode, ModeUntil: h.ModeUntil, Schedule: h.selected(),
	}
	for _, r := range st.rooms {
		view.Rooms = append(view.Rooms, r.CloudRoom)
	}
	s.post(view)
}

// readStations reads the weather stations or the air monitors, seldom if there are none.
func (s *session) readStations(ctx context.Context, e errand) (again time.Duration, err error) {
	c, kind := call{name: "getstationsdata", path: "/api/getstationsdata", plane: gateway.PlaneRead}, " NAMain "
	if e == coaches {
		c.name, c.path, kind = "gethomecoachsdata", "/api/gethomecoachsdata", " NHC "
	}
	c.query = url.Values{"get_favorites": {"false"}}
	a, err := s.ask(ctx, c, forPoll)
	if err != nil {
		return 0, s.noteRefused(e, c, err)
	}
	s.known.clock = s.timeOf(a)
	for _, d := range readWeather(a, s.homeID(), s.known.clock) {
		s.tellDevice(d, s.known.clock)
	}
	if len(a.body.objects("devices")) == 0 && s.known.home.ID != "" && !s.lists(kind) {
		return emptyEvery, nil
	}
	return 0, nil
}

// noteRefused says once that the vendor refuses an errand for what is in our hands.
func (s *session) noteRefused(e errand, c call, err error) error {
	if !isFinal(err) || s.known.refused[e] {
		return err
	}
	s.known.refused[e] = true
	advice := "check home.id in the configuration"
	if isDenied(err) {
		advice = "the sign-in lacks the right; with all scopes ticked, " + logInAgain
	}
	s.Log.Warn("netatmo: the vendor refuses "+c.name, "err", s.hush(err.Error()), "advice", advice)
	return err
}

// readEvents reads getevents and posts what is new, seldom if nothing in the home makes events.
func (s *session) readEvents(ctx context.Context) (again time.Duration, err error) {
	switch {
	case s.known.home.ID == "":
		return topologyRetry, nil
	case !s.lists(withPast):
		return emptyEvery, nil
	}
	c := call{name: "getevents", path: "/api/getevents", plane: gateway.PlanePush,
		query: url.Values{"home_id": {s.homeID()}, "size": {"30"}}}
	a, err := s.ask(ctx, c, forPoll)
	if err != nil {
		return 0, s.noteRefused(events, c, err)
	}
	list := readEventList(a.body)
	s.known.clock = s.timeOf(a)
	for _, r := range newestReadings(list, s.known.clock) {
		s.tellReading(r)
	}
	s.tellRings(list)
	return 0, nil
}

// lists reports whether the home has a device of one of those kinds.
func (s *session) lists(kinds string) bool {
	for _, f := range s.known.founds {
		if isA(kinds, f.Model) {
			return true
		}
	}
	return false
}

// tellRings counts the presses of each doorbell on from what the house has counted.
func (s *session) tellRings(list []event) {
	for _, e := range list {
		if e.kind != "incoming_call" {
			continue
		}
		key := readingKey{e.device, gateway.Ring}
		count := 0.0
		if old, told := s.known.readings[key]; told {
			count, _ = old.Value.Number()
		} else if d, ok := s.state.Device(e.device); ok {
			if m, ok := d.ReadingFrom(gateway.Ring, gateway.CloudAdapter); ok {
				count, _ = m.Value.Number()
				s.known.rings[e.device] = m.At
			}
		}
		if !e.at.After(s.known.rings[e.device]) {
			continue
		}
		s.known.rings[e.device] = e.at
		s.tellReading(gateway.Reading{Device: e.device, Quantity: gateway.Ring, Value: gateway.Number(count + 1), Measured: e.at})
	}
}
