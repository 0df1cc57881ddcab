package hap

import (
	"context"
	"crypto/ecdh"
	"errors"
	"fmt"
	"strings"
)

// ErrPairingRemoved says that the accessory does not know us any more: it was reset, or somebody removed our pairing.
// To try again is of no use until it is paired anew.
var ErrPairingRemoved = errors.New("the accessory does not know this pairing any more: pair it anew")

// ErrOtherAccessory says that what answers at the address is not the accessory of the pairing: the address may have
// gone to another device.
var ErrOtherAccessory = errors.New("another accessory answers at this address")

// PairVerifyOver proves over the given transport that both ends are those of the pairing, and returns the keys of the
// session that begins. Errors that matter are ErrPairingRemoved and ErrOtherAccessory.
func PairVerifyOver(ctx context.Context, exchange Exchange, pairing Pairing) (SessionKeys, error) {
	if err := pairing.check(); err != nil {
		return SessionKeys{}, err
	}
	own, err := newCurveKey()
	if err != nil {
		return SessionKeys{}, err
	}
	answer, err := ask(ctx, exchange, tlvOf(1, Item{TagPublicKey, own.PublicKey().Bytes()}))
	if err != nil {
		return SessionKeys{}, verifyWords(err)
	}
	secret, err := verifyAccessory(pairing, own, answer)
	if err != nil {
		return SessionKeys{}, err
	}
	sealed := sealVerifyIdentity(nonceVerifyM3, secret, own.PublicKey().Bytes(), answer.Get(TagPublicKey),
		pairing.Controller.ID, pairing.Controller.Key)
	if _, err := ask(ctx, exchange, tlvOf(3, Item{TagEncryptedData, sealed})); err != nil {
		return SessionKeys{}, verifyWords(err)
	}
	return sessionKeys(secret), nil
}

// verifyAccessory reads M2: it returns the shared secret if the accessory is the one of the pairing.
func verifyAccessory(pairing Pairing, own *ecdh.PrivateKey, answer TLV) ([]byte, error) {
	peer := answer.Get(TagPublicKey)
	secret, err := curveSecret(own, peer)
	if err != nil {
		return nil, err
	}
	id, check, err := openVerifyIdentity(nonceVerifyM2, secret, answer.Get(TagEncryptedData), peer, own.PublicKey().Bytes())
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(id, pairing.AccessoryID) { // a controller that joined has the id from elsewhere; the key proves it
		return nil, fmt.Errorf("%w: %q instead of %q", ErrOtherAccessory, id, pairing.AccessoryID)
	}
	if err := check(pairing.AccessoryKey); err != nil {
		return nil, fmt.Errorf("%w: it calls itself %q, but %w", ErrOtherAccessory, id, err)
	}
	return secret, nil
}

func verifyWords(err error) error {
	var refused *PairingError
	if errors.As(err, &refused) && refused.Code == ErrorAuthentication {
		return fmt.Errorf("%w: %w", ErrPairingRemoved, err)
	}
	return err
}
