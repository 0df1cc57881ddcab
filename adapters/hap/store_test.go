package hap

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

var errDisk = errors.New("input/output error")

// memoryStore is a Store that forgets at the end of the test, and fails when told to.
type memoryStore struct {
	mu     sync.Mutex
	values map[string][]byte
	fail   func(operation, key string) bool
	writes int
}

func newMemoryStore() *memoryStore { return &memoryStore{values: map[string][]byte{}} }

func (s *memoryStore) failing(operation, key string) error {
	if s.fail != nil && s.fail(operation, key) {
		return errDisk
	}
	return nil
}

func (s *memoryStore) Get(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("get", key); err != nil {
		return nil, err
	}
	value, known := s.values[key]
	if !known {
		return nil, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	return bytes.Clone(value), nil
}

func (s *memoryStore) Set(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("set", key); err != nil {
		return err
	}
	s.values[key] = bytes.Clone(value)
	s.writes++
	return nil
}

func (s *memoryStore) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("delete", key); err != nil {
		return err
	}
	delete(s.values, key)
	return nil
}

func (s *memoryStore) List(prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failing("list", prefix); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Collect(maps.Keys(s.values)), func(key string) bool {
		return !strings.HasPrefix(key, prefix)
	}), nil
}

func (s *memoryStore) failOn(operation, prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = func(o, key string) bool { return o == operation && strings.HasPrefix(key, prefix) }
}

func (s *memoryStore) work() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = nil
}
