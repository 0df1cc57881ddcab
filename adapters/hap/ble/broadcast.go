package ble

import (
	"context"
	"errors"
	"fmt"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Numbers are what an accessory says of itself in a session.
type Numbers struct {
	State         uint16 // global state number
	Configuration byte
	Advertising   string // id in its notifications
}

// ErrNoProtocol says that an accessory has nothing to configure the protocol by.
var ErrNoProtocol = errors.New("it has no characteristic to configure the protocol by")

// Numbers asks for the state and configuration numbers, which tell whether something was missed.
func (s *Session) Numbers(ctx context.Context) (Numbers, error) {
	items, err := s.protocol(ctx, protocolGetAll)
	if err != nil {
		return Numbers{}, fmt.Errorf("ask for the state number: %w", err)
	}
	state, _ := items.Number(protocolState)
	configuration, _ := items.Number(protocolConfiguration)
	n := Numbers{State: uint16(state), Configuration: byte(configuration), Advertising: s.pairing.AccessoryID}
	if id := items.Get(protocolAdvertisingID); len(id) == 6 {
		n.Advertising = idText(id)
	}
	return n, nil
}

// EnableBroadcasts makes the accessory tell changes of these characteristics by notifications, as far
// as it can, and returns the key that opens them. The key holds until the next one is made, or the state
// number begins again at 1; the accessory forgets it after a reset.
func (s *Session) EnableBroadcasts(ctx context.Context, iids ...uint64) (hap.Key, error) {
	if _, err := s.protocol(ctx, protocolGenerateKey); err != nil {
		return hap.Key{}, fmt.Errorf("have a key for notifications made: %w", err)
	}
	if err := s.take(ctx); err != nil {
		return hap.Key{}, err
	}
	defer s.give()
	for _, iid := range iids {
		_, p, ok := s.find(iid)
		if !ok || !p.Broadcasts {
			continue
		}
		body := hap.TLV{{Tag: configurationProperties, Value: []byte{broadcastEnable, 0}},
			{Tag: configurationInterval, Value: []byte{broadcastEverySecond}}}
		_, err := s.channel.ask(ctx, p.Handle, request{op: opConfigure, iid: uint16(iid), body: body.Encode()})
		var refused Status
		if err != nil && !errors.As(err, &refused) {
			return hap.Key{}, err
		}
	}
	return hap.BroadcastKey(s.secret, s.pairing.Controller.Public()), nil
}

// protocol sends one protocol configuration request.
func (s *Session) protocol(ctx context.Context, what hap.Tag) (hap.TLV, error) {
	if s.layout.Protocol.Handle == "" {
		return nil, ErrNoProtocol
	}
	if err := s.take(ctx); err != nil {
		return nil, err
	}
	defer s.give()
	body, err := s.channel.ask(ctx, s.layout.Protocol.Handle,
		request{op: opProtocol, iid: s.layout.Protocol.Service, body: hap.TLV{{Tag: what}}.Encode()})
	if err != nil {
		return nil, err
	}
	return hap.DecodeTLV(body)
}

// Value reads what a change says, given the layout of the accessory.
func (l Layout) Value(c Change) (hap.Reading, error) {
	for _, service := range l.Accessory.Services {
		for _, known := range service.Characteristics {
			if known.IID != c.IID {
				continue
			}
			value, err := decodeValue(known.Format, c.Value)
			if err != nil {
				return hap.Reading{}, fmt.Errorf("a change of characteristic %d: %w", c.IID, err)
			}
			return hap.Reading{ID: hap.CharacteristicID{AID: aid, IID: c.IID}, Value: value}, nil
		}
	}
	return hap.Reading{}, fmt.Errorf("a change of characteristic %d, which it does not have", c.IID)
}
