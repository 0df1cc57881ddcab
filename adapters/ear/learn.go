package ear

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// vaultKey begins the keys of signatures.
const vaultKey = "signature/"

// Learnt returns the learnt signatures by name, and an error for each that the vault holds and nobody can
// read; those stay where they are.
func (a *Adapter) Learnt() ([]Signature, []error, error) {
	keys, err := a.options.Vault.List(vaultKey)
	if err != nil {
		return nil, nil, err
	}
	var all []Signature
	var damaged []error
	for _, k := range keys {
		data, err := a.options.Vault.Get(k)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		s, err := DecodeSignature(data)
		if err != nil {
			damaged = append(damaged, fmt.Errorf("%s: %w", strings.TrimPrefix(k, vaultKey), err))
			continue
		}
		all = append(all, s)
	}
	return all, damaged, nil
}

// Wanted is what a person asks to be learnt.
type Wanted struct {
	Name string           `json:"name"`
	Kind gateway.Quantity `json:"kind,omitempty"` // smoke or co; "": by the cadence
	Room string           `json:"room,omitempty"`
}

// Patience is how long a person has to press the test button and keep it pressed.
const Patience = 75 * time.Second

// Learn listens while a person presses a detector's test button, and keeps the signature. It raises no alarm
// meanwhile, nor for a quarter of a minute afterwards. The strings are what a person ought to know.
func (a *Adapter) Learn(ctx context.Context, w Wanted) (Signature, []string, error) {
	asked := Signature{Name: w.Name, Kind: w.Kind, Room: w.Room, Frequency: 3000, Cadence: Cadence{Shape: Continuous}}
	if w.Kind == "" {
		asked.Kind = gateway.Smoke
	}
	if err := asked.Check(); err != nil {
		return Signature{}, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	a.count(1)
	defer a.count(-1)
	l := NewLearner()
	err := a.each(ctx, func(s []int16) bool { return !l.Write(s) })
	if err != nil && !errors.Is(err, errEnded) && !errors.Is(err, context.DeadlineExceeded) {
		return Signature{}, nil, err
	}
	s, err := l.Signature()
	if err != nil {
		return Signature{}, nil, err
	}
	s.Name, s.Room, s.Learnt = w.Name, w.Room, time.Now().UTC().Truncate(time.Second)
	if w.Kind != "" {
		s.Kind = w.Kind
	}
	said, err := a.keep(s)
	return s, said, err
}

// keep stores a signature, in place of one of the same name, and says what it cannot be told from.
func (a *Adapter) keep(s Signature) ([]string, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	known, _, err := a.Learnt()
	if err != nil {
		return nil, err
	}
	said := []string{}
	for _, o := range known {
		if o.Device() != s.Device() && o.alike(s) {
			said = append(said, fmt.Sprintf("it sounds just like %s: the ear cannot tell one from the other", o.Name))
		}
	}
	data, err := s.encode()
	if err == nil {
		err = a.options.Vault.Set(vaultKey+slug(s.Name), data)
	}
	if err != nil {
		return nil, fmt.Errorf("keep the signature of %s: %w", s.Name, err)
	}
	a.tell()
	return said, nil
}

// Forget removes a learnt signature by its name.
func (a *Adapter) Forget(name string) error {
	known, _, err := a.Learnt()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(known, func(s Signature) bool { return slug(s.Name) == slug(name) })
	if i < 0 {
		var names []string
		for _, s := range known {
			names = append(names, s.Name)
		}
		if len(names) == 0 {
			names = []string{"none"}
		}
		return fmt.Errorf("no signature of the name %q was learnt; known are: %s", name, strings.Join(names, ", "))
	}
	if err := a.options.Vault.Delete(vaultKey + slug(name)); err != nil {
		return fmt.Errorf("forget %s: %w", name, err)
	}
	a.tell()
	return nil
}

// tell lets Run know that the signatures have changed.
func (a *Adapter) tell() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

func (a *Adapter) count(by int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pupils += by
}

// learning reports whether somebody is pressing a test button to have it learnt.
func (a *Adapter) learning() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pupils > 0
}

// each hands samples to take until it says no: those that Run hears, or without Run those of the microphone,
// which is opened for it.
func (a *Adapter) each(ctx context.Context, take func([]int16) bool) error {
	if a.options.Microphone == "" {
		return errors.New("there is no microphone: name one as ear.microphone in the configuration (arecord -L lists them)")
	}
	a.mu.Lock()
	running, fault := a.running, a.fault
	tap := make(chan []int16, 64)
	if running {
		a.taps[tap] = true
	}
	a.mu.Unlock()
	if !running {
		if err := listen(ctx, a.options.Microphone, a.options.Program, take); err != nil {
			return err
		}
		return ctx.Err()
	}
	defer func() {
		a.mu.Lock()
		delete(a.taps, tap)
		a.mu.Unlock()
	}()
	if fault != "" {
		return errors.New(fault)
	}
	for {
		select {
		case s := <-tap:
			if !take(s) {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
