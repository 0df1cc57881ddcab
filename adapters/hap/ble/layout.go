package ble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Layout is what an accessory is made of. To learn it takes some hundred packets, so it is kept until
// the configuration number of the advertisement moves.
type Layout struct {
	Configuration byte             `json:"configuration"`
	Accessory     hap.Accessory    `json:"accessory"` // without values; its id is always 1
	Points        map[uint64]Point `json:"points"`    // by instance id of the characteristic
	Protocol      Protocol         `json:"protocol"`
}

// Point is where a characteristic is reached, and how its changes are told.
type Point struct {
	Handle     string `json:"handle"`
	Away       bool   `json:"away,omitempty"`       // its changes move the state number while nobody is connected
	Broadcasts bool   `json:"broadcasts,omitempty"` // it can tell its changes by notifications
}

// Protocol is where the protocol itself is configured: the signature characteristic of the service of
// protocol information.
type Protocol struct {
	Handle  string `json:"handle"`
	Service uint16 `json:"service"` // its instance id, which such requests name
}

// aid is the id of the only accessory there is behind a Bluetooth connection (HAP R2 7.1).
const aid = 1

// fits tells whether the layout is of these attributes: another firmware may have moved them.
func (l Layout) fits(all []Attribute) bool {
	for _, p := range l.Points {
		if !slices.ContainsFunc(all, func(a Attribute) bool { return a.Handle == p.Handle }) {
			return false
		}
	}
	return len(l.Points) > 0
}

// find is the service of an instance id, made if there is none.
func (l *Layout) find(iid uint64, kind hap.UUID) *hap.Service {
	at := slices.IndexFunc(l.Accessory.Services, func(s hap.Service) bool { return s.IID == iid })
	if at < 0 {
		l.Accessory.Services = append(l.Accessory.Services, hap.Service{IID: iid, Type: kind})
		at = len(l.Accessory.Services) - 1
	}
	return &l.Accessory.Services[at]
}

// learn asks the accessory what it is made of. Signatures are asked for before the session is sealed.
func learn(ctx context.Context, c *channel, configuration byte) (Layout, error) {
	l := Layout{Configuration: configuration, Accessory: hap.Accessory{AID: aid}, Points: map[uint64]Point{}}
	for _, a := range c.peripheral.Attributes() {
		if a.Kind == characteristicServiceID {
			continue
		}
		iid, err := instanceID(ctx, c.peripheral, a)
		if err != nil {
			return Layout{}, err
		}
		if iid == 0 {
			continue // a characteristic of Bluetooth's own
		}
		body, err := c.ask(ctx, a.Handle, request{op: opSignature, iid: iid})
		if err != nil {
			return Layout{}, err
		}
		s, err := decodeSignature(uint64(iid), body)
		if err != nil {
			return Layout{}, err
		}
		l.add(s, a)
	}
	if len(l.Points) == 0 {
		return Layout{}, errors.New("it has no HomeKit characteristics")
	}
	return l, l.learnServices(ctx, c)
}

func (l *Layout) add(s signature, a Attribute) {
	service := l.find(s.service, s.serviceKind)
	service.Characteristics = append(service.Characteristics, s.Characteristic)
	l.Points[s.IID] = Point{Handle: a.Handle, Away: s.away, Broadcasts: s.broadcasts}
	if s.Type == hap.CharacteristicServiceSignature && s.serviceKind == hap.ServiceProtocolInformation {
		l.Protocol = Protocol{Handle: a.Handle, Service: uint16(s.service)}
	}
}

// learnServices asks which services are hidden or linked, where a service can be asked.
func (l *Layout) learnServices(ctx context.Context, c *channel) error {
	for i, s := range l.Accessory.Services {
		signed, ok := s.Find(hap.CharacteristicServiceSignature)
		if !ok {
			continue
		}
		body, err := c.ask(ctx, l.Points[signed.IID].Handle, request{op: opServiceSignature, iid: uint16(s.IID)})
		var refused Status
		if errors.As(err, &refused) {
			continue // it says nothing about this service
		}
		if err != nil {
			return err
		}
		s.Primary, s.Hidden, s.Linked, err = decodeService(body)
		if err != nil {
			return err
		}
		l.Accessory.Services[i] = s
	}
	services := l.Accessory.Services
	sort.Slice(services, func(i, j int) bool { return services[i].IID < services[j].IID })
	return nil
}

// instanceID reads the id of an attribute; 0 if it has none.
func instanceID(ctx context.Context, p Peripheral, a Attribute) (uint16, error) {
	raw, err := p.Descriptor(ctx, a.Handle, descriptorCharacteristic)
	if errors.Is(err, ErrNoDescriptor) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the id of %s: %w", a.Handle, err)
	}
	if len(raw) != 2 {
		return 0, fmt.Errorf("the id of %s has %d bytes instead of 2", a.Handle, len(raw))
	}
	return binary.LittleEndian.Uint16(raw), nil
}

// ErrNoDescriptor says that a characteristic has no descriptor of that type.
var ErrNoDescriptor = errors.New("there is no such descriptor")
