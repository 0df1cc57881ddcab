package mqtt

import "github.com/veilleuse/veilleuse/gateway"

// fields is a part of an announcement. encoding/json sorts its keys, so the same part has the same bytes.
type fields map[string]any

// sensor is how Home Assistant is to show one quantity that a device measures. Device classes and units
// are those of Home Assistant's sensor and binary_sensor integrations, release 2026.11.
type sensor struct {
	platform string // sensor or binary_sensor
	class    string // device class
	unit     string
	state    string // state class: what Home Assistant may compute from it
	name     string // for people; "": the name of the class
	category string // diagnostic: not among the main things of the device
	inverse  bool   // Home Assistant's on is our no
	fades    bool   // a value of long ago is no value
}

// Words of Home Assistant.
const (
	binary      = "binary_sensor"
	measurement = "measurement"
	diagnostic  = "diagnostic"
)

// sensors tells how each quantity is shown; one that is not listed is not announced.
var sensors = map[gateway.Quantity]sensor{
	gateway.Temperature:    {platform: "sensor", class: "temperature", unit: "°C", state: measurement, fades: true},
	gateway.Target:         {platform: "sensor", class: "temperature", unit: "°C", state: measurement, name: "Target", fades: true},
	gateway.Humidity:       {platform: "sensor", class: "humidity", unit: "%", state: measurement, fades: true},
	gateway.CO2:            {platform: "sensor", class: "carbon_dioxide", unit: "ppm", state: measurement, fades: true},
	gateway.Noise:          {platform: "sensor", class: "sound_pressure", unit: "dB", state: measurement, name: "Noise", fades: true},
	gateway.Pressure:       {platform: "sensor", class: "atmospheric_pressure", unit: "hPa", state: measurement, fades: true},
	gateway.Rain:           {platform: "sensor", class: "precipitation", unit: "mm", state: measurement, name: "Rain, last hour", fades: true},
	gateway.RainToday:      {platform: "sensor", class: "precipitation", unit: "mm", state: "total_increasing", name: "Rain today", fades: true},
	gateway.Wind:           {platform: "sensor", class: "wind_speed", unit: "km/h", state: measurement, name: "Wind", fades: true},
	gateway.WindAngle:      {platform: "sensor", class: "wind_direction", unit: "°", state: "measurement_angle", name: "Wind direction", fades: true},
	gateway.Gust:           {platform: "sensor", class: "wind_speed", unit: "km/h", state: measurement, name: "Gusts", fades: true},
	gateway.GustAngle:      {platform: "sensor", class: "wind_direction", unit: "°", state: "measurement_angle", name: "Gust direction", fades: true},
	gateway.HealthIndex:    {platform: "sensor", state: measurement, name: "Health index", fades: true},
	gateway.AirQuality:     {platform: "sensor", state: measurement, name: "Air quality", fades: true},
	gateway.COLevel:        {platform: "sensor", class: "carbon_monoxide", unit: "ppm", state: measurement},
	gateway.COPeak:         {platform: "sensor", class: "carbon_monoxide", unit: "ppm", state: measurement, name: "Carbon monoxide peak"},
	gateway.Power:          {platform: "sensor", class: "power", unit: "W", state: measurement},
	gateway.HeatingRequest: {platform: "sensor", unit: "%", state: measurement, name: "Heating request"},
	gateway.Brightness:     {platform: "sensor", unit: "%", state: measurement, name: "Brightness"},
	gateway.Position:       {platform: "sensor", unit: "%", state: measurement, name: "Position"},
	gateway.Ring:           {platform: "sensor", state: "total_increasing", name: "Rings"},
	gateway.Floodlight:     {platform: "sensor", name: "Floodlight"},
	gateway.Snapshot:       {platform: "sensor", class: "timestamp", name: "Last picture"},
	gateway.Battery:        {platform: "sensor", class: "battery", unit: "%", state: measurement, category: diagnostic},
	gateway.SDCard:         {platform: "sensor", name: "SD card", category: diagnostic},
	gateway.Signal:         {platform: "sensor", state: measurement, name: "Radio signal", category: diagnostic},
	gateway.Firmware:       {platform: "sensor", name: "Firmware", category: diagnostic},
	gateway.Motion:         {platform: binary, class: "motion"},
	gateway.Contact:        {platform: binary, class: "opening"},
	gateway.OpenWindow:     {platform: binary, class: "window", name: "Open window"},
	gateway.Smoke:          {platform: binary, class: "smoke"},
	gateway.CO:             {platform: binary, class: "carbon_monoxide"},
	gateway.Siren:          {platform: binary, class: "sound", name: "Siren"},
	gateway.Monitoring:     {platform: binary, class: "running", name: "Monitoring"},
	gateway.On:             {platform: binary, class: "power"},
	gateway.Boiler:         {platform: binary, class: "running", name: "Boiler"},
	gateway.Relay:          {platform: binary, class: "running", name: "Heating relay"}, // to be seen, not to be turned
	gateway.Lock:           {platform: binary, class: "lock", inverse: true},            // Home Assistant: on = unlocked
	gateway.LowBattery:     {platform: binary, class: "battery", category: diagnostic},
	gateway.Tampered:       {platform: binary, class: "tamper", category: diagnostic},
	gateway.SelfTest:       {platform: binary, name: "Self-test", category: diagnostic},
	gateway.Fault:          {platform: binary, class: "problem", category: diagnostic},
	gateway.PowerSupply:    {platform: binary, class: "problem", name: "Power supply", category: diagnostic, inverse: true},
}

