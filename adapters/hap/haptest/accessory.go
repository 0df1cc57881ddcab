package haptest

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Options describe an Accessory. The zero Options are a bridge without devices on a free port of loopback.
type Options struct {
	Listen      string          // host:port; empty: 127.0.0.1 and a free port
	Accessories []hap.Accessory // such as a recorded dump; empty: a bridge alone
	SetupCode   hap.SetupCode   // empty: drawn at random
	// OnWrite may refuse what a controller writes, or react to it. Nil takes everything that the metadata allow.
	OnWrite func(writes []hap.WriteRequest) []hap.WriteResult
	// Network is where it listens, at any address, which then must be given; nil: loopback.
	Network *Network
}

// Accessory is an accessory server on loopback: the real one of package hap behind a listener that can spoil what it
// says. Its methods may be called from any goroutine.
type Accessory struct {
	options  Options
	identity hap.ServerIdentity
	store    Store
	faults   faults

	mu      sync.Mutex
	server  *hap.Server
	address string
	stop    context.CancelFunc
	done    chan error
	values  map[hap.CharacteristicID]json.RawMessage
	writes  []hap.WriteRequest
}

// StartAccessory begins to serve. Close must follow.
func StartAccessory(options Options) (*Accessory, error) {
	identity, err := hap.NewServerIdentity()
	if err != nil {
		return nil, err
	}
	if options.SetupCode != "" {
		identity.SetupCode = options.SetupCode
	}
	if options.Listen == "" {
		options.Listen = "127.0.0.1:0"
	}
	if len(options.Accessories) == 0 {
		options.Accessories = []hap.Accessory{Bridge("Test Bridge")}
	}
	a := &Accessory{options: options, identity: identity, address: options.Listen, values: map[hap.CharacteristicID]json.RawMessage{}}
	a.learn(options.Accessories)
	if err := a.Start(); err != nil {
		return nil, err
	}
	return a, nil
}

// Bridge is an accessory with id 1 that has nothing but its information.
func Bridge(name string) hap.Accessory {
	text := func(iid uint64, kind hap.UUID, value string) hap.Characteristic {
		return hap.Characteristic{IID: iid, Type: kind, Perms: []hap.Perm{hap.PermRead}, Format: hap.FormatString, Value: hap.TextValue(value)}
	}
	return hap.Accessory{AID: hap.BridgeAID, Services: []hap.Service{{
		IID: 1, Type: hap.ServiceAccessoryInformation, Characteristics: []hap.Characteristic{
			{IID: 2, Type: hap.CharacteristicIdentify, Perms: []hap.Perm{hap.PermWrite}, Format: hap.FormatBool},
			text(3, hap.CharacteristicManufacturer, "Netatmo"),
			text(4, hap.CharacteristicModel, "Test"),
			text(5, hap.CharacteristicName, name),
			text(6, hap.CharacteristicSerialNumber, "70:ee:50:00:00:00"),
			text(7, hap.CharacteristicFirmwareRevision, "1.0.0"),
		},
	}}}
}

func (a *Accessory) learn(list []hap.Accessory) {
	for _, accessory := range list {
		for _, service := range accessory.Services {
			for _, c := range service.Characteristics {
				a.values[hap.CharacteristicID{AID: accessory.AID, IID: c.IID}] = c.Value
			}
		}
	}
}

// Start serves again after Stop, at the same address, as a device does after a power cut.
func (a *Accessory) Start() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stop != nil {
		return errors.New("the accessory is running")
	}
	server, err := hap.NewServer(hap.ServerOptions{Identity: a.identity, Model: "Test", Store: &a.store, Write: a.write})
	if err != nil {
		return err
	}
	if err := server.SetAccessories(a.options.Accessories); err != nil {
		return err
	}
	listener, err := a.listen()
	if err != nil {
		return err
	}
	a.server, a.address = server, listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	a.stop, a.done = cancel, done
	go func() { done <- server.Serve(ctx, &faultyListener{listener, &a.faults}) }()
	return nil
}

// Stop ends all connections and stops listening. The pairings stay.
func (a *Accessory) Stop() error {
	a.mu.Lock()
	stop, done := a.stop, a.done
	a.stop = nil
	a.mu.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	a.faults.cutAll()
	return <-done
}

// Move stops and starts again at another port, as a device does that got another address.
func (a *Accessory) Move() error {
	if err := a.Stop(); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(a.Address())
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.address = net.JoinHostPort(host, "0")
	a.mu.Unlock()
	return a.Start()
}

// Close ends everything that StartAccessory began.
func (a *Accessory) Close() error { return a.Stop() }

// Address is where the accessory listens, host:port.
func (a *Accessory) Address() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.address
}

// ID is the pairing id, the "id" of the TXT record.
func (a *Accessory) ID() string { return a.identity.DeviceID }

// Code is the setup code.
func (a *Accessory) Code() string { return string(a.identity.SetupCode) }

func (a *Accessory) current() *hap.Server {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.server
}

// TXT is what the accessory would announce by mDNS.
func (a *Accessory) TXT() map[string]string { return a.current().TXT() }

