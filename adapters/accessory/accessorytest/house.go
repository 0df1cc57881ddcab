// Package accessorytest holds a house of HomeKit accessories on loopback: a relay with its thermostats, alarms, a siren,
// a home coach. They are real accessory servers that do what their hardware would, and break when told to.
package accessorytest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
)

// Options describe a House.
type Options struct {
	Servers []Server
	Now     func() time.Time // stamps Written; nil: time.Now
	// OnWrite, which may be nil, is told of everything that a controller writes, just before the device shows it. It may
	// call the House's methods, and must return soon.
	OnWrite func(Written)
	// Network is where the servers are, one host each, if their Listen does not say otherwise; nil: loopback.
	Network *haptest.Network
}

// Server is one accessory server: a bridge with its devices, or a single device. It is paired as a whole.
type Server struct {
	Name     string // also that of the bridge; names are unique in a house
	Model    string // of the bridge, as HomeKit tells it; "" is that of the single device
	Serial   string // of the bridge
	Category int    // 0: a bridge if there is one, else a sensor
	Single   bool   // Devices has one device, which is the server itself
	Code     string // setup code; "": drawn
	Listen   string // host:port; "": 127.0.0.1 and a free port
	Features byte   // "ff" of its announcement
	Devices  []Device
}

// Relay is Netatmo's relay, as the bridge of its thermostats and valves.
func Relay(name, serial string, devices ...Device) Server {
	return Server{Name: name, Model: "Netatmo Relay", Serial: serial, Devices: devices}
}

// Single is a device that is a server of its own.
func Single(device Device) Server {
	return Server{Name: device.Name, Single: true, Category: categorySensor, Devices: []Device{device}}
}

// Categories of HAP R2 table 13-1.
const categorySensor = 10

// Announced is what a server announces. It has the fields of accessory.Announced and converts to it.
type Announced struct {
	ID            string
	Name          string
	Model         string
	Address       string
	Category      int
	Paired        bool
	Features      byte
	Configuration int
	Bluetooth     bool // never: the house is on the LAN
}

// Written is one value that a controller wrote.
type Written struct {
	At       time.Time
	Device   string // its name
	Quantity string // "target", "mode", "on", "identify"
	Value    float64
}

// House is the accessories while they run. Its methods may be called from any goroutine.
type House struct {
	options Options

	mu      sync.Mutex
	servers []*server
	writes  []Written
}

// server is one accessory server while it runs.
type server struct {
	Server
	accessory *haptest.Accessory
	aids      map[string]uint64 // by the device's name
	hidden    map[string]bool   // devices that are left out of the list
	next      uint64
}

// Start begins to serve. Close must follow.
func Start(options Options) (*House, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	h := &House{options: options}
	for _, s := range options.Servers {
		if err := h.start(s); err != nil {
			return nil, errors.Join(err, h.Close())
		}
	}
	return h, nil
}

func (h *House) start(s Server) error {
	r := &server{Server: s, aids: map[string]uint64{}, hidden: map[string]bool{}, next: hap.BridgeAID + 1}
	if s.Single {
		if len(s.Devices) != 1 {
			return fmt.Errorf("%s is a single device, but has %d", s.Name, len(s.Devices))
		}
		r.next = hap.BridgeAID
		r.Model = s.Devices[0].model()
	}
	for _, d := range s.Devices {
		r.add(d.Name)
	}
	if h.options.Network != nil && s.Listen == "" {
		s.Listen = fmt.Sprintf("10.0.0.%d:5001", len(h.servers)+1)
	}
	accessory, err := haptest.StartAccessory(haptest.Options{Listen: s.Listen, Network: h.options.Network, SetupCode: hap.SetupCode(s.Code),
		Accessories: r.database(), OnWrite: func(writes []hap.WriteRequest) []hap.WriteResult { return h.written(r, writes) }})
	if err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r.accessory = accessory
	h.servers = append(h.servers, r)
	return nil
}

func (s *server) add(name string) {
	s.aids[name] = s.next
	s.next++
}

// database is what the server publishes, with the values of now.
func (s *server) database() []hap.Accessory {
	all := s.first()
	if s.accessory == nil {
		return all
	}
	for _, a := range all {
		for _, service := range a.Services {
			for i, c := range service.Characteristics {
				if now := s.accessory.Value(hap.CharacteristicID{AID: a.AID, IID: c.IID}); now != nil && c.Has(hap.PermEvents) {
					service.Characteristics[i].Value = now
				}
			}
		}
	}
	return all
}

// first is what the server publishes to begin with.
func (s *server) first() []hap.Accessory {
	var all []hap.Accessory
	if !s.Single {
		all = append(all, Device{Name: s.Name, Model: s.Model, Serial: s.Serial}.accessory(hap.BridgeAID))
	}
	for _, d := range s.Devices {
		if !s.hidden[d.Name] {
			all = append(all, d.accessory(s.aids[d.Name]))
		}
	}
	return all
}

