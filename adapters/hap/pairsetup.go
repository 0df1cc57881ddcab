package hap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// FeatureHardwareAuth is the bit of the "ff" entry of a TXT record that a device with an MFi chip sets. It wants
// pair-setup with authentication; its proof that it is genuine is of no interest here and ignored.
const FeatureHardwareAuth = 0x01

// Exchange carries one pairing message to the accessory and its answer back, over whatever transport. It is the seam
// between the pairing procedures and the two ways to reach an accessory, IP and Bluetooth LE.
type Exchange func(ctx context.Context, message TLV) (TLV, error)

// ErrRestart says that a pair-setup must be begun anew on a fresh connection. No try was used up. See srp.go.
var ErrRestart = errors.New("pair-setup must start again")

const (
	setupAttempts = 8 // a restart is needed once in 128 times: eight in a row do not happen
	// An accessory that is busy with our own last connection, which it has not yet seen end, is so for a moment only.
	busyAttempts = 6
	busyPause    = 300 * time.Millisecond
)

// PairSetup pairs with the accessory at address (host:port) by its setup code, eight digits with or without dashes.
// features is the "ff" of its TXT record, 0 if unknown. It restarts by itself where SRP demands it. Errors of the
// accessory are *PairingError, wrapped in words for the user.
func PairSetup(ctx context.Context, address, code string, identity Identity, features byte) (Pairing, error) {
	return Dial(nil).PairSetup(ctx, address, code, identity, features)
}

// PairSetup is the function [PairSetup] over the connections that d opens.
func (d Dial) PairSetup(ctx context.Context, address, code string, identity Identity, features byte) (Pairing, error) {
	restarts, busy := 0, 0
	for {
		pairing, err := d.pairSetupOnce(ctx, address, code, identity, features)
		if err == nil {
			pairing.Address = address
			return pairing, nil
		}
		var refused *PairingError
		switch {
		case errors.Is(err, ErrRestart) && restarts < setupAttempts-1:
			restarts++
			continue
		case errors.As(err, &refused) && refused.Code == ErrorBusy && busy < busyAttempts-1:
			busy++
			if sleep(ctx, busyPause) == nil {
				continue
			}
		}
		return Pairing{}, fmt.Errorf("pair with %s: %w", address, err)
	}
}

func (d Dial) pairSetupOnce(ctx context.Context, address, code string, identity Identity, features byte) (Pairing, error) {
	l, err := d.link(ctx, address)
	if err != nil {
		return Pairing{}, err
	}
	defer l.close()
	return PairSetupOver(ctx, l.exchange("/pair-setup"), code, identity, features)
}

// sleep waits, and returns an error where ctx ends first.
func sleep(ctx context.Context, pause time.Duration) error {
	over, cancel := context.WithTimeout(ctx, pause)
	defer cancel()
	<-over.Done()
	return ctx.Err()
}

// PairSetupOver runs pair-setup once over the given transport. ErrRestart asks for another run on a fresh connection.
func PairSetupOver(ctx context.Context, exchange Exchange, code string, identity Identity, features byte) (Pairing, error) {
	code, err := dashed(code)
	if err != nil {
		return Pairing{}, err
	}
	if err := identity.check(); err != nil {
		return Pairing{}, err
	}
	key, err := setupSecret(ctx, exchange, code, features)
	if err != nil {
		return Pairing{}, setupWords(err)
	}
	sealed := sealSetupIdentity(roleController, nonceSetupM5, key, identity.ID, identity.Key)
	answer, err := ask(ctx, exchange, tlvOf(5, Item{TagEncryptedData, sealed}))
	if err != nil {
		return Pairing{}, fmt.Errorf("exchange keys: %w", setupWords(err))
	}
	id, public, err := openSetupIdentity(roleAccessory, nonceSetupM6, key, answer.Get(TagEncryptedData))
	if err != nil {
		return Pairing{}, fmt.Errorf("read the accessory's key: %w", err)
	}
	return Pairing{AccessoryID: id, AccessoryKey: public, Controller: identity}, nil
}

// setupSecret runs M1 to M4: both ends prove that they know the setup code and share a key from then on.
func setupSecret(ctx context.Context, exchange Exchange, code string, features byte) ([]byte, error) {
	client, err := newSRPClient(code)
	if err != nil {
		return nil, err
	}
	method := byte(methodSetup)
	if features&FeatureHardwareAuth != 0 {
		method = methodSetupWithAuth
	}
	challenge, err := ask(ctx, exchange, tlvOf(1, Item{TagMethod, []byte{method}}))
	if err != nil {
		return nil, err
	}
	if err := client.answer(challenge.Get(TagSalt), challenge.Get(TagPublicKey)); errors.Is(err, errSRPRestart) {
		return nil, ErrRestart
	} else if err != nil {
		return nil, err
	}
	proven, err := ask(ctx, exchange, tlvOf(3, Item{TagPublicKey, client.public}, Item{TagProof, client.proof}))
	if err != nil {
		return nil, err
	}
	if err := client.verify(proven.Get(TagProof)); err != nil {
		return nil, errors.New("the accessory cannot prove that it knows the setup code: it may be another one")
	}
	return client.key, nil
}

// ask exchanges one message and checks that the answer is of the next state.
func ask(ctx context.Context, exchange Exchange, message TLV) (TLV, error) {
	answer, err := exchange(ctx, message)
	if err != nil {
		return nil, err
	}
	state, _ := message.Byte(TagState)
	return answer, checkState(answer, state+1)
}

// setupWords says what a refusal means to a person who is pairing.
func setupWords(err error) error {
	var refused *PairingError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Code {
	case ErrorAuthentication:
		return fmt.Errorf("the setup code is wrong: %w", err)
	case ErrorUnavailable:
		return fmt.Errorf("the accessory belongs to another controller, remove it from Apple Home first: %w", err)
	case ErrorBusy:
		return fmt.Errorf("somebody else is pairing with it, try again in a minute: %w", err)
	}
	return err
}

// dashed writes a setup code as SRP wants it, "123-45-678".
func dashed(code string) (string, error) {
	digits := strings.ReplaceAll(strings.TrimSpace(code), "-", "")
	if len(digits) != 8 || strings.Trim(digits, "0123456789") != "" {
		return "", errors.New("a setup code has eight digits, such as 123-45-678")
	}
	return digits[:3] + "-" + digits[3:5] + "-" + digits[5:], nil
}
