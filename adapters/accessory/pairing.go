package accessory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/gateway"
)

// Paired is an accessory server that is paired with us.
type Paired struct {
	ID      string // HomeKit id
	Name    string
	Model   string
	Address string // where it was last met: host:port, or that of its radio
	// Bluetooth says that it is on Bluetooth LE.
	Bluetooth bool
	Room      string // given when it was paired
	Since     time.Time
	Devices   []gateway.DeviceID // that were ever behind it, sorted
	// Only while Run goes on:
	Live          bool   // there is a session
	Why           string // why there is none
	NotUnderstood []Remainder
}

// ErrOnlyForgotten says that Unpair has deleted our half of a pairing, but could not tell the accessory.
var ErrOnlyForgotten = errors.New("it is forgotten here, but did not answer: reset it before it is paired with anything again")

// ErrAbsent says that an accessory is not to be found.
var ErrAbsent = errors.New("announces itself on the LAN or over Bluetooth: is it on, near, and in the same network?")

// Discover looks for accessories on the LAN and on Bluetooth LE once, which takes some seconds, and returns them in the
// order of their names.
func (a *Adapter) Discover(ctx context.Context) ([]Announced, error) { return a.look(ctx, "") }

// look is Discover, with a wanted id for which the ear on Bluetooth waits no longer than it must.
func (a *Adapter) look(ctx context.Context, wanted string) ([]Announced, error) {
	inAir := make(chan []Announced, 1)
	go func() { inAir <- a.sweepAir(ctx, wanted) }()
	found, err := a.options.Browse(ctx)
	air := <-inAir
	if err != nil && len(air) == 0 {
		return nil, err
	}
	var own []string
	if a.options.Own != nil {
		own = a.options.Own()
	}
	byID := map[string]Announced{}
	for _, f := range append(air, found...) { // on the LAN, where it is on both, is the better way
		f.ID = normalID(f.ID)
		if !slices.ContainsFunc(own, func(own string) bool { return normalID(own) == f.ID }) {
			byID[f.ID] = f
		}
	}
	all := make([]Announced, 0, len(byID))
	for _, f := range byID {
		all = append(all, f)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Name != all[j].Name {
			return all[i].Name < all[j].Name
		}
		return all[i].ID < all[j].ID
	})
	return all, nil
}

// Pair pairs with an accessory, which is named by its HomeKit id or by host:port, using the setup code on its label.
// room names where it stands; "" leaves that open. The pairing is durable when Pair returns, and takes effect at once
// while Run goes on.
func (a *Adapter) Pair(ctx context.Context, idOrAddress, code, room string) (Paired, error) {
	digits, err := setupDigits(code)
	if err != nil {
		return Paired{}, err
	}
	a.pairing.Lock()
	defer a.pairing.Unlock()
	target, err := a.locate(ctx, idOrAddress)
	if err != nil {
		return Paired{}, err
	}
	if err := a.mayPair(target); err != nil {
		return Paired{}, err
	}
	me, err := identity(a.options.Vault)
	if err != nil {
		return Paired{}, err
	}
	pairing, err := a.setUp(ctx, target, digits, me)
	if err != nil {
		return Paired{}, a.heed(target, err)
	}
	r := record{Pairing: pairing, Name: target.Name, Model: target.Model, Room: strings.TrimSpace(room),
		Features: target.Features, Paired: time.Now()}
	if target.Bluetooth {
		r.Bluetooth = &bluetooth{}
	}
	if err := a.keep(&r); err != nil {
		// A pairing that is not kept would lock the accessory to nobody.
		undone := a.openFor(context.WithoutCancel(ctx), r, []string{pairing.Address}, func(ctx context.Context, s session) error {
			return s.RemovePairing(ctx, me.ID)
		})
		return Paired{}, errors.Join(err, undone)
	}
	if h := a.current(); h != nil {
		h.begin(r)
	}
	a.log.Info("accessory: paired", "accessory", r.title(), "id", r.id())
	return r.paired(), nil
}

// setUp runs pair-setup over the way on which the accessory is.
func (a *Adapter) setUp(ctx context.Context, target Announced, digits string, me hap.Identity) (hap.Pairing, error) {
	if !target.Bluetooth {
		return a.options.Dial.PairSetup(ctx, target.Address, digits, me, target.Features)
	}
	p, err := wake(ctx, a.options.Radio, target.Address)
	if err != nil {
		return hap.Pairing{}, err
	}
	defer p.Close()
	pairing, err := ble.PairSetup(ctx, p, digits, me)
	pairing.Address = target.Address
	return pairing, err
}

