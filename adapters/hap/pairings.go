package hap

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"
)

// PairedController is one controller that an accessory is paired with.
type PairedController struct {
	ID    string
	Key   ed25519.PublicKey // nil in a list that gives none, or one of another length than 32 bytes
	Admin bool              // may add and remove pairings
}

// Pairings lists the controllers that the accessory is paired with. Only an admin may.
func (s *Session) Pairings(ctx context.Context) ([]PairedController, error) {
	return PairingsOver(ctx, s.exchangePairings)
}

// AddPairing makes the accessory know another controller, or changes whether one that it knows is an admin. Only an
// admin may.
func (s *Session) AddPairing(ctx context.Context, controller PairedController) error {
	return AddPairingOver(ctx, s.exchangePairings, controller)
}

// RemovePairing makes the accessory forget a controller. Removing our own ends the session, and removing the last admin
// makes the accessory forget all and ready to be paired anew. Only an admin may.
func (s *Session) RemovePairing(ctx context.Context, id string) error {
	return RemovePairingOver(ctx, s.exchangePairings, id)
}

func (s *Session) exchangePairings(ctx context.Context, message TLV) (TLV, error) {
	answer, err := s.request(ctx, http.MethodPost, "/pairings", contentPairing, message.Encode())
	if err != nil {
		return nil, err
	}
	return pairingAnswer("/pairings", answer)
}

// PairingsOver is [Session.Pairings] over the transport of a verified session.
func PairingsOver(ctx context.Context, exchange Exchange) ([]PairedController, error) {
	answer, err := ask(ctx, exchange, tlvOf(1, Item{TagMethod, []byte{methodListPairings}}))
	if err != nil {
		return nil, fmt.Errorf("list pairings: %w", err)
	}
	var all []PairedController
	for _, entry := range answer.Split() {
		id, key := entry.Get(TagIdentifier), entry.Get(TagPublicKey)
		if id == nil {
			continue
		}
		if len(key) != ed25519.PublicKeySize {
			key = nil // whose it is counts, and that it is there
		}
		permissions, _ := entry.Number(TagPermissions)
		all = append(all, PairedController{string(id), key, permissions&permissionAdmin != 0})
	}
	return all, nil
}

// AddPairingOver is [Session.AddPairing] over the transport of a verified session.
func AddPairingOver(ctx context.Context, exchange Exchange, controller PairedController) error {
	permissions := byte(permissionUser)
	if controller.Admin {
		permissions = permissionAdmin
	}
	_, err := ask(ctx, exchange, tlvOf(1, Item{TagMethod, []byte{methodAddPairing}},
		Item{TagIdentifier, []byte(controller.ID)}, Item{TagPublicKey, controller.Key},
		Item{TagPermissions, []byte{permissions}}))
	if err != nil {
		return fmt.Errorf("add pairing: %w", err)
	}
	return nil
}

// RemovePairingOver is [Session.RemovePairing] over the transport of a verified session.
func RemovePairingOver(ctx context.Context, exchange Exchange, id string) error {
	_, err := ask(ctx, exchange, tlvOf(1, Item{TagMethod, []byte{methodRemovePairing}}, Item{TagIdentifier, []byte(id)}))
	if err != nil {
		return fmt.Errorf("remove pairing: %w", err)
	}
	return nil
}
