package accessory

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/veilleuse/veilleuse/gateway"
)

// house is what there is while the adapter runs: a keeper for each paired accessory server.
type house struct {
	ctx     context.Context
	port    gateway.Port
	options Options
	log     *slog.Logger
	running sync.WaitGroup
	naming  sync.Mutex    // held while a keeper gives ids and names to its devices; before the keepers' locks
	lost    chan struct{} // a token: an accessory lost its session, or is new
	tune    chan struct{} // a token: an accessory on Bluetooth is new
	air     chan struct{} // a token for whom is connected over Bluetooth: one at a time

	mu      sync.Mutex
	ended   bool
	keepers map[string]*keeper // by HomeKit id
	state   gateway.State      // the newest shown
}

func newHouse(ctx context.Context, port gateway.Port, options Options, log *slog.Logger) *house {
	return &house{ctx: ctx, port: port, options: options, log: log,
		lost: make(chan struct{}, 1), tune: make(chan struct{}, 1), air: make(chan struct{}, 1), keepers: map[string]*keeper{}}
}

// serve hands commands to the keepers until the house ends.
func (h *house) serve() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case s := <-h.port.Shown():
			h.show(s)
		case c := <-h.port.Commands():
			select { // what was shown before the command counts
			case s := <-h.port.Shown():
				h.show(s)
			default:
			}
			h.command(c)
		}
	}
}

func (h *house) show(s gateway.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = s
}

// shown is the newest State.
func (h *house) shown() gateway.State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state
}

// begin starts a keeper for the accessory, in place of an older one.
func (h *house) begin(r record) {
	h.stop(r.id())
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return
	}
	ctx, cancel := context.WithCancel(h.ctx)
	k := newKeeper(h, r, cancel)
	h.keepers[r.id()] = k
	h.running.Go(func() {
		defer close(k.ended)
		k.run(ctx)
	})
	if r.Bluetooth == nil {
		h.look()
		return
	}
	select {
	case h.tune <- struct{}{}:
	default: // it is asked already
	}
}

// stop ends the keeper of the accessory, if there is one, and returns it when its session is over.
func (h *house) stop(id string) *keeper {
	h.mu.Lock()
	k := h.keepers[id]
	delete(h.keepers, id)
	h.mu.Unlock()
	if k != nil {
		k.cancel()
		<-k.ended
	}
	return k
}

// end waits until all that the house started has ended.
func (h *house) end() {
	h.mu.Lock()
	h.ended = true
	h.mu.Unlock()
	h.running.Wait()
}

// look asks the finder to look now.
func (h *house) look() {
	select {
	case h.lost <- struct{}{}:
	default: // it is asked already
	}
}

func (h *house) all() []*keeper {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*keeper, 0, len(h.keepers))
	for _, k := range h.keepers {
		all = append(all, k)
	}
	return all
}

func (h *house) keeper(id string) *keeper {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.keepers[id]
}

// taken tells whether an id or name belongs to a device of another accessory server than that one.
func (h *house) taken(by string) func(gateway.DeviceID) bool {
	others := slices.DeleteFunc(h.all(), func(k *keeper) bool { return k.id == by })
	return func(name gateway.DeviceID) bool {
		return slices.ContainsFunc(others, func(k *keeper) bool { return k.goesBy(name) })
	}
}

// command gives a command to the keeper of its device.
func (h *house) command(c gateway.Command) {
	k, device := h.owner(gateway.DeviceID(c.Point.Of))
	if k == nil {
		h.port.Post(gateway.Outcome{ID: c.ID, Point: c.Point, Err: fmt.Sprintf("no paired HomeKit accessory is %s", c.Point.Of)})
		return
	}
	k.ask(order{command: c, device: device})
}

// owner finds whose device that is. The house may call it by a name that another adapter gave it; its table of names
// tells.
func (h *house) owner(of gateway.DeviceID) (*keeper, gateway.DeviceID) {
	state := h.shown()
	for _, k := range h.all() {
		for _, id := range k.owned() {
			if id == of {
				return k, id
			}
			if d, ok := state.Device(id); ok && d.ID == of {
				return k, id
			}
		}
	}
	return nil, ""
}
