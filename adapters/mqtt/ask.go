package mqtt

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Form is an id as it stands in a topic: lower case, with - for what is neither letter, digit nor -.
func Form(id string) string { return topicForm(id) }

// ReadWish reads the JSON object of a wish for a subject (room/<id>, device/<id>, home, alarm), with ids in their topic form,
// as of a State and an instant: what may be wished is the same wherever people act. The error says in one sentence why the wish
// is none.
func ReadWish(s gateway.State, now time.Time, subject string, body []byte) (gateway.Ask, error) {
	r := reader{state: s, now: now, rooms: map[string]gateway.RoomID{}, devices: map[string]gateway.DeviceID{}}
	for id := range s.Rooms.All() {
		r.rooms[topicForm(string(id))] = id
	}
	for id := range s.Devices.All() {
		r.devices[topicForm(string(id))] = id
	}
	return r.ask(heard{topic: subject, payload: body})
}
