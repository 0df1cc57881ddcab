package homekit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// publish shows what differs between two States. Its cost grows with what changed, not with the house.
func (a *Adapter) publish(old, s gateway.State, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.publication(s, now)
	if _, b := a.entry(ownKey); b == nil || ownChanged(old, s) {
		p.put(ownModel(s))
	}
	for id := range s.Rooms.Changes(old.Rooms) { // first, so that what people use most is on the first bridge
		p.room(id)
	}
	for id := range s.Devices.Changes(old.Devices) {
		p.device(id)
	}
	return p.send()
}

// refresh shows one accessory again.
func (a *Adapter) refresh(key string, s gateway.State, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.publication(s, now)
	p.again(key)
	if err := p.send(); err != nil {
		a.options.Log.Warn("the Home app could not be told", "err", err)
	}
}

// publication collects what one State changes.
type publication struct {
	adapter *Adapter
	state   gateway.State
	now     time.Time
	values  map[*bridge][]hap.Value
}

func (a *Adapter) publication(s gateway.State, now time.Time) publication {
	return publication{a, s, now, map[*bridge][]hap.Value{}}
}

// again shows one accessory anew.
func (p *publication) again(key string) {
	kind, id, _ := strings.Cut(key, "/")
	switch kind + "/" {
	case roomPrefix:
		p.room(gateway.RoomID(id))
	case devicePrefix:
		p.device(gateway.DeviceID(id))
	default:
		p.put(ownModel(p.state))
	}
}

func (p *publication) device(id gateway.DeviceID) {
	key := devicePrefix + string(id)
	d, ok := p.state.Devices.Get(id)
	if !ok {
		p.drop(key)
		return
	}
	_, published := p.adapter.entry(key)
	m, shown := deviceModel(d, p.now, published != nil)
	if p.adapter.options.Cameras != nil && onLAN(d) {
		m, shown = withPictures(m, d.ID, p.adapter.viewers.places(d.ID)), true
	}
	if shown {
		p.put(m)
		p.ring(d)
	}
	if d.Room != "" && steersRoom(d) {
		p.room(d.Room)
	}
}

func (p *publication) room(id gateway.RoomID) {
	key := roomPrefix + string(id)
	r, ok := p.state.Rooms.Get(id)
	if !ok { // a room of our own making, whose thermostat turned out to stand elsewhere
		p.drop(key)
		return
	}
	if _, published := p.adapter.entry(key); published != nil || heated(p.state, r) {
		p.put(roomModel(p.state, r, p.now))
	}
}

func (p *publication) put(m model) {
	b := p.adapter.place(m.key)
	if b == nil {
		return
	}
	if m.fades.IsZero() {
		delete(p.adapter.fades, m.key)
	} else {
		p.adapter.fades[m.key] = m.fades
	}
	values, layout := b.shelf.put(m)
	p.values[b], b.layout = append(p.values[b], values...), b.layout || layout
}

func (p *publication) drop(key string) {
	if _, b := p.adapter.entry(key); b != nil && b.shelf.drop(key) {
		b.layout = true
	}
	delete(p.adapter.fades, key)
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
	e, b := p.adapter.entry(devicePrefix + string(d.ID))
	for _, s := range e.accessory.Services {
		for _, c := range s.Characteristics {
			if c.Type == hap.CharacteristicProgrammableSwitchEvent {
				p.values[b] = append(p.values[b], hap.Value{ID: hap.CharacteristicID{AID: e.accessory.AID, IID: c.IID}, Value: whole(0)})
			}
		}
	}
}

// send shows it all. What one bridge cannot show is no reason for the others not to.
func (p *publication) send() error {
	var faults []error
	for _, b := range p.adapter.bridges {
		if err := b.send(p.values[b]); err != nil {
			faults = append(faults, fmt.Errorf("bridge %s: %w", b.name, err))
		}
	}
	return errors.Join(faults...)
}
