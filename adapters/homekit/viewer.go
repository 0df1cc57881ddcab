package homekit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/adapters/homekit/stream"
)

const (
	orderQueue = 4
	// startPatience is how long a place is kept for a viewer who has negotiated and not begun.
	startPatience = 30 * time.Second
	// viewerSilence is how long a viewer may say nothing: the Home app reports every few seconds, and a phone that
	// was switched off does not say goodbye (HAP R14 11.8).
	viewerSilence = 30 * time.Second
)

// viewer is one who watches a camera.
type viewer struct {
	place
	of       *viewers
	session  string
	sender   *stream.Sender
	orders   chan stream.Selection
	pictures atomic.Uint64 // sent

	// Of run alone.
	width   int
	showing *showing // nil: suspended
}

// run sends the live picture until somebody has enough, and says why it ended.
func (n *viewer) run(ctx context.Context) (why string) {
	var listening sync.WaitGroup
	defer listening.Wait()
	defer n.sender.Close() // an error means that the viewer hears no goodbye
	listening.Go(n.sender.Listen)
	select {
	case o := <-n.orders:
		if o.Order != stream.Start {
			return "it was never begun"
		}
		n.width = o.Width
		n.sender.Configure(o)
	case <-time.After(n.of.begin):
		return "it was never begun"
	case <-ctx.Done():
		return "its controller left"
	}
	n.show(ctx)
	defer n.hide()
	return n.follow(ctx)
}

// follow obeys the viewer, reports to it, and ends when it is gone or there is nothing to show.
func (n *viewer) follow(ctx context.Context) (why string) {
	reports := time.NewTicker(n.sender.Interval())
	defer reports.Stop()
	for {
		select {
		case o := <-n.orders:
			if o.Order == stream.End {
				return "its viewer ended it"
			}
			n.obey(ctx, o)
			reports.Reset(n.sender.Interval())
		case <-reports.C:
			if n.showing == nil {
				continue
			}
			if time.Since(n.sender.Heard()) > n.of.silence {
				return fmt.Sprintf("its viewer was silent for %v", n.of.silence)
			}
			if err := n.sender.Report(); err != nil {
				return err.Error()
			}
		case err := <-n.showing.over():
			return err.Error()
		case <-ctx.Done():
			return "its controller left"
		}
	}
}

// obey takes an order that does not end the stream. Another width is another quality of the camera.
func (n *viewer) obey(ctx context.Context, o stream.Selection) {
	n.sender.Configure(o)
	if o.Order == stream.Suspend {
		n.hide()
		return
	}
	if o.Width > 0 && o.Width != n.width {
		n.width = o.Width
		if n.showing != nil {
			n.hide()
			n.show(ctx)
		}
	}
	if o.Order == stream.Resume && n.showing == nil {
		n.show(ctx)
	}
}

// showing is a camera that is being watched.
type showing struct {
	cancel context.CancelFunc
	ended  chan error
}

// over gives why it ended; of none it never does.
func (s *showing) over() <-chan error {
	if s == nil {
		return nil
	}
	return s.ended
}

// show begins to send.
func (n *viewer) show(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	s := &showing{cancel, make(chan error, 1)}
	n.showing = s
	n.sender.Begin()
	width := n.width
	go func() {
		defer close(s.ended)
		err := n.of.cameras.Watch(ctx, n.device, width, func(at time.Duration, units [][]byte) error {
			n.pictures.Add(1)
			return n.sender.Send(at, units)
		})
		s.ended <- cmp.Or(err, errors.New("the camera has no more pictures"))
	}()
}

// hide stops sending, and waits for it.
func (n *viewer) hide() {
	if n.showing == nil {
		return
	}
	n.showing.cancel()
	for range n.showing.ended { // until it is closed
	}
	n.showing = nil
}
