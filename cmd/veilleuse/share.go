package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"text/tabwriter"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/web"
)

// sharing is what the verbs can ask about the controllers of accessories.
type sharing interface {
	pairings(context.Context, pairingsRequest) (pairingsReport, error)
	share(context.Context, web.Share) (web.Shared, error)
	ourselves() (ourselves, error)
	join(context.Context, joinRequest) (pairAnswer, error)
}

// pairingsRequest is what veilleuse pairings sends.
type pairingsRequest struct {
	ID     string `json:"id"`
	Remove string `json:"remove,omitempty"` // a controller
}

// pairingsReport lists the controllers of an accessory.
type pairingsReport struct {
	ID          string           `json:"id"`
	Removed     string           `json:"removed,omitempty"`
	Controllers []web.Controller `json:"controllers"`
}

// pairingsVerb lists the controllers of an accessory, or removes one.
func pairingsVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("pairings").withJSON()
	var request pairingsRequest
	o.set.StringVar(&request.Remove, "remove", "", "")
	rest, err := o.parse(args, 1)
	if err != nil {
		return err
	}
	request.ID, request.Remove = rest[0], controllerID(request.Remove)
	var r pairingsReport
	err = o.ask(ctx, "POST", "/pairings", request, &r, func(h *house) (err error) {
		r, err = h.pairings(ctx, request)
		return err
	})
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(c.out, r)
	}
	r.print(c)
	return nil
}

func (r pairingsReport) print(c console) {
	if r.Removed != "" {
		fmt.Fprintf(c.out, "%s has forgotten %q\n", r.ID, r.Removed)
	}
	table := tabwriter.NewWriter(c.out, 2, 4, 2, ' ', 0)
	others, admins, own := 0, 0, false
	for _, one := range r.Controllers {
		who, may := "", "user"
		if one.Admin {
			may = "admin"
		}
		switch {
		case one.Own:
			who, own = "this Veilleuse", one.Admin
		case one.Admin:
			admins++
			fallthrough
		default:
			others++
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", printable(one.ID), may, who)
	}
	table.Flush()
	switch {
	case own && admins == 0 && others > 0:
		fold(c.out, "", fmt.Sprintf("We are its only admin: with veilleuse unpair %s it would forget all others, too.", r.ID))
	case own && admins == 0:
		fold(c.out, "", fmt.Sprintf("Nobody else may control it; veilleuse unpair %s frees it, veilleuse share adds another controller.", r.ID))
	}
}

// printable is a controller's id as it may be shown: it can be any bytes.
func printable(id string) string {
	if quoted := strconv.Quote(id); quoted != `"`+id+`"` {
		return quoted
	}
	return id
}

// shareVerb makes an accessory know another controller.
func shareVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("share").withJSON()
	user := o.set.Bool("user", false, "")
	rest, err := o.parse(args, 3)
	if err != nil {
		return err
	}
	request := web.Share{ID: rest[0], Controller: controllerID(rest[1]), Key: rest[2], Admin: !*user}
	if _, err := controllerOf(request); err != nil {
		return err
	}
	var r web.Shared
	err = o.ask(ctx, "POST", "/share", request, &r, func(h *house) (err error) {
		r, err = h.share(ctx, request)
		return err
	})
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(c.out, r)
	}
	may := "an admin"
	if *user {
		may = "a user, no admin,"
	}
	fold(c.out, "", fmt.Sprintf("%s knows %s as %s now. That controller needs:", r.Name, request.Controller, may))
	fmt.Fprintf(c.out, "  AccessoryPairingID  %s\n  AccessoryLTPK       %s\n  address             %s\n", r.AccessoryPairingID, r.AccessoryLTPK, addressOf(r))
	fold(c.out, "", fmt.Sprintf("Another Veilleuse takes them by: veilleuse pair %s --join --key %s", r.AccessoryPairingID, r.AccessoryLTPK))
	return nil
}

