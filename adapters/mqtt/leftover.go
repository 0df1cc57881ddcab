package mqtt

import (
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// Home Assistant keeps what is announced in retained topics until they are emptied. A device that went while
// Veilleuse did not run, a section that was taken out of the configuration, an announcement under another
// first level: all that would stay there for ever as something that is never available. So on each
// connection the announcements that the broker holds are read back, and those of ours that hold no more are
// taken down.

// usualPrefix is the first level of discovery topics unless it is changed in Home Assistant.
const usualPrefix = "homeassistant"

// mostLeftovers is how many announcements of ours are looked at; a house has some hundreds at most.
const mostLeftovers = 4096

// settleTime is how long after its start the house has to know its devices again before what it does not
// know is taken down. All come from the disk; only after a loss of that are they found one by one.
const settleTime = 10 * time.Minute

// found is an announcement or a description of ours that the broker holds.
type found struct {
	topic, prefix string
	part          string            // "", room-<id> or device-<id>
	platforms     map[string]string // by the names of its components
	topics        []string          // of Homie, without the device: all that is retained
}

// readBack collects such announcements. They come on a goroutine of the broker's, and many at once.
type readBack struct {
	prefixes []string
	base     string
	poke     chan struct{}

	mu  sync.Mutex
	all []found
}

func newReadBack(o Options) *readBack {
	r := &readBack{prefixes: []string{usualPrefix}, base: o.base(), poke: make(chan struct{}, 1)}
	if p := o.Discovery; p != "" && p != usualPrefix && p != Homie {
		r.prefixes = append(r.prefixes, p)
	}
	return r
}

// filters are the topics to listen to.
func (r *readBack) filters() []string {
	var all []string
	for _, p := range r.prefixes {
		all = append(all, p+"/device/+/config")
	}
	return append(all, homieTopics+"+/$description", homieTopics+"+/$alert/+")
}

// hear takes a message if it is an announcement, of whomever.
func (r *readBack) hear(m heard) bool {
	if rest, ok := strings.CutPrefix(m.topic, homieTopics); ok {
		id, suffix, _ := strings.Cut(rest, "/")
		if suffix != "$description" && !strings.HasPrefix(suffix, "$alert/") {
			return false
		}
		if f, ours := readHomie(topicForm(r.base), id, suffix, m.payload); ours && m.retained {
			f.topic, f.prefix = homieTopics+id, homieTopics
			r.keep(f)
		}
		return true
	}
	for _, prefix := range r.prefixes {
		id, ok := strings.CutPrefix(m.topic, prefix+"/device/")
		if id, isConfig := strings.CutSuffix(id, "/config"); ok && isConfig {
			if m.retained { // else it is the echo of what we have just said
				if f, ours := readAnnouncement(r.base, id, m.payload); ours {
					f.topic, f.prefix = m.topic, prefix
					r.keep(f)
				}
			}
			return true
		}
	}
	return false
}

func (r *readBack) keep(f found) {
	r.mu.Lock()
	if len(r.all) < mostLeftovers {
		r.all = append(r.all, f)
	}
	r.mu.Unlock()
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// take returns what was found since the last time.
func (r *readBack) take() []found {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}

// readAnnouncement reads an announcement and reports whether this Veilleuse made it: under its root, and
// there while its own status is.
func readAnnouncement(base, id string, payload []byte) (found, bool) {
	root := topicForm(base)
	part, below := strings.CutPrefix(id, root+"-")
	switch {
	case id == root:
		part = ""
	case !below || !strings.HasPrefix(part, roomTopics) && !strings.HasPrefix(part, deviceTopics):
		return found{}, false
	}
	var a struct {
		Origin       struct{ Name string }
		Availability []struct{ Topic string }
		Components   map[string]struct {
			Platform string
			Unique   string `json:"unique_id"`
		}
	}
	if len(payload) > longestMessage || json.Unmarshal(payload, &a) != nil {
		return found{}, false
	}
	if a.Origin.Name != "Veilleuse" || len(a.Availability) == 0 || a.Availability[0].Topic != base+"/status" {
		return found{}, false
	}
	f := found{part: part, platforms: make(map[string]string)}
	for name, c := range a.Components {
		if c.Unique != "" { // else it was taken back already
			f.platforms[name] = c.Platform
		}
	}
	return f, true
}

// takeStock compares what the broker holds with what there is.
func (v *view) takeStock(all []found) {
	for _, f := range all {
		p, known := v.board.named[f.topic]
		switch {
		case f.prefix == homieTopics && v.homie == nil:
			v.takeDownHomie(f)
		case f.prefix == homieTopics && v.homie.places[strings.TrimPrefix(f.topic, homieTopics)] != nil:
			v.takeDownHomie(f) // what it has no more
		case f.prefix == homieTopics:
			v.leftover[f.topic+"/"+f.topics[0]] = f
		case v.announcer == nil || f.prefix != v.announcer.prefix:
			v.board.clear(v.board.page(f.topic)) // announced by another configuration
		case known && p.text != nil:
			v.takeBack(f)
		case !v.announceAgain(f):
			v.leftover[f.topic] = f
		}
	}
	v.sweep()
}

// announceAgain announces a room or a device that the house knows, though it has not shown yet in this run
// what it was announced for: a thermostat stays while nobody knows its target.
func (v *view) announceAgain(f found) bool {
	if form, ok := strings.CutPrefix(f.part, roomTopics); ok {
		if id, known := v.roomBy[form]; known {
			v.rooms[id].config = v.board.page(f.topic)
			v.announceRoom(id)
			return true
		}
	}
	if form, ok := strings.CutPrefix(f.part, deviceTopics); ok {
		if id, known := v.deviceBy[form]; known {
			v.devices[id].config = v.board.page(f.topic)
			v.announceDevice(id)
			v.takeBack(f)
			return true
		}
	}
	return false
}

// takeBack takes back the components that an earlier run has announced and this one has not.
func (v *view) takeBack(f found) {
	had, lost := v.announcer.had[f.part], false
	for name, platform := range f.platforms {
		if _, still := had[name]; !still {
			lost = true
			v.announcer.remember(f.part, fields{name: fields{"platform": platform}})
		}
	}
	if !lost {
		return
	}
	if f.part == "" {
		v.announceHouse()
	} else if form, ok := strings.CutPrefix(f.part, deviceTopics); ok {
		v.announceDevice(v.deviceBy[form])
	}
}

// takeDownHomie empties the topics that a device of Homie had and has no more, its state first.
func (v *view) takeDownHomie(f found) {
	for _, suffix := range f.topics {
		if topic := f.topic + "/" + suffix; v.board.named[topic] == nil {
			v.board.clear(v.board.page(topic))
		}
	}
}

// sweep takes down what the house does not know any more, with its own topic.
func (v *view) sweep() {
	s := &v.state
	if len(v.leftover) == 0 || s.Started.IsZero() || s.At.Sub(s.Started) < settleTime || s.Devices.Len() == 0 {
		return
	}
	for topic, f := range v.leftover {
		if _, back := v.board.named[topic]; back || f.part == "" {
			continue
		}
		if f.prefix == homieTopics {
			v.takeDownHomie(f) // what is there again stays
		} else {
			v.board.clear(v.board.page(topic))
		}
		if page := v.base + "/" + strings.Replace(f.part, "-", "/", 1); v.board.named[page] == nil {
			v.fading[page] = s.At
		}
	}
	clear(v.leftover)
}
