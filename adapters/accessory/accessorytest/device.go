package accessorytest

import (
	"cmp"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Kind is what a device is.
type Kind int

// Kinds of devices. The zero Kind says nothing but who it is, as a bridge.
const (
	Plain      Kind = iota
	Thermostat      // of a room, on a relay: no real dump of one is public, so this follows HAP R2 8.35
	COAlarm
	SmokeAlarm
	Siren     // a switch that its name makes a siren
	HomeCoach // Netatmo's, as in its dump
)

// Device is one accessory as it is when the house starts. Zero values are those of an ordinary device of its kind.
type Device struct {
	Kind   Kind
	Name   string // unique in the house
	Model  string // as HomeKit tells it
	Serial string

	Temperature float64 // °C
	Target      float64 // °C
	Min, Max    float64 // °C, of the target: 7 to 30
	Step        float64 // °C: 0.5
}

// model is the maker's text where the Device has none.
func (d Device) model() string {
	return cmp.Or(d.Model, map[Kind]string{Thermostat: "Netatmo Thermostat", COAlarm: "Smart CO Alarm",
		SmokeAlarm: "Smart Smoke Alarm", Siren: "Siren", HomeCoach: "Healthy Home Coach"}[d.Kind])
}

// Instance ids, the same in every device.
const (
	iidInformation = 1
	iidIdentify    = 2
	iidName        = 3
	iidService     = 16
	iidHeats       = 17
	iidMode        = 18
	iidTemperature = 19
	iidTarget      = 20
	iidUnits       = 21
	iidSmoke       = 22
	iidCO          = 23
	iidCOLevel     = 24
	iidCOPeak      = 25
	iidTampered    = 26
	iidFault       = 27
	iidOn          = 28
	iidAirQuality  = 29
	iidCO2         = 33
	iidHumidity    = 36
	iidNoise       = 39
	iidBattery     = 48
	iidLowBattery  = 49
)

// writable names what controllers write.
var writable = map[uint64]string{iidIdentify: "identify", iidMode: "mode", iidTarget: "target", iidUnits: "units", iidOn: "on"}

// accessory is what a device publishes.
func (d Device) accessory(aid uint64) hap.Accessory {
	text := func(iid uint64, kind hap.UUID, value string) hap.Characteristic {
		return hap.Characteristic{IID: iid, Type: kind, Perms: []hap.Perm{hap.PermRead}, Format: hap.FormatString, Value: hap.TextValue(value)}
	}
	services := []hap.Service{{IID: iidInformation, Type: hap.ServiceAccessoryInformation, Characteristics: []hap.Characteristic{
		{IID: iidIdentify, Type: hap.CharacteristicIdentify, Perms: []hap.Perm{hap.PermWrite}, Format: hap.FormatBool},
		text(iidName, hap.CharacteristicName, d.Name),
		text(4, hap.CharacteristicManufacturer, "Netatmo"),
		text(5, hap.CharacteristicModel, d.model()),
		text(6, hap.CharacteristicSerialNumber, d.Serial),
		text(7, hap.CharacteristicFirmwareRevision, "1.0.0"),
	}}}
	return hap.Accessory{AID: aid, Services: append(services, d.services()...)}
}

func (d Device) services() []hap.Service {
	battery := hap.Service{IID: iidBattery, Type: hap.ServiceBattery, Characteristics: []hap.Characteristic{
		flag(iidLowBattery, hap.CharacteristicStatusLowBattery)}}
	switch d.Kind {
	case Thermostat:
		return []hap.Service{d.thermostat(), battery}
	case COAlarm:
		return []hap.Service{{IID: iidService, Type: hap.ServiceCarbonMonoxideSensor, Primary: true, Characteristics: []hap.Characteristic{
			flag(iidCO, hap.CharacteristicCarbonMonoxideDetected),
			number(iidCOLevel, hap.CharacteristicCarbonMonoxideLevel, 0, 0, 1000, 0),
			number(iidCOPeak, hap.CharacteristicCarbonMonoxidePeakLevel, 0, 0, 1000, 0),
			flag(iidTampered, hap.CharacteristicStatusTampered), flag(iidFault, hap.CharacteristicStatusFault)}}, battery}
	case SmokeAlarm:
		return []hap.Service{{IID: iidService, Type: hap.ServiceSmokeSensor, Primary: true, Characteristics: []hap.Characteristic{
			flag(iidSmoke, hap.CharacteristicSmokeDetected),
			flag(iidTampered, hap.CharacteristicStatusTampered), flag(iidFault, hap.CharacteristicStatusFault)}}, battery}
	case Siren:
		on := flag(iidOn, hap.CharacteristicOn)
		on.Perms, on.Format, on.Value = append(on.Perms, hap.PermWrite), hap.FormatBool, hap.BoolValue(false)
		on.MinValue, on.MaxValue = nil, nil
		return []hap.Service{{IID: iidService, Type: hap.ServiceSwitch, Primary: true, Characteristics: []hap.Characteristic{on}}}
	case HomeCoach:
		return d.homeCoach()
	}
	return nil
}

func (d Device) thermostat() hap.Service {
	low, high := cmp.Or(d.Min, 7), cmp.Or(d.Max, 30)
	target := number(iidTarget, hap.CharacteristicTargetTemperature, cmp.Or(d.Target, 19), low, high, cmp.Or(d.Step, 0.5))
	target.Perms = append(target.Perms, hap.PermWrite)
	mode := whole(iidMode, hap.CharacteristicTargetHeatingCooling, 1, 0, 1)
	mode.Perms = append(mode.Perms, hap.PermWrite)
	units := whole(iidUnits, hap.CharacteristicTemperatureDisplayUnits, 0, 0, 1)
	units.Perms = append(units.Perms, hap.PermWrite)
	return hap.Service{IID: iidService, Type: hap.ServiceThermostat, Primary: true, Characteristics: []hap.Characteristic{
		whole(iidHeats, hap.CharacteristicCurrentHeatingCooling, 0, 0, 2), mode,
		number(iidTemperature, hap.CharacteristicCurrentTemperature, cmp.Or(d.Temperature, 19), -40, 60, 0.1),
		target, units}}
}

func (d Device) homeCoach() []hap.Service {
	one := func(iid uint64, kind hap.UUID, c hap.Characteristic) hap.Service {
		return hap.Service{IID: iid - 1, Type: kind, Characteristics: []hap.Characteristic{c}}
	}
	temperature := number(iidTemperature, hap.CharacteristicCurrentTemperature, cmp.Or(d.Temperature, 20), 0, 50, 0.1)
	return []hap.Service{
		one(iidAirQuality, hap.ServiceAirQualitySensor, whole(iidAirQuality, hap.CharacteristicAirQuality, 1, 0, 5)),
		{IID: iidService, Type: hap.ServiceTemperatureSensor, Primary: true, Characteristics: []hap.Characteristic{temperature}},
		{IID: iidCO2 - 2, Type: hap.ServiceCarbonDioxideSensor, Characteristics: []hap.Characteristic{
			flag(iidCO2-1, hap.CharacteristicCarbonDioxideDetected), number(iidCO2, hap.CharacteristicCarbonDioxideLevel, 600, 0, 10000, 1)}},
		one(iidHumidity, hap.ServiceHumiditySensor, number(iidHumidity, hap.CharacteristicCurrentHumidity, 45, 0, 100, 1)),
		one(iidNoise, hap.ServiceNetatmoNoise, number(iidNoise, hap.CharacteristicNetatmoNoise, 35, 0, 200, 1)),
	}
}

// flag is a value of 0 or 1, as HomeKit's detectors have it.
func flag(iid uint64, kind hap.UUID) hap.Characteristic { return whole(iid, kind, 0, 0, 1) }

func whole(iid uint64, kind hap.UUID, value, low, high float64) hap.Characteristic {
	c := number(iid, kind, value, low, high, 1)
	c.Format = hap.FormatUint8
	return c
}

func number(iid uint64, kind hap.UUID, value, low, high, step float64) hap.Characteristic {
	c := hap.Characteristic{IID: iid, Type: kind, Perms: []hap.Perm{hap.PermRead, hap.PermEvents}, Format: hap.FormatFloat,
		MinValue: &low, MaxValue: &high, Value: hap.NumberValue(value)}
	if step > 0 {
		c.MinStep = &step
	}
	return c
}
