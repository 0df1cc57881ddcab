package mqtt

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Words of the status topic.
const (
	online  = "online"
	offline = "offline"
)

// view turns States into pages. It compares each State with the one before and looks at nothing that
// has not changed, so that an event costs the same in a small house and in a large one.
type view struct {
	base      string // first level of all topics
	announcer *announcer
	homie     *homieFace // nil: the house is not shown as Homie has it
	board     *board
	state     gateway.State // as the board shows it
	told      uint64        // number of the last decision that was told

	status, authority, cloud, home, alarm, outage, budget *page
	guard                                                 *page // nil: the house has none
	diagnostics                                           *page
	announcement                                          *page // Veilleuse itself, for Home Assistant; nil: is not announced
	stored                                                func() Stored
	counted                                               time.Time // when what was written to disk was last told

	fading   map[string]time.Time // topics of pages that are to be taken down -> since when
	leftover map[string]found     // announcements that nobody knows, by topic

	rooms    map[gateway.RoomID]*shown
	devices  map[gateway.DeviceID]*shown
	roomBy   map[string]gateway.RoomID   // by topic form
	deviceBy map[string]gateway.DeviceID // by topic form
	scratch  []byte
}

// shown is what one room or device has on the board.
type shown struct {
	form   string
	page   *page
	config *page // its announcement to Home Assistant; nil: none yet
}

func newView(base string, a *announcer, told uint64) *view {
	b := newBoard()
	v := &view{
		base: base, announcer: a, board: b, told: told,
		rooms:    make(map[gateway.RoomID]*shown),
		devices:  make(map[gateway.DeviceID]*shown),
		roomBy:   make(map[string]gateway.RoomID),
		deviceBy: make(map[string]gateway.DeviceID),
		leftover: make(map[string]found),
		fading:   make(map[string]time.Time),
	}
	if a != nil { // first, because all others refer to it
		v.announcement = b.page(a.configTopic(""))
		v.announceHouse()
	}
	v.authority, v.cloud, v.alarm = b.page(base+"/authority"), b.page(base+"/cloud"), b.page(base+"/alarm")
	v.alarm.sure = true
	v.home, v.outage, v.budget = b.page(base+"/home"), b.page(base+"/outage"), b.page(base+"/budget")
	v.diagnostics = b.page(base + "/diagnostics")
	v.status = b.page(base + "/status")
	v.status.text = []byte(online) // posted once everything else was sent
	return v
}

// show brings the board in line with s.
func (v *view) show(s gateway.State) {
	old := v.state
	v.state = s
	v.showHouse()
	v.showJournal(old)
	v.showDiagnostics(old)
	if !announcedAlike(old.Home, s.Home) {
		v.announceHouse()
	}
	bounds := old.Home.FrostGuard != s.Home.FrostGuard || old.Home.Maximum != s.Home.Maximum
	for id := range s.Rooms.Changes(old.Rooms) {
		v.showRoom(id, old)
	}
	if bounds {
		for id := range v.rooms {
			v.announceRoom(id)
		}
	}
	for id := range s.Devices.Changes(old.Devices) {
		v.showDevice(id, old)
	}
	for id := range s.Tests.Changes(old.Tests) {
		v.showDevice(id, old)
	}
	if v.homie != nil {
		v.showHomie(old)
	}
	v.fade()
	v.sweep()
	v.tellDecisions()
}

// showHouse writes the pages of which there is one: making them costs less than comparing.
func (v *view) showHouse() {
	s := &v.state
	v.write(v.authority, begin(v.scratch).
		text("phase", string(s.Authority.Phase)).
		moment("since", s.Authority.Since).
		text("why", s.Authority.Why).
		flag("drill", s.Authority.Drill))

	cloud := begin(v.scratch).text("verdict", string(s.Cloud.Verdict))
	cloud = texts(cloud, "scope", s.Cloud.Scope).
		moment("since", s.Cloud.Since).
		text("why", s.Cloud.Why)
	v.write(v.cloud, texts(cloud, "evidence", s.Cloud.Evidence))

	v.write(v.alarm, alarm(begin(v.scratch), s.Alarm()))
	v.showHome()
	v.showGuard()
}

