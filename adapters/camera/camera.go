// Package camera wraps the HTTP interface that Netatmo cameras have on the LAN.
//
// It needs no cloud but for one thing: the secret key in every address, which the cloud names. Learn
// takes it, the vault keeps it. The interface has no events, so that it gives pictures, still and live,
// monitoring and the floodlight, but no motion. An address is believed only as long as the camera itself
// names it under its key: the router gives addresses to others, and the cloud has named wrong ones.
package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Options are the settings and collaborators of the adapter.
type Options struct {
	Vault gateway.Vault // keeps keys and addresses; required

	// Browse looks once for cameras that announce themselves. nil: by mDNS; see Sweep.
	Browse func(context.Context) ([]Announced, error)

	// AllowLoopback lets cameras be on this very machine, at any port: for tests and the demonstration.
	AllowLoopback bool

	Log *slog.Logger // nil: slog.Default()
}

// Adapter serves all cameras of a house. Learn and Snapshot may be called from any goroutine.
type Adapter struct {
	options Options
	client  client
	fresh   time.Duration // how long a picture is handed out again
	poke    chan struct{} // tells Run that something was learnt

	mu      sync.Mutex // guards the fields below
	learned map[gateway.DeviceID]Access
	running map[gateway.DeviceID]*unit // of the present Run
}

// New returns an adapter that knows what is in the vault.
func New(o Options) *Adapter {
	if o.Browse == nil {
		o.Browse = Sweep
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Adapter{
		options: o, client: newClient(o.AllowLoopback), fresh: pictureFresh, poke: make(chan struct{}, 1),
		learned: map[gateway.DeviceID]Access{}, running: map[gateway.DeviceID]*unit{},
	}
}

// Learn takes what the cloud says of a camera. It returns at once; Run tries it, and keeps it. An
// address that cannot be a camera's is not used, and the log says why; models without an HTTP
// interface are ignored. What worked before is not forgotten.
func (a *Adapter) Learn(access Access) {
	if _, ok := models[access.Model]; !ok || access.Device == "" {
		return
	}
	a.mu.Lock()
	a.learned[access.Device] = access
	a.mu.Unlock()
	select {
	case a.poke <- struct{}{}:
	default:
	}
}

// Snapshot returns a picture of the camera, JPEG, and when it was taken in the house's time. It is at
// most some seconds old; one is fetched at a time, however many ask.
func (a *Adapter) Snapshot(ctx context.Context, device gateway.DeviceID) (jpeg []byte, at time.Time, err error) {
	a.mu.Lock()
	u := a.running[device]
	a.mu.Unlock()
	if u == nil {
		return nil, time.Time{}, fmt.Errorf("picture of %s: no camera of that name is known on the LAN", device)
	}
	p, err := u.snapshot(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("picture of %s: %w", device, err)
	}
	return p.jpeg, p.at, nil
}

// Picture is Snapshot for people who look at a tile: where the camera has not sent a picture within a
// second it returns the last one, as long as that is no older than ten minutes. at tells its age in the
// house's time. The picture that was begun is finished for the next who asks. A camera that says that it
// gives none, as when somebody has stopped its monitoring, is believed at once.
func (a *Adapter) Picture(ctx context.Context, device gateway.DeviceID) (jpeg []byte, at time.Time, err error) {
	a.mu.Lock()
	u := a.running[device]
	a.mu.Unlock()
	var last picture
	if u != nil {
		last = u.lastPicture()
	}
	if last.took.IsZero() || time.Since(last.took) > pictureKept {
		return a.Snapshot(ctx, device)
	}
	soon, cancel := context.WithTimeout(ctx, pictureSoon)
	defer cancel()
	jpeg, at, err = a.Snapshot(soon, device)
	if err != nil && !errors.Is(err, errNoPicture) {
		return last.jpeg, last.at, nil
	}
	return jpeg, at, err
}

// Run keeps in touch with the cameras until ctx ends: who answers, how its floodlight stands, what is
// asked of it.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	stored, unreadable, err := loadKnown(a.options.Vault)
	if err != nil {
		return err
	}
	for _, name := range unreadable {
		a.options.Log.Error("what is kept of a camera cannot be read; sign in at the cloud to learn it anew", "camera", name)
	}
	h := &household{adapter: a, port: port, ctx: ctx, look: make(chan struct{}, 1), units: map[gateway.DeviceID]*unit{}}
	defer h.end()
	for _, k := range stored {
		h.add(k)
	}
	h.group.Go(h.find)
	for {
		h.takeLearned()
		select {
		case <-a.poke:
		case c := <-port.Commands():
			h.dispatch(c)
		case <-ctx.Done():
			return nil
		}
	}
}

// household is one Run: its cameras, each with goroutines of its own.
type household struct {
	adapter *Adapter
	port    gateway.Port
	ctx     context.Context
	look    chan struct{} // asks find to look for cameras
	group   sync.WaitGroup
	units   map[gateway.DeviceID]*unit // of Run alone
}

// end waits for everything that Run started, and lets Snapshot know.
func (h *household) end() {
	h.group.Wait()
	a := h.adapter
	a.mu.Lock()
	clear(a.running)
	a.mu.Unlock()
}

// add begins to keep in touch with a camera.
func (h *household) add(k known) *unit {
	if len(h.units) >= maxCameras {
		h.adapter.options.Log.Warn("too many cameras, one is left out", "camera", k.Device, "at most", maxCameras)
		return nil
	}
	u := newUnit(h, k)
	h.units[k.Device] = u
	a := h.adapter
	a.mu.Lock()
	a.running[k.Device] = u
	a.mu.Unlock()
	h.group.Go(u.keepInTouch)
	h.group.Go(u.servePictures)
	return u
}

// takeLearned hands what was learnt to the cameras.
func (h *household) takeLearned() {
	a := h.adapter
	a.mu.Lock()
	learned := a.learned
	a.learned = map[gateway.DeviceID]Access{}
	a.mu.Unlock()
	for id, access := range learned {
		u := h.units[id]
		if u == nil {
			u = h.add(known{Device: id, Name: access.Name, Model: access.Model})
		}
		if u != nil {
			replace(u.learned, access)
		}
	}
}

// replace puts v in a channel of one place, instead of an older one that was not taken.
func replace[T any](c chan T, v T) {
	select {
	case <-c:
	default:
	}
	select {
	case c <- v:
	default:
	}
}

// dispatch hands a command to its camera. One that cannot take it now answers so: it is asked again.
func (h *household) dispatch(c gateway.Command) {
	u := h.units[gateway.DeviceID(c.Point.Of)]
	if u == nil {
		h.answer(c, errors.New("no camera of that name is known on the LAN"), true)
		return
	}
	select {
	case u.commands <- c:
	default:
		h.answer(c, errors.New("the camera is busy with what was asked before"), false)
	}
}

// answer posts how a command ended; nil: carried out.
func (h *household) answer(c gateway.Command, err error, final bool) {
	o := gateway.Outcome{ID: c.ID, Point: c.Point}
	if err != nil {
		o.Err, o.Final = err.Error(), final
	}
	h.port.Post(o)
}

// wantLook asks for a look around the LAN.
func (h *household) wantLook() {
	select {
	case h.look <- struct{}{}:
	default: // one is asked for already
	}
}
