package accessory

import (
	"fmt"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// reader goes through the services of one accessory.
type reader struct {
	device *Device
	siren  bool // a switch of this accessory is a siren
	left   []Remainder
}

func (r *reader) service(s hap.Service) {
	siren := r.siren
	if c, ok := s.Find(hap.CharacteristicName); ok {
		name, _ := hap.TextOf(c.Value)
		siren = siren || soundsLikeSiren(name)
	}
	odd := map[string]*Remainder{}
	var order []string
	for _, c := range s.Characteristics {
		why := r.characteristic(s, c, siren && s.Type == hap.ServiceSwitch)
		if why == "" {
			continue
		}
		if odd[why] == nil {
			odd[why] = &Remainder{AID: r.device.AID, Service: s.Type, Why: why}
			order = append(order, why)
		}
		odd[why].Characteristics = append(odd[why].Characteristics, c.Type)
	}
	for _, why := range order {
		r.left = append(r.left, *odd[why])
	}
	if len(s.Characteristics) == 0 {
		r.left = append(r.left, Remainder{AID: r.device.AID, Service: s.Type, Why: "a service without content"})
	}
}

// characteristic takes one characteristic in, and says why it cannot.
func (r *reader) characteristic(s hap.Service, c hap.Characteristic, siren bool) string {
	m, ok := meaningOf(s.Type, c.Type)
	switch {
	case !ok && furniture[c.Type]:
		return ""
	case !ok:
		return strange(s.Type, c.Type)
	case siren && m.quantity == gateway.On:
		m.quantity = gateway.Siren
	}
	id := hap.CharacteristicID{AID: r.device.AID, IID: c.IID}
	settable := c.Has(hap.PermWrite) && !c.Has(hap.PermAuthorization) && m.settable(c.Type)
	p := r.point(m.quantity)
	if c.Type == hap.CharacteristicTargetPosition {
		// A window's position is where it is; where it is going is only set.
		if settable && p.Setting == nil {
			p.Setting = setting(id, c, m)
		}
		return ""
	}
	if !c.Has(hap.PermRead) && !c.Has(hap.PermEvents) && !settable {
		return "it can be neither read nor set"
	}
	if len(p.Sources) > 0 && !m.joins() {
		return fmt.Sprintf("the device has another %s already", m.quantity)
	}
	if c.Has(hap.PermRead) || c.Has(hap.PermEvents) {
		p.Sources = append(p.Sources, Source{ID: id, Read: c.Has(hap.PermRead) && m.decoding != asPress,
			Events: c.Has(hap.PermEvents), decoding: m.decoding})
	}
	if settable {
		p.Setting = setting(id, c, m)
	}
	return ""
}

// strange says why a characteristic without a meaning is left out.
func strange(service, characteristic hap.UUID) string {
	if why := setAside[characteristic]; why != "" {
		return why
	}
	if why := setAside[service]; why != "" {
		return why
	}
	if len(characteristic) > 8 {
		return "the maker's own, whose meaning is not known"
	}
	return "not known"
}

// point returns the device's point of that quantity, new if need be.
func (r *reader) point(q gateway.Quantity) *Point {
	for i := range r.device.Points {
		if r.device.Points[i].Quantity == q {
			return &r.device.Points[i]
		}
	}
	r.device.Points = append(r.device.Points, Point{Quantity: q})
	return &r.device.Points[len(r.device.Points)-1]
}

// joins tells whether several characteristics of a device may mean this together.
func (m meaning) joins() bool {
	switch m.quantity {
	case gateway.On, gateway.Siren:
		return false // two switches are two
	}
	return m.decoding == asFlag || m.decoding == asNoFlag || m.decoding == asPress
}

// settable tells whether the house ever sets this.
func (m meaning) settable(kind hap.UUID) bool {
	return m.control != gateway.Control{} || kind == hap.CharacteristicOn
}
