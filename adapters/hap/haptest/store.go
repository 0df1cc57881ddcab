package haptest

import (
	"bytes"
	"strings"
	"sync"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Store is a hap.Store in memory. The zero Store is empty and ready.
type Store struct {
	mu     sync.Mutex
	values map[string][]byte
	fault  error
}

var _ hap.Store = (*Store)(nil)

// Break makes every later call fail with this error; nil mends the store.
func (s *Store) Break(fault error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// Get returns a copy of the value, or hap.ErrNotFound.
func (s *Store) Get(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return nil, s.fault
	}
	value, ok := s.values[key]
	if !ok {
		return nil, hap.ErrNotFound
	}
	return bytes.Clone(value), nil
}

// Set keeps a copy of the value.
func (s *Store) Set(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return s.fault
	}
	if s.values == nil {
		s.values = map[string][]byte{}
	}
	s.values[key] = bytes.Clone(value)
	return nil
}

// Delete forgets the key.
func (s *Store) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return s.fault
	}
	delete(s.values, key)
	return nil
}

// List names the keys with the prefix.
func (s *Store) List(prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return nil, s.fault
	}
	var keys []string
	for key := range s.values {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
