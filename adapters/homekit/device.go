package homekit

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// tooMuchCO2 is the level in ppm from which a sensor says that there is too much; Home Assistant's
// default.
const tooMuchCO2 = 1000

// detects names what a model is there for even if it has never said a word: a smoke alarm that was
// never heard must show as unknown, not be missing.
var detects = map[string]gateway.Quantity{"NSD": gateway.Smoke, "NCO": gateway.CO}

// deviceModel is the accessory of one device as it is now, and false for one that has nothing to show: a relay, a
// valve (its room shows it, unless it was published before that was known), a device of which nothing is known yet.
func deviceModel(d gateway.Device, now time.Time, published bool) (model, bool) {
	m := model{key: devicePrefix + string(d.ID), name: d.Name, maker: "Netatmo", kind: d.Model, serial: string(d.ID), firmware: firmware(d)}
	if steersRoom(d) && !published {
		return m, false
	}
	has := d.Quantities()
	if q, ok := detects[d.Model]; ok && !slices.Contains(has, q) {
		has = append(has, q)
	}
	for _, sensor := range sensors {
		if slices.Contains(has, sensor.quantity) {
			service, until := sensor.service(d, now)
			m.services = append(m.services, service)
			if now.Before(until) && (m.fades.IsZero() || until.Before(m.fades)) {
				m.fades = until
			}
		}
	}
	for _, s := range switches {
		if _, _, ok := d.Control(s.quantity); ok || slices.Contains(has, s.quantity) {
			m.services = append(m.services, s.service(d))
		}
	}
	if len(m.services) == 0 {
		return m, false
	}
	m.services[max(0, slices.IndexFunc(m.services, isDoorbell))].primary = true
	if low, known := deviceLowBattery(d); known {
		level, _ := d.Reading(gateway.Battery)
		m.services = append(m.services, battery(low, number(level.Value, 0, 100, 1)))
	}
	return m, true
}

// isDoorbell reports whether a service is what its accessory is there for, whatever else it has.
func isDoorbell(s serviceModel) bool { return s.kind == hap.ServiceDoorbell }

func firmware(d gateway.Device) string {
	m, _ := d.Reading(gateway.Firmware)
	return m.Value.Word()
}

// sensor says how a quantity is shown.
type sensor struct {
	quantity gateway.Quantity
	kind     hap.UUID
	points   func(gateway.Device, gateway.Measure, bool) []point
}

// one is the points of a sensor with a single value.
func one(kind hap.UUID, value func(gateway.Measure, bool) json.RawMessage) func(gateway.Device, gateway.Measure, bool) []point {
	return func(_ gateway.Device, m gateway.Measure, known bool) []point {
		return []point{{kind: kind, value: value(m, known)}}
	}
}

func measured(low, high, step float64) func(gateway.Measure, bool) json.RawMessage {
	return func(m gateway.Measure, _ bool) json.RawMessage { return number(m.Value, low, high, step) }
}

var sensors = []sensor{
	{gateway.Temperature, hap.ServiceTemperatureSensor, one(hap.CharacteristicCurrentTemperature, measured(coldest, hottest, 0.1))},
	{gateway.Humidity, hap.ServiceHumiditySensor, one(hap.CharacteristicCurrentHumidity, measured(0, 100, 1))},
	{gateway.CO2, hap.ServiceCarbonDioxideSensor, carbonDioxide},
	{gateway.HealthIndex, hap.ServiceAirQualitySensor, one(hap.CharacteristicAirQuality, healthIndex)},
	{gateway.AirQuality, hap.ServiceAirQualitySensor, one(hap.CharacteristicAirQuality, measured(0, 5, 1))},
	{gateway.Smoke, hap.ServiceSmokeSensor, one(hap.CharacteristicSmokeDetected, state)},
	{gateway.CO, hap.ServiceCarbonMonoxideSensor, carbonMonoxide},
	{gateway.Motion, hap.ServiceMotionSensor, one(hap.CharacteristicMotionDetected, func(m gateway.Measure, known bool) json.RawMessage {
		if !known {
			return nil
		}
		return truth(m.Value.Yes())
	})},
	{gateway.Contact, hap.ServiceContactSensor, one(hap.CharacteristicContactState, state)},
	{gateway.Ring, hap.ServiceDoorbell, func(gateway.Device, gateway.Measure, bool) []point {
		return []point{{kind: hap.CharacteristicProgrammableSwitchEvent}}
	}},
}

