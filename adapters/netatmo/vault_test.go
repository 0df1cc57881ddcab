package netatmo

import (
	"sync"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// memory is a Vault that can be told to fail, or to kill its user, at one operation.
type memory struct {
	*gatewaytest.Vault
	mu     sync.Mutex
	before func(operation, key string) error // may panic, as a power cut would
	after  func(operation, key string)
}

func newMemory() *memory { return &memory{Vault: gatewaytest.NewVault()} }

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
	err := act()
	if after != nil {
		after(operation, key)
	}
	return err
}

func (m *memory) Get(key string) (value []byte, err error) {
	err = m.do("get", key, func() (err error) { value, err = m.Vault.Get(key); return err })
	return value, err
}

func (m *memory) Set(key string, value []byte) error {
	return m.do("set", key, func() error { return m.Vault.Set(key, value) })
}

func (m *memory) Delete(key string) error {
	return m.do("delete", key, func() error { return m.Vault.Delete(key) })
}
