package accessory

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Controller is one controller that an accessory is paired with.
type Controller struct {
	ID    string            // as it calls itself; accessories compare it byte by byte
	Key   ed25519.PublicKey // long-term; nil where the accessory does not tell it
	Admin bool              // may add and remove controllers
	Own   bool              // it is us
}

// longestControllerID bounds what a controller may call itself, in bytes; Apple's are UUIDs of 36 characters.
const longestControllerID = 64

// Check says what is wrong with a controller that an accessory is to know.
func (c Controller) Check() error {
	odd := func(r rune) bool { return !unicode.IsGraphic(r) || r == unicode.ReplacementChar }
	switch {
	case c.ID == "" || len(c.ID) > longestControllerID || strings.ContainsFunc(c.ID, odd):
		return fmt.Errorf("%.80q is no controller's id: one has 1 to %d characters, and most are UUIDs", c.ID, longestControllerID)
	case len(c.Key) != ed25519.PublicKeySize:
		return fmt.Errorf("the public key has %d bytes: an Ed25519 key has %d", len(c.Key), ed25519.PublicKeySize)
	case bytes.Equal(c.Key, make([]byte, ed25519.PublicKeySize)):
		return errors.New("the public key is nothing but zeros: anybody could sign for it")
	}
	return nil
}

// Identity is who we are towards accessories: what another controller needs to let us join.
func (a *Adapter) Identity() (Controller, error) {
	me, err := identity(a.options.Vault)
	return Controller{ID: me.ID, Key: me.Public(), Own: true}, err
}

// Controllers lists the controllers of a paired accessory, which is named by its HomeKit id: us first, then by id. Only
// an admin may ask.
func (a *Adapter) Controllers(ctx context.Context, id string) (all []Controller, err error) {
	err = a.use(ctx, id, func(ctx context.Context, r record, s session) error {
		all, err = list(ctx, r, s)
		return err
	})
	return all, err
}

func list(ctx context.Context, r record, s session) ([]Controller, error) {
	known, err := s.Pairings(ctx)
	if err != nil {
		return nil, notAdmin(r, err)
	}
	all := make([]Controller, 0, len(known))
	for _, c := range known {
		all = append(all, Controller{ID: c.ID, Key: c.Key, Admin: c.Admin, Own: c.ID == r.Pairing.Controller.ID})
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Own != all[j].Own {
			return all[i].Own
		}
		return all[i].ID < all[j].ID
	})
	return all, nil
}

// notAdmin says in words what an accessory's refusal means.
func notAdmin(r record, err error) error {
	var refused *hap.PairingError
	if errors.As(err, &refused) && refused.Code == hap.ErrorAuthentication {
		return fmt.Errorf("%s knows us as a controller that is no admin: only its admins list, add and remove controllers", r.title())
	}
	return fmt.Errorf("%s: %w", r.title(), err)
}

// RemoveController makes a paired accessory forget another controller.
func (a *Adapter) RemoveController(ctx context.Context, id, controller string) error {
	return a.use(ctx, id, func(ctx context.Context, r record, s session) error {
		if controller == r.Pairing.Controller.ID {
			return fmt.Errorf("that is Veilleuse itself: veilleuse unpair %s ends our own pairing", r.id())
		}
		all, err := list(ctx, r, s)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(all, func(c Controller) bool { return c.ID == controller }) {
			return fmt.Errorf("%s has no controller %q: veilleuse pairings %s lists them", r.title(), controller, r.id())
		}
		if err := s.RemovePairing(ctx, controller); err != nil {
			return notAdmin(r, err)
		}
		a.log.Info("accessory: a controller was removed", "accessory", r.title(), "controller", controller)
		return nil
	})
}

// Shared is what a controller that was added needs to know of the accessory.
type Shared struct {
	AccessoryID  string            // as it calls itself in pair-verify: upper case
	AccessoryKey ed25519.PublicKey // long-term
	Name         string
	Address      string // host:port, or that of its radio
	Bluetooth    bool
}

// Share makes a paired accessory know another controller, or changes whether one that it knows is an admin, and checks
// that it does.
func (a *Adapter) Share(ctx context.Context, id string, with Controller) (shared Shared, err error) {
	if err := with.Check(); err != nil {
		return Shared{}, err
	}
	err = a.use(ctx, id, func(ctx context.Context, r record, s session) error {
		shared = Shared{AccessoryID: r.Pairing.AccessoryID, AccessoryKey: r.Pairing.AccessoryKey, Name: r.title(),
			Address: r.Pairing.Address, Bluetooth: r.Bluetooth != nil}
		return a.share(ctx, r, s, with)
	})
	return shared, err
}

func (a *Adapter) share(ctx context.Context, r record, s session, with Controller) error {
	before, err := list(ctx, r, s)
	if err != nil {
		return err
	}
	if with.ID == r.Pairing.Controller.ID {
		return errors.New("that is Veilleuse itself: name the other controller")
	}
	if at := slices.IndexFunc(before, func(c Controller) bool { return c.ID == with.ID }); at >= 0 &&
		before[at].Key != nil && !bytes.Equal(before[at].Key, with.Key) {
		return fmt.Errorf("%s knows %s with another key: veilleuse pairings %s --remove %s first, if it is really to be replaced",
			r.title(), with.ID, r.id(), with.ID)
	}
	if err := s.AddPairing(ctx, hap.PairedController{ID: with.ID, Key: with.Key, Admin: with.Admin}); err != nil {
		return notAdmin(r, err)
	}
	after, err := list(ctx, r, s)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(after, func(c Controller) bool { return c.ID == with.ID && c.Admin == with.Admin }) {
		return fmt.Errorf("%s said yes, but does not list %s among its controllers", r.title(), with.ID)
	}
	a.log.Info("accessory: shared with another controller", "accessory", r.title(), "controller", with.ID, "admin", with.Admin)
	return nil
}

// onlyThroughUs lists the controllers that an accessory forgets with us, as it does when its last admin goes. It is nil
// where that cannot be known.
func onlyThroughUs(ctx context.Context, s session, own string) []Controller {
	known, err := s.Pairings(ctx)
	if err != nil {
		return nil
	}
	var others []Controller
	for _, c := range known {
		switch {
		case c.ID == own:
		case c.Admin:
			return nil
		default:
			others = append(others, Controller{ID: c.ID, Key: c.Key})
		}
	}
	return others
}
