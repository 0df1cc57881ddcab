package homekit

import (
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How old a measurement may be that is shown as what is so now, by where it comes from. The vendor's stations measure every
// ten minutes; sensors on MQTT report when they like, and after four hours nobody can say how warm it is. A HomeKit
// accessory is asked again every few minutes: while it answers, what it said last holds.
const (
	oldFromCloud = time.Hour
	oldFromMQTT  = 4 * time.Hour
)

// fading are the quantities that drift while nobody tells. Others are told when they change: a door that was shut a week
// ago is shut.
var fading = []gateway.Quantity{gateway.Temperature, gateway.Humidity, gateway.CO2, gateway.HealthIndex, gateway.AirQuality}

// goodUntil is when a reading of a device becomes too old to be shown as what is so now; zero: never.
func goodUntil(d gateway.Device, m gateway.Measure) time.Time {
	face, ok := d.Face(m.From)
	switch {
	case !slices.Contains(fading, m.Quantity):
		return time.Time{}
	case m.From == gateway.CloudAdapter, !ok, !face.Reaches:
		return m.At.Add(oldFromCloud)
	case m.From == gateway.MQTTAdapter:
		return m.At.Add(oldFromMQTT)
	}
	return time.Time{}
}

// ageEvery is how often it is looked for readings that have become too old.
const ageEvery = time.Minute

// missingFor is for how long an accessory is shown that the house does not know any more, although nobody took it away:
// whatever vanishes loses its room, its name and its automations in the Home app.
const missingFor = 30 * 24 * time.Hour

// age shows what has become too old since, and takes away what has been missing for long.
func (a *Adapter) age(s gateway.State, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.publication(s, now)
	for key, at := range a.fades {
		if !now.Before(at) {
			p.again(key)
		}
	}
	if s.Clock.Trust == gateway.TrustSynced || s.Clock.Trust == gateway.TrustHoldover {
		p.missing()
	}
	return p.send()
}

// missing notes what is missing since now, and drops what has been for long.
func (p *publication) missing() {
	for _, b := range p.adapter.bridges {
		for key, e := range b.shelf.entries {
			switch since := e.shape.Missing; {
			case !remembers(key) || p.known(key):
			case since.IsZero():
				b.shelf.miss(key, p.now)
			case p.now.Sub(since) > missingFor:
				p.drop(key)
			}
		}
	}
}

// known reports whether the house knows the device or room of an accessory.
func (p *publication) known(key string) bool {
	if id, ok := strings.CutPrefix(key, devicePrefix); ok {
		_, known := p.state.Devices.Get(gateway.DeviceID(id))
		return known
	}
	_, known := p.state.Rooms.Get(gateway.RoomID(strings.TrimPrefix(key, roomPrefix)))
	return known
}