// Close stops all servers.
func (h *House) Close() error {
	var all []error
	for _, s := range h.all() {
		all = append(all, s.accessory.Close())
	}
	return errors.Join(all...)
}

func (h *House) all() []*server {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]*server(nil), h.servers...)
}

// server finds a server by its name or by that of a device of it.
func (h *House) server(name string) (*server, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.servers {
		if _, ok := s.aids[name]; ok || s.Name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("there is no %q in the house", name)
}

// Announced is what the servers announce now, in their order: what a sweep by mDNS would find.
func (h *House) Announced() []Announced {
	var all []Announced
	for _, s := range h.all() {
		txt := s.accessory.TXT()
		number := 0
		_, _ = fmt.Sscan(txt["c#"], &number) // the server wrote it
		a := Announced{ID: strings.ToLower(s.accessory.ID()), Name: s.Name, Model: s.Model, Address: s.accessory.Address(),
			Category: s.Category, Paired: txt["sf"] == "0", Features: s.Features, Configuration: number}
		if a.Category == 0 {
			a.Category = hap.CategoryBridge
		}
		all = append(all, a)
	}
	return all
}

// Accessory is the accessory server of that name, or of the device of that name: its Code, ID, Address, and its faults
// (Fail, Hold, Stop and Start, Move, Disconnect, Forget).
func (h *House) Accessory(name string) (*haptest.Accessory, error) {
	s, err := h.server(name)
	if err != nil {
		return nil, err
	}
	return s.accessory, nil
}

// Writes are all values that controllers wrote so far, in their order.
func (h *House) Writes() []Written {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Written(nil), h.writes...)
}

// written notes what a controller wrote.
func (h *House) written(s *server, writes []hap.WriteRequest) []hap.WriteResult {
	for _, w := range writes {
		note, ok := h.note(s, w)
		if !ok {
			continue
		}
		if h.options.OnWrite != nil {
			h.options.OnWrite(note)
		}
	}
	return nil
}

func (h *House) note(s *server, w hap.WriteRequest) (Written, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, aid := range s.aids {
		if aid != w.ID.AID {
			continue
		}
		value, _ := hap.NumberOf(w.Value)
		note := Written{At: h.options.Now(), Device: name, Quantity: writable[w.ID.IID], Value: value}
		h.writes = append(h.writes, note)
		return note, true
	}
	return Written{}, false
}

// Add puts another device behind a bridge.
func (h *House) Add(bridge string, d Device) error {
	return h.change(bridge, func(s *server) {
		s.Devices = append(s.Devices[:len(s.Devices):len(s.Devices)], d)
		s.add(d.Name)
	})
}

// Remove takes a device away from behind its bridge.
func (h *House) Remove(name string) error {
	return h.change(name, func(s *server) {
		var rest []Device
		for _, d := range s.Devices {
			if d.Name != name {
				rest = append(rest, d)
			}
		}
		s.Devices = rest
		delete(s.aids, name)
	})
}

// Hide leaves a device out of its bridge's list, or puts it back with the aid that it had: a list that comes back short.
func (h *House) Hide(name string, hidden bool) error {
	return h.change(name, func(s *server) { s.hidden[name] = hidden })
}

func (h *House) change(name string, change func(*server)) error {
	s, err := h.server(name)
	if err != nil {
		return err
	}
	h.mu.Lock()
	change(s)
	database := s.database()
	h.mu.Unlock()
	return s.accessory.SetAccessories(database)
}

// Restart stops a server and starts it again at the same address, as a power cut does. between, which may be nil, is
// called while it is off.
func (h *House) Restart(name string, between func()) error {
	return h.again(name, between, (*haptest.Accessory).Start)
}

// MoveTo is Restart at another address.
func (h *House) MoveTo(name, address string) error {
	return h.again(name, nil, func(a *haptest.Accessory) error { return a.MoveTo(address) })
}

// Know makes a controller known to a server without the toil of pair-setup, as if it had been paired before it was
// switched on.
func (h *House) Know(name string, identity hap.Identity) (pairing hap.Pairing, err error) {
	a, err := h.Accessory(name)
	if err != nil {
		return pairing, err
	}
	restarted := h.Restart(name, func() { pairing, err = a.Know(identity) })
	return pairing, errors.Join(err, restarted)
}

// Move is Restart at another port, as a device does that got another address.
func (h *House) Move(name string) error { return h.again(name, nil, (*haptest.Accessory).Move) }

func (h *House) again(name string, between func(), start func(*haptest.Accessory) error) error {
	a, err := h.Accessory(name)
	if err != nil {
		return err
	}
	if err := a.Stop(); err != nil {
		return err
	}
	if between != nil {
		between()
	}
	if err := h.change(name, func(*server) {}); err != nil { // the values of now survive
		return err
	}
	return start(a)
}
