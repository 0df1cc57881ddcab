package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// care is what the page can do to keep the house: what the verbs do.
func (h *house) care(c Config) *web.Care {
	return &web.Care{
		Sealed: func() bool { return c.Backup.KeyFile != "" },
		Pack:   h.packFor,
		Keep: func(now time.Time) (string, error) {
			made, err := h.makeBackup(now, h.dated())
			if err == nil && made.Fault != "" {
				err = fmt.Errorf("a backup is in %s, but there is none in %s: %s", made.Folder, made.Second, made.Fault)
			}
			return made.Folder, err
		},
		Upload: h.uploads.take, Look: h.look, Restore: h.comeBack,
		Pairings: h.allPairings,
		Controllers: func(ctx context.Context, id string) ([]web.Controller, error) {
			report, err := h.pairings(ctx, pairingsRequest{ID: id})
			return report.Controllers, err
		},
		Remove: func(ctx context.Context, id, controller string) error {
			_, err := h.pairings(ctx, pairingsRequest{ID: id, Remove: controllerID(controller)})
			return err
		},
		Unpair: h.unpair,
		Share: func(ctx context.Context, s web.Share) (web.Shared, error) {
			s.Controller = controllerID(s.Controller)
			return h.share(ctx, s)
		},
		Bundle: h.bundle,
	}
}

// dated reports whether the clock of the house can be believed.
func (h *house) dated() bool {
	trust := h.page.Trust()
	return trust == gateway.TrustSynced || trust == gateway.TrustHoldover
}

// packFor returns the file of a backup: with the house's own key, else with a passphrase, else in clear.
func (h *house) packFor(now time.Time, passphrase string) ([]byte, bool, error) {
	if h.config.Backup.KeyFile != "" || passphrase == "" {
		packed, err := h.pack(now, h.dated())
		return packed.File, packed.Sealed, err
	}
	key, err := backup.ReadKey([]byte(passphrase))
	if err != nil {
		return nil, false, fmt.Errorf("the passphrase: %w", err)
	}
	file, err := h.backup.PackWith(key, now, h.dated())
	return file, true, err
}

// look opens the backup that was uploaded, and compares it with what is here.
func (h *house) look(id, passphrase string) (web.Restorable, error) {
	file, err := h.uploads.file(id)
	if err != nil {
		return web.Restorable{}, err
	}
	key, err := h.keyTo(file, passphrase)
	if err != nil {
		return web.Restorable{}, err
	}
	there, err := openBackup("the backup", file, key.Frugal())
	if err != nil {
		return web.Restorable{}, faultOf(err)
	}
	content, err := h.backupContent()
	if err != nil {
		return web.Restorable{}, err
	}
	present := opened{name: "the state here", content: content}
	present.copied, err = store.ReadCopy(content.Values)
	if present, err = present.understood(err); err != nil {
		return web.Restorable{}, err
	}
	if present.content.House, err = h.bridgeID(); err != nil {
		return web.Restorable{}, err
	}
	h.uploads.looked(id, there)
	r := web.Restorable{ID: id, Made: there.content.Made, Dated: there.content.Dated, Program: there.content.Program, Sealed: there.sealed,
		Records: len(there.content.Values), There: there.contents(), Here: present.contents()}
	for _, f := range there.content.Files {
		path := there.target(f, h.locality())
		r.Files = append(r.Files, web.RestoredFile{Path: path, Role: f.Role, Fate: fateOf(path, f)})
	}
	return r, nil
}

// keyTo is the key to a file that was uploaded: what was typed, else the house's own; none for a file in clear. While there is
// none that could be it, the file waits for another to be typed.
func (h *house) keyTo(file []byte, typed string) (*backup.Key, error) {
	if !backup.IsSealed(file) {
		return nil, nil
	}
	if typed == "" {
		key, err := backupKey(h.config)
		if err != nil {
			return nil, web.ErrNeedsKey // why its own cannot be read, is said where backups are made
		}
		return key, nil
	}
	key, err := backup.ReadKey([]byte(typed))
	if err != nil {
		return nil, web.ErrWrongKey
	}
	return key, nil
}

// faultOf is what the page has words for.
func faultOf(err error) error {
	for _, f := range []struct{ known, said error }{
		{backup.ErrForeign, web.ErrNotBackup}, {backup.ErrDamaged, web.ErrDamaged}, {backup.ErrNewer, web.ErrNewer}, {backup.ErrNoKey, web.ErrNeedsKey}, {backup.ErrWrongKey, web.ErrWrongKey},
	} {
		if errors.Is(err, f.known) {
			return f.said
		}
	}
	return err
}

// contents is what is told of a house, on the page and by veilleuse restore --verify.
func (r opened) contents() web.Contents {
	goesOn := 0
	if r.lasting.Outage != nil {
		goesOn = 1
	}
	return web.Contents{Home: r.content.Home, Bridge: r.content.House, Controllers: r.secrets.controllers, Accessories: r.secrets.accessories, SignedIn: r.secrets.signIns > 0,
		Rooms: r.lasting.Rooms.Len(), Devices: r.lasting.Devices.Len(), Outages: len(r.lasting.Outages) + goesOn, Decisions: len(r.lasting.Decisions), State: r.lasting.Version}
}

// allPairings lists who is paired with whom.
func (h *house) allPairings() (web.Pairings, error) {
	all := web.Pairings{Accessories: []web.PairedAccessory{}, Bridges: []web.OwnBridge{}}
	paired, err := h.accessory.Paired()
	if err != nil {
		return all, err
	}
	for _, p := range paired {
		one := web.PairedAccessory{ID: p.ID, Name: p.Name, Model: p.Model, Address: p.Address, Bluetooth: p.Bluetooth, Room: p.Room, Since: p.Since}
		for _, d := range p.Devices {
			one.Devices = append(one.Devices, string(d))
		}
		all.Accessories = append(all.Accessories, one)
	}
	bridges, err := h.bridge.Bridges()
	for _, b := range bridges {
		one := web.OwnBridge{ID: b.ID, Name: b.Name, Controllers: []web.Controller{}}
		for _, c := range b.Paired {
			one.Controllers = append(one.Controllers, web.Controller{ID: c.ID, Admin: c.Admin})
		}
		all.Bridges = append(all.Bridges, one)
	}
	return all, err
}
