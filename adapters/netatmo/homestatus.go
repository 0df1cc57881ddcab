package netatmo

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// homeStatus is what an answer of homestatus says.
type homeStatus struct {
	home    string
	at      time.Time // the vendor's clock
	rooms   []roomStatus
	devices []deviceStatus
	errors  []deviceError
}

// roomStatus is one room. Its measurements belong to the device that speaks for it.
type roomStatus struct {
	gateway.CloudRoom
	readings []value
}

// value is one reading before its device is known.
type value struct {
	quantity gateway.Quantity
	value    gateway.Value
}

// deviceStatus is one device as homestatus or getstationsdata has it.
type deviceStatus struct {
	gateway.Found
	measured time.Time // when its values were, as it says itself; zero: it does not say
	seen     time.Time // its newest sign of life; zero: it carries none
	reaches  gateway.Answer
	why      string // why it does not answer
	readings []value
	camera   cameraStatus
}

// readStatus reads the body of homestatus. at is the present time for an answer that does not say
// its own.
func readStatus(a answer, at time.Time) homeStatus {
	if !a.at.IsZero() {
		at = a.at
	}
	h := a.body.object("home")
	s := homeStatus{home: h.text("id"), at: at, errors: a.errors}
	for _, r := range h.objects("rooms") {
		if r.text("id") != "" {
			s.rooms = append(s.rooms, readRoom(r))
		}
	}
	for _, m := range h.objects("modules") {
		if d := readDevice(m, at); d.Device != "" {
			s.devices = append(s.devices, d)
		}
	}
	return s
}

// livelyFor is for how long a device that has fallen silent still tells the age of an answer. One that
// was unplugged long ago must not make a cloud that is well look stale for ever.
const livelyFor = 24 * time.Hour

// fresh is the newest sign of life in the answer of a device that talks all day; zero if none carries
// one. What detectors, tags and people were seen last says nothing.
func (s homeStatus) fresh() time.Time {
	var newest time.Time
	for _, d := range s.devices {
		if isA(talkers, d.Model) && d.seen.After(newest) && s.at.Sub(d.seen) < livelyFor {
			newest = d.seen
		}
	}
	return newest
}

// roomModes gives the vendor's words our names; an unknown word stays.
var roomModes = map[string]gateway.RoomMode{"hg": gateway.RoomFrost}

func roomMode(word string) gateway.RoomMode {
	if mode, ok := roomModes[word]; ok {
		return mode
	}
	return gateway.RoomMode(word)
}

// boost is the set point that the vendor's mode max stands for, °C.
const boost = 30

// readRoom reads one room. A room in cooling mode says cooling_… where others say therm_…; a room of
// pilot-wire heaters has an order, which is a word, in the place of a temperature; a room that cannot
// be reached has lost half of its fields (home-assistant#24380).
func readRoom(a attributes) roomStatus {
	r := roomStatus{CloudRoom: gateway.CloudRoom{
		ID:    gateway.RoomID(a.text("id")),
		Mode:  roomMode(a.text("therm_setpoint_mode", "cooling_setpoint_mode")),
		Since: a.time("therm_setpoint_start_time", "cooling_setpoint_start_time"),
		Until: a.time("therm_setpoint_end_time", "cooling_setpoint_end_time"),
	}}
	if degrees, ok := a.number("therm_setpoint_temperature", "cooling_setpoint_temperature"); ok {
		r.Target = gateway.Number(degrees)
	} else if order := a.text("therm_setpoint_fp"); order != "" {
		r.Target = gateway.Word(order)
	}
	reaches, said := a.yes("reachable")
	r.Reachable = reaches || !said && (r.Target.Known() || r.Mode != "")
	if !r.Reachable {
		return r
	}
	if r.Target.Known() {
		r.readings = append(r.readings, value{gateway.Target, r.Target})
	}
	r.readings = append(r.readings, readTable(a, roomTable)...)
	return r
}

// futureSlack is how far a device's clock may be ahead of the vendor's. A stamp further ahead says
// nothing: else a device with a wrong clock would make stale data look fresh for ever.
const futureSlack = 10 * time.Minute

// stamps reads a device's own times: of its values, else of its last message, and the newest of all.
func stamps(a attributes, at time.Time) (measured, seen time.Time) {
	for _, key := range []string{"time_utc", "ts", "last_seen", "last_message", "last_status_store", "last_plug_seen"} {
		t := a.time(key)
		if t.IsZero() || t.After(at.Add(futureSlack)) {
			continue
		}
		if measured.IsZero() {
			measured = t
		}
		if t.After(seen) {
			seen = t
		}
	}
	return measured, seen
}

// detectorPatience is how long a detector may be silent: one that is well was last seen 7.7 days ago
// (openHAB#15383).
const detectorPatience = 8 * 24 * time.Hour

