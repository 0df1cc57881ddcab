package main

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/veilleuse/veilleuse/adapters/camera"
	"github.com/veilleuse/veilleuse/adapters/clock"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/gateway"
)

// wireVendor makes what reaches the vendor, which tells the cameras their keys.
func (h *house) wireVendor(c Config, cameras *camera.Adapter, log *slog.Logger, world outside) (err error) {
	h.cloud, err = cloudOptions(c, h.store.Vault(gateway.CloudAdapter), log)
	h.cloud.Deadline = world.deadline
	h.cloud.Purse = netatmo.NewPurse(c.Netatmo.BudgetPerHour) // one for all that asks the vendor
	h.cloud.Cameras = func(a netatmo.CameraAccess) { cameras.Learn(camera.Access(a)) }
	h.vendor = netatmo.New(h.cloud)
	return err
}

// cloudOptions are the settings of the vendor's adapter by the configuration alone. The error is that of the secret's file.
func cloudOptions(c Config, vault gateway.Vault, log *slog.Logger) (netatmo.Options, error) {
	o := netatmo.Options{URL: c.Netatmo.URL, ClientID: c.Netatmo.ClientID, Home: c.Home.ID, BudgetPerHour: c.Netatmo.BudgetPerHour, Vault: vault, Log: log}
	if c.Netatmo.ClientSecretFile != "" {
		secret, err := os.ReadFile(c.Netatmo.ClientSecretFile)
		if err != nil {
			return o, fmt.Errorf("netatmo.client_secret_file: %w", err)
		}
		o.ClientSecret = strings.TrimSpace(string(secret))
	}
	return o, nil
}

// proberOptions are the settings of the prober, which pays out of the same purse as all that asks the vendor.
func (h *house) proberOptions(c Config, world outside) uplink.Options {
	o := uplinkOptions(c, world)
	o.Purse = h.cloud.Purse
	return o
}

func uplinkOptions(c Config, world outside) uplink.Options {
	if world.uplink.URL != "" {
		return world.uplink
	}
	o := uplink.Options{URL: c.Netatmo.URL, Witnesses: c.Uplink.Witnesses}
	if len(c.Uplink.Resolvers) > 0 { // none named is the system's, never none at all
		o.Resolvers = c.Uplink.Resolvers
	}
	return o
}

// clockAdapter judges the wall clock; no time before the newest that was ever stored can be right.
func clockAdapter(c Config, world outside, first gateway.State) gateway.Adapter {
	if world.clock != nil {
		return world.clock
	}
	o := clockOptions(c)
	o.Floor = first.Home.Copied
	for _, d := range first.Decisions {
		if d.At.After(o.Floor) {
			o.Floor = d.At
		}
	}
	return clock.New(o)
}

// vendorHere reports whether the vendor is on a loopback address, which is so where somebody tests: then
// cameras may be there, too.
func vendorHere(c Config) bool {
	u, err := url.Parse(c.Netatmo.URL)
	return err == nil && onLoopback(u)
}

// clockOptions says who may be asked for the time. Where the vendor is on a loopback address somebody
// tests: then nobody is asked who is not named, and no web server outside even so.
func clockOptions(c Config) clock.Options {
	o := clock.Options{Servers: c.Clock.Servers, Dates: c.Clock.Dates}
	if !vendorHere(c) {
		if o.Dates == nil {
			o.Dates = clock.DefaultDates()
		}
		return o
	}
	if o.Servers == nil {
		o.Servers = []string{}
	}
	if slices.ContainsFunc(o.Dates, func(s string) bool { return !onLoopback(&url.URL{Host: s}) }) {
		o.Dates = nil
	}
	return o
}
