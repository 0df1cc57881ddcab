package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/gateway"
)

// code is what the Home app needs to pair.
func (h *house) code() (codeReport, error) {
	all, err := h.bridge.Bridges()
	if err != nil {
		return codeReport{}, err
	}
	return codesOf(all), nil
}

// resetHome makes the bridges forget every controller of the Home app, and says what the new codes are.
func (h *house) resetHome(ctx context.Context) (codeReport, error) {
	if err := h.bridge.Reset(ctx); err != nil {
		return codeReport{}, err
	}
	return h.code()
}

// report is how the house stands.
func (h *house) report(s gateway.State) statusReport {
	r := report(s, h.notes())
	r.Store, r.Backup = h.reportDisk(s)
	r.Upgrade = h.rolledBack
	all, err := h.bridge.Bridges()
	if err != nil {
		return r // that the bridges do not run stands among the adapters
	}
	for _, b := range all {
		r.Bridges = append(r.Bridges, bridgeReport{b.Name, b.Listen, b.Controllers, b.Announced})
	}
	return r
}

// discover lists the accessories on the LAN and on Bluetooth, and the paired ones that do not announce themselves.
func (h *house) discover(ctx context.Context) ([]foundAccessory, error) {
	paired, err := h.accessory.Paired()
	if err != nil {
		return nil, err
	}
	found, err := h.accessory.Discover(ctx)
	if err != nil {
		return nil, err
	}
	all := []foundAccessory{}
	for _, a := range found {
		all = append(all, foundAs(a, paired))
	}
	for _, p := range paired {
		if !slices.ContainsFunc(all, func(f foundAccessory) bool { return strings.EqualFold(f.ID, p.ID) }) {
			all = append(all, foundAccessory{ID: p.ID, Name: p.Name, Model: p.Model, Address: p.Address, Via: transport(p.Bluetooth), Paired: "here"})
		}
	}
	return all, nil
}

// transport is how an accessory is reached.
func transport(bluetooth bool) string {
	if bluetooth {
		return "bluetooth"
	}
	return "lan"
}

// foundAs says whose an accessory is.
func foundAs(a accessory.Announced, paired []accessory.Paired) foundAccessory {
	found := foundAccessory{ID: a.ID, Name: a.Name, Model: a.Model, Address: a.Address, Via: transport(a.Bluetooth), Paired: "no"}
	if a.Paired {
		found.Paired = "elsewhere"
		found.Hint = fmt.Sprintf("veilleuse pair %s CODE says how to free it and waits, veilleuse pair %s --join makes us a second controller", a.ID, a.ID)
	}
	if slices.ContainsFunc(paired, func(p accessory.Paired) bool { return strings.EqualFold(p.ID, a.ID) }) {
		found.Paired, found.Hint = "here", ""
	}
	return found
}

// unpair ends a pairing, and says if the accessory itself could not be told, or has forgotten others with us.
func (h *house) unpair(ctx context.Context, id string) (string, error) {
	forgotten, err := h.accessory.Unpair(ctx, id)
	if errors.Is(err, accessory.ErrOnlyForgotten) {
		return err.Error(), nil
	}
	said := fmt.Sprintf("%s is no longer paired with this house", id)
	if len(forgotten) > 0 {
		said += "; we were its last admin, so it has forgotten " + strings.Join(controllerNames(forgotten), " and ") + ", too"
	}
	return said, err
}

// login stores the tokens of a sign-in, which are looked at at once.
func (h *house) login(token json.RawMessage) error {
	t, err := netatmo.ImportToken(bytes.NewReader(token))
	if err != nil {
		return err
	}
	return h.keepToken(t)
}

func (h *house) keepToken(t netatmo.Token) error {
	if err := netatmo.SaveToken(h.cloud.Vault, t); err != nil {
		return err
	}
	h.vendor.Hasten()
	if !h.cloud.HasApplication() {
		return errNoApplication
	}
	return nil
}

// errNoApplication says that tokens alone do not last.
var errNoApplication = errors.New("the token is stored, but nobody has said which application of yours at Netatmo it is for: put its id and secret into the configuration (netatmo.client_id, netatmo.client_secret_file), or give them to the page, or the token cannot be renewed")

// signedIn reports whether there are tokens.
func (h *house) signedIn() bool {
	return netatmo.SignedIn(h.cloud.Vault)
}
