package homekit

import (
	"encoding/json"
	"math"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// The heating modes of HomeKit that a room has (HAP R2 9.119): auto follows the schedule.
const (
	modeOff  = 0
	modeHeat = 1
	modeAuto = 3
)

// roomStep is the step of a target: the vendor's cloud takes half degrees.
const roomStep = 0.5

// fineStep is the step of a target in a house whose frost guard lies between two half degrees: steps count from the least
// value, and half a degree from there would shut out 20 °C.
const fineStep = 0.1

func stepFrom(floor float64) float64 {
	if halves := floor / roomStep; halves != math.Trunc(halves) {
		return fineStep
	}
	return roomStep
}

// heated reports whether a room is one that can be heated: it has a target, or a device that takes one.
func heated(s gateway.State, r gateway.Room) bool {
	if r.Target.Value.Known() {
		return true
	}
	for _, id := range r.Devices {
		if d, ok := s.Devices.Get(id); ok && steersRoom(d) {
			return true
		}
	}
	return false
}

// steersRoom reports whether a device is a thermostat or valve: the room's accessory shows it.
func steersRoom(d gateway.Device) bool {
	if _, _, ok := d.Control(gateway.Target); ok {
		return true
	}
	_, ok := d.Reading(gateway.Target)
	return ok
}

// roomModel is the thermostat of one room as it is now.
func roomModel(s gateway.State, r gateway.Room, now time.Time) model {
	floor, top := s.Home.FrostGuard, s.Home.Maximum
	step := stepFrom(floor)
	temperature, until := r.Temperature.Value, r.Fades() // a room has no status beside it that could tell
	if !now.Before(until) {
		temperature = gateway.Value{}
	}
	thermostat := serviceModel{kind: hap.ServiceThermostat, primary: true, points: []point{
		{kind: hap.CharacteristicCurrentHeatingCooling, value: heating(r)},
		{kind: hap.CharacteristicTargetHeatingCooling, value: whole(modeOf(r)), ask: askMode(r)},
		{kind: hap.CharacteristicCurrentTemperature, value: number(temperature, coldest, hottest, 0.1)},
		{kind: hap.CharacteristicTargetTemperature, value: number(r.Target.Value, floor, top, step), low: floor, high: top, step: step, ask: askTarget(r.ID)},
		{kind: hap.CharacteristicTemperatureDisplayUnits, value: json.RawMessage("0")},
	}}
	m := model{key: roomPrefix + string(r.ID), name: r.Name, maker: "Netatmo", kind: "Room", serial: string(r.ID), services: []serviceModel{thermostat}}
	if temperature.Known() {
		m.fades = until
	}
	if low, known := lowBattery(s, r); known {
		m.services = append(m.services, battery(low, nil))
	}
	return m
}

func heating(r gateway.Room) json.RawMessage { return digit(r.Heating.Yes()) }

func modeOf(r gateway.Room) int {
	switch r.Target.Mode {
	case gateway.RoomOff:
		return modeOff
	case gateway.RoomManual, gateway.RoomMax:
		return modeHeat
	}
	return modeAuto
}

func askTarget(room gateway.RoomID) func(json.RawMessage) gateway.Ask {
	return func(raw json.RawMessage) gateway.Ask {
		target, _ := hap.NumberOf(raw)
		return gateway.SetTarget{Room: room, Target: target}
	}
}

// askMode turns a mode of the Home app into a wish. Heat keeps the present target, by hand.
func askMode(r gateway.Room) func(json.RawMessage) gateway.Ask {
	return func(raw json.RawMessage) gateway.Ask {
		mode, _ := hap.NumberOf(raw)
		target, known := r.Target.Value.Number()
		switch {
		case mode == modeOff:
			return gateway.SetRoomOff{Room: r.ID}
		case mode == modeHeat && known:
			return gateway.SetTarget{Room: r.ID, Target: target}
		}
		return gateway.FollowHome{Room: r.ID}
	}
}

// lowBattery joins the batteries of the devices that steer a room.
func lowBattery(s gateway.State, r gateway.Room) (low, known bool) {
	for _, id := range r.Devices {
		d, _ := s.Devices.Get(id)
		if !steersRoom(d) {
			continue
		}
		if l, k := deviceLowBattery(d); k {
			low, known = low || l, true
		}
	}
	return low, known
}

// lowBelow is the charge in percent below which a battery counts as low where the device has no word
// of its own; Home Assistant's default.
const lowBelow = 20

func deviceLowBattery(d gateway.Device) (low, known bool) {
	if m, ok := d.Reading(gateway.LowBattery); ok {
		return m.Value.Yes(), true
	}
	if m, ok := d.Reading(gateway.Battery); ok {
		n, _ := m.Value.Number()
		return n < lowBelow, true
	}
	return false, false
}

func battery(low bool, level json.RawMessage) serviceModel {
	b := serviceModel{kind: hap.ServiceBattery, points: []point{{kind: hap.CharacteristicStatusLowBattery, value: digit(low)}}}
	if level != nil {
		b.points = append(b.points, point{kind: hap.CharacteristicBatteryLevel, value: level},
			point{kind: hap.CharacteristicChargingState, value: json.RawMessage("2")}) // 2: not chargeable
	}
	return b
}
