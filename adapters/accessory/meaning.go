package accessory

import (
	"encoding/json"
	"math"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// decoding says how a characteristic's value becomes a value of the house.
type decoding int

const (
	asNumber decoding = iota
	asFlag            // anything but 0
	asNoFlag          // 0
	asHeats           // current heating cooling state: 1 of 0 off, 1 heats, 2 cools
	asMode            // target heating cooling state
	asGrade           // a grade of 1 to 5; 0 says that there is none
	asPress           // each event is one press; what is read between them says nothing
)

// modeWords are the target heating cooling states (HAP R2 9.119), in the words of the Home app.
var modeWords = []string{"off", "heat", "cool", "auto"}

// meaning says what a characteristic tells the house.
type meaning struct {
	quantity gateway.Quantity
	decoding decoding
	services []hap.UUID      // where it means that; empty: everywhere
	control  gateway.Control // limits where the device names none (HAP R2 chapter 9)
}

var (
	thermostats = []hap.UUID{hap.ServiceThermostat}
	switches    = []hap.UUID{hap.ServiceSwitch, hap.ServiceOutlet, hap.ServiceLightbulb}
	windows     = []hap.UUID{hap.ServiceWindow, hap.ServiceWindowCovering}
	buttons     = []hap.UUID{hap.ServiceDoorbell, hap.ServiceStatelessSwitch}
)

// meanings is all that is understood. Several characteristics of one device may mean the same flag: it is set when
// any of them is. Of two that mean the same number the first counts.
var meanings = map[hap.UUID]meaning{
	hap.CharacteristicCurrentTemperature: {quantity: gateway.Temperature},
	hap.CharacteristicTargetTemperature: {quantity: gateway.Target, services: thermostats,
		control: gateway.Control{Min: 10, Max: 38, Step: 0.1}},
	hap.CharacteristicCurrentHeatingCooling: {quantity: gateway.Boiler, decoding: asHeats, services: thermostats},
	hap.CharacteristicTargetHeatingCooling: {quantity: gateway.Mode, decoding: asMode, services: thermostats,
		control: gateway.Control{Min: 0, Max: 3, Step: 1}},
	hap.CharacteristicCurrentHumidity:         {quantity: gateway.Humidity},
	hap.CharacteristicCarbonDioxideLevel:      {quantity: gateway.CO2},
	hap.CharacteristicAirQuality:              {quantity: gateway.AirQuality, decoding: asGrade},
	hap.CharacteristicNetatmoNoise:            {quantity: gateway.Noise},
	hap.CharacteristicSmokeDetected:           {quantity: gateway.Smoke, decoding: asFlag},
	hap.CharacteristicCarbonMonoxideDetected:  {quantity: gateway.CO, decoding: asFlag},
	hap.CharacteristicCarbonMonoxideLevel:     {quantity: gateway.COLevel},
	hap.CharacteristicCarbonMonoxidePeakLevel: {quantity: gateway.COPeak},
	hap.CharacteristicMotionDetected:          {quantity: gateway.Motion, decoding: asFlag},
	hap.CharacteristicOccupancyDetected:       {quantity: gateway.Motion, decoding: asFlag},
	hap.CharacteristicContactState:            {quantity: gateway.Contact, decoding: asFlag}, // 1 is "no contact": open
	hap.CharacteristicBatteryLevel:            {quantity: gateway.Battery},
	hap.CharacteristicStatusLowBattery:        {quantity: gateway.LowBattery, decoding: asFlag},
	hap.CharacteristicStatusTampered:          {quantity: gateway.Tampered, decoding: asFlag},
	hap.CharacteristicStatusFault:             {quantity: gateway.Fault, decoding: asFlag},
	hap.CharacteristicStatusActive:            {quantity: gateway.Fault, decoding: asNoFlag}, // "functioning without any errors"
	hap.CharacteristicOn:                      {quantity: gateway.On, decoding: asFlag, services: switches},
	hap.CharacteristicBrightness: {quantity: gateway.Brightness, services: switches,
		control: gateway.Control{Min: 0, Max: 100, Step: 1}},
	hap.CharacteristicCurrentPosition: {quantity: gateway.Position, services: windows},
	hap.CharacteristicTargetPosition: {quantity: gateway.Position, services: windows,
		control: gateway.Control{Min: 0, Max: 100, Step: 1}},
	hap.CharacteristicProgrammableSwitchEvent: {quantity: gateway.Ring, decoding: asPress, services: buttons},
}

// meaningOf looks a characteristic up in the table.
func meaningOf(service, characteristic hap.UUID) (meaning, bool) {
	m, ok := meanings[characteristic]
	if !ok || len(m.services) == 0 {
		return m, ok
	}
	for _, s := range m.services {
		if s == service {
			return m, true
		}
	}
	return meaning{}, false
}

// furniture are the characteristics that say nothing about the home: they name the device, or serve the protocol.
var furniture = map[hap.UUID]bool{
	hap.CharacteristicIdentify: true, hap.CharacteristicManufacturer: true, hap.CharacteristicModel: true,
	hap.CharacteristicName: true, hap.CharacteristicSerialNumber: true, hap.CharacteristicFirmwareRevision: true,
	hap.CharacteristicHardwareRevision: true, hap.CharacteristicConfiguredName: true, hap.CharacteristicVersion: true,
	hap.CharacteristicAccessoryFlags: true, hap.CharacteristicServiceSignature: true, hap.CharacteristicPairSetup: true,
	hap.CharacteristicPairVerify: true, hap.CharacteristicPairingFeatures: true, hap.CharacteristicPairingPairings: true,
	netatmoSerial: true,
}

// netatmoSerial holds the serial number once more, in the vendor service of all the maker's products (dumps of a
// doorbell and of a CO alarm).
const netatmoSerial hap.UUID = "00F44C18-042E-5C4E-9A4C-561D44DCD804"

// Types that are known, and why they become no reading. The keys are of services and of characteristics.
var setAside = map[hap.UUID]string{
	hap.ServiceCameraStream:                   "pictures and sound come from the camera itself, not from its HomeKit side",
	hap.ServiceMicrophone:                     "pictures and sound come from the camera itself, not from its HomeKit side",
	hap.ServiceSpeaker:                        "pictures and sound come from the camera itself, not from its HomeKit side",
	hap.ServiceCameraOperatingMode:            "how a camera serves the Home app is for the Home app to set",
	"204":                                     "recording for the Home app is out of scope",
	"129":                                     "recording for the Home app is out of scope",
	hap.ServiceSecuritySystem:                 "an alarm system of its own is neither armed nor disarmed from here",
	"CF":                                      "irrigation is out of scope",
	"D0":                                      "irrigation is out of scope",
	hap.ServiceNetatmoVendor:                  "the maker's own service, whose meaning is not known",
	hap.ServiceNetatmoCarbonMonoxide:          "the maker's own service, whose meaning is not known",
	hap.CharacteristicCarbonDioxideDetected:   "the level in ppm says more",
	hap.CharacteristicCarbonDioxidePeakLevel:  "the level in ppm says more",
	hap.CharacteristicNetatmoNoiseQuality:     "the level in dB says more",
	hap.CharacteristicTargetHumidity:          "humidity is not steered",
	hap.CharacteristicTemperatureDisplayUnits: "what the device shows on its own display",
	hap.CharacteristicHeatingThreshold:        "limits of the device's automatic mode are left to the device",
	hap.CharacteristicCoolingThreshold:        "limits of the device's automatic mode are left to the device",
	hap.CharacteristicChargingState:           "the level in % says more",
	hap.CharacteristicOutletInUse:             "whether something is plugged in",
	hap.CharacteristicPositionState:           "the position says more",
	hap.CharacteristicStatusJammed:            "whether the lock is stuck",
	hap.CharacteristicLeakDetected:            "there is no reading for a leak",
	"13":                                      "colour is not steered",
	"2F":                                      "colour is not steered",
	"CE":                                      "colour is not steered",
	"CB":                                      "the number of a button or valve",
	"CD":                                      "how labels are numbered",
	"34AB8811-AC7F-4340-BAC3-FD6A85F9943B":    "which development kit the device was built with",
	"220":                                     "the maker's product number",
	"D8B76298-42E7-5FFD-B1D6-1782D9A1F936":    "the maker's own number of the service",
}

// value turns what is on the wire into a value of the house; what cannot be read is unknown.
func (d decoding) value(raw json.RawMessage) gateway.Value {
	n, ok := hap.NumberOf(raw)
	if !ok {
		return gateway.Value{}
	}
	switch d {
	case asNumber:
		return gateway.Number(n)
	case asFlag:
		return gateway.Flag(n != 0)
	case asNoFlag:
		return gateway.Flag(n == 0)
	case asHeats:
		return gateway.Flag(n == 1)
	case asMode:
		if i := int(n); float64(i) == n && i >= 0 && i < len(modeWords) {
			return gateway.Word(modeWords[i])
		}
	case asGrade:
		if n >= 1 && n <= 5 && n == math.Trunc(n) {
			return gateway.Number(n)
		}
	case asPress: // one press, whichever way the button was pressed
		return gateway.Number(1)
	}
	return gateway.Value{}
}
