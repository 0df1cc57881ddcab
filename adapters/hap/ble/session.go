package ble

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Session is one verified connection to an accessory. Its methods may be called from any goroutine; one
// request is on its way at a time. A session that has ended stays so.
type Session struct {
	channel *channel
	layout  Layout
	pairing hap.Pairing
	secret  []byte        // of pair-verify
	turn    chan struct{} // holds one token: who takes it may send a request
}

// Open proves over the connection that both ends are those of the pairing. known is the layout that was
// learnt before, of the configuration that the accessory advertises; an empty one, or one that does not
// fit any more, is learnt first. It closes the connection if it fails.
func Open(ctx context.Context, p Peripheral, pairing hap.Pairing, known Layout, configuration byte) (*Session, error) {
	s := &Session{channel: &channel{peripheral: p}, layout: known, pairing: pairing, turn: make(chan struct{}, 1)}
	if err := s.open(ctx, configuration); err != nil {
		p.Close()
		return nil, fmt.Errorf("connect to %s over Bluetooth: %w", pairing.AccessoryID, err)
	}
	s.turn <- struct{}{}
	return s, nil
}

func (s *Session) open(ctx context.Context, configuration byte) error {
	c := s.channel
	if s.layout.Configuration != configuration || !s.layout.fits(c.peripheral.Attributes()) {
		learnt, err := learn(ctx, c, configuration)
		if err != nil {
			return err
		}
		s.layout = learnt
	}
	exchange, err := c.pairingExchange(ctx, hap.CharacteristicPairVerify)
	if err != nil {
		return err
	}
	keys, err := hap.PairVerifyOver(ctx, exchange, s.pairing)
	if err != nil {
		return err
	}
	s.secret = keys.Secret
	c.seal(keys)
	return nil
}

// Layout is what the accessory is made of, to be kept for the next session.
func (s *Session) Layout() Layout { return s.layout }

// Done is closed when the connection has ended, for whatever reason.
func (s *Session) Done() <-chan struct{} { return s.channel.peripheral.Done() }

// Close ends the connection.
func (s *Session) Close() error { return s.channel.peripheral.Close() }

