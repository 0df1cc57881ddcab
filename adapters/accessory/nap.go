package accessory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
)

// A device that sleeps misses attempts to connect; eight were seen to be needed
// (home-assistant/core#84109 and the like). In real time.
const (
	wakeTries = 8
	wakeTime  = 20 * time.Second // for one attempt
	wakePause = 500 * time.Millisecond
	napTime   = 2 * time.Minute // for the whole visit
)

// nap is one short visit to an accessory on Bluetooth LE: read what there is, set what is asked, have it
// tell changes by notifications, and let it sleep again.
func (k *keeper) nap(ctx context.Context) error {
	select {
	case k.house.air <- struct{}{}:
		defer func() { <-k.house.air }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, napTime)
	defer cancel()
	k.mu.Lock()
	air, pairing, kept := k.air, k.record.Pairing, *k.record.Bluetooth
	k.mu.Unlock()
	peripheral, err := wake(ctx, k.house.options.Radio, air.address)
	if err != nil {
		return err
	}
	s, err := ble.Open(ctx, peripheral, pairing, kept.Layout, air.configuration)
	if err != nil {
		return err
	}
	defer s.Close()
	return k.stay(ctx, s, air)
}

// wake connects, with patience.
func wake(ctx context.Context, radio ble.Radio, address string) (ble.Peripheral, error) {
	if radio == nil {
		return nil, errNoRadio
	}
	pause := wakePause
	for try := 1; ; try++ {
		attempt, cancel := context.WithTimeout(ctx, wakeTime)
		p, err := radio.Connect(attempt, address)
		cancel()
		if err == nil {
			return p, nil
		}
		if try == wakeTries || sleep(ctx, pause) != nil {
			return nil, fmt.Errorf("it does not wake up over Bluetooth (%d attempts): %w", try, err)
		}
		pause = min(2*pause, 8*time.Second)
	}
}

// stay does what the visit is for. The state number is asked for first: what changes while the values are read has a
// later one, and is another visit's.
func (k *keeper) stay(ctx context.Context, s *ble.Session, advertised air) error {
	state, err := stateNumber(ctx, s, advertised)
	if err != nil {
		return err
	}
	session := &airSession{Session: s}
	v := newVisit(k, session, advertised.address)
	if err := v.learn(ctx); err != nil {
		return err
	}
	if err := v.work(ctx); err != nil {
		return err
	}
	key, err := v.enableNotifications(ctx, s)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.air.known, k.air.state, k.air.learnt, k.air.doubt = state, state, true, false
	k.live = true
	if b := k.record.Bluetooth; b.Key != key || b.Layout.Configuration != s.Layout().Configuration || len(b.Layout.Points) == 0 {
		kept := &bluetooth{Layout: s.Layout(), Key: key}
		kept.Layout.Accessory = session.named
		k.record.Bluetooth = kept
		k.saveRecord()
	}
	return nil
}

// stateNumber is the accessory's state number, or what it advertised last if nobody can ask it.
func stateNumber(ctx context.Context, s *ble.Session, advertised air) (uint16, error) {
	numbers, err := s.Numbers(ctx)
	if cannot(err) {
		return advertised.state, nil
	}
	return numbers.State, err
}

// cannot reports whether an accessory has no way to do what the protocol is asked for, or refuses to.
func cannot(err error) bool {
	var refused ble.Status
	return errors.As(err, &refused) || errors.Is(err, ble.ErrNoProtocol)
}

// enableNotifications has the accessory tell changes while nobody is connected. A key that was made
// stays: the accessory forgets it only when it is reset, and then a notification cannot be opened.
func (v *visit) enableNotifications(ctx context.Context, s *ble.Session) (hap.Key, error) {
	v.mu.Lock()
	key, doubt := v.record.Bluetooth.Key, v.air.doubt
	var iids []uint64
	for _, id := range v.ledger.list(func(source Source) bool { return source.Events }) {
		iids = append(iids, id.IID)
	}
	v.mu.Unlock()
	if key != (hap.Key{}) && !doubt {
		return key, nil
	}
	made, err := s.EnableBroadcasts(ctx, iids...)
	if cannot(err) {
		v.log.Info("accessory: it tells no changes by itself over Bluetooth, its state number does", "err", err)
		return hap.Key{}, nil
	}
	return made, err
}

// airSession is a session over Bluetooth LE as a visit needs it.
type airSession struct {
	*ble.Session
	named hap.Accessory // with the values by which it names itself
}

// Accessories is the one accessory with the values by which it names itself. They are asked for once: a
// later visit has more urgent questions.
func (s *airSession) Accessories(ctx context.Context) ([]hap.Accessory, error) {
	a := s.Layout().Accessory
	services := make([]hap.Service, len(a.Services))
	for i, service := range a.Services {
		service.Characteristics = append([]hap.Characteristic{}, service.Characteristics...)
		for n := range service.Characteristics {
			c := &service.Characteristics[n]
			if c.Value != nil || !furniture[c.Type] || !c.Has(hap.PermRead) || c.Type == hap.CharacteristicServiceSignature || service.Type == hap.ServicePairing {
				continue
			}
			readings, err := s.Session.Read(ctx, c.IID)
			if err != nil {
				return nil, err
			}
			c.Value = readings[0].Value
		}
		services[i] = service
	}
	a.Services = services
	s.named = a
	return []hap.Accessory{a}, nil
}

// Read reads characteristics.
func (s *airSession) Read(ctx context.Context, ids ...hap.CharacteristicID) ([]hap.Reading, error) {
	var iids []uint64
	for _, id := range ids {
		iids = append(iids, id.IID)
	}
	return s.Session.Read(ctx, iids...)
}

// Subscribe does nothing: the visit is over before anything changes.
func (s *airSession) Subscribe(_ context.Context, ids ...hap.CharacteristicID) ([]hap.Reading, error) {
	var all []hap.Reading
	for _, id := range ids {
		all = append(all, hap.Reading{ID: id})
	}
	return all, nil
}

// Err is nil while the connection lasts.
func (s *airSession) Err() error {
	select {
	case <-s.Done():
		return errors.New("the connection ended")
	default:
		return nil
	}
}
