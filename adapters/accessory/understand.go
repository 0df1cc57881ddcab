package accessory

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// Device is one device of an accessory server as the house sees it.
type Device struct {
	AID          uint64
	ID           gateway.DeviceID
	Also         []gateway.DeviceID // other names of the same hardware
	Name         string
	Model        string // the vendor's type code where it is certain, else the maker's text
	Manufacturer string
	Serial       string
	Firmware     string
	RoomName     string           // "" if nobody said
	Bridge       gateway.DeviceID // of a device behind a bridge
	Points       []Point          // sorted by quantity
}

// Point is one quantity of a device: what it is read from, and how it is set.
type Point struct {
	Quantity gateway.Quantity
	Sources  []Source
	Setting  *Setting // nil: it cannot be set
}

// Source is a characteristic that a quantity is read from.
type Source struct {
	ID       hap.CharacteristicID
	Read     bool // it can be read, not only heard
	Events   bool // it tells when it changes
	decoding decoding
}

// Remainder is a part of an accessory that is not understood.
type Remainder struct {
	AID             uint64
	Service         hap.UUID
	Characteristics []hap.UUID
	Why             string
}

// String names the part and says why.
func (r Remainder) String() string {
	var types []string
	for _, c := range r.Characteristics {
		types = append(types, string(c))
	}
	return fmt.Sprintf("accessory %d, service %s (%s): %s", r.AID, r.Service, strings.Join(types, " "), r.Why)
}

// About is what is known of an accessory server besides its database.
type About struct {
	HomeKitID string // of the pairing
	Room      string // given when it was paired; of accessory 1
	Known     []Known
	IDs       map[uint64]gateway.DeviceID // ids handed out earlier, which must not change
	Taken     func(gateway.DeviceID) bool // tells ids and names that devices of other servers go by; nil: none
}

// Understand says what an accessory database means: its devices in the order of their aids, and all parts that mean
// nothing to the house. It is pure.
func Understand(accessories []hap.Accessory, about About) ([]Device, []Remainder) {
	about.HomeKitID = normalID(about.HomeKitID)
	accessories = slices.Clone(accessories)
	sort.SliceStable(accessories, func(i, j int) bool { return accessories[i].AID < accessories[j].AID })
	var devices []Device
	var left []Remainder
	for i, a := range accessories {
		if i > 0 && accessories[i-1].AID == a.AID {
			left = append(left, Remainder{AID: a.AID, Why: "the accessory id is there twice, only the first counts"})
			continue
		}
		d, rest := understandOne(a, about, devices)
		devices, left = append(devices, d), append(left, rest...)
	}
	separate(devices)
	return devices, left
}

func understandOne(a hap.Accessory, about About, others []Device) (Device, []Remainder) {
	d := information(a)
	identify(&d, about, others)
	known := configured(d, about)
	d.RoomName = known.Room
	if d.RoomName == "" && d.AID == hap.BridgeAID {
		d.RoomName = about.Room
	}
	r := reader{device: &d, siren: known.Siren || soundsLikeSiren(d.Name)}
	for _, s := range a.Services {
		r.service(s)
	}
	d.Points = slices.DeleteFunc(d.Points, func(p Point) bool { return len(p.Sources) == 0 && p.Setting == nil })
	sort.Slice(d.Points, func(i, j int) bool { return d.Points[i].Quantity < d.Points[j].Quantity })
	return d, r.left
}

// information reads what an accessory says about itself.
func information(a hap.Accessory) Device {
	d := Device{AID: a.AID}
	info, _ := a.Find(hap.ServiceAccessoryInformation)
	text := func(kind hap.UUID) string {
		c, _ := info.Find(kind)
		s, _ := hap.TextOf(c.Value)
		return strings.Trim(s, " \x00")
	}
	d.Name, d.Manufacturer = text(hap.CharacteristicName), text(hap.CharacteristicManufacturer)
	d.Serial, d.Firmware = text(hap.CharacteristicSerialNumber), text(hap.CharacteristicFirmwareRevision)
	d.Model = modelCode(text(hap.CharacteristicModel))
	if vendor, ok := a.Find(hap.ServiceNetatmoVendor); ok {
		c, _ := vendor.Find(netatmoSerial)
		if s, _ := hap.TextOf(c.Value); netatmoShort.MatchString(strings.ToLower(s)) {
			d.Serial = s // the other one may be a placeholder
		}
	}
	return d
}