// keep stores a new pairing, and the one it replaces as backup. The device ids of an accessory that is paired again
// stay what they were.
func (a *Adapter) keep(r *record) error {
	if before, err := loadRecord(a.options.Vault, r.id()); err == nil {
		r.Devices = before.Devices
		if r.Room == "" {
			r.Room = before.Room
		}
	}
	if err := keepPrevious(a.options.Vault, r.id()); err != nil {
		return err
	}
	return r.save(a.options.Vault)
}

// CheckCode says what is wrong with the spelling of a setup code; nil: nothing.
func CheckCode(code string) error {
	_, err := setupDigits(code)
	return err
}

// setupDigits brings a setup code, in whatever spelling, or the content of its QR code into the one form 123-45-678.
func setupDigits(code string) (string, error) {
	if strings.Contains(code, "://") {
		scanned, err := hap.ReadSetupURI(code)
		return string(scanned), err
	}
	digits := strings.NewReplacer("-", "", " ", "", ".", "", "\u00a0", "").Replace(code)
	if len(digits) != 8 || strings.Trim(digits, "0123456789") != "" {
		return "", errors.New("a setup code has eight digits, such as 123-45-678: it is on the device, its box or its manual")
	}
	return digits[:3] + "-" + digits[3:5] + "-" + digits[5:], nil
}

// locate finds the accessory that a person names. At a fixed address it need not announce itself; if it does, we learn
// how it wants to be paired.
func (a *Adapter) locate(ctx context.Context, idOrAddress string) (Announced, error) {
	wanted := strings.TrimSpace(idOrAddress)
	_, _, noAddress := net.SplitHostPort(wanted)
	id := normalID(wanted)
	isID := hardwareID.MatchString(id)
	if noAddress != nil && !isID {
		return Announced{}, fmt.Errorf("%q is neither a HomeKit id such as 12:34:56:78:9a:bc nor host:port", wanted)
	}
	found, err := a.look(ctx, id)
	for _, f := range found {
		if f.ID == id || f.Address == wanted {
			return f, nil
		}
	}
	switch {
	case !isID:
		return Announced{Address: wanted}, nil
	case a.configuredAddress(id) != "":
		return Announced{ID: id, Address: a.configuredAddress(id)}, nil
	case err != nil:
		return Announced{}, fmt.Errorf("%s cannot be looked for, give its host:port instead: %w", id, err)
	}
	return Announced{}, fmt.Errorf("no accessory with the id %s %w", id, ErrAbsent)
}

func (a *Adapter) configuredAddress(id string) string {
	for _, k := range a.options.Known {
		if normalID(k.ID) == id {
			return k.Address
		}
	}
	return ""
}

// mayPair says why an accessory is not to be paired.
func (a *Adapter) mayPair(target Announced) error {
	key := target.restKey()
	if wait := time.Until(a.rest[key]); wait > 0 {
		return fmt.Errorf("%s wants to be left alone: try again in %d s", target, int(wait.Seconds())+1)
	}
	if target.ID == "" || !target.Paired {
		return nil
	}
	_, err := a.options.Vault.Get(pairingPrefix + target.ID)
	switch {
	case err == nil:
		return fmt.Errorf("%s is paired with us already; to pair it anew, unpair or reset it first", target)
	case errors.Is(err, fs.ErrNotExist):
		return &TakenError{target}
	}
	return fmt.Errorf("read the pairing with %s: %w", target.ID, err)
}

// restKey is by what a device that wants to be left alone is remembered.
func (t Announced) restKey() string {
	if t.ID != "" {
		return t.ID
	}
	return t.Address
}

// heed remembers how long an accessory wants to be left alone after a wrong code, and tells one that has an owner apart.
func (a *Adapter) heed(target Announced, err error) error {
	var refusal *hap.PairingError
	if !errors.As(err, &refusal) {
		return err
	}
	switch refusal.Code {
	case hap.ErrorBackoff:
		wait := max(refusal.Retry, spacing)
		a.rest[target.restKey()] = time.Now().Add(wait)
		return fmt.Errorf("%s wants to be left alone for %d s: %w", target, int(wait.Seconds()), err)
	case hap.ErrorUnavailable:
		return &TakenError{target}
	}
	return err
}

