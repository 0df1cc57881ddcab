package hap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
)

const idPrefix = "id/"

// IDs hands out accessory and instance ids that stay the same for ever: the
// Home app keeps room, name and automations by them (HAP R2 2.6.1). An id
// once handed out is never given to anything else. Safe for concurrent use.
type IDs struct {
	store Store

	mu      sync.Mutex
	byKey   map[string]*AccessoryIDs
	nextAID uint64
	unsaved map[*AccessoryIDs]bool
}

// AccessoryIDs are the ids of one accessory.
type AccessoryIDs struct {
	ids *IDs
	aid uint64
	// stored is what the Store holds of it.
	stored storedIDs
}

// storedIDs lists iids by service, or by service and characteristic with a
// blank between them.
type storedIDs struct {
	Key  string            `json:"key"`
	Next uint64            `json:"next"`
	IIDs map[string]uint64 `json:"iids"`
	// Note is the caller's own about the accessory.
	Note json.RawMessage `json:"note,omitempty"`
}

// check finds tables from which an id would be given away twice.
func (s storedIDs) check() error {
	if s.IIDs == nil || s.Next <= informationIID {
		return errors.New("the table is damaged: restore a backup")
	}
	for name, iid := range s.IIDs {
		if iid >= s.Next {
			return fmt.Errorf("the table is damaged: %s has %d and the next is %d: restore a backup", name, iid, s.Next)
		}
	}
	return nil
}

// LoadIDs reads the table of ids; an empty store gives an empty table.
func LoadIDs(store Store) (*IDs, error) {
	ids := &IDs{store: store, byKey: map[string]*AccessoryIDs{}, nextAID: BridgeAID + 1, unsaved: map[*AccessoryIDs]bool{}}
	keys, err := store.List(idPrefix)
	if err != nil {
		return nil, fmt.Errorf("list accessory ids: %w", err)
	}
	for _, key := range keys {
		if err := ids.load(key); err != nil {
			return nil, fmt.Errorf("read accessory ids %s: %w", key, err)
		}
	}
	return ids, nil
}

func (ids *IDs) load(key string) error {
	aid, err := strconv.ParseUint(key[len(idPrefix):], 10, 64)
	if err != nil {
		return err
	}
	blob, err := ids.store.Get(key)
	if err != nil {
		return err
	}
	accessory := &AccessoryIDs{ids: ids, aid: aid}
	if err := json.Unmarshal(blob, &accessory.stored); err != nil {
		return err
	}
	if err := accessory.stored.check(); err != nil {
		return err
	}
	if other := ids.byKey[accessory.stored.Key]; other != nil {
		return fmt.Errorf("accessory %q has the ids %d and %d", accessory.stored.Key, other.aid, aid)
	}
	ids.byKey[accessory.stored.Key] = accessory
	ids.nextAID = max(ids.nextAID, aid+1)
	return nil
}

// Accessory finds the ids of the accessory with this key, which is best its
// hardware id, or starts them. The empty key is the bridge itself.
func (ids *IDs) Accessory(key string) *AccessoryIDs {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if accessory := ids.byKey[key]; accessory != nil {
		return accessory
	}
	accessory := &AccessoryIDs{ids: ids, aid: BridgeAID}
	if key != "" {
		accessory.aid = ids.nextAID
		ids.nextAID++
	}
	accessory.stored = storedIDs{Key: key, Next: informationIID + 1, IIDs: map[string]uint64{}}
	ids.byKey[key] = accessory
	ids.unsaved[accessory] = true
	return accessory
}

// Keys names every accessory that ids were ever handed out to, the bridge
// itself as the empty key, in any order.
func (ids *IDs) Keys() []string {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	return slices.Collect(maps.Keys(ids.byKey))
}

// Knows tells whether ids were ever handed out to the accessory with this key.
func (ids *IDs) Knows(key string) bool {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	return ids.byKey[key] != nil
}

// Len is to how many accessories ids were ever handed out.
func (ids *IDs) Len() int {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	return len(ids.byKey)
}

// Save makes the ids handed out since the last Save durable. It comes before
// publishing them, so that a crash cannot hand them to something else, and
// costs nothing when there are none.
func (ids *IDs) Save() error {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	for accessory := range ids.unsaved {
		blob, err := json.Marshal(accessory.stored)
		if err != nil {
			return fmt.Errorf("save ids of accessory %q: %w", accessory.stored.Key, err)
		}
		if err := ids.store.Set(idPrefix+strconv.FormatUint(accessory.aid, 10), blob); err != nil {
			return fmt.Errorf("save ids of accessory %q: %w", accessory.stored.Key, err)
		}
		delete(ids.unsaved, accessory)
	}
	return nil
}

// AID is the accessory id: 1 for the bridge, others from 2.
func (a *AccessoryIDs) AID() uint64 { return a.aid }

// Note is what SetNote was last given, nil for nothing.
func (a *AccessoryIDs) Note() json.RawMessage {
	a.ids.mu.Lock()
	defer a.ids.mu.Unlock()
	return a.stored.Note
}

// SetNote keeps a note of the caller's beside the ids, as JSON; the next Save
// makes it durable. Nil takes it away.
func (a *AccessoryIDs) SetNote(note json.RawMessage) {
	a.ids.mu.Lock()
	defer a.ids.mu.Unlock()
	if !bytes.Equal(a.stored.Note, note) {
		a.stored.Note = note
		a.ids.unsaved[a] = true
	}
}

// IID is the instance id of a characteristic in a service, or of the service
// itself for an empty characteristic. The names are the caller's, say the
// types, with a suffix where an accessory has two alike. The service named
// ServiceAccessoryInformation gets 1, as HAP R2 2.6.1.2 demands.
func (a *AccessoryIDs) IID(service, characteristic string) uint64 {
	if service == string(ServiceAccessoryInformation) && characteristic == "" {
		return informationIID
	}
	name := service
	if characteristic != "" {
		name += " " + characteristic
	}
	a.ids.mu.Lock()
	defer a.ids.mu.Unlock()
	if iid, known := a.stored.IIDs[name]; known {
		return iid
	}
	iid := a.stored.Next
	a.stored.Next++
	a.stored.IIDs[name] = iid
	a.ids.unsaved[a] = true
	return iid
}
