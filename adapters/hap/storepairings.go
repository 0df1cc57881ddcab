package hap

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
)

const (
	pairingPrefix = "pairing/"
	// pairingsMax is twice what HAP R2 5.10 demands.
	pairingsMax = 32
	// controllerIDMax bounds what a controller may call itself; Apple's are UUIDs of 36 characters.
	controllerIDMax = 64
)

var (
	errMaxPeers     = errors.New("there is no room for another pairing")
	errKeyDiffers   = errors.New("the controller is paired with another key")
	errControllerID = fmt.Errorf("the controller's id has not 1 to %d bytes", controllerIDMax)
)

// controllerPairing is one controller that may open sessions. Its id, which may be any bytes, is in the key of the Store.
type controllerPairing struct {
	ID    string            `json:"-"`
	Key   ed25519.PublicKey `json:"key"`
	Admin bool              `json:"admin"`
}

// pairingTable is the pairings in memory, each stored before it counts. Its caller serialises the calls.
type pairingTable struct {
	store Store
	byID  map[string]controllerPairing
}

func loadPairings(store Store) (*pairingTable, error) {
	keys, err := store.List(pairingPrefix)
	if err != nil {
		return nil, fmt.Errorf("list HomeKit pairings: %w", err)
	}
	table := &pairingTable{store: store, byID: map[string]controllerPairing{}}
	for _, key := range keys {
		pairing, err := loadPairing(store, key)
		if err != nil {
			return nil, fmt.Errorf("read HomeKit %s: %w", key, err)
		}
		table.byID[pairing.ID] = pairing
	}
	return table, nil
}

// PairedWith lists the controllers that are paired with the server of a store, by id, without those whose record is damaged.
func PairedWith(store Store) ([]PairedController, error) {
	keys, err := store.List(pairingPrefix)
	if err != nil {
		return nil, fmt.Errorf("list HomeKit pairings: %w", err)
	}
	var all []PairedController
	for _, key := range keys {
		if pairing, err := loadPairing(store, key); err == nil {
			all = append(all, PairedController(pairing))
		}
	}
	sort.Slice(all, func(i, k int) bool { return all[i].ID < all[k].ID })
	return all, nil
}

func loadPairing(store Store, key string) (controllerPairing, error) {
	id, err := hex.DecodeString(strings.TrimPrefix(key, pairingPrefix))
	if err != nil {
		return controllerPairing{}, err
	}
	blob, err := store.Get(key)
	if err != nil {
		return controllerPairing{}, err
	}
	pairing := controllerPairing{ID: string(id)}
	if err := json.Unmarshal(blob, &pairing); err != nil {
		return controllerPairing{}, err
	}
	if len(pairing.Key) != ed25519.PublicKeySize {
		return controllerPairing{}, errors.New("it is damaged: restore a backup, or delete it and pair anew")
	}
	return pairing, nil
}

func pairingKey(id string) string { return pairingPrefix + hex.EncodeToString([]byte(id)) }

// add stores a pairing, or new permissions for one that is there.
func (t *pairingTable) add(pairing controllerPairing) error {
	if pairing.ID == "" || len(pairing.ID) > controllerIDMax {
		return errControllerID
	}
	if len(pairing.Key) != ed25519.PublicKeySize {
		return fmt.Errorf("the controller's key has %d bytes instead of %d", len(pairing.Key), ed25519.PublicKeySize)
	}
	old, known := t.byID[pairing.ID]
	if known && !bytes.Equal(old.Key, pairing.Key) {
		return errKeyDiffers
	}
	if !known && len(t.byID) >= pairingsMax {
		return errMaxPeers
	}
	blob, err := json.Marshal(pairing)
	if err != nil {
		return fmt.Errorf("store pairing: %w", err)
	}
	if err := t.store.Set(pairingKey(pairing.ID), blob); err != nil {
		return fmt.Errorf("store pairing: %w", err)
	}
	t.byID[pairing.ID] = pairing
	return nil
}

// remove deletes a pairing, and with the last admin all of them (HAP R2 5.11). It returns the ids that are gone, also
// where the store failed half-way.
func (t *pairingTable) remove(id string) (gone []string, err error) {
	if _, known := t.byID[id]; !known {
		return nil, nil
	}
	leaving := []string{}
	for _, pairing := range t.sorted() {
		if pairing.ID != id && !t.hasAdminBeside(id) {
			leaving = append(leaving, pairing.ID)
		}
	}
	// The admin goes last: if the store fails before that, somebody is left who can try again.
	for _, id := range append(leaving, id) {
		if err := t.store.Delete(pairingKey(id)); err != nil {
			return gone, fmt.Errorf("delete pairing: %w", err)
		}
		delete(t.byID, id)
		gone = append(gone, id)
	}
	return gone, nil
}

func (t *pairingTable) hasAdminBeside(id string) bool {
	for _, pairing := range t.byID {
		if pairing.ID != id && pairing.Admin {
			return true
		}
	}
	return false
}

// sorted lists the pairings in an order that stays the same.
func (t *pairingTable) sorted() []controllerPairing {
	var all []controllerPairing
	for _, pairing := range t.byID {
		all = append(all, pairing)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all
}
