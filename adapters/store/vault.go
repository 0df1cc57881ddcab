package store

import (
	"fmt"
	"io/fs"
	"slices"
)

// Vault holds the secrets of one adapter: tokens, pairings, keys.
type Vault struct {
	store  *Store
	bucket string
}

const (
	vaultPrefix  = "vault/"
	maxKeyLength = 512 // bytes
)

// Vault returns the vault of that name, which is the adapter's. It is empty at first.
func (s *Store) Vault(name string) *Vault { return &Vault{s, vaultPrefix + name} }

// Get returns the value of key. Of a key that is not there the error is an [fs.ErrNotExist]; there is
// no other error, because everything was read when the store was opened.
func (v *Vault) Get(key string) ([]byte, error) {
	r, ok := v.store.get(place{v.bucket, key})
	if !ok {
		return nil, fmt.Errorf("%s/%s: %w", v.bucket, key, fs.ErrNotExist)
	}
	return slices.Clone(r.payload), nil
}

// Set stores value for key and returns when it is durable. After an error the old value is still
// what Get returns; which of the two a restart would find is not known. A key has 1 to 512 bytes, a
// value at most 8 MiB.
func (v *Vault) Set(key string, value []byte) error {
	if key == "" || len(key) > maxKeyLength || len(value) > maxPayload {
		return fmt.Errorf("store %s/%.40s: key of %d bytes and value of %d bytes; allowed are 1 to %d and up to %d",
			v.bucket, key, len(key), len(value), maxKeyLength, maxPayload)
	}
	if err := v.store.set(place{v.bucket, key}, value, hourly); err != nil {
		return fmt.Errorf("store %s/%s: %w", v.bucket, key, err)
	}
	return nil
}

// Delete removes key and returns when that is durable. A key that is not there is no error.
func (v *Vault) Delete(key string) error {
	if err := v.store.remove(place{v.bucket, key}); err != nil {
		return fmt.Errorf("delete %s/%s: %w", v.bucket, key, err)
	}
	return nil
}

// List returns the keys that begin with prefix, in order.
func (v *Vault) List(prefix string) ([]string, error) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	return keysOf(v.store.content, v.bucket, prefix), nil
}
