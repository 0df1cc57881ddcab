package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
	"github.com/veilleuse/veilleuse/rules"
)

// herdShare is what part of a fleet may ask the vendor within one second of its return.
const herdShare = 0.05

// herdTick is the pause between the ticks of a house.
const herdTick = 5 * time.Second

// TestHerdReturnsSlowly lets many houses wait for the vendor, whose door opens for all of them at the
// same instant. Each is whole but for its devices: both adapters that speak to the vendor, the rules, a
// loop, all in false time.
func TestHerdReturnsSlowly(t *testing.T) {
	for _, c := range []struct {
		name   string
		houses int
		door   door // in the outage
		sick   bool // the vendor answers 503 in the outage
	}{
		{"after a black hole", 1000, hole, false},
		{"after 503", 250, open, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { herdReturns(t, c.houses, c.door, c.sick) })
		})
	}
}

func herdReturns(t *testing.T, houses int, inOutage door, sick bool) {
	if testing.Short() || raceDetector {
		houses = min(houses, 250) // fewer would leave the shares to luck
	}
	time.Sleep(time.Until(outageBegan))
	vendor := &herdVendor{sick: sick}
	world := newPipeWorld(t, vendor)
	world.set(inOutage)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer func() { cancel(); all.Wait(); world.close() }()
	fleet := make([]*phases, houses)
	for i := range fleet {
		fleet[i] = &phases{}
		loop := herdHouse(i, world, fleet[i])
		all.Go(func() {
			time.Sleep(herdTick * time.Duration(i) / time.Duration(houses)) // no two houses tick in step
			loop.Run(ctx)
		})
	}
	time.Sleep(6 * time.Minute)
	back := time.Now()
	vendor.heal()
	world.set(open)
	time.Sleep(15 * time.Minute)

	asked := world.requests(back)
	busiest, tenSeconds := busiest(asked, time.Second), busiest(asked, 10*time.Second)
	home := 0
	for _, p := range fleet {
		if p.is(gateway.Watching) {
			home++
		}
	}
	limit := int(herdShare * float64(houses))
	t.Logf("%d houses: %d requests in 15 min after the return, at most %d in one second (limit %d), %d in ten; %d houses handed back",
		houses, len(asked), busiest, limit, tenSeconds, home)
	if houses >= 1000 && busiest > limit { // in a small herd a single second is a matter of luck
		t.Errorf("%d requests within one second, want at most %d of %d houses", busiest, limit, houses)
	}
	if tenSeconds > 10*limit {
		t.Errorf("%d requests within ten seconds, want at most %d", tenSeconds, 10*limit)
	}
	if home < houses*9/10 {
		t.Errorf("only %d of %d houses handed authority back within 15 min", home, houses)
	}
}

// busiest is the most requests in any stretch of that length.
func busiest(times []time.Time, length time.Duration) int {
	most, first := 0, 0
	for last, at := range times {
		for at.Sub(times[first]) >= length {
			first++
		}
		most = max(most, last-first+1)
	}
	return most
}

// herdHouse is one house of the fleet, in the middle of an outage.
func herdHouse(i int, world *pipeWorld, p *phases) *gateway.Loop {
	id := fmt.Sprintf("home-%04d", i)
	v := gatewaytest.NewVault()
	_ = netatmo.SaveToken(v, netatmo.Token{Access: id, Refresh: "r", Expires: outageBegan.Add(48 * time.Hour), Renew: outageBegan.Add(40 * time.Hour)})
	purse := netatmo.NewPurse(0)
	began := outageBegan.Add(-time.Hour)
	loop := &gateway.Loop{Step: p.step, Every: herdTick, Log: slog.New(slog.DiscardHandler), State: gateway.State{
		Home:      gateway.Home{ID: id},
		Authority: gateway.Authority{Phase: gateway.Local, Since: began, Lost: began},
		Cloud: gateway.Cloud{Verdict: gateway.VerdictCloudDown, Probe: gateway.Probe{Verdict: gateway.VerdictCloudDown}, Bad: 9, FirstBad: began,
			LastBad: outageBegan, Hold: 3 * time.Minute},
	}}
	loop.Attach("clock", demoTrust{})
	loop.Attach("uplink", uplink.New(uplink.Options{URL: "http://127.0.0.1", Witnesses: []string{doorWitness}, Dial: world.dial, Purse: purse}))
	loop.Attach(gateway.CloudAdapter, netatmo.New(netatmo.Options{URL: "http://127.0.0.1", ClientID: "client", Vault: v,
		Dial: world.dial, Purse: purse, Log: slog.New(slog.DiscardHandler)}))
	return loop
}

// phases notes in which phase one house is.
type phases struct {
	mu    sync.Mutex
	phase gateway.Phase
}

func (p *phases) step(s gateway.State, e gateway.Event) (gateway.State, []gateway.Command) {
	next, commands := rules.Step(s, e)
	p.mu.Lock()
	p.phase = next.Authority.Phase
	p.mu.Unlock()
	return next, commands
}

func (p *phases) is(phase gateway.Phase) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.phase == phase
}

// herdVendor answers for any home with one room and one thermostat. The token says whose it is.
type herdVendor struct {
	mu   sync.Mutex
	sick bool
}

func (v *herdVendor) heal() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sick = false
}

func (v *herdVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	sick := v.sick
	v.mu.Unlock()
	id := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	now := time.Now().Unix()
	switch {
	case sick:
		http.Error(w, "<html>", http.StatusServiceUnavailable)
	case id == "":
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":{"code":1,"message":"Access token is missing"}}`)
	case strings.HasSuffix(r.URL.Path, "/homesdata"):
		fmt.Fprintf(w, `{"status":"ok","time_server":%d,"body":{"homes":[{"id":%q,"name":"h","timezone":"Europe/Paris","therm_mode":"schedule",
			"rooms":[{"id":"1","name":"r","type":"livingroom","module_ids":["a"]}],"modules":[{"id":"a","type":"NATherm1","room_id":"1"}],"schedules":[]}]}}`, now, id)
	case strings.HasSuffix(r.URL.Path, "/homestatus"):
		fmt.Fprintf(w, `{"status":"ok","time_server":%d,"body":{"home":{"id":%q,
			"rooms":[{"id":"1","reachable":true,"therm_measured_temperature":19.5,"therm_setpoint_temperature":19,"therm_setpoint_mode":"schedule"}],
			"modules":[{"id":"a","type":"NATherm1","reachable":true,"boiler_status":false,"last_seen":%d}]}}}`, now, id, now)
	default:
		fmt.Fprintf(w, `{"status":"ok","time_server":%d,"body":{"devices":[]}}`, now)
	}
}