// Unpair ends the pairing with an accessory, named by its HomeKit id, at both ends. ErrOnlyForgotten says that the
// accessory was not there to be told; our half is gone all the same. Where we were its last admin it has forgotten the
// controllers that are returned, too (HAP R2 5.11).
func (a *Adapter) Unpair(ctx context.Context, id string) (forgotten []Controller, err error) {
	a.pairing.Lock()
	defer a.pairing.Unlock()
	id = normalID(id)
	r, err := loadRecord(a.options.Vault, id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, notPaired(id)
	case errors.Is(err, errDamaged):
		r = record{Name: id}
	case err != nil:
		return nil, err
	}
	forgotten, told := a.farewell(ctx, id, &r)
	if err := a.forget(id); err != nil {
		if h := a.current(); h != nil {
			h.begin(r)
		}
		return nil, err
	}
	if h := a.current(); h != nil {
		for _, device := range r.Devices {
			h.port.Post(gateway.Gone{Device: device})
		}
	}
	if told != nil {
		a.log.Warn("accessory: forgotten, but it was not told", "accessory", r.title(), "err", told)
		return nil, fmt.Errorf("%s: %w (%s)", r.title(), ErrOnlyForgotten, reason(told))
	}
	a.log.Info("accessory: unpaired", "accessory", r.title())
	return forgotten, nil
}

// farewell tells an accessory that the pairing is over, in the session that there is or else in one made for it, and
// ends its keeper. r becomes what the keeper knew.
func (a *Adapter) farewell(ctx context.Context, id string, r *record) (forgotten []Controller, err error) {
	leave := func(ctx context.Context, s session) error {
		forgotten = onlyThroughUs(ctx, s, r.Pairing.Controller.ID)
		return s.RemovePairing(ctx, r.Pairing.Controller.ID)
	}
	addresses := []string{a.configuredAddress(id), r.Pairing.Address}
	told := false
	if h := a.current(); h != nil {
		if k := h.keeper(id); k != nil && k.isLive() {
			told = k.inSession(ctx, leave) == nil
		}
		if k := h.stop(id); k != nil {
			*r, addresses = k.stored()
		}
	}
	if told {
		return forgotten, nil
	}
	err = a.openFor(ctx, *r, addresses, leave)
	if errors.Is(err, hap.ErrPairingRemoved) {
		err = nil
	}
	return forgotten, err
}

// forget deletes our half of a pairing, which stays as backup.
func (a *Adapter) forget(id string) error {
	if err := keepPrevious(a.options.Vault, id); err != nil {
		return err
	}
	if err := a.options.Vault.Delete(pairingPrefix + id); err != nil {
		return fmt.Errorf("forget the pairing with %s: %w", id, err)
	}
	return nil
}

// Paired lists the accessory servers that are paired with us, in the order in which that happened.
func (a *Adapter) Paired() ([]Paired, error) {
	records, err := loadRecords(a.options.Vault, a.log)
	if err != nil {
		return nil, err
	}
	h := a.current()
	all := make([]Paired, 0, len(records))
	for _, r := range records {
		p := r.paired()
		if h != nil {
			if k := h.keeper(r.id()); k != nil {
				p = k.paired()
			}
		}
		all = append(all, p)
	}
	return all, nil
}

func (r record) paired() Paired {
	p := Paired{ID: r.id(), Name: r.Name, Model: r.Model, Address: r.Pairing.Address, Bluetooth: r.Bluetooth != nil,
		Room: r.Room, Since: r.Paired}
	for _, id := range r.Devices {
		p.Devices = append(p.Devices, id)
	}
	slices.Sort(p.Devices)
	return p
}

func (k *keeper) paired() Paired {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.record.paired()
	p.Live, p.Why, p.NotUnderstood = k.live, k.why, slices.Clone(k.left)
	return p
}

// stored is what is kept of the accessory, and where it may be.
func (k *keeper) stored() (record, []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.record.Bluetooth != nil && k.air.address != "" {
		return k.record, []string{k.air.address, k.record.Pairing.Address}
	}
	return k.record, k.candidates()
}
