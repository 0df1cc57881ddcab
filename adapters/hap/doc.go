// Package hap speaks the HomeKit Accessory Protocol over IP, both ends, without glue: it knows controllers and
// accessories, and nothing of homes, rooms or events of this program.
//
// The shared wire lies in tlv8.go (pairing payloads), srp.go (the setup code becomes a key), crypto.go and exchange.go
// (what is derived, signed and sealed), frame.go (the encrypted stream), message.go (the HTTP-like messages) and
// accessory.go (the JSON of the accessory database). The controller is Identity, Pairing and Session; the accessory
// end is Server.
package hap
