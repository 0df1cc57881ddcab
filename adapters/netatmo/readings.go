package netatmo

import (
	"encoding/json"

	"github.com/veilleuse/veilleuse/gateway"
)

// column says where a quantity stands and how it is written. The vendor spells the same thing
// differently from call to call.
type column struct {
	quantity gateway.Quantity
	keys     []string
	read     func(json.RawMessage) gateway.Value
}

// roomTable is what a room of homestatus tells besides its set point.
var roomTable = []column{
	{gateway.Temperature, []string{"therm_measured_temperature"}, within(-40, 60)},
	{gateway.Humidity, []string{"humidity"}, within(0, 100)},
	{gateway.HeatingRequest, []string{"heating_power_request"}, within(0, 100)},
	{gateway.OpenWindow, []string{"open_window", "open_windows"}, asFlag},
}

// deviceTable is what devices tell: homestatus in small letters, getstationsdata in capitals, the old
// security calls in words of their own. Values out of bounds are the vendor's "never measured":
// battery_vp 65535, rf_status 255 (pyatmo getstationsdata.json). outdoor_temperature of an OTH is not
// taken: it is the weather, and would pass for the temperature of the room that the relay stands in.
var deviceTable = []column{
	{gateway.Temperature, []string{"temperature", "Temperature"}, within(-60, 80)},
	{gateway.Humidity, []string{"humidity", "Humidity"}, within(0, 100)},
	{gateway.CO2, []string{"co2", "CO2"}, within(0, 20000)},
	{gateway.Noise, []string{"noise", "Noise"}, within(0, 200)},
	{gateway.Pressure, []string{"pressure", "Pressure"}, within(800, 1200)},
	{gateway.Rain, []string{"sum_rain_1"}, within(0, 500)},
	{gateway.RainToday, []string{"sum_rain_24"}, within(0, 2000)},
	{gateway.Wind, []string{"wind_strength", "WindStrength"}, within(0, 500)},
	{gateway.WindAngle, []string{"wind_angle", "WindAngle"}, within(0, 360)},
	{gateway.Gust, []string{"gust_strength", "wind_gust", "GustStrength"}, within(0, 500)},
	{gateway.GustAngle, []string{"gust_angle", "wind_gust_angle", "GustAngle"}, within(0, 360)},
	{gateway.HealthIndex, []string{"health_idx"}, within(0, 4)},
	{gateway.Boiler, []string{"boiler_status"}, asFlag},
	{gateway.Floodlight, []string{"floodlight", "light_mode_status"}, asWord},
	{gateway.On, []string{"on"}, asFlag},
	{gateway.Brightness, []string{"brightness"}, within(0, 100)},
	{gateway.Position, []string{"current_position", "target_position"}, within(0, 100)},
	{gateway.Power, []string{"power"}, within(-100_000, 100_000)},
	{gateway.SDCard, []string{"sd_status"}, asSDCard},
	{gateway.PowerSupply, []string{"alim_status"}, asPowerSupply},
	{gateway.Signal, []string{"wifi_strength", "wifi_status", "rf_strength", "rf_status"}, within(1, 254)},
	{gateway.Firmware, []string{"firmware_name", "firmware_revision", "firmware"}, asWord},
}

func readTable(a attributes, table []column) []value {
	var all []value
	for _, c := range table {
		raw := a.first(c.keys...)
		if raw == nil {
			continue
		}
		if v := c.read(raw); v.Known() {
			all = append(all, value{c.quantity, v})
		}
	}
	return all
}

// within reads a number between two bounds, both included.
func within(low, high float64) func(json.RawMessage) gateway.Value {
	return func(raw json.RawMessage) gateway.Value {
		n, ok := numberOf(raw)
		if !ok || n < low || n > high {
			return gateway.Value{}
		}
		return gateway.Number(n)
	}
}

func asFlag(raw json.RawMessage) gateway.Value {
	yes, said := yesOf(raw)
	if !said {
		return gateway.Value{}
	}
	return gateway.Flag(yes)
}

func asWord(raw json.RawMessage) gateway.Value {
	if w := textOf(raw); w != "" {
		return gateway.Word(shorten(w))
	}
	return gateway.Value{}
}

