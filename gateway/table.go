package gateway

import (
	"cmp"
	"encoding/json"
	"iter"
	"strings"
)

// Table is a map that is never changed in place: With and Without return a new one that shares all
// but a handful of entries with the old. So a State can be shown to many readers while the next one
// is made, and the cost of a change does not grow with the house.
//
// It is a treap whose priorities are hashes of the keys: its shape depends on the keys alone, which
// lets Changes skip everything that two tables share. The zero Table is empty.
type Table[K ~string, V any] struct {
	root *entry[K, V]
	size int
}

type entry[K ~string, V any] struct {
	key         K
	value       *V // shared by all copies of the entry, so that Changes can tell a new value
	rank        uint32
	left, right *entry[K, V]
}

// Len returns the number of entries.
func (t Table[K, V]) Len() int { return t.size }

// Get returns the value for key, or the zero value and false.
func (t Table[K, V]) Get(key K) (V, bool) {
	for e := t.root; e != nil; {
		switch c := cmp.Compare(key, e.key); {
		case c == 0:
			return *e.value, true
		case c < 0:
			e = e.left
		default:
			e = e.right
		}
	}
	var none V
	return none, false
}

// With returns the table with value for key.
func (t Table[K, V]) With(key K, value V) Table[K, V] {
	root, added := with(t.root, entry[K, V]{key: key, value: &value, rank: rankOf(string(key))})
	if added {
		return Table[K, V]{root, t.size + 1}
	}
	return Table[K, V]{root, t.size}
}

// Without returns the table without key.
func (t Table[K, V]) Without(key K) Table[K, V] {
	if _, ok := t.Get(key); !ok {
		return t
	}
	return Table[K, V]{without(t.root, key), t.size - 1}
}

// All yields every entry in the order of the keys.
func (t Table[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { walk(t.root, yield) }
}

// Changes yields the keys whose entries were added, replaced or removed since old, in no order that
// may be relied on. Its cost grows with what changed, not with the tables. A value that was replaced
// by an equal one is yielded too.
func (t Table[K, V]) Changes(old Table[K, V]) iter.Seq[K] {
	return func(yield func(K) bool) { changes(old.root, t.root, yield) }
}

// MarshalJSON writes an object in the order of the keys.
func (t Table[K, V]) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for k, v := range t.All() {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(string(k))
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Table[K, V]) UnmarshalJSON(data []byte) error {
	var m map[K]V
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*t = Table[K, V]{}
	for k, v := range m {
		*t = t.With(k, v)
	}
	return nil
}

// rankOf is FNV-1a with a last mix: good enough to keep the tree flat, and the same on every run.
func rankOf(key string) uint32 {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	h ^= h >> 15
	h *= 0x2c1b3c6d
	return h ^ h>>12
}

// above reports whether a stands nearer to the root than b. Equal ranks are settled by the key, so
// that the shape stays a function of the keys.
func above[K ~string, V any](a, b *entry[K, V]) bool {
	return a.rank > b.rank || a.rank == b.rank && a.key < b.key
}

func with[K ~string, V any](e *entry[K, V], n entry[K, V]) (*entry[K, V], bool) {
	if e == nil {
		return &n, true
	}
	if e.key == n.key {
		n.left, n.right = e.left, e.right
		return &n, false
	}
	if above(&n, e) {
		n.left, n.right = split(e, n.key)
		return &n, true
	}
	c := *e
	var added bool
	if n.key < e.key {
		c.left, added = with(e.left, n)
	} else {
		c.right, added = with(e.right, n)
	}
	return &c, added
}

// split divides e into the entries before and after key, which is not in it.
func split[K ~string, V any](e *entry[K, V], key K) (before, after *entry[K, V]) {
	if e == nil {
		return nil, nil
	}
	c := *e
	if e.key < key {
		c.right, after = split(e.right, key)
		return &c, after
	}
	before, c.left = split(e.left, key)
	return before, &c
}

func without[K ~string, V any](e *entry[K, V], key K) *entry[K, V] {
	if e.key == key {
		return merge(e.left, e.right)
	}
	c := *e
	if key < e.key {
		c.left = without(e.left, key)
	} else {
		c.right = without(e.right, key)
	}
	return &c
}

// merge joins two trees, all keys of a before all keys of b.
func merge[K ~string, V any](a, b *entry[K, V]) *entry[K, V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case above(a, b):
		c := *a
		c.right = merge(a.right, b)
		return &c
	}
	c := *b
	c.left = merge(a, b.left)
	return &c
}

func walk[K ~string, V any](e *entry[K, V], yield func(K, V) bool) bool {
	return e == nil || walk(e.left, yield) && yield(e.key, *e.value) && walk(e.right, yield)
}

func changes[K ~string, V any](old, now *entry[K, V], yield func(K) bool) bool {
	switch {
	case old == now:
		return true
	case old == nil:
		return walk(now, func(k K, _ V) bool { return yield(k) })
	case now == nil:
		return walk(old, func(k K, _ V) bool { return yield(k) })
	case old.key == now.key:
		if old.value != now.value && !yield(now.key) {
			return false
		}
		return changes(old.left, now.left, yield) && changes(old.right, now.right, yield)
	case above(old, now): // old's root is gone
		before, after := split(now, old.key)
		return yield(old.key) && changes(old.left, before, yield) && changes(old.right, after, yield)
	}
	before, after := split(old, now.key) // now's root is new
	return yield(now.key) && changes(before, now.left, yield) && changes(after, now.right, yield)
}
