package accessory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/gateway"
)

const (
	dayCount  = 50
	dayHealth = time.Minute      // an accessory is back within this of being well
	dayQuiet  = 10 * time.Second // at least between two attempts to connect to one
)

// TestADayOfFaults lets fifty accessories fail in every way that was ever reported, each by itself, for a day.
func TestADayOfFaults(t *testing.T) {
	t.Parallel() // it has time of its own, and much to compute
	for _, test := range []struct {
		seed  uint64
		hours time.Duration
	}{{1, 24}, {2, 6}} {
		if raceDetector {
			test.hours = 2
		}
		t.Run(fmt.Sprintf("seed %d, %d hours", test.seed, test.hours), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { playDay(t, test.seed, test.hours*time.Hour) })
		})
	}
}

func playDay(t *testing.T, seed uint64, length time.Duration) {
	d := &day{t: t, length: length, heard: map[gateway.DeviceID]float64{}, addresses: map[string][]string{}, back: map[string][]time.Duration{}}
	var servers []accessorytest.Server
	for i := range dayCount {
		servers = append(servers, daysServer(i))
	}
	d.scene, d.network = quiet(t, servers)
	var listening, playing sync.WaitGroup
	over := make(chan bool)
	listening.Go(func() { d.listen(over) })
	for i, server := range servers {
		playing.Go(func() { d.live(i, server, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	playing.Wait()
	close(over)
	listening.Wait()
	d.judge()
	d.scene.house.Stop()
}

// daysServer is one of the fifty: each fifth is a relay with two thermostats, the others are smoke alarms.
func daysServer(i int) accessorytest.Server {
	serial := fmt.Sprintf("70:ee:50:bb:00:%02x", i)
	if i%5 != 0 {
		return accessorytest.Single(accessorytest.Device{Kind: accessorytest.SmokeAlarm, Name: fmt.Sprint("Smoke ", i), Serial: serial})
	}
	thermostat := func(n int) accessorytest.Device {
		return accessorytest.Device{Kind: accessorytest.Thermostat, Name: fmt.Sprintf("Room %d.%d", i, n), Serial: fmt.Sprintf("04:00:00:bb:%02x:%02x", i, n), Temperature: 20}
	}
	return accessorytest.Relay(fmt.Sprint("Relay ", i), serial, thermostat(1), thermostat(2))
}

// day is the day while it goes on.
type day struct {
	t       *testing.T
	scene   *scene
	network *haptest.Network
	length  time.Duration

	mu        sync.Mutex
	heard     map[gateway.DeviceID]float64
	addresses map[string][]string        // every one that a server ever had
	back      map[string][]time.Duration // by fault: from health to what the house hears
	hosts     int
}

// listen keeps the newest value of each device.
func (d *day) listen(over chan bool) {
	for {
		select {
		case e := <-d.scene.house.Facts():
			r, ok := e.Fact.(gateway.Reading)
			if ok && (r.Quantity == gateway.Temperature || r.Quantity == gateway.Smoke) {
				n, _ := r.Value.Number()
				if r.Quantity == gateway.Smoke && r.Value.Yes() {
					n = 1
				}
				d.mu.Lock()
				d.heard[r.Device] = n
				d.mu.Unlock()
			}
		case <-over:
			return
		}
	}
}

// live plays one accessory: well for a while, then ill in one of the ways, and then the house must hear of it.
func (d *day) live(i int, server accessorytest.Server, random *rand.Rand) {
	a := d.scene.server(server.Name)
	d.lives(server.Name, a.Address())
	end := time.Now().Add(d.length)
	for n := 1; ; n++ {
		time.Sleep(time.Duration(2+random.IntN(58)) * time.Minute)
		if time.Now().After(end) {
			return
		}
		ill := time.Duration(1+random.IntN(1200)) * time.Second
		fault := dayFaults[random.IntN(len(dayFaults))]
		if err := fault.play(d, server.Name, a, ill); err != nil {
			d.t.Errorf("%s: %s: %v", server.Name, fault.name, err)
			return
		}
		d.mustBeHeard(i, n, server, fault.name)
	}
}

func (d *day) lives(name, address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addresses[name] = append(d.addresses[name], address)
}

// newAddress is one that nobody ever had.
func (d *day) newAddress(name string) string {
	d.mu.Lock()
	d.hosts++
	address := fmt.Sprintf("10.1.%d.%d:5001", d.hosts/250, d.hosts%250+1)
	d.mu.Unlock()
	d.lives(name, address)
	return address
}

// mustBeHeard changes a value of an accessory that is well, and measures until the house knows.
func (d *day) mustBeHeard(i, n int, server accessorytest.Server, fault string) {
	device, value, err := server.Devices[0], 0.0, error(nil)
	if i%5 == 0 {
		value = 10 + float64(n%100)/10
		err = d.scene.fake.SetTemperature(device.Name, value)
	} else {
		value = float64(n % 2)
		err = d.scene.fake.SetSmoke(device.Name, value == 1)
	}
	if err != nil {
		d.t.Errorf("%s: %v", server.Name, err)
		return
	}
	began := time.Now()
	for {
		d.mu.Lock()
		known := d.heard[gateway.DeviceID(device.Serial)] == value
		took := time.Since(began)
		if known {
			d.back[fault] = append(d.back[fault], took)
		}
		d.mu.Unlock()
		if known {
			return
		}
		if took > 10*time.Minute {
			d.t.Errorf("%s: after %s nothing was heard of it for %v", server.Name, fault, took)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// dayFault is a way to be ill for a while; when play returns the accessory is well.
type dayFault struct {
	name string
	play func(d *day, name string, a *haptest.Accessory, ill time.Duration) error
}

// spoilt is a fault of the fake's connections.
func spoilt(fault haptest.Fault) func(*day, string, *haptest.Accessory, time.Duration) error {
	return func(_ *day, _ string, a *haptest.Accessory, ill time.Duration) error {
		a.Fail(fault, 1<<30)
		a.Disconnect()
		time.Sleep(ill)
		a.Fail(fault, 0)
		if fault == haptest.Mute {
			a.Disconnect() // what was struck dumb has to be restarted
		}
		return nil
	}
}

var dayFaults = []dayFault{
	{"drops after pair-verify", spoilt(haptest.DropAfterVerify)},
	{"half answers", spoilt(haptest.HalfAnswer)},
	{"wrong nonce", spoilt(haptest.WrongNonce)},
	{"connections reset", spoilt(haptest.Reset)},
	{"mute", spoilt(haptest.Mute)},
	{"a session cut", func(_ *day, _ string, a *haptest.Accessory, _ time.Duration) error { a.Disconnect(); return nil }},
	{"slow", func(_ *day, _ string, a *haptest.Accessory, ill time.Duration) error {
		release := a.Hold()
		time.Sleep(ill / 10) // up to two minutes for each answer
		release()
		return nil
	}},
	{"restart", func(d *day, name string, _ *haptest.Accessory, ill time.Duration) error {
		return d.scene.fake.Restart(name, func() { time.Sleep(ill) })
	}},
	{"new address", func(d *day, name string, _ *haptest.Accessory, _ time.Duration) error {
		return d.scene.fake.MoveTo(name, d.newAddress(name))
	}},
	{"new port", func(d *day, name string, a *haptest.Accessory, _ time.Duration) error {
		host, port, _ := strings.Cut(a.Address(), ":")
		address := host + ":" + port + "1" // nobody ever had it: ports of this day only grow
		if len(port) > 4 {
			address = d.newAddress(name)
		} else {
			d.lives(name, address)
		}
		return d.scene.fake.MoveTo(name, address)
	}},
	{"power cut", func(d *day, _ string, a *haptest.Accessory, ill time.Duration) error {
		d.network.Swallow(true, a.Address())
		time.Sleep(ill)
		d.network.Swallow(false, a.Address())
		return nil
	}},
	{"power cut and new address", func(d *day, name string, a *haptest.Accessory, ill time.Duration) error {
		before := a.Address()
		d.network.Swallow(true, before)
		time.Sleep(ill)
		return d.scene.fake.MoveTo(name, d.newAddress(name))
	}},
}

// judge looks at the whole day.
func (d *day) judge() {
	dials := d.network.Dials()
	gap, most, attempts := d.length, 0, 0
	for name, addresses := range d.addresses {
		g, n := closest(dials, addresses...)
		gap, most, attempts = min(gap, g), max(most, n), attempts+n
		if g < dayQuiet {
			d.t.Errorf("%s was tried twice within %v", name, g)
		}
		if open, _ := d.scene.server(name).Connections(); open != 1 {
			d.t.Errorf("%s has %d connections in the evening", name, open)
		}
	}
	if attempts != len(dials) {
		d.t.Errorf("%d attempts went where no accessory ever was", len(dials)-attempts)
	}
	total, worst := 0, time.Duration(0)
	for _, fault := range dayFaults {
		all := d.back[fault.name]
		if len(all) == 0 && d.length >= 3*time.Hour {
			d.t.Errorf("nobody suffered from %s", fault.name)
		}
		if len(all) == 0 {
			continue
		}
		slices.Sort(all)
		longest := all[len(all)-1]
		total, worst = total+len(all), max(worst, longest)
		d.t.Logf("%-26s %4d times, back after %6.1f s in the middle, %5.1f s at most", fault.name, len(all), all[len(all)/2].Seconds(), longest.Seconds())
		if longest > dayHealth {
			d.t.Errorf("after %s one came back %v after it was well", fault.name, longest)
		}
	}
	d.t.Logf("%d accessories, %d faults in %v, %d attempts to connect (%d at most to one), never closer than %v; all back within %v",
		dayCount, total, d.length, attempts, most, gap.Round(time.Millisecond), worst.Round(100*time.Millisecond))
}
