package hap

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
)

// Identity is a controller as accessories know it. It is made once and kept for as long as anything is paired with it;
// it is a secret, and losing it means to reset every accessory.
type Identity struct {
	ID  string             `json:"id"`  // an upper-case UUID; accessories compare it byte by byte
	Key ed25519.PrivateKey `json:"key"` // long-term key pair
}

// NewIdentity draws a new controller.
func NewIdentity() (Identity, error) {
	key, err := newSigningKey()
	if err != nil {
		return Identity{}, err
	}
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return Identity{}, fmt.Errorf("draw controller id: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80 // version 4, random (RFC 9562 5.4)
	id := fmt.Sprintf("%X-%X-%X-%X-%X", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
	return Identity{ID: id, Key: key}, nil
}

// Public is the long-term public key, which an accessory stores.
func (i Identity) Public() ed25519.PublicKey {
	public, _ := i.Key.Public().(ed25519.PublicKey)
	return public
}

// String hides the key, so that it cannot slip into a log.
func (i Identity) String() string { return "controller " + i.ID }

// GoString hides the key as well.
func (i Identity) GoString() string { return i.String() }

// LogValue hides the key from handlers that write JSON.
func (i Identity) LogValue() slog.Value { return slog.StringValue(i.String()) }

func (i Identity) check() error {
	if i.ID == "" || len(i.Key) != ed25519.PrivateKeySize {
		return fmt.Errorf("the controller identity %q is not complete", i.ID)
	}
	return nil
}

// Pairing is what a controller remembers of an accessory that it is paired with. It holds the controller's secret key;
// losing it means to reset the accessory.
type Pairing struct {
	AccessoryID  string            `json:"accessory_id"`  // as in its TXT record, "AA:BB:CC:DD:EE:FF"
	AccessoryKey ed25519.PublicKey `json:"accessory_key"` // long-term
	Address      string            `json:"address"`       // host:port where it was last met, a hint
	Controller   Identity          `json:"controller"`
}

// LogValue hides the controller's key from handlers that write JSON.
func (p Pairing) LogValue() slog.Value { return slog.StringValue("pairing with " + p.AccessoryID) }

func (p Pairing) check() error {
	if p.AccessoryID == "" || len(p.AccessoryKey) != ed25519.PublicKeySize {
		return fmt.Errorf("the pairing with accessory %q is not complete", p.AccessoryID)
	}
	return p.Controller.check()
}
