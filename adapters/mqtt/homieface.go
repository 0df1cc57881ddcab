package mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// homieFace puts devices of Homie on the board.
type homieFace struct {
	root   string
	board  *board
	places map[string]*homiePlace // by id of the device
	kids   []string               // children of the root, sorted
	moved  bool                   // a child came or went
}

// homiePlace is what one device has on the board.
type homiePlace struct {
	shown              homieDevice // as it was described
	state, description *page
	others             map[string]*page // values, targets and alerts by topic
}

func newHomieFace(base string, b *board) *homieFace {
	return &homieFace{root: topicForm(base), board: b, places: make(map[string]*homiePlace)}
}

func (h *homieFace) topic(id, suffix string) string { return homieTopics + id + "/" + suffix }

// show brings the board in line with a device. While its description changes it is not ready, as the
// convention asks.
func (h *homieFace) show(d homieDevice) {
	place, known := h.places[d.id]
	if !known {
		place = &homiePlace{others: make(map[string]*page)}
		place.description = h.board.page(h.topic(d.id, "$description"))
		place.state = h.board.page(h.topic(d.id, "$state"))
		place.description.sure, place.state.sure = true, true
		h.places[d.id], h.moved = place, true
	}
	changed := !known || !d.isDescribedAs(place.shown)
	if changed {
		h.board.herald(place.state.topic, homieInit)
		h.board.write(place.description, d.description())
	}
	place.shown = d
	still := make(map[string]bool)
	put := func(suffix, value string) {
		if value == "" {
			return
		}
		topic := h.topic(d.id, suffix)
		if place.others[topic] == nil {
			place.others[topic] = h.board.page(topic)
		}
		still[topic] = true
		h.board.write(place.others[topic], []byte(value))
	}
	for _, n := range d.nodes {
		for _, p := range n.properties {
			put(n.id+"/"+p.id, p.value)
			put(n.id+"/"+p.id+"/$target", p.target)
		}
	}
	for id, text := range d.alerts {
		put("$alert/"+id, text)
	}
	for topic, p := range place.others {
		if !still[topic] {
			delete(place.others, topic)
			h.board.clear(p)
		}
	}
	h.board.write(place.state, []byte(d.state))
	if changed {
		h.board.postLast(place.state)
	}
}

// remove takes a device away: its state first, as the convention asks.
func (h *homieFace) remove(id string) {
	place, known := h.places[id]
	if !known {
		return
	}
	delete(h.places, id)
	h.moved = true
	h.board.clear(place.state)
	h.board.clear(place.description)
	for _, p := range place.others {
		h.board.clear(p)
	}
}