// asSDCard reads the vendor's code 1 to 7, or the older calls' on and off.
func asSDCard(raw json.RawMessage) gateway.Value {
	const works, missing = 4, 1
	switch textOf(raw) {
	case "on":
		return gateway.Number(works)
	case "off":
		return gateway.Number(missing)
	}
	return within(1, 7)(raw)
}

// asPowerSupply reads 2 for good and 1 for bad, or the older calls' on and off.
func asPowerSupply(raw json.RawMessage) gateway.Value {
	switch textOf(raw) {
	case "2", "on":
		return gateway.Flag(true)
	case "1", "off":
		return gateway.Flag(false)
	}
	return gateway.Value{}
}

// readState reads the fields whose meaning depends on the model: status, monitoring, siren and the
// battery.
func readState(a attributes) []value {
	var all []value
	add := func(q gateway.Quantity, v gateway.Value) {
		if v.Known() {
			all = append(all, value{q, v})
		}
	}
	kind, state := a.text("type"), a.text("status")
	monitoring := a.first("monitoring")
	switch {
	case kind == "NACamDoorTag":
		add(gateway.Contact, contact(state))
	case kind == "NIS":
		add(gateway.Siren, siren(state))
	case monitoring == nil && isA(localHTTP, kind):
		monitoring = a.first("status") // of the older calls
	}
	add(gateway.Siren, siren(a.text("siren_status")))
	if monitoring != nil {
		add(gateway.Monitoring, asFlag(monitoring))
	}
	percent, low := battery(a)
	add(gateway.Battery, percent)
	add(gateway.LowBattery, low)
	return all
}

// contact reads a door tag; no_news, undefined and the like are no reading.
func contact(state string) gateway.Value {
	switch state {
	case "open":
		return gateway.Flag(true)
	case "closed":
		return gateway.Flag(false)
	}
	return gateway.Value{}
}

func siren(state string) gateway.Value {
	switch state {
	case "sound", "sounding", "warning":
		return gateway.Flag(true)
	case "no_sound":
		return gateway.Flag(false)
	}
	return gateway.Value{}
}

// batteryPercent is what the vendor's words for a battery amount to (pyatmo).
var batteryPercent = map[string]float64{"max": 100, "full": 90, "high": 75, "medium": 50, "low": 25, "very_low": 10}

// ladders are the voltages in mV from which a battery counts as full, high, medium and low
// (Netatmo-API-PHP NABatteryLevel…). Other models have others that are not published.
var ladders = map[string][4]float64{
	"NATherm1":  {4100, 3600, 3300, 3000},
	"OTM":       {4100, 3600, 3300, 3000},
	"NAModule1": {5500, 5000, 4500, 4000},
	"NAModule2": {5590, 5180, 4770, 4360},
	"NAModule3": {5500, 5000, 4500, 4000},
	"NAModule4": {5640, 5280, 4920, 4560},
}

// emptyBelow is the percentage from which on a battery that tells no word counts as low.
const emptyBelow = 20

// battery returns the charge in % and whether it is low: from the vendor's percentage, else its word,
// else the voltage.
func battery(a attributes) (percent, low gateway.Value) {
	word := a.text("battery_state")
	if _, known := batteryPercent[word]; !known {
		word = climb(a)
	}
	n, known := batteryPercent[word]
	if known {
		low = gateway.Flag(word == "low" || word == "very_low")
	}
	if exact, ok := a.number("battery_percent"); ok && exact >= 0 && exact <= 100 {
		n, known = exact, true
		if !low.Known() {
			low = gateway.Flag(exact <= emptyBelow)
		}
	}
	if !known {
		return gateway.Value{}, gateway.Value{}
	}
	return gateway.Number(n), low
}

// climb finds the word for a voltage.
func climb(a attributes) string {
	ladder, known := ladders[a.text("type")]
	level, ok := a.number("battery_level", "battery_vp")
	if !known || !ok || level < 1000 || level > 10000 {
		return ""
	}
	for i, word := range []string{"full", "high", "medium", "low"} {
		if level >= ladder[i] {
			return word
		}
	}
	return "very_low"
}

// readingKey tells readings apart: of each device and quantity there is one.
type readingKey struct {
	device   gateway.DeviceID
	quantity gateway.Quantity
}
