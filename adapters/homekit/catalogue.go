package homekit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// catalogue is what one bridge publishes: the accessories by key, the values last shown, and what a write to
// each characteristic asks for. What was published once stays: the Home app forgets room, name and
// automations of an accessory that vanishes even for a moment.
type catalogue struct {
	ids      *hap.IDs
	metadata map[hap.UUID]hap.Characteristic
	entries  map[string]entry
	unsaved  bool // a note differs from what is on disk
}

// entry is one accessory as published, with the values shown since.
type entry struct {
	accessory hap.Accessory
	shape     shape
	shown     map[hap.CharacteristicID]json.RawMessage
	asks      map[hap.CharacteristicID]func(json.RawMessage) gateway.Ask // nil: whom it asks is not there
	views     map[hap.CharacteristicID]view
}

// newCatalogue begins with the bridge itself and with all that was published before, of which nothing is known yet.
func newCatalogue(store hap.Store, itself model) (*catalogue, error) {
	ids, err := hap.LoadIDs(store)
	if err != nil {
		return nil, fmt.Errorf("HomeKit ids: %w", err)
	}
	c := &catalogue{ids: ids, metadata: metadata(), entries: map[string]entry{}}
	c.entries[itself.key] = c.make(itself)
	for _, key := range ids.Keys() {
		if !remembers(key) {
			continue
		}
		known, found, err := readShape(ids.Accessory(key).Note())
		if err != nil {
			return nil, fmt.Errorf("HomeKit ids: %s: %w", key, err)
		}
		if found && len(c.entries) < hap.AccessoriesMax {
			e := c.make(known.model(key))
			e.shape = known
			c.entries[key] = e
		}
	}
	return c, nil
}

// put takes a model in. It returns the values that changed, and whether the layout did.
func (c *catalogue) put(m model) (values []hap.Value, layout bool) {
	old, known := c.entries[m.key]
	if remembers(m.key) {
		m = old.shape.grown(m)
	}
	next := c.make(m)
	next.shape = old.shape
	layout = !known || !sameLayout(old.accessory, next.accessory)
	if layout || !old.shape.Missing.IsZero() {
		next.shape = shapeOf(m)
		c.note(m.key, next.shape)
	}
	c.entries[m.key] = next
	if layout {
		return nil, true
	}
	for id, value := range next.shown {
		if before, ok := old.shown[id]; !ok || !bytes.Equal(before, value) {
			values = append(values, hap.Value{ID: id, Value: value})
		}
	}
	return values, false
}

// note keeps how an accessory is published beside its ids. What it is called may change without a new layout, and is
// kept with the next one.
func (c *catalogue) note(key string, s shape) {
	if !remembers(key) {
		return
	}
	if note, err := s.note(); err == nil { // a shape always has its JSON
		c.ids.Accessory(key).SetNote(note)
		c.unsaved = true
	}
}

// miss notes since when an accessory is missing.
func (c *catalogue) miss(key string, since time.Time) {
	e := c.entries[key]
	e.shape.Missing = since
	c.entries[key] = e
	c.note(key, e.shape)
}

// save makes ids and notes durable.
func (c *catalogue) save() error {
	if err := c.ids.Save(); err != nil {
		return fmt.Errorf("HomeKit ids: %w", err)
	}
	c.unsaved = false
	return nil
}

// fits reports whether the accessory of that key is published, or could be.
func (c *catalogue) fits(key string) bool {
	_, published := c.entries[key]
	return published || len(c.entries) < hap.AccessoriesMax
}

// roomy reports whether there is a place that was never anybody's. The places of those who left are kept for them.
func (c *catalogue) roomy() bool {
	return c.ids.Len() < hap.AccessoriesMax && len(c.entries) < hap.AccessoriesMax
}

// drop takes away an accessory that a person removed from the house. Its ids stay its own.
func (c *catalogue) drop(key string) bool {
	_, ok := c.entries[key]
	if ok {
		delete(c.entries, key)
		c.ids.Accessory(key).SetNote(nil)
		c.unsaved = true
	}
	return ok
}

// accessories is everything, in the order of the ids, with the values last shown.
func (c *catalogue) accessories() []hap.Accessory {
	var all []hap.Accessory
	for _, e := range c.entries {
		all = append(all, e.accessory)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].AID < all[j].AID })
	return all
}

// ask returns what a write to a characteristic asks of the house, and the key of its accessory. The ask is nil where there
// is nobody to ask; it is not ok where a write asks nothing.
func (c *catalogue) ask(id hap.CharacteristicID, value json.RawMessage) (ask gateway.Ask, key string, ok bool) {
	for key, e := range c.entries {
		if e.accessory.AID != id.AID {
			continue
		}
		turn, asks := e.asks[id]
		if turn == nil {
			return nil, key, asks
		}
		return turn(value), key, true
	}
	return nil, "", false
}

