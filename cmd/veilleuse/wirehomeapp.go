package main

import (
	"log/slog"

	"github.com/veilleuse/veilleuse/adapters/camera"
	"github.com/veilleuse/veilleuse/adapters/homekit"
)

// wireHomeApp makes the bridges for the Home app. That is not the house: heating and alarms go on without it.
func (h *house) wireHomeApp(c Config, cameras *camera.Adapter, log *slog.Logger, world outside) {
	h.bridge = homekit.New(homekit.Options{Listen: c.HomeKit.Listen, Name: c.HomeKit.Name, Vault: h.store.Vault("homekit"),
		Advertiser: advertiser(world.quiet, log), Cameras: cameras, Log: log})
	if _, err := h.bridge.Bridges(); err != nil {
		log.Error("the Home app cannot be served", "err", err)
	}
}

// ownIDs are the HomeKit ids of our own bridges.
func (h *house) ownIDs() []string {
	all, err := h.bridge.Bridges()
	if err != nil {
		return nil // the bridges themselves do not run then, and say why
	}
	var ids []string
	for _, b := range all {
		ids = append(ids, b.ID)
	}
	return ids
}

// advertiser announces the bridge, unless nobody is to know.
func advertiser(quiet bool, log *slog.Logger) homekit.Advertiser {
	if quiet {
		return nil
	}
	return homekit.DNSSD{Log: log}
}