// Pair makes a new controller and pairs it. An accessory takes only one such; further ones need Session.AddPairing.
func (a *Accessory) Pair(ctx context.Context) (hap.Pairing, error) {
	identity, err := hap.NewIdentity()
	if err != nil {
		return hap.Pairing{}, err
	}
	return a.Dial().PairSetup(ctx, a.Address(), a.Code(), identity, 0)
}

// Dial is how the accessory is reached.
func (a *Accessory) Dial() hap.Dial {
	if a.options.Network == nil {
		return nil
	}
	return a.options.Network.Dial
}

// Know makes a controller known to the accessory as if it had been paired before it was switched on, without the toil of
// pair-setup. The accessory must be stopped.
func (a *Accessory) Know(identity hap.Identity) (hap.Pairing, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stop != nil {
		return hap.Pairing{}, errors.New("the accessory is running")
	}
	raw, err := json.Marshal(map[string]any{"key": identity.Public(), "admin": true})
	if err != nil {
		return hap.Pairing{}, err
	}
	if err := a.store.Set(pairingPrefix+hex.EncodeToString([]byte(identity.ID)), raw); err != nil {
		return hap.Pairing{}, err
	}
	return hap.Pairing{AccessoryID: a.identity.DeviceID, AccessoryKey: a.Key(), Address: a.address, Controller: identity}, nil
}

// Key is the accessory's long-term public key.
func (a *Accessory) Key() ed25519.PublicKey { return a.identity.Public() }

// Controllers are the ids of those that are paired with it, sorted.
func (a *Accessory) Controllers() []string {
	keys, err := a.store.List(pairingPrefix)
	if err != nil {
		return nil // a store in memory fails only when it is told to
	}
	var all []string
	for _, key := range keys {
		if id, err := hex.DecodeString(strings.TrimPrefix(key, pairingPrefix)); err == nil {
			all = append(all, string(id))
		}
	}
	slices.Sort(all)
	return all
}

// pairingPrefix is where a hap.Server keeps its pairings: followed by the controller's id in hexadecimal digits.
const pairingPrefix = "pairing/"

// MoveTo stops, and starts again at that address.
func (a *Accessory) MoveTo(address string) error {
	return errors.Join(a.Stop(), a.Readdress(address), a.Start())
}

// Readdress gives a stopped accessory the address at which it starts again.
func (a *Accessory) Readdress(address string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stop != nil {
		return errors.New("the accessory is running")
	}
	a.address = address
	return nil
}

// Forget drops all pairings, as a reset of the device does.
func (a *Accessory) Forget() error { return a.current().Unpair() }

// Set changes values as the device itself would; controllers that subscribed get events. A nil Value says that there is
// nothing to show.
func (a *Accessory) Set(values ...hap.Value) error {
	if err := a.current().SetValues(values); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, value := range values {
		a.values[value.ID] = value.Value
	}
	return nil
}

// Value is the newest value of a characteristic, be it from Set or from a controller.
func (a *Accessory) Value(id hap.CharacteristicID) json.RawMessage {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.values[id]
}

// Find returns the id of the first characteristic of this type in the accessory.
func (a *Accessory) Find(aid uint64, kind hap.UUID) (hap.CharacteristicID, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, accessory := range a.options.Accessories {
		if accessory.AID != aid {
			continue
		}
		for _, service := range accessory.Services {
			if c, ok := service.Find(kind); ok {
				return hap.CharacteristicID{AID: aid, IID: c.IID}, nil
			}
		}
	}
	return hap.CharacteristicID{}, fmt.Errorf("accessory %d has no characteristic %s", aid, kind)
}

// SetAccessories replaces the accessories, as a bridge does that got another device.
func (a *Accessory) SetAccessories(list []hap.Accessory) error {
	if err := a.current().SetAccessories(list); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.options.Accessories = list
	a.learn(list)
	return nil
}

// Writes are all the writes that were accepted so far, in their order.
func (a *Accessory) Writes() []hap.WriteRequest {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]hap.WriteRequest(nil), a.writes...)
}

func (a *Accessory) write(_ context.Context, _ string, writes []hap.WriteRequest) []hap.WriteResult {
	var results []hap.WriteResult
	if a.options.OnWrite != nil {
		results = a.options.OnWrite(writes)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, write := range writes {
		if i < len(results) && results[i].Status != hap.StatusOK {
			continue
		}
		a.values[write.ID] = write.Value
		a.writes = append(a.writes, write)
	}
	return results
}

// Fail spoils the next so many occasions for this fault.
func (a *Accessory) Fail(fault Fault, times int) { a.faults.set(fault, times) }

// FailPairing answers the next so many first messages of path, "/pair-setup" or "/pair-verify", with a pairing error such
// as hap.ErrorBackoff.
func (a *Accessory) FailPairing(path string, refusal hap.PairingError, times int) {
	a.faults.refuse(path, refusal, times)
}

// Hold keeps back all that the accessory says in sessions from now on, until release is called: a slow device.
func (a *Accessory) Hold() (release func()) { return a.faults.hold() }

// Disconnect cuts all connections at once, without a word.
func (a *Accessory) Disconnect() { a.faults.cutAll() }

// Connections counts the connections that are open now, and all that were ever made.
func (a *Accessory) Connections() (open, ever int) { return a.faults.count() }
