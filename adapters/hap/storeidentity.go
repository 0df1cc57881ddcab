package hap

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
)

const identityKey = "identity"

// ServerIdentity is what makes an accessory server the same one after a restart. All of it but the device id is secret.
type ServerIdentity struct {
	DeviceID  string             `json:"device_id"` // "AA:BB:CC:DD:EE:FF"
	Key       ed25519.PrivateKey `json:"key"`       // long-term key
	SetupCode SetupCode          `json:"setup_code"`
	SetupID   string             `json:"setup_id"` // four characters of the QR code
}

// Public is the long-term public key, by which controllers know the server again.
func (i ServerIdentity) Public() ed25519.PublicKey {
	public, _ := i.Key.Public().(ed25519.PublicKey)
	return public
}

// String hides the secrets, so that they cannot slip into a log.
func (i ServerIdentity) String() string { return "accessory server " + i.DeviceID }

// GoString hides them as well.
func (i ServerIdentity) GoString() string { return i.String() }

// NewServerIdentity draws a new accessory server.
func NewServerIdentity() (ServerIdentity, error) {
	key, err := newSigningKey()
	if err != nil {
		return ServerIdentity{}, err
	}
	return ServerIdentity{DeviceID: NewDeviceID(), Key: key, SetupCode: NewSetupCode(), SetupID: NewSetupID()}, nil
}

// LoadServerIdentity reads the identity from the store. Only a store that works and holds neither an identity nor
// pairings gets a new one; a store that fails, and an identity that is damaged or gone while pairings are there, are
// errors, since a new identity would unpair the home.
func LoadServerIdentity(store Store) (ServerIdentity, error) {
	blob, err := store.Get(identityKey)
	if errors.Is(err, ErrNotFound) {
		return firstIdentity(store)
	}
	if err != nil {
		return ServerIdentity{}, fmt.Errorf("read HomeKit identity: %w", err)
	}
	var identity ServerIdentity
	if err := json.Unmarshal(blob, &identity); err != nil {
		return ServerIdentity{}, fmt.Errorf("read HomeKit identity: %w", err)
	}
	if err := identity.check(); err != nil {
		return ServerIdentity{}, fmt.Errorf("read HomeKit identity: %w", err)
	}
	return identity, nil
}

func firstIdentity(store Store) (ServerIdentity, error) {
	pairings, err := store.List(pairingPrefix)
	if err != nil {
		return ServerIdentity{}, fmt.Errorf("list HomeKit pairings: %w", err)
	}
	if len(pairings) > 0 {
		return ServerIdentity{}, fmt.Errorf("the HomeKit identity is gone but %d pairings are there: restore a backup, "+
			"or delete the pairings and pair anew", len(pairings))
	}
	identity, err := NewServerIdentity()
	if err != nil {
		return ServerIdentity{}, err
	}
	if err := SaveServerIdentity(store, identity); err != nil {
		return ServerIdentity{}, err
	}
	return identity, nil
}

// SaveServerIdentity stores the identity, say with a new setup code.
func SaveServerIdentity(store Store, identity ServerIdentity) error {
	if err := identity.check(); err != nil {
		return fmt.Errorf("save HomeKit identity: %w", err)
	}
	blob, err := json.Marshal(identity)
	if err != nil {
		return fmt.Errorf("save HomeKit identity: %w", err)
	}
	if err := store.Set(identityKey, blob); err != nil {
		return fmt.Errorf("save HomeKit identity: %w", err)
	}
	return nil
}

func (i ServerIdentity) check() error {
	if !isDeviceID(i.DeviceID) {
		return fmt.Errorf("device id %q has not the form AA:BB:CC:DD:EE:FF", i.DeviceID)
	}
	if len(i.Key) != ed25519.PrivateKeySize {
		return fmt.Errorf("the long-term key has %d bytes instead of %d", len(i.Key), ed25519.PrivateKeySize)
	}
	if len(i.SetupID) != 4 {
		return fmt.Errorf("setup id %q has not four characters", i.SetupID)
	}
	code, err := ParseSetupCode(string(i.SetupCode))
	if err == nil && code != i.SetupCode {
		err = fmt.Errorf("setup code %q has not the form 123-45-679", i.SetupCode)
	}
	return err
}

func isDeviceID(text string) bool {
	if len(text) != 17 {
		return false
	}
	for i := range len(text) {
		digit := hexDigits(text[i : i+1])
		if colon := i%3 == 2; colon != (text[i] == ':') || !colon && !digit {
			return false
		}
	}
	return true
}
