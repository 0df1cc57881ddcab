package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/camera"
	"github.com/veilleuse/veilleuse/adapters/clock"
	programs "github.com/veilleuse/veilleuse/adapters/command"
	"github.com/veilleuse/veilleuse/adapters/ear"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/adapters/hap/ble/bluez"
	"github.com/veilleuse/veilleuse/adapters/homekit"
	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/adapters/systemd"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/adapters/web"
	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// house is a Loop with its adapters, and what the verbs need of them.
type house struct {
	loop      *gateway.Loop
	store     *store.Store
	notes     func() notes.Notes // read when first asked for: the start need not wait
	cloud     netatmo.Options
	vendor    *netatmo.Adapter
	accessory *accessory.Adapter
	bridge    *homekit.Adapter
	ear       *ear.Adapter
	broker    *broker.Broker // nil if the broker is elsewhere
	mqtt      *mqtt.Adapter
	backup    *backup.Adapter
	page      *web.Adapter
	past      *pastFile // what the page remembers of the rooms
	config    Config
	log       *slog.Logger
	everybody *accessory.Adapter // finds our own bridge on the LAN, too; it is not run
	silent    bool               // nothing is announced by mDNS
	control   *control
	said      *lastLines // nil: nobody keeps the log
	uploads   uploads    // the backup that somebody wants to come back from
	end       func()     // ends the house, which runVerb starts again if it comes back; nil: it is no daemon

	rolledBack *web.RolledBack // why this program serves in place of a newer one; nil: it does not
}

// outside is what the demonstration replaces: the clock's speed and the way to a simulated world.
// The zero value is the real world, without a service manager.
type outside struct {
	manager       systemd.Manager
	said          *lastLines // what is kept of the log; nil: nothing
	rolledBack    *web.RolledBack
	now           func() time.Time
	after         func(time.Duration) <-chan time.Time
	uplink        uplink.Options // if its URL is set
	clock         gateway.Adapter
	browse        func(context.Context) ([]accessory.Announced, error)
	try           func(path string) error               // of the store; nil: not tried
	quiet         bool                                  // announce nothing by mDNS
	deadline      time.Duration                         // of a request to the vendor; 0: as always
	allowLoopback bool                                  // cameras on this machine
	disk          func(gateway.Adapter) gateway.Adapter // what saves the State, in place of the store's own Run; nil: that
}

// build opens the state folder and puts the house together. Nothing runs yet.
func build(c Config, log *slog.Logger, world outside) (*house, error) {
	disk, err := store.OpenWith(c.State, store.Options{Log: log, Backups: newestBackup(c), Try: world.try})
	if err != nil {
		return nil, err
	}
	h := &house{store: disk, config: c, log: log, said: world.said, silent: world.quiet, rolledBack: world.rolledBack, notes: sync.OnceValue(func() notes.Notes { return readNotes(log) })}
	h.mend()
	if err := h.wire(c, log, world); err != nil {
		disk.Close()
		return nil, err
	}
	return h, nil
}

// readNotes reads what is known of each model. The notes are part of the program and its tests read them
// all, so that a fault here is one of building.
func readNotes(log *slog.Logger) notes.Notes {
	known, err := notes.Read()
	if err != nil {
		log.Error("what is known of each model cannot be shown", "err", err)
	}
	return known
}

