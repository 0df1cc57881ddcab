package accessorytest

import (
	"fmt"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// set changes values of a device as its hardware would.
func (h *House) set(name string, values map[uint64]float64) error {
	s, err := h.server(name)
	if err != nil {
		return err
	}
	h.mu.Lock()
	aid, ok := s.aids[name]
	h.mu.Unlock()
	if !ok {
		return fmt.Errorf("%q is no device", name)
	}
	var all []hap.Value
	for iid, value := range values {
		all = append(all, hap.Value{ID: hap.CharacteristicID{AID: aid, IID: iid}, Value: hap.NumberValue(value)})
	}
	if err := s.accessory.Set(all...); err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return nil
}

func bit(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

// SetTemperature makes a thermostat or home coach measure °C.
func (h *House) SetTemperature(name string, celsius float64) error {
	return h.set(name, map[uint64]float64{iidTemperature: celsius})
}

// TurnKnob sets a thermostat's target in °C, as a hand at the device does.
func (h *House) TurnKnob(name string, celsius float64) error {
	return h.set(name, map[uint64]float64{iidTarget: celsius})
}

// SetHeating says whether a thermostat calls for heat.
func (h *House) SetHeating(name string, on bool) error {
	return h.set(name, map[uint64]float64{iidHeats: bit(on)})
}

// SetSmoke lets a smoke alarm detect smoke, or end.
func (h *House) SetSmoke(name string, on bool) error {
	return h.set(name, map[uint64]float64{iidSmoke: bit(on)})
}

// SetCO lets a CO alarm measure so many ppm and judge them.
func (h *House) SetCO(name string, ppm float64, alarm bool) error {
	peak, err := h.value(name, iidCOPeak)
	if err != nil {
		return err
	}
	return h.set(name, map[uint64]float64{iidCO: bit(alarm), iidCOLevel: ppm, iidCOPeak: max(peak, ppm)})
}

// SetLowBattery changes the warning of a device with a battery.
func (h *House) SetLowBattery(name string, low bool) error {
	return h.set(name, map[uint64]float64{iidLowBattery: bit(low)})
}

// Air is what a home coach measures.
type Air struct {
	Quality  int     // 1 excellent to 5 poor
	CO2      float64 // ppm
	Humidity float64 // %
	Noise    float64 // dB
}

// SetAir makes a home coach measure this.
func (h *House) SetAir(name string, air Air) error {
	return h.set(name, map[uint64]float64{iidAirQuality: float64(air.Quality), iidCO2: air.CO2,
		iidHumidity: air.Humidity, iidNoise: air.Noise})
}

// value reads a value of a device.
func (h *House) value(name string, iid uint64) (float64, error) {
	s, err := h.server(name)
	if err != nil {
		return 0, err
	}
	h.mu.Lock()
	aid, ok := s.aids[name]
	h.mu.Unlock()
	n, has := hap.NumberOf(s.accessory.Value(hap.CharacteristicID{AID: aid, IID: iid}))
	if !ok || !has {
		return 0, fmt.Errorf("%q has no such value", name)
	}
	return n, nil
}

// Target is a thermostat's target in °C.
func (h *House) Target(name string) (float64, error) { return h.value(name, iidTarget) }

// Temperature is what a thermostat or home coach measures, in °C.
func (h *House) Temperature(name string) (float64, error) { return h.value(name, iidTemperature) }

// Sounding tells whether a siren sounds.
func (h *House) Sounding(name string) (bool, error) {
	n, err := h.value(name, iidOn)
	return n != 0, err
}
