package accessory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sort"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/gateway"
)

// Keys in the vault.
const (
	controllerKey = "controller"
	pairingPrefix = "pairing/"  // + HomeKit id
	beforePrefix  = "previous/" // + HomeKit id: the pairing before this one
)

// recordVersion is the form of a record; a newer one is not touched.
const recordVersion = 1

// errDamaged says that a stored pairing is of no use.
var errDamaged = errors.New("it is damaged: pair it anew or restore a backup")

// record is what is kept of a paired accessory server.
type record struct {
	Version  int                         `json:"version"`
	Pairing  hap.Pairing                 `json:"pairing"`
	Name     string                      `json:"name,omitempty"`
	Model    string                      `json:"model,omitempty"`
	Room     string                      `json:"room,omitempty"`
	Features byte                        `json:"features,omitempty"`
	Paired   time.Time                   `json:"paired"`
	Devices  map[uint64]gateway.DeviceID `json:"devices,omitempty"` // by aid; an id once given stays
	// Bluetooth is what is kept of an accessory on Bluetooth LE; nil: it is on the LAN.
	Bluetooth *bluetooth `json:"bluetooth,omitempty"`
}

// bluetooth is what spares an accessory on Bluetooth LE to be asked again.
type bluetooth struct {
	Layout ble.Layout `json:"layout"`
	Key    hap.Key    `json:"key"` // of its notifications; zero: none was made
}

func (r record) id() string { return normalID(r.Pairing.AccessoryID) }

// title is how the accessory server is called towards people.
func (r record) title() string {
	if r.Name != "" {
		return r.Name
	}
	return r.id()
}

func (r record) save(vault gateway.Vault) error {
	r.Version = recordVersion
	raw, err := json.Marshal(r)
	if err == nil {
		err = vault.Set(pairingPrefix+r.id(), raw)
	}
	if err != nil {
		return fmt.Errorf("save the pairing with %s: %w", r.title(), err)
	}
	return nil
}

// keepPrevious keeps what is stored of an accessory as backup, before it is replaced or deleted.
func keepPrevious(vault gateway.Vault, id string) error {
	raw, err := vault.Get(pairingPrefix + id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = vault.Set(beforePrefix+id, raw)
	}
	if err != nil {
		return fmt.Errorf("back up the pairing with %s: %w", id, err)
	}
	return nil
}

func loadRecord(vault gateway.Vault, id string) (record, error) {
	var r record
	raw, err := vault.Get(pairingPrefix + id)
	if err != nil {
		return r, fmt.Errorf("read the pairing with %s: %w", id, err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("read the pairing with %s: %w: %w", id, errDamaged, err)
	}
	switch {
	case r.Version > recordVersion:
		return r, fmt.Errorf("the pairing with %s was written by a newer version of this program", id)
	case r.id() != id || len(r.Pairing.Controller.Key) == 0:
		return r, fmt.Errorf("read the pairing with %s: %w", id, errDamaged)
	}
	return r, nil
}

// loadRecords reads all pairings, in the order in which they were made. A damaged one is left out with a word in the
// log: it must not keep the others from working.
func loadRecords(vault gateway.Vault, log *slog.Logger) ([]record, error) {
	keys, err := vault.List(pairingPrefix)
	if err != nil {
		return nil, fmt.Errorf("list the pairings: %w", err)
	}
	var records []record
	for _, key := range keys {
		r, err := loadRecord(vault, strings.TrimPrefix(key, pairingPrefix))
		if err != nil {
			log.Error("accessory: a pairing cannot be used", "err", err)
			continue
		}
		records = append(records, r)
	}
	sort.Slice(records, func(i, j int) bool {
		if a, b := records[i].Paired, records[j].Paired; !a.Equal(b) {
			return a.Before(b)
		}
		return records[i].id() < records[j].id()
	})
	return records, nil
}

// identity returns our identity as a controller. It is drawn once; a vault that cannot be read never leads to another.
func identity(vault gateway.Vault) (hap.Identity, error) {
	var i hap.Identity
	raw, err := vault.Get(controllerKey)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return newIdentity(vault)
	case err != nil:
		return i, fmt.Errorf("read our HomeKit identity: %w", err)
	}
	if err := json.Unmarshal(raw, &i); err != nil || i.ID == "" || len(i.Key) == 0 {
		return i, errors.Join(errors.New("our HomeKit identity in the store is damaged: restore a backup"), err)
	}
	return i, nil
}

func newIdentity(vault gateway.Vault) (hap.Identity, error) {
	i, err := hap.NewIdentity()
	if err != nil {
		return i, fmt.Errorf("draw our HomeKit identity: %w", err)
	}
	raw, err := json.Marshal(i)
	if err == nil {
		err = vault.Set(controllerKey, raw)
	}
	if err != nil {
		return i, fmt.Errorf("save our HomeKit identity: %w", err)
	}
	return i, nil
}
