// Package bluez is the Bluetooth LE of a Linux machine, through the D-Bus interface of BlueZ 5.
//
// Names and meanings are those of BlueZ's own documents, doc/org.bluez.*.rst of release 5.66.
package bluez

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
)

// Radio is the machine's first Bluetooth adapter that is switched on.
type Radio struct {
	// Bus is the address of the message bus; "": the system's.
	Bus string
}

var _ ble.Radio = Radio{}

// Troubles of the machine, each with what to do.
var (
	ErrNoService = errors.New("no Bluetooth service answers on this machine: install and start bluez")
	ErrNoAdapter = errors.New("this machine has no Bluetooth adapter")
	ErrOff       = errors.New("the Bluetooth adapter is switched off: bluetoothctl power on, and look at rfkill list")
	ErrUnplugged = errors.New("the Bluetooth adapter was taken away or switched off")
	ErrNotSeen   = errors.New("the device has not been seen lately")
)

// Interfaces and members of BlueZ.
const (
	service           = "org.bluez"
	adapterInterface  = "org.bluez.Adapter1"
	deviceInterface   = "org.bluez.Device1"
	gattService       = "org.bluez.GattService1"
	gattPoint         = "org.bluez.GattCharacteristic1"
	gattDescriptor    = "org.bluez.GattDescriptor1"
	propertiesChanged = "org.freedesktop.DBus.Properties.PropertiesChanged"
	interfacesAdded   = "org.freedesktop.DBus.ObjectManager.InterfacesAdded"
	interfacesRemoved = "org.freedesktop.DBus.ObjectManager.InterfacesRemoved"
	nameOwnerChanged  = "org.freedesktop.DBus.NameOwnerChanged"
	managedObjects    = "org.freedesktop.DBus.ObjectManager.GetManagedObjects"
)

// apple is the company identifier under which HomeKit advertises.
const apple = 0x004c

const (
	callTime   = 10 * time.Second // for one call to BlueZ that sends nothing over the air
	signalRoom = 256
)

// objects is what BlueZ has: by path and interface, the properties.
type objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant

// line is one connection to the message bus.
type line struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
}

// dial opens a connection and asks for BlueZ's signals.
func (r Radio) dial() (*line, error) {
	conn, err := r.connect()
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNoService, err)
	}
	l := &line{conn: conn, signals: make(chan *dbus.Signal, signalRoom)}
	conn.Signal(l.signals)
	for _, rule := range [][]dbus.MatchOption{
		{dbus.WithMatchSender(service)},
		{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, service)},
	} {
		if err := conn.AddMatchSignal(rule...); err != nil {
			conn.Close()
			return nil, fmt.Errorf("listen to Bluetooth: %w", err)
		}
	}
	return l, nil
}

func (r Radio) connect() (*dbus.Conn, error) {
	if r.Bus == "" {
		return dbus.ConnectSystemBus()
	}
	return dbus.Connect(r.Bus)
}

// objects asks BlueZ for all that it has.
func (l *line) objects(ctx context.Context) (objects, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var all objects
	err := l.conn.Object(service, "/").CallWithContext(ctx, managedObjects, 0).Store(&all)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrNoService, err)
	}
	return all, nil
}

// adapter finds the first adapter that is switched on.
func (all objects) adapter() (dbus.ObjectPath, error) {
	var paths []dbus.ObjectPath
	for path, has := range all {
		if has[adapterInterface] != nil {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return "", ErrNoAdapter
	}
	slices.Sort(paths)
	for _, path := range paths {
		if on, _ := all[path][adapterInterface]["Powered"].Value().(bool); on {
			return path, nil
		}
	}
	return "", ErrOff
}

// Listen has the adapter look for devices and passes on what HomeKit accessories advertise. It ends with
// an error when the adapter is taken away.
func (r Radio) Listen(ctx context.Context, heard func(ble.Sighting)) error {
	l, err := r.dial()
	if err != nil {
		return err
	}
	defer l.conn.Close()
	all, err := l.objects(ctx)
	if err != nil {
		return err
	}
	adapter, err := all.adapter()
	if err != nil {
		return err
	}
	if err := l.discover(ctx, adapter); err != nil {
		return err
	}
	for path, has := range all {
		sight(path, has[deviceInterface], heard)
	}
	return l.hear(ctx, adapter, heard)
}

// discover begins to look for devices; it goes on until the connection to the bus is closed.
func (l *line) discover(ctx context.Context, adapter dbus.ObjectPath) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	object := l.conn.Object(service, adapter)
	filter := map[string]dbus.Variant{
		"Transport":     dbus.MakeVariant("le"),
		"DuplicateData": dbus.MakeVariant(true), // each advertisement is news: its state number may have moved
	}
	// An old BlueZ that does not know a filter listens all the same.
	_ = object.CallWithContext(ctx, adapterInterface+".SetDiscoveryFilter", 0, filter).Err
	err := object.CallWithContext(ctx, adapterInterface+".StartDiscovery", 0).Err
	if err != nil && !isError(err, "org.bluez.Error.InProgress") {
		return fmt.Errorf("look for Bluetooth devices: %w", words(err))
	}
	return nil
}

