package accessory

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// TakenError says that an accessory belongs to another controller, so that its setup code is of no use.
type TakenError struct{ Accessory Announced }

// Error says what to do in one sentence.
func (e *TakenError) Error() string {
	return fmt.Sprintf("%s is paired with another controller: remove it from Apple Home first, it comes back there through our bridge", e.Accessory)
}

// ErrNotAdded says that an accessory does not know us yet: its owner has to add us.
var ErrNotAdded = errors.New("it does not know us yet: its owner has to add us as a controller")

// Join makes us a further controller of an accessory whose owner has added us. It is named by its HomeKit id; address,
// host:port, is needed where it does not announce itself. key is its long-term public key, which only its owner can tell
// us: without it anybody in the LAN could play the accessory. The pairing is durable when Join returns, and takes effect
// at once while Run goes on. ErrNotAdded says that the owner has not done his part.
func (a *Adapter) Join(ctx context.Context, id, address string, key ed25519.PublicKey, room string) (Paired, error) {
	a.pairing.Lock()
	defer a.pairing.Unlock()
	target, err := a.joinable(ctx, normalID(id), address)
	if err != nil {
		return Paired{}, err
	}
	me, err := identity(a.options.Vault)
	if err != nil {
		return Paired{}, err
	}
	r := record{Name: target.Name, Model: target.Model, Room: strings.TrimSpace(room), Features: target.Features, Paired: time.Now(),
		Pairing: hap.Pairing{AccessoryID: strings.ToUpper(target.ID), AccessoryKey: key, Address: target.Address, Controller: me}}
	if target.Bluetooth {
		r.Bluetooth = &bluetooth{}
	}
	if err := a.knock(ctx, r); err != nil {
		return Paired{}, err
	}
	if err := a.keep(&r); err != nil {
		return Paired{}, err
	}
	if h := a.current(); h != nil {
		h.begin(r)
	}
	a.log.Info("accessory: joined", "accessory", r.title(), "id", r.id())
	return r.paired(), nil
}

// joinable finds an accessory that has an owner, and is not ours already.
func (a *Adapter) joinable(ctx context.Context, id, address string) (Announced, error) {
	if !hardwareID.MatchString(id) {
		return Announced{}, fmt.Errorf("%q is no HomeKit id such as 12:34:56:78:9a:bc", id)
	}
	_, err := a.options.Vault.Get(pairingPrefix + id)
	switch {
	case err == nil:
		return Announced{}, fmt.Errorf("%s is paired with us already", id)
	case !errors.Is(err, fs.ErrNotExist):
		return Announced{}, fmt.Errorf("read the pairing with %s: %w", id, err)
	}
	if address != "" {
		return Announced{ID: id, Address: address}, nil
	}
	target, err := a.locate(ctx, id)
	if announced := target != (Announced{ID: id, Address: target.Address}); err == nil && announced && !target.Paired {
		err = fmt.Errorf("%s has no owner: veilleuse pair %s CODE makes us that", target, id)
	}
	return target, err
}

// knock proves both ends by pair-verify.
func (a *Adapter) knock(ctx context.Context, r record) error {
	s, err := a.openAt(ctx, r, r.Pairing.Address)
	switch {
	case err == nil:
		return s.Close()
	case errors.Is(err, hap.ErrPairingRemoved):
		return fmt.Errorf("%s: %w", r.title(), ErrNotAdded)
	case errors.Is(err, hap.ErrOtherAccessory):
		return fmt.Errorf("%s: what answers at %s does not prove itself by that key: take the accessory's own public key, AccessoryLTPK, from its owner",
			r.title(), r.Pairing.Address)
	}
	return fmt.Errorf("%s does not answer: %s", r.title(), reason(err))
}
