package accessory

import (
	"encoding/json"
	"slices"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// ledger holds what the characteristics of one accessory server last said, and makes readings of it. Its user locks.
type ledger struct {
	devices []Device
	places  map[hap.CharacteristicID]place
	values  map[hap.CharacteristicID]gateway.Value
	heard   map[hap.CharacteristicID]uint64 // the number of the last event for it
	events  uint64                          // events so far
	rings   map[gateway.DeviceID]float64    // presses so far
	before  func(gateway.DeviceID) float64  // presses that were counted before this ledger was begun
}

// place is where a characteristic belongs.
type place struct{ device, point, source int }

func newLedger(before func(gateway.DeviceID) float64) *ledger {
	return &ledger{before: before, values: map[hap.CharacteristicID]gateway.Value{}, heard: map[hap.CharacteristicID]uint64{},
		rings: map[gateway.DeviceID]float64{}}
}

// show replaces the devices. What was heard of characteristics that are still there stays.
func (l *ledger) show(devices []Device) {
	l.devices, l.places = devices, map[hap.CharacteristicID]place{}
	for d := range devices {
		for p := range devices[d].Points {
			for s, source := range devices[d].Points[p].Sources {
				l.places[source.ID] = place{d, p, s}
			}
		}
	}
	for id := range l.values {
		if _, ok := l.places[id]; !ok {
			delete(l.values, id)
			delete(l.heard, id)
		}
	}
}

// event takes a value that the accessory sent by itself.
func (l *ledger) event(id hap.CharacteristicID, raw json.RawMessage) (gateway.Reading, bool) {
	l.events++
	l.heard[id] = l.events
	p, ok := l.places[id]
	if !ok {
		return gateway.Reading{}, false
	}
	device := &l.devices[p.device]
	if device.Points[p.point].Sources[p.source].decoding != asPress {
		return l.take(id, raw)
	}
	if _, pressed := hap.NumberOf(raw); !pressed {
		return gateway.Reading{}, false
	}
	if _, begun := l.rings[device.ID]; !begun {
		l.rings[device.ID] = l.before(device.ID)
	}
	l.rings[device.ID]++
	return gateway.Reading{Device: device.ID, Quantity: gateway.Ring, Value: gateway.Number(l.rings[device.ID])}, true
}

// read takes a value that was asked for when `since` events had been heard: one heard after that is newer.
func (l *ledger) read(id hap.CharacteristicID, raw json.RawMessage, since uint64) (gateway.Reading, bool) {
	if l.heard[id] > since {
		return gateway.Reading{}, false
	}
	return l.take(id, raw)
}

// says is what the point of a characteristic was last posted to say.
func (l *ledger) says(id hap.CharacteristicID) gateway.Value {
	p, ok := l.places[id]
	if !ok {
		return gateway.Value{}
	}
	return l.together(&l.devices[p.device].Points[p.point])
}

func (l *ledger) take(id hap.CharacteristicID, raw json.RawMessage) (gateway.Reading, bool) {
	p, ok := l.places[id]
	if !ok {
		return gateway.Reading{}, false
	}
	device := &l.devices[p.device]
	point := &device.Points[p.point]
	source := point.Sources[p.source]
	if source.decoding == asPress {
		return gateway.Reading{}, false
	}
	l.values[id] = source.decoding.value(raw)
	value := l.together(point)
	return gateway.Reading{Device: device.ID, Quantity: point.Quantity, Value: value}, value.Known()
}

// together is what the sources of a point say: a flag is set when any of them is.
func (l *ledger) together(p *Point) gateway.Value {
	all := gateway.Value{}
	for _, s := range p.Sources {
		v := l.values[s.ID]
		if !all.Known() || v.Yes() {
			all = v
		}
	}
	return all
}

// list names the sources that are wanted.
func (l *ledger) list(want func(Source) bool) []hap.CharacteristicID {
	var ids []hap.CharacteristicID
	for _, d := range l.devices {
		for _, p := range d.Points {
			for _, s := range p.Sources {
				if want(s) {
					ids = append(ids, s.ID)
				}
			}
		}
	}
	return ids
}

// knows tells whether the accessory with that id is there.
func (l *ledger) knows(aid uint64) bool {
	return slices.ContainsFunc(l.devices, func(d Device) bool { return d.AID == aid })
}
