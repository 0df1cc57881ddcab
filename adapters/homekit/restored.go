package homekit

import (
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// leap is by how much the configuration number rises when a vault comes back from the past, beside one for each hour
// that has passed: a house seldom changes its accessories that often.
const leap = 1000

// Restored makes a vault fit to serve after it was brought back from the past, so long ago. The identity, the pairings
// and the ids of the accessories stay as they are, so that the Home app goes on; the configuration number must not go
// back, and rises above any that was announced since. present is the vault that this one takes the place of; nil or of
// another bridge: it does not count.
func Restored(v, present gateway.Vault, ago time.Duration) error {
	restored := New(Options{Vault: v})
	numbers, err := restored.numbers()
	if err != nil {
		return err
	}
	for _, number := range numbers {
		least, store := 0, restored.store(number)
		if present != nil {
			if least, err = numberOfSame(store, New(Options{Vault: present}).store(number)); err != nil {
				return fmt.Errorf("HomeKit: %w", err)
			}
		}
		if err := hap.RaiseConfiguration(store, least, leap+max(0, int(ago.Hours()))); err != nil {
			return fmt.Errorf("HomeKit: %w", err)
		}
	}
	return nil
}

// numberOfSame is the configuration number of b if it holds the same bridge as a, else 0.
func numberOfSame(a, b hap.Store) (int, error) {
	one, errA := a.Get("identity")
	two, errB := b.Get("identity")
	if errA != nil || errB != nil || string(one) != string(two) {
		return 0, nil
	}
	return hap.ConfigurationNumber(b)
}
