package hap

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	triesKey = "tries"
	// triesMax wrong setup codes end pairing until there is another code (HAP R2 5.6.2).
	triesMax = 100
	// setupTimeout is how long a pair-setup that does not go on keeps others out.
	setupTimeout = 60 * time.Second
)

// wrongTries counts the wrong tries of one setup code; they outlive a restart.
type wrongTries struct {
	Code  SetupCode `json:"code"`
	Count int       `json:"count"`
}

// pairer knows who is paired and lets one dialogue at a time try. Its lock is held while the store writes, so nothing
// that must be quick waits for it.
type pairer struct {
	identity ServerIdentity
	store    Store

	mu    sync.Mutex
	table *pairingTable
	tries wrongTries
	owner *Dialogue // of the pair-setup that goes on
	since time.Time // of the owner's last step
}

func newPairer(identity ServerIdentity, store Store) (*pairer, error) {
	table, err := loadPairings(store)
	if err != nil {
		return nil, err
	}
	p := &pairer{identity: identity, store: store, table: table}
	blob, err := store.Get(triesKey)
	if err == nil {
		err = json.Unmarshal(blob, &p.tries)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("read count of wrong HomeKit setup codes: %w", err)
	}
	if p.tries.Code != identity.SetupCode {
		p.tries = wrongTries{Code: identity.SetupCode}
	}
	return p, nil
}

func (p *pairer) paired() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.table.byID) > 0
}

// begin makes the dialogue the one that may try, or answers the code of HAP R2 table 5-5 that says why not.
func (p *pairer) begin(d *Dialogue) (refusal byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.table.byID) > 0:
		return ErrorUnavailable
	case p.tries.Count >= triesMax:
		return ErrorMaxTries
	case p.owner != nil && p.owner != d && time.Since(p.since) < setupTimeout:
		return ErrorBusy
	}
	p.owner, p.since = d, time.Now()
	return 0
}

// goOn tells whether the dialogue is still the one that may try.
func (p *pairer) goOn(d *Dialogue) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owner != d {
		return false
	}
	p.since = time.Now()
	return true
}

// release lets others try.
func (p *pairer) release(d *Dialogue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.owner == d {
		p.owner = nil
	}
}

// countTry stores a wrong try before it is known to be one: switching us off in time must not give tries for nothing.
func (p *pairer) countTry() (count int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.tries
	next.Count++
	blob, err := json.Marshal(next)
	if err == nil {
		err = p.store.Set(triesKey, blob)
	}
	if err != nil {
		return 0, fmt.Errorf("count try of a setup code: %w", err)
	}
	p.tries = next
	return next.Count, nil
}

// forgiveTries forgets the wrong tries after a right one.
func (p *pairer) forgiveTries() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.store.Delete(triesKey); err != nil {
		return fmt.Errorf("forget wrong setup codes: %w", err)
	}
	p.tries.Count = 0
	return nil
}

// addFirst stores the pairing of the controller that knew the code.
func (p *pairer) addFirst(pairing controllerPairing) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.table.byID) > 0 {
		return errMaxPeers
	}
	return p.table.add(pairing)
}

func (p *pairer) add(pairing controllerPairing) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.add(pairing)
}

func (p *pairer) remove(id string) (gone []string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.remove(id)
}

func (p *pairer) removeAll() (gone []string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pairing := range p.table.sorted() {
		more, err := p.table.remove(pairing.ID)
		gone = append(gone, more...)
		if err != nil {
			return gone, err
		}
	}
	return gone, nil
}

func (p *pairer) list() []controllerPairing {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.sorted()
}

func (p *pairer) find(id string) (controllerPairing, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pairing, known := p.table.byID[id]
	return pairing, known
}

// enter calls note if the controller is paired, while nobody can remove it.
func (p *pairer) enter(id string, note func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.table.byID[id]; !known {
		return false
	}
	note()
	return true
}
