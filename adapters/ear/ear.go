package ear

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Options are the settings of the ear.
type Options struct {
	Microphone string // an ALSA device (default, plughw:1,0), or the path of a WAV or PCM file or pipe
	Room       string // where the microphone stands; "": not said
	Program    string // that records from an ALSA device; "": arecord
	Vault      gateway.Vault
	Log        *slog.Logger // nil: none
}

// MicrophoneDevice is the id of the microphone as a device.
const MicrophoneDevice gateway.DeviceID = "ear/microphone"

// model is what the ear's devices are, for firmware-notes and people.
const model = "ear"

// Adapter is the ear. It takes no commands.
type Adapter struct {
	options Options
	mu      sync.Mutex
	taps    map[chan []int16]bool // who listens along
	running bool                  // Run has the microphone
	fault   string                // why the microphone is not heard, while Run has it
	pupils  int                   // learn sessions under way
	changed chan struct{}         // the vault's signatures are others
}

// New returns an ear.
func New(o Options) *Adapter {
	if o.Program == "" {
		o.Program = "arecord"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Adapter{options: o, taps: map[chan []int16]bool{}, changed: make(chan struct{}, 1)}
}

// Pauses before a microphone that failed is opened again, in the house's time.
const (
	firstRetry = time.Second
	longRetry  = 30 * time.Second
)

// Run listens until ctx ends. A microphone that fails is a fault of the microphone's device and is tried
// again; it is no error of Run.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	a.hold(true)
	defer a.hold(false)
	h := &house{adapter: a, port: port, voices: map[gateway.DeviceID]*voice{}}
	if err := h.know(); err != nil {
		return err
	}
	retry := firstRetry
	for {
		h.detector = NewDetector(h.learnt)
		h.restart()
		err := h.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		h.fail(err.Error())
		if h.detector.Age() > time.Minute {
			retry = firstRetry
		}
		wait := port.After(retry)
		if errors.Is(err, errEnded) {
			wait = nil // a recording is not played again
		}
		retry = min(2*retry, longRetry)
		if !h.wait(ctx, wait) {
			return nil
		}
	}
}

// session listens until the microphone fails, and says why, or until ctx ends.
func (h *house) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pieces, ended := make(chan []int16), make(chan error, 1)
	go func() {
		ended <- listen(ctx, h.adapter.options.Microphone, h.adapter.options.Program, func(s []int16) bool {
			select {
			case pieces <- slices.Clone(s):
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	for {
		select {
		case s := <-pieces:
			h.adapter.share(s)
			h.hear(h.detector.Write(s))
		case err := <-ended:
			return err
		case s := <-h.port.Shown():
			h.sounded = s.Sounded
		case c := <-h.port.Commands():
			h.refuse(c)
		case <-h.adapter.changed:
			h.learn()
		}
	}
}

// wait waits for the next try, or for ever if due is nil, and serves the house meanwhile.
func (h *house) wait(ctx context.Context, due <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-due:
			return true
		case s := <-h.port.Shown():
			h.sounded = s.Sounded
		case c := <-h.port.Commands():
			h.refuse(c)
		case <-h.adapter.changed:
			h.learn()
		}
	}
}

// refuse answers a command: nothing can be set on an ear.
func (h *house) refuse(c gateway.Command) {
	h.port.Post(gateway.Outcome{ID: c.ID, Point: c.Point, Err: "an ear hears and does nothing else", Final: true})
}

// hold marks that Run has the microphone, or has given it back.
func (a *Adapter) hold(running bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running, a.fault = running, ""
}

// share gives samples to those who listen along. One who is too slow misses some.
func (a *Adapter) share(samples []int16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for tap := range a.taps {
		select {
		case tap <- samples:
		default:
		}
	}
}
