package main

import (
	"log/slog"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/ear"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/adapters/hap/ble/bluez"
	"github.com/veilleuse/veilleuse/gateway"
)

// wireDevices makes what reaches devices without the vendor.
func (h *house) wireDevices(c Config, log *slog.Logger, world outside) {
	h.accessory = accessory.New(accessory.Options{Vault: h.store.Vault(gateway.AccessoryAdapter), Known: knownAccessories(c), Browse: world.browse,
		Radio: radio(world), Own: h.ownIDs, Log: log})
	h.everybody = accessory.New(accessory.Options{Vault: h.store.Vault(gateway.AccessoryAdapter), Browse: world.browse, Log: log})
	h.ear = ear.New(ear.Options{Microphone: c.Ear.Microphone, Room: c.Ear.Room, Vault: h.store.Vault("ear"), Log: log})
}

func knownAccessories(c Config) []accessory.Known {
	var known []accessory.Known
	for _, a := range c.Accessories {
		known = append(known, accessory.Known{ID: a.ID, Address: a.Address, Room: a.Room, Siren: a.Siren})
	}
	return known
}

// radio is the machine's Bluetooth; a simulated world has none.
func radio(world outside) ble.Radio {
	if world.browse != nil {
		return nil
	}
	return bluez.Radio{}
}
