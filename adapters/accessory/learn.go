package accessory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// learn reads the database, tells the house of what is new in it, and subscribes to that.
func (v *visit) learn(ctx context.Context) error {
	since := v.heardSoFar()
	accessories, err := v.session.Accessories(ctx)
	if err != nil {
		return err
	}
	layout, err := layoutOf(accessories)
	if err != nil {
		return err
	}
	if bytes.Equal(layout, v.layout) {
		v.missing()
		v.takeDatabase(accessories, since)
		return nil
	}
	v.show(accessories)
	v.missing()
	if err := v.subscribe(ctx); err != nil {
		return err
	}
	v.layout = layout
	v.settled()
	return v.poll(ctx, false) // after subscribing, so that nothing falls in between
}

// layoutOf is the database without its values, in a form that can be compared.
func layoutOf(accessories []hap.Accessory) ([]byte, error) {
	bare := slices.Clone(accessories)
	for i := range bare {
		bare[i].Services = slices.Clone(bare[i].Services)
		for j := range bare[i].Services {
			s := &bare[i].Services[j]
			s.Characteristics = slices.Clone(s.Characteristics)
			for n := range s.Characteristics {
				if c := &s.Characteristics[n]; !furniture[c.Type] {
					c.Value = nil
				}
			}
		}
	}
	return json.Marshal(bare)
}

// show makes devices of the database and tells the house of them.
func (v *visit) show(accessories []hap.Accessory) {
	v.house.naming.Lock() // two accessories must not take the same name at once
	defer v.house.naming.Unlock()
	room, ids := v.named()
	devices, left := Understand(accessories, About{HomeKitID: v.id, Room: room, Known: v.house.options.Known,
		IDs: ids, Taken: v.house.taken(v.id)})
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(left) > 0 && !slices.EqualFunc(left, v.left, func(a, b Remainder) bool { return a.String() == b.String() }) {
		v.log.Info("accessory: not all of it is understood", "parts", left)
	}
	v.left = left
	v.remember(devices)
	v.ledger.show(devices)
	clear(v.strange)
	for _, d := range devices {
		v.house.port.Post(d.Found())
		if d.Firmware != "" {
			v.house.port.Post(gateway.Reading{Device: d.ID, Quantity: gateway.Firmware, Value: gateway.Word(d.Firmware)})
		}
	}
}

// named are the room that was given at pairing, and the ids that devices have already. The map is never changed.
func (k *keeper) named() (room string, ids map[uint64]gateway.DeviceID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.record.Room, k.record.Devices
}

// remember keeps the ids of new devices, and what the accessory server calls itself. It needs the lock.
func (v *visit) remember(devices []Device) {
	changed := false
	v.names = map[gateway.DeviceID]bool{}
	for _, d := range devices {
		for _, name := range append([]gateway.DeviceID{d.ID}, d.Also...) {
			v.names[name] = true
		}
		if v.record.Devices[d.AID] != d.ID {
			ids := maps.Clone(v.record.Devices)
			if ids == nil {
				ids = map[uint64]gateway.DeviceID{}
			}
			ids[d.AID] = d.ID
			v.record.Devices, changed = ids, true
		}
		if d.AID == hap.BridgeAID && (v.record.Name != d.Name || v.record.Model != d.Model) {
			v.record.Name, v.record.Model, changed = d.Name, d.Model, true
		}
	}
	if changed {
		v.saveRecord()
	}
}

// rungBefore is how many presses the house has counted, so that a restart does not begin anew.
func (k *keeper) rungBefore(id gateway.DeviceID) float64 {
	device, _ := k.house.shown().Device(id)
	m, _ := device.ReadingFrom(gateway.Ring, gateway.AccessoryAdapter)
	n, _ := m.Value.Number()
	return n
}

// subscribe asks for events of all that is not subscribed to yet. What was away has to be asked for anew.
func (v *visit) subscribe(ctx context.Context) error {
	v.mu.Lock()
	ids := v.ledger.list(func(s Source) bool { return s.Events && !v.heeded[s.ID] })
	for id := range v.heeded {
		if _, there := v.ledger.places[id]; !there {
			delete(v.heeded, id)
		}
	}
	v.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	outcomes, err := v.session.Subscribe(ctx, ids...)
	if err != nil && v.session.Err() != nil {
		return err
	}
	if err != nil {
		v.log.Info("accessory: gives no events, it is polled", "err", err)
	}
	for _, o := range outcomes {
		if o.Status == hap.StatusOK {
			v.heeded[o.ID] = true
		} else {
			v.log.Debug("accessory: gives no events", "characteristic", o.ID, "err", o.Status)
		}
	}
	return nil
}

// missing counts how often devices were not in the database, and says so of those that are gone.
func (v *visit) missing() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.doubtful = false
	for aid, id := range v.record.Devices {
		if v.ledger.knows(aid) {
			delete(v.misses, id)
			continue
		}
		if v.misses[id]++; v.misses[id] < missesMax {
			v.doubtful = true
			continue
		}
		v.tell(gateway.Reach{Device: id, Why: fmt.Sprintf("it is no longer behind %s", v.record.title())})
	}
}

// takeDatabase takes the values that came with the database.
func (v *visit) takeDatabase(accessories []hap.Accessory, since uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range accessories {
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				if reading, ok := v.ledger.read(hap.CharacteristicID{AID: a.AID, IID: c.IID}, c.Value, since); ok {
					v.house.port.Post(reading)
				}
			}
		}
	}
}
