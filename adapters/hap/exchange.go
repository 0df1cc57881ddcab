package hap

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"
)

// Methods of pair-setup and of the pairings path (HAP R2 table 5-3).
const (
	methodSetup         = 0
	methodSetupWithAuth = 1 // devices with an MFi chip; they add EncryptedData to M4
	methodAddPairing    = 3
	methodRemovePairing = 4
	methodListPairings  = 5
)

// Permissions of a pairing.
const (
	permissionUser  = 0
	permissionAdmin = 1
)

// PairingError is an error code that the peer put into a pairing message (HAP R2 table 5-5).
type PairingError struct {
	Code  byte
	Retry time.Duration // how long the accessory wants to be left alone; 0 where it does not say
}

// Codes of a PairingError.
const (
	ErrorUnknown        byte = 1
	ErrorAuthentication byte = 2 // pair-setup: wrong code; pair-verify: the pairing was removed; pairings: not an admin
	ErrorBackoff        byte = 3
	ErrorMaxPeers       byte = 4
	ErrorMaxTries       byte = 5
	ErrorUnavailable    byte = 6 // the accessory is paired already
	ErrorBusy           byte = 7
)

// Error is the code in words.
func (e *PairingError) Error() string {
	switch e.Code {
	case ErrorAuthentication:
		return "authentication failed (error 2)"
	case ErrorBackoff:
		if e.Retry == 0 {
			return "too many attempts: wait a few minutes (error 3)"
		}
		return fmt.Sprintf("too many attempts: wait %s (error 3)", e.Retry)
	case ErrorMaxPeers:
		return "it has no room for another controller (error 4)"
	case ErrorMaxTries:
		return "it refuses after too many wrong codes: restart it (error 5)"
	case ErrorUnavailable:
		return "it is paired already (error 6)"
	case ErrorBusy:
		return "it is busy with another pairing (error 7)"
	}
	return fmt.Sprintf("unknown error %d", e.Code)
}

// tlvOf begins a pairing message with its state.
func tlvOf(state byte, items ...Item) TLV {
	return append(TLV{{TagState, []byte{state}}}, items...)
}

// errorTLV is the pairing message that reports an error in this state; retry may be 0.
func errorTLV(state, code byte, retry time.Duration) TLV {
	message := tlvOf(state, Item{TagError, []byte{code}})
	if retry > 0 {
		seconds := (retry + time.Second - 1) / time.Second
		message = append(message, Item{TagRetryDelay, []byte{byte(seconds), byte(seconds >> 8)}})
	}
	return message
}

// checkState returns the peer's error, or one of ours where the message is not of the wanted state.
func checkState(message TLV, want byte) error {
	if message.Has(TagError) {
		code, _ := message.Byte(TagError)
		retry, _ := message.Number(TagRetryDelay)
		return &PairingError{Code: code, Retry: time.Duration(min(retry, 24*3600)) * time.Second}
	}
	if state, ok := message.Byte(TagState); !ok || state != want {
		return fmt.Errorf("the pairing message is of state %x instead of %d", message.Get(TagState), want)
	}
	return nil
}

// Nonces of the sealed parts.
const (
	nonceSetupM5  = "PS-Msg05"
	nonceSetupM6  = "PS-Msg06"
	nonceVerifyM2 = "PV-Msg02"
	nonceVerifyM3 = "PV-Msg03"
)

// role tells the two ends of pair-setup apart in what they sign.
type role string

const (
	roleController role = "Controller"
	roleAccessory  role = "Accessory"
)

// setupKey seals M5 and M6 of pair-setup.
func setupKey(srpKey []byte) Key {
	return deriveKey(srpKey, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
}

// setupSigned is what an end signs in M5 or M6: a key derived for its role, its pairing id, its long-term key.
func setupSigned(who role, srpKey []byte, id string, public ed25519.PublicKey) []byte {
	derived := deriveKey(srpKey, "Pair-Setup-"+string(who)+"-Sign-Salt", "Pair-Setup-"+string(who)+"-Sign-Info")
	return append(append(derived[:], id...), public...)
}

// sealSetupIdentity is the EncryptedData of M5 (controller) or M6 (accessory).
func sealSetupIdentity(who role, nonce string, srpKey []byte, id string, key ed25519.PrivateKey) []byte {
	public := key.Public().(ed25519.PublicKey)
	return sealItems(setupKey(srpKey), nonce, TLV{
		{TagIdentifier, []byte(id)},
		{TagPublicKey, public},
		{TagSignature, ed25519.Sign(key, setupSigned(who, srpKey, id, public))},
	})
}

// openSetupIdentity reads the EncryptedData of M5 or M6 and checks its signature.
func openSetupIdentity(who role, nonce string, srpKey, sealed []byte) (id string, public ed25519.PublicKey, err error) {
	items, err := openItems(setupKey(srpKey), nonce, sealed)
	if err != nil {
		return "", nil, err
	}
	id, public = string(items.Get(TagIdentifier)), items.Get(TagPublicKey)
	if id == "" {
		return "", nil, errors.New("the peer's pairing id is missing")
	}
	if err := checkSignature(public, setupSigned(who, srpKey, id, public), items.Get(TagSignature)); err != nil {
		return "", nil, err
	}
	return id, public, nil
}

// verifyKey seals M2 and M3 of pair-verify.
func verifyKey(secret []byte) Key {
	return deriveKey(secret, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info")
}

// verifySigned is what an end signs in pair-verify: its ephemeral key, its pairing id, the peer's ephemeral key.
func verifySigned(own []byte, id string, peer []byte) []byte {
	signed := append([]byte{}, own...)
	return append(append(signed, id...), peer...)
}

// sealVerifyIdentity is the EncryptedData of M2 (accessory) or M3 (controller); own and peer are ephemeral public keys.
func sealVerifyIdentity(nonce string, secret, own, peer []byte, id string, key ed25519.PrivateKey) []byte {
	return sealItems(verifyKey(secret), nonce, TLV{
		{TagIdentifier, []byte(id)},
		{TagSignature, ed25519.Sign(key, verifySigned(own, id, peer))},
	})
}

// openVerifyIdentity reads the EncryptedData of M2 or M3: who the peer says it is, and a function that checks the
// signature against the long-term key that we hold for that id. sender and receiver are ephemeral public keys.
func openVerifyIdentity(nonce string, secret, sealed, sender, receiver []byte) (id string,
	check func(ed25519.PublicKey) error, err error) {
	items, err := openItems(verifyKey(secret), nonce, sealed)
	if err != nil {
		return "", nil, err
	}
	id = string(items.Get(TagIdentifier))
	check = func(public ed25519.PublicKey) error {
		return checkSignature(public, verifySigned(sender, id, receiver), items.Get(TagSignature))
	}
	return id, check, nil
}

// SessionKeys seal the two directions of a verified session.
type SessionKeys struct {
	ToAccessory  Key    // "Control-Write-Encryption-Key"
	ToController Key    // "Control-Read-Encryption-Key"
	Secret       []byte // of pair-verify; Bluetooth LE resumes sessions with it
}

// String hides the keys, so that they cannot slip into a log.
func (SessionKeys) String() string { return "(secrets)" }

// sessionKeys derives both directions from the secret of pair-verify.
func sessionKeys(secret []byte) SessionKeys {
	return SessionKeys{
		ToAccessory:  deriveKey(secret, "Control-Salt", "Control-Write-Encryption-Key"),
		ToController: deriveKey(secret, "Control-Salt", "Control-Read-Encryption-Key"),
		Secret:       secret,
	}
}
