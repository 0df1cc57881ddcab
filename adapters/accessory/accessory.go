// Package accessory keeps the HomeKit accessories that are paired with us: it reads and sets them over the LAN, as the
// Home app would.
//
// meaning.go is the table of what is understood, and understand.go turns an accessory database into devices and
// readings. An accessory server has one keeper (keeper.go), which holds one session with it at a time (visit.go), and
// makes one request at a time: the devices are easily upset (netatmo-facts 1.2). One on Bluetooth LE sleeps: its keeper
// lives on what it advertises (sleeper.go, radio.go) and visits it seldom (nap.go). Pairing is in pairing.go, sharing an
// accessory with other controllers in controllers.go and join.go, what people ask for in the session that there is in
// errand.go, the cadence of looking for addresses in finder.go.
package accessory

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/gateway"
)

// Options say what an Adapter works with. Vault is needed.
type Options struct {
	Vault gateway.Vault
	Known []Known // from the configuration
	// Browse looks for accessories on the LAN once and returns within some seconds. Nil: by mDNS.
	Browse func(ctx context.Context) ([]Announced, error)
	// Radio is the machine's Bluetooth LE; nil: there is none to be used.
	Radio ble.Radio
	// Own gives the HomeKit ids of our own bridges, which are not to be found on the LAN; nil: there are none.
	Own func() []string
	// Dial opens connections to accessories on the LAN. Nil: by TCP.
	Dial hap.Dial
	Log  *slog.Logger // nil: slog.Default()
}

// Adapter keeps the paired accessories while it runs. Discover, Pair, Unpair and Paired also serve without Run.
type Adapter struct {
	options Options
	log     *slog.Logger

	pairing sync.Mutex           // one Pair or Unpair at a time
	rest    map[string]time.Time // accessories that want to be left alone until then; guarded by pairing

	serving atomic.Bool

	mu    sync.Mutex
	house *house // while Run goes on
}

// Serving reports whether the LAN is served: the pairings are read, and every paired accessory is kept. It says
// nothing of whether they answer. It may be called from any goroutine.
func (a *Adapter) Serving() bool { return a.serving.Load() }

// New returns an Adapter; Run, or one of the verbs, begins the work.
func New(options Options) *Adapter {
	if options.Browse == nil {
		options.Browse = sweep
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	return &Adapter{options: options, log: options.Log, rest: map[string]time.Time{}}
}

// Run keeps a session with every paired accessory until ctx ends.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	ctx, cancel := context.WithCancel(ctx)
	defer a.serving.Store(false)
	h := newHouse(ctx, port, a.options, a.log)
	a.publish(h) // before the pairings are read, so that one made meanwhile is not overlooked
	records, err := loadRecords(a.options.Vault, a.log)
	if err == nil {
		for _, r := range records {
			h.begin(r)
		}
		h.running.Go(func() { h.find(ctx) })
		h.running.Go(func() { h.listen(ctx) })
		a.serving.Store(true)
		h.serve()
	}
	a.publish(nil)
	cancel()
	h.end()
	return err
}

func (a *Adapter) publish(h *house) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.house = h
}

func (a *Adapter) current() *house {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.house
}
