package homekit

import (
	"fmt"
	"strings"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// publish shows what differs between two States. Its cost grows with what changed, not with the house.
func (a *Adapter) publish(old, s gateway.State) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := publication{adapter: a, state: s}
	if _, published := a.shelf.entries[ownKey]; !published || ownChanged(old, s) {
		p.put(ownModel(s))
	}
	for id := range s.Devices.Changes(old.Devices) {
		p.device(id)
	}
	for id := range s.Rooms.Changes(old.Rooms) {
		p.room(id)
	}
	return p.send()
}

// refresh shows one accessory again.
func (a *Adapter) refresh(key string, s gateway.State) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := publication{adapter: a, state: s}
	kind, id, _ := strings.Cut(key, "/")
	switch kind {
	case "room":
		p.room(gateway.RoomID(id))
	case "device":
		p.device(gateway.DeviceID(id))
	default:
		p.put(ownModel(s))
	}
	if err := p.send(); err != nil {
		a.options.Log.Warn("the Home app could not be told", "err", err)
	}
}

// publication collects what one State changes.
type publication struct {
	adapter *Adapter
	state   gateway.State
	values  []hap.Value
	layout  bool
}

func (p *publication) device(id gateway.DeviceID) {
	shelf := p.adapter.shelf
	d, ok := p.state.Devices.Get(id)
	if !ok {
		p.layout = shelf.drop("device/"+string(id)) || p.layout
		return
	}
	if m, ok := deviceModel(d); ok {
		p.put(m)
		p.ring(d)
	}
	if d.Room != "" && steersRoom(d) {
		p.room(d.Room)
	}
}

func (p *publication) room(id gateway.RoomID) {
	r, ok := p.state.Rooms.Get(id)
	_, published := p.adapter.shelf.entries["room/"+string(id)]
	if !ok { // a room of our own making, whose thermostat turned out to stand elsewhere
		p.layout = p.adapter.shelf.drop("room/"+string(id)) || p.layout
		return
	}
	if published || heated(p.state, r) {
		p.put(roomModel(p.state, r))
	}
}

func (p *publication) put(m model) {
	shelf := p.adapter.shelf
	if !shelf.has(m.key) {
		if !shelf.full {
			shelf.full = true
			p.adapter.options.Log.Warn("a bridge has 150 accessories at most: the rest is not in the Home app", "first_left_out", m.name)
		}
		return
	}
	values, layout := shelf.put(m)
	p.values, p.layout = append(p.values, values...), p.layout || layout
}

// ring sends a press of the doorbell: an event without a value to read.
func (p *publication) ring(d gateway.Device) {
	m, ok := d.Reading(gateway.Ring)
	if !ok {
		return
	}
	count, _ := m.Value.Number()
	before, known := p.adapter.ringed[d.ID]
	p.adapter.ringed[d.ID] = count
	if !known || count <= before {
		return
	}
	for _, s := range p.adapter.shelf.entries["device/"+string(d.ID)].accessory.Services {
		for _, c := range s.Characteristics {
			if c.Type == hap.CharacteristicProgrammableSwitchEvent {
				aid := p.adapter.shelf.entries["device/"+string(d.ID)].accessory.AID
				p.values = append(p.values, hap.Value{ID: hap.CharacteristicID{AID: aid, IID: c.IID}, Value: whole(0)})
			}
		}
	}
}

// send makes ids durable before anybody sees them, then shows the new layout or just the values.
func (p *publication) send() error {
	if p.layout {
		if err := p.adapter.shelf.ids.Save(); err != nil {
			return fmt.Errorf("HomeKit ids: %w", err)
		}
		if err := p.adapter.server.SetAccessories(p.adapter.shelf.accessories()); err != nil {
			return err
		}
	}
	if len(p.values) == 0 {
		return nil
	}
	return p.adapter.server.SetValues(p.values)
}