// view returns what a viewer of a camera negotiates by a characteristic.
func (c *catalogue) view(id hap.CharacteristicID) (view, bool) {
	for _, e := range c.entries {
		if v, ok := e.views[id]; ok {
			return v, true
		}
	}
	return view{}, false
}

// camera returns the camera that an accessory is.
func (c *catalogue) camera(aid uint64) (gateway.DeviceID, bool) {
	for _, e := range c.entries {
		if e.accessory.AID != aid {
			continue
		}
		for _, v := range e.views {
			return v.device, true
		}
	}
	return "", false
}

// forget lets the next put of that accessory send its writable values again: a controller has written
// to it, and what it wrote may not have been granted.
func (c *catalogue) forget(key string) {
	if e, ok := c.entries[key]; ok {
		e.shown = maps.Clone(e.shown)
		for id := range e.asks {
			delete(e.shown, id)
		}
		c.entries[key] = e
	}
}

// make builds the accessory of a model.
func (c *catalogue) make(m model) entry {
	ids := c.ids.Accessory(m.key)
	e := entry{shown: map[hap.CharacteristicID]json.RawMessage{}, asks: map[hap.CharacteristicID]func(json.RawMessage) gateway.Ask{}, views: map[hap.CharacteristicID]view{}}
	e.accessory.AID = ids.AID()
	for _, s := range append([]serviceModel{information(m)}, m.services...) {
		e.accessory.Services = append(e.accessory.Services, c.service(ids, s, &e))
	}
	return e
}

func (c *catalogue) service(ids *hap.AccessoryIDs, s serviceModel, e *entry) hap.Service {
	name := string(s.kind)
	if s.name != "" {
		name += "/" + s.name
	}
	out := hap.Service{IID: ids.IID(name, ""), Type: s.kind, Primary: s.primary}
	for _, p := range s.points {
		characteristic := c.metadata[p.kind]
		if p.high > p.low {
			characteristic = ranged(characteristic, p.low, p.high, p.step)
		}
		characteristic.IID = ids.IID(name, string(p.kind))
		characteristic.Value = p.value
		id := hap.CharacteristicID{AID: e.accessory.AID, IID: characteristic.IID}
		if p.kind != hap.CharacteristicProgrammableSwitchEvent {
			e.shown[id] = p.value
		}
		if p.view != (view{}) {
			e.views[id] = p.view
		}
		if p.ask != nil || p.lost {
			e.asks[id] = p.ask
		} else if p.kind == hap.CharacteristicOn {
			characteristic.Perms = []hap.Perm{hap.PermRead, hap.PermEvents}
		}
		out.Characteristics = append(out.Characteristics, characteristic)
	}
	return out
}

// information is the service that every accessory has. Names and serial numbers are cut to what
// HomeKit takes; names stay with the person, who may change them in the Home app.
func information(m model) serviceModel {
	firmware := m.firmware
	if !versionLike(firmware) {
		firmware = "1.0.0"
	}
	return serviceModel{kind: hap.ServiceAccessoryInformation, points: []point{
		{kind: hap.CharacteristicIdentify},
		{kind: hap.CharacteristicManufacturer, value: text(m.maker, "Veilleuse")},
		{kind: hap.CharacteristicModel, value: text(m.kind, "unknown")},
		{kind: hap.CharacteristicName, value: text(m.name, m.serial)},
		{kind: hap.CharacteristicSerialNumber, value: text(m.serial, "unknown")},
		{kind: hap.CharacteristicFirmwareRevision, value: hap.TextValue(firmware)},
	}}
}

// longestText is the most characters of a name (HAP R2 9.62).
const longestText = 64

func text(s, otherwise string) json.RawMessage {
	if s == "" {
		s = otherwise
	}
	if r := []rune(s); len(r) > longestText {
		s = string(r[:longestText])
	}
	return hap.TextValue(s)
}

// versionLike reports whether a firmware revision has the form that HomeKit wants, as in 2.18.0.
func versionLike(s string) bool {
	parts := 0
	for part := range bytes.SplitSeq([]byte(s), []byte(".")) {
		if len(part) == 0 || len(part) > 5 || len(bytes.Trim(part, "0123456789")) > 0 {
			return false
		}
		parts++
	}
	return parts <= 3
}

// sameLayout compares two accessories without their values.
func sameLayout(a, b hap.Accessory) bool {
	return slices.EqualFunc(a.Services, b.Services, func(x, y hap.Service) bool {
		return x.IID == y.IID && x.Type == y.Type && slices.EqualFunc(x.Characteristics, y.Characteristics, sameCharacteristic)
	})
}

func sameCharacteristic(x, y hap.Characteristic) bool {
	same := func(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }
	return x.IID == y.IID && x.Type == y.Type && same(x.MinValue, y.MinValue) && same(x.MaxValue, y.MaxValue) &&
		same(x.MinStep, y.MinStep) && slices.Equal(x.Perms, y.Perms)
}
