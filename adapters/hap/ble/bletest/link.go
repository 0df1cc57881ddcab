package bletest

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"sync"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
)

// link is one connection to the accessory: its GATT server.
type link struct {
	accessory *Accessory
	dialogue  *hap.Dialogue

	mu       sync.Mutex
	done     chan struct{}
	closed   bool
	writes   int
	in, out  cipher.AEAD // nil: open
	inCount  uint64
	outCount uint64
	next     *hap.SessionKeys // hold once the answer that is being read has left
	secret   []byte
	asked    map[string]*asked
	answers  map[string][][]byte
}

var _ ble.Peripheral = (*link)(nil)

func newLink(a *Accessory) *link {
	return &link{accessory: a, dialogue: a.door.Dialogue("bluetooth"), done: make(chan struct{}),
		asked: map[string]*asked{}, answers: map[string][][]byte{}}
}

// Attributes are the characteristics of the accessory, and for each service the one with its id.
func (l *link) Attributes() []ble.Attribute {
	var all []ble.Attribute
	last := -1
	for _, p := range l.accessory.points {
		if p.index != last {
			last = p.index
			all = append(all, ble.Attribute{Handle: serviceHandle(p.index), Service: p.index,
				Kind: serviceIDKind, Within: p.service.Type})
		}
		all = append(all, ble.Attribute{Handle: p.handle, Service: p.index, Kind: p.Type, Within: p.service.Type})
	}
	return all
}

// MTU is what Settings say.
func (l *link) MTU() int { return l.accessory.settings.MTU }

// Done is closed when the connection has ended.
func (l *link) Done() <-chan struct{} { return l.done }

// Close ends the connection, from either end.
func (l *link) Close() error {
	a := l.accessory
	a.mu.Lock()
	defer a.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.dialogue.End()
	if a.link == l {
		a.link = nil
		if a.moved { // once for all changes of a connection, as aiohomekit counts them
			a.moved, a.state = false, ble.NextState(a.state)
		}
	}
	for _, p := range a.points {
		p.subscribed, p.pending = nil, nil
	}
	close(l.done)
	return nil
}

var errGone = errors.New("the connection is lost")

// Descriptor reads the id of a characteristic.
func (l *link) Descriptor(ctx context.Context, handle string, kind hap.UUID) ([]byte, error) {
	if err := l.alive(ctx); err != nil {
		return nil, err
	}
	p := l.accessory.at(handle)
	if p == nil || kind != instanceIDKind {
		return nil, ble.ErrNoDescriptor
	}
	return p.instance(), nil
}

// Notify subscribes to a characteristic that gives events.
func (l *link) Notify(ctx context.Context, handle string, heard func()) error {
	if err := l.alive(ctx); err != nil {
		return err
	}
	l.accessory.mu.Lock()
	defer l.accessory.mu.Unlock()
	p := l.accessory.at(handle)
	if p == nil || !p.Has(hap.PermEvents) {
		return errors.New("the characteristic gives no events")
	}
	p.subscribed = heard
	return nil
}

func (l *link) alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-l.done:
		return errGone
	default:
		return nil
	}
}

// Write takes one piece of a request.
func (l *link) Write(ctx context.Context, handle string, piece []byte) error {
	if err := l.alive(ctx); err != nil {
		return err
	}
	if l.count(l.faults()) {
		l.Close()
		return errGone
	}
	if len(piece) > l.MTU()-3 {
		return fmt.Errorf("a write of %d bytes does not fit an MTU of %d", len(piece), l.MTU())
	}
	p := l.accessory.at(handle)
	if p == nil {
		return fmt.Errorf("no attribute %s", handle)
	}
	if err := l.take(p, piece); err != nil {
		l.Close() // as a real one does with what it cannot open or read
		return err
	}
	return nil
}

func (l *link) faults() Faults {
	l.accessory.mu.Lock()
	defer l.accessory.mu.Unlock()
	return l.accessory.faults
}

// count counts a write of this connection, and tells whether it is the one at which it is lost.
func (l *link) count(faults Faults) (lost bool) {
	l.accessory.mu.Lock()
	l.accessory.packets++
	l.accessory.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	return faults.DropPDU > 0 && l.writes >= faults.DropPDU
}

// take opens a piece and, once the request is whole, answers it.
func (l *link) take(p *point, piece []byte) error {
	l.mu.Lock()
	if l.in != nil {
		plain, err := l.in.Open(nil, hap.CounterNonce(l.inCount), piece, nil)
		if err != nil {
			l.mu.Unlock()
			return fmt.Errorf("a piece that is not sealed as it must be: %w", err)
		}
		l.inCount++
		piece = plain
	}
	whole, err := l.assemble(p.handle, piece)
	l.mu.Unlock()
	if err != nil || whole == nil {
		return err
	}
	status, body := l.answer(p, *whole)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers[p.handle] = l.pieces(whole.tid, status, body)
	return nil
}

// Read gives one piece of the answer.
func (l *link) Read(ctx context.Context, handle string) ([]byte, error) {
	if err := l.alive(ctx); err != nil {
		return nil, err
	}
	switch f := l.faults(); {
	case f.Mute:
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.done:
			return nil, errGone
		}
	case f.Garbage:
		return []byte{0xff, 0xff, 0xff, 0xff, 0xff}, nil
	case f.Unsealed:
		return make([]byte, 40), nil
	}
	if id, ok := l.accessory.serviceID(handle); ok {
		return id, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	left := l.answers[handle]
	if len(left) == 0 {
		return nil, errors.New("nothing was asked")
	}
	piece := left[0]
	l.answers[handle] = left[1:]
	if l.out != nil {
		piece = l.out.Seal(nil, hap.CounterNonce(l.outCount), piece, nil)
		l.outCount++
	}
	if l.next != nil && len(left) == 1 {
		l.in, l.out, l.secret = l.next.ToAccessory.AEAD(), l.next.ToController.AEAD(), l.next.Secret
		l.next = nil
	}
	return piece, nil
}
