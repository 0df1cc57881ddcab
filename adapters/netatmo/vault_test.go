package netatmo

import (
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// memory is a Vault that can be told to fail or to kill its user.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	before func(operation, key string) error // may panic, as a power cut would
	after  func(operation, key string)
}

func newMemory() *memory { return &memory{values: make(map[string][]byte)} }

// hook sets what happens before and after each operation; nil: nothing.
func (m *memory) hook(before func(operation, key string) error, after func(operation, key string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before, m.after = before, after
}

func (m *memory) do(operation, key string, act func() error) error {
	m.mu.Lock()
	before, after := m.before, m.after
	m.mu.Unlock()
	if before != nil {
		if err := before(operation, key); err != nil {
			return err
		}
	}
	m.mu.Lock()
	err := act()
	m.mu.Unlock()
	if after != nil {
		after(operation, key)
	}
	return err
}

func (m *memory) Get(key string) (value []byte, err error) {
	err = m.do("get", key, func() error {
		v, ok := m.values[key]
		if !ok {
			return fs.ErrNotExist
		}
		value = slices.Clone(v)
		return nil
	})
	return value, err
}

func (m *memory) Set(key string, value []byte) error {
	return m.do("set", key, func() error { m.values[key] = slices.Clone(value); return nil })
}

func (m *memory) Delete(key string) error {
	return m.do("delete", key, func() error { delete(m.values, key); return nil })
}

func (m *memory) List(prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for k := range m.values {
		if strings.HasPrefix(k, prefix) {
			all = append(all, k)
		}
	}
	return all, nil
}
