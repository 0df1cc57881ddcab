package hap

import (
	"encoding/json"
	"fmt"
	"strings"
)

// UUID is the type of a service or characteristic in its one normal form: upper-case hexadecimal digits without leading
// zeros for those of Apple's base ("4A"), the long upper-case form for all others.
type UUID string

// appleBase is the tail that Apple's types share (HAP R2 6.6.1).
const appleBase = "-0000-1000-8000-0026BB765291"

// ParseUUID accepts a type as devices write it, short or long, in any case.
func ParseUUID(text string) (UUID, error) {
	upper := strings.ToUpper(text)
	short := strings.TrimSuffix(upper, appleBase)
	if hexDigits(short) && len(short) <= 8 {
		if short = strings.TrimLeft(short, "0"); short == "" {
			short = "0"
		}
		return UUID(short), nil
	}
	if len(upper) != 36 {
		return "", fmt.Errorf("%.60q is not a HomeKit type", text)
	}
	for i, part := range strings.Split(upper, "-") {
		if !hexDigits(part) || i > 4 || len(part) != [...]int{8, 4, 4, 4, 12}[i] {
			return "", fmt.Errorf("%.60q is not a HomeKit type", text)
		}
	}
	return UUID(upper), nil
}

func hexDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789ABCDEF") == ""
}

// Long is the form with all 36 characters.
func (u UUID) Long() string {
	if len(u) > 8 {
		return string(u)
	}
	return strings.Repeat("0", 8-len(u)) + string(u) + appleBase
}

// UnmarshalJSON accepts all forms.
func (u *UUID) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	parsed, err := ParseUUID(text)
	if err != nil {
		return err
	}
	*u = parsed
	return nil
}

// Services (HAP R2 chapter 8; numbers as in hap-nodejs' ServiceDefinitions).
const (
	ServiceAccessoryInformation  UUID = "3E"
	ServiceProtocolInformation   UUID = "A2"
	ServicePairing               UUID = "55" // Bluetooth LE only
	ServiceThermostat            UUID = "4A"
	ServiceTemperatureSensor     UUID = "8A"
	ServiceHumiditySensor        UUID = "82"
	ServiceCarbonDioxideSensor   UUID = "97"
	ServiceCarbonMonoxideSensor  UUID = "7F"
	ServiceAirQualitySensor      UUID = "8D"
	ServiceSmokeSensor           UUID = "87"
	ServiceLeakSensor            UUID = "83"
	ServiceMotionSensor          UUID = "85"
	ServiceOccupancySensor       UUID = "86"
	ServiceContactSensor         UUID = "80"
	ServiceBattery               UUID = "96"
	ServiceSwitch                UUID = "49"
	ServiceOutlet                UUID = "47"
	ServiceLightbulb             UUID = "43"
	ServiceSecuritySystem        UUID = "7E"
	ServiceDoorbell              UUID = "121"
	ServiceStatelessSwitch       UUID = "89"
	ServiceMicrophone            UUID = "112"
	ServiceSpeaker               UUID = "113"
	ServiceCameraStream          UUID = "110"
	ServiceCameraOperatingMode   UUID = "21A"
	ServiceWindow                UUID = "8B"
	ServiceWindowCovering        UUID = "8C"
	ServiceNetatmoNoise          UUID = "6237CEFC-9F4D-54B2-8033-2EDA0053B811" // dump of a Healthy Home Coach
	ServiceNetatmoVendor         UUID = "EA22EA53-6227-55EA-AC24-73ACF3EEA0E8" // in all of the maker's products
	ServiceNetatmoCarbonMonoxide UUID = "00000004-4DDB-598F-A73F-006513F2DB6B" // dump of a Smart CO Alarm
)

