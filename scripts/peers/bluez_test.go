package peers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/adapters/hap/ble/bluez"
)

// TestBlueZ holds our Bluetooth client against the template of BlueZ 5 of python3-dbusmock, on a message
// bus of its own.
func TestBlueZ(t *testing.T) {
	needTools(t)
	m := startMockedBlueZ(t)
	promise(t, "a machine without an adapter is told so", func() (string, error) {
		return "", wants(m.radio.Listen(t.Context(), ignore), bluez.ErrNoAdapter)
	})
	need(t, "an adapter is plugged in", func() (string, error) { return "", m.mock("AddAdapter", "hci0", "pi") })
	promise(t, "an adapter that is switched off is told so", func() (string, error) {
		if err := m.power(false); err != nil {
			return "", err
		}
		err := wants(m.radio.Listen(t.Context(), ignore), bluez.ErrOff)
		return "", errors.Join(err, m.power(true))
	})
	listening := m.listen(t)
	promise(t, "a device appears, and its HomeKit advertisement is heard", func() (string, error) { return "", m.appears(listening) })
	promise(t, "a connection that the device aborts is told as one that slept", func() (string, error) { return "", m.aborts(t) })
	promise(t, "a device connects, is read, written and subscribed to, and is let go", func() (string, error) { return "", m.connects(t) })
	promise(t, "an adapter that is unplugged ends the listening", func() (string, error) {
		if err := m.mock("RemoveAdapterWithDevices", "hci0"); err != nil {
			return "", err
		}
		select {
		case err := <-listening.ended:
			return "", wants(err, bluez.ErrUnplugged)
		case <-time.After(patience):
			return "", errNotYet
		}
	})
	promise(t, "plugged in again it hears as before", func() (string, error) {
		if err := m.mock("AddAdapter", "hci0", "pi"); err != nil {
			return "", err
		}
		return "", m.appears(m.listen(t))
	})
}

func ignore(ble.Sighting) {}

func wants(got, want error) error {
	if errors.Is(got, want) {
		return nil
	}
	return fmt.Errorf("got %q, want %q", got, want)
}

// mocked is a mocked BlueZ on a bus of its own.
type mocked struct {
	radio bluez.Radio
	conn  *dbus.Conn
}

const (
	mockedAddress = "C0:00:00:00:00:01"
	mockedAdapter = dbus.ObjectPath("/org/bluez/hci0")
	mockedDevice  = mockedAdapter + "/dev_C0_00_00_00_00_01"
	mockInterface = "org.freedesktop.DBus.Mock"
)

func startMockedBlueZ(t *testing.T) mocked {
	t.Helper()
	daemon := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address")
	out, err := daemon.StdoutPipe()
	if err == nil {
		err = daemon.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(address)
	mock := exec.Command("/usr/bin/python3", "-m", "dbusmock", "--template", "bluez5")
	mock.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+address, "DBUS_SESSION_BUS_ADDRESS="+address)
	startProcess(t, "dbusmock", mock, func([]byte) {})
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	m := mocked{bluez.Radio{Bus: address}, conn}
	if _, err := until(patience, func() error { return conn.Object("org.bluez", "/").Call("org.freedesktop.DBus.Peer.Ping", 0).Err }); err != nil {
		t.Fatal(err)
	}
	return m
}

// mock calls a method of the template.
func (m mocked) mock(method string, args ...any) error {
	return m.conn.Object("org.bluez", "/").Call("org.bluez.Mock."+method, 0, args...).Err
}

// tell has an object tell that properties have changed.
func (m mocked) tell(path dbus.ObjectPath, kind string, changed map[string]dbus.Variant) error {
	args := []dbus.Variant{dbus.MakeVariant(kind), dbus.MakeVariant(changed), dbus.MakeVariant([]string{})}
	return m.conn.Object("org.bluez", path).Call(mockInterface+".EmitSignal", 0,
		"org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", args).Err
}

// change changes properties of an object, and has the change told.
func (m mocked) change(path dbus.ObjectPath, kind string, to map[string]any) error {
	properties := map[string]dbus.Variant{}
	for name, value := range to {
		properties[name] = dbus.MakeVariant(value)
	}
	return m.conn.Object("org.bluez", path).Call(mockInterface+".UpdateProperties", 0, kind, properties).Err
}

func (m mocked) power(on bool) error {
	return m.change(mockedAdapter, "org.bluez.Adapter1", map[string]any{"Powered": on})
}

// listening is our client while it listens.
type listening struct {
	heard chan ble.Sighting
	ended chan error
}

func (m mocked) listen(t *testing.T) listening {
	t.Helper()
	l := listening{make(chan ble.Sighting, 100), make(chan error, 1)}
	go func() { l.ended <- m.radio.Listen(t.Context(), func(s ble.Sighting) { l.heard <- s }) }()
	return l
}

