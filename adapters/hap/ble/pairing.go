package ble

import (
	"context"
	"errors"
	"fmt"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

const setupAttempts = 8 // a restart is needed once in 128 times, see hap.ErrRestart

// PairSetup pairs over the connection by the setup code, eight digits with or without dashes. The
// pairing's Address stays empty: Bluetooth addresses change.
func PairSetup(ctx context.Context, p Peripheral, code string, identity hap.Identity) (hap.Pairing, error) {
	c := &channel{peripheral: p}
	exchange, err := c.pairingExchange(ctx, hap.CharacteristicPairSetup)
	if err != nil {
		return hap.Pairing{}, fmt.Errorf("pair: %w", err)
	}
	features, err := c.features(ctx)
	if err != nil {
		return hap.Pairing{}, fmt.Errorf("pair: %w", err)
	}
	for range setupAttempts {
		pairing, err := hap.PairSetupOver(ctx, exchange, code, identity, features)
		if !errors.Is(err, hap.ErrRestart) {
			return pairing, err
		}
	}
	return hap.Pairing{}, fmt.Errorf("pair: %w", hap.ErrRestart)
}

// features are the accessory's pairing features; 0 from one that does not tell.
func (c *channel) features(ctx context.Context) (byte, error) {
	a, iid, err := c.pairingPoint(ctx, hap.CharacteristicPairingFeatures)
	if err != nil {
		return 0, nil
	}
	body, err := c.ask(ctx, a.Handle, request{op: opRead, iid: iid})
	var refused Status
	if errors.As(err, &refused) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	items, err := hap.DecodeTLV(body)
	if err != nil {
		return 0, err
	}
	bits, _ := items.Byte(paramValue)
	return bits, nil
}

// pairingExchange carries pairing messages through that characteristic of the pairing service.
func (c *channel) pairingExchange(ctx context.Context, kind hap.UUID) (hap.Exchange, error) {
	a, iid, err := c.pairingPoint(ctx, kind)
	if err != nil {
		return nil, err
	}
	return c.exchange(a.Handle, iid), nil
}

func (c *channel) pairingPoint(ctx context.Context, kind hap.UUID) (Attribute, uint16, error) {
	for _, a := range c.peripheral.Attributes() {
		if a.Kind != kind || a.Within != hap.ServicePairing {
			continue
		}
		iid, err := instanceID(ctx, c.peripheral, a)
		if err == nil && iid == 0 {
			err = errors.New("a characteristic of the pairing service has no id")
		}
		return a, iid, err
	}
	return Attribute{}, 0, fmt.Errorf("it has no HomeKit pairing characteristic %s: it is no HomeKit accessory", kind)
}
