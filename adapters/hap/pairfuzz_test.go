package hap

import (
	"context"
	"crypto/ed25519"
	"io"
	"testing"
)

// answering is an accessory that answers one message after the other, whatever it is asked.
func answering(bodies ...[]byte) Exchange {
	return func(context.Context, TLV) (TLV, error) {
		if len(bodies) == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		body := bodies[0]
		bodies = bodies[1:]
		return DecodeTLV(body)
	}
}

// FuzzAnswersToPairSetup lets whatever announces itself as an accessory answer who pairs with it. Without the setup code
// nothing leads to a pairing.
func FuzzAnswersToPairSetup(f *testing.F) {
	f.Add(tlvOf(2, Item{TagSalt, make([]byte, 16)}, Item{TagPublicKey, append(make([]byte, 383), 5)}).Encode(), tlvOf(4, Item{TagProof, make([]byte, 64)}).Encode(), tlvOf(6).Encode())
	f.Add(tlvOf(2, Item{TagSalt, make([]byte, 16)}, Item{TagPublicKey, make([]byte, 384)}).Encode(), []byte{}, []byte{})
	f.Add(errorTLV(2, ErrorUnavailable, 0).Encode(), []byte{6, 1, 4}, []byte{5, 0, 6, 1, 6})
	identity, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, second, fourth, sixth []byte) {
		if pairing, err := PairSetupOver(t.Context(), answering(second, fourth, sixth), "518-08-582", identity, 0); err == nil {
			t.Errorf("it is paired with %q", pairing.AccessoryID)
		}
	})
}

// FuzzAnswersToPairVerify lets whatever sits at an accessory's address answer. Without its key there is no session.
func FuzzAnswersToPairVerify(f *testing.F) {
	key, err := newCurveKey()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tlvOf(2, Item{TagPublicKey, key.PublicKey().Bytes()}, Item{TagEncryptedData, make([]byte, 90)}).Encode(), tlvOf(4).Encode())
	f.Add(tlvOf(2, Item{TagPublicKey, make([]byte, 32)}, Item{TagEncryptedData, nil}).Encode(), tlvOf(4).Encode())
	f.Add(errorTLV(2, ErrorAuthentication, 0).Encode(), []byte{})
	controller, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	pairing := Pairing{AccessoryID: "AA:BB:CC:DD:EE:FF", AccessoryKey: make([]byte, ed25519.PublicKeySize), Address: "192.168.1.2:1", Controller: controller}
	f.Fuzz(func(t *testing.T, second, fourth []byte) {
		if _, err := PairVerifyOver(t.Context(), answering(second, fourth), pairing); err == nil {
			t.Error("there is a session with nobody")
		}
	})
}
