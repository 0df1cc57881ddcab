package ble

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"golang.org/x/crypto/chacha20"
)

// Notification is a change that an accessory tells while nobody is connected, sealed for the
// controllers that are paired with it (HAP R2 7.4.2.2).
type Notification struct {
	ID     string // the accessory's advertising identifier; its HomeKit id unless it was given another
	id     [6]byte
	sealed []byte // state, instance id and value, and four bytes of authentication
}

// Change is what a notification says.
type Change struct {
	State uint16 // global state number after the change
	IID   uint64 // of the characteristic
	Value []byte // eight bytes, of which the characteristic's format takes the first
}

// ErrNotNews says that a notification is one that was heard before.
var ErrNotNews = errors.New("heard before")

// ErrForged says that a notification is not sealed by the accessory, or is far away from what was heard
// last. A connection tells.
var ErrForged = errors.New("not sealed by the accessory, or much was missed")

const (
	changeLength = 12 // state, instance id, value
	shortTag     = 4  // bytes of authentication that fit into an advertisement
	mostMissed   = 100
)

// ParseNotification reads the data behind Apple's company identifier.
func ParseNotification(data []byte) (Notification, error) {
	if len(data) == 0 || data[0] != typeNotification {
		return Notification{}, ErrNotHomeKit
	}
	if want := 8 + changeLength + shortTag; len(data) != want {
		return Notification{}, fmt.Errorf("a HomeKit notification has %d bytes instead of %d", len(data), want)
	}
	n := Notification{ID: idText(data[2:8]), sealed: append([]byte{}, data[8:]...)}
	copy(n.id[:], data[2:8])
	return n, nil
}

// Open opens the notification. last is the state number that was heard last: the next ones are tried,
// and one that is not newer is ErrNotNews, so that nobody can play an old one again.
func (n Notification) Open(key hap.Key, last uint16) (Change, error) {
	state := last
	for range mostMissed {
		state = NextState(state)
		if c, ok := n.openAt(key, state); ok {
			return c, nil
		}
	}
	if _, ok := n.openAt(key, last); ok {
		return Change{}, ErrNotNews
	}
	return Change{}, ErrForged
}

// openAt tries one state number, which is the nonce. Only a part of the authentication is sent; so the
// text is decrypted, sealed again and compared.
func (n Notification) openAt(key hap.Key, state uint16) (Change, bool) {
	nonce := hap.CounterNonce(uint64(state))
	cipher, err := chacha20.NewUnauthenticatedCipher(key[:], nonce)
	if err != nil {
		return Change{}, false // only for lengths that these are not
	}
	cipher.SetCounter(1) // block 0 makes the authentication key (RFC 8439 2.8)
	plain := make([]byte, changeLength)
	cipher.XORKeyStream(plain, n.sealed[:changeLength])
	again := key.AEAD().Seal(nil, nonce, plain, n.id[:])
	tag := again[changeLength:][:shortTag]
	if subtle.ConstantTimeCompare(tag, n.sealed[changeLength:]) != 1 || binary.LittleEndian.Uint16(plain) != state {
		return Change{}, false
	}
	return Change{State: state, IID: uint64(binary.LittleEndian.Uint16(plain[2:])), Value: plain[4:]}, true
}

// SealNotification is what an accessory sends; the simulated one does.
func SealNotification(id string, key hap.Key, c Change) ([]byte, error) {
	raw, err := idBytes(id)
	if err != nil {
		return nil, err
	}
	plain := binary.LittleEndian.AppendUint16(nil, c.State)
	plain = binary.LittleEndian.AppendUint16(plain, uint16(c.IID))
	plain = append(plain, make([]byte, changeLength-len(plain))...)
	copy(plain[4:], c.Value)
	sealed := key.AEAD().Seal(nil, hap.CounterNonce(uint64(c.State)), plain, raw[:])
	data := append([]byte{typeNotification, 1<<5 | (6 + changeLength + shortTag)}, raw[:]...)
	return append(data, sealed[:changeLength+shortTag]...), nil
}

// NextState is the state number after one: 1 follows 65535 (HAP R2 7.4.1.8).
func NextState(state uint16) uint16 {
	if state++; state == 0 {
		return 1
	}
	return state
}
