package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// demoWorld is the simulated house and the internet around it, all on loopback: the vendor's cloud
// behind an edge that can break, name servers and witnesses, and HomeKit accessories.
type demoWorld struct {
	clock    *demoClock
	cloud    *netatmotest.Cloud
	internet *uplinktest.World
	house    *accessorytest.House
	plan     gateway.Schedule
	zone     gateway.TimeZone

	mutex sync.Mutex
	lost  bool           // the vendor cannot reach the house
	wrote []demoWrite    // by us, over the LAN
	siren chan time.Time // real time at which the siren was turned on
}

// demoWrite is one target that a controller wrote to a device.
type demoWrite struct {
	at     time.Time // in the house
	device string
	target float64
}

// demoRoom ties the fake devices of one room together.
type demoRoom struct {
	id      string  // the vendor's
	device  string  // name of its thermostat or valve
	serial  string  // its hardware id, which the cloud knows too
	measure float64 // °C at the start
	obeys   bool    // its device keeps the vendor's programme by itself
}

var demoRooms = []demoRoom{
	{netatmotest.LivingRoom, "Thermostat", netatmotest.Thermostat, 19.6, true},
	{netatmotest.Bedroom, "Vanne chambre", netatmotest.BedValve, 17.8, false},
	{netatmotest.Child, "Vanne enfant", netatmotest.ChildValve, 18.4, false},
	{netatmotest.Bathroom, "Vanne bain", netatmotest.BathValve, 19.9, false},
}

// Names of the other simulated devices.
const (
	demoRelay = "Relais"
	demoCO    = "CO chaufferie"
	demoSiren = "Sirène palier"
)

// demoHome is the home as the vendor knows it.
func demoHome() netatmotest.Home {
	home := netatmotest.House()
	for i := range home.Modules {
		home.Modules[i].Key, home.Modules[i].Local = "", "" // no camera's address leads off this machine
	}
	return home
}

// newDemoWorld builds the world around a home, with more accessories than the demonstration's where there are any.
func newDemoWorld(clock *demoClock, home netatmotest.Home, more ...accessorytest.Server) (*demoWorld, error) {
	zone, err := gateway.LoadTimeZone("Europe/Paris")
	if err != nil {
		return nil, err
	}
	w := &demoWorld{clock: clock, zone: zone, plan: home.Schedules[0], siren: make(chan time.Time, 1)}
	w.cloud = netatmotest.New(netatmotest.Options{Now: clock.Now, Home: home, PerTenSeconds: 1 << 20, PerHour: 1 << 20})
	if w.internet, err = uplinktest.New(uplinktest.Settings{API: w.cloud}); err != nil {
		return nil, fmt.Errorf("simulate the internet: %w", err)
	}
	if w.house, err = accessorytest.Start(accessorytest.Options{Servers: append(w.servers(), more...), Now: clock.Now, OnWrite: w.written}); err != nil {
		w.internet.Close()
		return nil, fmt.Errorf("simulate the house: %w", err)
	}
	return w, nil
}

func (w *demoWorld) servers() []accessorytest.Server {
	var devices []accessorytest.Device
	for _, r := range demoRooms {
		target, _ := w.planned(r.id, w.clock.Now())
		devices = append(devices, accessorytest.Device{Kind: accessorytest.Thermostat, Name: r.device, Serial: r.serial, Temperature: r.measure, Target: target})
	}
	return []accessorytest.Server{
		accessorytest.Relay(demoRelay, netatmotest.Relay, devices...),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.COAlarm, Name: demoCO, Serial: netatmotest.COAlarm}),
		accessorytest.Single(accessorytest.Device{Kind: accessorytest.Siren, Name: demoSiren, Serial: "5E:00:00:00:00:01"}),
	}
}

func (w *demoWorld) close() {
	w.house.Close()
	w.internet.Close()
}

// planned is what the vendor's schedule asks of a room at an instant.
func (w *demoWorld) planned(room string, at time.Time) (float64, bool) {
	slot, ok := schedule.Target(w.plan, gateway.RoomID(room), at, w.zone.Location())
	return slot.Target, ok
}