// hear reads signals until ctx ends or the adapter goes.
func (l *line) hear(ctx context.Context, adapter dbus.ObjectPath, heard func(ble.Sighting)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-l.signals:
			if !ok || adapterGone(s, adapter) {
				return ErrUnplugged
			}
			switch s.Name {
			case propertiesChanged:
				if kind, changed := propertiesOf(s); kind == deviceInterface {
					sight(s.Path, changed, heard)
				}
			case interfacesAdded:
				path, has := addedBy(s)
				sight(path, has[deviceInterface], heard)
			}
		}
	}
}

// adapterGone tells whether a signal says that the adapter, or BlueZ itself, is there no more.
func adapterGone(s *dbus.Signal, adapter dbus.ObjectPath) bool {
	switch s.Name {
	case nameOwnerChanged:
		owner, ok := at[string](s.Body, 2)
		return ok && owner == ""
	case interfacesRemoved:
		path, _ := at[dbus.ObjectPath](s.Body, 0)
		gone, _ := at[[]string](s.Body, 1)
		return path == adapter && slices.Contains(gone, adapterInterface)
	case propertiesChanged:
		kind, changed := propertiesOf(s)
		on, ok := changed["Powered"].Value().(bool)
		return s.Path == adapter && kind == adapterInterface && ok && !on
	}
	return false
}

// sight passes on a device whose advertisement is HomeKit's.
func sight(path dbus.ObjectPath, device map[string]dbus.Variant, heard func(ble.Sighting)) {
	makers, _ := device["ManufacturerData"].Value().(map[uint16]dbus.Variant)
	data, ok := makers[apple].Value().([]byte)
	if !ok || len(data) == 0 {
		return
	}
	strength, _ := device["RSSI"].Value().(int16)
	heard(ble.Sighting{Address: addressOf(path), RSSI: int(strength), Data: slices.Clone(data)})
}

// addressOf reads the address out of a path such as /org/bluez/hci0/dev_AA_BB_CC_DD_EE_FF.
func addressOf(path dbus.ObjectPath) string {
	_, name, _ := strings.Cut(string(path), "/dev_")
	name, _, _ = strings.Cut(name, "/")
	return strings.ReplaceAll(name, "_", ":")
}

// devicePath is the path of an address under an adapter.
func devicePath(adapter dbus.ObjectPath, address string) dbus.ObjectPath {
	return adapter + "/dev_" + dbus.ObjectPath(strings.ReplaceAll(strings.ToUpper(address), ":", "_"))
}

// propertiesOf reads a signal about changed properties.
func propertiesOf(s *dbus.Signal) (kind string, changed map[string]dbus.Variant) {
	kind, _ = at[string](s.Body, 0)
	changed, _ = at[map[string]dbus.Variant](s.Body, 1)
	return kind, changed
}

// addedBy reads a signal about a new object.
func addedBy(s *dbus.Signal) (dbus.ObjectPath, map[string]map[string]dbus.Variant) {
	path, _ := at[dbus.ObjectPath](s.Body, 0)
	has, _ := at[map[string]map[string]dbus.Variant](s.Body, 1)
	return path, has
}

// at is the value at an index of a message's body, if it is there and of that type.
func at[T any](body []any, index int) (value T, ok bool) {
	if index >= len(body) {
		return value, false
	}
	value, ok = body[index].(T)
	return value, ok
}

func isError(err error, name string) bool {
	var refused dbus.Error
	return errors.As(err, &refused) && refused.Name == name
}

// words says what BlueZ meant.
func words(err error) error {
	var refused dbus.Error
	if !errors.As(err, &refused) {
		return err
	}
	text := refused.Error()
	switch {
	case refused.Name == "org.bluez.Error.NotReady":
		return ErrOff
	case refused.Name == "org.freedesktop.DBus.Error.UnknownObject", refused.Name == "org.freedesktop.DBus.Error.UnknownMethod":
		return ErrNotSeen
	case strings.Contains(text, "abort-by-local"), strings.Contains(text, "Software caused connection abort"):
		return fmt.Errorf("the device did not wake up in time (%s)", text)
	}
	return fmt.Errorf("%s: %s", refused.Name, text)
}
