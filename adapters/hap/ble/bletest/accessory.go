package bletest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
)

// Address is the Bluetooth address of a simulated accessory unless Settings name another.
const Address = "C0:00:00:00:00:01"

// Settings make a simulated accessory. The zero value is not enough: it needs a database.
type Settings struct {
	Database  hap.Accessory // what it is made of; the values are its first ones
	SetupCode hap.SetupCode // "": drawn
	Address   string        // of its radio; "": Address
	MTU       int           // bytes; 0: 185, as Apple's devices agree on
	Category  uint16        // accessory category; 0: 10, a sensor
	State     uint16        // first state number; 0: 1
}

// Accessory is one simulated accessory.
type Accessory struct {
	settings Settings
	identity hap.ServerIdentity
	door     *hap.Door

	mu            sync.Mutex
	points        []*point
	state         uint16
	configuration byte
	key           *hap.Key // of notifications
	link          *link    // the connection there is
	listeners     map[int]func(ble.Sighting)
	nextListener  int
	faults        Faults
	connects      int
	packets       int
	moved         bool // something changed during the connection there is
}

// point is one characteristic as it stands.
type point struct {
	hap.Characteristic
	service    hap.Service
	index      int // of the service
	handle     string
	broadcasts bool   // a controller asked for notifications
	subscribed func() // of the connection there is
	pending    []byte // of a timed write
}

// New makes an accessory that nobody is paired with.
func New(s Settings) (*Accessory, error) {
	if s.Address == "" {
		s.Address = Address
	}
	if s.MTU == 0 {
		s.MTU = 185
	}
	if s.Category == 0 {
		s.Category = 10
	}
	identity, err := hap.NewServerIdentity()
	if err != nil {
		return nil, err
	}
	if s.SetupCode != "" {
		identity.SetupCode = s.SetupCode
	}
	door, err := hap.NewDoor(identity, &haptest.Store{}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	a := &Accessory{settings: s, identity: identity, door: door, state: max(s.State, 1), configuration: 1,
		listeners: map[int]func(ble.Sighting){}}
	for i, service := range s.Database.Services {
		for _, c := range service.Characteristics {
			handle := fmt.Sprintf("service%04x/char%04x", i, c.IID)
			a.points = append(a.points, &point{Characteristic: c, service: service, index: i, handle: handle})
		}
	}
	if len(a.points) == 0 {
		return nil, errors.New("the database of the simulated accessory is empty")
	}
	return a, nil
}

// ID is the HomeKit id.
func (a *Accessory) ID() string { return a.identity.DeviceID }

// Code is the setup code.
func (a *Accessory) Code() string { return string(a.identity.SetupCode) }

// Controllers are those that are paired with it.
func (a *Accessory) Controllers() []hap.PairedController { return a.door.Controllers() }

// Forget resets the pairings, as somebody does who holds its button.
func (a *Accessory) Forget() error {
	a.mu.Lock()
	a.key = nil
	a.mu.Unlock()
	return a.door.Forget()
}

// Connects is how often somebody has connected: each costs the battery.
func (a *Accessory) Connects() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.connects
}

// Connected tells whether a controller is connected now.
func (a *Accessory) Connected() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.link != nil
}

// Packets is how many writes it has taken over all connections.
func (a *Accessory) Packets() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.packets
}

// State is the global state number.
func (a *Accessory) State() uint16 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// Value is what a characteristic stands at.
func (a *Accessory) Value(iid uint64) json.RawMessage {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.point(iid); p != nil {
		return p.Value
	}
	return nil
}

// Set lets a characteristic change as if by itself. Who is connected and subscribed is told; nobody
// connected, the state number moves and the change is broadcast to whom asked for it.
func (a *Accessory) Set(iid uint64, value json.RawMessage) error {
	a.mu.Lock()
	p := a.point(iid)
	if p == nil {
		a.mu.Unlock()
		return fmt.Errorf("the simulated accessory has no characteristic %d", iid)
	}
	p.Value = value
	tell := a.change(p)
	a.mu.Unlock()
	tell()
	return nil
}

// change is what follows from a change of a value. It needs the lock; what it returns is done without.
func (a *Accessory) change(p *point) func() {
	if !p.Has(hap.PermEvents) {
		return func() {}
	}
	if a.link != nil {
		a.moved = true // it shows once the connection is over
		if p.subscribed != nil {
			return p.subscribed
		}
		return func() {}
	}
	a.state = ble.NextState(a.state)
	data, err := a.advertisement()
	if a.key != nil && p.broadcasts {
		if raw, wrong := encode(p.Format, p.Value); wrong == nil {
			data, err = ble.SealNotification(a.ID(), *a.key, ble.Change{State: a.state, IID: p.IID, Value: raw})
		}
	}
	if err != nil {
		return func() {}
	}
	return func() { a.send(data) }
}

// Reconfigure raises the configuration number, as a new firmware does.
func (a *Accessory) Reconfigure() {
	a.mu.Lock()
	a.configuration++
	a.mu.Unlock()
}

// Move gives the accessory's radio another address.
func (a *Accessory) Move(address string) {
	a.mu.Lock()
	a.settings.Address = address
	a.mu.Unlock()
}

func (a *Accessory) address() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.settings.Address
}

// Advertise sends the advertisement once more, as the radio does all the time.
func (a *Accessory) Advertise() {
	a.mu.Lock()
	data, err := a.advertisement()
	a.mu.Unlock()
	if err == nil {
		a.send(data)
	}
}

// Send sends any advertisement in the accessory's name, a forged one for instance.
func (a *Accessory) Send(data []byte) { a.send(data) }

// advertisement needs the lock.
func (a *Accessory) advertisement() ([]byte, error) {
	return ble.Advertisement{ID: a.ID(), Paired: a.door.Paired(), Category: a.settings.Category, State: a.state,
		Configuration: a.configuration, Version: 2}.Data()
}

func (a *Accessory) send(data []byte) {
	a.mu.Lock()
	silent, address := a.faults.Silent, a.settings.Address
	var heard []func(ble.Sighting)
	for _, listener := range a.listeners {
		heard = append(heard, listener)
	}
	a.mu.Unlock()
	if silent {
		return
	}
	for _, listener := range heard {
		listener(ble.Sighting{Address: address, RSSI: -60, Data: slices.Clone(data)})
	}
}

// point finds a characteristic. It needs the lock.
func (a *Accessory) point(iid uint64) *point {
	for _, p := range a.points {
		if p.IID == iid {
			return p
		}
	}
	return nil
}

// at finds a characteristic by its handle.
func (a *Accessory) at(handle string) *point {
	for _, p := range a.points {
		if p.handle == handle {
			return p
		}
	}
	return nil
}

// serviceHandle is where the id of a service is read.
func serviceHandle(index int) string { return fmt.Sprintf("service%04x/id", index) }

// serviceID is the id that is read there.
func (a *Accessory) serviceID(handle string) ([]byte, bool) {
	for _, p := range a.points {
		if serviceHandle(p.index) == handle {
			return binary.LittleEndian.AppendUint16(nil, uint16(p.service.IID)), true
		}
	}
	return nil, false
}

// instance is the value of a characteristic's id descriptor.
func (p *point) instance() []byte { return binary.LittleEndian.AppendUint16(nil, uint16(p.IID)) }
