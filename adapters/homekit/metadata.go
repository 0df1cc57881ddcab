package homekit

import (
	"github.com/brutella/hap/characteristic"
	"github.com/brutella/hap/service"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// coldest and hottest are the ends of the scale of thermometers, in °C: Apple's 0 is wrong for a garden, its 100 for a
// probe that was cut.
const coldest, hottest = -60, 70

// metadata is what HomeKit says of each characteristic: format, unit, range, permissions. It comes
// from Apple's metadata by way of github.com/brutella/hap, which generates its constructors from it.
// Only ranges that do not fit these devices are set otherwise.
func metadata() map[hap.UUID]hap.Characteristic {
	known := map[hap.UUID]hap.Characteristic{}
	for _, c := range constructors() {
		converted := convert(c)
		known[converted.Type] = converted
	}
	known[hap.CharacteristicCurrentTemperature] = ranged(known[hap.CharacteristicCurrentTemperature], coldest, hottest, 0.1)
	known[hap.CharacteristicCarbonMonoxideLevel] = ranged(known[hap.CharacteristicCarbonMonoxideLevel], 0, 1000, 0) // real device's dump
	known[hap.CharacteristicCarbonMonoxidePeakLevel] = ranged(known[hap.CharacteristicCarbonMonoxidePeakLevel], 0, 1000, 0)
	modes := known[hap.CharacteristicTargetHeatingCooling]
	modes.ValidValues = []int64{modeOff, modeHeat, modeAuto}
	known[hap.CharacteristicTargetHeatingCooling] = modes
	return known
}

// constructors are one of each characteristic that the bridge uses.
func constructors() []*characteristic.C {
	thermostat := service.NewThermostat()
	return []*characteristic.C{
		characteristic.NewIdentify().C, characteristic.NewManufacturer().C, characteristic.NewModel().C,
		characteristic.NewName().C, characteristic.NewSerialNumber().C, characteristic.NewFirmwareRevision().C,
		characteristic.NewVersion().C,
		thermostat.CurrentHeatingCoolingState.C, thermostat.TargetHeatingCoolingState.C,
		thermostat.CurrentTemperature.C, thermostat.TargetTemperature.C, thermostat.TemperatureDisplayUnits.C,
		characteristic.NewCurrentRelativeHumidity().C,
		characteristic.NewCarbonDioxideDetected().C, characteristic.NewCarbonDioxideLevel().C,
		characteristic.NewCarbonMonoxideDetected().C, characteristic.NewCarbonMonoxideLevel().C, characteristic.NewCarbonMonoxidePeakLevel().C,
		characteristic.NewAirQuality().C, characteristic.NewSmokeDetected().C, characteristic.NewMotionDetected().C,
		characteristic.NewContactSensorState().C, characteristic.NewOccupancyDetected().C,
		characteristic.NewOn().C, characteristic.NewProgrammableSwitchEvent().C,
		characteristic.NewBatteryLevel().C, characteristic.NewStatusLowBattery().C, characteristic.NewChargingState().C,
		characteristic.NewStatusActive().C, characteristic.NewStatusFault().C, characteristic.NewStatusTampered().C,
		characteristic.NewSupportedVideoStreamConfiguration().C, characteristic.NewSupportedAudioStreamConfiguration().C,
		characteristic.NewSupportedRTPConfiguration().C, characteristic.NewSetupEndpoints().C,
		characteristic.NewSelectedRTPStreamConfiguration().C, characteristic.NewStreamingStatus().C,
		characteristic.NewSecuritySystemCurrentState().C, characteristic.NewSecuritySystemTargetState().C,
		characteristic.NewSecuritySystemAlarmType().C,
	}
}

// convert takes over what brutella's constructor says, without its value.
func convert(c *characteristic.C) hap.Characteristic {
	kind, err := hap.ParseUUID(c.Type)
	if err != nil {
		kind = hap.UUID(c.Type) // the library's own constant; a test holds that all can be parsed
	}
	out := hap.Characteristic{Type: kind, Format: hap.Format(c.Format), Unit: c.Unit, MaxLen: c.MaxLen}
	if out.Format == characteristic.FormatInt32 {
		out.Format = hap.FormatInt
	}
	for _, p := range c.Permissions {
		out.Perms = append(out.Perms, hap.Perm(p))
	}
	out.MinValue, out.MaxValue, out.MinStep = limit(c.MinVal), limit(c.MaxVal), limit(c.StepVal)
	for _, v := range c.ValidVals {
		out.ValidValues = append(out.ValidValues, int64(v))
	}
	return out
}

func limit(v any) *float64 {
	var f float64
	switch v := v.(type) {
	case int:
		f = float64(v)
	case float64:
		f = v
	default:
		return nil
	}
	return &f
}

// ranged returns c with another range and step; a step of 0 is none.
func ranged(c hap.Characteristic, low, high, step float64) hap.Characteristic {
	c.MinValue, c.MaxValue, c.MinStep = &low, &high, nil
	if step > 0 {
		c.MinStep = &step
	}
	return c
}
