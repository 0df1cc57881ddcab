// Package haptest holds the two ends of the HomeKit Accessory Protocol as tests and the demo need them: Accessory is a
// faithful accessory on loopback whose faults can be called up, Client is a controller that forgives nothing.
package haptest