// write closes the object, puts it on the page and keeps its memory for the next.
func (v *view) write(p *page, o object) {
	o = o.end()
	v.board.write(p, o)
	v.scratch = o
}

func (v *view) showRoom(id gateway.RoomID, old gateway.State) {
	r, ok := v.state.Rooms.Get(id)
	if !ok {
		v.removeRoom(id)
		return
	}
	place, known := v.rooms[id]
	if !known {
		place = &shown{form: topicForm(string(id))}
		place.page = v.board.page(v.base + "/room/" + place.form)
		delete(v.fading, place.page.topic)
		v.rooms[id], v.roomBy[place.form] = place, id
	}
	v.write(place.page, begin(v.scratch).
		text("name", r.Name).
		value("temperature", r.Temperature.Value).
		value("target", r.Target.Value).
		text("mode", string(r.Target.Mode)).
		moment("until", r.Target.Until).
		text("why", r.Target.Why).
		value("heating", r.Heating))
	before, was := old.Rooms.Get(id)
	if !was || before.Name != r.Name || place.config == nil {
		v.announceRoom(id)
	}
	if !was || before.Name != r.Name {
		v.announceDevicesIn(id)
	}
}

func (v *view) announceRoom(id gateway.RoomID) {
	r, ok := v.state.Rooms.Get(id)
	if !ok || v.announcer == nil {
		return
	}
	place := v.rooms[id]
	// A room without heating gets no thermostat; one that had it keeps it while its target is unknown.
	if place.config == nil && !isHeated(r) {
		return
	}
	if place.config == nil {
		place.config = v.board.page(v.announcer.configTopic(roomTopics + place.form))
	}
	v.board.write(place.config, v.announcer.room(place.form, r, limitsOf(v.state.Home)))
}

// isHeated reports whether anybody has ever asked for a temperature in the room.
func isHeated(r gateway.Room) bool {
	return r.Target.Value.Known() || r.Cloud.Target.Known() || r.Override.Mode != ""
}

func (v *view) removeRoom(id gateway.RoomID) {
	place, heir := forget(v.rooms, v.roomBy, id)
	switch {
	case place == nil:
	case heir != "":
		v.showRoom(heir, gateway.State{})
	default:
		v.takeDown(place)
	}
}

// forget takes a room or device out. Two may have the same form in topics: the other one has the pages then. The place is
// nil if there was none, the heir "" if nobody has its pages now.
func forget[ID ~string](all map[ID]*shown, by map[string]ID, id ID) (place *shown, heir ID) {
	place, ok := all[id]
	if !ok {
		return nil, ""
	}
	delete(all, id)
	for other, twin := range all {
		if twin.form == place.form {
			by[place.form] = other
			return place, other
		}
	}
	delete(by, place.form)
	return place, ""
}

// takeDown removes what is announced before its page: Home Assistant complains of each template that it has
// to fill from an empty one.
func (v *view) takeDown(place *shown) {
	if place.config == nil {
		v.board.clear(place.page)
		return
	}
	v.board.clear(place.config)
	v.fading[place.page.topic] = v.state.At
}

// fadeTime is how long after its announcement a page is taken down: Home Assistant takes a moment to forget.
const fadeTime = 2 * time.Second

// fade takes down the pages whose time has come.
func (v *view) fade() {
	for topic, since := range v.fading {
		if passed := v.state.At.Sub(since); passed >= fadeTime || passed < 0 {
			delete(v.fading, topic)
			v.board.clear(v.board.page(topic))
		}
	}
}

func (v *view) showDevice(id gateway.DeviceID, old gateway.State) {
	d, ok := v.state.Devices.Get(id)
	if !ok {
		v.removeDevice(id)
		return
	}
	place, known := v.devices[id]
	if !known {
		place = &shown{form: topicForm(string(id))}
		place.page = v.board.page(v.base + "/device/" + place.form)
		delete(v.fading, place.page.topic)
		v.devices[id], v.deviceBy[place.form] = place, id
	}
	v.write(place.page, device(begin(v.scratch), d, v.tested(id)))
	if before, was := old.Devices.Get(id); !was || !looksAlike(before, d) {
		v.announceDevice(id)
	}
}

