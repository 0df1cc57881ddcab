package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/gateway"
)

// demo plays the evening of 29 October 2025. The daemon in it is the real one, wired as always and
// speaking real HomeKit, MQTT and HTTP over loopback; only the world around it and the speed of its
// clock are simulated.
type demo struct {
	world  *demoWorld
	house  *house
	faces  *demoFaces
	screen *demoScreen
	result demoReport
	state  string             // folder of the daemon
	config string             // a configuration by which the verbs find the daemon
	wished map[string]float64 // by room: what a person set here and still holds
}

// demoVerb plays the evening and reports.
func demoVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("demo").withJSON()
	keep := o.set.Bool("keep", false, "")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	state, err := os.MkdirTemp("", "veilleuse-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demonstration: %w", err)
	}
	defer os.RemoveAll(state)
	screen := newDemoScreen(c.out, o.json)
	report, err := playDemo(ctx, state, screen, *keep)
	if err != nil {
		return fmt.Errorf("the demonstration: %w", err)
	}
	if len(report.Broken()) > 0 {
		return errNo
	}
	return nil
}

// playDemo builds world and house, plays the evening, shows the report, and stops everything again.
func playDemo(ctx context.Context, state string, screen *demoScreen, keep bool) (demoReport, error) {
	began := time.Now()
	clock := newDemoClock(demoStart, 1)
	defer clock.timer.Stop()
	world, err := newDemoWorld(clock, demoHome())
	if err != nil {
		return demoReport{}, err
	}
	defer world.close()
	d := &demo{world: world, screen: screen, state: filepath.Join(state, "state"), config: filepath.Join(state, demoConfig), wished: map[string]float64{}}
	screen.clock, screen.zone = clock, world.zone.Location()
	if d.house, err = demoHouse(ctx, state, world); err != nil {
		return demoReport{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.house.run(ctx) }()
	lived := make(chan struct{})
	go func() { world.live(ctx); close(lived) }()
	err = d.play(ctx)
	d.report(ctx, began)
	if err == nil {
		err = screen.report(d.result)
	}
	if err == nil && keep {
		d.serve(ctx)
	}
	if d.faces != nil {
		d.faces.close()
	}
	cancel()
	<-lived
	if stopped := <-ended; err == nil {
		err = stopped
	}
	return d.result, err
}

// demoConfig is the configuration in the folder of a demonstration.
const demoConfig = "veilleuse.yaml"

// demoHouse wires the daemon to the simulated world, signs in and pairs, as a person would with the
// verbs login and pair.
func demoHouse(ctx context.Context, state string, w *demoWorld) (*house, error) {
	secret := filepath.Join(state, "secret")
	if err := os.WriteFile(secret, []byte("client-secret\n"), 0o600); err != nil {
		return nil, fmt.Errorf("write the client secret: %w", err)
	}
	config := defaults()
	config.State = filepath.Join(state, "state")
	config.Netatmo = NetatmoConfig{URL: w.url(), ClientID: "client", ClientSecretFile: secret, BudgetPerHour: 120}
	config.HomeKit.Listen, config.MQTT.Listen, config.Web.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	if err := os.WriteFile(filepath.Join(state, demoConfig), fmt.Appendf(nil, "state: %s\n", config.State), 0o600); err != nil {
		return nil, fmt.Errorf("write a configuration for the verbs: %w", err)
	}
	h, err := build(config, slog.New(slog.DiscardHandler), w.outside())
	if err != nil {
		return nil, err
	}
	token, err := netatmo.ImportToken(bytesReader(w.cloud.Token()))
	if err == nil {
		err = netatmo.SaveToken(h.cloud.Vault, token)
	}
	for _, a := range w.house.Announced() {
		if err != nil {
			break
		}
		fake, found := w.house.Accessory(a.Name)
		if err = found; err == nil {
			_, err = h.accessory.Pair(ctx, a.Address, fake.Code(), "")
		}
	}
	if err != nil {
		h.store.Close()
		return nil, fmt.Errorf("set the house up: %w", err)
	}
	return h, nil
}

// play waits until the house lives, then lets the acts follow one another.
func (d *demo) play(ctx context.Context) error {
	var err error
	if d.faces, err = openFaces(ctx, d); err != nil {
		return err
	}
	d.result.CallsBefore = -1
	d.screen.title("29 October 2025 in Paris, 16:30 to 01:45, in a simulated house")
	at := demoStart
	d.world.clock.SetRate(60)
	for _, a := range demoActs() {
		at = after(at, a.clock, d.world.zone.Location())
		if !d.waitUntil(ctx, at) {
			return ctx.Err()
		}
		if a.what != "" {
			d.screen.line("world", a.what, "")
		}
		if a.do != nil {
			if err := a.do(d); err != nil {
				return fmt.Errorf("%s: %w", a.clock, err)
			}
		}
		if d.result.CallsBefore < 0 && d.faces.phase() == gateway.Local {
			d.result.CallsBefore = d.spent(ctx)
		}
		if d.faces.phase() != gateway.Watching {
			d.result.CallsOutage = d.spent(ctx) - max(d.result.CallsBefore, 0)
		}
		d.reach()
		if a.rate > 0 {
			d.world.clock.SetRate(a.rate)
		}
	}
	return nil
}

// spent is how many requests the daemon says that it has sent to the vendor since it started.
func (d *demo) spent(ctx context.Context) int {
	var r statusReport
	if err := askDaemon(ctx, d.state, "GET", "/status", nil, &r); err != nil {
		return 0
	}
	return r.Budget.Total
}

// reach lets the vendor reach the house again once its edge works and the house was handed back.
func (d *demo) reach() {
	if d.faces.phase() == gateway.Watching && !d.faces.since(gateway.Local).IsZero() {
		d.world.setLost(false)
	}
}

// after is the next instant at which the wall clock shows that time.
func after(at time.Time, clock string, zone *time.Location) time.Time {
	local := at.In(zone)
	parsed, err := time.Parse("15:04", clock)
	if err != nil {
		return at // the acts are a table of our own; a test reads them all
	}
	next := time.Date(local.Year(), local.Month(), local.Day(), parsed.Hour(), parsed.Minute(), 0, 0, zone)
	if next.Before(at) {
		next = next.AddDate(0, 0, 1)
	}
	return next
}

// waitUntil lets time pass, with a progress line; false if ctx ended.
func (d *demo) waitUntil(ctx context.Context, at time.Time) bool {
	for {
		now := d.world.clock.Now()
		if !now.Before(at) {
			return true
		}
		d.screen.progress(now, d.faces.phase(), len(d.world.writes(demoStart, now)))
		select {
		case <-d.world.clock.After(at.Sub(now)):
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
	}
}

// serve goes on at the pace of the wall's clock until ctx ends.
func (d *demo) serve(ctx context.Context) {
	d.world.clock.SetRate(1)
	code, err := d.house.code()
	if err != nil {
		return
	}
	asks := " -c " + d.config
	d.screen.say(fmt.Sprintf("\nThe house goes on. Page: http://%s   MQTT: %s   Home app: code %s at %s   End with Ctrl-C.",
		d.house.page.Address(), d.house.broker.Address(), code.Code, code.Listen))
	d.screen.say("Ask it: veilleuse status" + asks + "\n        veilleuse doctor" + asks + "\n        veilleuse drill --for 2m" + asks)
	<-ctx.Done()
}