// take waits for the turn to send.
func (s *Session) take(ctx context.Context) error {
	select {
	case <-s.turn:
		return nil
	case <-s.Done():
		return errors.New("the connection has ended")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Session) give() { s.turn <- struct{}{} }

// find returns the characteristic of an instance id and where it is reached.
func (s *Session) find(iid uint64) (hap.Characteristic, Point, bool) {
	for _, service := range s.layout.Accessory.Services {
		for _, c := range service.Characteristics {
			if c.IID == iid {
				return c, s.layout.Points[iid], true
			}
		}
	}
	return hap.Characteristic{}, Point{}, false
}

// Read reads characteristics and returns one Reading for each, in the order asked. One that the
// accessory refuses does not fail the others: look at each Status.
func (s *Session) Read(ctx context.Context, iids ...uint64) ([]hap.Reading, error) {
	return s.each(ctx, iids, func(_ int, c hap.Characteristic, p Point) (json.RawMessage, error) {
		body, err := s.channel.ask(ctx, p.Handle, request{op: opRead, iid: uint16(c.IID)})
		if err != nil {
			return nil, err
		}
		items, err := hap.DecodeTLV(body)
		if err != nil {
			return nil, fmt.Errorf("characteristic %d: %w", c.IID, err)
		}
		value, err := decodeValue(c.Format, items.Get(paramValue))
		if err != nil {
			return nil, hap.StatusInvalidValue // of this one alone
		}
		return value, nil
	})
}

// Write writes values one after the other and returns one Reading for each, in their order, whose
// Status says whether it happened.
func (s *Session) Write(ctx context.Context, writes ...hap.Write) ([]hap.Reading, error) {
	return s.write(ctx, writes, func(c hap.Characteristic, p Point, value []byte) error {
		body := hap.TLV{{Tag: paramValue, Value: value}}
		_, err := s.channel.ask(ctx, p.Handle, request{op: opWrite, iid: uint16(c.IID), body: body.Encode()})
		return err
	})
}

// tick is the unit of a timed write's time to live.
const tick = 100 * time.Millisecond

// TimedWrite is Write for characteristics that demand hap.PermTimedWrite: the accessory forgets the
// value unless it is told within ttl, 100 ms to 25 s, that it was meant.
func (s *Session) TimedWrite(ctx context.Context, ttl time.Duration, writes ...hap.Write) ([]hap.Reading, error) {
	ticks := (ttl + tick - 1) / tick
	if ticks < 1 || ticks > 255 {
		return nil, fmt.Errorf("a timed write lives from 100 ms to 25 s, not %v", ttl)
	}
	return s.write(ctx, writes, func(c hap.Characteristic, p Point, value []byte) error {
		body := hap.TLV{{Tag: paramValue, Value: value}, {Tag: paramTimeToLive, Value: []byte{byte(ticks)}}}
		if _, err := s.channel.ask(ctx, p.Handle, request{op: opTimedWrite, iid: uint16(c.IID), body: body.Encode()}); err != nil {
			return err
		}
		_, err := s.channel.ask(ctx, p.Handle, request{op: opExecuteWrite, iid: uint16(c.IID)})
		return err
	})
}

func (s *Session) write(ctx context.Context, writes []hap.Write, send func(hap.Characteristic, Point, []byte) error) ([]hap.Reading, error) {
	var iids []uint64
	for _, w := range writes {
		iids = append(iids, w.ID.IID)
	}
	return s.each(ctx, iids, func(i int, c hap.Characteristic, p Point) (json.RawMessage, error) {
		raw, err := encodeValue(c.Format, writes[i].Value)
		if err != nil {
			return nil, hap.StatusInvalidValue
		}
		return nil, send(c, p, raw)
	})
}

// each does something with characteristics one after the other. A refusal is that one's Status;
// another error ends it all.
func (s *Session) each(ctx context.Context, iids []uint64, do func(int, hap.Characteristic, Point) (json.RawMessage, error)) ([]hap.Reading, error) {
	if err := s.take(ctx); err != nil {
		return nil, err
	}
	defer s.give()
	readings := make([]hap.Reading, 0, len(iids))
	for i, iid := range iids {
		r := hap.Reading{ID: hap.CharacteristicID{AID: aid, IID: iid}}
		c, p, ok := s.find(iid)
		if !ok {
			r.Status = hap.StatusNoSuch
			readings = append(readings, r)
			continue
		}
		value, err := do(i, c, p)
		if r.Status, err = statusOf(err); err != nil {
			return nil, err
		}
		r.Value = value
		readings = append(readings, r)
	}
	return readings, nil
}

// statusOf is HAP's word for a refusal; any other error stays one.
func statusOf(err error) (hap.Status, error) {
	var refused Status
	var status hap.Status
	switch {
	case err == nil:
		return hap.StatusOK, nil
	case errors.As(err, &status):
		return status, nil
	case !errors.As(err, &refused):
		return hap.StatusOK, err
	}
	switch refused {
	case StatusNoSuchInstance:
		return hap.StatusNoSuch, nil
	case StatusTooManyProcedures:
		return hap.StatusBusy, nil
	case StatusNoAuthorization:
		return hap.StatusNotAuthorized, nil
	case StatusInvalid:
		return hap.StatusInvalidValue, nil
	case StatusUnsupported:
		return hap.StatusNotAllowedNow, nil
	}
	return hap.StatusPrivileges, nil
}

// Subscribe calls heard with the instance id of a characteristic whenever it has changed while the
// session lasts; what it is then must be read. heard must return soon and must not use the session.
func (s *Session) Subscribe(ctx context.Context, heard func(iid uint64), iids ...uint64) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	for _, iid := range iids {
		_, p, ok := s.find(iid)
		if !ok {
			return fmt.Errorf("subscribe to characteristic %d: %w", iid, hap.StatusNoSuch)
		}
		if err := s.channel.peripheral.Notify(ctx, p.Handle, func() { heard(iid) }); err != nil {
			return fmt.Errorf("subscribe to characteristic %d: %w", iid, err)
		}
	}
	return nil
}

// Pairings lists the controllers that the accessory is paired with. Only an admin may.
func (s *Session) Pairings(ctx context.Context) (all []hap.PairedController, err error) {
	err = s.withPairings(ctx, func(exchange hap.Exchange) (err error) {
		all, err = hap.PairingsOver(ctx, exchange)
		return err
	})
	return all, err
}

// AddPairing makes the accessory know another controller, or changes whether one that it knows is an admin. Only an
// admin may.
func (s *Session) AddPairing(ctx context.Context, controller hap.PairedController) error {
	return s.withPairings(ctx, func(exchange hap.Exchange) error { return hap.AddPairingOver(ctx, exchange, controller) })
}

// RemovePairing makes the accessory forget a controller. Removing the last admin makes it forget all.
// Only an admin may.
func (s *Session) RemovePairing(ctx context.Context, id string) error {
	return s.withPairings(ctx, func(exchange hap.Exchange) error { return hap.RemovePairingOver(ctx, exchange, id) })
}

func (s *Session) withPairings(ctx context.Context, do func(hap.Exchange) error) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.give()
	exchange, err := s.channel.pairingExchange(ctx, hap.CharacteristicPairingPairings)
	if err != nil {
		return err
	}
	return do(exchange)
}