// outside is the world as the daemon is wired to it.
func (w *demoWorld) outside() outside {
	return outside{
		now: w.clock.Now, after: w.clock.After, quiet: true, clock: demoTrust{}, deadline: 500 * time.Millisecond,
		browse: func(context.Context) ([]accessory.Announced, error) {
			var all []accessory.Announced
			for _, a := range w.house.Announced() {
				all = append(all, accessory.Announced(a))
			}
			return all, nil
		},
		uplink: uplink.Options{URL: w.internet.URL(), Resolvers: w.internet.Resolvers(), SecondOpinion: w.internet.SecondOpinion(),
			Witnesses: w.internet.Witnesses(), Roots: w.internet.Roots(), AllowLoopback: true, Timeout: 500 * time.Millisecond},
	}
}

// url is where the daemon reaches the vendor's API: through the edge that can break.
func (w *demoWorld) url() string { return "http://" + w.internet.Edge.Address().String() }

// demoTrust says that the clock is right: in the demonstration it is ours.
type demoTrust struct{}

// Run posts it once.
func (demoTrust) Run(ctx context.Context, port gateway.Port) error {
	port.Post(gateway.Clock{Trust: gateway.TrustSynced, Why: "the demonstration's own clock"})
	<-ctx.Done()
	return nil
}

// written is told of every write: the vendor will show the room in manual, as its devices do.
func (w *demoWorld) written(write accessorytest.Written) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if write.Quantity == "on" && write.Device == demoSiren && write.Value != 0 {
		select {
		case w.siren <- time.Now():
		default:
		}
	}
	at := slices.IndexFunc(demoRooms, func(r demoRoom) bool { return r.device == write.Device })
	if write.Quantity != "target" || at < 0 {
		return
	}
	w.wrote = append(w.wrote, demoWrite{w.clock.Now(), write.Device, write.Value})
	w.cloud.LANWrite(demoRooms[at].id, write.Value)
}

// writes returns what was written between two instants.
func (w *demoWorld) writes(from, to time.Time) []demoWrite {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var all []demoWrite
	for _, write := range w.wrote {
		if !write.at.Before(from) && write.at.Before(to) {
			all = append(all, write)
		}
	}
	return all
}

// setLost says whether the vendor can still steer the house.
func (w *demoWorld) setLost(lost bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.lost = lost
}

// live lets the house live until ctx ends: rooms warm and cool, one thermostat follows the vendor's
// programme by itself, and while the vendor is there its targets reach the devices.
func (w *demoWorld) live(ctx context.Context) {
	last := map[string]float64{}
	for {
		select {
		case <-w.clock.After(2 * time.Minute):
		case <-ctx.Done():
			return
		}
		for _, r := range demoRooms {
			w.liveRoom(r, last)
		}
	}
}

func (w *demoWorld) liveRoom(r demoRoom, last map[string]float64) {
	target, err := w.house.Target(r.device)
	if err != nil {
		return
	}
	w.mutex.Lock()
	lost := w.lost
	w.mutex.Unlock()
	plan, _ := w.planned(r.id, w.clock.Now())
	switch {
	case !lost:
		if wanted := w.cloud.Room(r.id).Target; wanted != target && wanted > 0 {
			w.house.TurnKnob(r.device, wanted)
		}
	case r.obeys && plan != last[r.id] && plan != target:
		w.house.TurnKnob(r.device, plan)
	}
	last[r.id] = plan
	measured, err := w.house.Temperature(r.device)
	if err != nil {
		return
	}
	next := measured + (target-measured)*0.02
	if target < measured {
		next = measured - 0.015
	}
	w.house.SetTemperature(r.device, float64(int(next*10+0.5))/10+0)
	w.house.SetHeating(r.device, measured < target)
	w.cloud.Measure(r.id, next)
}

// roomName is what people call a room.
func (w *demoWorld) roomName(id string) string {
	for _, r := range netatmotest.House().Rooms {
		if r.ID == id {
			return strings.TrimSpace(r.Name)
		}
	}
	return id
}