// Characteristics (HAP R2 chapter 9; numbers as in hap-nodejs' CharacteristicDefinitions).
const (
	CharacteristicIdentify                    UUID = "14"
	CharacteristicManufacturer                UUID = "20"
	CharacteristicModel                       UUID = "21"
	CharacteristicName                        UUID = "23"
	CharacteristicSerialNumber                UUID = "30"
	CharacteristicVersion                     UUID = "37"
	CharacteristicFirmwareRevision            UUID = "52"
	CharacteristicHardwareRevision            UUID = "53"
	CharacteristicAccessoryFlags              UUID = "A6"
	CharacteristicConfiguredName              UUID = "E3"
	CharacteristicOn                          UUID = "25"
	CharacteristicOutletInUse                 UUID = "26"
	CharacteristicBrightness                  UUID = "8"
	CharacteristicCurrentTemperature          UUID = "11" // °C
	CharacteristicTargetTemperature           UUID = "35" // °C
	CharacteristicTemperatureDisplayUnits     UUID = "36" // 0 °C, 1 °F; values stay in °C
	CharacteristicCurrentHeatingCooling       UUID = "F"  // 0 off, 1 heats, 2 cools
	CharacteristicTargetHeatingCooling        UUID = "33" // 0 off, 1 heat, 2 cool, 3 auto
	CharacteristicHeatingThreshold            UUID = "12" // °C
	CharacteristicCoolingThreshold            UUID = "D"  // °C
	CharacteristicCurrentHumidity             UUID = "10" // %
	CharacteristicTargetHumidity              UUID = "34" // %
	CharacteristicCarbonDioxideDetected       UUID = "92"
	CharacteristicCarbonDioxideLevel          UUID = "93" // ppm
	CharacteristicCarbonDioxidePeakLevel      UUID = "94" // ppm
	CharacteristicCarbonMonoxideDetected      UUID = "69"
	CharacteristicCarbonMonoxideLevel         UUID = "90" // ppm
	CharacteristicCarbonMonoxidePeakLevel     UUID = "91" // ppm
	CharacteristicAirQuality                  UUID = "95" // 0 unknown, 1 excellent ... 5 poor
	CharacteristicSmokeDetected               UUID = "76"
	CharacteristicLeakDetected                UUID = "70"
	CharacteristicMotionDetected              UUID = "22"
	CharacteristicOccupancyDetected           UUID = "71"
	CharacteristicContactState                UUID = "6A" // 0 contact, 1 none
	CharacteristicBatteryLevel                UUID = "68" // %
	CharacteristicChargingState               UUID = "8F"
	CharacteristicStatusActive                UUID = "75"
	CharacteristicStatusFault                 UUID = "77"
	CharacteristicStatusJammed                UUID = "78"
	CharacteristicStatusLowBattery            UUID = "79"
	CharacteristicStatusTampered              UUID = "7A"
	CharacteristicSecuritySystemCurrent       UUID = "66" // 0 stay, 1 away, 2 night, 3 disarmed, 4 triggered
	CharacteristicSecuritySystemTarget        UUID = "67" // 0 stay, 1 away, 2 night, 3 disarm
	CharacteristicSecuritySystemAlarmType     UUID = "8E"
	CharacteristicProgrammableSwitchEvent     UUID = "73" // 0 single, 1 double, 2 long
	CharacteristicMute                        UUID = "11A"
	CharacteristicVolume                      UUID = "119"
	CharacteristicStreamingStatus             UUID = "120"
	CharacteristicSupportedVideoConfiguration UUID = "114"
	CharacteristicSupportedAudioConfiguration UUID = "115"
	CharacteristicSupportedRTPConfiguration   UUID = "116"
	CharacteristicSelectedStreamConfiguration UUID = "117"
	CharacteristicSetupEndpoints              UUID = "118"
	CharacteristicActive                      UUID = "B0"
	CharacteristicHomeKitCameraActive         UUID = "21B"
	CharacteristicEventSnapshotsActive        UUID = "223"
	CharacteristicPeriodicSnapshotsActive     UUID = "225"
	CharacteristicCurrentPosition             UUID = "6D" // %
	CharacteristicTargetPosition              UUID = "7C" // %
	CharacteristicPositionState               UUID = "72"
	CharacteristicNetatmoNoise                UUID = "B3BBFABC-D78C-5B8D-948C-5DAC1EE2CDE5" // dB, 0..200
	CharacteristicNetatmoNoiseQuality         UUID = "627EA399-29D9-5DC8-9A02-08AE928F73D8" // 0..5
	CharacteristicPairSetup                   UUID = "4C"                                   // Bluetooth LE only, as the three below
	CharacteristicPairVerify                  UUID = "4E"
	CharacteristicPairingFeatures             UUID = "4F"
	CharacteristicPairingPairings             UUID = "50"
	CharacteristicServiceSignature            UUID = "A5"
)
