package hap

import (
	"encoding/json"
	"fmt"
)

// Instance ids of the accessories in these tests. Each device has one of every kind that the protocol treats differently.
const (
	iidName        = 5
	iidFirmware    = 7
	iidCurrent     = 10 // °C, events
	iidTarget      = 11 // °C, 7..30 in steps of 0.5, events
	iidMode        = 12 // 0, 1 or 3
	iidUnlock      = 13 // timed writes only
	iidEndpoints   = 14 // tlv8 with write response
	iidRoom        = 15 // text of at most 16 characters, writable
	iidMotion      = 20
	iidButton      = 22
	iidBattery     = 24
	iidUnknown     = 25 // nothing to show yet
	iidConsumption = 26 // uint64
	iidSmoke       = 28
)

var (
	permsRead   = []Perm{PermRead}
	permsEvents = []Perm{PermRead, PermEvents}
	permsWrite  = []Perm{PermRead, PermWrite, PermEvents}
)

// house is a bridge with so many devices; their aids begin at 2.
func house(devices int) []Accessory {
	list := []Accessory{{AID: BridgeAID, Services: []Service{
		information("Bridge", "1.0"),
		{IID: 30, Type: ServiceProtocolInformation, Characteristics: []Characteristic{
			{IID: 31, Type: CharacteristicVersion, Perms: permsRead, Format: FormatString, Value: TextValue("1.1.0")},
		}},
	}}}
	for i := range devices {
		list = append(list, device(uint64(i)+2, "1.0"))
	}
	return list
}

func information(name, firmware string) Service {
	text := func(iid uint64, kind UUID, value string) Characteristic {
		return Characteristic{IID: iid, Type: kind, Perms: permsRead, Format: FormatString, Value: TextValue(value)}
	}
	return Service{IID: 1, Type: ServiceAccessoryInformation, Characteristics: []Characteristic{
		{IID: 2, Type: CharacteristicIdentify, Perms: []Perm{PermWrite}, Format: FormatBool},
		text(3, CharacteristicManufacturer, "Netatmo"), text(4, CharacteristicModel, "NRV"), text(iidName, CharacteristicName, name),
		text(6, CharacteristicSerialNumber, "70:ee:50:00:00:01"), text(iidFirmware, CharacteristicFirmwareRevision, firmware),
	}}
}

func device(aid uint64, firmware string) Accessory {
	vendor := func(n int) UUID { return UUID(fmt.Sprintf("0000000%d-4DDB-598F-A73F-006513F2DB6B", n)) }
	return Accessory{AID: aid, Services: []Service{
		information(fmt.Sprintf("Valve %d", aid), firmware),
		{IID: 8, Type: ServiceThermostat, Primary: true, Characteristics: []Characteristic{
			{IID: iidCurrent, Type: CharacteristicCurrentTemperature, Perms: permsEvents, Format: FormatFloat, Unit: "celsius",
				MinValue: new(-40.0), MaxValue: new(60.0), MinStep: new(0.1), Value: NumberValue(19.5)},
			{IID: iidTarget, Type: CharacteristicTargetTemperature, Perms: permsWrite, Format: FormatFloat, Unit: "celsius",
				MinValue: new(7.0), MaxValue: new(30.0), MinStep: new(0.5), Value: NumberValue(20)},
			{IID: iidMode, Type: CharacteristicTargetHeatingCooling, Perms: permsWrite, Format: FormatUint8,
				ValidValues: []int64{0, 1, 3}, Value: NumberValue(3)},
			{IID: iidUnlock, Type: vendor(1), Perms: []Perm{PermRead, PermWrite, PermTimedWrite, PermEvents}, Format: FormatUint8, Value: NumberValue(0)},
			{IID: iidEndpoints, Type: CharacteristicSetupEndpoints, Perms: []Perm{PermRead, PermWrite, PermWriteResponse}, Format: FormatTLV8, Value: DataValue(nil)},
			{IID: iidRoom, Type: CharacteristicConfiguredName, Perms: permsWrite, Format: FormatString, MaxLen: 16, Value: TextValue("Salon")},
		}},
		{IID: 19, Type: ServiceMotionSensor, Linked: []uint64{8}, Characteristics: []Characteristic{
			{IID: iidMotion, Type: CharacteristicMotionDetected, Perms: permsEvents, Format: FormatBool, Value: BoolValue(false)},
		}},
		{IID: 21, Type: ServiceStatelessSwitch, Characteristics: []Characteristic{
			{IID: iidButton, Type: CharacteristicProgrammableSwitchEvent, Perms: permsEvents, Format: FormatUint8, ValidValues: []int64{0, 1, 2}},
		}},
		{IID: 23, Type: ServiceBattery, Hidden: true, Characteristics: []Characteristic{
			{IID: iidBattery, Type: CharacteristicBatteryLevel, Perms: permsEvents, Format: FormatUint8, Unit: "percentage", MaxValue: new(100.0), Value: NumberValue(80)},
			{IID: iidUnknown, Type: CharacteristicStatusFault, Perms: permsEvents, Format: FormatUint8, MaxValue: new(1.0)},
			{IID: iidConsumption, Type: vendor(2), Perms: permsEvents, Format: FormatUint64, Value: json.RawMessage("18446744073709551615")},
		}},
		{IID: 27, Type: ServiceSmokeSensor, Characteristics: []Characteristic{
			{IID: iidSmoke, Type: CharacteristicSmokeDetected, Perms: permsEvents, Format: FormatUint8, MaxValue: new(1.0), Value: NumberValue(0)},
		}},
	}}
}
