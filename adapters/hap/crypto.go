package hap

import (
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// Key is a symmetric key of 32 bytes for ChaCha20-Poly1305.
type Key [chacha20poly1305.KeySize]byte

// String hides the key, so that it cannot slip into a log.
func (Key) String() string { return "(secret)" }

// BroadcastKey is the key under which an accessory on Bluetooth LE seals what it tells while it is not connected, given
// the secret of the pair-verify in which it was asked to make a new one (HAP R2 7.4.7.3).
func BroadcastKey(secret []byte, controller ed25519.PublicKey) Key {
	return deriveKey(secret, string(controller), "Broadcast-Encryption-Key")
}

// deriveKey is HKDF-SHA-512 with the salt and info strings that HAP names for each purpose.
func deriveKey(secret []byte, salt, info string) Key {
	var key Key
	// It fails only for more bytes than the hash can give, and 32 are not.
	raw, _ := hkdf.Key(sha512.New, secret, []byte(salt), info, len(key))
	copy(key[:], raw)
	return key
}

// AEAD is ChaCha20-Poly1305 under this key, with nonces of twelve bytes.
func (k Key) AEAD() cipher.AEAD {
	aead, _ := chacha20poly1305.New(k[:]) // fails only for a key of another length
	return aead
}

// pairingNonce fills the twelve bytes of a nonce such as "PS-Msg05" from the right (HAP R2 5.6.5.2).
func pairingNonce(name string) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSize)
	copy(nonce[len(nonce)-len(name):], name)
	return nonce
}

// sealItems encrypts the items as the EncryptedData of the pairing message that the nonce names.
func sealItems(key Key, nonce string, items TLV) []byte {
	return key.AEAD().Seal(nil, pairingNonce(nonce), items.Encode(), nil)
}

// openItems decrypts the EncryptedData of the pairing message that the nonce names.
func openItems(key Key, nonce string, sealed []byte) (TLV, error) {
	plain, err := key.AEAD().Open(nil, pairingNonce(nonce), sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", nonce, err)
	}
	return DecodeTLV(plain)
}

// newCurveKey draws an ephemeral key pair for pair-verify.
func newCurveKey() (*ecdh.PrivateKey, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw Curve25519 key: %w", err)
	}
	return key, nil
}

// curveSecret is the secret shared with the peer whose public key these 32 bytes are.
func curveSecret(own *ecdh.PrivateKey, peer []byte) ([]byte, error) {
	public, err := ecdh.X25519().NewPublicKey(peer)
	if err != nil {
		return nil, fmt.Errorf("read the peer's Curve25519 key: %w", err)
	}
	secret, err := own.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("agree on a Curve25519 secret: %w", err)
	}
	return secret, nil
}

// newSigningKey draws a long-term key pair.
func newSigningKey() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("draw Ed25519 key: %w", err)
	}
	return key, nil
}

// checkSignature verifies an Ed25519 signature; a key of the wrong length is an error and no panic.
func checkSignature(public, message, signature []byte) error {
	if len(public) != ed25519.PublicKeySize {
		return fmt.Errorf("a long-term public key has %d bytes instead of %d", len(public), ed25519.PublicKeySize)
	}
	if !ed25519.Verify(public, message, signature) {
		return errors.New("the signature does not fit the long-term key")
	}
	return nil
}
