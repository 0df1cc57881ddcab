package bluez

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
)

// endTime is how long BlueZ may take to end a connection.
const endTime = 3 * time.Second

// peripheral is one connection to a device.
type peripheral struct {
	line        *line
	path        dbus.ObjectPath
	attributes  []ble.Attribute
	descriptors map[string]map[hap.UUID]dbus.ObjectPath
	mtu         int

	mu    sync.Mutex
	heard map[dbus.ObjectPath]func()

	done   chan struct{}
	once   sync.Once
	reader sync.WaitGroup
}

var _ ble.Peripheral = (*peripheral)(nil)

// Connect connects to the device at that address and waits until BlueZ knows its attributes.
func (r Radio) Connect(ctx context.Context, address string) (ble.Peripheral, error) {
	l, err := r.dial()
	if err != nil {
		return nil, err
	}
	p := &peripheral{line: l, done: make(chan struct{}), heard: map[dbus.ObjectPath]func(){},
		descriptors: map[string]map[hap.UUID]dbus.ObjectPath{}}
	if err := p.open(ctx, address); err != nil {
		p.hangUp()
		l.conn.Close()
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	p.reader.Go(p.read)
	return p, nil
}

func (p *peripheral) open(ctx context.Context, address string) error {
	all, err := p.line.objects(ctx)
	if err != nil {
		return err
	}
	adapter, err := all.adapter()
	if err != nil {
		return err
	}
	path := devicePath(adapter, address)
	if all[path] == nil {
		return ErrNotSeen
	}
	p.path = path
	err = p.device().CallWithContext(ctx, deviceInterface+".Connect", 0).Err
	if err != nil && !isError(err, "org.bluez.Error.AlreadyConnected") {
		return words(err)
	}
	if err := p.resolved(ctx); err != nil {
		return err
	}
	if all, err = p.line.objects(ctx); err != nil {
		return err
	}
	return p.learn(all)
}

func (p *peripheral) device() dbus.BusObject { return p.line.conn.Object(service, p.path) }

// resolved waits until the attributes are known.
func (p *peripheral) resolved(ctx context.Context) error {
	if v, err := p.device().GetProperty(deviceInterface + ".ServicesResolved"); err == nil {
		if yes, _ := v.Value().(bool); yes {
			return nil
		}
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("its attributes were not found in time: %w", ctx.Err())
		case s, ok := <-p.line.signals:
			if !ok {
				return ErrUnplugged
			}
			kind, changed := propertiesOf(s)
			if s.Name != propertiesChanged || s.Path != p.path || kind != deviceInterface {
				continue
			}
			if yes, ok := changed["ServicesResolved"].Value().(bool); ok && yes {
				return nil
			}
			if yes, ok := changed["Connected"].Value().(bool); ok && !yes {
				return errors.New("the device ended the connection at once")
			}
		}
	}
}

