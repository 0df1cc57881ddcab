package store

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// Copy is everything that a state folder holds, apart from any disk: what goes into a backup and comes out
// of one.
type Copy struct{ content map[place]record }

// Value is one stored value as the database has it: with its age, and with a checksum over itself and its
// place, so that it is guarded from the first disk to the last.
type Value struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	Data   []byte `json:"data"`
}

// Copy returns what the store holds now. It costs the disk nothing, for all of it is in memory, and holds up
// no writer.
func (s *Store) Copy() Copy {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Copy{maps.Clone(s.content)}
}

// Values returns every value in its stored form, in order.
func (c Copy) Values() []Value {
	values := make([]Value, 0, len(c.content))
	for at, r := range c.content {
		values = append(values, Value{at.bucket, at.key, r.encode(at)})
	}
	sort.Slice(values, func(i, j int) bool {
		if values[i].Bucket != values[j].Bucket {
			return values[i].Bucket < values[j].Bucket
		}
		return values[i].Key < values[j].Key
	})
	return values
}

// ReadCopy checks every value and gathers them. An error names the first value that is damaged, or that a
// newer program wrote.
func ReadCopy(values []Value) (Copy, error) {
	c := Copy{map[place]record{}}
	for _, v := range values {
		at := place{v.Bucket, v.Key}
		r, err := decodeRecord(at, v.Data)
		if err != nil {
			return Copy{}, err
		}
		if _, twice := c.content[at]; twice || v.Bucket == "" || v.Key == "" || at == sealPlace {
			return Copy{}, fmt.Errorf("%s: %w: it stands there twice, or where no value can be", at, errDamaged)
		}
		c.content[at] = r
	}
	return c, nil
}

// Bounds of a backup. Somebody may have forged one to take the service's memory away: a few bytes unpack to many, and one of an
// empty JSON to the struct that it stands for. A house of 100 rooms and 400 devices with all that it can remember has
// 4 MB of 31 MB weight.
const (
	MaxUnpacked = 16 << 20 // bytes
	MaxWeight   = 64 << 20 // bytes, see [Weight]
)

// Weight is about how many bytes of memory JSON takes at most when it is read: itself, for each member of a list a text, and for
// each object, or null in place of one, the largest of our structs, twice for a [gateway.Table].
func Weight(text []byte) int {
	weight, quoted := len(text), false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ',':
			weight += 32
		case !quoted && (c == '{' || c == 'n'):
			weight += 2000
		}
	}
	return weight
}

// Load returns the lasting part of the State, as [Store.Load] does. One that is larger than any house's is refused.
func (c Copy) Load() (lasting gateway.Lasting, found bool, err error) {
	r, ok := c.content[statePlace]
	if !ok {
		return gateway.Lasting{}, false, nil
	}
	data, err := inflate(r.payload, MaxUnpacked)
	if err == nil && Weight(data) > MaxWeight {
		err = fmt.Errorf("saved state is not readable: %w: it would take more memory than any house needs", errDamaged)
	}
	if err == nil {
		lasting, err = gateway.ReadLasting(data)
	}
	return lasting, true, err
}

// Vault returns the vault of that name within the copy, to be read and changed as a [Vault] is. Not for use
// by two goroutines.
func (c Copy) Vault(name string) CopyVault { return CopyVault{c.content, vaultPrefix + name} }

// CopyVault is a vault in memory.
type CopyVault struct {
	content map[place]record
	bucket  string
}

// Get returns the value of key; of one that is not there the error is an [fs.ErrNotExist].
func (v CopyVault) Get(key string) ([]byte, error) {
	r, ok := v.content[place{v.bucket, key}]
	if !ok {
		return nil, fmt.Errorf("%s/%s: %w", v.bucket, key, fs.ErrNotExist)
	}
	return slices.Clone(r.payload), nil
}

// Set puts value in the place of key, as the newest of all.
func (v CopyVault) Set(key string, value []byte) error {
	newest := uint64(0)
	for _, r := range v.content {
		newest = max(newest, r.generation)
	}
	v.content[place{v.bucket, key}] = record{newest + 1, slices.Clone(value)}
	return nil
}

// Delete takes key out.
func (v CopyVault) Delete(key string) error {
	delete(v.content, place{v.bucket, key})
	return nil
}

// List returns the keys that begin with prefix, in order.
func (v CopyVault) List(prefix string) ([]string, error) {
	return keysOf(v.content, v.bucket, prefix), nil
}

// keysOf lists the keys of a bucket that begin with prefix.
func keysOf(content map[place]record, bucket, prefix string) []string {
	var keys []string
	for at := range content {
		if at.bucket == bucket && strings.HasPrefix(at.key, prefix) {
			keys = append(keys, at.key)
		}
	}
	slices.Sort(keys)
	return keys
}
