package rules

import (
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// How long a smoke or CO detector of a model that nobody knows may be silent. One with a battery speaks seldom:
// Zigbee2MQTT takes it for lost after 25 hours ("availability, passive").
const (
	silentOnMains   = 2 * time.Hour
	silentOnBattery = 25 * time.Hour
	startGrace      = 15 * time.Minute // after a start, for the first word of those that are there
)

// detects reports whether a device has ever said anything of smoke or CO.
func detects(d gateway.Device) bool {
	for _, m := range d.Readings {
		if m.Quantity == gateway.Smoke || m.Quantity == gateway.CO {
			return true
		}
	}
	return false
}

// watchDetectors finds detectors of which nothing was heard for too long: that is a fault, and what they said of
// smoke no longer counts.
func (b *book) watchDetectors() {
	if b.Home.SilentAfter == nil || b.now.Sub(b.Started) < startGrace {
		return
	}
	for _, d := range b.Devices.All() {
		if detects(d) && !d.Silent && b.isSilent(d) {
			d.Silent = true
			b.setDevice(d)
			b.decide(gateway.Decision{Kind: "device", Device: d.ID, Room: d.Room, What: fmt.Sprintf("%s is at fault: it is silent, and nobody knows whether it smells anything", b.where(d)),
				Why: fmt.Sprintf("nothing was heard of it for %s", length(b.silence(d)))})
		}
	}
}

// speaks takes a device that has just been heard out of its fault.
func (b *book) speaks(id gateway.DeviceID) {
	d, ok := b.Devices.Get(id)
	if !ok || !d.Silent || b.isSilent(d) {
		return
	}
	d.Silent = false
	b.setDevice(d)
	b.decide(gateway.Decision{Kind: "device", Device: d.ID, Room: d.Room, What: b.where(d) + " is heard again", Why: "it was silent"})
}

// isSilent reports whether the last word of a detector lies too far back.
func (b *book) isSilent(d gateway.Device) bool {
	limit := b.silence(d)
	if limit <= 0 {
		return false
	}
	for _, f := range d.Faces {
		if f.Reaches && f.Adapter != gateway.CloudAdapter { // that the vendor answers says nothing of the device
			return false
		}
	}
	for _, m := range d.Readings {
		if b.now.Sub(m.At) <= limit {
			return false
		}
	}
	return true
}

// silence is after how long a silent detector is at fault, by what is known of its model; 0: never.
func (b *book) silence(d gateway.Device) time.Duration {
	if known, ok := b.Home.SilentAfter[d.Model]; ok || b.Home.SilentAfter == nil {
		return known
	}
	for _, m := range d.Readings {
		if m.Quantity == gateway.Battery || m.Quantity == gateway.LowBattery {
			return silentOnBattery
		}
	}
	return silentOnMains
}

// length is a duration in words, as people say it.
func length(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}

// Levels of carbon monoxide, and how long each may last before people are told. They are the shortest times after
// which a detector has to sound by itself (EN 50291-1): 50 ppm 60 min, 100 ppm 10 min. Whoever is told then may
// air the room before it does, or learn of a detector that does not.
const (
	someGas, someGasFor = 50.0, 60 * time.Minute
	muchGas, muchGasFor = 100.0, 10 * time.Minute
)

// smellGas notes since when a level has held.
func (b *book) smellGas(d gateway.Device, m gateway.Measure) {
	ppm, _ := m.Value.Number()
	before, _ := b.Gas.Get(d.ID)
	gas := gateway.Gas{Above50: since(before.Above50, ppm >= someGas, b.now), Above100: since(before.Above100, ppm >= muchGas, b.now)}
	switch {
	case gas == before:
		return
	case gas == gateway.Gas{}:
		b.Gas = b.Gas.Without(d.ID)
		if at := b.alarmOf(d.ID, gateway.CO); at >= 0 && b.Alarms[at].Phase == gateway.PreAlarm {
			b.endAlarm(at, fmt.Sprintf("its level is %g ppm", ppm))
		}
	default:
		b.Gas = b.Gas.With(d.ID, gas)
	}
	b.changed = true
}

// since is when something began to hold: before if it held already, zero if it does not.
func since(before time.Time, holds bool, now time.Time) time.Time {
	switch {
	case !holds:
		return time.Time{}
	case before.IsZero():
		return now
	}
	return before
}

// preAlarms tells of gas that has lasted.
func (b *book) preAlarms() {
	if b.Gas.Len() == 0 {
		return
	}
	for id, gas := range b.Gas.All() {
		level, held := someGas, b.now.Sub(gas.Above50)
		long := !gas.Above50.IsZero() && held >= someGasFor
		if !gas.Above100.IsZero() && b.now.Sub(gas.Above100) >= muchGasFor {
			level, held, long = muchGas, b.now.Sub(gas.Above100), true
		}
		d, ok := b.Devices.Get(id)
		if !ok || !long || b.alarmOf(id, gateway.CO) >= 0 {
			continue
		}
		why := fmt.Sprintf("%g ppm or more for %s", level, length(held))
		b.decide(gateway.Decision{Kind: "alarm", Room: d.Room, Device: id, What: "carbon monoxide PRE-ALARM: " + b.where(d) + ": open the windows", Why: why})
		b.alarm(gateway.Alarm{Phase: gateway.PreAlarm, Kind: gateway.CO, Device: id, Name: label(d), Since: b.now, Heard: b.now, Why: b.where(d) + " has measured " + why})
	}
}
