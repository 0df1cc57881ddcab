package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"

	"github.com/veilleuse/veilleuse/adapters/systemd"
)

// garbage is how much may lie about before it is collected, in % of what is in use. Go's own 100 doubles
// the memory of a small board for time that an idle house does not spend: there is little to collect.
const garbage = 50

// runVerb is the daemon.
func runVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("run")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	said := &lastLines{out: c.err}
	log := slog.New(newLogHandler(said))
	manager, err := systemd.FromEnvironment()
	if err != nil {
		log.Warn(err.Error())
	}
	back, err := readRolledBack(os.Getenv(rolledBackName))
	if err != nil {
		log.Warn(err.Error())
	}
	return runHouses(ctx, o.config, log, outside{manager: manager, said: said, rolledBack: back})
}

// runHouses runs the house of a configuration until ctx ends. A house that is to come back from a backup ends, is restored while
// nobody has it open, and is built anew.
func runHouses(ctx context.Context, file string, log *slog.Logger, world outside) error {
	for {
		h, err := runOnce(ctx, file, log, world)
		if err != nil || ctx.Err() != nil || !h.comesBack() {
			return err
		}
		h.bringBack(log)
	}
}

// runOnce runs a house of the configuration as the file now is, until ctx ends or the house itself.
func runOnce(ctx context.Context, file string, log *slog.Logger, world outside) (*house, error) {
	config, from, err := loadConfig(file)
	if err != nil {
		return nil, err
	}
	world.try = afterAccident(config.State)
	h, err := build(config, log, world)
	if err != nil {
		return nil, err
	}
	version, commit := version()
	log.Info("veilleuse starts", "version", version, "commit", commit, "configuration", from, "state", config.State)
	if back := world.rolledBack; back != nil {
		what, why := rolledBackWords(back)
		log.Warn(what, "why", why, "since", back.At)
	}
	h.sayWhatNext(log)
	ctx, h.end = context.WithCancel(ctx)
	defer h.end()
	return h, h.run(ctx)
}

// run runs the house until ctx ends and saves what lasts.
func (h *house) run(ctx context.Context) error {
	last := h.loop.Run(ctx)
	err := h.store.Save(last)
	if closed := h.store.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("save the state at the end: %w", err)
	}
	return nil
}

// sayWhatNext tells a newcomer what is missing, one line each.
func (h *house) sayWhatNext(log *slog.Logger) {
	paired, err := h.accessory.Paired()
	if _, port, split := net.SplitHostPort(h.config.Web.Listen); split == nil && (!h.signedIn() || err == nil && len(paired) == 0) {
		log.Info("the first steps are on the page: open it in a browser, at this machine's name or address", "port", port)
	}
	if !h.signedIn() {
		log.Info("not signed in at Netatmo: create an application at https://dev.netatmo.com/apps, put its id and secret into the configuration, then veilleuse login")
	}
	if err == nil && len(paired) == 0 {
		log.Info("no accessory is paired: veilleuse discover lists them, veilleuse pair ID CODE pairs one")
	}
	log.Info("veilleuse code shows the code for the Home app; veilleuse status how the house stands")
}

// withHouse opens the house without running it, for a verb that works without a daemon. What root writes there is given to
// the folder's owner: the daemon could not go on with it else.
func withHouse(c Config, f func(*house) error) error {
	h, err := build(c, slog.New(slog.DiscardHandler), outside{quiet: true})
	if err != nil {
		return err
	}
	err = f(h)
	if closed := errors.Join(h.store.Close(), giveToOwner(c.State)); err == nil {
		err = closed
	}
	return err
}
