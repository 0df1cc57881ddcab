package hap

import "errors"

// ErrNotFound is what a Store answers for a key that it does not hold. Every
// other error means that the store could not be read.
var ErrNotFound = errors.New("not found")

// Store keeps what an accessory server must not lose: its identity, the
// pairings, the count of wrong setup codes, the configuration number and the
// table of ids. It belongs to one server alone, and its values are secrets.
//
// The server takes a failing store at its word: it refuses to start, or
// refuses the pairing, and never takes "could not read" for "not there",
// because a new identity would unpair the home.
type Store interface {
	// Get answers ErrNotFound, wrapped or bare, for a key never set.
	Get(key string) ([]byte, error)
	// Set has made the value durable when it returns nil.
	Set(key string, value []byte) error
	// Delete of a key that is not there is no error.
	Delete(key string) error
	// List names the keys with the prefix, in any order.
	List(prefix string) ([]string, error)
}