// service shows the sensor with its health. What is too old keeps its value and is not active; until is when what is
// fresh now will be too old, zero for never.
func (s sensor) service(d gateway.Device, now time.Time) (out serviceModel, until time.Time) {
	m, known := d.Reading(s.quantity)
	out = serviceModel{kind: s.kind, name: string(s.quantity), points: s.points(d, m, known)}
	if s.kind == hap.ServiceDoorbell {
		return out, until
	}
	if known {
		until = goodUntil(d, m)
	}
	active := known && d.Reachable() && (until.IsZero() || now.Before(until))
	out.points = append(out.points,
		point{kind: hap.CharacteristicStatusActive, value: truth(active)},
		point{kind: hap.CharacteristicStatusFault, value: digit(!active || faulty(d))})
	if low, known := deviceLowBattery(d); known {
		out.points = append(out.points, point{kind: hap.CharacteristicStatusLowBattery, value: digit(low)})
	}
	if m, ok := d.Reading(gateway.Tampered); ok {
		out.points = append(out.points, point{kind: hap.CharacteristicStatusTampered, value: digit(m.Value.Yes())})
	}
	return out, until
}

func faulty(d gateway.Device) bool {
	m, ok := d.Reading(gateway.Fault)
	return ok && m.Value.Yes()
}

func carbonDioxide(_ gateway.Device, m gateway.Measure, known bool) []point {
	level, _ := m.Value.Number()
	detected := point{kind: hap.CharacteristicCarbonDioxideDetected}
	if known {
		detected.value = digit(level >= tooMuchCO2)
	}
	return []point{detected, {kind: hap.CharacteristicCarbonDioxideLevel, value: number(m.Value, 0, 100000, 1)}}
}

func carbonMonoxide(d gateway.Device, m gateway.Measure, known bool) []point {
	points := []point{{kind: hap.CharacteristicCarbonMonoxideDetected, value: state(m, known)}}
	for _, level := range []struct {
		quantity gateway.Quantity
		kind     hap.UUID
	}{{gateway.COLevel, hap.CharacteristicCarbonMonoxideLevel}, {gateway.COPeak, hap.CharacteristicCarbonMonoxidePeakLevel}} {
		if m, ok := d.Reading(level.quantity); ok {
			points = append(points, point{kind: level.kind, value: number(m.Value, 0, 1000, 0)})
		}
	}
	return points
}

// healthIndex turns the vendor's 0 (healthy) to 4 into HomeKit's 1 (excellent) to 5 (poor).
func healthIndex(m gateway.Measure, known bool) json.RawMessage {
	index, ok := m.Value.Number()
	if !known || !ok || index < 0 || index > 4 {
		return json.RawMessage("0")
	}
	return whole(int(index) + 1)
}

// toggle is a quantity that is shown as a switch: HomeKit has no service for a siren.
type toggle struct {
	quantity gateway.Quantity
	name     string
}

var switches = []toggle{{gateway.Siren, "Siren"}, {gateway.On, ""}, {gateway.Monitoring, "Monitoring"}}

func (t toggle) service(d gateway.Device) serviceModel {
	m, _ := d.Reading(t.quantity)
	out := serviceModel{kind: hap.ServiceSwitch, name: string(t.quantity), points: []point{{kind: hap.CharacteristicOn, value: truth(m.Value.Yes()), ask: askDevice(d.ID, t.quantity)}}}
	if t.name != "" {
		out.points = append(out.points, point{kind: hap.CharacteristicName, value: hap.TextValue(t.name)})
	}
	return out
}

func askDevice(id gateway.DeviceID, q gateway.Quantity) func(json.RawMessage) gateway.Ask {
	return func(raw json.RawMessage) gateway.Ask {
		on, _ := hap.BoolOf(raw)
		return gateway.SetDevice{Device: id, Quantity: q, Value: gateway.Flag(on)}
	}
}
