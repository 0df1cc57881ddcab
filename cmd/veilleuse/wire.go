package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/camera"
	programs "github.com/veilleuse/veilleuse/adapters/command"
	"github.com/veilleuse/veilleuse/adapters/ear"
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
	end       func()     // ends the house, which runHouses starts again if it comes back; nil: it is no daemon

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
	cameras := camera.New(camera.Options{Vault: h.store.Vault(gateway.CameraAdapter), AllowLoopback: world.allowLoopback || vendorHere(c), Log: log})
	vendor, err := lackingOf(h.wireVendor(c, cameras, log, world))
	if err != nil {
		return err
	}
	h.wireHomeApp(c, cameras, log, world)
	h.backup = backup.New(h.backupOptions(c, log))
	if err := h.backupBeforeMigration(log, world); err != nil {
		return err
	}
	h.wireDevices(c, log, world)
	h.page = web.New(h.pageOptions(c, log))
	h.control = &control{path: filepath.Join(c.State, "control.sock"), spare: spareSocket(c.State), house: h}
	messages, err := lackingOf(h.wireMQTT(c, cameras, log))
	if err != nil {
		return err
	}
	for _, a := range []struct {
		name    string
		adapter gateway.Adapter // nil: the house does without it
	}{
		{"store", h.saves(world)},
		{"backup", h.backup},
		{"clock", clockAdapter(c, world, first)},
		{"uplink", uplink.New(h.proberOptions(c, world))},
		{gateway.AccessoryAdapter, h.accessory},
		{gateway.CameraAdapter, cameras},
		{"ear", ifThere(c.Ear.Microphone != "", h.ear)},
		{gateway.CloudAdapter, vendor.or(h.vendor)},
		{"homekit", h.bridge},
		{gateway.MQTTAdapter, messages.or(h.mqtt)},
		{gateway.CommandAdapter, programs.New(programs.Options{Programs: c.Alarms.programs(), Log: log})},
		{"broker", ifThere(h.broker != nil, portless{h.broker})},
		{gateway.WebAdapter, h.page},
		{"control", h.control},
		{"systemd", ifThere(world.manager.Socket != "", systemd.New(h.told(world.manager, log)))},
		{"upgrade", ifThere(h.rolledBack != nil, rollback{h.rolledBack})},
		{"damage", ifThere(h.store.Damage() != "", damaged(h.store.Damage()))},
	} {
		if a.adapter != nil {
			h.loop.Attach(a.name, a.adapter)
		}
	}
	return nil
}

// ifThere is an adapter if there is something for it to do, else nil.
func ifThere(needed bool, a gateway.Adapter) gateway.Adapter {
	if !needed {
		return nil
	}
	return a
}

// saves is what saves the State.
func (h *house) saves(world outside) gateway.Adapter {
	if world.disk != nil {
		return world.disk(h.store)
	}
	return h.store
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

// portless is an adapter that has nothing to tell and nothing to be told.
type portless struct{ broker *broker.Broker }

// Run serves until ctx ends.
func (p portless) Run(ctx context.Context, _ gateway.Port) error { return p.broker.Run(ctx) }