// learn lists the attributes of the device, in the order of their paths, which is that of their handles.
func (p *peripheral) learn(all objects) error {
	var paths []dbus.ObjectPath
	for path := range all {
		if len(path) > len(p.path) && path[:len(p.path)+1] == p.path+"/" {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	services := map[dbus.ObjectPath]int{}
	kinds := map[dbus.ObjectPath]hap.UUID{}
	for _, path := range paths {
		if s := all[path][gattService]; s != nil {
			services[path] = len(services)
			kinds[path] = kind(s)
		}
	}
	for _, path := range paths {
		if c := all[path][gattPoint]; c != nil {
			within, _ := c["Service"].Value().(dbus.ObjectPath)
			p.attributes = append(p.attributes, ble.Attribute{Handle: string(path[len(p.path)+1:]), Service: services[within],
				Kind: kind(c), Within: kinds[within]})
			if mtu, ok := c["MTU"].Value().(uint16); ok {
				p.mtu = int(mtu)
			}
		}
		if d := all[path][gattDescriptor]; d != nil {
			p.addDescriptor(path, d)
		}
	}
	if len(p.attributes) == 0 {
		return errors.New("it shows no attributes")
	}
	return nil
}

func (p *peripheral) addDescriptor(path dbus.ObjectPath, d map[string]dbus.Variant) {
	of, _ := d["Characteristic"].Value().(dbus.ObjectPath)
	if len(of) <= len(p.path) {
		return
	}
	handle := string(of[len(p.path)+1:])
	if p.descriptors[handle] == nil {
		p.descriptors[handle] = map[hap.UUID]dbus.ObjectPath{}
	}
	p.descriptors[handle][kind(d)] = path
}

// kind is the type of an attribute; Bluetooth's own come as HomeKit does not write them and are of no
// interest.
func kind(has map[string]dbus.Variant) hap.UUID {
	text, _ := has["UUID"].Value().(string)
	parsed, err := hap.ParseUUID(text)
	if err != nil {
		return hap.UUID(text)
	}
	return parsed
}

// Attributes are what BlueZ found.
func (p *peripheral) Attributes() []ble.Attribute { return p.attributes }

// MTU is what BlueZ says, 0 before BlueZ 5.62.
func (p *peripheral) MTU() int { return p.mtu }

func (p *peripheral) object(handle string) dbus.BusObject {
	return p.line.conn.Object(service, p.path+"/"+dbus.ObjectPath(handle))
}

// Read reads a characteristic.
func (p *peripheral) Read(ctx context.Context, handle string) ([]byte, error) {
	return readValue(ctx, p.object(handle), gattPoint)
}

// Descriptor reads a descriptor of a characteristic.
func (p *peripheral) Descriptor(ctx context.Context, handle string, kind hap.UUID) ([]byte, error) {
	path, ok := p.descriptors[handle][kind]
	if !ok {
		return nil, ble.ErrNoDescriptor
	}
	return readValue(ctx, p.line.conn.Object(service, path), gattDescriptor)
}

func readValue(ctx context.Context, object dbus.BusObject, of string) ([]byte, error) {
	var value []byte
	err := object.CallWithContext(ctx, of+".ReadValue", 0, map[string]dbus.Variant{}).Store(&value)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", object.Path(), words(err))
	}
	return value, nil
}

// Write writes a characteristic and waits until the device has it.
func (p *peripheral) Write(ctx context.Context, handle string, value []byte) error {
	options := map[string]dbus.Variant{"type": dbus.MakeVariant("request")}
	if err := p.object(handle).CallWithContext(ctx, gattPoint+".WriteValue", 0, value, options).Err; err != nil {
		return fmt.Errorf("write %s: %w", handle, words(err))
	}
	return nil
}

// Notify asks the device to tell changes of a characteristic.
func (p *peripheral) Notify(ctx context.Context, handle string, heard func()) error {
	object := p.object(handle)
	p.mu.Lock()
	p.heard[object.Path()] = heard
	p.mu.Unlock()
	if err := object.CallWithContext(ctx, gattPoint+".StartNotify", 0).Err; err != nil {
		return fmt.Errorf("subscribe to %s: %w", handle, words(err))
	}
	return nil
}

// Done is closed when the connection has ended.
func (p *peripheral) Done() <-chan struct{} { return p.done }

// Close ends the connection and waits until nothing more comes of it.
func (p *peripheral) Close() error {
	p.end()
	p.hangUp()
	err := p.line.conn.Close()
	p.reader.Wait()
	return err
}

// hangUp tells BlueZ to let go of the device: a connection costs its battery.
func (p *peripheral) hangUp() {
	if p.path == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	_ = p.device().CallWithContext(ctx, deviceInterface+".Disconnect", 0).Err // it may be gone already
}

func (p *peripheral) end() { p.once.Do(func() { close(p.done) }) }

// read takes signals until the connection to the bus is closed.
func (p *peripheral) read() {
	defer p.end()
	for s := range p.line.signals {
		kind, changed := propertiesOf(s)
		switch {
		case s.Name == nameOwnerChanged, s.Name == interfacesRemoved && gone(s, p.path):
			p.end()
		case s.Name != propertiesChanged:
		case kind == deviceInterface && s.Path == p.path:
			if yes, ok := changed["Connected"].Value().(bool); ok && !yes {
				p.end()
			}
		case kind == gattPoint:
			p.tell(s.Path, changed)
		}
	}
}

func gone(s *dbus.Signal, path dbus.ObjectPath) bool {
	removed, _ := at[dbus.ObjectPath](s.Body, 0)
	return removed == path
}

// tell passes on that a characteristic has changed. HomeKit's notifications are empty; a value is the
// echo of our own read.
func (p *peripheral) tell(path dbus.ObjectPath, changed map[string]dbus.Variant) {
	value, ok := changed["Value"].Value().([]byte)
	if !ok || len(value) > 0 {
		return
	}
	p.mu.Lock()
	heard := p.heard[path]
	p.mu.Unlock()
	if heard != nil {
		heard()
	}
}
