package ble

import (
	"context"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Radio is the machine's Bluetooth LE.
type Radio interface {
	// Listen calls heard with each advertisement of a HomeKit accessory, one call at a time, until ctx
	// ends or the radio fails.
	Listen(ctx context.Context, heard func(Sighting)) error
	// Connect connects to the peripheral at a Bluetooth address and finds its attributes. ctx bounds
	// the attempt alone.
	Connect(ctx context.Context, address string) (Peripheral, error)
}

// Sighting is one advertisement as the radio heard it.
type Sighting struct {
	Address string // of the radio, "AA:BB:CC:DD:EE:FF"; devices may change it
	RSSI    int    // signal strength in dBm, 0 if not known
	Data    []byte // what follows Apple's company identifier, 0x004C
}

// Peripheral is one connection to a Bluetooth LE device. Its methods may be called from any goroutine,
// one at a time.
type Peripheral interface {
	// Attributes are the GATT characteristics that were found.
	Attributes() []Attribute
	// MTU is the largest ATT packet in bytes; 0 if not known.
	MTU() int
	Read(ctx context.Context, handle string) ([]byte, error)
	Write(ctx context.Context, handle string, value []byte) error
	// Descriptor reads the descriptor of that type of a characteristic.
	Descriptor(ctx context.Context, handle string, kind hap.UUID) ([]byte, error)
	// Notify calls heard whenever the device says that the characteristic has changed.
	Notify(ctx context.Context, handle string, heard func()) error
	// Done is closed when the connection has ended, for whatever reason.
	Done() <-chan struct{}
	// Close ends the connection.
	Close() error
}

// Attribute is one GATT characteristic.
type Attribute struct {
	Handle  string // how the radio names it; stable while the device's firmware stays
	Service int    // services are counted, because a device may have two of one type
	Kind    hap.UUID
	Within  hap.UUID // type of the service
}

// Types of GATT attributes that carry ids (HAP R2 7.4.4.5).
const (
	characteristicServiceID  hap.UUID = "E604E95D-A759-4817-87D3-AA005083A0D1"
	descriptorCharacteristic hap.UUID = "DC46F0FE-81D2-4616-B5D9-6ABDD796939A"
)

// What is known of packets. HAP wants at least 100 bytes (HAP R2 7.2.1); an ATT write carries 3 less.
const (
	leastMTU     = 100
	mostFragment = 512
	attHeader    = 3
)

// fragmentSize is how many bytes go into one GATT write.
func fragmentSize(p Peripheral) int {
	return min(max(p.MTU(), leastMTU)-attHeader, mostFragment)
}
