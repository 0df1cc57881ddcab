package gateway

// Vault is where an adapter keeps what must outlive a restart and must not be lost: tokens, keys, pairings, learnt sounds.
// Each adapter has one of its own, and values are secrets to all others. The store's vaults are durable.
type Vault interface {
	// Get returns a value; an error that is fs.ErrNotExist says that there is none.
	Get(key string) ([]byte, error)
	// Set has made the value durable when it returns nil.
	Set(key string, value []byte) error
	// Delete forgets a value; one that is not there is no error.
	Delete(key string) error
	// List returns the keys that begin with the prefix.
	List(prefix string) ([]string, error)
}
