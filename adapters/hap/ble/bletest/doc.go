// Package bletest is a simulated HomeKit accessory on Bluetooth LE, at the level of GATT, as httptest is
// to http.
//
// It is made from a recorded accessory database, pairs, seals, sleeps and advertises as a real one
// does, and fails in the ways that real ones do. Its protocol is written apart from package ble's, so
// that an error in one does not hide in the other; aiohomekit, a controller that nobody here wrote,
// drives the same accessory.
package bletest