// children are the devices but the root.
func (h *homieFace) children() []string {
	var all []string
	for id := range h.places {
		if id != h.root {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// again has all states sent after everything else: to a broker that is back every device is new.
func (h *homieFace) again() {
	if place := h.places[h.root]; place != nil {
		h.board.herald(place.state.topic, homieInit)
	}
	for id, place := range h.places {
		if id != h.root {
			h.board.postLast(place.state)
		}
	}
	if place := h.places[h.root]; place != nil {
		h.board.postLast(place.state)
	}
}

// isHomieSet reports whether a topic is where wishes for a device of ours are put.
func isHomieSet(root, topic string) bool {
	rest, ours := strings.CutPrefix(topic, homieTopics+root)
	return ours && strings.HasSuffix(rest, "/set") && (rest[0] == '/' || rest[0] == '-')
}

var errNoSuchProperty = errors.New("there is no property of this name that can be set")

// wish turns a message on a set topic of Homie into one of our own, which is then judged as any other.
func (h *homieFace) wish(base string, m heard) (heard, error) {
	levels := strings.Split(strings.TrimPrefix(m.topic, homieTopics), "/")
	if len(levels) != 4 || len(m.payload) > longestWish {
		return heard{}, errNoSuchProperty
	}
	subject, key, value, err := homieWish(strings.TrimPrefix(strings.TrimPrefix(levels[0], h.root), "-"), levels[1], levels[2], string(m.payload))
	if err != nil {
		return heard{}, err
	}
	text, err := json.Marshal(map[string]any{key: value})
	if err != nil {
		return heard{}, errNoSuchProperty // what is put in here can always be encoded
	}
	return heard{topic: base + "/" + subject + "/set", payload: text, retained: m.retained}, nil
}

// homieWish says to whom a value of a property goes, and as what.
func homieWish(part, node, property, text string) (subject, key string, value any, err error) {
	room, isRoom := strings.CutPrefix(part, roomTopics)
	device, isDevice := strings.CutPrefix(part, deviceTopics)
	switch {
	case part == "" && node == "home" && (property == "mode" || property == "schedule"):
		return "home", property, text, nil
	case part == "" && node == "guard" && property == "mode":
		return "home", "guard", text, nil
	case part == "" && node == "authority" && property == "drill":
		value, err = homieFlag(text)
		return "home", property, value, err
	case part == "" && node == "alarm" && (property == "hush" || property == "acknowledge"):
		value, err = homieFlag(text)
		return "alarm", property, value, err
	case isRoom && node == "thermostat" && property == "target":
		value, err = homieNumber(text)
		return "room/" + room, property, value, err
	case isRoom && node == "thermostat" && (property == "mode" || property == "preset"):
		if text == presetAway { // the rooms' modes have it, and it is one of the home
			property = "preset"
		}
		return "room/" + room, property, text, nil
	case isDevice && node == "readings":
		switch settable[gateway.Quantity(property)] {
		case aFlag:
			value, err = homieFlag(text)
		case aPercentage:
			value, err = homieNumber(text)
		case aFloodlight:
			value = text
		default:
			err = errNoSuchProperty
		}
		return "device/" + device, property, value, err
	}
	return "", "", nil, errNoSuchProperty
}

func homieFlag(text string) (any, error) {
	if text != "true" && text != "false" {
		return nil, fmt.Errorf("expected true or false, not %q", text)
	}
	return text == "true", nil
}

func homieNumber(text string) (any, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return nil, fmt.Errorf("expected a number, not %q", text)
	}
	return n, nil
}

// showHomie brings Homie's devices in line with the State.
func (v *view) showHomie(old gateway.State) {
	h, s := v.homie, &v.state
	rooms := make(map[gateway.RoomID]bool)
	for id := range s.Rooms.Changes(old.Rooms) {
		rooms[id] = true
	}
	things := make(map[gateway.DeviceID]bool)
	for id := range s.Devices.Changes(old.Devices) {
		things[id] = true
	}
	for key := range s.Asked.Changes(old.Asked) {
		if a, ok := s.Asked.Get(key); ok {
			things[gateway.DeviceID(a.Command.Point.Of)] = true
		} else if a, ok := old.Asked.Get(key); ok {
			things[gateway.DeviceID(a.Command.Point.Of)] = true
		}
	}
	for id := range things {
		if d, ok := s.Devices.Get(id); ok {
			rooms[d.Room] = true
			h.show(homieThing(h.root, topicForm(string(id)), d, v.askedOf(id)))
		} else if _, twin := v.deviceBy[topicForm(string(id))]; !twin {
			h.remove(h.root + "-" + deviceTopics + topicForm(string(id)))
		}
	}
	bounds := old.Home.FrostGuard != s.Home.FrostGuard || old.Home.Maximum != s.Home.Maximum
	for id := range v.rooms {
		if bounds {
			rooms[id] = true
		}
	}
	for id := range rooms {
		if r, ok := s.Rooms.Get(id); ok {
			h.show(homieRoom(h.root, topicForm(string(id)), r, v.shownTarget(r), limitsOf(s.Home)))
		} else if _, twin := v.roomBy[topicForm(string(id))]; !twin {
			h.remove(h.root + "-" + roomTopics + topicForm(string(id)))
		}
	}
	if h.moved {
		h.kids, h.moved = h.children(), false
	}
	h.show(homieRoot(h.root, s, h.kids))
}

// askedOf says what was asked of a device and is not so yet.
func (v *view) askedOf(id gateway.DeviceID) func(gateway.Quantity) gateway.Value {
	return func(q gateway.Quantity) gateway.Value {
		d, _ := v.state.Devices.Get(id)
		for _, f := range d.Faces {
			if a, ok := v.state.Asked.Get(gateway.PointKey(gateway.Point{Adapter: f.Adapter, Of: string(id), Quantity: q}.String())); ok {
				return a.Command.Value
			}
		}
		return gateway.Value{}
	}
}

// shownTarget is the target that the room's first device shows.
func (v *view) shownTarget(r gateway.Room) gateway.Value {
	for _, id := range r.Devices {
		if d, ok := v.state.Devices.Get(id); ok {
			if m, ok := d.Reading(gateway.Target); ok {
				return m.Value
			}
		}
	}
	return gateway.Value{}
}