// fadesAfter is how many seconds without a word about the device make its measurements unknown. Polls
// bring some every few minutes; after four hours nobody can say how warm it is.
const fadesAfter = 4 * 60 * 60

// component describes the sensor to Home Assistant.
func (s sensor) component(q gateway.Quantity, page, unique string) fields {
	c := fields{"platform": s.platform, "unique_id": unique, "state_topic": page, "value_template": valueOf(q)}
	for key, word := range map[string]string{
		"device_class": s.class, "unit_of_measurement": s.unit, "state_class": s.state,
		"name": s.name, "entity_category": s.category,
	} {
		if word != "" {
			c[key] = word
		}
	}
	if s.fades {
		c["expire_after"] = fadesAfter
	}
	if s.platform == binary {
		c["payload_on"], c["payload_off"] = jinjaFlag(!s.inverse), jinjaFlag(s.inverse)
	}
	return c
}

// valueOf is a template that picks a reading out of a device's page; a missing one gives None, which
// Home Assistant takes for unknown.
func valueOf(q gateway.Quantity) string {
	return "{{ value_json.readings.get('" + string(q) + "', {}).get('value') }}"
}

// jinjaFlag is how a template prints a JSON true or false.
func jinjaFlag(yes bool) string {
	if yes {
		return "True"
	}
	return "False"
}

// control describes to Home Assistant a quantity that can be set, if it may be set over MQTT. Whatever
// people do there arrives as one of our JSON wishes.
func control(q gateway.Quantity, c gateway.Control, page, unique string) (fields, bool) {
	wish := func(value string) string { return `{"` + string(q) + `":` + value + `}` }
	f := fields{"unique_id": unique, "state_topic": page, "command_topic": page + "/set", "name": sensors[q].name}
	switch q {
	case gateway.Siren:
		f["platform"] = "siren"
		f["command_template"] = wish("{{ 'true' if value == 'ON' else 'false' }}")
		f["state_on"], f["state_off"], f["state_value_template"] = jinjaFlag(true), jinjaFlag(false), valueOf(q)
		f["support_duration"], f["support_volume_set"] = false, false
	case gateway.Monitoring, gateway.On:
		f["platform"] = "switch"
		f["payload_on"], f["payload_off"] = wish("true"), wish("false")
		f["state_on"], f["state_off"], f["value_template"] = jinjaFlag(true), jinjaFlag(false), valueOf(q)
	case gateway.Floodlight:
		f["platform"], f["options"] = "select", floodlightWords
		f["command_template"], f["value_template"] = wish(`"{{ value }}"`), valueOf(q)
	case gateway.Brightness:
		low, high := span(c)
		f["platform"], f["min"], f["max"], f["unit_of_measurement"] = "number", low, high, "%"
		f["command_template"], f["value_template"] = wish("{{ value }}"), valueOf(q)
	case gateway.Position:
		f["platform"], f["device_class"] = "cover", "shutter"
		f["payload_open"], f["payload_close"], f["payload_stop"] = wish("100"), wish("0"), nil
		f["position_topic"] = page
		// A cover takes nothing for unknown, and None for a mistake.
		f["position_template"] = "{{ value_json.readings.get('position', {}).get('value', '') }}"
		f["set_position_topic"], f["set_position_template"] = page+"/set", wish("{{ position }}")
		delete(f, "state_topic") // open or closed follows from the position
		f["name"] = ""           // a shutter is nothing else
	default:
		return nil, false
	}
	if f["name"] == "" {
		f["name"] = nil // the device's own
	}
	return f, true
}