// readDevice reads one module of homestatus, or one device or module of getstationsdata with its
// dashboard_data among its own fields.
func readDevice(a attributes, at time.Time) deviceStatus {
	d := deviceStatus{Found: gateway.Found{
		Device: gateway.DeviceID(a.text("id", "_id")), Model: a.text("type"), Bridge: gateway.DeviceID(a.text("bridge")),
	}}
	d.measured, d.seen = stamps(a, at)
	d.reaches, d.why = readReach(a, d, at)
	d.Controls = readControls(a)
	d.camera = readCamera(a)
	if d.reaches == gateway.No && d.measured.IsZero() {
		return d // nobody knows of when its values are
	}
	d.readings = append(readTable(a, deviceTable), readState(a)...)
	return d
}

// readReach tells whether the vendor reaches a device. Relays, Smarthers, cameras and detectors do
// not say so: that they are listed at all is taken for a yes.
func readReach(a attributes, d deviceStatus, at time.Time) (gateway.Answer, string) {
	reaches, said := a.yes("reachable")
	switch {
	case said && !reaches:
		return gateway.No, "the vendor says that it does not answer"
	case a.text("monitoring", "status") == "disconnected":
		return gateway.No, "the vendor says that it is disconnected"
	case isA(detectors, d.Model) && !d.seen.IsZero() && at.Sub(d.seen) > detectorPatience:
		return gateway.No, "the vendor last heard of it on " + d.seen.Format("2 January 2006")
	}
	return gateway.Yes, ""
}

// readControls tells what can be set on a device through the vendor, by what it says of itself. The
// public API refuses to sound a siren (pyatmo), so none is offered.
func readControls(a attributes) []gateway.Control {
	var all []gateway.Control
	add := func(q gateway.Quantity, low, high, step float64, keys ...string) {
		if a.first(keys...) != nil {
			all = append(all, gateway.Control{Quantity: q, Min: low, Max: high, Step: step})
		}
	}
	kind := a.text("type")
	if kind != "NIS" {
		add(gateway.Monitoring, 0, 0, 0, "monitoring")
	}
	add(gateway.Floodlight, 0, 0, 0, "floodlight")
	add(gateway.On, 0, 0, 0, "on")
	add(gateway.Brightness, 0, 100, 1, "brightness")
	step, _ := a.number("target_position_step", "target_position:step")
	add(gateway.Position, 0, 100, max(step, 0), "target_position")
	return all
}

// cameraStatus is what homestatus says of reaching a camera.
type cameraStatus struct {
	vpn   *url.URL // of the vendor's relay to the camera; secret; nil: none
	key   string   // secret
	local bool
}

// readCamera takes the camera's key out of its vpn_url, https://host/restricted/<address>/<key>/<token>,,
// where newer models have no "restricted" (pyatmo homestatus).
func readCamera(a attributes) cameraStatus {
	c := cameraStatus{}
	c.local, _ = a.yes("is_local")
	vpn, err := url.Parse(a.text("vpn_url"))
	if err != nil || vpn.Host == "" {
		return c
	}
	parts := strings.Split(strings.Trim(vpn.Path, "/"), "/")
	if parts[0] == "restricted" {
		parts = parts[1:]
	}
	if len(parts) >= 2 && isKey(parts[1]) {
		c.vpn, c.key = vpn, parts[1]
	}
	return c
}

// isKey reports whether a part of a path can be a camera's key: letters and digits that change
// nothing in an address.
func isKey(part string) bool {
	return len(part) >= 4 && len(part) <= 128 && strings.IndexFunc(part, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_'
	}) < 0
}

// checkStatus says what makes a well-formed homestatus useless.
func checkStatus(a answer, st homeStatus, id string) error {
	switch {
	case a.body == nil:
		return errors.New("200 without a body")
	case st.home == "":
		return errors.New("200 without a home")
	case st.home != id:
		return errors.New("200 for another home")
	case len(st.rooms)+len(st.devices)+len(st.errors) == 0:
		return errors.New("200 without rooms and devices")
	}
	return nil
}

// hintOf is the mode that all rooms which follow the home show; "" if they differ.
func hintOf(rooms []roomStatus) gateway.HomeMode {
	var hint gateway.HomeMode
	for _, r := range rooms {
		var mode gateway.HomeMode
		switch r.Mode {
		case gateway.RoomSchedule:
			mode = gateway.HomeSchedule
		case gateway.RoomAway:
			mode = gateway.HomeAway
		case gateway.RoomFrost:
			mode = gateway.HomeFrost
		default:
			continue
		}
		if hint != "" && hint != mode {
			return ""
		}
		hint = mode
	}
	return hint
}
