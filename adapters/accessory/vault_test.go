package accessory_test

import (
	"io/fs"
	"strings"
	"sync"
)

// vault is a Vault in memory.
type vault struct {
	mu     sync.Mutex
	values map[string][]byte
	broken error // of every Set
}

func newVault() *vault { return &vault{values: map[string][]byte{}} }

func (v *vault) Get(key string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	value, ok := v.values[key]
	if !ok {
		return nil, &fs.PathError{Op: "get", Path: key, Err: fs.ErrNotExist}
	}
	return append([]byte(nil), value...), nil
}

func (v *vault) Set(key string, value []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.broken != nil {
		return v.broken
	}
	v.values[key] = append([]byte(nil), value...)
	return nil
}

func (v *vault) Delete(key string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.values, key)
	return nil
}

func (v *vault) List(prefix string) ([]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var keys []string
	for key := range v.values {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (v *vault) breakWith(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.broken = err
}

// normal is a HomeKit id as the house writes it.
func normal(id string) string { return strings.ToLower(id) }
