package web

import (
	"errors"
	"io/fs"
	"maps"
	"sync"
)

// drawer is a vault in memory.
type drawer struct {
	mu      sync.Mutex
	content map[string][]byte
	broken  error
	sets    int
}

func newDrawer() *drawer { return &drawer{content: map[string][]byte{}} }

func (d *drawer) Get(key string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.content[key]
	if d.broken != nil {
		return nil, d.broken
	}
	if !ok {
		return nil, fs.ErrNotExist
	}
	return v, nil
}

func (d *drawer) Set(key string, value []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken != nil {
		return d.broken
	}
	d.sets++
	d.content = maps.Clone(d.content)
	d.content[key] = value
	return nil
}

func (d *drawer) Delete(key string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.content, key)
	return d.broken
}

var errFull = errors.New("no space left on device")
