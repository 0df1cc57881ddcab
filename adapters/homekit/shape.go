package homekit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// shape is how an accessory was last published, without its values. It is kept beside the ids, so that a restart shows
// what was there before even if the house has forgotten a device or what it ever measured: the Home app forgets room,
// name and automations of whatever vanishes once.
type shape struct {
	Name     string         `json:"name"`
	Maker    string         `json:"maker"`
	Kind     string         `json:"kind"`
	Serial   string         `json:"serial"`
	Firmware string         `json:"firmware,omitempty"`
	Services []shapeService `json:"services"`
	// Missing is since when a house that knows the time has not known the accessory.
	Missing time.Time `json:"missing,omitzero"`
}

type shapeService struct {
	Kind    hap.UUID     `json:"kind"`
	Name    string       `json:"name,omitempty"`
	Primary bool         `json:"primary,omitempty"`
	Points  []shapePoint `json:"points"`
}

type shapePoint struct {
	Kind hap.UUID `json:"kind"`
	Low  float64  `json:"low,omitempty"`
	High float64  `json:"high,omitempty"`
	Step float64  `json:"step,omitempty"`
	Asks bool     `json:"asks,omitempty"` // a write to it asks something of the house
	// Value is what it always shows, as a service's name.
	Value json.RawMessage `json:"value,omitempty"`
}

// fixed are the characteristics whose value says nothing of the device.
var fixed = []hap.UUID{hap.CharacteristicName, hap.CharacteristicChargingState, hap.CharacteristicTemperatureDisplayUnits}

// remembers reports whether an accessory outlives what the house knows of it. Veilleuse's own and the bridges are made
// by the program and its configuration alone.
func remembers(key string) bool {
	return strings.HasPrefix(key, roomPrefix) || strings.HasPrefix(key, devicePrefix)
}

// shapeOf is the shape of a model.
func shapeOf(m model) shape {
	out := shape{Name: m.name, Maker: m.maker, Kind: m.kind, Serial: m.serial, Firmware: m.firmware}
	for _, s := range m.services {
		service := shapeService{Kind: s.kind, Name: s.name, Primary: s.primary}
		for _, p := range s.points {
			kept := shapePoint{Kind: p.kind, Low: p.low, High: p.high, Step: p.step, Asks: p.ask != nil || p.view != (view{}) || p.lost}
			if slices.Contains(fixed, p.kind) {
				kept.Value = p.value
			}
			service.Points = append(service.Points, kept)
		}
		out.Services = append(out.Services, service)
	}
	return out
}

// readShape reads what note wrote; nothing gives false.
func readShape(note json.RawMessage) (shape, bool, error) {
	if len(note) == 0 {
		return shape{}, false, nil
	}
	var s shape
	if err := json.Unmarshal(note, &s); err != nil {
		return shape{}, false, fmt.Errorf("read how an accessory was published: %w", err)
	}
	return s, true, nil
}

func (s shape) note() (json.RawMessage, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("keep how %s is published: %w", s.Name, err)
	}
	return raw, nil
}

// model is the accessory with nothing known of it.
func (s shape) model(key string) model {
	m := model{key: key, name: s.Name, maker: s.Maker, kind: s.Kind, serial: s.Serial, firmware: s.Firmware}
	for _, service := range s.Services {
		m.services = append(m.services, service.lost())
	}
	return m
}

// lost is a service of which nothing is known any more.
func (s shapeService) lost() serviceModel {
	out := serviceModel{kind: s.Kind, name: s.Name, primary: s.Primary}
	for _, p := range s.Points {
		out.points = append(out.points, p.lost())
	}
	return out
}

// lost is a point of which nothing is known any more: that is no activity, and a fault.
func (p shapePoint) lost() point {
	out := point{kind: p.Kind, value: p.Value, low: p.Low, high: p.High, step: p.Step, lost: p.Asks}
	switch p.Kind {
	case hap.CharacteristicStatusActive:
		out.value = truth(false)
	case hap.CharacteristicStatusFault:
		out.value = digit(true)
	}
	return out
}

// grown is a model to which everything is added that its accessory once had, at the places where it had it: what a device
// has not said since the start is unknown, not gone.
func (s shape) grown(m model) model {
	var services []serviceModel
	for _, had := range s.Services {
		at := slices.IndexFunc(m.services, func(now serviceModel) bool { return now.kind == had.Kind && now.name == had.Name })
		if at < 0 {
			services = append(services, had.lost())
			continue
		}
		services = append(services, had.grown(m.services[at]))
	}
	for _, now := range m.services {
		if !slices.ContainsFunc(s.Services, func(had shapeService) bool { return now.kind == had.Kind && now.name == had.Name }) {
			now.primary = now.primary && !slices.ContainsFunc(services, func(s serviceModel) bool { return s.primary })
			services = append(services, now)
		}
	}
	m.services = services
	return m
}

// grown adds to a service the points that it once had.
func (s shapeService) grown(now serviceModel) serviceModel {
	out := serviceModel{kind: now.kind, name: now.name, primary: s.Primary}
	for _, had := range s.Points {
		if at := slices.IndexFunc(now.points, func(p point) bool { return p.kind == had.Kind }); at >= 0 {
			out.points = append(out.points, now.points[at])
		} else {
			out.points = append(out.points, had.lost())
		}
	}
	for _, p := range now.points {
		if !slices.ContainsFunc(s.Points, func(had shapePoint) bool { return had.Kind == p.kind }) {
			out.points = append(out.points, p)
		}
	}
	return out
}
