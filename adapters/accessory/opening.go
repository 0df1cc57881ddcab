package accessory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
)

// use has something done in a session with a paired accessory: in that of its keeper, or without one in a session made
// for it alone.
func (a *Adapter) use(ctx context.Context, id string, do func(context.Context, record, session) error) error {
	id = normalID(id)
	r, err := loadRecord(a.options.Vault, id)
	if errors.Is(err, fs.ErrNotExist) {
		return notPaired(id)
	}
	if err != nil {
		return err
	}
	with := func(ctx context.Context, s session) error { return do(ctx, r, s) }
	if h := a.current(); h != nil {
		if k := h.keeper(id); k != nil {
			return k.inSession(ctx, with)
		}
	}
	err = a.openFor(ctx, r, []string{a.configuredAddress(id), r.Pairing.Address}, with)
	var silent *silentError
	if errors.As(err, &silent) {
		return fmt.Errorf("%s does not answer: %s", r.title(), reason(silent.error))
	}
	return err
}

func notPaired(id string) error {
	return fmt.Errorf("no accessory with the id %s is paired with us", id)
}

// silentError says that no session came about.
type silentError struct{ error }

// Unwrap is why.
func (e *silentError) Unwrap() error { return e.error }

// openFor opens a session at the first of the addresses where the accessory answers, else where it is seen now, and has
// something done in it.
func (a *Adapter) openFor(ctx context.Context, r record, addresses []string, do func(context.Context, session) error) error {
	s, err := a.openAny(ctx, r, addresses)
	if err != nil && !errors.Is(err, hap.ErrPairingRemoved) && ctx.Err() == nil && r.id() != "" {
		for _, found := range a.seen(ctx, r) {
			if !slices.Contains(addresses, found.Address) {
				s, err = a.openAt(ctx, r, found.Address)
			}
		}
	}
	if err != nil {
		return &silentError{err}
	}
	defer s.Close()
	return do(ctx, s)
}

// seen is the accessory as it announces itself now, if it does.
func (a *Adapter) seen(ctx context.Context, r record) []Announced {
	found, err := a.look(ctx, r.id())
	if err != nil {
		a.log.Debug("accessory: cannot look for accessories", "err", err)
	}
	return slices.DeleteFunc(found, func(f Announced) bool { return f.ID != r.id() || f.Bluetooth != (r.Bluetooth != nil) })
}

func (a *Adapter) openAny(ctx context.Context, r record, addresses []string) (session, error) {
	err := errors.New("its address is not known")
	for i, address := range addresses {
		if address == "" || slices.Contains(addresses[:i], address) {
			continue
		}
		var s session
		if s, err = a.openAt(ctx, r, address); err == nil || errors.Is(err, hap.ErrPairingRemoved) {
			return s, err
		}
	}
	return nil, err
}

// openAt opens a session over the way on which the accessory is.
func (a *Adapter) openAt(ctx context.Context, r record, address string) (session, error) {
	if r.Bluetooth == nil {
		ctx, cancel := context.WithTimeout(ctx, connectTime)
		defer cancel()
		s, err := a.options.Dial.Connect(ctx, address, r.Pairing, nil)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	p, err := wake(ctx, a.options.Radio, address)
	if err != nil {
		return nil, err
	}
	s, err := ble.Open(ctx, p, r.Pairing, r.Bluetooth.Layout, r.Bluetooth.Layout.Configuration)
	if err != nil {
		return nil, err
	}
	return &airSession{Session: s}, nil
}
