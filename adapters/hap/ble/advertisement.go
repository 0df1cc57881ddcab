package ble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Advertisement is what an accessory tells everybody about itself (HAP R2 7.4.2.1).
type Advertisement struct {
	ID            string // HomeKit id, "AA:BB:CC:DD:EE:FF"
	Paired        bool
	Category      uint16  // accessory category identifier (HAP R2 13)
	State         uint16  // global state number: it moves with each change that is told; 1 to 65535
	Configuration byte    // moves when services or characteristics change
	Version       byte    // of the HAP Bluetooth protocol; 2 today
	SetupHash     [4]byte // of the setup id and the HomeKit id; zero from devices without one
}

// ErrNotHomeKit says that an advertisement is something else of Apple's.
var ErrNotHomeKit = errors.New("not an advertisement of HomeKit")

// First bytes of Apple's advertisements that are HomeKit's.
const (
	typeRegular      = 0x06
	typeNotification = 0x11

	regularLength = 15 // without the setup hash, which old devices leave out
	hashEnd       = 19
)

// statusUnpaired is the bit of the status flags that says that the accessory may be paired.
const statusUnpaired = 0x01

// ParseAdvertisement reads the data behind Apple's company identifier. What is no HomeKit
// advertisement is ErrNotHomeKit; encrypted notifications are for ParseNotification.
func ParseAdvertisement(data []byte) (Advertisement, error) {
	if len(data) == 0 || data[0] != typeRegular {
		return Advertisement{}, ErrNotHomeKit
	}
	if len(data) < regularLength {
		return Advertisement{}, fmt.Errorf("a HomeKit advertisement has %d bytes instead of at least %d", len(data), regularLength)
	}
	a := Advertisement{
		ID:            idText(data[3:9]),
		Paired:        data[2]&statusUnpaired == 0,
		Category:      binary.LittleEndian.Uint16(data[9:]),
		State:         binary.LittleEndian.Uint16(data[11:]),
		Configuration: data[13],
		Version:       data[14],
	}
	if len(data) >= hashEnd {
		copy(a.SetupHash[:], data[regularLength:])
	}
	return a, nil
}

// Data is the advertisement as it is sent.
func (a Advertisement) Data() ([]byte, error) {
	id, err := idBytes(a.ID)
	if err != nil {
		return nil, err
	}
	flags := byte(statusUnpaired)
	if a.Paired {
		flags = 0
	}
	data := []byte{typeRegular, 1<<5 | (hashEnd - 2), flags}
	data = append(data, id[:]...)
	data = binary.LittleEndian.AppendUint16(data, a.Category)
	data = binary.LittleEndian.AppendUint16(data, a.State)
	data = append(data, a.Configuration, a.Version)
	return append(data, a.SetupHash[:]...), nil
}

func idText(raw []byte) string {
	return strings.ToUpper(fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", raw[0], raw[1], raw[2], raw[3], raw[4], raw[5]))
}

func idBytes(text string) (id [6]byte, err error) {
	n, err := fmt.Sscanf(text, "%02x:%02x:%02x:%02x:%02x:%02x", &id[0], &id[1], &id[2], &id[3], &id[4], &id[5])
	if err != nil || n != len(id) || len(text) != 17 {
		return id, fmt.Errorf("%.40q is not a HomeKit id such as AA:BB:CC:DD:EE:FF", text)
	}
	return id, nil
}