// wire is the one literal list of adapters.
func (h *house) wire(c Config, log *slog.Logger, world outside) error {
	first, err := h.firstState(c)
	if err != nil {
		return err
	}
	h.loop = &gateway.Loop{Step: rules.Step, State: first, Log: log, Now: world.now, After: world.after}
	var vendor, messages lacking
	if h.cloud, vendor.err = cloudOptions(c, h.store.Vault(gateway.CloudAdapter), log); vendor.err != nil && !unreadable(vendor.err) {
		return vendor.err
	}
	h.cloud.Deadline = world.deadline
	h.cloud.Purse = netatmo.NewPurse(c.Netatmo.BudgetPerHour) // one for all that asks the vendor
	prober := uplinkOptions(c, world)
	prober.Purse = h.cloud.Purse
	cameras := camera.New(camera.Options{Vault: h.store.Vault(gateway.CameraAdapter), AllowLoopback: world.allowLoopback || vendorHere(c), Log: log})
	h.cloud.Cameras = func(a netatmo.CameraAccess) { cameras.Learn(camera.Access(a)) }
	h.bridge = homekit.New(homekit.Options{Listen: c.HomeKit.Listen, Name: c.HomeKit.Name, Vault: h.store.Vault("homekit"), Advertiser: advertiser(world.quiet, log), Cameras: cameras, Log: log})
	if _, err := h.bridge.Bridges(); err != nil { // the Home app is not the house: heating and alarms go on without it
		log.Error("the Home app cannot be served", "err", err)
	}
	h.backup = backup.New(h.backupOptions(c, log))
	if err := h.backupBeforeMigration(log, world); err != nil {
		return err
	}
	h.accessory = accessory.New(accessory.Options{Vault: h.store.Vault(gateway.AccessoryAdapter), Known: knownAccessories(c), Browse: world.browse, Radio: radio(world), Own: h.ownIDs, Log: log})
	h.everybody = accessory.New(accessory.Options{Vault: h.store.Vault(gateway.AccessoryAdapter), Browse: world.browse, Log: log})
	h.ear = ear.New(ear.Options{Microphone: c.Ear.Microphone, Room: c.Ear.Room, Vault: h.store.Vault("ear"), Log: log})
	h.vendor = netatmo.New(h.cloud)
	h.page = web.New(h.pageOptions(c, log))
	h.control = &control{path: filepath.Join(c.State, "control.sock"), house: h}
	if messages.err = h.speak(c, cameras, log); messages.err != nil && !unreadable(messages.err) {
		return messages.err
	}
	saves := gateway.Adapter(h.store)
	if world.disk != nil {
		saves = world.disk(saves)
	}
	for _, a := range []struct {
		name    string
		adapter gateway.Adapter
	}{
		{"store", saves},
		{"backup", h.backup},
		{"clock", clockAdapter(c, world, first)},
		{"uplink", uplink.New(prober)},
		{gateway.AccessoryAdapter, h.accessory},
		{gateway.CameraAdapter, cameras},
		{"ear", h.ear},
		{gateway.CloudAdapter, vendor.or(h.vendor)},
		{"homekit", h.bridge},
		{gateway.MQTTAdapter, messages.or(h.mqtt)},
		{gateway.CommandAdapter, programs.New(programs.Options{Programs: c.Alarms.programs(), Log: log})},
		{"broker", portless{h.broker}},
		{gateway.WebAdapter, h.page},
		{"control", h.control},
		{"systemd", systemd.New(h.told(world.manager, log))},
		{"upgrade", rollback{h.rolledBack}},
		{"damage", damaged(h.store.Damage())},
	} {
		without := a.name == "broker" && h.broker == nil || a.name == "ear" && c.Ear.Microphone == "" || a.name == "systemd" && world.manager.Socket == "" ||
			a.name == "upgrade" && h.rolledBack == nil || a.name == "damage" && h.store.Damage() == ""
		if !without {
			h.loop.Attach(a.name, a.adapter)
		}
	}
	return nil
}

// firstState is what the disk remembers, under the limits of the configuration.
func (h *house) firstState(c Config) (gateway.State, error) {
	lasting, found, err := h.store.Load()
	if err != nil {
		return gateway.State{}, err
	}
	s := gateway.State{}
	if found {
		s = lasting.State()
	}
	s.Home.FrostGuard, s.Home.Maximum = c.Home.FrostGuard, c.Home.Maximum
	s.Home.AlarmPlan, s.Home.SilentAfter = gateway.AlarmPlan{Steps: c.Alarms.Plan, Repeat: c.Alarms.Repeat}, silentAfter
	s.Home.Guard = c.Guard
	return s, nil
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

// told is what the service manager is told of. A broker elsewhere is not waited for: it may be down longer than we.
func (h *house) told(manager systemd.Manager, log *slog.Logger) systemd.Options {
	messages := systemd.Part{Name: "MQTT", Adapter: gateway.MQTTAdapter}
	if h.broker != nil {
		messages = systemd.Part{Name: "MQTT", Adapter: "broker", Serves: func() bool { return h.broker.Address() != "" }}
	}
	return systemd.Options{Manager: manager, Log: log, GoesOn: h.comesBack,
		Parts: []systemd.Part{
			{Name: "the LAN", Adapter: gateway.AccessoryAdapter, Serves: h.accessory.Serving},
			{Name: "HomeKit", Adapter: "homekit", Serves: h.bridge.Serving},
			messages,
		},
		Pulses: []systemd.Pulse{{Name: "the Loop", Count: h.loop.Turns}, {Name: "the store", Count: h.store.Pulse}}}
}

// radio is the machine's Bluetooth; a simulated world has none.
func radio(world outside) ble.Radio {
	if world.browse != nil {
		return nil
	}
	return bluez.Radio{}
}

// advertiser announces the bridge, unless nobody is to know.
func advertiser(quiet bool, log *slog.Logger) homekit.Advertiser {
	if quiet {
		return nil
	}
	return homekit.DNSSD{Log: log}
}

// portless is an adapter that has nothing to tell and nothing to be told.
type portless struct{ broker *broker.Broker }

func (p portless) Run(ctx context.Context, _ gateway.Port) error { return p.broker.Run(ctx) }

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

func knownAccessories(c Config) []accessory.Known {
	var known []accessory.Known
	for _, a := range c.Accessories {
		known = append(known, accessory.Known{ID: a.ID, Address: a.Address, Room: a.Room, Siren: a.Siren})
	}
	return known
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
