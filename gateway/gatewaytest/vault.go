package gatewaytest

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// Vault is a gateway.Vault that forgets with the test. It can be told to fail.
type Vault struct {
	mu       sync.Mutex
	values   map[string][]byte
	broken   error // of all methods
	readOnly error // of those that change something
	sets     int
}

// NewVault returns an empty one.
func NewVault() *Vault { return &Vault{values: map[string][]byte{}} }

// Break has every method fail with err from now on; nil mends it.
func (v *Vault) Break(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.broken = err
}

// Seal has every change fail with err from now on; nil mends it.
func (v *Vault) Seal(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.readOnly = err
}

// Put leaves a value there, damaged or strange as it may be.
func (v *Vault) Put(key, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.values[key] = []byte(value)
}

// Sets is how many values were set.
func (v *Vault) Sets() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sets
}

// Get returns a copy of a value.
func (v *Vault) Get(key string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.broken != nil {
		return nil, v.broken
	}
	value, ok := v.values[key]
	if !ok {
		return nil, fmt.Errorf("%s: %w", key, fs.ErrNotExist)
	}
	return slices.Clone(value), nil
}

// Set keeps a copy of a value.
func (v *Vault) Set(key string, value []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := cmp.Or(v.broken, v.readOnly); err != nil {
		return err
	}
	v.sets++
	v.values[key] = slices.Clone(value)
	return nil
}

// Delete forgets a value.
func (v *Vault) Delete(key string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := cmp.Or(v.broken, v.readOnly); err != nil {
		return err
	}
	delete(v.values, key)
	return nil
}

// List returns the keys that begin with the prefix, sorted.
func (v *Vault) List(prefix string) ([]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.broken != nil {
		return nil, v.broken
	}
	var keys []string
	for key := range v.values {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}