// identify gives a device its id and its other names. others are the devices of the same server with lower aids, to
// whom a serial number that is there twice belongs.
func identify(d *Device, about About, others []Device) {
	home := gateway.DeviceID(about.HomeKitID)
	own := home
	if d.AID != hap.BridgeAID {
		own = gateway.DeviceID(fmt.Sprintf("%s#%d", home, d.AID))
		if len(others) > 0 && others[0].AID == hap.BridgeAID {
			d.Bridge = others[0].ID
		}
	}
	free := func(id gateway.DeviceID) bool {
		return !slices.ContainsFunc(others, func(o Device) bool { return o.ID == id }) && (about.Taken == nil || !about.Taken(id))
	}
	d.ID = own
	serial, isHardware := hardwareSerial(d.Serial)
	if isHardware && free(serial) {
		d.ID = serial
	}
	// What was said before stays, unless the hardware says that the aid has gone to another device.
	if before, ok := about.IDs[d.AID]; ok && (before == own || !isHardware) {
		d.ID = before
	}
	names := []gateway.DeviceID{own, serialAlias(d.Manufacturer, d.Serial), netatmoID(d.Manufacturer, d.Serial)}
	if isHardware {
		names = append(names, serial)
	}
	if d.AID == hap.BridgeAID {
		names = append(names, gateway.DeviceID(strings.ReplaceAll(about.HomeKitID, ":", "")))
	}
	for _, name := range names {
		if name != "" && name != d.ID && !slices.Contains(d.Also, name) && (name == own || about.Taken == nil || !about.Taken(name)) {
			d.Also = append(d.Also, name)
		}
	}
}

// separate takes away the names that more than one device goes by, so that they stay two.
func separate(devices []Device) {
	bearers := map[gateway.DeviceID]int{}
	for _, d := range devices {
		bearers[d.ID]++
		for _, name := range d.Also {
			bearers[name]++
		}
	}
	for i := range devices {
		devices[i].Also = slices.DeleteFunc(devices[i].Also, func(name gateway.DeviceID) bool { return bearers[name] > 1 })
	}
}

// configured finds what the configuration says about a device, under any of its names.
func configured(d Device, about About) Known {
	for _, k := range about.Known {
		id := gateway.DeviceID(normalID(k.ID))
		if id != "" && (id == d.ID || slices.Contains(d.Also, id)) {
			return k
		}
	}
	return Known{}
}

func soundsLikeSiren(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "siren") || strings.Contains(name, "sirène") || strings.Contains(name, "sire\u0300ne")
}

// Found is what the house is told about the device.
func (d Device) Found() gateway.Found {
	f := gateway.Found{Device: d.ID, Also: d.Also, Name: d.Name, Model: d.Model, RoomName: d.RoomName, Bridge: d.Bridge}
	for _, p := range d.Points {
		if p.Setting != nil {
			f.Controls = append(f.Controls, p.Setting.Control)
		}
	}
	return f
}

// Point returns the device's point of that quantity.
func (d Device) Point(q gateway.Quantity) (Point, bool) {
	for _, p := range d.Points {
		if p.Quantity == q {
			return p, true
		}
	}
	return Point{}, false
}

// readable tells whether anything of the device can be read.
func (d Device) readable() bool {
	return slices.ContainsFunc(d.Points, func(p Point) bool {
		return slices.ContainsFunc(p.Sources, func(s Source) bool { return s.Read })
	})
}