// addressOf is where the other controller finds the accessory: host:port, or the address of its radio.
func addressOf(r web.Shared) string {
	if r.AccessoryIP == "" {
		return r.AccessoryAddress
	}
	return net.JoinHostPort(r.AccessoryIP, strconv.Itoa(r.AccessoryPort))
}

// pairings lists the controllers of an accessory, after one was removed if that is asked.
func (h *house) pairings(ctx context.Context, r pairingsRequest) (pairingsReport, error) {
	report := pairingsReport{ID: r.ID, Removed: r.Remove, Controllers: []web.Controller{}}
	if r.Remove != "" {
		if err := h.accessory.RemoveController(ctx, r.ID, r.Remove); err != nil {
			return report, err
		}
	}
	all, err := h.accessory.Controllers(ctx, r.ID)
	for _, one := range all {
		report.Controllers = append(report.Controllers, web.Controller{ID: one.ID, Key: hex.EncodeToString(one.Key), Admin: one.Admin, Own: one.Own})
	}
	return report, err
}

// share makes an accessory know another controller.
func (h *house) share(ctx context.Context, r web.Share) (web.Shared, error) {
	with, err := controllerOf(r)
	if err != nil {
		return web.Shared{}, err
	}
	s, err := h.accessory.Share(ctx, r.ID, with)
	if err != nil {
		return web.Shared{}, err
	}
	report := web.Shared{AccessoryPairingID: s.AccessoryID, AccessoryLTPK: hex.EncodeToString(s.AccessoryKey), Connection: "IP", Name: s.Name}
	if s.Bluetooth {
		report.Connection, report.AccessoryAddress = "BLE", s.Address
		return report, nil
	}
	host, port, err := net.SplitHostPort(s.Address)
	if err == nil {
		report.AccessoryIP = host
		report.AccessoryPort, err = strconv.Atoi(port)
	}
	if err != nil {
		return web.Shared{}, fmt.Errorf("the address of %s: %w", s.Name, err)
	}
	return report, nil
}

// controllerOf is the controller that an accessory is to know; the error says what is wrong with it.
func controllerOf(r web.Share) (accessory.Controller, error) {
	key, err := parseKey(r.Key)
	if err != nil {
		return accessory.Controller{}, fmt.Errorf("the controller's key: %w", err)
	}
	c := accessory.Controller{ID: r.Controller, Key: key, Admin: r.Admin}
	return c, c.Check()
}

func controllerNames(all []accessory.Controller) []string {
	var names []string
	for _, c := range all {
		names = append(names, printable(c.ID))
	}
	return names
}

// parseKey reads an Ed25519 public key: 64 hexadecimal digits, as aiohomekit and hap-controller keep it, or base64.
func parseKey(text string) (ed25519.PublicKey, error) {
	key, err := hex.DecodeString(text)
	if err != nil {
		key, err = base64.StdEncoding.DecodeString(text)
	}
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%.80q is no Ed25519 public key: one has 64 hexadecimal digits, or 44 characters of base64", text)
	}
	if bytes.Equal(key, make([]byte, len(key))) {
		return nil, errors.New("a key of nothing but zeros is none: anybody could sign for it")
	}
	return key, nil
}

var uuidShape = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// controllerID is a controller's id as accessories know it. hap-controller keeps its own as the hexadecimal digits of a
// UUID's characters, which is taken for what it means.
func controllerID(text string) string {
	if plain, err := hex.DecodeString(text); err == nil && uuidShape.Match(plain) {
		return string(plain)
	}
	return text
}

// sharingRoutes are those of the control socket for the controllers of accessories.
func (c *control) sharingRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /identity", answer(func(*http.Request) (any, error) { return c.house.ourselves() }))
	mux.HandleFunc("POST /pairings", answer(asked(c.house.pairings)))
	mux.HandleFunc("POST /share", answer(asked(c.house.share)))
	mux.HandleFunc("POST /join", answer(asked(c.house.join)))
}