func (m mocked) appears(l listening) error {
	data, err := ble.Advertisement{ID: "AA:BB:CC:DD:EE:FF", Category: 10, State: 7, Configuration: 1, Version: 2}.Data()
	if err != nil {
		return err
	}
	if err := m.mock("AddDevice", "hci0", mockedAddress, "Smart CO Alarm"); err != nil {
		return err
	}
	makers := map[uint16]dbus.Variant{0x004c: dbus.MakeVariant(data)}
	_, err = until(patience, func() error { // it advertises all the time
		changed := map[string]dbus.Variant{"ManufacturerData": dbus.MakeVariant(makers), "RSSI": dbus.MakeVariant(int16(-61))}
		if err := m.tell(mockedDevice, "org.bluez.Device1", changed); err != nil {
			return err
		}
		select {
		case s := <-l.heard:
			a, err := ble.ParseAdvertisement(s.Data)
			if err != nil || a.State != 7 || s.Address != mockedAddress || s.RSSI != -61 {
				return fmt.Errorf("heard %+v from %s (%w)", a, s.Address, err)
			}
			return nil
		case <-time.After(100 * time.Millisecond):
			return errNotYet
		}
	})
	return err
}

// program gives an object of the mock a method whose Python is code.
func (m mocked) program(path dbus.ObjectPath, kind, name, in, out, code string) error {
	return m.conn.Object("org.bluez", path).Call(mockInterface+".AddMethod", 0, kind, name, in, out, code).Err
}

func (m mocked) aborts(t *testing.T) error {
	code := `raise dbus.exceptions.DBusException("le-connection-abort-by-local", name="org.bluez.Error.Failed")`
	if err := m.program(mockedDevice, "org.bluez.Device1", "Connect", "", "", code); err != nil {
		return err
	}
	_, err := m.radio.Connect(t.Context(), mockedAddress)
	if err == nil || !strings.Contains(err.Error(), "did not wake up") {
		return fmt.Errorf("it says %v", err)
	}
	return nil
}

// connects lets the device have one service with one HomeKit characteristic.
func (m mocked) connects(t *testing.T) error {
	if err := m.gatt(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := m.radio.Connect(ctx, mockedAddress)
	if err != nil {
		return err
	}
	defer p.Close()
	all := p.Attributes()
	if len(all) != 1 || all[0].Kind != hap.CharacteristicCarbonMonoxideDetected || all[0].Within != hap.ServiceCarbonMonoxideSensor {
		return fmt.Errorf("its attributes are %v", all)
	}
	handle := all[0].Handle
	if iid, err := p.Descriptor(ctx, handle, "DC46F0FE-81D2-4616-B5D9-6ABDD796939A"); err != nil || len(iid) != 2 || iid[0] != 229 {
		return fmt.Errorf("its id is %v (%w)", iid, err)
	}
	if err := p.Write(ctx, handle, []byte{1, 2, 3}); err != nil {
		return err
	}
	if value, err := p.Read(ctx, handle); err != nil || string(value) != "\x01\x02\x03" {
		return fmt.Errorf("what was written is read as %v (%w)", value, err)
	}
	told := make(chan struct{}, 1)
	if err := p.Notify(ctx, handle, func() { told <- struct{}{} }); err != nil {
		return err
	}
	if err := m.change(mockedDevice+"/service0010/char0011", "org.bluez.GattCharacteristic1", map[string]any{"Value": []byte{}}); err != nil {
		return err
	}
	select {
	case <-told:
	case <-time.After(patience):
		return errors.New("a change was not told")
	}
	if err := m.change(mockedDevice, "org.bluez.Device1", map[string]any{"Connected": false}); err != nil {
		return err
	}
	select {
	case <-p.Done():
		return nil
	case <-time.After(patience):
		return errors.New("the end of the connection was not seen")
	}
}

func (m mocked) gatt() error {
	v := func(x any) dbus.Variant { return dbus.MakeVariant(x) }
	service := mockedDevice + "/service0010"
	point := service + "/char0011"
	type method struct{ Name, In, Out, Code string }
	objects := []struct {
		path       dbus.ObjectPath
		kind       string
		properties map[string]dbus.Variant
		methods    []method
	}{
		{service, "org.bluez.GattService1", map[string]dbus.Variant{"UUID": v("0000007f-0000-1000-8000-0026bb765291")}, nil},
		{point, "org.bluez.GattCharacteristic1", map[string]dbus.Variant{"UUID": v("00000069-0000-1000-8000-0026bb765291"),
			"Service": v(service), "Value": v([]byte{0}), "MTU": v(uint16(185))}, []method{
			{"WriteValue", "aya{sv}", "", "self.kept = args[0]"},
			{"ReadValue", "a{sv}", "ay", "ret = self.kept"},
			{"StartNotify", "", "", ""},
		}},
		{point + "/desc0013", "org.bluez.GattDescriptor1", map[string]dbus.Variant{"UUID": v("dc46f0fe-81d2-4616-b5d9-6abdd796939a"),
			"Characteristic": v(point)}, []method{
			{"ReadValue", "a{sv}", "ay", "ret = dbus.ByteArray(bytes([229, 0]))"},
		}},
	}
	for _, o := range objects {
		if o.methods == nil {
			o.methods = []method{}
		}
		if err := m.conn.Object("org.bluez", "/").Call(mockInterface+".AddObject", 0, o.path, o.kind, o.properties, o.methods).Err; err != nil {
			return fmt.Errorf("mock %s: %w", o.path, err)
		}
	}
	code := `self.UpdateProperties("org.bluez.Device1", {"Connected": dbus.Boolean(True), "ServicesResolved": dbus.Boolean(True)})`
	return errors.Join(m.program(mockedDevice, "org.bluez.Device1", "Connect", "", "", code),
		m.program(mockedDevice, "org.bluez.Device1", "Disconnect", "", "", ""))
}
