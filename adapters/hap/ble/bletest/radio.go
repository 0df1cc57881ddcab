package bletest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/veilleuse/veilleuse/adapters/hap/ble"
)

// Radio is the Bluetooth LE of a machine that has these accessories around it.
type Radio struct {
	mu          sync.Mutex
	accessories []*Accessory
	broken      error
	stop        chan struct{} // closed when the radio breaks
}

// NewRadio returns a radio that works.
func NewRadio(accessories ...*Accessory) *Radio {
	return &Radio{accessories: accessories, stop: make(chan struct{})}
}

// Break unplugs the radio: whoever listens gets the error, and so does whoever tries later. nil mends it.
func (r *Radio) Break(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && r.broken == nil {
		close(r.stop)
	}
	if err == nil && r.broken != nil {
		r.stop = make(chan struct{})
	}
	r.broken = err
}

func (r *Radio) state() ([]*Accessory, <-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accessories, r.stop, r.broken
}

// Listen passes on what the accessories send. Each advertises once at the beginning.
func (r *Radio) Listen(ctx context.Context, heard func(ble.Sighting)) error {
	all, stop, err := r.state()
	if err != nil {
		return err
	}
	var one sync.Mutex
	for _, a := range all {
		defer a.listen(func(s ble.Sighting) {
			one.Lock()
			defer one.Unlock()
			heard(s)
		})()
		a.Advertise()
	}
	select {
	case <-ctx.Done():
		return nil
	case <-stop:
		_, _, err := r.state()
		return err
	}
}

func (a *Accessory) listen(heard func(ble.Sighting)) (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := a.nextListener
	a.nextListener++
	a.listeners[id] = heard
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.listeners, id)
	}
}

// errAborted is what BlueZ says when a device does not wake up in time.
var errAborted = errors.New("le-connection-abort-by-local")

// Connect connects to the accessory at that address.
func (r *Radio) Connect(ctx context.Context, address string) (ble.Peripheral, error) {
	all, _, err := r.state()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.address() == address {
			return a.Connect(ctx)
		}
	}
	return nil, fmt.Errorf("nothing at %s", address)
}

// Connect connects to the accessory.
func (a *Accessory) Connect(ctx context.Context) (ble.Peripheral, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.connects++
	if a.faults.Refuse > 0 {
		a.faults.Refuse--
		return nil, errAborted
	}
	if a.link != nil {
		return nil, errors.New("somebody else is connected to it")
	}
	a.link = newLink(a)
	a.moved = false
	return a.link, nil
}
