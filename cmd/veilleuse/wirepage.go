package main

import (
	"log/slog"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// pageOptions are the settings of the HTTP server. What may be wished there is what may be wished over MQTT.
func (h *house) pageOptions(c Config, log *slog.Logger) web.Options {
	version, commit := version()
	return web.Options{Listen: c.Web.Listen, Version: version, Commit: commit, Log: log, Vault: h.store.Vault(gateway.WebAdapter), Domains: uplink.SearchDomains,
		Form: mqtt.Form, Wish: mqtt.ReadWish, Outlook: h.outlook, Without: h.without,
		Stored: h.stored, Backup: h.backedUp, Pictures: h.pictures(c), Care: h.care(c), First: h.firstRun(), RolledBack: h.rolledBack}
}
