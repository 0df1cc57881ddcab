// Package ble speaks the HomeKit Accessory Protocol over Bluetooth LE, as a controller.
//
// An accessory on Bluetooth sleeps. It tells all the world what it is and which state it is in by
// advertisements (advertisement.go), and a paired controller also what has changed, sealed
// (notification.go). Everything else needs a connection, which costs its battery: then requests travel
// as PDUs (pdu.go) in pieces through GATT characteristics (gatt.go), open before pair-verify and sealed
// after it (channel.go). Session is one such connection; Layout is what was learnt of the accessory and
// need not be asked for again (layout.go, signature.go).
//
// The GATT client itself is behind Radio and Peripheral: adapters/hap/ble/bluez has the one for Linux,
// adapters/hap/ble/bletest a simulated accessory.
package ble
