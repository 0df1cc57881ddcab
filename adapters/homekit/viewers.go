package homekit

import (
	"context"
	"encoding/base64"
	"log/slog"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/homekit/stream"
	"github.com/veilleuse/veilleuse/gateway"
)

// viewersMax is how many may watch all cameras together: what a small board and its Wi-Fi carry.
const viewersMax = 8

// viewers are those who watch a camera now, or are about to.
type viewers struct {
	cameras Cameras
	log     *slog.Logger
	running sync.WaitGroup
	begin   time.Duration // how long a place waits for its viewer's start
	silence time.Duration // how long a viewer may say nothing
	news    chan struct{} // holds one token when touched is not empty

	mu      sync.Mutex // guards the rest
	taken   map[place]*viewer
	touched map[string]bool // keys of accessories whose places were taken or left
}

func newViewers(cameras Cameras, log *slog.Logger) *viewers {
	return &viewers{cameras: cameras, log: log, begin: startPatience, silence: viewerSilence, news: make(chan struct{}, 1), taken: map[place]*viewer{}, touched: map[string]bool{}}
}

// places says which places of a camera are taken.
func (v *viewers) places(device gateway.DeviceID) (taken [viewersOfOne]bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range taken {
		taken[i] = v.taken[place{device, i + 1}] != nil
	}
	return taken
}

// changed gives the keys of the accessories whose places changed since the last call.
func (v *viewers) changed() map[string]bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	keys := v.touched
	v.touched = map[string]bool{}
	return keys
}

// touch has a camera's places shown anew. It needs the lock.
func (v *viewers) touch(device gateway.DeviceID) {
	v.touched[devicePrefix+string(device)] = true
	select {
	case v.news <- struct{}{}:
	default: // a token is there already
	}
}

// write takes what a viewer writes. ctx ends with its connection.
func (v *viewers) write(ctx context.Context, to view, request hap.WriteRequest) hap.WriteResult {
	text, _ := hap.TextOf(request.Value)
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return hap.WriteResult{Status: hap.StatusInvalidValue}
	}
	if to.kind == hap.CharacteristicSetupEndpoints {
		e, err := stream.ReadEndpoints(value)
		if err != nil {
			v.log.Warn("a viewer was refused", "camera", to.device, "err", err)
			return hap.WriteResult{Status: hap.StatusInvalidValue}
		}
		return hap.WriteResult{Value: hap.DataValue(v.enter(ctx, to.place, e, request)), Own: true}
	}
	selection, err := stream.ReadSelection(value)
	if err != nil {
		v.log.Warn("a viewer was refused", "camera", to.device, "err", err)
		return hap.WriteResult{Status: hap.StatusInvalidValue}
	}
	return hap.WriteResult{Status: v.order(to.place, selection), Own: true}
}

// enter gives a viewer a place, if there is one, and returns what it reads of its endpoints. It leaves by
// itself, at the latest with its connection.
func (v *viewers) enter(ctx context.Context, at place, e stream.Endpoints, request hap.WriteRequest) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.taken[at] != nil || len(v.taken) >= viewersMax {
		return e.Busy()
	}
	sender, err := stream.Open(e, request.From)
	if err != nil {
		v.log.Warn("a viewer was refused", "camera", at.device, "err", err)
		return e.Failed()
	}
	n := &viewer{place: at, session: e.Session, sender: sender, of: v, orders: make(chan stream.Selection, orderQueue)}
	v.taken[at] = n
	v.touch(at.device)
	v.running.Go(func() {
		why := n.run(ctx)
		v.log.Info("live picture ended", "camera", at.device, "viewer", at.number, "pictures", n.pictures.Load(), "why", why)
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.taken, at)
		v.touch(at.device)
	})
	return sender.Answer()
}

// order passes on what a viewer wants of its stream. That a stream ends that has ended is no fault.
func (v *viewers) order(at place, selection stream.Selection) hap.Status {
	v.mu.Lock()
	n := v.taken[at]
	v.mu.Unlock()
	switch {
	case n == nil || n.session != selection.Session:
		if selection.Order == stream.End {
			return hap.StatusOK
		}
		return hap.StatusNotAllowedNow
	case selection.Order == stream.Start:
		v.log.Info("live picture", "camera", at.device, "viewer", at.number, "width", selection.Width, "height", selection.Height)
	}
	select {
	case n.orders <- selection:
		return hap.StatusOK
	default:
		return hap.StatusBusy
	}
}