// device fills in the page of a device, its freshest reading of each quantity.
func device(o object, d gateway.Device, t gateway.DetectorTest) object {
	o = o.text("name", d.Name).
		text("model", d.Model).
		text("room", topicForm(string(d.Room))).
		flag("reachable", d.Reachable()).
		text("via", d.Via()).
		within("readings")
	var last gateway.Quantity
	for _, m := range d.Readings {
		if m.Quantity == last {
			continue // sorted by quantity: another source of the one just written
		}
		last = m.Quantity
		if best, ok := d.Reading(m.Quantity); ok {
			o = o.within(string(best.Quantity)).
				value("value", best.Value).
				moment("at", best.At).
				text("from", best.From).
				end()
		}
	}
	return test(o.end(), t)
}

func (v *view) tested(id gateway.DeviceID) gateway.DetectorTest {
	t, _ := v.state.Tests.Get(id)
	return t
}

func (v *view) announceDevice(id gateway.DeviceID) {
	d, ok := v.state.Devices.Get(id)
	if !ok || v.announcer == nil {
		return
	}
	place := v.devices[id]
	room, _ := v.state.Rooms.Get(d.Room)
	text, some := v.announcer.device(place.form, d, room.Name)
	if place.config == nil && !some {
		return // there is nothing to see of it yet
	}
	if place.config == nil {
		place.config = v.board.page(v.announcer.configTopic(deviceTopics + place.form))
	}
	v.board.write(place.config, text)
}

// announceDevicesIn tells Home Assistant the room's new name, which happens seldom enough to look at
// all devices.
func (v *view) announceDevicesIn(room gateway.RoomID) {
	for id := range v.devices {
		if d, ok := v.state.Devices.Get(id); ok && d.Room == room {
			v.announceDevice(id)
		}
	}
}

func (v *view) removeDevice(id gateway.DeviceID) {
	place, heir := forget(v.devices, v.deviceBy, id)
	switch {
	case place == nil:
		return
	case heir != "":
		v.showDevice(heir, gateway.State{})
		return
	}
	if v.announcer != nil {
		v.announcer.forget(deviceTopics + place.form)
	}
	v.takeDown(place)
}

// tellDecisions puts every decision that was not told yet behind the pages.
func (v *view) tellDecisions() {
	if v.state.Decided == v.told {
		return
	}
	for _, d := range v.state.Decisions {
		if d.Number <= v.told {
			continue
		}
		o := begin(v.scratch).
			count("number", d.Number).
			moment("at", d.At).
			text("kind", d.Kind).
			text("room", topicForm(string(d.Room))).
			text("device", topicForm(string(d.Device))).
			text("what", d.What).
			text("why", d.Why).
			end()
		v.board.tell(o)
		v.scratch = o
	}
	v.told = v.state.Decided
}

// toldBefore is the number of the last decision of an earlier run: those are not told again.
func toldBefore(s gateway.State) uint64 {
	told := s.Decided
	for i := len(s.Decisions) - 1; i >= 0; i-- {
		if d := s.Decisions[i]; s.Started.IsZero() || d.At.Before(s.Started) {
			break
		} else {
			told = d.Number - 1
		}
	}
	return told
}

// next takes the next message for the broker.
func (v *view) next() (message, bool) { return v.board.next(v.base + "/event") }

// showAll has every page sent again, the status last.
func (v *view) showAll() {
	v.board.postAll(v.status)
	if v.homie != nil {
		v.homie.again()
		v.board.postLast(v.status)
	}
}

// reader reads wishes as of the State that is shown.
func (v *view) reader(now time.Time) reader {
	return reader{base: v.base, state: v.state, rooms: v.roomBy, devices: v.deviceBy, now: now}
}
